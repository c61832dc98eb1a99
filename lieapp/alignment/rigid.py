"""Rigid motions in numpy: matrices, twists, angles, random rotations.

The little that scoring and reporting need without torch; `lieapp.lie` is the full, differentiable treatment, and the
tests hold the two together. Twists are ``(v, w)``, translation first, as everywhere.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.alignment.errors import AlignmentError

__all__ = [
    "as_pose",
    "pose_matrix",
    "quaternion",
    "random_rotations",
    "rotation_angle",
    "rotation_exp",
    "rotation_log",
    "split_pose",
    "twist_exp",
    "twist_log",
]

_ORTHONORMAL_TOLERANCE = 1e-6
_SMALL_ANGLE = 0.3  # below it five Taylor terms are exact to the last bit and closed forms lose digits


def pose_matrix(rotation: ArrayLike, translation: ArrayLike) -> NDArray[np.float64]:
    """Return the 4x4 matrix of ``x' = R x + t``.

    Parameters
    ----------
    rotation : array_like, shape=(3, 3)
    translation : array_like, shape=(3,)
        In Å.

    Returns
    -------
    ndarray, shape=(4, 4), dtype=float64
    """
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = translation
    return matrix


def split_pose(matrix: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotation, shape=(3, 3), and translation, shape=(3,), of a 4x4 matrix."""
    array = np.asarray(matrix, dtype=np.float64)
    return array[:3, :3], array[:3, 3]


def as_pose(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return a matrix given by a person as a pose, shape=(4, 4), its rotation made orthonormal to the last bit.

    Raises
    ------
    AlignmentError
        If it is not a finite 4x4 matrix of a proper rotation and a translation (within 1e-6).
    """
    array = np.array(matrix, dtype=np.float64)
    if array.shape != (4, 4) or not np.isfinite(array).all():
        raise AlignmentError(f"A pose is a finite 4x4 matrix, not an array of shape {array.shape}")
    if not np.allclose(array[3], [0.0, 0.0, 0.0, 1.0], atol=_ORTHONORMAL_TOLERANCE):
        raise AlignmentError("The last row of a pose must be 0 0 0 1")
    rotation = array[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > _ORTHONORMAL_TOLERANCE or np.linalg.det(rotation) < 0.0:
        raise AlignmentError("The upper left 3x3 part of a pose must be a rotation without scaling or reflection")
    u, _, vt = np.linalg.svd(rotation)
    return pose_matrix(u @ vt, array[:3, 3])


def quaternion(rotation: ArrayLike) -> NDArray[np.float64]:
    """Return the unit quaternion ``(w, x, y, z)``, shape=(4,), of a rotation, shape=(3, 3), with ``w >= 0``.

    Notes
    -----
    The largest of the four components is computed from a root, the others from differences and sums divided by it,
    so that nothing is lost at any angle.
    """
    r = np.asarray(rotation, dtype=np.float64)
    squares = np.array(
        [
            1.0 + r[0, 0] + r[1, 1] + r[2, 2],
            1.0 + r[0, 0] - r[1, 1] - r[2, 2],
            1.0 - r[0, 0] + r[1, 1] - r[2, 2],
            1.0 - r[0, 0] - r[1, 1] + r[2, 2],
        ]
    )
    largest = int(squares.argmax())
    rows = {
        0: (squares[0], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]),
        1: (r[2, 1] - r[1, 2], squares[1], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]),
        2: (r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], squares[2], r[1, 2] + r[2, 1]),
        3: (r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[3]),
    }
    q = np.array(rows[largest])
    q /= math.sqrt(float(q @ q))
    return -q if q[0] < 0.0 else q


def rotation_angle(rotation: ArrayLike) -> float:
    """Return the angle of a rotation, shape=(3, 3), in rad, from 0 to pi, accurate at both ends."""
    q = quaternion(rotation)
    return 2.0 * math.atan2(math.sqrt(float(q[1:] @ q[1:])), float(q[0]))


def rotation_log(rotation: ArrayLike) -> NDArray[np.float64]:
    """Return the rotation vector, shape=(3,), in rad; its length is at most pi."""
    q = quaternion(rotation)
    sine = math.sqrt(float(q[1:] @ q[1:]))
    if sine < 1e-8:  # the first neglected term is of order 1e-17
        vector: NDArray[np.float64] = q[1:] * (2.0 / q[0])
    else:
        vector = q[1:] * (2.0 * math.atan2(sine, float(q[0])) / sine)
    return vector


def rotation_exp(vector: ArrayLike) -> NDArray[np.float64]:
    """Return the rotation matrix, shape=(3, 3), of a rotation vector in rad (Rodrigues)."""
    w = np.asarray(vector, dtype=np.float64)
    square = float(w @ w)
    angle = math.sqrt(square)
    a = math.sin(angle) / angle if angle > 1e-8 else 1.0
    b = 0.5 * (math.sin(0.5 * angle) / (0.5 * angle)) ** 2 if angle > 1e-8 else 0.5
    k = _hat(w)
    matrix: NDArray[np.float64] = np.eye(3) + a * k + b * (k @ k)
    return matrix


def twist_log(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return the twist ``(v, w)``, shape=(6,), whose exponential is a pose; ``|w| <= pi``.

    Parameters
    ----------
    matrix : array_like, shape=(4, 4)
    """
    rotation, translation = split_pose(matrix)
    w = rotation_log(rotation)
    k = _hat(w)
    square = float(w @ w)
    if square < _SMALL_ANGLE**2:
        e = 1 / 12 + square * (1 / 720 + square * (1 / 30240 + square * (1 / 1209600 + square / 47900160)))
    else:
        half = 0.5 * math.sqrt(square)
        e = (1.0 - half * math.cos(half) / math.sin(half)) / square
    inverse_jacobian = np.eye(3) - 0.5 * k + e * (k @ k)
    return np.concatenate([inverse_jacobian @ translation, w])


def twist_exp(twist: ArrayLike) -> NDArray[np.float64]:
    """Return the pose, shape=(4, 4), of a twist ``(v, w)``."""
    xi = np.asarray(twist, dtype=np.float64)
    w = xi[3:]
    square = float(w @ w)
    angle = math.sqrt(square)
    b = 0.5 * (math.sin(0.5 * angle) / (0.5 * angle)) ** 2 if angle > 1e-8 else 0.5
    if square < _SMALL_ANGLE**2:
        c = 1 / 6 - square * (1 / 120 - square * (1 / 5040 - square * (1 / 362880 - square / 39916800)))
    else:
        c = (angle - math.sin(angle)) / (angle * square)
    k = _hat(w)
    jacobian = np.eye(3) + b * k + c * (k @ k)
    return pose_matrix(rotation_exp(w), jacobian @ xi[:3])


def random_rotations(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return rotations drawn uniformly from SO(3).

    Parameters
    ----------
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape=(count, 3, 3), dtype=float64

    Notes
    -----
    A normal vector in four dimensions, normalised, is a uniform unit quaternion.
    """
    q = rng.standard_normal((count, 4))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    w, x, y, z = q.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def _hat(w: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([[0.0, -w[2], w[1]], [w[2], 0.0, -w[0]], [-w[1], w[0], 0.0]])
