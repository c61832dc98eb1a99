"""Rotations in three dimensions, SO(3), batched on leading axes.

Rotation vectors ``w`` are axis times angle in rad; matrices act on column vectors, so points stored as rows turn by
``points @ R.mT``. The numerics (half angles, power series, no arc cosine anywhere) are those of
`lieapp.lie._coefficients`.

Notes
-----
`exp`, `left_jacobian` and the conversions may be differentiated twice anywhere, angles 0 and π included. `log` is
differentiable except that its sign jumps at half turns; its gradients stay finite there.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lieapp.lie import _coefficients as coefficients

__all__ = [
    "angle",
    "exp",
    "from_axis_angle",
    "from_quaternion",
    "hat",
    "left_jacobian",
    "left_jacobian_inverse",
    "log",
    "project",
    "random_rotations",
    "to_axis_angle",
    "to_quaternion",
    "vee",
]


def hat(w: Tensor) -> Tensor:
    """Return the skew-symmetric matrix K with ``K x = w × x``.

    Parameters
    ----------
    w : Tensor, shape=(..., 3)

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    ValueError
        If the last axis is not 3 long.
    """
    _require_vector(w, 3)
    x, y, z = w.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))


def vee(matrix: Tensor) -> Tensor:
    """Return the vector of a skew-symmetric matrix; of any matrix, that of its skew-symmetric part.

    Parameters
    ----------
    matrix : Tensor, shape=(..., 3, 3)

    Returns
    -------
    Tensor, shape=(..., 3)

    Raises
    ------
    ValueError
        If the last axes are not 3 by 3.
    """
    _require_matrix(matrix, 3)
    skew = 0.5 * (matrix - matrix.mT)
    return torch.stack((skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]), dim=-1)


def exp(w: Tensor) -> Tensor:
    """Return the rotation by the angle |w| about the axis w (Rodrigues' formula).

    Parameters
    ----------
    w : Tensor, shape=(..., 3), dtype=float32 or float64
        Rotation vectors in rad, of any length.

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    TypeError
        If the dtype is neither float32 nor float64.
    ValueError
        If the last axis is not 3 long.
    """
    _require_vector(w, 3)
    x = w.square().sum(-1)
    return _polynomial(w, coefficients.a(x), coefficients.b(x))


def log(rotation: Tensor) -> Tensor:
    """Return the rotation vector of a rotation, with |w| <= π.

    The angle is read from the quaternion by atan2, never from the trace by acos, which has lost half of its digits
    at 0 and at π. At a half turn both signs of the axis are right; one of them is returned.

    Parameters
    ----------
    rotation : Tensor, shape=(..., 3, 3), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 3)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    quaternion = to_quaternion(rotation)
    w, v = quaternion[..., 0], quaternion[..., 1:]
    return coefficients.half_angle_ratio(w, v.square().sum(-1)).unsqueeze(-1) * v


def left_jacobian(w: Tensor) -> Tensor:
    """Return J with ``exp(w + d) = exp(J d) exp(w)`` to first order in d; also the V of SE(3).

    Its determinant is ``2 (1 - cos θ) / θ²``: 1 at the identity, 0 at full turns.

    Parameters
    ----------
    w : Tensor, shape=(..., 3), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    _require_vector(w, 3)
    x = w.square().sum(-1)
    return _polynomial(w, coefficients.b(x), coefficients.c(x))


def left_jacobian_inverse(w: Tensor) -> Tensor:
    """Return the inverse of `left_jacobian`, which does not exist at full turns (|w| = 2π, 4π, ...).

    Parameters
    ----------
    w : Tensor, shape=(..., 3), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    _require_vector(w, 3)
    x = w.square().sum(-1)
    return _polynomial(w, torch.full_like(x, -0.5), coefficients.e(x))


def angle(rotation: Tensor) -> Tensor:
    """Return the angle of a rotation in rad, between 0 and π.

    Parameters
    ----------
    rotation : Tensor, shape=(..., 3, 3), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(...)
        The angle has a kink at the identity; its gradient there is returned as zero.
    """
    quaternion = to_quaternion(rotation)
    return 2 * torch.atan2(torch.linalg.vector_norm(quaternion[..., 1:], dim=-1), quaternion[..., 0])


def to_quaternion(rotation: Tensor) -> Tensor:
    """Return the unit quaternion (w, x, y, z) of a rotation, with w >= 0.

    ``4 q qᵀ`` is linear in the matrix; the row with the largest diagonal is normalised, so that no small number
    is ever divided by (Mike Day, "Converting a rotation matrix to a quaternion").

    Parameters
    ----------
    rotation : Tensor, shape=(..., 3, 3), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 4)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    _require_matrix(rotation, 3)
    coefficients.tolerance(rotation.dtype)
    m = [row.unbind(-1) for row in rotation.unbind(-2)]
    trace = m[0][0] + m[1][1] + m[2][2]
    w = (m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1])
    xy, yz, zx = m[0][1] + m[1][0], m[1][2] + m[2][1], m[0][2] + m[2][0]
    diagonal = [1 + 2 * m[i][i] - trace for i in range(3)]
    rows = torch.stack(
        (
            torch.stack((1 + trace, *w), dim=-1),
            torch.stack((w[0], diagonal[0], xy, zx), dim=-1),
            torch.stack((w[1], xy, diagonal[1], yz), dim=-1),
            torch.stack((w[2], zx, yz, diagonal[2]), dim=-1),
        ),
        dim=-2,
    )
    pivot = torch.diagonal(rows, dim1=-2, dim2=-1).argmax(-1)
    row = torch.take_along_dim(rows, pivot[..., None, None], dim=-2).squeeze(-2)
    quaternion = row / torch.linalg.vector_norm(row, dim=-1, keepdim=True)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def from_quaternion(quaternion: Tensor) -> Tensor:
    """Return the rotation of a quaternion (w, x, y, z) of any non-zero length.

    Parameters
    ----------
    quaternion : Tensor, shape=(..., 4), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    ValueError
        If the last axis is not 4 long.
    """
    _require_vector(quaternion, 4)
    w, v = quaternion[..., 0], quaternion[..., 1:]
    scale = 2 / quaternion.square().sum(-1)
    return _polynomial(v, w * scale, scale)


def to_axis_angle(rotation: Tensor) -> tuple[Tensor, Tensor]:
    """Return unit axis and angle of a rotation.

    Parameters
    ----------
    rotation : Tensor, shape=(..., 3, 3), dtype=float32 or float64

    Returns
    -------
    axis : Tensor, shape=(..., 3)
        For the identity, which has no axis, the x axis.
    angle : Tensor, shape=(...)
        In rad, between 0 and π.
    """
    w = log(rotation)
    x = w.square().sum(-1, keepdim=True)
    turned = x > 0
    theta = torch.where(turned, x, torch.ones_like(x)).sqrt()
    first = torch.zeros_like(w)
    first[..., 0] = 1
    return torch.where(turned, w / theta, first), torch.where(turned, theta, torch.zeros_like(theta)).squeeze(-1)


def from_axis_angle(axis: Tensor, angle: Tensor) -> Tensor:
    """Return the rotation by `angle` about `axis`.

    Parameters
    ----------
    axis : Tensor, shape=(..., 3), dtype=float32 or float64
        Of any non-zero length.
    angle : Tensor, shape=(...)
        In rad; broadcasts against the axes.

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    ValueError
        If the last axis of `axis` is not 3 long.
    """
    _require_vector(axis, 3)
    return exp(angle.unsqueeze(-1) * axis / torch.linalg.vector_norm(axis, dim=-1, keepdim=True))


def random_rotations(
    n: int,
    *,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> Tensor:
    """Draw rotations uniformly (Haar measure), by Shoemake's quaternions (Graphics Gems III, 1992).

    Parameters
    ----------
    n : int
        Number of rotations, which may be 0.
    generator : torch.Generator, optional
        Source of the numbers; they are drawn in float64 on its device, so that the same seed gives the same
        rotations in either dtype and on every device.
    dtype : torch.dtype
    device : torch.device or str, optional

    Returns
    -------
    Tensor, shape=(n, 3, 3)
    """
    coefficients.tolerance(dtype)
    source = generator.device if generator is not None else "cpu"
    u = torch.rand((n, 3), generator=generator, dtype=torch.float64, device=source)
    first, second = (1 - u[:, 0]).sqrt(), u[:, 0].sqrt()
    alpha, beta = 2 * math.pi * u[:, 1], 2 * math.pi * u[:, 2]
    quaternion = torch.stack((second * beta.cos(), first * alpha.sin(), first * alpha.cos(), second * beta.sin()), -1)
    return from_quaternion(quaternion).to(dtype=dtype, device=device)


def project(matrix: Tensor) -> Tensor:
    """Return the rotation nearest to a matrix in the Frobenius norm; never a reflection.

    Parameters
    ----------
    matrix : Tensor, shape=(..., 3, 3), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 3, 3)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    _require_matrix(matrix, 3)
    coefficients.tolerance(matrix.dtype)
    u, _, vh = torch.linalg.svd(matrix)
    # The smallest singular value pays for a reflection.
    sign = torch.where(torch.linalg.det(u @ vh) < 0, -1.0, 1.0).to(matrix.dtype)
    last = u[..., 2:] * sign[..., None, None]
    return torch.cat((u[..., :2], last), dim=-1) @ vh


def _polynomial(w: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return I + first K + second K² with K = hat(w)."""
    square = w.unsqueeze(-1) * w.unsqueeze(-2)
    x = w.square().sum(-1)
    identity = torch.eye(3, dtype=w.dtype, device=w.device)
    diagonal = (1 - second * x)[..., None, None] * identity
    return diagonal + first[..., None, None] * hat(w) + second[..., None, None] * square


def _require_vector(tensor: Tensor, length: int) -> None:
    if tensor.ndim < 1 or tensor.shape[-1] != length:
        raise ValueError(f"expected shape (..., {length}), got {tuple(tensor.shape)}")


def _require_matrix(tensor: Tensor, size: int) -> None:
    if tensor.ndim < 2 or tensor.shape[-2:] != (size, size):
        raise ValueError(f"expected shape (..., {size}, {size}), got {tuple(tensor.shape)}")
