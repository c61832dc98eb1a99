"""Thin lines through the mouse, and the values of the curves there, over a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen, QRegion
from PySide6.QtWidgets import QWidget

from lieapp.gui.plots.look import fitted_font, least_legible

__all__ = ["Crosshair", "Reading"]

_DISTANCE = 14  # of the box from the mouse, in pixels
_SAMPLE = 22  # length of the sample of a line, in pixels
_SPACE = 6
_WIDEST_SHARE = 0.62  # of the plot, for letters larger than those of the window


@dataclass(frozen=True)
class Reading:
    """What one curve holds under the crosshair.

    Attributes
    ----------
    name : str
        Name of the curve.
    value : str
        Its value with unit.
    pen : QPen or None
        How the curve is drawn.
    place : QPointF or None
        Where the value is drawn, in pixels of the plot; None if it is out of sight.
    near : bool
        Whether this is the curve that the mouse is on.
    """

    name: str
    value: str
    pen: QPen | None = None
    place: QPointF | None = None
    near: bool = False


class Crosshair(QWidget):
    """An overlay that lets the mouse through and paints itself without touching what is below.

    Parameters
    ----------
    parent : QWidget
        Viewport of the plot.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewport = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.mouse: QPointF | None = None
        self.heading = ""
        self.readings: tuple[Reading, ...] = ()
        self._area = QRect()
        self._box = QRect()
        self._opaque = False
        self._palette, self._font, self._fitted = QPalette(), QFont(), QFont()
        self.hide()

    def set_look(self, palette: QPalette, font: QFont) -> None:
        """Paint with these colours and this font."""
        self._palette, self._font = QPalette(palette), QFont(font)
        self.update()

    def point(
        self,
        mouse: QPointF,
        area: QRect,
        heading: str,
        readings: Sequence[Reading],
        avoid: QRect | None = None,
    ) -> None:
        """Show the lines and the values.

        Parameters
        ----------
        mouse : QPointF
            Where the lines cross, in pixels of the plot.
        area : QRect
            Where curves are drawn: the lines end at its border.
        heading : str
            Value of the abscissa.
        readings : sequence of Reading
        avoid : QRect, optional
            What the values should not stand on, such as the legend.
        """
        before = self._region()
        self.mouse, self._area, self.heading, self.readings = mouse, area, heading, tuple(readings)
        self._box = self._place_box(avoid or QRect())
        # Letters under letters cannot be read, pale as they may be.
        self._opaque = avoid is not None and self._box.intersects(avoid)
        if self.isHidden():
            self.setGeometry(self._viewport.rect())
            self.show()
            self.raise_()
        # Only where something was or is: the curves below have to be painted again there.
        self.update(before.united(self._region()))

    def clear(self) -> None:
        """Take it away."""
        if self.mouse is not None:
            self.mouse, self.readings = None, ()
            self.hide()

    @property
    def box(self) -> QRect:
        """Where the values stand, in pixels of the plot."""
        return self._box

    def text(self) -> str:
        """Return what it says, one line for each curve."""
        return "\n".join([self.heading, *(f"{reading.name}  {reading.value}" for reading in self.readings)])

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _size(self, font: QFont) -> QSize:
        bold = QFont(font)
        bold.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetricsF(bold)
        samples = _SAMPLE + _SPACE if any(each.pen is not None for each in self.readings) else 0
        names = max((metrics.horizontalAdvance(each.name) for each in self.readings), default=0.0)
        values = max((metrics.horizontalAdvance(each.value) for each in self.readings), default=0.0)
        width = max(samples + names + 2 * _SPACE + values, metrics.horizontalAdvance(self.heading))
        height = metrics.height() * (len(self.readings) + 1)
        return QSize(round(width) + 2 * _SPACE, round(height) + 2 * _SPACE)

    def _place_box(self, avoid: QRect) -> QRect:
        """Return where the values cover neither what they tell about nor the legend, near the mouse."""
        assert self.mouse is not None
        widest = _WIDEST_SHARE * self._area.width()
        size = QSize()

        def fits(font: QFont) -> bool:
            nonlocal size
            size = self._size(font)
            return size.width() <= widest

        self._fitted = fitted_font(self._font, least_legible(self.font()), fits)
        if self._fitted.pointSizeF() < self._font.pointSizeF():
            size = self._size(self._fitted)
        room = self._area if size.width() <= self._area.width() else self._viewport.rect()
        x, y = round(self.mouse.x()), round(self.mouse.y())
        rightmost, lowest = room.right() - size.width(), room.bottom() - size.height()
        dots = [reading.place.toPoint() for reading in self.readings if reading.place is not None]
        best, least = QRect(), float("inf")
        # Beside the mouse first.
        for left in (x + _DISTANCE, x - _DISTANCE - size.width(), room.left(), rightmost):
            for top in (y - _DISTANCE - size.height(), y + _DISTANCE, room.top(), lowest):
                corner = QPoint(max(min(left, rightmost), room.left()), max(min(top, lowest), room.top()))
                box = QRect(corner, size)
                wide = box.adjusted(-5, -5, 5, 5)
                covered = 3 * sum(wide.contains(dot) for dot in dots)
                covered += 4 * wide.contains(x, y) + 2 * box.intersects(avoid)
                if covered == 0:
                    return box
                if covered < least:
                    best, least = box, covered
        return best

    def _region(self) -> QRegion:
        if self.mouse is None:
            return QRegion()
        x, y = round(self.mouse.x()), round(self.mouse.y())
        region = QRegion(self._box.adjusted(-1, -1, 1, 1))
        region += QRect(x - 1, self._area.top(), 3, self._area.height())
        region += QRect(self._area.left(), y - 1, self._area.width(), 3)
        for reading in self.readings:
            if reading.place is not None:
                region += QRect(round(reading.place.x()) - 6, round(reading.place.y()) - 6, 12, 12)
        return region

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.mouse is None:
            return
        role = QPalette.ColorRole
        text, muted = self._palette.color(role.Text), self._palette.color(role.PlaceholderText)
        painter = QPainter(self)
        x, y = round(self.mouse.x()) + 0.5, round(self.mouse.y()) + 0.5
        painter.setPen(QPen(muted, 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, self._area.top()), QPointF(x, self._area.bottom()))
        painter.drawLine(QPointF(self._area.left(), y), QPointF(self._area.right(), y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        base = self._palette.color(role.Base)
        for reading in self.readings:
            if reading.place is not None and reading.pen is not None:
                painter.setPen(QPen(base, 1.5))
                painter.setBrush(reading.pen.color())
                painter.drawEllipse(reading.place, 4.5, 4.5)
        self._paint_box(painter, text, muted, base)

    def _paint_box(self, painter: QPainter, text: QColor, muted: QColor, base: QColor) -> None:
        back = QColor(base)
        back.setAlpha(255 if self._opaque else 235)
        painter.setPen(QPen(self._palette.color(QPalette.ColorRole.Mid), 1.0))
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(self._box).adjusted(0.5, 0.5, -0.5, -0.5), 4.0, 4.0)
        plain, bold = self._fitted, QFont(self._fitted)
        bold.setWeight(QFont.Weight.DemiBold)
        inside = QRectF(self._box).adjusted(_SPACE, _SPACE, -_SPACE, -_SPACE)
        line = inside.height() / (len(self.readings) + 1)
        row = QRectF(inside.left(), inside.top(), inside.width(), line)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(plain)
        painter.setPen(muted)
        painter.drawText(row, left | middle, self.heading)
        for reading in self.readings:
            row.translate(0.0, line)
            name = QRectF(row)
            if reading.pen is not None:
                pen = QPen(reading.pen)
                pen.setCosmetic(False)
                painter.setPen(pen)
                painter.drawLine(QPointF(row.left(), row.center().y()),
                                 QPointF(row.left() + _SAMPLE, row.center().y()))  # fmt: skip
                name.setLeft(row.left() + _SAMPLE + _SPACE)
            painter.setFont(bold if reading.near else plain)
            painter.setPen(text)
            painter.drawText(name, left | middle, reading.name)
            painter.drawText(row, right | middle, reading.value)
