"""The paths of all runs on a landscape, as one layer: each in its colour and dash, over a pale casing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lieapp.gui.landscape.track import Track
from lieapp.gui.pictures.view_layer import ViewLayer
from lieapp.gui.plots.curve import curve_pen, readable_color
from lieapp.gui.plots.paths import distinct_rows

__all__ = ["PathLayer", "on_picture"]

_MOST_DOTS = 150  # more would make a line of dots
_WIDTH, _CASING_WIDTH, _DOT = 2.0, 4.5, 4.5
_CASING = QColor(255, 255, 255, 210)
_APART = 0.5  # pixels: nearer points of a path cannot be told apart
_REACH = 0.5 * _CASING_WIDTH + 2.0
_WHITE = "#FFFFFF"


def on_picture(color: str) -> str:
    """Return the colour of a run on a picture, which is the same on light and on dark windows."""
    return readable_color(color, _WHITE)


class _Line:
    """A path in pixels. Only rows that came since the last time are looked at."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.color = ""
        self.path = QPainterPath()
        self.dots = QPolygonF()
        self.bounds = QRectF()
        self.pens: tuple[QPen, QPen, QPen] = (QPen(), QPen(), QPen())
        self._points: NDArray[np.float64] = np.empty((0, 2))
        self._read = 0
        self._dotted = False
        self._version = track.rewritten

    def forget(self) -> None:
        """Begin anew: all points are elsewhere."""
        self._points, self._read = np.empty((0, 2)), 0
        self._version = self.track.rewritten

    def set_color(self, color: str) -> bool:
        """Choose the colour, ``"#RRGGBB"``; return whether it is another one."""
        if color == self.color:
            return False
        self.color = color
        casing = pg.mkPen(_CASING, width=_CASING_WIDTH)
        dots = pg.mkPen(color, width=_DOT, cap=Qt.PenCapStyle.RoundCap)
        self.pens = casing, curve_pen(color, self.track.run.dash, _WIDTH), dots
        return True

    def extend(self, layer: ViewLayer) -> QRectF:
        """Take over what has been recorded; return which part of the picture that changes."""
        track = self.track
        anew = self._version != track.rewritten
        if anew:
            self.forget()
        pixels = layer.pixels(track.coordinates[self._read :])
        self._read = len(track.coordinates)
        known = len(self._points)
        rows = _rows_apart(pixels, self._points[-1] if known else None)
        if rows:
            self._points = np.concatenate((self._points, pixels[rows]))
        dotted = self._read <= _MOST_DOTS
        if len(self._points) == known and dotted == self._dotted and not anew:
            return QRectF()
        whole = anew or dotted != self._dotted or known == 0
        self._dotted = dotted
        shown = self._points[distinct_rows(self._points)]
        whole = whole or len(shown) < len(self._points)
        self.path = pg.arrayToQPath(shown[:, 0], shown[:, 1], connect="finite")
        finite = shown[np.isfinite(shown).all(axis=1)]
        self.dots = QPolygonF([QPointF(x, y) for x, y in finite.tolist()] if dotted else [])
        before_bounds, self.bounds = self.bounds, _bounds(finite)
        return self.bounds.united(before_bounds) if whole else _bounds(self._points[max(known - 1, 0) :])

    def draw(self, painter: QPainter) -> None:
        casing, line, dots = self.pens
        painter.strokePath(self.path, casing)
        painter.strokePath(self.path, line)
        if not self.dots.isEmpty():
            painter.setPen(dots)
            painter.drawPoints(self.dots)


class PathLayer(ViewLayer):
    """All paths. What has been drawn is kept as a picture, and a step more paints no more than its surroundings."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self.setZValue(1)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._lines: dict[Track, _Line] = {}
        self._raised: Track | None = None
        self._stale = False

    def show_tracks(self, tracks: Sequence[Track], raised: Track | None) -> None:
        """Draw these paths as far as they have come, one of them above the others."""
        for track in [track for track in self._lines if track not in tracks]:
            self.update(self._lines.pop(track).bounds)
        self._place_lines()
        for track in tracks:
            line = self._lines.get(track)
            if line is None:
                line = self._lines[track] = _Line(track)
            recolored = line.set_color(on_picture(track.run.color))
            changed = line.extend(self)
            if recolored:
                changed = line.bounds
            if not changed.isNull():
                self.update(changed)
        if raised is not self._raised:
            self._raised = raised
            self.update()

    def place_anew(self) -> None:
        # A view that is resized or zoomed changes several times before it is painted.
        self._stale = True

    def _place_lines(self) -> None:
        if self._stale:
            self._stale = False
            for line in self._lines.values():
                line.forget()
                line.extend(self)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        self._place_lines()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lines = sorted(self._lines.values(), key=lambda line: line.track is self._raised)
        for line in lines:
            if line.bounds.intersects(option.exposedRect):
                line.draw(painter)


def _rows_apart(pixels: NDArray[np.float64], last: NDArray[np.float64] | None) -> list[int]:
    """Return the rows at which a path has got on since the last row that was kept; of a gap only its beginning."""
    kept: list[int] = []
    x, y = (math.inf, math.inf) if last is None else last.tolist()
    for row, (here, there) in enumerate(pixels.tolist()):
        if math.isnan(here) or math.isnan(there):
            moved = not math.isnan(x)
            here = there = math.nan
        else:
            moved = not (abs(here - x) < _APART and abs(there - y) < _APART)
        if moved:
            kept.append(row)
            x, y = here, there
    return kept


def _bounds(points: NDArray[np.float64]) -> QRectF:
    """Return what lines through points cover, in pixels; null where none is anywhere."""
    finite = points[np.isfinite(points).all(axis=1)]
    if len(finite) == 0:
        return QRectF()
    (left, top), (right, bottom) = finite.min(axis=0).tolist(), finite.max(axis=0).tolist()
    return QRectF(left, top, right - left, bottom - top).adjusted(-_REACH, -_REACH, _REACH, _REACH)
