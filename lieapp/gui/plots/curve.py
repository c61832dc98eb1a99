"""One curve of a plot: its colour, its dash, and no more points than there are pixels."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsItem

from lieapp.gui.plots.envelope import Envelope
from lieapp.gui.widgets.theme import contrast

__all__ = ["RunCurve", "curve_pen", "readable_color", "sample_pen"]

_LEAST_CONTRAST = 3.0
# Smooth thick lines cost up to 30 times as much as thin ones, by the length of the path.
_SMOOTH_POINTS = 2000


def curve_pen(color: str, dash: Sequence[float], width: float, ratio: float = 1.0) -> QPen:
    """Return the pen of a run: its colour and its dash, so that colour is never the only cue.

    Parameters
    ----------
    color : str
        ``"#RRGGBB"``.
    dash : sequence of float
        On and off lengths, in widths of a line of 2 pixels; empty for a solid line.
    width : float
        In pixels. The dashes are as long on a thin line, or they could not be told apart, and longer on a thick one.
    ratio : float, optional
        Device pixels in a pixel: the width of a pen that takes no part in zooming counts in those.
    """
    pen: QPen = pg.mkPen(color, width=width * ratio)
    if dash:
        pen.setDashPattern([length * max(2.0 / width, 1.0) for length in dash])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCosmetic(True)
    return pen


def sample_pen(color: str, dash: Sequence[float], width: float, length: float) -> QPen:
    """Return the pen of a short piece of a run's line, as in a legend.

    Parameters
    ----------
    color, dash, width
        See `curve_pen`.
    length : float
        Of the piece, in pixels. Where not even one dash and its gap fit into it, the first gap is in the middle: else
        a line of long dashes looks solid.
    """
    pen = curve_pen(color, dash, width)
    if dash and (dash[0] + dash[1]) * max(2.0, width) > length - width:
        first, gap = pen.dashPattern()[:2]
        pen.setDashOffset(max(first + 0.5 * gap - 0.5 * length / width, 0.0))
    return pen


@functools.cache
def readable_color(color: str, background: str) -> str:
    """Return a colour of the same hue that stands out from a background by at least 3 : 1.

    Parameters
    ----------
    color, background : str
        ``"#RRGGBB"``. A colour that stands out already is returned as it is.
    """
    dark = contrast(background, "#FFFFFF") > contrast(background, "#000000")
    shade = QColor(color)
    for _ in range(24):
        if contrast(shade.name(), background) >= _LEAST_CONTRAST:
            break
        shade = _blend(shade, QColor("#FFFFFF" if dark else "#000000"), 0.06)
    else:
        return shade.name().upper()
    return color if shade == QColor(color) else shade.name().upper()


def _blend(color: QColor, other: QColor, share: float) -> QColor:
    def mixed(first: float, second: float) -> float:
        return min(max(first + share * (second - first), 0.0), 1.0)

    return QColor.fromRgbF(
        mixed(color.redF(), other.redF()), mixed(color.greenF(), other.greenF()), mixed(color.blueF(), other.blueF())
    )


class RunCurve(pg.PlotCurveItem):
    """A series of which only the visible part is drawn, thinned to the pixels with every peak.

    Attributes
    ----------
    series : Envelope
        All that was recorded, as it is drawn: logarithms on a logarithmic axis.
    """

    def __init__(self) -> None:
        self.series = Envelope()
        self._pixels = 1
        self._drawn: tuple[object, ...] = ()
        self._boundingRect: QRectF | None = None
        super().__init__(connect="finite")
        # The cursor moves 30 times a second over curves that do not: their picture is kept.
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)

    def restart(self) -> None:
        """Forget the series: other columns will come."""
        self.series = Envelope()
        self._drawn = ()

    def extend(self, x: NDArray[np.float64], tail: NDArray[np.float64]) -> None:
        """Append frames, see `Envelope.extend`."""
        self.series.extend(x, tail)
        self._thin()

    def set_look(self, pen: QPen, pixels: int = 1) -> None:
        """Draw with a pen.

        Parameters
        ----------
        pen : QPen
        pixels : int, optional
            Width of what becomes one piece of the curve; thick lines look better with fewer pieces.
        """
        if pen != self.opts["pen"]:
            self.setPen(pen)
        if pixels != self._pixels:
            self._pixels = pixels
            self._thin()

    def dataBounds(
        self, ax: int, frac: float = 1.0, orthoRange: tuple[float, float] | None = None
    ) -> tuple[float, float] | tuple[None, None]:
        bounds = self.series.bounds()
        return (None, None) if bounds is None else bounds[ax]

    def boundingRect(self) -> QRectF:
        # Of what is drawn: the picture that Qt keeps of a curve is as large as this.
        known = self._boundingRect
        if known is None:
            x, y = self.getData()
            if x is None or len(x) == 0 or not np.isfinite(y).any():
                return QRectF()
            left, right, bottom, top = float(x[0]), float(x[-1]), float(np.nanmin(y)), float(np.nanmax(y))
            across, up = self.pixelVectors()
            padding = self.pixelPadding() + 1
            dx, dy = (0.0, 0.0) if across is None else (padding * across.length(), padding * up.length())
            known = self._boundingRect = QRectF(left - dx, bottom - dy, right - left + 2 * dx, top - bottom + 2 * dy)
        return known

    def viewRangeChanged(self) -> None:
        super().viewRangeChanged()
        self._thin()

    def viewTransformChanged(self) -> None:
        super().viewTransformChanged()
        self._thin()

    def _thin(self) -> None:
        view = self.getViewBox()
        # Outside a plot it is None, or the widget.
        if not isinstance(view, pg.ViewBox):
            return
        (left, right), width = view.viewRange()[0], view.width()
        if view.autoRangeEnabled()[0]:
            # The range will be that of the data: what is left out now would be missing until the next one.
            left, right = -np.inf, np.inf
        bins = max(int(width / self._pixels), 16)
        key = (len(self.series), left, right, bins)
        if key == self._drawn:
            return
        self._drawn = key
        x, y = self.series.points(left, right, bins)
        self.setData(x, y, antialias=len(x) <= _SMOOTH_POINTS)
