"""A line of text that changes many times a second."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

__all__ = ["QuietLabel"]

_NARROWEST, _ROOM = 24, 4


class QuietLabel(QLabel):
    """A label that asks for room only for a text longer than all before: else each would lay out the window again.

    Where there is no room it is cut with an ellipsis, and the whole text is its tooltip.

    Attributes
    ----------
    short : str
        What is shown instead of a text for which there is no room; empty for the text, cut.

    Parameters
    ----------
    text : str, optional
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = text
        self._widest = 0
        self.short = ""

    def text(self) -> str:
        """The whole text."""
        return self._line

    def setText(self, text: str) -> None:
        if text == self._line:
            return
        self._line = text
        self._set_tip()
        if self.fontMetrics().horizontalAdvance(text) > self._widest:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics, margins = self.fontMetrics(), self.contentsMargins()
        self._widest = max(self._widest, metrics.horizontalAdvance(self._line))
        return QSize(self._widest + _ROOM + margins.left() + margins.right(), self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:
        margins = self.contentsMargins()
        return QSize(_NARROWEST, self.fontMetrics().height() + margins.top() + margins.bottom())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._widest = 0
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_tip()

    def _set_tip(self) -> None:
        cut = self.fontMetrics().horizontalAdvance(self._line) > self.contentsRect().width()
        if cut or self.toolTip():
            self.setToolTip(self._line if cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        place, metrics = self.contentsRect(), self.fontMetrics()
        fits = metrics.horizontalAdvance(self._line) <= place.width()
        text = self._line if fits else self.short or self._line
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(place, self.alignment(), shown)
