"""The picture of a surface: values on a grid, shades that show its valleys, contour lines. No Qt, no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lieapp.gui.pictures.contours import contour_lines, nice_levels

__all__ = ["Area", "Drawable", "Shading", "SurfacePicture", "make_picture", "shading_in_view", "shading_of", "widened"]

Array = NDArray[np.float64]
Area = tuple[tuple[float, float], tuple[float, float]]

_GRID = 200  # cells along the longer side: more cannot be told apart in a smooth picture
_MOST_LEVELS = 13
_MIDDLE = 0.45
_LARGEST = 1e300
_LEAST_POWER, _LEAST_POWER_AFAR = 0.2, 0.05
# Of what is in view, what may lie beyond the shades of the domain, besides what does so where just all of the domain is
# seen, before the shades reach further: else who zooms out sees one colour.
_BEYOND = 0.1


class Drawable(Protocol):
    """What can be drawn: a function of x and y with a part of the plane that matters."""

    @property
    def domain(self) -> Area:
        """The part of the plane that matters."""

    @property
    def clip(self) -> float | None:
        """Value above which colours stay the same."""

    @property
    def extent(self) -> Area | None:
        """The part of the plane where it has values; None for all of it."""

    def value(self, x: Any, y: Any) -> Any:
        """Return the value at arrays of x and y."""


@dataclass(frozen=True)
class Shading:
    """From values to shades, which run from 0 (lowest) to 1.

    Attributes
    ----------
    low, high : float
        Values of the shades 0 and 1.
    power : float
        Shades are shares of the range to this power, so that half of the picture is darker than the middle: deep and
        narrow valleys keep their contours. 1 is proportional.
    """

    low: float
    high: float
    power: float

    def shades(self, values: Array) -> Array:
        """Return the shades of values; what is not finite stays so."""
        share = np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        found: Array = np.where(np.isnan(values), np.nan, share**self.power)
        return found

    def value(self, shade: float) -> float:
        """Return the value of a shade."""
        return float(self.low + (self.high - self.low) * shade ** (1.0 / self.power))

    def levels(self) -> list[float]:
        """Return values of contour lines: round numbers, about evenly apart in shade."""
        if self.power == 1.0:
            return [float(level) for level in nice_levels(self.low, self.high, _MOST_LEVELS)]
        found: list[float] = []
        for shade in np.linspace(0.0, 1.0, _MOST_LEVELS + 2)[1:-1]:
            step = self.value(float(shade) + 0.5 / _MOST_LEVELS) - self.value(float(shade))
            level = _round(self.value(float(shade)), step)
            if self.low < level < self.high and (not found or level > found[-1]):
                found.append(level)
        return found


def _round(value: float, step: float) -> float:
    """Return a value rounded to a decade below a step."""
    if not step > 0.0:
        return value
    unit = 10.0 ** math.floor(math.log10(step))
    return round(value / unit) * unit


def shading_of(values: Array, clip: float | None, least_power: float = _LEAST_POWER) -> Shading:
    """Return the shading of a picture.

    Parameters
    ----------
    values : ndarray, shape=(any,), dtype=float64
        Those of the part of the plane that matters.
    clip : float or None
        Value above which shades stay the same.
    least_power : float, optional
        Power of the shades at least.
    """
    finite = _written(values)
    if len(finite) == 0:
        return Shading(0.0, 1.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if clip is not None:
        high = min(high, clip)
    if not high > low:
        return Shading(low, low + 1.0, 1.0)
    share = float(np.median(np.clip((finite - low) / (high - low), 0.0, 1.0)))
    power = math.log(_MIDDLE) / math.log(min(max(share, 1e-6), 0.999999))
    # A little is not worth a scale that nobody can read.
    return Shading(low, high, 1.0 if power > 0.65 else max(power, least_power))


def shading_in_view(surface: Drawable, view: Area | None = None) -> Shading:
    """Return the shading of a view: that of the domain, reaching further where much lies above or below it.

    Parameters
    ----------
    surface : Drawable
    view : ((x0, x1), (y0, y1)), optional
        What is looked at; the domain by default.
    """
    shading = shading_of(_values(surface, *_axes(surface.domain, 100)).ravel(), surface.clip)
    away = 1.0 if view is None else _distance(view, surface.domain)
    if view is None or away <= 1.0 + 1e-6:
        return shading
    whole, seen = (
        _written(_values(surface, *_axes(area, 100)).ravel()) for area in (_nearer(view, away, surface.domain), view)
    )
    if len(seen) == 0 or len(whole) == 0:
        return shading
    below, above = (
        float(share) / away**2 + _BEYOND for share in (np.mean(whole < shading.low), np.mean(whole >= shading.high))
    )
    low, high = (float(end) for end in np.quantile(seen, (min(below, 1.0), max(1.0 - above, 0.0))))
    low, high = min(low, shading.low), max(high, shading.high)
    if (low, high) == (shading.low, shading.high):
        return shading
    return shading_of(np.concatenate((np.clip(seen, low, high), (low, high))), None, _LEAST_POWER_AFAR)


def _distance(view: Area, domain: Area) -> float:
    """Return how many times as large as needed to hold a domain a view of the same shape is."""
    return min((high - low) / (last - first) for (low, high), (first, last) in zip(view, domain, strict=True))


def _nearer(view: Area, factor: float, domain: Area) -> Area:
    """Return a view of the same shape, smaller by a factor, of the middle of a domain."""
    (x, width), (y, height) = (
        (0.5 * (first + last), 0.5 * (high - low) / factor)
        for (low, high), (first, last) in zip(view, domain, strict=True)
    )
    return (x - width, x + width), (y - height, y + height)


def _written(values: Array) -> Array:
    """Return the values that are finite, and whose differences could be written down."""
    found: Array = values[np.abs(values) < _LARGEST]
    return found


@dataclass(frozen=True, eq=False)
class SurfacePicture:
    """What is drawn of a surface.

    Attributes
    ----------
    x, y : ndarray, shape=(nx,) and (ny,), dtype=float64
    shades : ndarray, shape=(ny, nx), dtype=float64
        NaN where the function has no value.
    shading : Shading
    levels : tuple of float
        Values of the contour lines.
    contours : ndarray, shape=(pieces, 2, 2), dtype=float64
        Both ends of every piece of a line, as (x, y).
    """

    x: Array
    y: Array
    shades: Array
    shading: Shading
    levels: tuple[float, ...]
    contours: Array

    @property
    def area(self) -> Area:
        """The part of the plane that is drawn."""
        return (float(self.x[0]), float(self.x[-1])), (float(self.y[0]), float(self.y[-1]))


def make_picture(
    surface: Drawable, area: Area | None = None, grid: int = _GRID, *, view: Area | None = None
) -> SurfacePicture:
    """Compute the picture of a part of the plane; colours are those of the domain unless one looks from far away.

    Parameters
    ----------
    surface : Drawable
    area : ((x0, x1), (y0, y1)), optional
        The domain by default.
    grid : int
        Cells along the longer side.
    view : ((x0, x1), (y0, y1)), optional
        The part of the area that is looked at, see `shading_in_view`; the domain by default.
    """
    shading = shading_in_view(surface, view)
    x, y = _axes(surface.domain if area is None else area, grid)
    values = _values(surface, x, y)
    levels = _visible(shading.levels(), values)
    pieces = [contour_lines(x, y, values, level) for level in levels]
    contours = np.concatenate([*pieces, np.empty((0, 2, 2))])
    return SurfacePicture(x, y, shading.shades(values), shading, tuple(levels), contours)


def _visible(levels: Sequence[float], values: Array) -> list[float]:
    """Return the levels, and between them others where one has zoomed in to where too few of them are seen."""
    finite = _written(values)
    if len(finite) == 0:
        return list(levels)
    low, high = np.quantile(finite, (0.02, 0.98))
    if sum(low < level < high for level in levels) >= 3:
        return list(levels)
    return sorted({*levels, *(float(level) for level in nice_levels(float(low), float(high), 9))})


def _axes(area: Area, grid: int) -> tuple[Array, Array]:
    (x0, x1), (y0, y1) = area
    cell = max(x1 - x0, y1 - y0) / grid
    shape = [max(round((high - low) / cell), 2) + 1 for low, high in area]
    # Where a side is far shorter than the other, in other units, its own cells are as many.
    shape = [max(count, grid // 2) for count in shape]
    return np.linspace(x0, x1, shape[0]), np.linspace(y0, y1, shape[1])


def _values(surface: Drawable, x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        found = surface.value(*np.meshgrid(x, y))
    values = np.broadcast_to(np.asarray(found, dtype=np.float64), (len(y), len(x)))
    return np.where(np.isinf(values), np.where(values > 0, 1e300, np.nan), values)


def widened(domain: Area, aspect: float, most: float = 2.2) -> Area:
    """Return a part of the plane about a domain that fills a pane at one scale.

    Parameters
    ----------
    domain : ((x0, x1), (y0, y1))
    aspect : float
        Width of the pane over its height.
    most : float
        By which factor a side may grow.
    """
    (x0, x1), (y0, y1) = domain
    width, height = x1 - x0, y1 - y0
    wider, higher = min(max(aspect * height / width, 1.0), most), min(max(width / (aspect * height), 1.0), most)
    mx, my = 0.5 * width * (wider - 1.0), 0.5 * height * (higher - 1.0)
    return (x0 - mx, x1 + mx), (y0 - my, y1 + my)
