"""Scalar coefficients of the exponential maps, as smooth functions of the squared angle.

With ``x = |w|**2`` and ``θ = sqrt(x)``::

    a(x) = sin θ / θ                        exp(w)  = I + a K + b K²        K = hat(w)
    b(x) = (1 - cos θ) / θ²                 J_l(w)  = I + b K + c K²
    c(x) = (θ - sin θ) / θ³                 J_l⁻¹(w) = I - K/2 + e K²
    e(x) = (1 - θ/2 cot(θ/2)) / θ²
    f(x) = (θ² + 2 cos θ - 2) / (2 θ⁴)      f and g: left Jacobian of SE(3), Barfoot (2017), eq. 7.86
    g(x) = (2 θ - 3 sin θ + θ cos θ) / (2 θ⁵)

All are analytic in ``x``. Below ``|θ| = 1`` they are summed as power series, long enough that the values *and their
first two derivatives* are exact to rounding; above it the closed forms have no harmful cancellation left. The switch
sits this high because a closed form that is accurate enough by itself still loses two more powers of θ² in each
derivative. ``b`` is always taken from the half angle, ``b(x) = a(x/4)²/2``: ``1 - cos θ`` has no digit left at
θ = 1e-4 in float32.

Both branches are fed with arguments that are harmless for them ("double where"), so that the branch not taken can
never put a NaN into a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import torch
from torch import Tensor

__all__ = ["TOLERANCES", "Tolerance", "a", "b", "c", "e", "f", "g", "half_angle_ratio", "tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """Switches of one floating-point type.

    Attributes
    ----------
    series_below : float
        Squared angle in rad² below which the power series are used.
    terms : int
        Terms of the series in θ² with factorial coefficients.
    bernoulli_terms : int
        Terms of `e`, whose series converges only like (θ/2π)².
    tangent_below, tangent_terms : float, int
        The series of ``atan(z)/z`` is used below this z², with this many terms.
    smallest_angle : float
        Rotations by less than this angle in rad have no usable axis.
    """

    series_below: float
    terms: int
    bernoulli_terms: int
    tangent_below: float
    tangent_terms: int
    smallest_angle: float


TOLERANCES = {
    torch.float32: Tolerance(1.0, 7, 7, 0.01, 5, 1e-5),
    torch.float64: Tolerance(1.0, 12, 13, 0.01, 10, 1e-10),
}
"""One table for all switches, keyed by dtype."""

# |B_2k| / (2k)! of the Bernoulli numbers, k = 1 ... 13.
_BERNOULLI = (
    (1, 6),
    (1, 30),
    (1, 42),
    (1, 30),
    (5, 66),
    (691, 2730),
    (7, 6),
    (3617, 510),
    (43867, 798),
    (174611, 330),
    (854513, 138),
    (236364091, 2730),
    (8553103, 6),
)
_E_SERIES = tuple(p / (q * factorial(2 * k)) for k, (p, q) in enumerate(_BERNOULLI, start=1))


def _alternating(first: int) -> tuple[float, ...]:
    """Coefficients (-1)^k / (first + 2k)! of x^k."""
    return tuple((-1.0) ** k / factorial(first + 2 * k) for k in range(13))


_A_SERIES = _alternating(1)
_C_SERIES = _alternating(3)
_F_SERIES = _alternating(4)
_G_SERIES = tuple((-1.0) ** k * (k - 1) / factorial(2 * k + 1) for k in range(2, 15))
_ATAN_SERIES = tuple((-1.0) ** k / (2 * k + 1) for k in range(13))


def tolerance(dtype: torch.dtype) -> Tolerance:
    """Return the switches of a dtype.

    Raises
    ------
    TypeError
        If the dtype is neither float32 nor float64.
    """
    try:
        return TOLERANCES[dtype]
    except KeyError:
        raise TypeError(f"expected a tensor of float32 or float64, got {dtype}") from None


def _horner(coefficients: Sequence[float], x: Tensor) -> Tensor:
    result = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result


def _switched(x: Tensor, series: Sequence[float], closed: Callable[[Tensor], Tensor], terms: int) -> Tensor:
    """Evaluate `series` in x where x is small, and `closed` in θ elsewhere."""
    small = x < tolerance(x.dtype).series_below
    below = _horner(series[:terms], torch.where(small, x, torch.zeros_like(x)))
    above = closed(torch.where(small, torch.ones_like(x), x).sqrt())
    return torch.where(small, below, above)


def a(x: Tensor) -> Tensor:
    """Return sin θ / θ."""
    return _switched(x, _A_SERIES, lambda t: t.sin() / t, tolerance(x.dtype).terms)


def b(x: Tensor) -> Tensor:
    """Return (1 - cos θ) / θ², from the half angle."""
    return 0.5 * a(0.25 * x).square()


def c(x: Tensor) -> Tensor:
    """Return (θ - sin θ) / θ³."""
    return _switched(x, _C_SERIES, lambda t: (t - t.sin()) / (t * t * t), tolerance(x.dtype).terms)


def e(x: Tensor) -> Tensor:
    """Return (1 - θ/2 cot(θ/2)) / θ², which is infinite at θ = 2π."""

    def closed(t: Tensor) -> Tensor:
        half = 0.5 * t
        return (1 - half * half.cos() / half.sin()) / (t * t)

    return _switched(x, _E_SERIES, closed, tolerance(x.dtype).bernoulli_terms)


def f(x: Tensor) -> Tensor:
    """Return (θ² + 2 cos θ - 2) / (2 θ⁴), with 1 - cos θ from the half angle."""

    def closed(t: Tensor) -> Tensor:
        sine = (0.5 * t).sin()
        return (0.5 * t * t - 2 * sine * sine) / (t * t * t * t)

    return _switched(x, _F_SERIES, closed, tolerance(x.dtype).terms)


def g(x: Tensor) -> Tensor:
    """Return (2 θ - 3 sin θ + θ cos θ) / (2 θ⁵)."""

    def closed(t: Tensor) -> Tensor:
        square = t * t
        return (2 * t - 3 * t.sin() + t * t.cos()) / (2 * square * square * t)

    return _switched(x, _G_SERIES, closed, tolerance(x.dtype).terms)


def half_angle_ratio(w: Tensor, s: Tensor) -> Tensor:
    """Return θ / |v| of the unit quaternion (w, v) with w >= 0 and s = |v|².

    This is 2 atan2(|v|, w) / |v|: smooth at the identity, where it is 2, and at half turns, where it is π.
    """
    limits = tolerance(s.dtype)
    small = s < limits.tangent_below * w * w
    safe_w = torch.where(small, w, torch.ones_like(w))
    z = torch.where(small, s, torch.zeros_like(s)) / (safe_w * safe_w)
    below = 2 / safe_w * _horner(_ATAN_SERIES[: limits.tangent_terms], z)
    v = torch.where(small, torch.ones_like(s), s).sqrt()
    return torch.where(small, below, 2 * torch.atan2(v, w) / v)
