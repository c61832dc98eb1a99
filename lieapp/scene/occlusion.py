"""How much of the sky a point on a molecule sees, worked out once for each mesh: hollows are darker than rims.

What stands in the way is taken as a cloud of a density that is smooth on the scale of side chains. A vertex looks a few
Å out along its normal and is darkened by what lies there, so the cost is a few look-ups for each vertex and none in
the paint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["burial_shade", "sky_visibility"]

_CELL = 2.5
_MOST_CELLS = 2_000_000
_BLUR_PASSES = 3
_MARGIN = 4
# Distances in Å at which a vertex looks for what is in its way, and how much each counts.
_STEPS = ((2.5, 0.35), (5.0, 0.35), (8.5, 0.30))
# Residues for each Å³ inside a globular protein.
_PACKED = 0.0075
_STRENGTH = 0.60
# Space-filling spheres hide each other's hollows, so what is left of them has to be clearer.
_BURIAL = 1.5
# What an ordinary place on a protein has in its way: up to that much nothing is darkened.
_ORDINARY = 0.35


def _smoothed(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    for axis in range(3):
        ahead: list[slice] = [slice(None)] * 3
        behind: list[slice] = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        for _ in range(_BLUR_PASSES):
            # (1 2 1)/4 as two passes of (1 1)/2, there and back; the margin is empty.
            grid[tuple(behind)] += grid[tuple(ahead)]
            grid[tuple(ahead)] += grid[tuple(behind)].copy()
            grid *= 0.25
    return grid


def _interpolated(
    grid: NDArray[np.float32], shape: NDArray[np.int64], places: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return values of a flattened grid at places in units of cells, shape (3, n), linear between its points.

    Places outside take the value at the rim, which is empty.
    """
    corners, parts = [], []
    for place, count in zip(places, shape, strict=True):
        inside = np.clip(place, 0, np.float32(count) - np.float32(1.001))
        corner = inside.astype(np.int32)
        corners.append(corner)
        parts.append(inside - corner)
    along, across = np.int32(shape[1] * shape[2]), np.int32(shape[2])
    first = corners[0] * along + corners[1] * across + corners[2]
    x, y, z = parts
    planes = []
    for step in (0, along):
        lines = []
        for shift in (0, across):
            low = grid.take(first + np.int32(step + shift))
            lines.append(low + z * (grid.take(first + np.int32(step + shift + 1)) - low))
        planes.append(lines[0] + y * (lines[1] - lines[0]))
    result: NDArray[np.float32] = planes[0] + x * (planes[1] - planes[0])
    return result


def sky_visibility(
    vertices: ArrayLike, normals: ArrayLike, occluders: ArrayLike, *, strength: float = _STRENGTH
) -> NDArray[np.float32]:
    """Return how open each vertex lies.

    Parameters
    ----------
    vertices, normals : array_like, shape=(vertices, 3)
        Positions in Å and unit normals.
    occluders : array_like, shape=(points, 3)
        One point for each residue that stands in the way.
    strength : float
        0 leaves everything open.

    Returns
    -------
    visibility : ndarray, shape=(vertices,), dtype=float32
        1 in the open, towards 0 deep inside.
    """
    places = np.asarray(vertices, dtype=np.float32).reshape(-1, 3)
    points = np.asarray(occluders, dtype=np.float32).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    if len(places) == 0 or len(points) == 0 or strength <= 0:
        return np.ones(len(places), dtype=np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    # A cloud that is mostly empty space, such as chains strewn far apart, gets larger cells.
    cell = _CELL
    while np.prod((high - low) / cell + 2 * _MARGIN + 1) > _MOST_CELLS:
        cell *= 1.3
    origin = low - _MARGIN * cell
    shape = np.ceil((high - origin) / cell).astype(np.int64) + _MARGIN + 2
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    scaled = (points - origin) / cell
    base = np.floor(scaled).astype(np.int64)
    fraction = scaled - base
    counts = np.zeros(int(np.prod(shape)))
    for corner in range(8):
        offset = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = np.prod(np.where(offset, fraction, 1 - fraction), axis=1)
        counts += np.bincount((base + offset) @ strides, weights=weight, minlength=len(counts))
    density = _smoothed(counts.reshape(shape).astype(np.float32)).ravel()
    density /= cell**3 * _PACKED

    # One row for each axis: what follows runs over contiguous numbers.
    rows = np.ascontiguousarray(((places - origin) / np.float32(cell)).T)
    facing = np.ascontiguousarray(np.asarray(normals, dtype=np.float32).reshape(-1, 3).T)
    hidden = np.zeros(len(places), dtype=np.float32)
    for distance, share in _STEPS:
        hidden += np.float32(share) * _interpolated(density, shape, rows + np.float32(distance / cell) * facing)
    result: NDArray[np.float32] = np.exp(-np.float32(strength) * np.maximum(hidden - np.float32(_ORDINARY), 0))
    return result


def burial_shade(centers: ArrayLike, occluders: ArrayLike, *, strength: float = _BURIAL) -> NDArray[np.float32]:
    """Return how bright atoms are, which face no side: as what is seen in their most open direction.

    Parameters
    ----------
    centers : array_like, shape=(atoms, 3)
        In Å.
    occluders, strength
        As in `sky_visibility`.

    Returns
    -------
    shade : ndarray, shape=(atoms,), dtype=float32
        1 in the open, towards 0 deep inside.
    """
    points = np.asarray(centers, dtype=np.float32).reshape(-1, 3)
    directions = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
    seen = sky_visibility(
        np.repeat(points, 6, axis=0), np.tile(directions, (len(points), 1)), occluders, strength=strength
    )
    result: NDArray[np.float32] = seen.reshape(-1, 6).max(axis=1)
    return result
