"""What is drawn on a slice: a smooth picture, axes of degrees, and small labelled marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPalette
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lieapp.gui.plots.axes import PlainAxis

__all__ = ["MarkItem", "Side", "SmoothImage", "TurnAxis"]

Side = Literal["left", "right", "above", "below"]
"""Where the label of a mark is."""

_TURN_STEPS = (180.0, 90.0, 45.0, 30.0, 15.0, 10.0, 5.0, 2.0, 1.0)
_DISC = 8.0
_CROSS = 9.0


class SmoothImage(pg.ImageItem):
    """An image whose values are interpolated where it is drawn larger than it is."""

    def paint(self, painter: QPainter, *rest: Any) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        super().paint(painter, *rest)


class TurnAxis(PlainAxis):
    """An axis that steps by parts of a right angle while it shows degrees."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.degrees = False
        self.limit = math.inf

    def set_degrees(self, on: bool, limit: float = math.inf) -> None:
        """Read places as degrees, or as any number; no tick lies beyond the limit, either way."""
        if (on, limit) != (self.degrees, self.limit):
            self.degrees, self.limit = on, limit
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Sequence[float]]]:
        low, high = sorted((minVal, maxVal))
        room = max(size / (3.5 * self._line_height()), 2.0)
        steps = [step for step in _TURN_STEPS if (high - low) / step <= room]
        if not self.degrees or not steps or not 3.0 <= high - low <= 1000.0:
            return [
                (spacing, [value for value in values if abs(value) <= self.limit * (1.0 + 1e-9)])
                for spacing, values in super().tickValues(minVal, maxVal, size)
            ]
        step = steps[-1]
        first, last = math.ceil(max(low, -self.limit) / step), math.floor(min(high, self.limit) / step)
        return [(step, [step * number for number in range(first, last + 1)])]


class MarkItem(QGraphicsItem):
    """A disc with a letter in it and a label beside it, of the same size at any zoom.

    Parameters
    ----------
    sign : str
        In the disc: the index of a critical point. Without one there is no disc.
    label : str
        Beside the disc; empty for none.
    faint : bool
        The disc has a dotted line, for what does not quite lie in the plane.
    cross : bool
        A cross instead of the disc, and the sign in the label: for a place where much else is drawn.
    """

    def __init__(self, sign: str, label: str, *, faint: bool = False, cross: bool = False) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(20)
        self.sign, self.faint, self.cross = sign, faint, cross
        self.label = f"{sign}: {label}" if cross and sign else label
        self._preferred: Side = "right"
        self._side: Side | None = "right"
        self._font = QFont()
        self._text, self._back = QColor("#000000"), QColor("#FFFFFF")

    def set_look(self, palette: QPalette, font: QFont) -> None:
        """Take the colours and the font of the window."""
        self.prepareGeometryChange()
        self._font = QFont(font)
        self._font.setPointSizeF(max(font.pointSizeF() - 1.0, 6.0))
        self._text = palette.color(QPalette.ColorRole.Text)
        self._back = palette.color(QPalette.ColorRole.Base)
        self.update()

    @property
    def preferred_side(self) -> Side:
        """Where the label is as long as there is room."""
        return self._preferred

    @property
    def side(self) -> Side | None:
        """Where the label is; None while it is left out."""
        return self._side

    def set_side(self, side: Side) -> None:
        """Choose where the label is best."""
        self._preferred = side
        self.show_label(side)

    def show_label(self, side: Side | None) -> None:
        """Put the label on a side, or leave it out."""
        if side != self._side:
            self.prepareGeometryChange()
            self._side = side
            self.update()

    def label_rect(self, side: Side | None = None) -> QRectF:
        """Return where the label is drawn, or would be on a side, in pixels about the disc."""
        side = side or self._side
        if not self.label or side is None:
            return QRectF()
        metrics = QFontMetricsF(self._font)
        width, height = metrics.horizontalAdvance(self.label) + 8, metrics.height() + 2
        away = _DISC + 3
        x, y = {
            "left": (-away - width, -height / 2),
            "right": (away, -height / 2),
            "above": (-width / 2, -away - height),
            "below": (-width / 2, away),
        }[side]
        return QRectF(x, y, width, height)

    def disc_rect(self) -> QRectF:
        """Return where the disc or the cross is drawn, in pixels."""
        half = _CROSS if self.cross else _DISC if self.sign else 6.0
        return QRectF(-half, -half, 2 * half, 2 * half)

    def boundingRect(self) -> QRectF:
        disc = QRectF(-_DISC - 2, -_DISC - 2, 2 * _DISC + 4, 2 * _DISC + 4)
        return disc.united(self.label_rect()).adjusted(-1, -1, 1, 1)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        if self.label and self._side is not None:
            back = QColor(self._back)
            back.setAlpha(215)
            box = self.label_rect()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(back)
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(self._text)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.label)
        if self.cross:
            for color, width in ((QColor("#FFFFFF"), 4.0), (QColor("#1B2430"), 1.5)):
                painter.setPen(pg.mkPen(color, width=width))
                painter.drawLine(QPointF(-_CROSS, 0.0), QPointF(_CROSS, 0.0))
                painter.drawLine(QPointF(0.0, -_CROSS), QPointF(0.0, _CROSS))
        elif self.sign:
            style = Qt.PenStyle.DotLine if self.faint else Qt.PenStyle.SolidLine
            painter.setPen(pg.mkPen(self._text, width=1.5, style=style))
            painter.setBrush(self._back)
            painter.drawEllipse(QPointF(0.0, 0.0), _DISC, _DISC)
            painter.setPen(self._text)
            disc = QRectF(-_DISC, -_DISC, 2 * _DISC, 2 * _DISC)
            painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, self.sign)
