"""Values over a plane, as colours between contour lines: what lies under the paths of runs."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsItem

from lieapp.gui.pictures.slice_items import SmoothImage

__all__ = ["PlanePicture"]

_OPACITY = 100  # of white lines, of 255: the picture is the same on a light and on a dark window
_DIM = 0.4


class PlanePicture:
    """An image and its contour lines, below everything else on a plot.

    Parameters
    ----------
    plot : PlotWidget
    opacity : int, optional
        Of the contour lines, of 255.
    kept : bool, optional
        Keep what Qt has painted of it: for plots over which runs move many times a second.

    Attributes
    ----------
    image : SmoothImage
    contours : PlotCurveItem
    """

    def __init__(self, plot: pg.PlotWidget, *, opacity: int = _OPACITY, kept: bool = False) -> None:
        self.image = SmoothImage(axisOrder="row-major")
        self.image.setZValue(-10)
        self.contours = pg.PlotCurveItem(antialias=True, pen=pg.mkPen(QColor(255, 255, 255, opacity), width=1))
        self.contours.setZValue(-8)
        self._kept = kept
        for item in (self.image, self.contours):
            plot.addItem(item, ignoreBounds=True)
        self._keep_anew()

    def show(
        self,
        values: NDArray[np.float64],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        *,
        limits: tuple[float, float],
        colors: ArrayLike,
        lines: NDArray[np.float64],
    ) -> None:
        """Draw values on a regular grid.

        Parameters
        ----------
        values : ndarray, shape=(rows, columns)
        x, y : ndarray, shape=(columns,) and (rows,)
            Where they are.
        limits : (float, float)
            Values of the first and the last colour.
        colors : array_like, shape=(colours, 3 or 4), dtype=uint8
        lines : ndarray, shape=(segments, 2, 2)
            Ends of the contours' segments, as x and y.
        """
        self.image.setImage(values, levels=limits)
        self.image.setLookupTable(colors)
        dx, dy = x[1] - x[0], y[1] - y[0]
        # Values belong to the middles of the picture's cells.
        self.image.setRect(x[0] - dx / 2, y[0] - dy / 2, x[-1] - x[0] + dx, y[-1] - y[0] + dy)
        ends = lines.reshape(-1, 2)
        self.contours.setData(ends[:, 0], ends[:, 1], connect="pairs")
        self._keep_anew()

    def _keep_anew(self) -> None:
        """Forget what Qt has painted: a picture larger than the last one would show some of that beside itself."""
        if self._kept:
            for item in (self.image, self.contours):
                item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
                item.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)

    def set_dim(self, on: bool) -> None:
        """Draw it pale while it is not what is wanted any more, or as it is."""
        for item in (self.image, self.contours):
            item.setOpacity(_DIM if on else 1.0)

    def clear(self) -> None:
        """Draw nothing."""
        self.image.clear()
        self.contours.setData([], [])
