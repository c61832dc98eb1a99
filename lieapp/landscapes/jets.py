"""Values with their first and second derivatives in x and y, carried through arithmetic: exact, for any array.

A jet holds a function's value and its derivatives at a point, or at a whole array of points. Sums, products and
functions of jets follow the chain rule, so evaluating a formula on jets gives its gradient and Hessian to rounding,
without symbols and without differences. Components are whatever the coordinates are: floats, numpy arrays or torch
tensors. A component that is zero everywhere is None, and costs nothing. No torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["FUNCTIONS", "Jet", "add", "apply", "constant", "divide", "multiply", "negate", "power", "variable"]

_LARGEST_WHOLE = 2**31
"""Whole exponents up to which powers are taken by whole numbers; larger ones need not fit where arrays want them."""


class Jet(NamedTuple):
    """A value and its derivatives; None stands for zero.

    Attributes
    ----------
    f : array
    x, y : array or None
        First derivatives.
    xx, xy, yy : array or None
        Second derivatives.
    """

    f: Any
    x: Any = None
    y: Any = None
    xx: Any = None
    xy: Any = None
    yy: Any = None

    @property
    def is_constant(self) -> bool:
        """Whether all derivatives are zero everywhere."""
        return self.x is None and self.y is None


def constant(value: float) -> Jet:
    """Return the jet of a number."""
    return Jet(value)


def variable(value: Any, name: str, order: int) -> Jet:
    """Return the jet of a coordinate: ``name`` is "x" or "y", ``order`` 0 for values without derivatives."""
    if order == 0:
        return Jet(value)
    return Jet(value, x=1.0) if name == "x" else Jet(value, y=1.0)


def _plus(a: Any, b: Any) -> Any:
    if a is None:
        return b
    return a if b is None else a + b


def _times(a: Any, b: Any) -> Any:
    return None if a is None or b is None else a * b


def _minus(a: Any) -> Any:
    return None if a is None else -a


def add(a: Jet, b: Jet) -> Jet:
    """Return the sum."""
    return Jet(a.f + b.f, *map(_plus, a[1:], b[1:]))


def negate(a: Jet) -> Jet:
    """Return the negative."""
    return Jet(-a.f, *map(_minus, a[1:]))


def multiply(a: Jet, b: Jet, second: bool = True) -> Jet:
    """Return the product; without ``second``, second derivatives are left out."""
    if a.is_constant:
        a, b = b, a
    if b.is_constant:
        return Jet(a.f * b.f, *(_times(part, b.f) for part in a[1:]))
    x = _plus(_times(a.x, b.f), _times(b.x, a.f))
    y = _plus(_times(a.y, b.f), _times(b.y, a.f))
    if not second:
        return Jet(a.f * b.f, x, y)
    xx = _plus(_times(a.x, b.x), _times(b.x, a.x))
    xy = _plus(_times(a.x, b.y), _times(a.y, b.x))
    yy = _plus(_times(a.y, b.y), _times(b.y, a.y))
    return Jet(
        a.f * b.f,
        x,
        y,
        _plus(_plus(_times(a.xx, b.f), _times(b.xx, a.f)), xx),
        _plus(_plus(_times(a.xy, b.f), _times(b.xy, a.f)), xy),
        _plus(_plus(_times(a.yy, b.f), _times(b.yy, a.f)), yy),
    )


def divide(a: Jet, b: Jet, second: bool = True) -> Jet:
    """Return the quotient."""
    if b.is_constant:
        by = np.float64(b.f) if type(b.f) in (int, float) else b.f  # zero gives inf or nan, as everywhere
        return Jet(a.f / by, *(None if part is None else part / by for part in a[1:]))
    inverse = 1.0 / b.f
    slope = -inverse * inverse
    quotient = multiply(a, _chain(b, inverse, slope, -2.0 * slope * inverse, second), second)
    return quotient._replace(f=a.f / b.f)


def power(a: Jet, b: Jet, second: bool = True) -> Jet:
    """Return a to the power b; a whole constant exponent is exact for negative bases too.

    A constant is a Python number. Of other exponents negative bases have no power, whole or not: as a function of the
    exponent it would have no derivatives.
    """
    if type(b.f) not in (int, float):
        return apply("exp", multiply(b, apply("log", a, second), second), second)
    exponent = int(b.f) if abs(b.f) <= _LARGEST_WHOLE and float(b.f).is_integer() else float(b.f)
    if exponent == 0:
        return Jet(a.f * 0.0 + 1.0)
    if exponent == 1:
        return a
    if a.is_constant:
        return Jet(a.f**exponent)
    if exponent == 2:
        return _chain(a, a.f * a.f, 2.0 * a.f, 2.0, second)
    slope = exponent * a.f ** (exponent - 1)
    return _chain(a, a.f**exponent, slope, exponent * (exponent - 1) * a.f ** (exponent - 2), second)


def apply(name: str, a: Jet, second: bool = True) -> Jet:
    """Return a named function of a jet; the names are those of `FUNCTIONS`."""
    if a.is_constant:
        return Jet(_function(name, a.f))
    return _chain(a, *FUNCTIONS[name](a.f), second)


def _chain(a: Jet, f: Any, slope: Any, bending: Any, second: bool) -> Jet:
    x, y = _times(a.x, slope), _times(a.y, slope)
    if not second:
        return Jet(f, x, y)

    def bend(p: Any, q: Any, pq: Any) -> Any:
        return _plus(_times(_times(p, q), bending), _times(pq, slope))

    return Jet(
        f,
        x,
        y,
        bend(a.x, a.x, a.xx),
        bend(a.x, a.y, a.xy),
        bend(a.y, a.y, a.yy),
    )


def _function(name: str, u: Any) -> Any:
    """Return a function of a number, a numpy array or a tensor (whose methods have the same names)."""
    if isinstance(u, (int, float, np.ndarray, np.generic)):
        return getattr(np, name)(u)
    return getattr(u, name)()


def _sin(u: Any) -> tuple[Any, Any, Any]:
    s = _function("sin", u)
    return s, _function("cos", u), -s


def _cos(u: Any) -> tuple[Any, Any, Any]:
    c = _function("cos", u)
    return c, -_function("sin", u), -c


def _tan(u: Any) -> tuple[Any, Any, Any]:
    t = _function("tan", u)
    slope = 1.0 + t * t
    return t, slope, 2.0 * t * slope


def _exp(u: Any) -> tuple[Any, Any, Any]:
    e = _function("exp", u)
    return e, e, e


def _log(u: Any) -> tuple[Any, Any, Any]:
    return _function("log", u), 1.0 / u, -1.0 / (u * u)


def _sqrt(u: Any) -> tuple[Any, Any, Any]:
    r = _function("sqrt", u)
    return r, 0.5 / r, -0.25 / (r * u)


def _abs(u: Any) -> tuple[Any, Any, Any]:
    return _function("abs", u), _function("sign", u), 0.0 * u


def _tanh(u: Any) -> tuple[Any, Any, Any]:
    t = _function("tanh", u)
    slope = 1.0 - t * t
    return t, slope, -2.0 * t * slope


def _sinh(u: Any) -> tuple[Any, Any, Any]:
    s = _function("sinh", u)
    return s, _function("cosh", u), s


def _cosh(u: Any) -> tuple[Any, Any, Any]:
    c = _function("cosh", u)
    return c, _function("sinh", u), c


FUNCTIONS: dict[str, Callable[[Any], tuple[Any, Any, Any]]] = {
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "abs": _abs,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
}
"""Functions by name: value, first and second derivative at u."""
