from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from lieapp.scene.camera import Viewpoint
from lieapp.scene.navigation import MOUSE_HABITS, Navigator
from tests.scene.builders import helix, rotation

Slot = Literal["mobile", "target"]


class Scene:
    """As much of a scene as a hand needs."""

    def __init__(self) -> None:
        self.viewpoint = Viewpoint.fitting(helix(30), aspect=1.48).turned(rotation(3))
        self.matrix = np.eye(4)

    @property
    def size(self) -> tuple[int, int]:
        return 740, 500

    def pose(self, slot: Slot, /) -> np.ndarray:
        return self.matrix.copy()

    def set_pose(self, slot: Slot, matrix: np.ndarray, /) -> None:
        self.matrix = matrix

    def points(self, slot: Slot, /) -> np.ndarray:
        return helix(30) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def pick_point(self, x: float, y: float, /) -> np.ndarray | None:
        return np.array([1.0, 2.0, 3.0]) if x < 100 else None


def _drag(navigator: Navigator, button: str, modifiers: tuple[str, ...] = ()) -> None:
    navigator.press(300, 200, button, modifiers)  # type: ignore[arg-type]
    for step in range(1, 11):
        navigator.move(300 + 6 * step, 200 + 4 * step)
    navigator.release(360, 240, modifiers)


@pytest.mark.parametrize("habit", list(MOUSE_HABITS))
def test_every_gesture_of_a_habit(habit: str) -> None:
    for (button, modifier), gesture in MOUSE_HABITS[habit].items():  # type: ignore[index]
        scene = Scene()
        before = scene.viewpoint
        _drag(Navigator(scene, habit=habit), button, (modifier,) if modifier else ())  # type: ignore[arg-type]
        after = scene.viewpoint
        turned = not np.allclose(after.rotation, before.rotation)
        moved = not np.allclose(after.center, before.center)
        zoomed = after.half_height != before.half_height
        assert (turned, moved, zoomed) == (gesture == "turn", gesture == "pan", gesture == "zoom")
        assert np.array_equal(scene.matrix, np.eye(4))


def test_turning_everything_needs_only_a_left_button() -> None:
    """On a trackpad: drag, with Shift, with Control."""
    gestures = {MOUSE_HABITS[habit][("left", held)] for habit in MOUSE_HABITS for held in ("", "shift", "control")}
    assert gestures == {"turn", "pan", "zoom"}


def test_a_click_is_not_a_drag() -> None:
    scene, clicks = Scene(), []
    navigator = Navigator(scene)
    navigator.on_click = lambda x, y, shift: clicks.append((x, y, shift))
    before = scene.viewpoint
    navigator.press(10, 20, "left", ("shift",))
    navigator.move(12, 21)
    navigator.release(12, 21, ("shift",))
    assert clicks == [(12, 21, True)]
    assert scene.viewpoint is before
    _drag(navigator, "left")
    assert len(clicks) == 1


def test_a_right_click_asks_for_a_menu_and_a_right_drag_does_not() -> None:
    scene, asked = Scene(), []
    navigator = Navigator(scene)
    navigator.on_menu = lambda x, y: asked.append((x, y))
    navigator.press(10, 20, "right")
    assert not asked
    navigator.release(10, 20)
    assert asked == [(10, 20)]
    _drag(navigator, "right")
    assert len(asked) == 1


def test_wheel_pinch_and_double_click() -> None:
    scene = Scene()
    navigator = Navigator(scene)
    start = scene.viewpoint.half_height
    navigator.wheel(1)
    assert scene.viewpoint.half_height < start
    navigator.wheel(-1)
    assert scene.viewpoint.half_height == pytest.approx(start)
    navigator.pinch(2.0)
    assert scene.viewpoint.half_height == pytest.approx(start / 2)
    navigator.pinch(0.0)
    assert scene.viewpoint.half_height == pytest.approx(start / 2)
    navigator.double_click(50, 50)
    assert scene.viewpoint.center.tolist() == [1, 2, 3]
    navigator.double_click(500, 50)
    assert scene.viewpoint.center.tolist() == [1, 2, 3]


def test_keys_turn_to_the_right_and_up() -> None:
    scene = Scene()
    navigator = Navigator(scene)
    front = scene.viewpoint.center + scene.viewpoint.rotation[2]
    navigator.turn(10, 0)
    seen = scene.viewpoint.project(front[None], (740, 500))[0]
    assert seen[0] > 370 and seen[1] == pytest.approx(250)
    scene = Scene()
    Navigator(scene).turn(0, 10)
    assert scene.viewpoint.project(front[None], (740, 500))[0][1] < 250


def test_by_hand_the_mobile_turns_about_its_middle_and_stays_rigid() -> None:
    scene, dragged, released = Scene(), [], []
    navigator = Navigator(scene)
    navigator.by_hand = True
    navigator.on_pose_dragged = dragged.append
    navigator.on_pose_released = released.append
    middle, view = scene.points("mobile").mean(axis=0), scene.viewpoint
    for _ in range(50):
        _drag(navigator, "left")
    assert scene.viewpoint is view
    np.testing.assert_allclose(scene.points("mobile").mean(axis=0), middle, atol=1e-8)
    turn = scene.matrix[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert len(dragged) == 500 and len(released) == 50
    np.testing.assert_array_equal(released[-1], scene.matrix)


def test_by_hand_a_shift_follows_the_pointer() -> None:
    scene = Scene()
    navigator = Navigator(scene)
    navigator.by_hand = True
    before = scene.viewpoint.project(scene.points("mobile"), (740, 500))
    _drag(navigator, "left", ("shift",))
    after = scene.viewpoint.project(scene.points("mobile"), (740, 500))
    np.testing.assert_allclose(after[:, :2] - before[:, :2], np.tile([60.0, 40.0], (30, 1)), atol=1e-6)
    np.testing.assert_allclose(after[:, 2], before[:, 2])


def test_by_hand_alt_and_wheel_still_move_the_view() -> None:
    scene = Scene()
    navigator = Navigator(scene)
    navigator.by_hand = True
    view = scene.viewpoint
    _drag(navigator, "left", ("alt",))
    assert not np.allclose(scene.viewpoint.rotation, view.rotation)
    navigator.wheel(1)
    assert scene.viewpoint.half_height < view.half_height
    assert np.array_equal(scene.matrix, np.eye(4))


def test_a_press_in_between_does_not_end_a_drag_twice() -> None:
    scene, released = Scene(), []
    navigator = Navigator(scene)
    navigator.by_hand = True
    navigator.on_pose_released = released.append
    navigator.release(5, 5)
    navigator.move(6, 6)
    assert not released and not navigator.dragging
