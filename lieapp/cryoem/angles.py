"""Orientations of particles: Euler angles, matrices and random draws, in RELION's convention. numpy, no torch.

The matrix ``A`` of a particle has the axes of its image, seen in the frame of the map, as rows: a point ``r`` of the
map appears at the first two coordinates of ``A r``, and the image's spectrum is the slice of the map's spectrum at
``Aᵀ (kx, ky, 0)``. Coordinates are (x, y, z); maps are stored (z, y, x).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "euler_to_matrix",
    "matrix_to_euler",
    "preferred_rotations",
    "rotation_vector_to_matrix",
    "uniform_rotations",
    "view_directions",
]

Array = NDArray[np.float64]

_POLE = 1e-7  # sine of the tilt below which rot and psi turn about the same axis


def euler_to_matrix(rot_degrees: ArrayLike, tilt_degrees: ArrayLike, psi_degrees: ArrayLike) -> Array:
    """Return the matrices ``A = Rz(psi) Ry(tilt) Rz(rot)`` of RELION's Euler angles.

    Parameters
    ----------
    rot_degrees, tilt_degrees, psi_degrees : array_like, shape=(...)

    Returns
    -------
    ndarray, shape=(..., 3, 3), dtype=float64
        Row 2 is the viewing direction (sin tilt cos rot, sin tilt sin rot, cos tilt).
    """
    angles = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (rot_degrees, tilt_degrees, psi_degrees))
    )
    rot, tilt, psi = (np.radians(each) for each in angles)
    cr, sr, ct, st, cp, sp = np.cos(rot), np.sin(rot), np.cos(tilt), np.sin(tilt), np.cos(psi), np.sin(psi)
    rows = (
        (cp * ct * cr - sp * sr, cp * ct * sr + sp * cr, -cp * st),
        (-sp * ct * cr - cp * sr, -sp * ct * sr + cp * cr, sp * st),
        (st * cr, st * sr, ct),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_euler(matrices: ArrayLike) -> tuple[Array, Array, Array]:
    """Return RELION's Euler angles of matrices; the inverse of `euler_to_matrix`.

    Parameters
    ----------
    matrices : array_like, shape=(..., 3, 3)

    Returns
    -------
    rot_degrees, tilt_degrees, psi_degrees : ndarray, shape=(...), dtype=float64
        Tilt is within 0 to 180, the others within -180 to 180. Where the tilt is 0 or 180, rot is 0.
    """
    a = np.asarray(matrices, dtype=np.float64)
    sine = np.hypot(a[..., 2, 0], a[..., 2, 1])
    pole = sine < _POLE
    rot = np.where(pole, 0.0, np.arctan2(a[..., 2, 1], a[..., 2, 0]))
    tilt = np.arctan2(np.where(pole, 0.0, sine), a[..., 2, 2])
    upright = np.where(a[..., 2, 2] < 0.0, -1.0, 1.0)
    psi = np.where(
        pole,
        np.arctan2(a[..., 0, 1], upright * a[..., 0, 0]),
        np.arctan2(a[..., 1, 2], -a[..., 0, 2]),
    )
    return np.degrees(rot), np.degrees(tilt), np.degrees(psi)


def rotation_vector_to_matrix(vectors: ArrayLike) -> Array:
    """Return the rotations by ``|w|`` radians about the axes ``w`` (Rodrigues' formula, ``exp(hat(w))``).

    Parameters
    ----------
    vectors : array_like, shape=(..., 3)
        In rad.

    Returns
    -------
    ndarray, shape=(..., 3, 3), dtype=float64

    Notes
    -----
    The pose of a cryoSPARC file is the vector of the transposed matrix: ``A = exp(hat(pose))ᵀ``.
    """
    w = np.asarray(vectors, dtype=np.float64)
    angle = np.linalg.norm(w, axis=-1)[..., None, None]
    hat = np.zeros((*w.shape[:-1], 3, 3))
    hat[..., 0, 1], hat[..., 0, 2] = -w[..., 2], w[..., 1]
    hat[..., 1, 0], hat[..., 1, 2] = w[..., 2], -w[..., 0]
    hat[..., 2, 0], hat[..., 2, 1] = -w[..., 1], w[..., 0]
    # sinc is exact at 0; (1 - cos a) / a² = sinc²(a / 2) / 2 loses no digits for small angles.
    first = np.sinc(angle / math.pi)
    second = 0.5 * np.sinc(angle / (2.0 * math.pi)) ** 2
    return np.eye(3) + first * hat + second * (hat @ hat)


def view_directions(rotations: ArrayLike) -> Array:
    """Return the directions from which particles are seen, in the frame of the map.

    Parameters
    ----------
    rotations : array_like, shape=(..., 3, 3)

    Returns
    -------
    ndarray, shape=(..., 3), dtype=float64
        Unit vectors (x, y, z).
    """
    return np.array(np.asarray(rotations, dtype=np.float64)[..., 2, :])


def uniform_rotations(count: int, rng: np.random.Generator) -> Array:
    """Draw rotations uniformly from SO(3).

    Parameters
    ----------
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape=(count, 3, 3), dtype=float64
    """
    q = rng.standard_normal((count, 4))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    w, x, y, z = q.T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def preferred_rotations(
    count: int,
    rng: np.random.Generator,
    *,
    fraction: float = 0.9,
    spread_degrees: float = 14.0,
) -> Array:
    """Draw rotations most of which look along the z axis, as of particles that stick to the ice by one side.

    Parameters
    ----------
    count : int
    rng : numpy.random.Generator
    fraction : float
        Share of the views near the axis; the others are uniform.
    spread_degrees : float
        Root mean square angle between those views and the axis.

    Returns
    -------
    ndarray, shape=(count, 3, 3), dtype=float64

    Raises
    ------
    ValueError
        If the fraction is not within 0 to 1, or the spread is not positive.
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"Invalid fraction of preferred views: {fraction}")
    if not spread_degrees > 0.0:
        raise ValueError(f"Invalid spread of preferred views: {spread_degrees}°")
    rotations = uniform_rotations(count, rng)
    chosen = rng.random(count) < fraction
    number = int(np.count_nonzero(chosen))
    tilt = np.minimum(rng.rayleigh(spread_degrees / math.sqrt(2.0), number), 180.0)
    rot, psi = rng.uniform(-180.0, 180.0, (2, number))
    rotations[chosen] = euler_to_matrix(rot, tilt, psi)
    return rotations
