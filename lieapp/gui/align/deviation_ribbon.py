"""A thin ribbon along the sequence, coloured by the distance of every pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from lieapp.scene.colors import deviation_colors

__all__ = ["DeviationRibbon"]

_HEIGHT = 20
_MARGIN = 6


class DeviationRibbon(QWidget):
    """Deviation of every pair, in sequence order.

    Signals
    -------
    pair_hovered(int)
        Index of the pair under the mouse, -1 when it leaves.
    pair_clicked(int, bool)
        Index of the pair that was clicked; the flag tells whether Shift was held, or the mouse dragged.
    """

    pair_hovered = Signal(int)
    pair_clicked = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: Sequence[str] = ()
        self._values: NDArray[np.float64] = np.empty(0)
        self._image = QImage()
        self._marked = -1
        self._selected: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self.setMouseTracking(True)
        self.setFixedHeight(_HEIGHT + 2 * _MARGIN)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Deviation along the sequence")
        self.setAccessibleDescription("One stripe for every pair; its name and distance are in the tooltip.")

    def set_deviations(self, labels: Sequence[str], values: NDArray[np.float64]) -> None:
        """Show the deviations.

        Parameters
        ----------
        labels : sequence of str
            Name of every pair for people.
        values : ndarray, shape=(pairs,)
            Distances in Å.
        """
        self._labels, self._values = labels, np.asarray(values, dtype=float)
        if len(self._values):
            rgba = np.ascontiguousarray(np.round(deviation_colors(self._values) * 255), dtype=np.uint8)[None]
            self._image = QImage(
                rgba.tobytes(), rgba.shape[1], 1, rgba.shape[1] * 4, QImage.Format.Format_RGBA8888
            ).copy()
        else:
            self._image = QImage()
        self.update()

    def mark_pair(self, pair: int) -> None:
        """Outline one pair, or none for -1."""
        self._marked = pair
        self.update()

    def set_selected(self, pairs: NDArray[np.bool_]) -> None:
        """Underline these pairs, shape (pairs,)."""
        self._selected = pairs
        self.update()

    def pair_at(self, x: float) -> int:
        """Return the pair drawn at a horizontal position in pixels, -1 outside."""
        band = self._band()
        if not len(self._values) or not band.left() <= x <= band.right():
            return -1
        return min(int((x - band.left()) / band.width() * len(self._values)), len(self._values) - 1)

    def _band(self) -> QRect:
        return QRect(_MARGIN, _MARGIN, max(self.width() - 2 * _MARGIN, 1), _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        band = self._band()
        if self._image.isNull():
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(band, Qt.AlignmentFlag.AlignCenter, "deviation along the sequence")
            return
        painter.drawImage(band, self._image)
        # Pale parts would otherwise have no edge on a white card.
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(band.adjusted(-1, -1, 0, 0))
        if self._selected.any() and len(self._selected) == len(self._values):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], self._selected.astype(np.int8), [0]))))
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            width = band.width() / len(self._values)
            for begin, end in edges.reshape(-1, 2).tolist():
                left, right = (band.left() + round(k * width) for k in (begin, end))
                painter.drawRect(QRect(left, band.top() - 1, max(right - left, 2), band.height() + 1))
        if 0 <= self._marked < len(self._values):
            width = band.width() / len(self._values)
            left = band.left() + round(self._marked * width)
            painter.setPen(QColor(self.palette().color(QPalette.ColorRole.Text)))
            painter.drawRect(QRect(left, band.top() - 2, max(round(width), 2), band.height() + 3))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pair = self.pair_at(event.position().x())
        self.pair_hovered.emit(pair)
        if event.buttons() & Qt.MouseButton.LeftButton and pair >= 0:
            self.pair_clicked.emit(pair, True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.pair_clicked.emit(self.pair_at(event.position().x()), shift)

    def leaveEvent(self, event: QEvent) -> None:
        self.pair_hovered.emit(-1)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            pair = self.pair_at(event.pos().x())
            text = "" if pair < 0 else f"{self._labels[pair]}   {self._values[pair]:.2f} Å"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
