"""Where the runs are on a landscape, all at the cost of the one that is shown: a dot, and a dimer if there is one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from lieapp.gui.landscape.items import NUMBERED, DimerItem, PointItem, sign_radius
from lieapp.gui.landscape.paths import on_picture
from lieapp.gui.landscape.track import Track
from lieapp.gui.pictures.view_layer import ViewLayer
from lieapp.gui.runs.entry import RunEntry

__all__ = ["CursorMarks"]

_RIM = QColor("#FFFFFF")
_RIM_WIDTH = 2.0
_CURRENT_SIZE, _SIZE = 13.0, 10.0
_CURRENT_RING, _RING = 4.5, 3.0  # width of what is seen of a dot around a sign
_ON_SIGN = 4.0  # pixels between a dot and the middle of a sign below which one cannot be told from the other


class _Sign(NamedTuple):
    """The sign of a stationary point, by pixels of the view."""

    item: PointItem
    x: float
    y: float


class _Spot(NamedTuple):
    """A dot, by pixels of the view; on the sign of a stationary point it lies around and beneath the sign."""

    x: float
    y: float
    size: float
    color: str
    sign: _Sign | None = None

    @property
    def rect(self) -> QRectF:
        half = 0.5 * self.size + _RIM_WIDTH
        return QRectF(self.x - half, self.y - half, 2 * half, 2 * half)


class CursorMarks(ViewLayer):
    """Dots and dimers at the shared cursor.

    Parameters
    ----------
    box : ViewBox

    Attributes
    ----------
    dimers : dict
        By the id of the run.
    spots : tuple of (x, y, size, color, sign)
        In pixels of the view, the current one last; with the sign that it would cover.
    """

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self.setZValue(3)
        self._font = QFont()
        self._shown: tuple[object, ...] | None = None  # None: whatever is drawn is out of date
        self._signs: tuple[PointItem, ...] = ()
        self._start: tuple[float, float] | None = None
        self._sign_places: NDArray[np.float64] | None = None
        self.spots: tuple[_Spot, ...] = ()
        self.dimers: dict[str, DimerItem] = {}

    def set_signs(self, signs: Sequence[PointItem], start: tuple[float, float] | None = None) -> None:
        """Keep the numbers of these signs readable where a run comes to rest, and where all of them start."""
        self._signs, self._sign_places, self._shown = tuple(signs), None, None
        self._start = start
        self.update()

    @property
    def any_dimer(self) -> bool:
        """Whether a dimer is drawn."""
        return any(item.isVisible() for item in self.dimers.values())

    def show_frame(self, tracks: Mapping[str, Track], run: RunEntry | None, frame: int, *, with_dimers: bool) -> bool:
        """Draw a frame of the current run, and the other runs at the same cost; return whether anything changed.

        Parameters
        ----------
        tracks : mapping of str to Track
            Paths by the id of their run.
        run : RunEntry or None
            The current one.
        frame : int
        with_dimers : bool
            Whether directions mean anything on this picture.
        """
        places = _places(tracks, run, frame)
        if tuple(places) == self._shown:
            return False
        self._shown = tuple(places)
        spots, shown = [], set()
        for identifier, row, current in places:
            track = tracks[identifier]
            x, y = self.pixels(track.coordinates[row : row + 1])[0].tolist()
            size = _CURRENT_SIZE if current else _SIZE
            sign = self._sign_at(x, y)
            if sign is not None:
                ring = _CURRENT_RING if current else _RING
                size = 2.0 * (sign_radius(sign.item.kind, sign.item.scale_drawn) + ring)
            spots.append(_Spot(x, y, size, on_picture(track.run.color), sign))
            if with_dimers and self._show_dimer(track, int(track.frames[row]), QPointF(x, y), current=current):
                shown.add(identifier)
        self._set_spots(tuple(spots))
        for identifier, item in self.dimers.items():
            item.setVisible(identifier in shown)
        return True

    def forget(self, identifier: str) -> None:
        """Take away what belongs to a run."""
        self._shown = None
        item = self.dimers.pop(identifier, None)
        if item is not None:
            self.scene().removeItem(item)

    def set_font(self, font: QFont) -> None:
        """Take the font of the window."""
        self._font, self._shown = QFont(font), None
        for item in self.dimers.values():
            item.set_font(font)

    def place_anew(self) -> None:
        # The same places after a zoom or a shift are seen elsewhere.
        self._shown = self._sign_places = None

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._start is not None:
            begun = self._sign_at(*self.pixels(np.array([self._start]))[0].tolist())
            if begun is not None:
                begun.item.draw_at(painter, QPointF(begun.x, begun.y))
        rim = pg.mkPen(_RIM, width=_RIM_WIDTH)
        for spot in self.spots:
            if spot.rect.intersects(option.exposedRect):
                painter.setBrush(QColor(spot.color))
                painter.setPen(rim)
                painter.drawEllipse(QPointF(spot.x, spot.y), 0.5 * spot.size, 0.5 * spot.size)
                if spot.sign is not None:
                    spot.sign.item.draw_at(painter, QPointF(spot.sign.x, spot.sign.y))

    def _places_of_signs(self) -> NDArray[np.float64]:
        if self._sign_places is None:
            places = [(sign.pos().x(), sign.pos().y()) for sign in self._signs]
            self._sign_places = self.pixels(np.array(places).reshape(-1, 2))
        return self._sign_places

    def _sign_at(self, x: float, y: float) -> _Sign | None:
        """Return the sign whose index a dot would cover, or None."""
        if not self._signs:
            return None
        places = self._places_of_signs()
        nearest = int(np.argmin(np.hypot(places[:, 0] - x, places[:, 1] - y)))
        item, (left, top) = self._signs[nearest], places[nearest].tolist()
        covered = math.hypot(left - x, top - y) < _ON_SIGN and item.scale_drawn >= NUMBERED
        return _Sign(item, left, top) if covered else None

    def _set_spots(self, spots: tuple[_Spot, ...]) -> None:
        for gone in set(self.spots) ^ set(spots):
            self.update(gone.rect)
        self.spots = spots

    def _show_dimer(self, track: Track, frame: int, place: QPointF, *, current: bool) -> bool:
        run = track.run
        curvature = run.value("dimer_curvature", frame)
        if curvature is None:
            return False
        direction = np.asarray(run.recording.state(frame).get("direction", ()), dtype=np.float64).ravel()
        width, height = self.pixel
        if direction.shape != (2,) or not np.isfinite(direction).all() or not (width > 0 and height > 0):
            return False
        item = self.dimers.get(run.id)
        if item is None:
            item = self.dimers[run.id] = DimerItem()
            item.set_font(self._font)
            item.setParentItem(self.parentItem())
        item.set_dimer(QPointF(direction[0] / width, -direction[1] / height), curvature, labelled=current)
        item.setOpacity(1.0 if current else 0.65)
        # Above the paths, below the dots.
        item.setZValue(2.5 if current else 2)
        item.setPos(place)
        return True


def _places(tracks: Mapping[str, Track], run: RunEntry | None, frame: int) -> Sequence[tuple[str, int, bool]]:
    """Return the tracks with the rows that are shown now, the current one last."""
    cost = None if run is None else run.value("evaluations", frame)
    found: list[tuple[str, int, bool]] = []
    for identifier, track in tracks.items():
        current = track.run is run
        if not current and (cost is None or not track.run.frames):
            continue
        row = track.place(frame if current else track.run.frame_at_cost(cost or 0.0))
        if row >= 0 and np.isfinite(track.coordinates[row]).all():
            found.append((identifier, row, current))
    return sorted(found, key=lambda place: place[2])
