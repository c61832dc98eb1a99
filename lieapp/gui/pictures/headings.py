"""Headings over pictures that stand side by side: the line of the run, its name, and what is said of it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPalette
from PySide6.QtWidgets import QWidget

from lieapp.gui.plots.curve import readable_color, sample_pen

__all__ = ["heading_height", "paint_heading", "small_font"]

_SWATCH = 26


def small_font(widget: QWidget) -> QFont:
    """Return the font of notes."""
    font = QFont(widget.font())
    font.setPointSizeF(max(font.pointSizeF() - 1.0, 7.0))
    return font


def _bold(widget: QWidget) -> QFont:
    font = QFont(widget.font())
    font.setBold(True)
    return font


def heading_height(widget: QWidget) -> float:
    """Return how high a heading is."""
    return QFontMetricsF(_bold(widget)).height() + QFontMetricsF(small_font(widget)).height()


def paint_heading(
    painter: QPainter,
    widget: QWidget,
    place: QRectF,
    title: str,
    note: str = "",
    color: str | None = None,
    dash: tuple[float, ...] = (),
    *,
    back: QColor | None = None,
) -> None:
    """Paint a heading of two lines, cut where it does not fit.

    Parameters
    ----------
    painter : QPainter
    widget : QWidget
        Whose font and colours are used.
    place : QRectF
    title, note : str
    color : str or None
        Of the line before the title; None for no line.
    dash : tuple of float
    back : QColor, optional
        Of the plate behind the words, where they lie over a picture.
    """
    palette = widget.palette()
    text, muted = (palette.color(role) for role in (QPalette.ColorRole.Text, QPalette.ColorRole.PlaceholderText))
    bold, small = QFontMetricsF(_bold(widget)), QFontMetricsF(small_font(widget))
    left = place.left()
    length = 0.0 if color is None else min(_SWATCH, place.width() / 4)
    indent = length + 6 if length else 0.0
    title = bold.elidedText(title, Qt.TextElideMode.ElideRight, max(place.width() - indent, 1.0))
    note = small.elidedText(note, Qt.TextElideMode.ElideRight, max(place.width(), 1.0))
    if back is not None:
        wide = max(indent + bold.horizontalAdvance(title), small.horizontalAdvance(note))
        high = bold.height() + (small.height() if note else 0.0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(left, place.top(), wide, high).adjusted(-5, -2, 5, 2), 4, 4)
        painter.restore()
    if color is not None:
        middle = place.top() + bold.height() / 2
        color = readable_color(color, palette.color(QPalette.ColorRole.Base).name())
        painter.setPen(sample_pen(color, dash, 2.0, length))
        painter.drawLine(QPointF(left, middle), QPointF(left + length, middle))
        left += indent
    second = place.top() + bold.height()
    for font, metrics, words, ink, x, y in (
        (_bold(widget), bold, title, text, left, place.top()),
        (small_font(widget), small, note, muted, place.left(), second),
    ):
        room = max(place.right() - x, 1.0)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(QRectF(x, y, room, metrics.height()), Qt.AlignmentFlag.AlignLeft, words)
