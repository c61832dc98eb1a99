"""Check walks to saddles: where they end, from everywhere, and that they say so only where there is one."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.dimer import rotate
from lieapp.optimizers.oracle import AutogradOracle, hessian, norm
from lieapp.optimizers.presented import ShutOracle
from tests.optimizers.conftest import backward_closure, leaf
from tests.optimizers.saddles import autograd, normal, quadratic, rotated, strict_saddle_100


def well(x: Tensor) -> Tensor:
    """(x² - 1)² + y²: the lowest direction at its minima leads past the saddle at 0."""
    return (x[0] ** 2 - 1.0) ** 2 + x[1] ** 2


def walk(function: Any, x: Tensor, limit: int = 300, **settings: Any) -> tuple[DEO, float]:
    """Walk until the gradient is below 1e-8; return the optimiser and what was spent."""
    optimizer = DEO([x], mode="reflect", **{"trust_radius": 0.1, **settings})
    oracle = autograd(function, x)
    for _ in range(limit):
        optimizer.step(oracle=oracle)
        oracle.observe()
        if x.grad is not None and norm([x.grad]) < 1e-8:
            break
    return optimizer, oracle.evaluations()


def index_at(function: Any, x: Tensor) -> int:
    return int((torch.linalg.eigvalsh(hessian(autograd(function, x))) < -1e-9).sum())


@pytest.mark.parametrize("start", [(0.9, 0.1), (1.0, 0.0), (-1.0, 0.3), (0.3, 0.0), (0.0, 1.0), (2.0, -1.0)], ids=str)
@pytest.mark.parametrize("derivative", ["one-sided", "exact"])
def test_it_ends_at_the_saddle(start: tuple[float, float], derivative: str) -> None:
    x = leaf(*start)
    _, spent = walk(well, x, derivative=derivative)
    assert x.detach().tolist() == pytest.approx([0.0, 0.0], abs=1e-8)
    assert spent < 250


def test_curvature_that_grows_opens_no_direction_that_is_shut() -> None:
    """Along x it is a hundred times what it was at the last search: the way along y stays shut all the same."""
    x = leaf(2.0, -1.0)
    search = rotate(ShutOracle(autograd(well, x), [torch.tensor([0.0, 1.0]).double()], 0.4), [leaf(1.0, 1e-9)])
    assert search.curvature == pytest.approx(44.0) and abs(float(search.direction[0][0])) == pytest.approx(1.0)


def test_it_goes_on_from_a_maximum_and_from_saddles_of_higher_index() -> None:
    for start in ((0.0, 0.0), (1e-5, 1e-6)):
        x = leaf(*start)
        function = lambda x: (torch.cos(3.0 * x)).sum()  # noqa: E731
        optimizer, _ = walk(function, x)
        assert index_at(function, x) == 1 and norm([x.grad]) < 1e-8 and optimizer.curvature < 0.0  # type: ignore[list-item]


def test_ten_negative_modes_are_left_but_one() -> None:
    x = normal(100).requires_grad_()
    function = strict_saddle_100()
    walk(function, x, 400)
    assert index_at(function, x) == 1 and norm([x.grad]) < 1e-8  # type: ignore[list-item]


def test_it_comes_back_from_where_there_is_no_number() -> None:
    x = leaf(0.5, 0.4)
    function = lambda x: torch.log(x[0]) ** 2 * x[0] + x[1] ** 2 + torch.log(1.2 - x[0])  # noqa: E731
    optimizer = DEO([x], mode="reflect", trust_radius=0.5)
    closure = backward_closure(lambda: function(x), [x])
    for _ in range(60):
        optimizer.step(closure)
        assert bool(torch.isfinite(x).all())


def test_it_stays_at_the_saddle_that_it_has_found() -> None:
    x = leaf(0.9, 0.1)
    walk(well, x)
    optimizer = DEO([x], mode="reflect", trust_radius=0.1)
    for _ in range(100):
        optimizer.step(backward_closure(lambda: well(x), [x]))
    assert x.detach().tolist() == pytest.approx([0.0, 0.0], abs=1e-8)


def test_directions_per_layer_need_the_steps_of_the_base() -> None:
    with pytest.raises(ValueError, match="Invalid scope: a walk to a saddle needs one direction"):
        DEO([leaf(1.0)], mode="reflect", scope="per-layer")
    DEO([leaf(1.0)], mode="reflect", scope="per-layer", translation="base")
    with pytest.raises(ValueError, match="Invalid translation"):
        DEO([leaf(1.0)], translation="newton")


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_the_base_still_steps_along_the_reflected_gradient(rate: float) -> None:
    """1 - eta |lambda| a step: the saddle x² - y² draws the run."""
    x = leaf(0.3, 1e-3)
    optimizer = DEO([x], lr=rate, mode="reflect", translation="base", interval=1, derivative="exact")
    oracle = autograd(lambda x: x[0] ** 2 - x[1] ** 2, x)
    optimizer.step(oracle=oracle)
    for _ in range(5):
        before = float(x.detach()[1])
        optimizer.step(oracle=oracle)
        assert float(x.detach()[1]) / before == pytest.approx(1.0 - 2.0 * rate, abs=1e-6)


def test_an_added_group_starts_the_walk_anew() -> None:
    x, y = leaf(0.9), leaf(0.1)
    optimizer = DEO([x], mode="reflect")
    closure = backward_closure(lambda: (x[0] ** 2 - 1.0) ** 2 + 20.0 * y[0] ** 2, [x, y])
    for _ in range(3):
        optimizer.step(closure)
    optimizer.add_param_group({"params": [y]})
    for _ in range(100):
        optimizer.step(closure)
    assert [x.item(), y.item()] == pytest.approx([0.0, 0.0], abs=1e-8)


@pytest.mark.parametrize("derivative", ["one-sided", "central", "exact"])
def test_evaluations_reported_are_those_counted_where_curvature_is_of_another_batch(derivative: str) -> None:
    """Near the saddle the walk searches across N too, and each search pays for a gradient on that batch."""
    x = leaf(0.5, 0.3)
    problem, other = AutogradOracle(lambda: well(x), [x]), AutogradOracle(lambda: 1.1 * well(x), [x])
    problem.curvature_gradient, problem.hvp = other.gradient, other.hvp  # type: ignore[attr-defined, method-assign]
    oracle = CountingOracle(problem)
    optimizer = DEO([x], mode="reflect", derivative=derivative)
    searches = 0
    for _ in range(40):
        optimizer.step(oracle=oracle)
        oracle.invalidate()
        searches += optimizer._search.walk.checked  # type: ignore[attr-defined]
        assert optimizer.evaluations == oracle.evaluations()
    assert searches


@pytest.mark.parametrize(("weight", "found"), [(20.0, 20.0), (0.5, 10.0)], ids=["enough", "too little"])
def test_a_direction_that_is_shut_out(weight: float, found: float) -> None:
    """However little curvature it was given, it does not become the lowest: what is met across it weighs more."""
    matrix = rotated(torch.tensor([-3.0, -1.0, 2.0, 5.0], dtype=torch.float64))
    values, vectors = torch.linalg.eigh(matrix)
    x = normal(4).requires_grad_()
    shut = ShutOracle(autograd(quadratic(matrix), x), [vectors[:, 0]], weight)
    shut.hvp([vectors[:, -1]])
    seen = torch.stack([shut.hvp([e])[0] for e in torch.eye(4, dtype=torch.float64)])
    torch.testing.assert_close(torch.linalg.eigvalsh(seen), torch.tensor([*values[1:].tolist(), found]).double())
    assert shut.parameters[0] is x and not shut.hvp_by_differences and math.isfinite(float(shut.loss()))
    shut.gradient()
    torch.testing.assert_close(x.grad, matrix @ x.detach())
