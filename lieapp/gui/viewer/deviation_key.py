"""The key to the colours of the scene: a small bar or a few patches in the corner of the 3-D view."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from lieapp.scene.coloring import COLOR_SCHEMES, Legend
from lieapp.scene.colors import DEVIATION_STOPS

__all__ = ["DEVIATION_LEGEND", "DeviationKey"]

_BAR_HEIGHT = 8
_PATCH = 10
_ROWS = 12
"""Patches under each other before the next column begins."""
_PAD = 6

_last = DEVIATION_STOPS[-1][0]
DEVIATION_LEGEND = Legend(
    "distance to partner",
    "gradient",
    tuple((stop / _last, color, f"{stop:g}" if stop < _last else f"≥ {stop:g} Å") for stop, color in DEVIATION_STOPS),
)


class DeviationKey(QWidget):
    """What the colours mean; at first those of the deviation, from blue over white to red."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Colour key")
        self._dark = False
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF() - 1.5, 7.0))
        self.setFont(font)
        self._legend = DEVIATION_LEGEND
        self.set_legend(DEVIATION_LEGEND)

    @property
    def legend(self) -> Legend:
        """What is shown."""
        return self._legend

    def set_legend(self, legend: Legend) -> None:
        """Show the key to other colours."""
        self._legend = legend
        if legend == DEVIATION_LEGEND:
            words = COLOR_SCHEMES["deviation"].description
        else:
            words = f"{legend.caption}: " + ", ".join(text for _, _, text in legend.entries if text)
        self.setAccessibleDescription(words)
        self.updateGeometry()
        self.update()

    def set_dark(self, on: bool) -> None:
        """Choose the colour of the writing for a dark or a light background."""
        self._dark = on
        self.update()

    def labels(self) -> tuple[str, ...]:
        """Return the writing at the stops or beside the patches."""
        return tuple(text for _, _, text in self._legend.entries if text)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        caption = metrics.horizontalAdvance(self._legend.caption)
        if self._legend.kind == "gradient":
            width = max(11 * metrics.averageCharWidth() * 2, caption + 24)
            return QSize(int(width), 2 * metrics.height() + _BAR_HEIGHT + 8)
        rows, columns = self._shape()
        return QSize(
            max(columns * self._column_width(), caption + 4) + 2 * _PAD, (rows + 1) * (metrics.height() + 2) + 4
        )

    def _shape(self) -> tuple[int, int]:
        """Return how many patches lie under each other and side by side."""
        columns = max(-(-len(self._legend.entries) // _ROWS), 1)
        return -(-len(self._legend.entries) // columns), columns

    def _column_width(self) -> int:
        metrics = QFontMetrics(self.font())
        return max((metrics.horizontalAdvance(text) for text in self.labels()), default=0) + _PATCH + 10

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._legend.kind == "gradient":
            self._paint_gradient(painter)
        else:
            self._paint_bands(painter)
        painter.end()

    @property
    def _ink(self) -> QColor:
        return QColor("#C3C8D0") if self._dark else QColor("#4A5260")

    @property
    def _rim(self) -> QColor:
        return QColor(255, 255, 255, 50) if self._dark else QColor(0, 0, 0, 50)

    def _paint_gradient(self, painter: QPainter) -> None:
        metrics = QFontMetrics(self.font())
        entries = self._legend.entries
        side = max((metrics.horizontalAdvance(entries[k][2]) for k in (0, -1)), default=0) / 2 + 2
        bar = QRectF(side, 1, self.width() - 2 * side, _BAR_HEIGHT)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for place, color, _ in entries:
            gradient.setColorAt(place, QColor(color))
        painter.setPen(self._rim)
        painter.setBrush(gradient)
        painter.drawRoundedRect(bar, 2, 2)
        painter.setPen(self._ink)
        top = bar.bottom() + 2
        for place, _, text in entries:
            if text:
                width = metrics.horizontalAdvance(text) + 4
                box = QRectF(bar.left() + bar.width() * place - width / 2, top, width, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        caption = QRectF(0, top + metrics.height() - 1, self.width(), metrics.height())
        painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, self._legend.caption)

    def _paint_bands(self, painter: QPainter) -> None:
        metrics = QFontMetrics(self.font())
        row = metrics.height() + 2
        painter.setPen(Qt.PenStyle.NoPen)
        # Chains beside the fit may run behind the names.
        painter.setBrush(QColor(27, 29, 33, 200) if self._dark else QColor(255, 255, 255, 215))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        painter.setPen(self._ink)
        painter.drawText(QRectF(_PAD, 0, self.width(), row), Qt.AlignmentFlag.AlignVCenter, self._legend.caption)
        rows, _ = self._shape()
        for index, (_, color, text) in enumerate(self._legend.entries):
            left, top = _PAD + index // rows * self._column_width(), (index % rows + 1) * row
            painter.setPen(self._rim)
            painter.setBrush(QColor(color))
            painter.drawRoundedRect(QRectF(left + 1, top + (row - _PATCH) / 2, _PATCH, _PATCH), 2, 2)
            painter.setPen(self._ink)
            box = QRectF(left + _PATCH + 7, top, self.width(), row)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
