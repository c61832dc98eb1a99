"""The runs on a slice: their paths, where they start and end, and where they are at the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from lieapp.gui.align.slice_track import Track
from lieapp.gui.plots.curve import readable_color
from lieapp.gui.runs.entry import RunEntry

if TYPE_CHECKING:
    from lieapp.alignment.slice import SlicePlane

__all__ = ["SlicePaths"]

# The picture is the same on a light and on a dark window, so what lies on it is as well.
_WHITE, _INK = "#FFFFFF", "#1B2430"


class SlicePaths:
    """Paths on the plot of a slice.

    Parameters
    ----------
    plot : PlotWidget

    Attributes
    ----------
    tracks : dict of str to Track
        By the identifiers of runs.
    ends, spots : ScatterPlotItem
        Starts and latest places; places at the cursor.
    """

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot = plot
        self.tracks: dict[str, Track] = {}
        self.ends = pg.ScatterPlotItem(pxMode=True)
        self.ends.setZValue(15)
        self.spots = pg.ScatterPlotItem(pxMode=True)
        self.spots.setZValue(25)
        for item in (self.ends, self.spots):
            plot.addItem(item, ignoreBounds=True)

    def update(self, runs: Sequence[RunEntry], plane: SlicePlane) -> bool:
        """Draw these runs, and no others, as far as they have got; return whether anything has changed."""
        changed = self.keep({run.id for run in runs})
        for run in runs:
            track = self.tracks.get(run.id)
            if track is None:
                track = self.tracks[run.id] = Track(run, plane)
                for item in track.items:
                    self._plot.addItem(item, ignoreBounds=True)
            track.set_color(_on_picture(run.color))
            changed |= track.update()
        return changed

    def keep(self, identifiers: set[str]) -> bool:
        """Take away the paths of all other runs; return whether there were any."""
        gone = set(self.tracks) - identifiers
        for identifier in gone:
            for item in self.tracks.pop(identifier).items:
                self._plot.removeItem(item)
        return bool(gone)

    def clear(self) -> None:
        """Take everything away."""
        self.keep(set())
        self.ends.setData([])
        self.spots.setData([])

    def starts(self) -> NDArray[np.float64]:
        """Return the different places where paths begin, shape (starts, 2)."""
        found: list[NDArray[np.float64]] = []
        for track in self.tracks.values():
            if not len(track.coordinates) or not np.isfinite(track.coordinates[0]).all():
                continue
            if not any(np.allclose(track.coordinates[0], other, atol=1e-6) for other in found):
                found.append(track.coordinates[0])
        return np.array(found).reshape(-1, 2)

    def show_ends(self) -> None:
        """Draw a ring where runs start, and a square where each has come to."""
        spots = [_spot(start, "o", 11, _WHITE, _INK) for start in self.starts()]
        for track in self.tracks.values():
            if len(track.coordinates) and np.isfinite(track.coordinates[-1]).all():
                spots.append(_spot(track.coordinates[-1], "s", 9, _on_picture(track.run.color), _WHITE))
        self.ends.setData(spots)

    def show_cursor(self, run: RunEntry | None, frame: int) -> None:
        """Draw where the current run is at a frame, and the others at the same cost."""
        cost = None if run is None else run.value("evaluations", frame)
        spots: list[dict[str, Any]] = []
        for track in self.tracks.values():
            current = track.run is run
            if not current and cost is None:
                continue
            row = track.place(frame if current else track.run.frame_at_cost(cost or 0.0))
            if row < 0 or not np.isfinite(track.coordinates[row]).all():
                continue
            spot = _spot(track.coordinates[row], "o", 13 if current else 9, _on_picture(track.run.color), _WHITE)
            # The current one above the others.
            spots.insert(len(spots) if current else 0, spot)
        self.spots.setData(spots)


def _on_picture(color: str) -> str:
    return readable_color(color, _WHITE)


def _spot(place: NDArray[np.float64], symbol: str, size: float, fill: str, line: str) -> dict[str, Any]:
    pen, brush = pg.mkPen(line, width=2), pg.mkBrush(fill)
    return {"pos": place, "symbol": symbol, "size": size, "pen": pen, "brush": brush}
