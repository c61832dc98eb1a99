"""Check that products summed in single precision, and the sums in double, lose no more than is said."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lieapp.optimizers.inner_products import products, products_and_square, square_and_range
from tests.optimizers.saddles import normal

SIZE = 803_072
ROUNDING = 2.0**-24


def exact(u: Tensor, w: Tensor) -> float:
    return float(u.double() @ w.double())


def cases() -> dict[str, tuple[Tensor, Tensor]]:
    u, w = normal(SIZE, seed=1).float(), normal(SIZE, seed=2).float()
    scales = torch.logspace(-8, 8, SIZE)
    far = torch.zeros(SIZE)
    far[::2], far[1::2] = 1e4, -1e4
    return {
        "scattered": (u, w),
        "orthogonal but for rounding": (u, w - u * exact(u, w) / exact(u, u)),
        "an offset": (u + 1e4, w + 1e4),
        "an offset against scatter": (u, w + 1e4),
        "ill-scaled": (u * scales, w * scales),
        "ill-scaled the other way": (u * scales, w * scales.flip(0)),
        "one large number": (u, torch.cat((torch.tensor([1e7]), w[1:]))),
        "alternating": (far + u, torch.ones(SIZE) + 1e-3 * w),
        "all the same": (torch.full((SIZE,), 1.1), torch.full((SIZE,), 1.7)),
    }


@pytest.mark.parametrize("name", cases())
def test_single_precision_loses_little(name: str) -> None:
    u, w = cases()[name]
    halves = [u[:500_000], u[500_000:]]
    parts, (along, again), square = products_and_square([halves, halves], iter([w[:500_000], w[500_000:]]))
    lengths = math.sqrt(exact(u, u) * exact(w, w))
    worst = {"scattered": 1e-8, "an offset": 512 * ROUNDING, "all the same": 512 * ROUNDING}.get(name, ROUNDING)
    assert abs(along - exact(u, w)) <= worst * lengths
    assert abs(square - exact(w, w)) <= 512 * ROUNDING * exact(w, w)
    assert torch.equal(torch.cat(parts), w) and again == along
    assert products([[u]], [w]) == [pytest.approx(along, abs=worst * lengths)]
    squared, low, high = square_and_range([w[:7], w[7:]])
    assert squared == pytest.approx(exact(w, w), rel=512 * ROUNDING)
    assert (low, high) == (float(w.min()), float(w.max()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_lower_precisions_are_lifted(dtype: torch.dtype) -> None:
    u, w = normal(SIZE, seed=1).to(dtype), normal(SIZE, seed=2).to(dtype)
    _, (along,), square = products_and_square([[u]], [w])
    assert along == pytest.approx(exact(u, w), abs=1e-8 * SIZE)
    assert square == pytest.approx(exact(w, w), rel=512 * ROUNDING)
    single = u.float()
    assert products_and_square([[single]], [w])[1:] == products_and_square([[single]], [w.float()])[1:]
    assert products_and_square([[w.float()]], [u])[1] == [pytest.approx(along, abs=1e-8 * SIZE)]


@pytest.mark.parametrize("scale", [1e-30, 1e-14, 1e14, 1e25])
def test_lengths_beyond_single_precision_are_taken_in_double(scale: float) -> None:
    u, w = normal(1000, seed=1).float(), (scale * normal(1000, seed=2)).float()
    _, (along,), square = products_and_square([[u]], [w])
    assert along == pytest.approx(exact(u, w), rel=1e-5) and square == pytest.approx(exact(w, w), rel=1e-5)


def test_double_precision_stays_double() -> None:
    u, w = normal(200_001, seed=1), normal(200_001, seed=2)
    _, (along,), square = products_and_square([[u]], [w])
    assert along == pytest.approx(float(u @ w), rel=1e-12) and square == pytest.approx(float(w @ w), rel=1e-13)


def test_numbers_that_are_none_stay_visible() -> None:
    for bad in (math.nan, math.inf):
        w = torch.tensor([1.0, bad])
        assert not math.isfinite(products_and_square([[torch.ones(2)]], [w])[2])
        assert not math.isfinite(square_and_range([w])[0])
