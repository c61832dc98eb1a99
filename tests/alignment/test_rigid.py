"""The small numpy motions agree with the differentiable ones of `lieapp.lie`, at every angle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.rigid import (
    as_pose,
    pose_matrix,
    quaternion,
    random_rotations,
    rotation_angle,
    rotation_exp,
    rotation_log,
    split_pose,
    twist_exp,
    twist_log,
)
from lieapp.lie import se3, so3

ANGLES = [0.0, 1e-12, 1e-8, 1e-4, 1e-2, 0.1, 0.29, 0.31, 1.0, 2.0, 3.0, np.pi - 1e-3, np.pi - 1e-6, np.pi]


def axis(seed: int) -> NDArray[np.float64]:
    vector: NDArray[np.float64] = np.random.default_rng(seed).normal(size=3)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("angle", ANGLES)
def test_agrees_with_lie(angle: float) -> None:
    rng = np.random.default_rng(1)
    for seed in range(5):
        twist = np.concatenate([rng.normal(0.0, 40.0, 3), angle * axis(seed)])
        matrix = twist_exp(twist)
        expected = se3.exp(torch.tensor(twist)).numpy()
        np.testing.assert_allclose(matrix, expected, atol=1e-12)
        np.testing.assert_allclose(rotation_exp(twist[3:]), expected[:3, :3], atol=1e-14)
        np.testing.assert_allclose(rotation_log(matrix[:3, :3]), so3.log(torch.tensor(matrix[:3, :3])), atol=1e-9)
        np.testing.assert_allclose(twist_log(matrix), se3.log(torch.tensor(matrix)).numpy(), atol=1e-7)


@pytest.mark.parametrize("angle", ANGLES)
def test_log_and_exp_are_inverse(angle: float) -> None:
    for seed in range(5):
        twist = np.concatenate([[3.0, -40.0, 7.0], angle * axis(seed)])
        matrix = twist_exp(twist)
        again = twist_log(matrix)
        np.testing.assert_allclose(twist_exp(again), matrix, atol=1e-12)
        assert np.linalg.norm(again[3:]) <= np.pi + 1e-12
        assert rotation_angle(matrix[:3, :3]) == pytest.approx(angle, abs=1e-12)
        if angle < np.pi - 1e-7:
            np.testing.assert_allclose(again, twist, atol=1e-8)


def test_quaternion_of_every_pivot() -> None:
    for rotation in random_rotations(200, np.random.default_rng(2)):
        q = quaternion(rotation)
        assert q[0] >= 0.0
        assert q @ q == pytest.approx(1.0)
        np.testing.assert_allclose(so3.from_quaternion(torch.tensor(q)).numpy(), rotation, atol=1e-14)


def test_random_rotations_are_proper_and_uniform() -> None:
    rotations = random_rotations(20000, np.random.default_rng(3))
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (20000, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)
    # Uniform on SO(3): mean zero, and the angle has density (1 - cos) / pi.
    np.testing.assert_allclose(rotations.mean(axis=0), 0.0, atol=0.02)
    angles = np.array([rotation_angle(rotation) for rotation in rotations[:4000]])
    for limit in (1.0, 2.0, 3.0):
        assert (angles < limit).mean() == pytest.approx((limit - np.sin(limit)) / np.pi, abs=0.03)


def test_pose_by_hand_is_checked() -> None:
    pose = pose_matrix(rotation_exp([0.1, 0.2, 0.3]), [1.0, 2.0, 3.0])
    np.testing.assert_allclose(as_pose(pose.tolist()), pose, atol=1e-15)
    rotation, translation = split_pose(pose)
    np.testing.assert_array_equal(pose_matrix(rotation, translation), pose)
    rounded = as_pose(np.round(pose, 7))
    np.testing.assert_allclose(rounded[:3, :3] @ rounded[:3, :3].T, np.eye(3), atol=1e-15)
    mirrored = pose.copy()
    mirrored[:3, 0] *= -1.0
    scaled = pose.copy()
    scaled[:3, :3] *= 1.1
    projective = pose.copy()
    projective[3, 0] = 0.5
    for wrong, message in [
        (pose[:3], "shape"),
        (mirrored, "reflection"),
        (scaled, "rotation"),
        (projective, "last row"),
        (np.full((4, 4), np.nan), "finite"),
    ]:
        with pytest.raises(AlignmentError, match=message):
            as_pose(wrong)
