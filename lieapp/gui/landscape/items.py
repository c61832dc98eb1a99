"""What lies on a landscape: stationary points by index, the dimer, and the start."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lieapp.gui.pictures.view_layer import ViewLayer
from lieapp.scene.colors import CURVATURE_DOWN, CURVATURE_UP

__all__ = [
    "NUMBERED",
    "SIGN_SIZE",
    "DimerItem",
    "PointItem",
    "StartLabel",
    "StartRing",
    "draw_sign",
    "sign_font",
    "sign_radius",
    "sign_scales",
]

# The picture is the same on a light and on a dark window, so what lies on it is as well.
_WHITE, _INK = QColor("#FFFFFF"), QColor("#1B2430")
SIGN_SIZE = 8.0
"""Half of the width of a disc, in pixels."""
_DIAMOND = 1.3  # of the size, from the middle to a corner
_ARM = 34.0
_HEAD = 8.0
_SCALES = ((2.3, 1.0), (1.7, 0.75), (0.0, 0.5))
"""From how far away, in sizes of a sign, the nearest other one may be, to the scale of both."""
_TWO_DIGITS = 0.72  # of the size of one, so that they stay within the sign
NUMBERED = 0.7
"""Scale from which on the index of a sign can be read, and is written."""


def sign_radius(kind: str, scale: float = 1.0) -> float:
    """Return how far a sign reaches from its middle, in pixels."""
    reach = {"minimum": SIGN_SIZE, "maximum": math.sqrt(2.0) * (SIGN_SIZE - 1.0)}
    return scale * reach.get(kind, _DIAMOND * SIGN_SIZE)


def sign_scales(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how large signs are drawn, shape=(signs,): smaller where they would cover one another.

    Parameters
    ----------
    places : ndarray, shape=(signs, 2), dtype=float64
        In pixels.
    """
    away = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(away, np.inf)
    nearest = away.min(axis=1, initial=np.inf)
    scales = np.empty(len(places))
    for least, scale in reversed(_SCALES):
        scales[nearest >= least * SIGN_SIZE] = scale
    return scales


def draw_sign(painter: QPainter, place: QPointF, kind: str, index: int, font: QFont, scale: float = 1.0) -> None:
    """Draw the sign of a stationary point: a disc, a diamond or a square with its index; dotted where degenerate.

    Parameters
    ----------
    painter : QPainter
    place : QPointF
    kind : {"minimum", "saddle", "maximum", "degenerate"}
    index : int
        Number of directions that lead down.
    font : QFont
    scale : float, optional
        Without its index below `NUMBERED`.
    """
    dotted = kind == "degenerate"
    size = scale * SIGN_SIZE
    painter.setPen(pg.mkPen(_INK, width=1.5, style=Qt.PenStyle.DotLine if dotted else Qt.PenStyle.SolidLine))
    painter.setBrush(_WHITE)
    x, y = place.x(), place.y()
    if kind == "minimum":
        painter.drawEllipse(place, size, size)
    elif kind == "maximum":
        half = scale * (SIGN_SIZE - 1.0)
        painter.drawRect(QRectF(x - half, y - half, 2 * half, 2 * half))
    else:
        arm = _DIAMOND * size
        painter.drawPolygon(QPolygonF([QPointF(x, y - arm), QPointF(x + arm, y), QPointF(x, y + arm),
                                       QPointF(x - arm, y)]))  # fmt: skip
    if scale < NUMBERED:
        return
    text = "?" if dotted else str(index)
    font = QFont(font)
    font.setPixelSize(round(scale * font.pixelSize() * (1.0 if len(text) < 2 else _TWO_DIGITS)))
    painter.setFont(font)
    painter.setPen(_INK)
    painter.drawText(
        QRectF(x - SIGN_SIZE, y - SIGN_SIZE, 2 * SIGN_SIZE, 2 * SIGN_SIZE), Qt.AlignmentFlag.AlignCenter, text
    )


def sign_font(font: QFont) -> QFont:
    """Return the font of the index in a sign."""
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

    Attributes
    ----------
    scale_drawn : float
        See `sign_scales`.
    """

    def __init__(self, kind: str, index: int) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        # Below the paths: who passes a saddle is what one wants to see.
        self.setZValue(5)
        self.kind, self.index, self.scale_drawn = kind, index, 1.0

    def set_scale(self, scale: float) -> None:
        """Draw it smaller where signs are crowded."""
        if scale != self.scale_drawn:
            self.scale_drawn = scale
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-1.5 * SIGN_SIZE, -1.5 * SIGN_SIZE, 3 * SIGN_SIZE, 3 * SIGN_SIZE)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw_at(painter, QPointF(0.0, 0.0))

    def draw_at(self, painter: QPainter, place: QPointF) -> None:
        """Draw its sign somewhere."""
        draw_sign(painter, place, self.kind, self.index, sign_font(QFont()), self.scale_drawn)


class StartRing(QGraphicsItem):
    """Where runs start on a plane: an open ring, so that the sign of a saddle within it can be read."""

    _RADIUS = 14.0

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(4)
        self.setToolTip("Where the runs start")

    def boundingRect(self) -> QRectF:
        reach = self._RADIUS + 3.0
        return QRectF(-reach, -reach, 2 * reach, 2 * reach)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_WHITE, 5.0), (_INK, 2.0)):
            painter.setPen(pg.mkPen(color, width=width))
            painter.drawEllipse(QPointF(0.0, 0.0), self._RADIUS, self._RADIUS)


class StartLabel(ViewLayer):
    """The word beside the start, wherever there is room for it.

    Parameters
    ----------
    box : ViewBox
    """

    _GAP = 10.0  # pixels from the middle of the ring

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self.setZValue(4)
        self.setVisible(False)
        self._font = QFont()
        self._place = (0.0, 0.0)
        self._gap = self._GAP
        self._signs: tuple[PointItem, ...] = ()
        self.text = "start"

    def set_font(self, font: QFont) -> None:
        """Take the font of the window."""
        self._font = QFont(font)
        self.update()

    def set_signs(self, signs: Sequence[PointItem]) -> None:
        """Keep clear of these signs where that can be done."""
        self._signs = tuple(signs)
        self.update()

    def set_place(self, x: float, y: float, gap: float = _GAP) -> None:
        """Stand beside a place, in units of the axes, at a distance in pixels."""
        if ((x, y), gap) != (self._place, self._gap):
            self._place, self._gap = (x, y), gap
            self.update()

    @property
    def rect(self) -> QRectF:
        """Where the word is written, in pixels of the view: at the upper right, or where it covers fewer signs."""
        metrics = QFontMetricsF(self._font)
        width, height = metrics.horizontalAdvance(self.text) + 8.0, metrics.height() + 2.0
        x, y = self.pixels(np.array([self._place]))[0].tolist()
        view = self.boundingRect()
        right, left, middle = x + self._gap, x - self._gap - width, x - 0.5 * width
        above, below = y - self._gap - 0.5 * height, y + self._gap - 0.5 * height
        over, under = y - self._gap - height, y + self._gap
        corners = ((right, above), (right, below), (left, above), (left, below), (middle, over), (middle, under))
        places = self.pixels(np.array([(sign.pos().x(), sign.pos().y()) for sign in self._signs]).reshape(-1, 2))
        # What the start itself is on lies within its ring.
        signs = [(a, b) for a, b in places.tolist() if math.hypot(a - x, b - y) > SIGN_SIZE]

        def faults(place: QRectF) -> tuple[bool, int]:
            near = place.adjusted(-SIGN_SIZE, -SIGN_SIZE, SIGN_SIZE, SIGN_SIZE)
            return not view.contains(place), sum(near.contains(QPointF(*sign)) for sign in signs)

        best = min((QRectF(*corner, width, height) for corner in corners), key=faults)
        best.moveLeft(max(min(best.left(), view.right() - width), view.left()))
        best.moveTop(max(min(best.top(), view.bottom() - height), view.top()))
        return best

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        rect = self.rect
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 225))
        painter.drawRoundedRect(rect, 3, 3)
        painter.setFont(self._font)
        painter.setPen(_INK)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.text)


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
