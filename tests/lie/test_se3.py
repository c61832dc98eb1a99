"""Rigid motions: properties, independent truth, derivatives."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lieapp.lie import se3, so3

ANGLES = (0.0, 1e-8, 1e-4, 1e-2, 0.2, 0.999, 1.001, math.pi - 1e-6, math.pi)


def twists(theta: float, n: int = 8, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    v = 3 * torch.randn((n, 3), generator=generator, dtype=torch.float64)
    w = torch.randn((n, 3), generator=generator, dtype=torch.float64)
    return torch.cat((v, theta * w / w.norm(dim=-1, keepdim=True)), dim=-1)


def poses(n: int = 10, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    translation = 10 * torch.randn((n, 3), generator=generator, dtype=torch.float64)
    return se3.from_rotation_translation(so3.random_rotations(n, generator=generator), translation)


def algebra(xi: Tensor) -> Tensor:
    """Return the 4 by 4 matrix of a twist."""
    top = torch.cat((so3.hat(xi[..., 3:]), xi[..., :3, None]), dim=-1)
    return torch.cat((top, torch.zeros_like(top[..., :1, :])), dim=-2)


@pytest.mark.parametrize("theta", [*ANGLES, 5.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 2e-14)])
def test_exp_agrees_with_the_matrix_exponential(theta: float, dtype: torch.dtype, tolerance: float) -> None:
    xi = twists(theta).to(dtype)
    truth = torch.linalg.matrix_exp(algebra(xi.double()))
    torch.testing.assert_close(se3.exp(xi).double(), truth, atol=tolerance, rtol=0)


@pytest.mark.parametrize("theta", ANGLES)
def test_log_inverts_exp(theta: float) -> None:
    xi = twists(theta)
    pose = se3.exp(xi)
    back = se3.log(pose)
    torch.testing.assert_close(se3.exp(back), pose, atol=1e-13, rtol=0)
    assert (back[:, 3:].norm(dim=-1) <= math.pi).all()
    if theta < math.pi:
        torch.testing.assert_close(back, xi, atol=1e-8 if theta > 3 else 1e-13, rtol=0)


def test_group_axioms() -> None:
    a, b, c = (poses(seed=s) for s in (1, 2, 3))
    torch.testing.assert_close(se3.compose(se3.compose(a, b), c), se3.compose(a, se3.compose(b, c)))
    torch.testing.assert_close(se3.compose(a, b, c), a @ b @ c)
    identity = torch.eye(4, dtype=torch.float64).expand_as(a)
    torch.testing.assert_close(se3.compose(a, se3.inverse(a)), identity, atol=1e-13, rtol=0)
    torch.testing.assert_close(se3.compose(se3.inverse(a), a), identity, atol=1e-13, rtol=0)
    with pytest.raises(ValueError, match="at least one pose"):
        se3.compose()


def test_action_is_a_homomorphism_and_an_isometry() -> None:
    a, b = poses(seed=4), poses(seed=5)
    points = torch.randn((10, 7, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(se3.act(se3.compose(a, b), points), se3.act(a, se3.act(b, points)))
    torch.testing.assert_close(torch.cdist(se3.act(a, points), se3.act(a, points)), torch.cdist(points, points))


def test_action_is_the_documented_one() -> None:
    pose = poses(1)[0]
    point = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    torch.testing.assert_close(se3.act(pose, point)[0], pose[:3, :3] @ point[0] + pose[:3, 3])


@pytest.mark.parametrize("theta", ANGLES)
def test_adjoint_carries_twists_through_poses(theta: float) -> None:
    pose, xi = poses(8), twists(min(theta, 3.0), 8)
    carried = (se3.adjoint(pose) @ xi[..., None])[..., 0]
    conjugated = se3.compose(pose, se3.exp(xi), se3.inverse(pose))
    torch.testing.assert_close(se3.log(conjugated), carried, atol=1e-11, rtol=0)


def test_adjoint_is_a_homomorphism() -> None:
    a, b = poses(seed=6), poses(seed=7)
    torch.testing.assert_close(se3.adjoint(a @ b), se3.adjoint(a) @ se3.adjoint(b))
    torch.testing.assert_close(se3.adjoint(se3.inverse(a)), torch.linalg.inv(se3.adjoint(a)))


@pytest.mark.parametrize("theta", [*ANGLES, 5.0])
def test_left_jacobian_is_the_derivative_of_exp(theta: float) -> None:
    xi = twists(theta)[0]
    derivative = torch.autograd.functional.jacobian(se3.exp, xi)  # (4, 4, 6)
    body = torch.einsum("ijk,jl->ilk", derivative, se3.inverse(se3.exp(xi)))
    columns = [torch.cat((body[:3, 3, k], so3.vee(body[:3, :3, k]))) for k in range(6)]
    torch.testing.assert_close(se3.left_jacobian(xi), torch.stack(columns, dim=-1), atol=3e-14, rtol=0)


@pytest.mark.parametrize("theta", [*ANGLES, 5.0])
def test_left_jacobian_inverse(theta: float) -> None:
    xi = twists(theta)
    product = se3.left_jacobian_inverse(xi) @ se3.left_jacobian(xi)
    torch.testing.assert_close(product, torch.eye(6, dtype=torch.float64).expand_as(product), atol=1e-12, rtol=0)


@pytest.mark.parametrize("theta", [0.0, 1e-4, 0.99, 1.01, math.pi, 5.0])
@pytest.mark.parametrize("function", [se3.exp, se3.left_jacobian, se3.left_jacobian_inverse])
def test_first_and_second_derivatives(function, theta: float) -> None:
    xi = twists(theta, 1).requires_grad_()
    assert torch.autograd.gradcheck(function, xi)
    assert torch.autograd.gradgradcheck(function, xi, fast_mode=True)


@pytest.mark.parametrize("theta", [0.0, math.pi])
def test_gradients_are_finite_at_identity_and_half_turns(theta: float) -> None:
    xi = twists(theta).requires_grad_()
    for value in (se3.exp(xi).sum(), se3.log(se3.exp(xi)).square().sum(), se3.left_jacobian(xi).sum()):
        (gradient,) = torch.autograd.grad(value, xi)
        assert torch.isfinite(gradient).all()


def test_retract_moves_in_the_fixed_frame() -> None:
    pose, xi = poses(8), twists(1.0, 8)
    torch.testing.assert_close(se3.retract(pose, xi), se3.exp(xi) @ pose)
    torch.testing.assert_close(se3.retract(pose, torch.zeros(6, dtype=torch.float64)), pose)


def test_screw_axis_points_move_only_along_it() -> None:
    pose = poses(50)
    screw = se3.to_screw_axis(pose)
    along = torch.linspace(-5, 5, 4, dtype=torch.float64)[:, None]
    points = screw.point[:, None] + along * screw.direction[:, None]
    shift = screw.translation[:, None, None] * screw.direction[:, None]
    torch.testing.assert_close(se3.act(pose, points), points + shift.expand_as(points), atol=1e-11, rtol=0)
    # The point is the one nearest to the origin, and the parts rebuild the motion.
    assert (screw.point * screw.direction).sum(-1).abs().max() < 1e-11
    w = screw.angle[:, None] * screw.direction
    v = screw.translation[:, None] * screw.direction + torch.linalg.cross(screw.point, w)
    torch.testing.assert_close(se3.exp(torch.cat((v, w), -1)), pose, atol=1e-11, rtol=0)
    torch.testing.assert_close(screw.pitch * screw.angle, screw.translation)


def test_screw_axis_of_a_half_turn_beside_the_origin() -> None:
    rotation = so3.exp(torch.tensor([0.0, 0.0, math.pi], dtype=torch.float64))
    screw = se3.to_screw_axis(se3.from_rotation_translation(rotation, torch.tensor([4.0, 2.0, 7.0]).double()))
    torch.testing.assert_close(screw.point, torch.tensor([2.0, 1.0, 0.0]).double(), atol=1e-14, rtol=0)
    assert (screw.translation * screw.direction[2]).item() == pytest.approx(7)


def test_screw_axis_of_translations_and_of_the_identity() -> None:
    shift = torch.tensor([[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    screw = se3.to_screw_axis(se3.from_rotation_translation(torch.eye(3, dtype=torch.float64), shift))
    torch.testing.assert_close(screw.direction[0], shift[0] / 5)
    assert screw.translation.tolist() == [5, 0] and screw.angle.tolist() == [0, 0]
    assert torch.equal(screw.point, torch.zeros_like(shift))
    assert torch.isfinite(screw.direction).all()
    assert math.isinf(screw.pitch[0].item())


@pytest.mark.parametrize("batch", [(), (0,), (2, 0), (4,), (2, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batches_and_dtypes(batch: tuple[int, ...], dtype: torch.dtype) -> None:
    xi = torch.zeros((*batch, 6), dtype=dtype)
    pose = se3.exp(xi)
    for result, trailing in (
        (pose, (4, 4)),
        (se3.log(pose), (6,)),
        (se3.inverse(pose), (4, 4)),
        (se3.adjoint(pose), (6, 6)),
        (se3.left_jacobian(xi), (6, 6)),
        (se3.left_jacobian_inverse(xi), (6, 6)),
        (se3.retract(pose, xi), (4, 4)),
        (se3.act(pose, torch.zeros((*batch, 5, 3), dtype=dtype)), (5, 3)),
        (se3.act(pose, torch.zeros((*batch, 0, 3), dtype=dtype)), (0, 3)),
        (se3.to_screw_axis(pose).point, (3,)),
        (se3.to_screw_axis(pose).angle, ()),
    ):
        assert result.shape == (*batch, *trailing)
        assert result.dtype == dtype


def test_leading_axes_broadcast() -> None:
    many, one = poses(5), torch.zeros((2, 1, 6), dtype=torch.float64)
    assert se3.retract(many, one).shape == (2, 5, 4, 4)
    assert se3.act(many, torch.zeros((7, 3), dtype=torch.float64)).shape == (5, 7, 3)
    assert se3.from_rotation_translation(torch.eye(3), torch.zeros(6, 3)).shape == (6, 4, 4)


def test_wrong_shapes_say_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 6\), got \(5,\)"):
        se3.exp(torch.zeros(5))
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 4, 4\)"):
        se3.log(torch.eye(3))
    with pytest.raises(ValueError, match=r"points of shape \(\.\.\., N, 3\), got \(3,\)"):
        se3.act(torch.eye(4), torch.zeros(3))
