"""The six parameters against the differentiable Lie groups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from lieapp.alignment.parametrisation import Parametrisation
from lieapp.lie import se3, so3

KINDS = ("local", "se3", "so3xr3")
PIVOTS = ("centroid", "origin")
ALL = list(itertools.product(KINDS, PIVOTS))
ANGLES = (0.0, 1e-9, 1e-3, 0.5, 0.999, 1.001, 3.0, np.pi, 5.0)

RNG = np.random.default_rng(0)
MOBILE_CENTER, TARGET_CENTER = 30 * RNG.normal(size=3), 30 * RNG.normal(size=3)
START_ROTATION = so3.random_rotations(1, generator=torch.Generator().manual_seed(4))[0].numpy()
START_TRANSLATION = 10 * RNG.normal(size=3)


def make(kind, pivot) -> tuple[Parametrisation, np.ndarray]:
    parametrisation = Parametrisation(kind, pivot, MOBILE_CENTER, TARGET_CENTER, 15.0)
    return parametrisation, parametrisation.start(START_ROTATION, START_TRANSLATION)


def parameters_at(parametrisation: Parametrisation, theta: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    w = theta * axis / np.linalg.norm(axis)
    return np.concatenate([4 * rng.normal(size=3), parametrisation.unit * w])


def pose_by_lie(parametrisation: Parametrisation, parameters: Tensor) -> Tensor:
    """Rebuild the pose between the frames from lieapp.lie alone."""
    u, w = parameters[:3], parameters[3:] / parametrisation.unit
    if parametrisation.kind == "se3":
        return se3.exp(torch.cat((u, w)))
    if parametrisation.kind == "so3xr3":
        return se3.from_rotation_translation(so3.exp(w), u)
    anchor = parametrisation.state_dict()
    rotation, translation = torch.from_numpy(anchor["rotation"]), torch.from_numpy(anchor["translation"])
    step = se3.exp(torch.cat((u, w)))
    if parametrisation.pivot == "origin":
        return step @ se3.from_rotation_translation(rotation, translation)
    # About the moved centroid: shift it to the origin, step, shift it back.
    about = se3.from_rotation_translation(rotation, torch.zeros(3, dtype=torch.float64))
    moved = step @ about
    return se3.from_rotation_translation(moved[:3, :3], moved[:3, 3] + translation)


@pytest.mark.parametrize("theta", ANGLES)
@pytest.mark.parametrize(("kind", "pivot"), ALL)
def test_poses_agree_with_lie(kind: str, pivot: str, theta: float) -> None:
    parametrisation, _ = make(kind, pivot)
    parameters = parameters_at(parametrisation, theta)
    split = parametrisation.split(parameters.tolist())
    truth = pose_by_lie(parametrisation, torch.from_numpy(parameters)).numpy()
    np.testing.assert_allclose(split.rotation, truth[:3, :3], atol=2e-14)
    np.testing.assert_allclose(split.translation, truth[:3, 3], atol=2e-13)


@pytest.mark.parametrize(("kind", "pivot"), ALL)
def test_start_is_the_pose_that_was_asked_for(kind: str, pivot: str) -> None:
    parametrisation, parameters = make(kind, pivot)
    rotation, translation = parametrisation.pose(parameters.tolist())
    np.testing.assert_allclose(rotation, START_ROTATION, atol=1e-14)
    np.testing.assert_allclose(translation, START_TRANSLATION, atol=1e-12)


@pytest.mark.parametrize("theta", ANGLES)
@pytest.mark.parametrize(("kind", "pivot"), ALL)
def test_derivatives_agree_with_autograd(kind: str, pivot: str, theta: float) -> None:
    """Any smooth function of the pose will do: here the squared distance of a few points, and a cubic of it."""
    parametrisation, _ = make(kind, pivot)
    parameters = parameters_at(parametrisation, theta)
    rng = np.random.default_rng(8)
    points, goals = torch.from_numpy(rng.normal(size=(5, 3))), torch.from_numpy(rng.normal(size=(5, 3)))

    def function(x: Tensor) -> Tensor:
        d2 = (se3.act(pose_by_lie(parametrisation, x), points) - goals).square().sum(-1)
        return (d2 + 0.01 * d2**2).sum()

    x = torch.from_numpy(parameters).requires_grad_()
    (truth,) = torch.autograd.grad(function(x), x)
    second = torch.autograd.functional.hessian(function, x)

    split = parametrisation.split(parameters.tolist())
    z = points.numpy() @ split.rotation.T + split.arm
    r = z + split.shift - goals.numpy()
    d2 = (r * r).sum(1)
    pull, bend = 2 * (1 + 0.02 * d2), 4 * 0.02 * np.ones(5)
    n = np.concatenate([r, np.cross(z, r)], axis=1)
    first = pull @ n
    local = np.zeros((6, 6))
    for k in range(5):
        # Second derivatives of a point, written out: z + s + a_i x z, and a_i x (a_j x z).
        jacobian = np.concatenate([np.eye(3), -so3.hat(torch.from_numpy(z[k])).numpy()], axis=1)
        local += pull[k] * jacobian.T @ jacobian + bend[k] * np.outer(n[k], n[k])
        for i, j in itertools.product(range(3), repeat=2):
            a, b = np.eye(3)[i], np.eye(3)[j]
            local[3 + i, 3 + j] += pull[k] * r[k] @ np.cross(a, np.cross(b, z[k]))
    gradient = parametrisation.gradient(parameters.tolist(), first[:3], first[3:])
    scale = np.abs(truth.numpy()).max()
    np.testing.assert_allclose(gradient, truth.numpy(), atol=1e-12 * scale)
    hessian = parametrisation.hessian(parameters.tolist(), first[:3], first[3:], local)
    np.testing.assert_allclose(hessian, second.numpy(), atol=1e-11 * np.abs(second.numpy()).max())


@pytest.mark.parametrize("pivot", PIVOTS)
def test_reanchoring_keeps_the_pose(pivot: str) -> None:
    parametrisation, _ = make("local", pivot)
    parameters = parameters_at(parametrisation, 2.0).tolist()
    before = parametrisation.pose(parameters)
    assert parametrisation.reanchor(parameters)
    after = parametrisation.pose([0.0] * 6)
    np.testing.assert_allclose(after[0], before[0], atol=1e-14)
    np.testing.assert_allclose(after[1], before[1], atol=1e-12)


def test_ten_thousand_anchors_leave_a_rotation() -> None:
    parametrisation, _ = make("local", "centroid")
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        parametrisation.reanchor((10 * rng.normal(size=6)).tolist())
    rotation, _ = parametrisation.pose([0.0] * 6)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-15)


@pytest.mark.parametrize("kind", ["se3", "so3xr3"])
def test_global_kinds_are_not_reanchored(kind: str) -> None:
    parametrisation, parameters = make(kind, "centroid")
    assert not parametrisation.reanchor(parameters.tolist())


@pytest.mark.parametrize(("kind", "pivot"), ALL)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_values_beyond_all_bounds_give_nan_and_no_error(kind: str, pivot: str, bad: float) -> None:
    parametrisation, _ = make(kind, pivot)
    parameters = [0.0, 0.0, 0.0, 0.0, bad, 0.0]
    with np.errstate(all="ignore"):
        assert not np.isfinite(parametrisation.split(parameters).rotation).any()
        assert not np.isfinite(parametrisation.gradient(parameters, np.ones(3), np.ones(3))).any()
        assert not np.isfinite(parametrisation.hessian(parameters, np.ones(3), np.ones(3), np.eye(6))).any()
        assert not parametrisation.reanchor(parameters)


def test_centroid_pivot_turns_about_the_moved_centroid() -> None:
    parametrisation, parameters = make("local", "centroid")
    rotation, translation = parametrisation.pose(parameters.tolist())
    moved = rotation @ MOBILE_CENTER + translation
    rotation, translation = parametrisation.pose([0.0, 0.0, 0.0, 9.0, -4.0, 2.0])
    np.testing.assert_allclose(rotation @ MOBILE_CENTER + translation, moved, atol=1e-12)


def test_origin_pivot_turns_about_the_origin_of_the_file() -> None:
    parametrisation, _ = make("local", "origin")
    rotation, translation = parametrisation.pose([0.0, 0.0, 0.0, 0.3, -0.4, 0.2])
    turn = so3.exp(torch.tensor([0.3, -0.4, 0.2], dtype=torch.float64)).numpy()
    np.testing.assert_allclose(rotation, turn @ START_ROTATION, atol=1e-14)
    np.testing.assert_allclose(translation, turn @ START_TRANSLATION, atol=1e-13)


def test_a_single_point_has_no_radius_and_still_a_unit() -> None:
    assert Parametrisation("local", "centroid", MOBILE_CENTER, TARGET_CENTER, 0.0).unit == 1.0
