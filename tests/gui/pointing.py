"""A mouse that moves over plots without the real pointer, so that tests do not depend on where that is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from lieapp.gui.plots.card import PlotCard

__all__ = ["leave", "move_mouse", "pixel"]


def pixel(card: PlotCard, x: float, y: float) -> QPoint:
    """Return where a value is drawn, in pixels of the plot."""
    return card.plot.mapFromScene(card.view_box.mapViewToScene(QPointF(x, y)))


def move_mouse(widget: QWidget, place: QPoint, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """Move the mouse to a place of a widget; for a plot, of its viewport."""
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), QPointF(widget.mapToGlobal(place)),
                        Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(widget, event)


def leave(widget: QWidget) -> None:
    """Move the mouse out of a widget."""
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
