"""Axes that stay readable: plain numbers on decades, few grid lines, no hidden factors."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QFont, QFontMetricsF, QPalette

from lieapp.gui.widgets.words import with_minus

__all__ = ["PlainAxis", "decade_text", "decade_ticks", "style_plot"]

# Steps between labelled decades. They divide the usual floors, so that the floor itself is labelled.
_DECADE_STEPS = (1, 2, 3, 4, 6, 12, 24, 48)
# Within a single decade the labels are 1, 2, 5.
_WITHIN = tuple(math.log10(value) for value in (1.0, 2.0, 5.0))


def decade_text(exponent: float) -> str:
    """Return ``10**exponent`` as people write it: ``100``, ``0.01``, ``1e-5``.

    Parameters
    ----------
    exponent : float
        Decimal logarithm of the number.
    """
    # An axis may be asked for places far outside any number there is.
    if not -300 < exponent < 300:
        return ""
    mantissa, _, power = f"{10.0**exponent:.6g}".partition("e")
    return f"{mantissa}e{int(power)}" if power else mantissa


def decade_ticks(low: float, high: float, room: int) -> tuple[int, list[float], list[float]]:
    """Choose the ticks of a logarithmic axis.

    Parameters
    ----------
    low, high : float
        Ends of the axis, as decimal logarithms.
    room : int
        How many labels there is room for, at least 2.

    Returns
    -------
    step : int
        Decades between two labels; 0 where the labels are within one decade.
    labelled, others : list of float
        Places of the labels, and of decades without one, as decimal logarithms.
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first < 1 and high - low < 2:
        places = [decade + part for decade in range(math.floor(low), last + 1) for part in _WITHIN]
        return 0, [place for place in places if low - 1e-9 <= place <= high + 1e-9], []
    decades = range(first, last + 1)
    step = next((step for step in _DECADE_STEPS if len(decades) / step <= max(room, 2)), _DECADE_STEPS[-1])
    labelled = [float(decade) for decade in decades if decade % step == 0]
    # Beyond a few dozen decades lines between the labels would be a grey area.
    others = [float(decade) for decade in decades if decade % step] if step <= 4 else []
    return step, labelled, others


class PlainAxis(pg.AxisItem):
    """An axis of a plot.

    Parameters
    ----------
    orientation : {"left", "bottom"}

    Attributes
    ----------
    decades : bool
        Whether the places are decimal logarithms.
    floor : float or None
        Decimal logarithm below which values were drawn at it; its label says "≤".
    blank : bool
        Whether there is nothing yet that numbers could belong to.
    """

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.decades = False
        self.floor: float | None = None
        self.blank = False
        self._narrowed: deque[tuple[object, ...]] = deque(maxlen=4)
        # Without this pyqtgraph writes "(x0.001)" beside the label and changes the numbers.
        self.enableAutoSIPrefix(False)
        self.setStyle(maxTextLevel=0, tickLength=-4, tickTextOffset=4, hideOverlappingLabels=False)

    def setLabel(self, *args: Any, **kwargs: Any) -> None:
        super().setLabel(*args, **kwargs)
        # pyqtgraph centres a label when the axis is resized, not when its text is another.
        self.resizeEvent()

    def set_text(self, text: str) -> None:
        """Write another label in the style of the one there is."""
        if text != self.labelText:
            self.setLabel(text, **self.labelStyle)

    def set_decades(self, on: bool, floor: float | None = None) -> None:
        """Read places as decimal logarithms, or as they are."""
        if (on, floor) != (self.decades, self.floor):
            self.decades, self.floor = on, floor
            self.picture = None
            self.update()

    def set_blank(self, on: bool) -> None:
        """Write no numbers and draw no grid, or do so again."""
        if on != self.blank:
            self.blank = on
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Sequence[float]]]:
        low, high = sorted((minVal, maxVal))
        if not self.decades or not high > low:
            levels: list[tuple[float, Sequence[float]]] = super().tickValues(minVal, maxVal, size)
            # The grid is drawn at every level: one is calm, three are a fog.
            return levels[:1]
        step, labelled, others = decade_ticks(low, high, int(size / (1.8 * self._line_height())))
        return [(float(step or 1), labelled), (1.0, others)] if others else [(float(step or 1), labelled)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if not self.decades:
            return [with_minus(text) for text in super().tickStrings(values, scale, spacing)]
        return [self._decade(value) for value in values]

    def drawPicture(self, p: Any, axisSpec: Any, tickSpecs: Any, textSpecs: Any) -> None:
        # Room for numbers stays, or the plot would jump when they come.
        super().drawPicture(p, axisSpec, [] if self.blank else tickSpecs, [] if self.blank else textSpecs)

    def _updateMaxTextSize(self, x: float) -> None:
        # Room given back changes the range of a plot at one scale, and that its numbers: where the same range needs
        # the room again it is kept, or plot and axis would change places for ever.
        narrower = x < (self.textWidth if self.orientation == "left" else self.textHeight)
        if narrower:
            view = self.linkedView()
            ends = () if view is None else tuple(f"{end:.3g}" for side in view.viewRange() for end in side)
            place = (*ends, self.labelText, self.decades)
            if place in self._narrowed:
                return
            self._narrowed.append(place)
        super()._updateMaxTextSize(x)

    def _decade(self, value: float) -> str:
        text = decade_text(value)
        return f"≤ {text}" if self.floor is not None and abs(value - self.floor) < 1e-6 else text

    def _line_height(self) -> float:
        font = self.style["tickFont"]
        return float(QFontMetricsF(font if font is not None else QFont()).height())


def style_plot(plot: pg.PlotWidget, palette: QPalette, font: QFont) -> None:
    """Give a plot the colours and the font of the window; pyqtgraph reads its own only when items are made.

    Parameters
    ----------
    plot : PlotWidget
    palette : QPalette
    font : QFont
        The font of the window; the axes are written one point smaller.
    """
    # Style events come by the dozen while a window is built.
    key = (palette.cacheKey(), font.key())
    if plot.property("styled") == key:
        return
    plot.setProperty("styled", key)
    text, muted = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.PlaceholderText)
    small = QFont(font)
    small.setPointSizeF(max(font.pointSizeF() - 1.0, 6.0))
    plot.setBackground(palette.color(QPalette.ColorRole.Base))
    style: dict[str, Any] = {"color": text.name(), "font-size": f"{small.pointSizeF():g}pt"}
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(muted, width=1))
        axis.setTextPen(pg.mkPen(text))
        axis.setTickFont(small)
        axis.setLabel(axis.labelText, **style)
    # Digits at the right end and at the top of an axis are not to be cut.
    metrics = QFontMetricsF(small)
    plot.getPlotItem().layout.setContentsMargins(4, metrics.height() / 2, metrics.averageCharWidth() * 2, 2)
    plot.showGrid(x=False, y=True, alpha=0.12)
