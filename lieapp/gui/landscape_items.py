"""What lies on a landscape: stationary points by index, the dimer, and the key that names them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QSizePolicy, QStyleOptionGraphicsItem, QWidget

from lieapp.gui.slice_key import SliceKey

__all__ = ["CURVATURE_DOWN", "CURVATURE_UP", "DimerItem", "LandscapeKey", "PointItem", "PointKey", "draw_sign"]

CURVATURE_DOWN = "#B2182B"
"""Colour of a direction along which the landscape curves down."""
CURVATURE_UP = "#2166AC"
"""Colour of a direction along which it curves up."""

# The picture is the same on a light and on a dark window, so what lies on it is as well.
_WHITE, _INK = QColor("#FFFFFF"), QColor("#1B2430")
_SIZE = 8.0
_WORDS = {"minimum": "minimum", "saddle": "saddle", "maximum": "maximum", "degenerate": "undecided"}
_ARM = 34.0
_HEAD = 8.0


def draw_sign(painter: QPainter, place: QPointF, kind: str, index: int, font: QFont) -> None:
    """Draw the sign of a stationary point: a disc, a diamond or a square with its index; dotted where degenerate.

    Parameters
    ----------
    painter : QPainter
    place : QPointF
    kind : {"minimum", "saddle", "maximum", "degenerate"}
    index : int
        Number of directions that lead down.
    font : QFont
    """
    dotted = kind == "degenerate"
    painter.setPen(pg.mkPen(_INK, width=1.5, style=Qt.PenStyle.DotLine if dotted else Qt.PenStyle.SolidLine))
    painter.setBrush(_WHITE)
    x, y = place.x(), place.y()
    if kind == "minimum":
        painter.drawEllipse(place, _SIZE, _SIZE)
    elif kind == "maximum":
        painter.drawRect(QRectF(x - _SIZE + 1, y - _SIZE + 1, 2 * _SIZE - 2, 2 * _SIZE - 2))
    else:
        arm = 1.3 * _SIZE
        painter.drawPolygon(QPolygonF([QPointF(x, y - arm), QPointF(x + arm, y), QPointF(x, y + arm),
                                       QPointF(x - arm, y)]))  # fmt: skip
    painter.setFont(font)
    painter.setPen(_INK)
    text = "?" if dotted else str(index)
    painter.drawText(QRectF(x - _SIZE, y - _SIZE, 2 * _SIZE, 2 * _SIZE), Qt.AlignmentFlag.AlignCenter, text)


def _small(font: QFont) -> QFont:
    small = QFont(font)
    # The signs do not grow with the letters of the window, so these do not either.
    small.setPixelSize(11)
    return small


class PointItem(QGraphicsItem):
    """A stationary point, of the same size at any zoom.

    Parameters
    ----------
    kind : {"minimum", "saddle", "maximum", "degenerate"}
    index : int
    """

    def __init__(self, kind: str, index: int) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        # Below the paths: who passes a saddle is what one wants to see.
        self.setZValue(5)
        self.kind, self.index = kind, index

    def boundingRect(self) -> QRectF:
        return QRectF(-1.5 * _SIZE, -1.5 * _SIZE, 3 * _SIZE, 3 * _SIZE)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_sign(painter, QPointF(0.0, 0.0), self.kind, self.index, _small(QFont()))


class DimerItem(QGraphicsItem):
    """The direction of lowest curvature that an optimiser holds: a double-headed arrow, coloured by the sign of C.

    It lies on a layer in pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self._direction = QPointF(1.0, 0.0)
        self.curvature = math.nan
        self.labelled = False
        self._font = QFont()
        self._text_rect = QRectF()

    def set_font(self, font: QFont) -> None:
        """Take the font of the window."""
        self.prepareGeometryChange()
        self._font = QFont(font)
        self._font.setPointSizeF(max(font.pointSizeF() - 1.0, 6.0))
        self._text_rect = self._box()

    def set_dimer(self, direction: QPointF, curvature: float, *, labelled: bool) -> None:
        """Show a direction.

        Parameters
        ----------
        direction : QPointF
            On the screen, y down; of any length but zero.
        curvature : float
        labelled : bool
            Whether its value stands beside it.
        """
        length = math.hypot(direction.x(), direction.y())
        shown = QPointF(direction.x() / length, direction.y() / length), curvature, labelled
        if shown == (self._direction, self.curvature, self.labelled):
            return
        self.prepareGeometryChange()
        self._direction, self.curvature, self.labelled = shown
        # Qt asks for the bounds many times a frame.
        self._text_rect = self._box()
        self.update()

    @property
    def text(self) -> str:
        """What stands beside it."""
        return f"C {self.curvature:.3g}".replace("-", "−") if self.labelled and math.isfinite(self.curvature) else ""

    def _box(self) -> QRectF:
        metrics = QFontMetricsF(self._font)
        width, height = metrics.horizontalAdvance(self.text) + 8, metrics.height() + 2
        # Beside the upper end.
        tip = self._direction if self._direction.y() <= 0 else -self._direction
        left = tip.x() * _ARM + (6 if tip.x() >= 0 else -6 - width)
        return QRectF(left, tip.y() * _ARM - height / 2, width, height)

    def boundingRect(self) -> QRectF:
        reach = _ARM + _HEAD
        return QRectF(-reach, -reach, 2 * reach, 2 * reach).united(self._text_rect).adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        along = self._direction
        across = QPointF(-along.y(), along.x())
        color = QColor(CURVATURE_DOWN if self.curvature < 0 else CURVATURE_UP)
        for shade, width in ((_WHITE, 6.0), (color, 2.5)):
            painter.setPen(pg.mkPen(shade, width=width, cap=Qt.PenCapStyle.RoundCap))
            painter.drawLine(along * -_ARM, along * _ARM)
            for end in (1.0, -1.0):
                tip = along * (end * _ARM)
                for side in (1.0, -1.0):
                    painter.drawLine(tip, tip - along * (end * _HEAD) + across * (side * 0.6 * _HEAD))
        if self.text:
            painter.setFont(self._font)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(255, 255, 255, 225))
            painter.drawRoundedRect(self._text_rect, 3, 3)
            painter.setPen(color)
            painter.drawText(self._text_rect, Qt.AlignmentFlag.AlignCenter, self.text)


class LandscapeKey(SliceKey):
    """Which colour is which value, also where shades are no proportional scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: tuple[float, ...] = ()

    def set_scale(self, low: float, high: float, values: Sequence[float], shades: Sequence[float], title: str) -> None:
        """Show a range of values with marks at contour lines, given with their shades from 0 to 1."""
        self._values = tuple(values)
        self.set_values(0.0, 1.0, tuple(shades), title, maximised=False)
        self.setAccessibleName("Colour key of the landscape")
        self.setAccessibleDescription(f"{title} from {low:.4g} to {high:.4g}; dark is low, which is better")
        self.setToolTip(f"{title}: dark is low; marks are the contour lines, above the last everything looks the same")

    def texts(self) -> list[tuple[float, str]]:
        return [
            (shade, f"{value:.4g}".replace("-", "−")) for shade, value in zip(self._levels, self._values, strict=True)
        ]


class PointKey(QWidget):
    """Names the signs of stationary points and the colours of the dimer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Key of the signs")
        self._kinds: tuple[tuple[str, int], ...] = ()
        self._dimer = False

    def set_kinds(self, kinds: Sequence[tuple[str, int]], *, dimer: bool) -> None:
        """Show the signs of these kinds and indices, and the colours of the dimer if one is drawn."""
        if (tuple(kinds), dimer) == (self._kinds, self._dimer):
            return
        self._kinds, self._dimer = tuple(kinds), dimer
        words = [f"{_WORDS[kind]} (index {index})" for kind, index in self._kinds]
        self.setAccessibleDescription(", ".join(words))
        self.setToolTip(
            "Stationary points, with the number of directions that lead down from them. "
            "Arrows are dimers: red where the landscape curves down along them, blue where it curves up."
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(60, max(int(QFontMetricsF(self.font()).height()), 22) + 2)

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() - 1.0, 6.0))
        metrics = QFontMetricsF(font)
        muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
        middle, left = self.height() / 2, 14.0

        def write(text: str) -> None:
            nonlocal left
            painter.setFont(font)
            painter.setPen(muted)
            width = metrics.horizontalAdvance(text) + 2
            if left + width > self.width():
                return
            painter.drawText(QRectF(left, 0.0, width, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            left += width + 14

        for kind, index in self._kinds:
            draw_sign(painter, QPointF(left, middle), kind, index, _small(self.font()))
            left += 1.3 * _SIZE + 6
            write(_WORDS[kind])
        if self._dimer:
            for color, text in ((CURVATURE_DOWN, "dimer, C < 0"), (CURVATURE_UP, "C > 0")):
                painter.setPen(pg.mkPen(color, width=2.5))
                painter.drawLine(QPointF(left - 4, middle), QPointF(left + 14, middle))
                left += 20
                write(text)
        painter.end()
