"""When a 3-D view paints: at most half of the time of its thread, simply in motion, finely at rest."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from lieapp.scene.body import Level
from lieapp.scene.molecular_scene import MolecularScene

__all__ = ["PaintPace"]

_SHORTEST_INTERVAL = 0.016
_COMPOSITION = 0.015
_REST_MILLISECONDS = 250
# A picture at rest is smoothed only where painting is quick enough not to be felt.
_SLOWEST_FINE, _SLOWEST_REFINED = 0.025, 0.060
# Where a busy machine paints this slowly in motion, the picture is simplified until it has caught up.
_HURRY_ABOVE, _CALM_BELOW = 0.030, 0.010


class PaintPace(QObject):
    """Lets a canvas paint, neither too often nor too seldom.

    Parameters
    ----------
    scene : MolecularScene
    can_paint : callable() -> bool
        Whether there is a canvas that is seen.
    paint : callable()
        Let the canvas paint.
    software : bool
        Whether a processor draws: then the picture is simplified in motion, and smoothed at rest.

    Attributes
    ----------
    times : deque of float
        Seconds that the latest paints took, to the end of the drawing.
    """

    def __init__(
        self,
        scene: MolecularScene,
        can_paint: Callable[[], bool],
        paint: Callable[[], object],
        *,
        software: bool,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.times: deque[float] = deque(maxlen=2000)
        self._scene = scene
        self._can_paint = can_paint
        self._paint = paint
        self._software = software
        self._dirty = False
        self._not_before = 0.0
        self._busy_since = 0.0
        self._took = 0.0
        self._refined_level: Level = "draft"
        self._hurry = False
        self._resting = False
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._paint_now)
        self._rest_timer = QTimer(self, singleShot=True)
        self._rest_timer.timeout.connect(self._refine)

    def request(self) -> None:
        """Take note that the picture is out of date; it is painted when there is time."""
        self._dirty = True
        self._rest_timer.stop()
        if not self._can_paint() or self._timer.isActive():
            return
        self._timer.start(max(0, int(1000 * (self._not_before - time.perf_counter()) + 0.999)))

    def resume(self) -> None:
        """Paint what was asked for while nothing was seen."""
        if self._dirty:
            self.request()

    def suspend(self) -> None:
        """Paint nothing that was asked for; it is not forgotten."""
        self._timer.stop()

    def stop(self) -> None:
        """Paint never again."""
        self._timer.stop()
        self._rest_timer.stop()

    def connect_to(self, canvas: Any) -> None:
        """Time the paints of a canvas, from before the scene draws to after it."""
        canvas.events.draw.connect(self._before_paint, position="first")
        canvas.events.draw.connect(self._after_paint, position="last")

    def _paint_now(self) -> None:
        if not self._dirty:
            return
        if time.perf_counter() < self._not_before:
            self.request()  # asked for while an earlier paint was on its way: that one has set a new time
        else:
            self._paint()

    def _before_paint(self, event: Any) -> None:
        self._busy_since = time.perf_counter()
        self._resting = self._resting and not self._dirty
        self._scene.hurried = self._hurry and not self._resting
        self._dirty = False

    def _after_paint(self, event: Any) -> None:
        took = self._took = time.perf_counter() - self._busy_since
        self.times.append(took)
        if self._software and not self._resting:
            latest = list(self.times)[-3:]
            if len(latest) == 3 and min(latest) > _HURRY_ABOVE:
                self._hurry = True
            elif max(latest) < _CALM_BELOW:
                self._hurry = False
        self._not_before = self._busy_since + max(2 * took, _SHORTEST_INTERVAL)
        # Qt has yet to put the picture onto the screen, which the next turn of the event loop comes after.
        QTimer.singleShot(0, self, self._on_shown)

    def _on_shown(self) -> None:
        # 3-D takes at most half of the time of this thread, whatever asks for it.
        now = time.perf_counter()
        busy = min(now - self._busy_since, 2 * self._took + _COMPOSITION)
        self._not_before = max(now + busy, self._busy_since + _SHORTEST_INTERVAL)
        if self._dirty:
            self.request()
        elif self._software:
            self._rest_timer.start(int(1000 * busy) + 1 if self._scene.refinements else _REST_MILLISECONDS)

    def _refine(self) -> None:
        """Smooth the edges while nothing moves."""
        if self._dirty or not self._can_paint() or not self.times:
            return
        usual = float(np.median(list(self.times)[-8:]))
        if self._scene.hurried:
            # At rest nothing may be missing, even if it takes one longer paint.
            self._resting = True
            self._paint()
            return
        if usual > _SLOWEST_REFINED:
            return
        if self._scene.refinements == 0:
            self._refined_level = "fine" if usual < _SLOWEST_FINE else "draft"
        if self._scene.refine(self._refined_level):
            self._resting = True
            self._paint()
