"""Rotations: properties, independent truth, derivatives."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lieapp.lie import so3

ANGLES = (0.0, 1e-8, 1e-4, 1e-2, 0.2, 1.0, math.pi - 1e-6, math.pi)
DTYPES = [(torch.float32, 3e-6), (torch.float64, 3e-15)]


def unit_vectors(n: int = 16, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn((n, 3), generator=generator, dtype=torch.float64)
    v[:3] = torch.eye(3, dtype=torch.float64)
    return v / v.norm(dim=-1, keepdim=True)


def vectors_of_all_regimes() -> Tensor:
    return torch.cat([angle * unit_vectors(seed=k) for k, angle in enumerate((*ANGLES, 4.0, 6.0))])


def test_hat_is_the_cross_product_and_vee_its_inverse() -> None:
    v, x = unit_vectors(seed=1), unit_vectors(seed=2)
    torch.testing.assert_close((so3.hat(v) @ x[..., None])[..., 0], torch.linalg.cross(v, x))
    assert torch.equal(so3.vee(so3.hat(v)), v)


def test_vee_takes_the_skew_part() -> None:
    v = unit_vectors()
    symmetric = v[..., None] * v[..., None, :]
    torch.testing.assert_close(so3.vee(so3.hat(v) + symmetric), v, atol=1e-15, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_exp_agrees_with_the_matrix_exponential(dtype: torch.dtype, tolerance: float) -> None:
    w = vectors_of_all_regimes().to(dtype)
    truth = torch.linalg.matrix_exp(so3.hat(w.double()))
    torch.testing.assert_close(so3.exp(w).double(), truth, atol=tolerance, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_exp_is_a_proper_rotation(dtype: torch.dtype, tolerance: float) -> None:
    rotation = so3.exp(vectors_of_all_regimes().to(dtype))
    identity = torch.eye(3, dtype=dtype).expand_as(rotation)
    torch.testing.assert_close(rotation @ rotation.mT, identity, atol=tolerance, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones_like(rotation[:, 0, 0]), atol=tolerance, rtol=0)


@pytest.mark.parametrize("theta", ANGLES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.float64, 1e-14)])
def test_log_inverts_exp(theta: float, dtype: torch.dtype, tolerance: float) -> None:
    w = (theta * unit_vectors()).to(dtype)
    rotation = so3.exp(w)
    back = so3.log(rotation)
    assert (back.norm(dim=-1) <= math.pi + tolerance).all()
    torch.testing.assert_close(so3.exp(back), rotation, atol=tolerance, rtol=0)
    torch.testing.assert_close(back.norm(dim=-1), w.norm(dim=-1), atol=tolerance, rtol=0)
    if theta < 3:  # beyond, float32 may have crossed the half turn; at π both signs are right
        torch.testing.assert_close(back, w, atol=tolerance * max(theta, 1e-30), rtol=tolerance)


def test_log_is_relatively_exact_at_tiny_angles() -> None:
    w = 1e-9 * unit_vectors()
    torch.testing.assert_close(so3.log(so3.exp(w)), w, rtol=1e-12, atol=0)


def test_log_near_half_turns_keeps_the_axis() -> None:
    w = (math.pi - 1e-9) * unit_vectors()
    torch.testing.assert_close(so3.log(so3.exp(w)), w, rtol=0, atol=1e-13)


def test_group_axioms() -> None:
    generator = torch.Generator().manual_seed(3)
    a, b, c = so3.random_rotations(30, generator=generator).reshape(3, 10, 3, 3)
    torch.testing.assert_close((a @ b) @ c, a @ (b @ c))
    torch.testing.assert_close(a @ so3.exp(-so3.log(a)), torch.eye(3, dtype=torch.float64).expand(10, 3, 3))
    conjugated = a @ so3.exp(so3.log(b)) @ a.mT
    torch.testing.assert_close(conjugated, so3.exp((a @ so3.log(b)[..., None])[..., 0]))


def test_one_parameter_subgroups() -> None:
    w = unit_vectors()
    torch.testing.assert_close(so3.exp(0.7 * w) @ so3.exp(2.1 * w), so3.exp(2.8 * w))


@pytest.mark.parametrize("theta", [*ANGLES, 4.0, 6.0])
def test_left_jacobian_is_the_derivative_of_exp(theta: float) -> None:
    w = theta * unit_vectors()[5]
    derivative = torch.autograd.functional.jacobian(so3.exp, w)  # (3, 3, 3): R_ij by w_k
    body = torch.einsum("ijk,lj->ilk", derivative, so3.exp(w))
    left = torch.stack([so3.vee(body[..., k]) for k in range(3)], dim=-1)
    torch.testing.assert_close(so3.left_jacobian(w), left, atol=1e-14, rtol=0)


def test_left_jacobian_inverse_and_determinant() -> None:
    w = vectors_of_all_regimes()
    jacobian = so3.left_jacobian(w)
    identity = torch.eye(3, dtype=torch.float64).expand_as(jacobian)
    torch.testing.assert_close(so3.left_jacobian_inverse(w) @ jacobian, identity, atol=1e-13, rtol=0)
    theta = w.norm(dim=-1).clamp(min=1e-12)
    truth = (2 * (theta / 2).sin() / theta).square()
    torch.testing.assert_close(torch.linalg.det(jacobian), truth, atol=1e-14, rtol=0)


def test_exp_of_sums_goes_through_the_left_jacobian() -> None:
    w, d = vectors_of_all_regimes(), 1e-5 * unit_vectors(160, seed=9)
    moved = so3.exp((so3.left_jacobian(w) @ d[..., None])[..., 0]) @ so3.exp(w)
    torch.testing.assert_close(so3.exp(w + d), moved, atol=2e-10, rtol=0)


@pytest.mark.parametrize("theta", [0.0, 1e-4, 0.05, 0.99, 1.01, 1.99, 2.01, math.pi, 5.0])
@pytest.mark.parametrize("function", [so3.exp, so3.left_jacobian, so3.left_jacobian_inverse])
def test_first_and_second_derivatives(function, theta: float) -> None:
    w = (theta * unit_vectors()[7:9]).requires_grad_()
    assert torch.autograd.gradcheck(function, w)
    assert torch.autograd.gradgradcheck(function, w)


@pytest.mark.parametrize("theta", [1e-3, 0.19, 0.21, 1.0, 3.0])
def test_derivatives_of_log(theta: float) -> None:
    w = (theta * unit_vectors()[7:9]).requires_grad_()

    def round_trip(v: Tensor) -> Tensor:
        return so3.log(so3.exp(v) @ so3.exp(0.1 * v.flip(-1)))

    assert torch.autograd.gradcheck(round_trip, w)
    assert torch.autograd.gradgradcheck(round_trip, w, atol=1e-4)


@pytest.mark.parametrize("theta", [0.0, math.pi])
def test_gradients_are_finite_at_identity_and_half_turns(theta: float) -> None:
    w = (theta * unit_vectors()).requires_grad_()
    for value in (so3.exp(w).sum(), so3.log(so3.exp(w)).square().sum(), so3.angle(so3.exp(w)).sum()):
        (gradient,) = torch.autograd.grad(value, w)
        assert torch.isfinite(gradient).all()


def test_log_of_exp_has_unit_derivative_at_the_identity() -> None:
    jacobian = torch.autograd.functional.jacobian(lambda w: so3.log(so3.exp(w)), torch.zeros(3, dtype=torch.float64))
    assert torch.equal(jacobian, torch.eye(3, dtype=torch.float64))


def test_random_rotations_are_uniform() -> None:
    rotations = so3.random_rotations(40_000, generator=torch.Generator().manual_seed(5))
    # Haar moments: E R = 0, E R_ij R_kl = δ_ik δ_jl / 3, E det = 1; the angle has density (1 - cos θ)/π.
    assert rotations.mean(0).abs().max() < 0.015
    second = torch.einsum("nij,nkl->ijkl", rotations, rotations) / len(rotations)
    eye = torch.eye(3, dtype=torch.float64)
    assert (second - torch.einsum("ik,jl->ijkl", eye, eye) / 3).abs().max() < 0.015
    angles = so3.angle(rotations)
    for theta in (0.5, 1.5, 2.5):
        assert (angles < theta).double().mean().item() == pytest.approx((theta - math.sin(theta)) / math.pi, abs=0.01)


def test_random_rotations_depend_on_the_seed_alone() -> None:
    state = torch.random.get_rng_state()
    first, second = (so3.random_rotations(5, generator=torch.Generator().manual_seed(8)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)
    single = so3.random_rotations(5, generator=torch.Generator().manual_seed(8), dtype=torch.float32)
    torch.testing.assert_close(single.double(), first, atol=1e-7, rtol=0)
    assert so3.random_rotations(0).shape == (0, 3, 3)


def test_project_returns_the_nearest_rotation() -> None:
    generator = torch.Generator().manual_seed(6)
    rotation = so3.random_rotations(20, generator=generator)
    noisy = rotation + 1e-3 * torch.randn((20, 3, 3), generator=generator, dtype=torch.float64)
    nearest = so3.project(noisy)
    torch.testing.assert_close(torch.linalg.det(nearest), torch.ones(20, dtype=torch.float64))
    # First-order condition: Rᵀ M is symmetric with a positive definite shape near R.
    product = nearest.mT @ noisy
    torch.testing.assert_close(product, product.mT, atol=1e-14, rtol=0)
    torch.testing.assert_close(so3.project(rotation), rotation, atol=1e-14, rtol=0)


def test_project_of_a_reflection_is_a_rotation() -> None:
    mirror = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))
    assert torch.linalg.det(so3.project(mirror)).item() == pytest.approx(1)


@pytest.mark.parametrize("theta", ANGLES)
def test_conversions_round_trip(theta: float) -> None:
    rotation = so3.exp(theta * unit_vectors())
    quaternion = so3.to_quaternion(rotation)
    assert (quaternion[:, 0] >= 0).all()
    torch.testing.assert_close(quaternion.norm(dim=-1), torch.ones(16, dtype=torch.float64))
    torch.testing.assert_close(so3.from_quaternion(quaternion), rotation, atol=1e-15, rtol=0)
    torch.testing.assert_close(so3.from_quaternion(-3 * quaternion), rotation, atol=1e-15, rtol=0)
    axis, angle = so3.to_axis_angle(rotation)
    torch.testing.assert_close(so3.from_axis_angle(5 * axis, angle), rotation, atol=2e-15, rtol=0)
    torch.testing.assert_close(angle, torch.full_like(angle, theta), atol=1e-14, rtol=0)
    torch.testing.assert_close(so3.angle(rotation), angle, atol=1e-14, rtol=0)


def test_every_pivot_of_the_quaternion_is_used() -> None:
    quaternions = torch.eye(4, dtype=torch.float64) * 0.9 + 0.1
    quaternions = quaternions / quaternions.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(so3.to_quaternion(so3.from_quaternion(quaternions)), quaternions)


def test_axis_of_the_identity_is_finite() -> None:
    axis, angle = so3.to_axis_angle(torch.eye(3))
    assert axis.tolist() == [1, 0, 0] and angle.item() == 0


@pytest.mark.parametrize("batch", [(), (0,), (2, 0, 3), (4,), (2, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batches_and_dtypes(batch: tuple[int, ...], dtype: torch.dtype) -> None:
    w = torch.zeros((*batch, 3), dtype=dtype)
    rotation = so3.exp(w)
    for result, trailing in (
        (rotation, (3, 3)),
        (so3.log(rotation), (3,)),
        (so3.left_jacobian(w), (3, 3)),
        (so3.left_jacobian_inverse(w), (3, 3)),
        (so3.to_quaternion(rotation), (4,)),
        (so3.from_quaternion(so3.to_quaternion(rotation)), (3, 3)),
        (so3.angle(rotation), ()),
        (so3.project(rotation), (3, 3)),
        (so3.to_axis_angle(rotation)[0], (3,)),
        (so3.vee(so3.hat(w)), (3,)),
    ):
        assert result.shape == (*batch, *trailing)
        assert result.dtype == dtype


def test_angles_broadcast_over_axes() -> None:
    rotations = so3.from_axis_angle(unit_vectors(4), torch.linspace(0, 1, 5, dtype=torch.float64)[:, None])
    assert rotations.shape == (5, 4, 3, 3)


def test_wrong_shapes_and_dtypes_say_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 3\), got \(2,\)"):
        so3.exp(torch.zeros(2))
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 3, 3\), got \(3, 4\)"):
        so3.log(torch.zeros(3, 4))
    with pytest.raises(TypeError, match="float32 or float64"):
        so3.exp(torch.zeros(3, dtype=torch.int64))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch.func's own import
def test_functions_can_be_mapped() -> None:
    w = unit_vectors()
    torch.testing.assert_close(torch.func.vmap(lambda v: so3.log(so3.exp(v)))(w), w)
    forward = torch.func.jacfwd(so3.exp)(w[4])
    torch.testing.assert_close(forward, torch.func.jacrev(so3.exp)(w[4]))
