"""A layer over what a plot shows, in pixels: one item for all that moves, so that little is asked of each."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QGraphicsItem

__all__ = ["ViewLayer"]


class ViewLayer(QGraphicsItem):
    """Covers a view box, clipped by it, above everything that is drawn in units of the axes.

    Items of pyqtgraph ask for the scale of the view many times a frame; a layer knows it until the view changes, and a
    subclass answers `paint` and `place_anew`.

    Parameters
    ----------
    box : ViewBox
    """

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        # Only then does it paint the part that is out of date, and learns which it is.
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._box = box
        self._rect = QRectF(box.rect())
        box.sigResized.connect(self._take_size)
        box.sigRangeChanged.connect(self._view_changed)

    def boundingRect(self) -> QRectF:
        return self._rect

    @property
    def pixel(self) -> tuple[float, float]:
        """Width and height of a pixel in units of the axes."""
        (x0, x1), (y0, y1) = self._box.viewRange()
        return (x1 - x0) / max(self._rect.width(), 1.0), (y1 - y0) / max(self._rect.height(), 1.0)

    def pixels(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where places are drawn, from the upper left corner of the view.

        Parameters
        ----------
        coordinates : ndarray, shape=(places, 2), dtype=float64
            In units of the axes.

        Returns
        -------
        ndarray, shape=(places, 2), dtype=float64
            In pixels, y down.
        """
        (left, _), (_, top) = self._box.viewRange()
        width, height = self.pixel
        found: NDArray[np.float64] = (coordinates - (left, top)) / (width, -height)
        return found

    def place_anew(self) -> None:
        """Take note that everything is drawn elsewhere now."""

    def _take_size(self, *_: object) -> None:
        rect = QRectF(self._box.rect())
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
        self._view_changed()

    def _view_changed(self, *_: object) -> None:
        self.place_anew()
        self.update()
