"""Pairs of points closer than a cutoff, by a grid of cells, in numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["close_pairs"]


def close_pairs(
    first: NDArray[np.float64], second: NDArray[np.float64], cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return all pairs of a point of one set and a point of another within a distance.

    Parameters
    ----------
    first : ndarray, shape=(n, 3), dtype=float64
    second : ndarray, shape=(m, 3), dtype=float64
        Finite points in Å.
    cutoff : float
        Distance in Å.

    Returns
    -------
    i, j : ndarray, shape=(pairs,), dtype=int
        Indices into `first` and `second`.
    distance : ndarray, shape=(pairs,), dtype=float64
        In Å, at most `cutoff`.
    """
    if len(first) == 0 or len(second) == 0:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0)
    low = np.minimum(first.min(axis=0), second.min(axis=0))
    # Points far away (a stray ligand, an offset of 1e6 Å) must not overflow the key: occupied layers are renumbered.
    own = np.floor((first - low) / cutoff).astype(np.int64)
    other = np.floor((second - low) / cutoff).astype(np.int64)
    sizes = []
    for axis in range(3):
        own[:, axis], other[:, axis], size = _close_ranks(own[:, axis], other[:, axis])
        sizes.append(size)
    # Keys run fastest along z, so that three neighbouring cells of a column are one interval of the sorted keys.
    strides = np.array([sizes[1] * sizes[2], sizes[2], 1], dtype=np.int64)
    keys = other @ strides
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    centre = own @ strides
    found_i, found_j = [], []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            column = centre + dx * strides[0] + dy * strides[1]
            start = np.searchsorted(keys, column - 1, side="left")
            count = np.searchsorted(keys, column + 1, side="right") - start
            i = np.repeat(np.arange(len(first), dtype=np.int64), count)
            within = np.arange(len(i), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
            found_i.append(i)
            found_j.append(order[np.repeat(start, count) + within])
    i, j = np.concatenate(found_i), np.concatenate(found_j)
    distance = np.linalg.norm(first[i] - second[j], axis=1)
    near = distance <= cutoff
    return i[near], j[near], distance[near]


def _close_ranks(own: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Renumber layers so that neighbours stay neighbours, any wider gap becomes 2, and the rim is empty."""
    layers, inverse = np.unique(np.concatenate((own, other)), return_inverse=True)
    ranks = np.concatenate(([1], 1 + np.cumsum(np.minimum(np.diff(layers), 2))))
    renumbered = ranks[inverse]
    return renumbered[: len(own)], renumbered[len(own) :], int(ranks[-1]) + 2
