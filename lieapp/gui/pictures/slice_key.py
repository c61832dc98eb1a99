"""The key to the colours of a slice: an upright bar whose marks are the contour lines of the picture."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

__all__ = ["SliceKey", "evenly_apart", "slice_colors"]

_BAR = 12
_MAP = "viridis"


def slice_colors(maximised: bool) -> NDArray[np.uint8]:
    """Return 256 colours, shape=(256, 3), from the smallest value to the largest: the dark end is the better one."""
    table: NDArray[np.uint8] = pg.colormap.get(_MAP).getLookupTable(nPts=256, alpha=False)
    return table[::-1] if maximised else table


def evenly_apart(places: Sequence[float], least: float, first: float) -> range:
    """Return which marks of an upright bar get a number: all, or every second, or third, as far as there is room.

    Parameters
    ----------
    places : sequence of float
        Of the marks in pixels from the top, the lowest first.
    least : float
        Pixels between two numbers.
    first : float
        Pixels from the top above which a number would be cut.
    """
    count = sum(place >= first for place in places)
    for step in range(1, count):
        chosen = range((count - 1) % step // 2, count, step)
        if all(places[a] - places[b] >= least for a, b in itertools.pairwise(chosen)):
            return chosen
    return range(min(count, 1))


class SliceKey(QWidget):
    """Which colour is which value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Colour key of the slice")
        self._range = (0.0, 1.0)
        self._levels: Sequence[float] = ()
        self._title = ""
        self._maximised = False
        self._margins = (0, 0)

    def set_values(self, low: float, high: float, levels: Sequence[float], title: str, *, maximised: bool) -> None:
        """Show a range of values, with marks at the contour lines."""
        self._range, self._levels, self._title, self._maximised = (low, high), tuple(levels), title, maximised
        better = "large" if maximised else "small"
        self.setAccessibleDescription(f"{title} from {low:.4g} to {high:.4g}; dark is {better}, which is better")
        self.setToolTip(f"{title}: dark is better; marks are the contour lines")
        self.updateGeometry()
        self.update()

    def set_margins(self, top: int, bottom: int) -> None:
        """Align the bar with the picture beside it."""
        if (top, bottom) != self._margins:
            self._margins = (top, bottom)
            self.update()

    def texts(self) -> list[tuple[float, str]]:
        """Return the values that are written beside the bar, with their text."""
        levels = list(self._levels)
        if len(levels) > 1:
            digits = max(0, -int(np.floor(np.log10(levels[1] - levels[0]) + 1e-9)))
            # A step of 2.5 needs one digit more than its decade.
            if any(abs(round(level, digits) - level) > 1e-9 for level in levels):
                digits += 1
        else:
            digits = 2
        return [(level, f"{level:.{digits}f}") for level in levels]

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._font())
        widest = max((metrics.horizontalAdvance(text) for _, text in self.texts()), default=20.0)
        return QSize(int(_BAR + 6 + widest + metrics.height() + 8), 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width(), 40)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
        super().changeEvent(event)

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() - 1.0, 6.0))
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._title:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        metrics = QFontMetricsF(painter.font())
        top, bottom = self._margins
        bar = QRectF(1.0, top, _BAR, max(self.height() - top - bottom, 10))
        gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        colors = slice_colors(self._maximised)
        for index in range(0, 256, 15):
            gradient.setColorAt(index / 255, QColor(*(int(part) for part in colors[index])))
        palette = self.palette()
        painter.fillRect(bar, gradient)
        text = palette.color(QPalette.ColorRole.Text)
        low, high = self._range
        span = (high - low) or 1.0
        right = 0.0
        texts = self.texts()
        places = [bar.bottom() - (value - low) / span * bar.height() for value, _ in texts]
        numbered = evenly_apart(places, 1.05 * metrics.height(), 0.5 * metrics.height())
        for place, (y, (_, written)) in enumerate(zip(places, texts, strict=True)):
            painter.setPen(QColor(255, 255, 255, 190))
            painter.drawLine(int(bar.left()), round(y), int(bar.right()), round(y))
            width = metrics.horizontalAdvance(written)
            right = max(right, width)
            if place not in numbered:
                continue
            painter.setPen(text)
            box = QRectF(bar.right() + 4, y - metrics.height() / 2, width + 2, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, written)
        painter.setPen(text)
        painter.translate(bar.right() + 9 + right + metrics.height() / 2, bar.center().y())
        painter.rotate(-90)
        length = self.height()
        painter.drawText(
            QRectF(-length / 2, -metrics.height() / 2, length, metrics.height()),
            Qt.AlignmentFlag.AlignCenter,
            self._title,
        )
        painter.end()
