"""Where the runs are on a landscape, all at the cost of the one that is shown: a dot, and a dimer if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont

from lieapp.gui.landscape_items import DimerItem
from lieapp.gui.landscape_track import Track
from lieapp.gui.plot_curve import readable_color
from lieapp.gui.run_entry import RunEntry

__all__ = ["CursorMarks", "on_picture"]

_WHITE = "#FFFFFF"


def on_picture(color: str) -> str:
    """Return the colour of a run on a picture, which is the same on light and on dark windows."""
    return readable_color(color, _WHITE)


class CursorMarks:
    """Dots and dimers at the shared cursor.

    Parameters
    ----------
    plot : PlotWidget

    Attributes
    ----------
    dimers : dict
        By the id of the run.
    """

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot = plot
        self._font = QFont()
        self._shown: tuple[object, ...] = ()
        self.spots = pg.ScatterPlotItem(pxMode=True)
        self.spots.setZValue(25)
        plot.addItem(self.spots, ignoreBounds=True)
        self.dimers: dict[str, DimerItem] = {}

    @property
    def any_dimer(self) -> bool:
        """Whether a dimer is drawn."""
        return any(item.isVisible() for item in self.dimers.values())

    def show(self, tracks: Mapping[str, Track], run: RunEntry | None, frame: int, *, with_dimers: bool) -> bool:
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
        # The same places after a zoom or a shift are seen from elsewhere: dimers keep their angle on the screen.
        key = (*places, *self._pixel())
        if key == self._shown:
            return False
        self._shown = key
        spots, shown = [], set()
        for identifier, row, current in places:
            track = tracks[identifier]
            place = track.coordinates[row]
            spots.append(_spot(place, 13 if current else 10, on_picture(track.run.color)))
            if with_dimers and self._show_dimer(track, int(track.frames[row]), place, current=current):
                shown.add(identifier)
        self.spots.setData(spots)
        for identifier, item in self.dimers.items():
            item.setVisible(identifier in shown)
        return True

    def forget(self, identifier: str) -> None:
        """Take away what belongs to a run."""
        self._shown = ()
        item = self.dimers.pop(identifier, None)
        if item is not None:
            self._plot.removeItem(item)

    def set_font(self, font: QFont) -> None:
        """Take the font of the window."""
        self._font, self._shown = QFont(font), ()
        for item in self.dimers.values():
            item.set_font(font)

    def _pixel(self) -> tuple[float, float]:
        width, height = self._plot.getPlotItem().getViewBox().viewPixelSize()
        return float(width), float(height)

    def _show_dimer(self, track: Track, frame: int, place: NDArray[np.float64], *, current: bool) -> bool:
        run = track.run
        curvature = run.value("dimer_curvature", frame)
        if curvature is None:
            return False
        direction = np.asarray(run.recording.state(frame).get("direction", ()), dtype=np.float64).ravel()
        width, height = self._pixel()
        if direction.shape != (2,) or not np.isfinite(direction).all() or not (width > 0 and height > 0):
            return False
        item = self.dimers.get(run.id)
        if item is None:
            item = self.dimers[run.id] = DimerItem()
            item.set_font(self._font)
            self._plot.addItem(item, ignoreBounds=True)
        item.set_dimer(QPointF(direction[0] / width, -direction[1] / height), curvature, labelled=current)
        item.setOpacity(1.0 if current else 0.65)
        item.setZValue(24 if current else 22)
        item.setPos(float(place[0]), float(place[1]))
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


def _spot(place: NDArray[np.float64], size: float, fill: str) -> dict[str, Any]:
    return {"pos": place, "symbol": "o", "size": size, "pen": pg.mkPen(_WHITE, width=2), "brush": pg.mkBrush(fill)}
