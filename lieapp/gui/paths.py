"""What drawn paths have in common. No Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_POINTS", "distinct_rows"]

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
