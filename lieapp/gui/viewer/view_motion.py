"""Going from one view to another in a quarter of a second, unless somebody takes the view elsewhere meanwhile."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEasingCurve, QVariantAnimation
from PySide6.QtWidgets import QApplication, QStyle, QWidget

from lieapp.scene.camera import Viewpoint

__all__ = ["ViewMotion", "Viewed"]

_MILLISECONDS = 250


class Viewed(Protocol):
    """What is looked at."""

    viewpoint: Viewpoint


class ViewMotion(QVariantAnimation):
    """Moves the viewpoint of a scene.

    Parameters
    ----------
    scene : Viewed
    widget : QWidget
        Shows the scene.

    Attributes
    ----------
    smooth : bool
        Move instead of jumping. Off where the system asks for less motion.
    """

    def __init__(self, scene: Viewed, widget: QWidget) -> None:
        super().__init__(widget, startValue=0.0, endValue=1.0, duration=_MILLISECONDS)
        self.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self.smooth = True
        self._scene, self._widget = scene, widget
        self._course: tuple[Viewpoint, Viewpoint, Viewpoint] | None = None  # from, to, and where it is now
        self.valueChanged.connect(self._go_on)

    def move_to(self, viewpoint: Viewpoint, *, seen: bool) -> None:
        """Go to another view; at once where nobody would see the way."""
        self.stop()
        animated = QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, self._widget) > 0
        if not (self.smooth and animated and seen):
            self._course = None
            self._scene.viewpoint = viewpoint
            return
        here = self._scene.viewpoint
        self._course = (here, viewpoint, here)
        self.start()

    def _go_on(self, part: float) -> None:
        if self._course is None:
            return
        start, end, latest = self._course
        if self._scene.viewpoint is not latest:
            self._course = None  # somebody else has taken the view elsewhere: it stays there
            self.stop()
            return
        view = start.towards(end, float(part))
        self._course = (start, end, view) if part < 1 else None
        self._scene.viewpoint = view
