"""A histogram of the values of a map with a line at the level of its contour, which can be dragged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from lieapp.gui.widgets.theme import theme
from lieapp.gui.widgets.words import with_minus

__all__ = ["LevelHistogram"]

_MARGIN = 6
_HANDLE = 5
_STEP, _PAGE = 1 / 200, 1 / 20


class LevelHistogram(QWidget):
    """Counts on a logarithmic scale; above the level in the colour of the contour.

    Attributes
    ----------
    level : float

    Signals
    -------
    level_moved(float), level_released(float)
        While the line is dragged or a key is held, and when it is let go.
    """

    level_moved = Signal(float)
    level_released = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.level = 0.0
        self._low, self._high = 0.0, 1.0
        self._heights: NDArray[np.float64] = np.zeros(1)
        self._color = "#5B8DB8"
        self._dragging = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName("Histogram of the map with the level of its contour")
        self.setToolTip("How often each value occurs, on a logarithmic scale. Drag the line, or use the arrow keys.")
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF() - 1.5, 7.0))
        self.setFont(font)
        theme().changed.connect(self.update)

    def set_histogram(self, minimum: float, maximum: float, counts: NDArray[np.int64]) -> None:
        """Show counts in equal bins between two values."""
        self._low, self._high = minimum, maximum
        heights = np.log1p(counts.astype(np.float64))
        self._heights = heights / max(float(heights.max()), 1e-9)
        self.update()

    def set_level(self, level: float) -> None:
        """Put the line at a level; no signal is emitted."""
        self.level = level
        self.setAccessibleDescription(f"Level {level:.4g}, values from {self._low:.4g} to {self._high:.4g}.")
        self.update()

    def set_color(self, color: str) -> None:
        """Choose the colour of what is above the level."""
        self._color = color
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 44 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(96, self.sizeHint().height())

    # -- hands ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragging = True
            self._move(self._level_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._move(self._level_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging and event.button() == Qt.MouseButton.LeftButton:
            self._dragging = False
            self.level_released.emit(self.level)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        shares = {keys.Key_Left: -_STEP, keys.Key_Right: _STEP, keys.Key_PageDown: -_PAGE, keys.Key_PageUp: _PAGE}
        share = shares.get(Qt.Key(event.key()))
        if share is None:
            super().keyPressEvent(event)
            return
        self._move(self.level + share * (self._high - self._low))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.level_released.emit(self.level)
        else:
            super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _move(self, level: float) -> None:
        self.set_level(min(max(level, self._low), self._high))
        self.level_moved.emit(self.level)

    # -- painting -------------------------------------------------------------------------------------------------

    def _plot(self) -> QRectF:
        below = self.fontMetrics().height()
        return QRectF(_MARGIN, _HANDLE, max(self.width() - 2 * _MARGIN, 1), max(self.height() - below - _HANDLE, 1))

    def x_of(self, level: float) -> float:
        """Return where a level lies, in pixels."""
        plot = self._plot()
        span = self._high - self._low
        share = (level - self._low) / span if span > 0 else 0.5
        return plot.left() + plot.width() * min(max(share, 0.0), 1.0)

    def _level_at(self, x: float) -> float:
        plot = self._plot()
        return self._low + (self._high - self._low) * min(max((x - plot.left()) / plot.width(), 0.0), 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, plot = theme().tokens, self._plot()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPolygonF([plot.bottomLeft()])
        width = plot.width() / len(self._heights)
        for index, height in enumerate(self._heights):
            top = plot.bottom() - (plot.height() - _HANDLE) * float(height)
            outline.append(QPointF(plot.left() + index * width, top))
            outline.append(QPointF(plot.left() + (index + 1) * width, top))
        outline.append(plot.bottomRight())
        painter.setPen(Qt.PenStyle.NoPen)
        x = self.x_of(self.level)
        for left, right, color in ((plot.left(), x, tokens.disabled), (x, plot.right(), self._color)):
            painter.setClipRect(QRectF(left, 0, right - left, self.height()))
            painter.setBrush(QColor(color))
            painter.drawPolygon(outline)
        painter.setClipping(False)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        ink = QColor(tokens.accent if self.hasFocus() else tokens.text)
        painter.setPen(QPen(ink, 2 if self.hasFocus() else 1.5))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawPolygon(QPolygonF([QPointF(x - _HANDLE, 0), QPointF(x + _HANDLE, 0), QPointF(x, 1.6 * _HANDLE)]))
        painter.setPen(QColor(tokens.muted))
        labels = QRectF(plot.left(), plot.bottom(), plot.width(), self.height() - plot.bottom())
        for end, side in ((self._low, Qt.AlignmentFlag.AlignLeft), (self._high, Qt.AlignmentFlag.AlignRight)):
            painter.drawText(labels, side | Qt.AlignmentFlag.AlignVCenter, with_minus(f"{end:.3g}"))
        painter.end()
