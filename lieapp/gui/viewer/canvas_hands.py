"""What hands do to the canvas: Qt's events of mouse, wheel, fingers and keys, given to the navigator of the scene."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent

from lieapp.scene.navigation import Button, Navigator

__all__ = ["CanvasHands"]

_HOVER_MILLISECONDS = 50
_KEY_DEGREES = 10.0
_BUTTONS: dict[Qt.MouseButton, Button] = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.MiddleButton: "middle",
    Qt.MouseButton.RightButton: "right",
}
_MODIFIERS = {
    Qt.KeyboardModifier.ShiftModifier: "shift",
    Qt.KeyboardModifier.ControlModifier: "control",
    Qt.KeyboardModifier.AltModifier: "alt",
}
_TURNS = {
    Qt.Key.Key_Left: (-_KEY_DEGREES, 0.0),
    Qt.Key.Key_Right: (_KEY_DEGREES, 0.0),
    Qt.Key.Key_Up: (0.0, _KEY_DEGREES),
    Qt.Key.Key_Down: (0.0, -_KEY_DEGREES),
}


class CanvasHands(QObject):
    """An event filter of the canvas. It takes events before vispy does: vispy's own ask Qt for deprecated things.

    Parameters
    ----------
    navigator : Navigator

    Signals
    -------
    pressed()
        A button went down on the canvas.
    rested(float, float)
        The pointer has stayed near this place for a moment, in pixels of the canvas.
    left()
        The pointer is on the canvas no more, or drags.
    """

    pressed = Signal()
    rested = Signal(float, float)
    left = Signal()

    def __init__(self, navigator: Navigator, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._navigator = navigator
        self._pointer: tuple[float, float] | None = None
        self._timer = QTimer(self, singleShot=True, interval=_HOVER_MILLISECONDS)
        self._timer.timeout.connect(self._rest)

    def stop(self) -> None:
        """Tell nothing any more."""
        self._timer.stop()

    def press_key(self, event: QKeyEvent) -> bool:
        """Turn or zoom by a key; return whether it was one of those."""
        key = Qt.Key(event.key())
        if key in _TURNS and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier):
            self._navigator.turn(*_TURNS[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._navigator.wheel(1.0)
        elif key == Qt.Key.Key_Minus:
            self._navigator.wheel(-1.0)
        else:
            return False
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            self._take_mouse(event)
            return True
        if isinstance(event, QWheelEvent):
            self._navigator.wheel((event.angleDelta().y() or event.angleDelta().x()) / 120)
            return True
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._navigator.pinch(1.0 + event.value())
            return True
        if isinstance(event, QContextMenuEvent) and event.reason() == QContextMenuEvent.Reason.Mouse:
            return True  # comes with the press on some systems: the navigator asks on release, if nothing was dragged
        if event.type() == QEvent.Type.Leave:
            self._set_pointer(None)
        return super().eventFilter(watched, event)

    def _take_mouse(self, event: QMouseEvent) -> None:
        kind, navigator = event.type(), self._navigator
        x, y = event.position().x(), event.position().y()
        modifiers = tuple(name for modifier, name in _MODIFIERS.items() if event.modifiers() & modifier)
        button = _BUTTONS.get(event.button())
        if kind == QEvent.Type.MouseMove:
            if navigator.dragging:
                navigator.move(x, y)
            else:
                self._set_pointer((x, y))
        elif button is not None and kind == QEvent.Type.MouseButtonPress:
            self.pressed.emit()
            self._set_pointer(None)
            navigator.press(x, y, button, modifiers)
        elif kind == QEvent.Type.MouseButtonRelease:
            navigator.release(x, y, modifiers)
        elif kind == QEvent.Type.MouseButtonDblClick and button == "left":
            navigator.double_click(x, y)

    def _set_pointer(self, pointer: tuple[float, float] | None) -> None:
        self._pointer = pointer
        if pointer is None:
            self._timer.stop()
            self.left.emit()
        elif not self._timer.isActive():
            self._timer.start()

    def _rest(self) -> None:
        if self._pointer is not None:
            self.rested.emit(*self._pointer)
