"""Rigid motions in three dimensions, SE(3), batched on leading axes.

A pose is a 4 by 4 matrix that maps ``x`` to ``R x + t``. A twist is ``(v, w)``, translation first, with the rotation
vector ``w`` in rad. ``exp`` couples them: ``t = V(w) v`` with V the left Jacobian of SO(3).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lieapp.lie import _coefficients as coefficients
from lieapp.lie import so3

__all__ = [
    "ScrewAxis",
    "act",
    "adjoint",
    "compose",
    "exp",
    "from_rotation_translation",
    "inverse",
    "left_jacobian",
    "left_jacobian_inverse",
    "log",
    "retract",
    "to_screw_axis",
]


class ScrewAxis(NamedTuple):
    """A rigid motion as a turn about a line and a shift along it (Chasles' theorem).

    Attributes
    ----------
    direction : Tensor, shape=(..., 3)
        Unit vector along the axis.
    point : Tensor, shape=(..., 3)
        Point of the axis nearest to the origin.
    angle : Tensor, shape=(...)
        In rad, between 0 and π, right-handed about `direction`.
    translation : Tensor, shape=(...)
        Shift along `direction`.
    """

    direction: Tensor
    point: Tensor
    angle: Tensor
    translation: Tensor

    @property
    def pitch(self) -> Tensor:
        """Shift for each rad of turn; infinite for pure translations, nan for the identity."""
        return self.translation / self.angle


def from_rotation_translation(rotation: Tensor, translation: Tensor) -> Tensor:
    """Return the pose ``x' = R x + t``.

    Parameters
    ----------
    rotation : Tensor, shape=(..., 3, 3)
    translation : Tensor, shape=(..., 3)
        Leading axes broadcast.

    Returns
    -------
    Tensor, shape=(..., 4, 4)

    Raises
    ------
    ValueError
        If the trailing axes are not 3 by 3 and 3.
    """
    so3._require_matrix(rotation, 3)
    so3._require_vector(translation, 3)
    batch = torch.broadcast_shapes(rotation.shape[:-2], translation.shape[:-1])
    top = torch.cat((rotation.expand(*batch, 3, 3), translation.expand(*batch, 3).unsqueeze(-1)), dim=-1)
    bottom = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=top.dtype, device=top.device).expand(*batch, 1, 4)
    return torch.cat((top, bottom), dim=-2)


def exp(xi: Tensor) -> Tensor:
    """Return the pose of a twist.

    Parameters
    ----------
    xi : Tensor, shape=(..., 6), dtype=float32 or float64
        Twists (v, w).

    Returns
    -------
    Tensor, shape=(..., 4, 4)

    Raises
    ------
    TypeError
        If the dtype is neither float32 nor float64.
    ValueError
        If the last axis is not 6 long.
    """
    so3._require_vector(xi, 6)
    v, w = xi[..., :3], xi[..., 3:]
    return from_rotation_translation(so3.exp(w), _apply(so3.left_jacobian(w), v))


def log(pose: Tensor) -> Tensor:
    """Return the twist of a pose, with a rotation vector no longer than π.

    Parameters
    ----------
    pose : Tensor, shape=(..., 4, 4), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 6)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    so3._require_matrix(pose, 4)
    w = so3.log(pose[..., :3, :3])
    return torch.cat((_apply(so3.left_jacobian_inverse(w), pose[..., :3, 3]), w), dim=-1)


def inverse(pose: Tensor) -> Tensor:
    """Return the inverse motion.

    Parameters
    ----------
    pose : Tensor, shape=(..., 4, 4)

    Returns
    -------
    Tensor, shape=(..., 4, 4)

    Raises
    ------
    ValueError
        If the last axes are not 4 by 4.
    """
    so3._require_matrix(pose, 4)
    transpose = pose[..., :3, :3].mT
    return from_rotation_translation(transpose, -_apply(transpose, pose[..., :3, 3]))


def compose(*poses: Tensor) -> Tensor:
    """Return the product of poses; the last one acts first.

    Parameters
    ----------
    *poses : Tensor, shape=(..., 4, 4)
        At least one; leading axes broadcast.

    Returns
    -------
    Tensor, shape=(..., 4, 4)

    Raises
    ------
    ValueError
        If there is no pose, or one is not 4 by 4.
    """
    if not poses:
        raise ValueError("expected at least one pose")
    for pose in poses:
        so3._require_matrix(pose, 4)
    product = poses[0]
    for pose in poses[1:]:
        product = product @ pose
    return product


def act(pose: Tensor, points: Tensor) -> Tensor:
    """Move points: ``x' = R x + t``.

    Parameters
    ----------
    pose : Tensor, shape=(..., 4, 4)
    points : Tensor, shape=(..., N, 3)
        Points as rows; leading axes broadcast against those of `pose`.

    Returns
    -------
    Tensor, shape=(..., N, 3)

    Raises
    ------
    ValueError
        If the trailing axes are not 4 by 4, and N by 3.
    """
    so3._require_matrix(pose, 4)
    if points.ndim < 2 or points.shape[-1] != 3:
        raise ValueError(f"expected points of shape (..., N, 3), got {tuple(points.shape)}")
    return points @ pose[..., :3, :3].mT + pose[..., None, :3, 3]


def adjoint(pose: Tensor) -> Tensor:
    """Return Ad with ``T exp(xi) T⁻¹ = exp(Ad xi)``.

    Parameters
    ----------
    pose : Tensor, shape=(..., 4, 4)

    Returns
    -------
    Tensor, shape=(..., 6, 6)

    Raises
    ------
    ValueError
        If the last axes are not 4 by 4.
    """
    so3._require_matrix(pose, 4)
    rotation = pose[..., :3, :3]
    return _upper_block(rotation, so3.hat(pose[..., :3, 3]) @ rotation)


def retract(pose: Tensor, xi: Tensor) -> Tensor:
    """Return ``exp(xi) T``: the pose moved by a twist given in the fixed frame.

    Parameters
    ----------
    pose : Tensor, shape=(..., 4, 4)
    xi : Tensor, shape=(..., 6)
        Leading axes broadcast.

    Returns
    -------
    Tensor, shape=(..., 4, 4)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    return compose(exp(xi), pose)


def left_jacobian(xi: Tensor) -> Tensor:
    """Return J with ``exp(xi + d) = exp(J d) exp(xi)`` to first order in d.

    Barfoot (2017), State Estimation for Robotics, eq. 7.85 and 7.86, in the order (v, w).

    Parameters
    ----------
    xi : Tensor, shape=(..., 6), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 6, 6)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    so3._require_vector(xi, 6)
    return _upper_block(so3.left_jacobian(xi[..., 3:]), _coupling(xi))


def left_jacobian_inverse(xi: Tensor) -> Tensor:
    """Return the inverse of `left_jacobian`, which does not exist at full turns (|w| = 2π, 4π, ...).

    Parameters
    ----------
    xi : Tensor, shape=(..., 6), dtype=float32 or float64

    Returns
    -------
    Tensor, shape=(..., 6, 6)

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    so3._require_vector(xi, 6)
    block = so3.left_jacobian_inverse(xi[..., 3:])
    return _upper_block(block, -(block @ _coupling(xi) @ block))


def to_screw_axis(pose: Tensor) -> ScrewAxis:
    """Return axis, angle and shift of a rigid motion.

    Rotations too small to have an axis (1e-10 rad in float64, 1e-5 rad in float32) count as pure translations:
    direction along the translation (the x axis for the identity), point at the origin.

    Parameters
    ----------
    pose : Tensor, shape=(..., 4, 4), dtype=float32 or float64

    Returns
    -------
    ScrewAxis

    Raises
    ------
    TypeError, ValueError
        As for `exp`.
    """
    so3._require_matrix(pose, 4)
    t = pose[..., :3, 3]
    axis, theta = so3.to_axis_angle(pose[..., :3, :3])
    turned = (theta > coefficients.tolerance(pose.dtype).smallest_angle).unsqueeze(-1)
    length = torch.linalg.vector_norm(t, dim=-1, keepdim=True)
    shifted = length > 0
    along = torch.where(shifted, t / torch.where(shifted, length, torch.ones_like(length)), axis)
    direction = torch.where(turned, axis, along)
    shift = (direction * t).sum(-1)
    across = t - shift.unsqueeze(-1) * direction
    half = 0.5 * torch.where(turned, theta.unsqueeze(-1), torch.ones_like(length))
    point = 0.5 * (across + half.cos() / half.sin() * torch.linalg.cross(direction, across))
    zero = torch.zeros_like(theta)
    return ScrewAxis(
        direction=direction,
        point=torch.where(turned, point, torch.zeros_like(point)),
        angle=torch.where(turned.squeeze(-1), theta, zero),
        translation=shift,
    )


def _coupling(xi: Tensor) -> Tensor:
    """Return the block Q of the left Jacobian that carries rotation into translation."""
    v, w = so3.hat(xi[..., :3]), so3.hat(xi[..., 3:])
    x = xi[..., 3:].square().sum(-1)
    c, f, g = (k(x)[..., None, None] for k in (coefficients.c, coefficients.f, coefficients.g))
    wv, vw = w @ v, v @ w
    wvw = wv @ w
    return 0.5 * v + c * (wv + vw + wvw) + f * (w @ wv + vw @ w - 3 * wvw) + g * (wvw @ w + w @ wvw)


def _upper_block(diagonal: Tensor, corner: Tensor) -> Tensor:
    """Return [[diagonal, corner], [0, diagonal]]."""
    top = torch.cat((diagonal, corner), dim=-1)
    bottom = torch.cat((torch.zeros_like(corner), diagonal), dim=-1)
    return torch.cat((top, bottom), dim=-2)


def _apply(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)
