"""What mouse, wheel and fingers do to the view, whichever toolkit reports them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.camera import Viewpoint, trackball_rotation

__all__ = ["MOUSE_HABITS", "Button", "Gesture", "Habit", "Navigable", "Navigator"]

Button = Literal["left", "middle", "right"]
Gesture = Literal["turn", "pan", "zoom"]
Habit = Literal["chimerax", "pymol"]

MOUSE_HABITS: dict[Habit, dict[tuple[str, str], Gesture]] = {
    "chimerax": {
        ("left", ""): "turn",
        ("left", "shift"): "pan",
        ("left", "control"): "zoom",
        ("middle", ""): "pan",
        ("right", ""): "pan",
        ("right", "shift"): "zoom",
    },
    "pymol": {
        ("left", ""): "turn",
        ("left", "shift"): "pan",
        ("left", "control"): "zoom",
        ("middle", ""): "pan",
        ("right", ""): "zoom",
    },
}
"""Button and modifier of a drag, and what it does."""

_CLICK_SLACK = 4.0
_WHEEL_STEP = 1.12
_ZOOM_DRAG = 0.008


class Navigable(Protocol):
    """What a navigator needs of a scene."""

    viewpoint: Viewpoint

    @property
    def size(self) -> tuple[int, int]: ...

    def pose(self, slot: Literal["mobile", "target"], /) -> NDArray[np.float64]: ...

    def set_pose(self, slot: Literal["mobile", "target"], matrix: NDArray[np.float64], /) -> None: ...

    def points(self, slot: Literal["mobile", "target"], /) -> NDArray[np.float64]: ...

    def pick_point(self, x: float, y: float, /) -> NDArray[np.float64] | None: ...


@dataclass
class _Drag:
    button: Button
    gesture: Gesture
    start: tuple[float, float]
    last: tuple[float, float]
    moved: bool = False
    by_hand: bool = False


class Navigator:
    """Turns pointer events into views, or into poses of the mobile while it is moved by hand.

    Parameters
    ----------
    scene : MolecularScene
    habit : {"chimerax", "pymol"}

    Attributes
    ----------
    by_hand : bool
        Drags move the mobile instead of the view; with Alt held they still move the view.
    on_click : callable(x, y, shift), optional
        A press and release of the left button at one place.
    on_menu : callable(x, y), optional
        The same of the right button: a drag of it moves the view, so a menu must wait for the release.
    on_move_to : callable(Viewpoint), optional
        Takes a view that lies elsewhere, to go there smoothly; without it the scene jumps.
    on_pose_dragged, on_pose_released : callable(matrix), optional
        The mobile's pose, shape (4, 4), during and at the end of a drag by hand.
    """

    def __init__(self, scene: Navigable, *, habit: Habit = "chimerax") -> None:
        self._scene = scene
        self.habit: Habit = habit
        self.by_hand = False
        self.on_click: Callable[[float, float, bool], None] | None = None
        self.on_menu: Callable[[float, float], None] | None = None
        self.on_move_to: Callable[[Viewpoint], None] | None = None
        self.on_pose_dragged: Callable[[NDArray[np.float64]], None] | None = None
        self.on_pose_released: Callable[[NDArray[np.float64]], None] | None = None
        self._drag: _Drag | None = None

    @property
    def dragging(self) -> bool:
        """Whether a button is held."""
        return self._drag is not None

    def press(self, x: float, y: float, button: Button, modifiers: Collection[str] = ()) -> None:
        """A button went down at logical pixels, y down; modifiers are ``"shift"``, ``"control"``, ``"alt"``."""
        held = "shift" if "shift" in modifiers else "control" if "control" in modifiers else ""
        table = MOUSE_HABITS[self.habit]
        gesture = table.get((button, held)) or table.get((button, ""))
        if gesture is not None:
            by_hand = self.by_hand and "alt" not in modifiers and gesture != "zoom"
            self._drag = _Drag(button, gesture, (x, y), (x, y), by_hand=by_hand)

    def move(self, x: float, y: float) -> None:
        """Move the pointer."""
        drag = self._drag
        if drag is None:
            return
        if not drag.moved and np.hypot(x - drag.start[0], y - drag.start[1]) < _CLICK_SLACK:
            return
        drag.moved = True
        last, drag.last = drag.last, (x, y)
        if drag.by_hand:
            self._move_mobile(drag.gesture, last, (x, y))
        else:
            self._move_view(drag.gesture, last, (x, y))

    def release(self, x: float, y: float, modifiers: Collection[str] = ()) -> None:
        """Let the button go."""
        drag, self._drag = self._drag, None
        if drag is None:
            return
        if not drag.moved:
            if drag.button == "left" and self.on_click is not None:
                self.on_click(x, y, "shift" in modifiers)
            elif drag.button == "right" and self.on_menu is not None:
                self.on_menu(x, y)
        elif drag.by_hand and self.on_pose_released is not None:
            self.on_pose_released(self._scene.pose("mobile"))

    def wheel(self, steps: float) -> None:
        """Zoom in by `steps` notches; negative ones zoom out."""
        self._scene.viewpoint = self._scene.viewpoint.zoomed(_WHEEL_STEP**steps)

    def pinch(self, factor: float) -> None:
        """Enlarge by a factor."""
        if factor > 0:
            self._scene.viewpoint = self._scene.viewpoint.zoomed(factor)

    def double_click(self, x: float, y: float) -> None:
        """Put what lies under the pointer into the middle."""
        point = self._scene.pick_point(x, y)
        if point is not None:
            self.move_to(self._scene.viewpoint.centered(point))

    def move_to(self, viewpoint: Viewpoint) -> None:
        """Go to another view, smoothly if somebody sees to it."""
        if self.on_move_to is not None:
            self.on_move_to(viewpoint)
        else:
            self._scene.viewpoint = viewpoint

    def turn(self, across: float, up: float, roll: float = 0.0) -> None:
        """Turn the scene by angles in degrees, for keys: to the right, upwards, and about the line of sight."""
        a, b, c = np.radians([across, -up, roll])
        about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        self._scene.viewpoint = self._scene.viewpoint.turned(about_z @ about_x @ about_y)

    def _move_view(self, gesture: Gesture, last: tuple[float, float], now: tuple[float, float]) -> None:
        view, size = self._scene.viewpoint, self._scene.size
        if gesture == "turn":
            self._scene.viewpoint = view.turned(trackball_rotation(last, now, size))
        elif gesture == "pan":
            self._scene.viewpoint = view.panned(now[0] - last[0], now[1] - last[1], size[1])
        else:
            self._scene.viewpoint = view.zoomed(float(np.exp(-_ZOOM_DRAG * (now[1] - last[1]))))

    def _move_mobile(self, gesture: Gesture, last: tuple[float, float], now: tuple[float, float]) -> None:
        view, size = self._scene.viewpoint, self._scene.size
        points = self._scene.points("mobile")
        if not len(points):
            return
        step = np.eye(4)
        if gesture == "turn":
            eye = view.rotation
            turn = eye.T @ trackball_rotation(last, now, size) @ eye
            pivot = points.mean(axis=0)
            step[:3, :3] = turn
            step[:3, 3] = pivot - turn @ pivot
        else:
            scale = view.angstrom_per_pixel(size[1])
            step[:3, 3] = view.rotation.T @ np.array([(now[0] - last[0]) * scale, -(now[1] - last[1]) * scale, 0.0])
        pose = step @ self._scene.pose("mobile")
        # Thousands of small turns must stay a rotation.
        u, _, vt = np.linalg.svd(pose[:3, :3])
        pose[:3, :3] = u @ vt
        self._scene.set_pose("mobile", pose)
        if self.on_pose_dragged is not None:
            self.on_pose_dragged(pose)
