"""Contour lines by marching squares, all cells at once: pyqtgraph's own walk them one by one in Python."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["contour_lines", "nice_levels"]

Array = NDArray[np.float64]

# For each of the 16 patterns of corners above the level, pairs of edges that a line joins. Corners and edges go round:
# corner 0 is at (0, 0), 1 at (1, 0), 2 at (1, 1), 3 at (0, 1); edge k leads from corner k to the next.
_LINES: tuple[tuple[tuple[int, int], ...], ...] = (
    (),
    ((3, 0),),
    ((0, 1),),
    ((3, 1),),
    ((1, 2),),
    ((3, 0), (1, 2)),
    ((0, 2),),
    ((3, 2),),
    ((2, 3),),
    ((2, 0),),
    ((0, 1), (2, 3)),
    ((2, 1),),
    ((1, 3),),
    ((1, 0),),
    ((0, 3),),
    (),
)
# The two patterns with opposite corners above: joined the other way where the middle is above as well.
_JOINED = {5: ((0, 1), (2, 3)), 10: ((3, 0), (1, 2))}


def nice_levels(low: float, high: float, most: int = 12) -> Array:
    """Return evenly spaced round numbers strictly between two values.

    Parameters
    ----------
    low, high : float
    most : int
        The largest number of levels.

    Returns
    -------
    ndarray, shape=(levels,), dtype=float64
        Empty if the values are not finite or do not differ.
    """
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return np.empty(0)
    least = (high - low) / (most + 1)
    power = 10.0 ** math.floor(math.log10(least))
    step = power * next(factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * (1.0 - 1e-9))
    numbers = np.arange(math.floor(low / step), math.ceil(high / step) + 1)
    margin = 1e-9 * (high - low)
    levels = [number * step for number in numbers.tolist() if low + margin < number * step < high - margin]
    return np.array(levels, dtype=np.float64)


def contour_lines(x: Array, y: Array, values: Array, level: float) -> Array:
    """Return the pieces of one contour line.

    Parameters
    ----------
    x, y : ndarray, shape=(nx,) and (ny,), dtype=float64
        Grid.
    values : ndarray, shape=(ny, nx), dtype=float64
        Cells with a corner that is not finite are left out.
    level : float

    Returns
    -------
    ndarray, shape=(pieces, 2, 2), dtype=float64
        Both ends of every piece, as (x, y).

    Notes
    -----
    Ends are interpolated linearly along the edges of cells. Where opposite corners lie above, the mean of the four
    decides which are joined.
    """
    corners = np.stack([values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1]], axis=-1)
    above = corners > level
    pattern = above @ np.array([1, 2, 4, 8])
    pattern[~np.isfinite(corners).all(axis=-1)] = 0
    rows, columns = np.nonzero((pattern != 0) & (pattern != 15))
    if len(rows) == 0:
        return np.empty((0, 2, 2))
    corners, pattern = corners[rows, columns], pattern[rows, columns]
    edges = _edge_points(x, y, corners, rows, columns, level)
    joined = corners.mean(axis=1) > level
    pieces = []
    for number in np.unique(pattern):
        cells = np.flatnonzero(pattern == number)
        if number in _JOINED:
            pieces += [edges[cells[joined[cells]]][:, ends] for ends in map(list, _JOINED[number])]
            cells = cells[~joined[cells]]
        pieces += [edges[cells][:, ends] for ends in map(list, _LINES[number])]
    return np.concatenate(pieces)


def _edge_points(
    x: Array, y: Array, corners: Array, rows: NDArray[np.intp], columns: NDArray[np.intp], level: float
) -> Array:
    """Return where the level crosses each edge of each cell, shape=(cells, 4, 2); nonsense where it does not."""
    following = np.roll(corners, -1, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (level - corners) / (following - corners)
    xs = np.stack([x[columns], x[columns + 1], x[columns + 1], x[columns]], axis=1)
    ys = np.stack([y[rows], y[rows], y[rows + 1], y[rows + 1]], axis=1)
    # An edge that is not crossed may divide by zero; its point is never asked for.
    part = np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0)
    points: Array = np.stack(
        [xs + part * (np.roll(xs, -1, axis=1) - xs), ys + part * (np.roll(ys, -1, axis=1) - ys)], axis=-1
    )
    return points
