from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.camera import Viewpoint, principal_orientation, trackball_rotation
from tests.scene.builders import rotation

SIZE = (740.0, 500.0)


def _cloud(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(200, 3)) * [30, 12, 5] + [100, -40, 7]


def _through_matrices(view: Viewpoint, points: np.ndarray) -> np.ndarray:
    full = view.projection_matrix(SIZE[0] / SIZE[1]) @ view.view_matrix()
    clip = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ full.T
    return clip[:, :3] / clip[:, 3:]


@pytest.mark.parametrize("angle", [0.0, 30.0, 60.0])
def test_projection_agrees_with_the_matrices_of_the_card(angle: float) -> None:
    points = _cloud()
    view = Viewpoint.fitting(points, aspect=SIZE[0] / SIZE[1], field_of_view=angle).turned(rotation(4))
    device = _through_matrices(view, points)
    screen = view.project(points, SIZE)
    np.testing.assert_allclose(screen[:, 0], (device[:, 0] + 1) / 2 * SIZE[0], atol=1e-6)
    np.testing.assert_allclose(screen[:, 1], (1 - device[:, 1]) / 2 * SIZE[1], atol=1e-6)
    # Nothing is cut off by the near and far planes, and what is nearer gets the smaller depth.
    assert np.abs(device[:, 2]).max() <= 1
    order = np.argsort(screen[:, 2])
    assert np.all(np.diff(device[order, 2]) >= -1e-12)


@pytest.mark.parametrize("angle", [0.0, 30.0])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.5])
def test_a_fitted_view_holds_the_points_and_fills_the_picture(angle: float, aspect: float) -> None:
    size = (aspect * 400, 400.0)
    screen = Viewpoint.fitting(_cloud(), aspect=aspect, field_of_view=angle).project(_cloud(), size)
    assert (screen[:, :2] >= 0).all() and (screen[:, :2] <= size).all()
    filled = (screen.max(axis=0) - screen.min(axis=0))[:2] / size
    assert filled.max() > 0.6


def test_the_longest_axis_lies_across_and_the_shortest_in_depth() -> None:
    cloud = _cloud() @ rotation(9).T
    spread = np.ptp(cloud @ principal_orientation(cloud).T, axis=0)
    assert spread[0] > spread[1] > spread[2]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_a_turned_molecule_gives_the_same_picture(seed: int) -> None:
    cloud = np.random.default_rng(5).exponential(size=(60, 3)) * [30, 12, 5]
    turn = rotation(seed)
    first = cloud @ principal_orientation(cloud).T
    moved = cloud @ turn.T + 11
    second = moved @ principal_orientation(moved).T
    np.testing.assert_allclose(second - second.mean(axis=0), first - first.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.zeros((1, 3)), np.zeros((4, 3)), np.full((3, 3), np.nan)])
def test_degenerate_clouds_still_give_a_view(points: np.ndarray) -> None:
    view = Viewpoint.fitting(points, aspect=1.5)
    assert np.isfinite(view.projection_matrix(1.5)).all()
    assert np.linalg.det(view.rotation) == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(x0=st.floats(0, 740), y0=st.floats(0, 500), x1=st.floats(0, 740), y1=st.floats(0, 500))
def test_dragging_gives_rotations(x0: float, y0: float, x1: float, y1: float) -> None:
    turn = trackball_rotation((x0, y0), (x1, y1), SIZE)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(trackball_rotation((x1, y1), (x0, y0), SIZE), turn.T, atol=1e-9)


def test_the_front_follows_the_pointer() -> None:
    front = np.array([0.0, 0.0, 1.0])
    right = trackball_rotation((370, 250), (400, 250), SIZE) @ front
    down = trackball_rotation((370, 250), (370, 280), SIZE) @ front
    assert right[0] > 0.05 and abs(right[1]) < 1e-9
    assert down[1] < -0.05 and abs(down[0]) < 1e-9


def test_panning_moves_the_centre_by_exactly_the_pixels() -> None:
    view = Viewpoint.fitting(_cloud(), aspect=1.48).turned(rotation(2))
    before = view.project(view.center[None], SIZE)
    after = view.panned(30, -12, SIZE[1]).project(view.center[None], SIZE)
    np.testing.assert_allclose((after - before)[0, :2], [30, -12], atol=1e-9)


def test_zoom_enlarges_and_has_limits() -> None:
    view = Viewpoint.fitting(_cloud(), aspect=1.48)
    assert view.zoomed(2).half_height == pytest.approx(view.half_height / 2)
    assert view.zoomed(1e12).half_height > 0
    assert np.isfinite(view.zoomed(1e-12).half_height)


def test_many_turns_stay_a_rotation() -> None:
    view = Viewpoint.fitting(_cloud(), aspect=1.48)
    small = trackball_rotation((370, 250), (373, 251), SIZE)
    for _ in range(3000):
        view = view.turned(small)
    np.testing.assert_allclose(view.rotation @ view.rotation.T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_views_along_axes(axis: str) -> None:
    view = Viewpoint.fitting(_cloud(), aspect=1.48).along(axis)
    assert view.rotation[2]["xyz".index(axis)] == 1
    assert np.linalg.det(view.rotation) == pytest.approx(1)


def test_an_unknown_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="x, y or z"):
        Viewpoint.fitting(_cloud(), aspect=1.0).along("w")


def test_context_beyond_the_scene_is_not_clipped() -> None:
    view = Viewpoint.fitting(_cloud(), aspect=1.48)
    far = view.center + view.rotation[2] * 200.0
    view = replace(view, clip_radius=210.0)
    assert np.abs(_through_matrices(view, np.stack([far, 2 * view.center - far]))[:, 2]).max() <= 1


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), angle=st.sampled_from([0.0, 1e-9, 1e-4, 1.0, np.pi - 1e-9, np.pi]))
def test_the_way_to_another_view_turns_evenly_and_arrives(seed: int, angle: float) -> None:
    axis = np.random.default_rng(seed).normal(size=3)
    axis /= np.linalg.norm(axis)
    hat = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * hat + (1 - np.cos(angle)) * (hat @ hat)
    start = Viewpoint.fitting(_cloud(seed), aspect=1.5, rotation=rotation(seed))
    end = replace(start.zoomed(3.0).centered([1.0, 2.0, 3.0]), rotation=turn @ start.rotation)
    assert start.towards(end, 1.0) is end
    np.testing.assert_allclose(start.towards(end, 0.0).rotation, start.rotation, atol=1e-12)
    for part in (0.0, 0.25, 0.6):
        view = start.towards(end, part)
        np.testing.assert_allclose(view.rotation @ view.rotation.T, np.eye(3), atol=1e-9)
        cosine = (np.trace(view.rotation @ start.rotation.T) - 1) / 2
        assert np.arccos(np.clip(cosine, -1, 1)) == pytest.approx(part * angle, abs=2e-6)
        assert view.half_height == pytest.approx(start.half_height * (end.half_height / start.half_height) ** part)


def test_balls_are_seen_whichever_way_they_turn() -> None:
    cloud = _cloud()
    middle = cloud.mean(axis=0)
    reach = float(np.linalg.norm(cloud - middle, axis=1).max())
    view = Viewpoint.fitting(cloud, aspect=1.48, balls=[(middle, reach)])
    for seed in range(20):
        turned = (cloud - middle) @ rotation(seed).T + middle
        screen = view.project(turned, SIZE)
        assert (screen[:, :2] >= 0).all() and (screen[:, :2] <= SIZE).all()
