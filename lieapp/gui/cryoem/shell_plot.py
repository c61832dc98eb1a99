"""Plots over spatial frequency, whose axis is read in Å."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QPalette, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lieapp.gui.plots.axes import PlainAxis
from lieapp.gui.plots.card import PlotCard
from lieapp.gui.plots.crosshair import Reading
from lieapp.gui.plots.curve import curve_pen, readable_color
from lieapp.gui.widgets.spare_caption import SpareCaption

__all__ = ["Level", "ResolutionAxis", "ShellCurve", "ShellPlot", "resolution_text", "resolution_ticks"]

_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)


def resolution_text(frequency: float) -> str:
    """Return a spatial frequency in 1/Å as the distance in Å that it resolves."""
    if not frequency > 0.0:
        return "∞"
    return f"{1.0 / frequency:.3g}"


def resolution_ticks(low: float, high: float, apart: float) -> list[float]:
    """Return frequencies of round distances in Å, from the highest down, so far apart.

    Parameters
    ----------
    low, high : float
        In 1/Å.
    apart : float
        Least difference in 1/Å.
    """
    if not high > max(low, 0.0) or not apart > 0.0:
        return []
    finest = 1.0 / high
    decade = 10.0 ** math.floor(math.log10(finest))
    distances = [step * decade * 10.0**k for k in range(5) for step in _NICE[:-1]]
    ticks: list[float] = []
    for distance in distances:
        frequency = 1.0 / distance
        if low < frequency <= high * (1 + 1e-9) and (not ticks or ticks[-1] - frequency >= apart):
            ticks.append(frequency)
    return ticks


class ResolutionAxis(PlainAxis):
    """An axis of spatial frequencies in 1/Å that is labelled in Å."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Sequence[float]]]:
        low, high = sorted((minVal, maxVal))
        font = self.style["tickFont"]
        width = QFontMetricsF(font if font is not None else self.font()).horizontalAdvance("00.0") * 1.6
        return [(1.0, resolution_ticks(low, high, (high - low) * width / max(size, 1.0)))]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [resolution_text(value) for value in values]


@dataclass(frozen=True, eq=False)
class ShellCurve:
    """One number for every shell.

    Attributes
    ----------
    key : hashable
        Of the same curve in the next frame.
    title : str
    values : ndarray, shape=(shells,)
    color : str or None
        None for the colour of text.
    dash : tuple of float
    width : float
    """

    key: Hashable
    title: str
    values: NDArray[np.floating]
    color: str | None = None
    dash: tuple[float, ...] = ()
    width: float = 2.0


@dataclass(frozen=True)
class Level:
    """A horizontal line with words."""

    value: float
    text: str


class ShellPlot(PlotCard):
    """Curves over the shells of Fourier space.

    Parameters
    ----------
    name : str
        For screen readers.
    axis, short : str
        Label of the ordinate, and the one where that does not fit.
    logarithmic : bool
    floor : float
        Smallest value drawn on a logarithmic ordinate.
    levels : sequence of Level
    nothing : str
        What stands under the plot while there is no curve.
    """

    def __init__(
        self,
        name: str,
        axis: str,
        *,
        short: str = "",
        logarithmic: bool = False,
        floor: float = 1e-4,
        levels: Sequence[Level] = (),
        nothing: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, parent)
        self.curves: list[ShellCurve] = []
        self._items: dict[Hashable, pg.PlotDataItem] = {}
        self._logarithmic, self._floor, self._nothing = logarithmic, floor, nothing
        self._frequency = 1.0  # of shell 1, in 1/Å
        self.bottom_axis = ResolutionAxis("bottom")
        self.plot.setAxisItems({"bottom": self.bottom_axis})
        self.left_axis.set_decades(logarithmic, math.log10(floor))
        self._labels = (axis, short or axis)
        self.plot.setLabel("left", axis)
        self.plot.setLabel("bottom", "resolution (Å)")
        self.view_box.setDefaultPadding(0.03)
        self.levels = [pg.InfiniteLine(angle=0, pos=level.value, label=level.text,
                                       labelOpts={"position": 0.02, "anchors": [(0, 1), (0, 1)]})
                       for level in levels]  # fmt: skip
        for line in self.levels:
            line.setZValue(-5)
            self.plot.addItem(line, ignoreBounds=True)
        self.caption = SpareCaption(self, f"{name}, in words")
        self.caption.show_words(nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.caption)
        self._ready = True
        self.restyle()

    def show_curves(self, curves: Sequence[ShellCurve], frequency: float, words: str = "") -> None:
        """Show curves.

        Parameters
        ----------
        curves : sequence of ShellCurve
        frequency : float
            Of shell 1, in 1/Å.
        words : str, optional
            What stands under the plot.
        """
        self.curves, self._frequency = list(curves), frequency
        keys = {curve.key for curve in curves}
        for key in set(self._items) - keys:
            self.plot.removeItem(self._items.pop(key))
        for order, curve in enumerate(curves):
            item = self._items.get(curve.key)
            if item is None:
                item = self._items[curve.key] = pg.PlotDataItem()
                self.plot.addItem(item)
            item.setZValue(order)
            item.setData(self._places(curve), self._drawn(curve.values)[1:], pen=self._pen(curve), connect="finite")
        self.set_has_data(bool(curves))
        self.caption.show_words(words or ("" if curves else self._nothing))
        self.refresh_pointing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._label_ordinate()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _label_ordinate(self) -> None:
        """Write the label that fits: a longer one would be cut at both ends."""
        axis, short = self._labels
        room = self.plot.height() - 3.0 * QFontMetricsF(self.look.font(self)).height()  # the ticks and label below
        fits = QFontMetricsF(self.look.font(self)).horizontalAdvance(axis) <= room
        self.left_axis.set_text(axis if fits else short)

    def _places(self, curve: ShellCurve) -> NDArray[np.float64]:
        # The zero frequency resolves nothing.
        return np.asarray(np.arange(1, len(curve.values)) * self._frequency)

    def _drawn(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        shown = np.array(values, dtype=np.float64)
        shown[~np.isfinite(shown)] = np.nan
        return np.asarray(np.log10(np.maximum(shown, self._floor)) if self._logarithmic else shown)

    def _pen(self, curve: ShellCurve) -> Any:
        palette = self.look.palette(self)
        ink = palette.color(QPalette.ColorRole.Text).name()
        base = palette.color(QPalette.ColorRole.Base).name()
        color = ink if curve.color is None else readable_color(curve.color, base)
        width = curve.width if self.look.light is False else 1.5 * curve.width
        return curve_pen(color, curve.dash, width, self.ratio)

    def point_at(self, mouse: QPointF) -> None:
        place = float(self.view_box.mapSceneToView(self.plot.mapToScene(mouse.toPoint())).x())
        shell = round(place / self._frequency)
        readings = []
        for curve in self.curves:
            if 1 <= shell < len(curve.values):
                value = float(curve.values[shell])
                seen = self._place_of(shell * self._frequency, float(self._drawn(curve.values)[shell]))
                text = f"{value:.3g}" if math.isfinite(value) else "unknown"
                readings.append(Reading(curve.title, text, self._pen(curve), seen))
        if readings:
            heading = f"{resolution_text(shell * self._frequency)} Å, shell {shell}"
            self.crosshair.point(mouse, self.area, heading, readings)
        else:
            self.crosshair.clear()

    def restyle(self) -> None:
        super().restyle()
        palette, font = self.look.palette(self), self.look.font(self)
        muted = palette.color(QPalette.ColorRole.PlaceholderText)
        self._label_ordinate()
        for line in self.levels:
            line.setPen(pg.mkPen(muted, width=self.ratio, style=Qt.PenStyle.DashLine))
            line.label.setColor(muted)
            line.label.setFont(font)
        for curve in self.curves:
            self._items[curve.key].setPen(self._pen(curve))
