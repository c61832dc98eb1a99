"""A run as it is drawn on a slice: its projected path, fading where the run is not in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from lieapp.gui.plots.curve import curve_pen
from lieapp.gui.plots.paths import distinct_rows
from lieapp.gui.runs.entry import RunEntry

if TYPE_CHECKING:
    from lieapp.alignment.slice import SlicePlane

__all__ = ["FADES", "Track"]

FADES: tuple[tuple[float, int, int], ...] = ((0.05, 255, 210), (0.15, 200, 120), (0.4, 150, 70), (np.inf, 105, 40))
"""Up to which distance from the plane, in radii of gyration, a path and its casing are drawn how opaque (of 255)."""

_MOST_DOTS = 150  # more frames would make a line of dots
_WIDTH = 2.0
_CASING = "#FFFFFF"


class Track:
    """One run on a plane.

    Parameters
    ----------
    run : RunEntry
    plane : SlicePlane

    Attributes
    ----------
    frames : ndarray, shape=(kept,), dtype=int64
        Frames whose poses are kept.
    coordinates : ndarray, shape=(kept, 2), dtype=float64
    distances : ndarray, shape=(kept,), dtype=float64
        In Å, see `lieapp.alignment.slice.Projection`.
    items : tuple of GraphicsObject
        To be added to a plot: a curve for each of `FADES`, and dots where the recorded poses are, if they are few.
    """

    def __init__(self, run: RunEntry, plane: SlicePlane) -> None:
        self.run = run
        self.plane = plane
        self.frames: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.coordinates: NDArray[np.float64] = np.empty((0, 2))
        self.distances: NDArray[np.float64] = np.empty(0)
        self._continues: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._color = ""
        self._curves = tuple(pg.PlotCurveItem(antialias=True) for _ in FADES)
        self._dots = pg.ScatterPlotItem(pxMode=True, symbol="o", size=4.5, pen=None)
        self.items = (*self._curves, self._dots)
        for item in self.items:
            item.setZValue(10)

    def update(self) -> bool:
        """Project the frames recorded since the last time; return whether there were any."""
        recording = self.run.recording
        if len(recording) == 0:
            return False
        rotations = recording.states("rotation").reshape(-1, 3, 3)
        translations = recording.states("translation").reshape(-1, 3)
        frames = recording.state_frames
        # The three are read one after the other while the run may be adding to them.
        count = min(len(rotations), len(translations), len(frames))
        known = len(self.frames)
        if known > count or (known and frames[known - 1] != self.frames[-1]):
            known = 0
        if known == count:
            return False
        first = max(known - 1, 0)
        new = self.plane.project(rotations[first:count], translations[first:count])
        self.frames = np.array(frames[:count])
        self.coordinates = np.concatenate((self.coordinates[:first], new.coordinates))
        self.distances = np.concatenate((self.distances[:first], new.distances))
        self._continues = np.concatenate((self._continues[:first], new.continues))
        self._draw()
        return True

    def place(self, frame: int) -> int:
        """Return the row of the last kept frame up to one, or -1."""
        return int(np.searchsorted(self.frames, frame, side="right")) - 1

    def set_color(self, color: str) -> None:
        """Choose the colour of the line, ``"#RRGGBB"``; it lies on a wider white one, for any picture below."""
        if color == self._color:
            return
        self._color = color
        for curve, (_, opaque, casing) in zip(self._curves, FADES, strict=True):
            pen = curve_pen(color, self.run.dash, _WIDTH)
            pen.setColor(_with_alpha(color, opaque))
            curve.setPen(pen)
            curve.setShadowPen(pg.mkPen(_with_alpha(_CASING, casing), width=_WIDTH + 2.5))
        self._draw()

    def _draw(self) -> None:
        chosen = distinct_rows(self.coordinates)
        xy = self.coordinates[chosen]
        # A line over left out points is broken if it was broken anywhere between.
        breaks = np.concatenate(([0], np.cumsum(~self._continues)))
        unbroken = np.zeros(len(chosen), dtype=bool)
        unbroken[:-1] = breaks[chosen[1:]] == breaks[chosen[:-1]]
        finite = np.asarray(np.isfinite(xy).all(axis=1))
        unbroken[:-1] &= finite[:-1] & finite[1:]
        radius = max(self.plane.surface.radius, 1e-3)
        far = self.distances[chosen] / radius
        far[:-1] = np.maximum(far[:-1], far[1:])
        level = np.searchsorted([limit for limit, *_ in FADES[:-1]], far)
        xy = np.nan_to_num(xy)
        for number, curve in enumerate(self._curves):
            connect = unbroken & (level == number)
            if connect.any():
                curve.setData(xy[:, 0], xy[:, 1], connect=connect.astype(np.int32))
            else:
                curve.setData([], [])
        few = finite & (len(chosen) <= _MOST_DOTS)
        opaque = [FADES[number][1] for number in level[few]]
        self._dots.setData(pos=xy[few], brush=[pg.mkBrush(_with_alpha(self._color or _CASING, a)) for a in opaque])


def _with_alpha(color: str, alpha: int) -> QColor:
    shade = QColor(color)
    shade.setAlpha(alpha)
    return shade
