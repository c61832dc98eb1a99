"""What drawn paths have in common. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_POINTS", "Path", "distinct_rows", "nearest_path"]

MOST_POINTS = 1500
"""More cannot be told apart on a plot, and thick lines are slow."""


def distinct_rows(coordinates: NDArray[np.float64], most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Return the rows of a path to draw: all, or of many those after which it has got on.

    Parameters
    ----------
    coordinates : ndarray, shape=(points, 2), dtype=float64
        What is not finite counts as no way.
    most : int

    Returns
    -------
    ndarray, shape=(kept,), dtype=intp
        Ascending; first and last are kept.
    """
    count = len(coordinates)
    if count <= most:
        return np.arange(count, dtype=np.intp)
    steps = np.linalg.norm(np.diff(coordinates, axis=0), axis=1)
    way = np.concatenate(([0.0], np.cumsum(np.nan_to_num(steps))))
    pieces = np.floor(way / (way[-1] or 1.0) * (most - 1))
    return np.unique(np.concatenate((np.flatnonzero(np.diff(pieces, prepend=-1.0)), [count - 1])))


class Path(Protocol):
    """What is drawn as a line: ``coordinates`` of shape (points, 2), NaN where there is no point."""

    coordinates: NDArray[np.float64]


P = TypeVar("P", bound=Path)


def nearest_path(
    paths: Iterable[P], place: tuple[float, float], pixel: tuple[float, float], within: float
) -> tuple[P, int] | None:
    """Return the path that has a point nearest to a place, and the row of that point.

    Parameters
    ----------
    paths : iterable of Path
    place : (float, float)
        In the units of the paths.
    pixel : (float, float)
        Width and height of a pixel in these units.
    within : float
        In pixels; None is returned where every point is as far or farther.
    """
    best: tuple[P, int] | None = None
    for path in paths:
        if not len(path.coordinates):
            continue
        away = np.hypot((path.coordinates[:, 0] - place[0]) / pixel[0], (path.coordinates[:, 1] - place[1]) / pixel[1])
        away[np.isnan(away)] = np.inf
        row = int(np.argmin(away))
        if away[row] < within:
            best, within = (path, row), float(away[row])
    return best
