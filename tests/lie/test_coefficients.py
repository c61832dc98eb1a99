"""The scalar coefficients against long double, and their derivatives on both sides of every switch."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial

import pytest
import torch
from torch import Tensor

from lieapp.lie import _coefficients as coefficients

ANGLES = (1e-8, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.999, 1.001, 2.0, 3.0, 3.1415926)


def _series(first: int, step: Callable[[int], int], x: Fraction) -> float:
    """Sum (-1)^k step(k) / (first + 2k)! x^k exactly."""
    total, power = Fraction(0), Fraction(1)
    for k in range(40):
        total += (-1) ** k * Fraction(step(k), factorial(first + 2 * k)) * power
        power *= x
    return float(total)


def _exact(name: str, theta: float) -> float:
    """Evaluate a coefficient in rational arithmetic; every series has converged far beyond float64."""
    x = Fraction(theta) ** 2
    if name == "e":
        # 1 - θ/2 cot(θ/2) = 1 - cos(h) / (sin(h)/h) with h = θ/2.
        quarter = x / 4
        cosine = sum((-1) ** k * Fraction(1, factorial(2 * k)) * quarter**k for k in range(40))
        sinc = sum((-1) ** k * Fraction(1, factorial(2 * k + 1)) * quarter**k for k in range(40))
        return float((1 - cosine / sinc) / x)
    first = {"a": 1, "b": 2, "c": 3, "f": 4, "g": 5}[name]
    return _series(first, (lambda k: k + 1) if name == "g" else (lambda k: 1), x)


@pytest.mark.parametrize("theta", ANGLES)
@pytest.mark.parametrize("name", ["a", "b", "c", "e", "f", "g"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 2e-14)])
def test_values_are_exact_to_rounding(name: str, theta: float, dtype: torch.dtype, tolerance: float) -> None:
    x = torch.tensor(theta, dtype=dtype).square()
    exact = _exact(name, float(x.double().sqrt()))
    if name == "a" and theta > 3.1:
        tolerance *= 1e7  # sin θ is as small as the rounding of θ makes it
    if name in "fg" and theta > 1:
        tolerance *= 20  # cancellation of the closed form at its worst place, just above the switch
    assert abs(getattr(coefficients, name)(x).item() / exact - 1) < tolerance


@pytest.mark.parametrize("name", ["a", "b", "c", "e", "f", "g"])
def test_derivatives_are_continuous_across_the_switch(name: str) -> None:
    def derivatives(x: float) -> list[float]:
        point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        value = getattr(coefficients, name)(point)
        (first,) = torch.autograd.grad(value, point, create_graph=True)
        (second,) = torch.autograd.grad(first, point)
        return [value.item(), first.item(), second.item()]

    # b switches at four times the squared angle of a, from which it is made.
    switch = 4.0 if name == "b" else 1.0
    below, above = derivatives(switch * (1 - 1e-13)), derivatives(switch * (1 + 1e-13))
    assert below == pytest.approx(above, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("name", ["a", "b", "c", "e", "f", "g"])
@pytest.mark.parametrize("x", [0.0, 1e-16, 0.5, 3.0])
def test_second_derivatives_agree_with_differences(name: str, x: float) -> None:
    point = torch.tensor([x], dtype=torch.float64, requires_grad=True)
    function = getattr(coefficients, name)
    if x >= 0.5:
        assert torch.autograd.gradcheck(function, point)
        assert torch.autograd.gradgradcheck(function, point)
    (first,) = torch.autograd.grad(function(point).sum(), point, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), point)
    assert torch.isfinite(first).all() and torch.isfinite(second).all()


def test_atan_ratio_is_two_at_the_identity_and_pi_at_half_turns() -> None:
    one, zero = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    assert coefficients.half_angle_ratio(one, zero).item() == 2
    assert coefficients.half_angle_ratio(zero, one).item() == pytest.approx(torch.pi, abs=1e-15)


@pytest.mark.parametrize("half", [0.0999, 0.0998, 0.05, 1e-9])
def test_atan_ratio_across_its_switch(half: float) -> None:
    theta = torch.tensor(half, dtype=torch.float64)
    ratio = coefficients.half_angle_ratio(theta.cos(), theta.sin().square())
    assert (ratio * theta.sin()).item() == pytest.approx(2 * half, rel=1e-15)


def test_other_dtypes_are_refused() -> None:
    halves: Tensor = torch.zeros((), dtype=torch.float16)
    with pytest.raises(TypeError, match=r"float32 or float64, got torch\.float16"):
        coefficients.a(halves)
