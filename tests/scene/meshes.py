"""What must hold for every closed mesh."""

from __future__ import annotations

import numpy as np

from lieapp.scene.sweep import Mesh


def assert_watertight(mesh: Mesh) -> None:
    """Every edge is passed as often one way as the other, once vertices at one place are made one."""
    _, index = np.unique(np.round(mesh.vertices.astype(np.float64), 4), axis=0, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces.astype(np.int64)]
    proper = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces = faces[proper]
    assert len(faces)
    start, end = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    count = int(index.max()) + 1
    there, back = np.sort(start * count + end), np.sort(end * count + start)
    assert np.array_equal(there, back), "an edge is open"


def signed_volume(mesh: Mesh) -> float:
    """Volume in Å³; positive if triangles are counter-clockwise seen from outside."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces.astype(np.int64)]
    corners = corners - corners.reshape(-1, 3).mean(axis=0)
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


def assert_normals_outward(mesh: Mesh, least: float = 0.0) -> None:
    """Vertex normals are of unit length and on the outer side of their triangles."""
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    corners = mesh.vertices.astype(np.float64)[mesh.faces.astype(np.int64)]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(face, axis=1)
    visible = area > 1e-5
    face = face[visible] / area[visible, None]
    facing = np.einsum("fij,fj->fi", mesh.normals.astype(np.float64)[mesh.faces[visible].astype(np.int64)], face)
    assert facing.min() > least
