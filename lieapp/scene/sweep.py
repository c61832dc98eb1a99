"""Surfaces swept by a cross-section along curves: the mesh under tubes, ribbons and sticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.curves import fragment_ends

__all__ = ["Mesh", "circle_profile", "cylinders", "join_meshes", "slab_profile", "sweep"]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with smooth normals, each vertex knowing whose it is.

    Attributes
    ----------
    vertices, normals : ndarray, shape=(vertices, 3), dtype=float32
        Positions in Å and unit normals pointing outwards.
    faces : ndarray, shape=(faces, 3), dtype=uint32
        Counter-clockwise seen from outside.
    owner : ndarray, shape=(vertices,), dtype=int
        Index of the residue (or atom) that a vertex belongs to: recolouring looks up here and uploads colours only.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    faces: NDArray[np.uint32]
    owner: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Mesh:
        """Return a mesh of nothing."""
        none = np.zeros((0, 3), dtype=np.float32)
        return cls(none, none, np.zeros((0, 3), dtype=np.uint32), np.zeros(0, dtype=np.int64))


def join_meshes(*meshes: Mesh) -> Mesh:
    """Put meshes together into one, without welding them."""
    parts = [mesh for mesh in meshes if len(mesh.faces)]
    if not parts:
        return Mesh.empty()
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in parts[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in parts]),
        np.concatenate([mesh.normals for mesh in parts]),
        np.concatenate([mesh.faces + np.uint32(offset) for mesh, offset in zip(parts, offsets, strict=True)]),
        np.concatenate([mesh.owner for mesh in parts]),
    )


def circle_profile(count: int) -> NDArray[np.float64]:
    """Return the unit circle in `count` points, counter-clockwise, shape (count, 2)."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def slab_profile(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points and normals of a square of half width one with sharp edges, counter-clockwise, shape (count, 2).

    `count` is 8, 12, 16, ...: the points beyond 8 lie on the two sides along the second axis.
    """
    across = np.linspace(1, -1, 2 + (count - 8) // 2)
    top = np.stack([across, np.ones(len(across))], axis=1)
    right = np.array([[1.0, -1.0], [1.0, 1.0]])
    points = np.concatenate([right, top, -right, -top])
    facing = np.repeat([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], [2, len(top), 2, len(top)], axis=0)
    return points, facing


def sweep(
    centers: NDArray[np.floating],
    frames: tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]],
    outline: NDArray[np.floating],
    outline_normals: NDArray[np.floating],
    fragment: NDArray[np.int64],
    owner: NDArray[np.int64],
    *,
    tilt: NDArray[np.floating] | None = None,
) -> Mesh:
    """Sweep a cross-section that may change from sample to sample, and close both ends flat.

    Parameters
    ----------
    centers : ndarray, shape=(samples, 3)
        The curve, in Å.
    frames : tuple of three ndarray, shape=(samples, 3)
        Tangents, normals and binormals, right-handed.
    outline, outline_normals : ndarray, shape=(samples, k, 2)
        Points of the convex cross-section along normal and binormal, counter-clockwise, and its unit normals there.
        Two points at one place with different normals make an edge.
    fragment : ndarray, shape=(samples,), dtype=int
        Samples of one number are joined, neighbours of different numbers are not.
    owner : ndarray, shape=(samples,), dtype=int
        Copied to the vertices.
    tilt : ndarray, shape=(samples,) or (samples, k), optional
        Angle in rad by which normals lean towards the tangent, where the section widens or narrows.

    Returns
    -------
    mesh : Mesh
        Watertight once vertices at one place are welded. Fragments of one sample are left out.
    """
    samples, corners = outline.shape[:2]
    if samples == 0:
        return Mesh.empty()
    # The card takes single precision; computing in it halves the time.
    tangents, normals, binormals = (np.asarray(vectors, dtype=np.float32) for vectors in frames)
    places, leaning = (np.asarray(points, dtype=np.float32) for points in (outline, outline_normals))
    middle = np.asarray(centers, dtype=np.float32)
    vertices = middle[:, None] + places[..., :1] * normals[:, None] + places[..., 1:] * binormals[:, None]
    facing = leaning[..., :1] * normals[:, None] + leaning[..., 1:] * binormals[:, None]
    if tilt is not None:
        lean = np.asarray(tilt, dtype=np.float32).reshape(samples, -1, 1)
        facing = np.cos(lean) * facing + np.sin(lean) * tangents[:, None]

    joined = np.flatnonzero(fragment[1:] == fragment[:-1]).astype(np.uint32)
    here = np.arange(corners)
    there = (here + 1) % corners
    # Two triangles of each quad, as offsets from the first vertex of its section.
    quads = np.stack([here, there, there + corners, here, there + corners, here + corners], axis=1).astype(np.uint32)
    sides = (joined[:, None, None] * np.uint32(corners) + quads).reshape(-1, 3)

    # Ends: the ring once more with the normal along the curve, closed by a fan.
    begins, finishes = fragment_ends(fragment)
    proper = ~(begins & finishes)
    starts, stops = np.flatnonzero(begins & proper), np.flatnonzero(finishes & proper)
    rings = np.concatenate([starts, stops])
    signs = np.concatenate([-np.ones(len(starts)), np.ones(len(stops))]).astype(np.float32)
    cap_vertices = vertices[rings].reshape(-1, 3)
    cap_normals = np.repeat(tangents[rings] * signs[:, None], corners, axis=0)
    base = samples * corners + corners * np.arange(len(rings))
    fan = np.stack([np.zeros(corners - 2, dtype=np.int64), here[1:-1], here[2:]], axis=1)
    back = fan[:, ::-1]
    caps = np.concatenate(
        [
            (base[: len(starts), None, None] + back).reshape(-1, 3),
            (base[len(starts) :, None, None] + fan).reshape(-1, 3),
        ]
    )
    return Mesh(
        np.concatenate([vertices.reshape(-1, 3), cap_vertices]),
        np.concatenate([facing.reshape(-1, 3), cap_normals]),
        np.concatenate([sides, caps.astype(np.uint32)]),
        np.concatenate([np.repeat(owner, corners), np.repeat(owner[rings], corners)]).astype(np.int64),
    )


def cylinders(
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    radius: float,
    owner: NDArray[np.int64],
    *,
    corners: int = 8,
) -> Mesh:
    """Return one closed cylinder for each pair of points, shape (n, 3) each; those of no length are left out."""
    axis = ends - starts
    length = np.linalg.norm(axis, axis=1)
    long_enough = length > 1e-6
    starts, ends, owner = starts[long_enough], ends[long_enough], owner[long_enough]
    if len(starts) == 0:
        return Mesh.empty()
    tangent = axis[long_enough] / length[long_enough, None]
    smallest = np.argmin(np.abs(tangent), axis=1)
    helper = np.zeros_like(tangent)
    helper[np.arange(len(tangent)), smallest] = 1.0
    normal = np.cross(tangent, helper)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    binormal = np.cross(tangent, normal)
    count = len(starts)
    profile = circle_profile(corners)
    frames = tuple(np.repeat(vectors, 2, axis=0) for vectors in (tangent, normal, binormal))
    return sweep(
        np.stack([starts, ends], axis=1).reshape(-1, 3),
        (frames[0], frames[1], frames[2]),
        np.broadcast_to(profile * radius, (2 * count, corners, 2)),
        np.broadcast_to(profile, (2 * count, corners, 2)),
        np.repeat(np.arange(count), 2),
        np.repeat(owner, 2),
    )
