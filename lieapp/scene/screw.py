"""The motion of a rigid transform as a picture: a turn about an axis, and a shift along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.camera import rotation_vector
from lieapp.scene.sweep import Mesh, circle_profile, join_meshes, sweep
from lieapp.scene.tube import build_tube

__all__ = ["ScrewMotion", "helix_arrow", "helix_path", "screw_motion"]

_RADIUS = 0.32
_HEAD = (1.05, 2.6)
"""Radius and length of the arrow's head in Å."""
_STEP = np.radians(5.0)


@dataclass(frozen=True, eq=False)
class ScrewMotion:
    """A rigid transform as a turn about an axis and a shift along it (Chasles).

    Attributes
    ----------
    point, direction : ndarray, shape=(3,)
        The axis: the point on it nearest to the origin, in Å, and a unit vector.
    angle : float
        In rad, 0 to pi.
    translation : float
        Along the direction, in Å.
    """

    point: NDArray[np.float64]
    direction: NDArray[np.float64]
    angle: float
    translation: float


def screw_motion(matrix: ArrayLike) -> ScrewMotion:
    """Return the screw motion of a rigid transform ``x' = R x + t``, shape (4, 4).

    Without a turn the axis goes through the origin along the shift, or along z where there is no shift either.
    """
    pose = np.asarray(matrix, dtype=np.float64)
    rotation, shift = pose[:3, :3], pose[:3, 3]
    turn = rotation_vector(rotation)
    angle = float(np.linalg.norm(turn))
    if angle < 1e-9:
        length = float(np.linalg.norm(shift))
        direction = shift / length if length > 1e-12 else np.array([0.0, 0.0, 1.0])
        return ScrewMotion(np.zeros(3), direction, 0.0, length)
    direction = turn / angle
    along = float(shift @ direction)
    across = shift - along * direction
    # Half of the shift across the axis, and the arm that turns into the other half.
    point = (across + np.cross(direction, across) / np.tan(angle / 2)) / 2
    return ScrewMotion(point, direction, angle, along)


def helix_path(
    point: ArrayLike, direction: ArrayLike, angle: float, translation: float, start: ArrayLike
) -> NDArray[np.float64]:
    """Return the way of a point under a screw motion.

    Parameters
    ----------
    point, direction : array_like, shape=(3,)
        The axis.
    angle : float
        Turn about the direction in rad.
    translation : float
        Shift along the direction in Å at the end of the turn.
    start : array_like, shape=(3,)

    Returns
    -------
    path : ndarray, shape=(n, 3)
        From the start to where the motion takes it.
    """
    axis = np.asarray(direction, dtype=np.float64)
    axis = axis / np.linalg.norm(axis)
    foot = np.asarray(point, dtype=np.float64)
    arm = np.asarray(start, dtype=np.float64) - foot
    along = float(arm @ axis)
    across = arm - along * axis
    count = max(int(np.ceil(abs(angle) / _STEP)), 2) + 1
    part = np.linspace(0, 1, count)[:, None]
    turned = np.cos(angle * part) * across + np.sin(angle * part) * np.cross(axis, across)
    return foot + (along + translation * part) * axis + turned


def helix_arrow(path: NDArray[np.float64]) -> Mesh:
    """Return a thin tube along a path with a cone at its end; empty for a path shorter than the cone's radius."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    radius, head = _HEAD
    if length[-1] < radius:
        return Mesh.empty()
    head = min(head, 0.5 * length[-1])
    neck = np.array([np.interp(length[-1] - head, length, path[:, axis]) for axis in range(3)])
    shaft = np.concatenate([path[length < length[-1] - head - 1e-6], neck[None]])
    if len(shaft) < 2:
        shaft = np.stack([path[0], neck])
    tangent = path[-1] - neck
    tangent /= np.linalg.norm(tangent)
    normal = np.cross(tangent, np.eye(3)[np.argmin(np.abs(tangent))])
    normal /= np.linalg.norm(normal)
    frame = tuple(np.tile(vector, (2, 1)) for vector in (tangent, normal, np.cross(tangent, normal)))
    circle = circle_profile(16)
    cone = sweep(
        np.stack([neck, path[-1]]),
        (frame[0], frame[1], frame[2]),
        np.stack([radius * circle, 0.02 * circle]),
        np.broadcast_to(circle, (2, *circle.shape)),
        np.zeros(2, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
        tilt=np.full(2, np.arctan2(radius, head)),
    )
    count = len(shaft)
    tube = build_tube(shaft, np.zeros(count), _RADIUS, owner=np.zeros(count, dtype=np.int64), segments=2, corners=10)
    return join_meshes(tube, cone)
