"""Finding the stationary points of a formula: Newton's method from a grid of starts, exact derivatives. No torch."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.landscapes.formula import Formula
from lieapp.landscapes.points import StationaryPoint, classify

__all__ = ["Domain", "find_stationary_points", "polish"]

Domain = tuple[tuple[float, float], tuple[float, float]]
"""The part of the plane that is looked at: ``((x0, x1), (y0, y1))``."""

Array = NDArray[np.float64]

_ITERATIONS = 60
_LONGEST_STEP = 0.05  # of the diagonal of the domain
_SAME = 1e-5  # of the diagonal: two roots this near are one
_FLAT = 1e-6  # of the typical curvature: an eigenvalue this small counts as zero
_MOST_DEGENERATE = 9  # more are a valley or a plateau, not points


@lru_cache(maxsize=64)
def find_stationary_points(formula: Formula, domain: Domain, starts: int = 48) -> tuple[StationaryPoint, ...]:
    """Return the stationary points of a formula on a domain, classified by the exact Hessian.

    Parameters
    ----------
    formula : Formula
    domain : ((x0, x1), (y0, y1))
    starts : int
        Newton's method begins at ``starts`` squared points.

    Returns
    -------
    tuple of StationaryPoint
        Minima first, then saddles, maxima and degenerate ones, each by value.

    Notes
    -----
    Isolated points that Newton's method reaches from some start are found; features much narrower than the spacing of
    the starts may be missed. At a degenerate point Newton's method converges linearly and the position is good to some
    digits only. Curves and plateaus of stationary points are not points, and are left out.
    """
    (x0, x1), (y0, y1) = domain
    size = float(np.hypot(x1 - x0, y1 - y0))
    # Off the axes of symmetry, where Newton's method may cycle.
    across = (np.arange(starts) + 0.5137) / starts
    x, y = (part.ravel() for part in np.meshgrid(x0 + (x1 - x0) * across, y0 + (y1 - y0) * across))
    with np.errstate(all="ignore"):
        _, fx, fy, xx, xy, yy = formula.derivatives(x, y)
        if np.mean((fx == 0.0) & (fy == 0.0)) > 0.5:
            return ()
        slope = _typical(np.hypot(fx, fy))
        bend = _typical(np.hypot(np.hypot(xx, yy), xy))
        x, y, step = polish(formula, x, y, longest=_LONGEST_STEP * size)
        _, fx, fy, *_ = formula.derivatives(x, y)
    margin = 1e-9 * size
    good = (np.hypot(fx, fy) <= 1e-9 * slope) & (step <= 1e-3 * size)
    good &= (x >= x0 - margin) & (x <= x1 + margin) & (y >= y0 - margin) & (y <= y1 + margin)
    order = np.flatnonzero(good)[np.argsort(np.hypot(fx, fy)[good], kind="stable")]
    places = order[_distinct(x[order], y[order], _SAME * size)]
    found = _classified(formula, x[places], y[places], _FLAT * bend)
    clear = [point for point in found if point.kind != "degenerate"]
    # The best determined of a cluster stands for it; clusters that extend far are no points.
    vague = [point for point in found if point.kind == "degenerate"]
    isolated = [vague[place] for place in _distinct(*_positions(vague), 1e-2 * size)]
    if len(isolated) > _MOST_DEGENERATE:
        isolated = []
    ranks = ("minimum", "saddle", "maximum", "degenerate")
    return tuple(sorted(clear + isolated, key=lambda p: (ranks.index(p.kind), round(p.value, 9), p.position)))


def polish(
    formula: Formula, x: Any, y: Any, *, longest: float = np.inf, iterations: int = _ITERATIONS
) -> tuple[Array, Array, Array]:
    """Return points after Newton's iteration towards zero gradient, and the length of the last step of each.

    Parameters
    ----------
    formula : Formula
    x, y : array_like, shape=(n,)
    longest : float
        Longest step.
    iterations : int
    """
    x, y = np.array(x, dtype=np.float64, ndmin=1), np.array(y, dtype=np.float64, ndmin=1)
    length = np.full(x.shape, np.inf)
    with np.errstate(all="ignore"):
        for _ in range(iterations):
            _, fx, fy, xx, xy, yy = formula.derivatives(x, y)
            determinant = xx * yy - xy * xy
            dx, dy = (yy * fx - xy * fy) / determinant, (xx * fy - xy * fx) / determinant
            length = np.hypot(dx, dy)
            at_rest = (fx == 0.0) & (fy == 0.0)
            length = np.where(at_rest, 0.0, np.where(np.isfinite(length), length, np.inf))
            scale = np.where(length > longest, longest / length, 1.0)
            moving = np.isfinite(length) & ~at_rest
            x, y = np.where(moving, x - scale * dx, x), np.where(moving, y - scale * dy, y)
            if not (length > 1e-15 * (1.0 + np.hypot(x, y))).any():
                break
    return x, y, length


def _typical(values: Array) -> float:
    finite = values[np.isfinite(values) & (values > 0.0)]
    return float(np.median(finite)) if finite.size else 1.0


def _positions(points: list[StationaryPoint]) -> tuple[Array, Array]:
    table = np.array([point.position for point in points], dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _distinct(x: Array, y: Array, radius: float) -> list[int]:
    """Return the places of points that are farther than a radius from all that are kept before them."""
    kept: list[int] = []
    for place in range(len(x)):
        if not (np.hypot(x[place] - x[kept], y[place] - y[kept]) <= radius).any():
            kept.append(place)
    return kept


def _classified(formula: Formula, x: Array, y: Array, zero: float) -> list[StationaryPoint]:
    """Return points with their kinds; those without finite curvatures are left out."""
    if not len(x):
        return []
    parts = (np.broadcast_to(part, x.shape) for part in formula.derivatives(x, y))
    value, _, _, xx, xy, yy = parts
    hessians = np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)
    finite = np.isfinite(hessians).all(axis=(-1, -2)) & np.isfinite(value)
    eigenvalues = np.linalg.eigvalsh(np.where(finite[:, None, None], hessians, 0.0))
    return [
        classify((float(x[place]) + 0.0, float(y[place]) + 0.0), float(value[place]), eigenvalues[place].tolist(), zero)
        for place in np.flatnonzero(finite)
    ]
