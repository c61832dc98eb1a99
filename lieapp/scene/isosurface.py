"""Contours of maps as closed triangle meshes: marching tetrahedra, vectorised in numpy.

Every cell of the grid is cut into six tetrahedra around its diagonal (Kuhn's). All their edges run along seven
directions, so a vertex of the contour is known by where its edge begins and which way it goes, and neighbouring cells
share it: the mesh is closed by construction, without the ambiguous cases of cubes.

References
----------
A. Doi, A. Koide, "An efficient method of triangulating equi-valued surfaces by using tetrahedral cells", IEICE Trans.
E74 (1991) 214-224.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.errors import SceneError

__all__ = ["Isosurface", "isosurface"]

_CHUNK = 200_000

# Corners of a cell as bits: 1 is a step along the first axis, 2 along the second, 4 along the third.
_STEPS = np.array([[corner & 1, corner >> 1 & 1, corner >> 2 & 1] for corner in range(8)])


def _tetrahedra() -> list[tuple[int, int, int, int]]:
    """Return the corners of the six tetrahedra, each listed so that it is right-handed."""
    result = []
    for a, b, _ in permutations((1, 2, 4)):
        corners = (0, a, a | b, 7)
        edges = _STEPS[list(corners[1:])]
        result.append(corners if np.linalg.det(edges) > 0 else (corners[0], corners[2], corners[1], corners[3]))
    return result


_TETRAHEDRA = _tetrahedra()


def _cases() -> dict[int, list[tuple[tuple[int, int], ...]]]:
    """Return the triangles for each set of inside corners (bits), as edges between corners, facing outwards."""
    cases: dict[int, list[tuple[tuple[int, int], ...]]] = {}
    # Even permutations of the corners keep a right-handed tetrahedron right-handed.
    even = [p for p in permutations(range(4)) if np.linalg.det(np.eye(4)[list(p)]) > 0]
    for a, b, c, d in even:
        cases.setdefault(1 << a, [((a, b), (a, c), (a, d))])
        cases.setdefault(15 ^ (1 << a), [((a, b), (a, d), (a, c))])
        cases.setdefault((1 << a) | (1 << b), [((a, c), (a, d), (b, d)), ((a, c), (b, d), (b, c))])
    return cases


_CASES = _cases()


@dataclass(frozen=True, eq=False)
class Isosurface:
    """A contour.

    Attributes
    ----------
    vertices, normals : ndarray, shape=(vertices, 3), dtype=float32
        Positions, and unit normals pointing to lower values.
    triangles : ndarray, shape=(triangles, 3), dtype=uint32
        Counter-clockwise seen from lower values.
    lines : ndarray, shape=(lines, 2), dtype=uint32
        Edges of triangles that lie in planes of the grid: what a mesh of lines shows. Empty unless asked for.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.uint32]
    lines: NDArray[np.uint32]

    @classmethod
    def empty(cls) -> Isosurface:
        """Return a contour of nothing."""
        none = np.zeros((0, 3), dtype=np.float32)
        return cls(none, none, np.zeros((0, 3), dtype=np.uint32), np.zeros((0, 2), dtype=np.uint32))

    def _corners(self) -> NDArray[np.float64]:
        return self.vertices.astype(np.float64)[self.triangles.astype(np.int64)]

    @property
    def area(self) -> float:
        """Area of all triangles."""
        a, b, c = np.moveaxis(self._corners(), 1, 0)
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)

    @property
    def volume(self) -> float:
        """Volume inside, if the contour is closed."""
        if not len(self.triangles):
            return 0.0
        a, b, c = np.moveaxis(self._corners() - self.vertices[0], 1, 0)
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def _normals(
    grid: NDArray[np.floating], points: NDArray[np.int64], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return minus the gradient at points of the grid, by differences to both sides where there are two."""
    result = np.empty((len(points), 3))
    for axis in range(3):
        ahead, behind = points.copy(), points.copy()
        ahead[:, axis] = np.minimum(ahead[:, axis] + 1, grid.shape[axis] - 1)
        behind[:, axis] = np.maximum(behind[:, axis] - 1, 0)
        apart = np.maximum(ahead[:, axis] - behind[:, axis], 1) * spacing[axis]
        result[:, axis] = (grid[tuple(behind.T)] - grid[tuple(ahead.T)].astype(np.float64)) / apart
    return result


def isosurface(
    grid: ArrayLike,
    level: float,
    *,
    spacing: float | ArrayLike = 1.0,
    origin: ArrayLike = (0.0, 0.0, 0.0),
    closed: bool = False,
    lines: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> Isosurface | None:
    """Return the contour of a map, with what is above the level inside.

    It belongs into a worker thread: a map of 128 points along each axis takes some tenths of a second.

    Parameters
    ----------
    grid : array_like, shape=(nx, ny, nz)
        Values at the points ``origin + spacing * index``.
    level : float
    spacing : float or array_like, shape=(3,)
        In Å.
    origin : array_like, shape=(3,)
        In Å.
    closed : bool
        Close the contour where the map ends; else it is open there.
    lines : bool
        Find the lines of a mesh as well, which takes a quarter longer.
    cancelled : callable() -> bool, optional
        Asked now and then.

    Returns
    -------
    surface : Isosurface or None
        Without triangles if no value crosses the level; None if it was cancelled.

    Raises
    ------
    SceneError
        If the map has not three axes of at least two points, or the level is not finite.
    """
    values = np.asarray(grid)
    if values.ndim != 3 or min(values.shape) < 2:
        raise SceneError(f"a map has three axes of at least two points, not shape {values.shape}")
    if not np.isfinite(level):
        raise SceneError("the level of a contour must be a finite number")
    step = np.broadcast_to(np.asarray(spacing, dtype=np.float64), 3)
    start = np.asarray(origin, dtype=np.float64)
    values = values.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64, copy=False)
    if closed:
        highest = float(np.nanmax(values))
        values = np.pad(values, 1, constant_values=level - max(highest - level, 1e-6))
        start = start - step
    inside = values > level  # NaN is outside
    cells = _crossed_cells(inside)
    strides = np.array([values.shape[1] * values.shape[2], values.shape[2], 1])
    offsets = _STEPS @ strides
    flat_inside = inside.ravel()

    pieces: list[NDArray[np.int64]] = []
    for begin in range(0, len(cells), _CHUNK):
        if cancelled is not None and cancelled():
            return None
        part = cells[begin : begin + _CHUNK]
        flags = flat_inside[part[:, None] + offsets]
        for corners in _TETRAHEDRA:
            code = flags[:, corners] @ np.array([1, 2, 4, 8])
            for case, triangles in _CASES.items():
                here = part[code == case]
                for triangle in triangles if len(here) else ():
                    pieces.append(np.stack([_edge(here, offsets, corners[i], corners[j]) for i, j in triangle], axis=1))
    if not pieces:
        return Isosurface.empty()
    edges, faces = _numbered(np.concatenate(pieces), 8 * values.size)
    if cancelled is not None and cancelled():
        return None

    first, second = edges // 8, edges // 8 + offsets[edges % 8]
    low, high = (values.ravel()[ends].astype(np.float64) for ends in (first, second))
    low, high = (np.where(np.isfinite(value), value, level - 1.0) for value in (low, high))
    # A vertex that sits on a point of the grid would make triangles of no area, and edges that fall together.
    share = np.clip((level - low) / (high - low), 1e-4, 1 - 1e-4)
    points = [np.stack(np.unravel_index(ends, values.shape), axis=1) for ends in (first, second)]
    places = points[0] + share[:, None] * (points[1] - points[0])
    finite = np.nan_to_num(values, nan=level - 1.0) if not np.isfinite(values).all() else values
    facing = (1 - share)[:, None] * _normals(finite, points[0], step) + share[:, None] * _normals(
        finite, points[1], step
    )
    length = np.linalg.norm(facing, axis=1, keepdims=True)
    facing = np.where(length > 0, facing / np.where(length > 0, length, 1.0), (0.0, 0.0, 1.0))
    return Isosurface(
        (start + step * places).astype(np.float32),
        facing.astype(np.float32),
        faces.astype(np.uint32),
        _grid_lines(faces, points[0], edges % 8) if lines else np.zeros((0, 2), dtype=np.uint32),
    )


def _grid_lines(
    faces: NDArray[np.int64], begins: NDArray[np.int64], directions: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """Return the edges of triangles with both ends in one plane of the grid.

    A vertex lies in the planes of all axes along which its edge of the grid does not go.
    """
    ends = np.stack([faces.ravel(), np.roll(faces, -1, axis=1).ravel()], axis=1)
    ends = ends[ends[:, 0] < ends[:, 1]]  # a closed surface has each of them once in either direction
    both = directions[ends[:, 0]] | directions[ends[:, 1]]
    chosen = np.zeros(len(ends), dtype=bool)
    for axis in range(3):
        plane = begins[:, axis]
        chosen |= (both >> axis & 1 == 0) & (plane[ends[:, 0]] == plane[ends[:, 1]])
    return ends[chosen].astype(np.uint32)


def _numbered(numbers: NDArray[np.int64], below: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different numbers among many, sorted, and the place of each of the many among them.

    What `numpy.unique` does by sorting is done by ticking off, in steps of eight numbers that begin at one point.
    """
    point = numbers >> 3
    used = np.zeros(below >> 3, dtype=bool)
    used[point] = True
    points = np.flatnonzero(used)
    rank = np.empty(below >> 3, dtype=np.int32)
    rank[points] = np.arange(len(points), dtype=np.int32)
    compact = (rank[point].astype(np.int64) << 3) | (numbers & 7)
    ticked = np.zeros(8 * len(points), dtype=bool)
    ticked[compact] = True
    found = np.flatnonzero(ticked)
    place = np.empty(8 * len(points), dtype=np.int64)
    place[found] = np.arange(len(found))
    return (points[found >> 3] << 3) | (found & 7), place[compact]


def _edge(cells: NDArray[np.int64], offsets: NDArray[np.int64], one: int, other: int) -> NDArray[np.int64]:
    """Return numbers of edges: where they begin, and the corner of a cell that lies in their direction."""
    low = one & other  # of two corners of one tetrahedron, one lies ahead of the other along all axes
    return 8 * (cells + offsets[low]) + (one ^ other)


def _crossed_cells(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the cells, as flat indices of their first corners, that have corners inside and outside."""
    some, every = inside, inside
    for axis in range(3):
        ahead: list[slice] = [slice(None)] * 3
        behind: list[slice] = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        some = some[tuple(ahead)] | some[tuple(behind)]
        every = every[tuple(ahead)] & every[tuple(behind)]
    found = np.nonzero(some & ~every)
    return np.ravel_multi_index(found, inside.shape).astype(np.int64)
