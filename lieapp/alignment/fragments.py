"""Poses to begin with: fits of short runs of pairs, the seeds of TM-score and TM-align. No torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.objectives import Objective

__all__ = ["fragment_poses"]

Points = NDArray[np.float64]

_SHORTEST = 4
_CELLS = 4_000_000  # fragments times pairs: what one look at all fragments may cost (0.2 s, 200 MB)
_APART = 0.25  # of the structure's size: how far the points of two poses must differ


def fragment_poses(
    objective: Objective, x: Points, y: Points, w: NDArray[np.float64], *, count: int = 6
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Fit runs of consecutive pairs, each by itself; return the fits that are best for all pairs.

    Parameters
    ----------
    objective : Objective
    x, y : ndarray, shape=(pairs, 3), dtype=float64
        Positions in Å, centred; x moves onto y.
    w : ndarray, shape=(pairs,), dtype=float64
        Non-negative, adding up to one. Pairs of weight zero are left out.
    count : int
        Most poses to return.

    Returns
    -------
    list of (ndarray, shape=(3, 3), ndarray, shape=(3,))
        Rotations and translations from x to y, the lowest loss first, none close to another.

    Notes
    -----
    Runs have half of all pairs, a quarter, and so on down to four, and begin at every pair as long as that is not too
    much work, else at evenly spread ones. Within a run all pairs count alike.

    References
    ----------
    Zhang, Skolnick (2004) Proteins 57, 702.
    """
    x, y, w = x[w > 0.0], y[w > 0.0], w[w > 0.0]
    first, last = _fragments(len(x))
    if not len(first):
        return []
    # Sums over runs are differences of running sums.
    products = (x[:, :, None] * y[:, None, :]).reshape(-1, 9)
    sums = [np.concatenate([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)]) for part in (x, y, products)]
    p, q, moments = ((total[last] - total[first]) / (last - first)[:, None] for total in sums)
    u, _, vt = np.linalg.svd(moments.reshape(-1, 3, 3) - p[:, :, None] * q[:, None, :])
    vt[np.linalg.det(u) * np.linalg.det(vt) < 0.0, 2] *= -1.0
    rotations = np.swapaxes(u @ vt, 1, 2)
    shifts = q - np.einsum("nij,nj->ni", rotations, p)
    residuals = x @ np.swapaxes(rotations, 1, 2)
    residuals += shifts[:, None, :]
    residuals -= y
    losses = objective.rho(np.einsum("nij,nij->ni", residuals, residuals)) @ w
    # How far two poses carry the points apart, from their second moments.
    second = (x * w[:, None]).T @ x
    size = math.sqrt(float(np.trace(second)))
    spread = np.linalg.cholesky(second + 1e-12 * (1.0 + size**2) * np.eye(3))
    chosen: list[int] = []
    for one in np.argsort(losses, kind="stable").tolist():
        turned = np.linalg.norm((rotations[chosen] - rotations[one]) @ spread, axis=(1, 2))
        if (np.hypot(turned, np.linalg.norm(shifts[chosen] - shifts[one], axis=1)) > _APART * size).all():
            chosen.append(one)
            if len(chosen) == count:
                break
    return [(rotations[one], shifts[one]) for one in chosen]


def _fragments(pairs: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and one past the last pair of every fragment, as many as their cost allows."""
    sizes = []
    size = pairs // 2
    while size >= _SHORTEST:
        sizes.append(size)
        size //= 2
    spans: list[tuple[int, int]] = []
    for size in sizes:
        count = min(pairs - size + 1, max(_CELLS // (pairs * len(sizes)), 4))
        starts = np.unique(np.linspace(0, pairs - size, count).astype(np.int64)).tolist()
        spans += [(start, start + size) for start in starts]
    edges = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return edges[:, 0], edges[:, 1]
