"""The marks on a slice: discs at the critical points, the start, and labels that do not cover each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QFont, QPalette

from lieapp.gui.align.slice_words import is_drawn, mark_label, mark_sign, mark_text
from lieapp.gui.pictures.slice_items import MarkItem, Side
from lieapp.gui.pictures.slice_labels import arrange_labels

if TYPE_CHECKING:
    from lieapp.alignment.slice import Slice

__all__ = ["SliceMarks"]


class SliceMarks:
    """Discs and labels on the plot of a slice.

    Parameters
    ----------
    plot : PlotWidget

    Attributes
    ----------
    items : list of MarkItem
        Critical points, the best first.
    start : MarkItem
        Where all runs start.
    """

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot = plot
        self._palette, self._font = plot.palette(), plot.font()
        self.items: list[MarkItem] = []
        self.start = MarkItem("", "start")
        self.start.set_side("above")
        self.start.hide()
        plot.addItem(self.start, ignoreBounds=True)
        plot.getPlotItem().getViewBox().sigRangeChanged.connect(self.arrange_labels)

    def show(self, found: Slice, starts: NDArray[np.float64]) -> None:
        """Draw the marks of a slice.

        Parameters
        ----------
        found : Slice
        starts : ndarray, shape=(starts, 2)
            Where paths begin: labels go where those do not come from.
        """
        self.remove()
        for mark in found.marks:
            if not is_drawn(found, mark):
                continue
            best = mark.index == 0
            labelled = _far_from(starts, mark.places)
            for number, (x, y) in enumerate(mark.places):
                label = "" if number != labelled else mark_label(found, mark)
                item = MarkItem(mark_sign(mark), label, faint=not mark.in_plane, cross=best)
                item.set_look(self._palette, self._font)
                item.set_side("below" if best else _side_of(float(x) / found.plane.axes[0].extent, starts))
                item.setPos(float(x), float(y))
                item.setToolTip(mark_text(found, mark))
                self._plot.addItem(item, ignoreBounds=True)
                self.items.append(item)
        self.arrange_labels()

    def show_start(self, starts: NDArray[np.float64]) -> None:
        """Name the start where there is one only, shape (starts, 2)."""
        if len(starts) == 1:
            self.start.setPos(float(starts[0, 0]), float(starts[0, 1]))
        self.start.setVisible(len(starts) == 1)
        self.arrange_labels()

    def set_look(self, palette: QPalette, font: QFont) -> None:
        """Take the colours and the font of the window."""
        self._palette, self._font = palette, font
        for item in (*self.items, self.start):
            item.set_look(palette, font)
        self.arrange_labels()

    def arrange_labels(self, *_: object) -> None:
        """Let no label cover another: the least value matters most, then saddles, then where the runs start."""
        box = self._plot.getPlotItem().getViewBox()
        arrange_labels([*self.items, self.start], box.mapViewToScene, box.sceneBoundingRect())

    def remove(self) -> None:
        """Take the critical points away."""
        for item in self.items:
            self._plot.removeItem(item)
        self.items = []


def _far_from(starts: NDArray[np.float64], places: NDArray[np.float64]) -> int:
    """Return which of two places has room for a label: paths come from the other side."""
    if len(starts) == 0:
        return int(np.argmin(places[:, 0]))  # the start is on the right of every plane that is made for it
    return int(np.argmax(np.linalg.norm(places - starts.mean(axis=0), axis=1)))


def _side_of(x: float, starts: NDArray[np.float64]) -> Side:
    """Return the side of a label: inwards from the rim, in the middle away from where paths come from."""
    if abs(x) > 0.25:
        return "left" if x > 0.0 else "right"
    return "left" if len(starts) and starts[:, 0].mean() > 0.0 else "right"
