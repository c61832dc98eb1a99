from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.screw import helix_arrow, helix_path, screw_motion
from tests.scene.builders import rotation
from tests.scene.meshes import assert_watertight, signed_volume


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), angle=st.floats(-3.1, 3.1), shift=st.floats(-30, 30))
def test_the_way_keeps_its_distance_from_the_axis_and_ends_where_the_motion_ends(
    seed: int, angle: float, shift: float
) -> None:
    rng = np.random.default_rng(seed)
    point, direction, start = rng.normal(size=(3, 3)) * [[5], [1], [20]]
    path = helix_path(point, direction, angle, shift, start)
    axis = direction / np.linalg.norm(direction)
    arm = path - point
    across = arm - np.outer(arm @ axis, axis)
    np.testing.assert_allclose(np.linalg.norm(across, axis=1), np.linalg.norm(across[0]), atol=1e-9)
    np.testing.assert_allclose(path[0], start, atol=1e-12)
    assert (path[-1] - start) @ axis == pytest.approx(shift, abs=1e-9)
    cosine = across[0] @ across[-1] / (across[0] @ across[0])
    assert cosine == pytest.approx(np.cos(angle), abs=1e-9)


@pytest.mark.parametrize(("angle", "shift"), [(2.0, 5.0), (0.0, 12.0), (3.1, 0.0), (-1.0, -3.0), (0.2, 0.0)])
def test_the_arrow_is_made_of_closed_pieces(angle: float, shift: float) -> None:
    mesh = helix_arrow(helix_path([0, 0, 0], [0, 0, 1], angle, shift, [15, 0, 0]))
    assert_watertight(mesh)
    assert signed_volume(mesh) > 0
    assert np.isfinite(mesh.normals).all()


def test_no_motion_is_no_arrow() -> None:
    assert len(helix_arrow(helix_path([0, 0, 0], [0, 0, 1], 0.0, 0.0, [15, 0, 0])).faces) == 0


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_a_transform_is_its_screw_motion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation(seed), rng.normal(size=3) * 20
    motion = screw_motion(pose)
    assert 0 <= motion.angle <= np.pi
    assert motion.point @ motion.direction == pytest.approx(0, abs=1e-6)
    for start in rng.normal(size=(3, 3)) * 30:
        path = helix_path(motion.point, motion.direction, motion.angle, motion.translation, start)
        np.testing.assert_allclose(path[-1], pose[:3, :3] @ start + pose[:3, 3], atol=1e-6)


def test_a_shift_and_nothing_at_all_have_an_axis_too() -> None:
    shift = np.eye(4)
    shift[:3, 3] = [0, 3, 4]
    motion = screw_motion(shift)
    assert motion.angle == 0 and motion.translation == pytest.approx(5)
    np.testing.assert_allclose(motion.direction, [0, 0.6, 0.8])
    still = screw_motion(np.eye(4))
    assert still.translation == 0 and np.linalg.norm(still.direction) == 1
    half_turn = screw_motion(np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert half_turn.angle == pytest.approx(np.pi) and abs(half_turn.direction[2]) == pytest.approx(1)
