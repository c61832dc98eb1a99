"""The tab Sweep: one setting over a range, several seeds each; medians with their bands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSpinBox, QWidget

from lieapp.gui.landscape.study_card import StudyCard, choice_box
from lieapp.gui.plots.curve import curve_pen, readable_color
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.study_summary import band_text
from lieapp.landscapes.sweep import MEASURES, SEEDS, SweepRange, numeric_settings

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lieapp.landscapes.sweep import SweepResult, SweepSpec
    from lieapp.optimizers.fields import FieldSpec

__all__ = ["SweepPanel"]

_VALUES = 7
_FACTOR = 30.0
_MEASURES = {"until it left": "escaped_at", "until it converged": "converged_at", "final loss": "loss"}


class SweepPanel(StudyCard):
    """A sweep, and what to compute.

    Signals
    -------
    range_changed()
        Another setting, range or number of seeds is wanted.
    """

    range_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Sweep of a setting", "Sweep", "Run the chosen optimiser at every value, with several seeds", parent
        )
        self._known: dict[str, FieldSpec] = {}
        self._values: dict[str, float] = {}
        self._proposed = "", ""  # the range, as it was written before anyone typed another
        self._color = "#0072B2"
        self._dash: tuple[float, ...] = ()
        self.setting = QComboBox()
        self.setting.setAccessibleName("Setting that is swept")
        self.setting.setToolTip("Setting that is swept; all others stay as they are in the panel on the left")
        self.setting.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setting.setMinimumContentsLength(8)
        self.measure = choice_box("Ordinate", "What is compared", _MEASURES)
        self.low, self.high = self._edit("First value"), self._edit("Last value")
        self.count = self._spin("Number of values", "How many values, evenly apart on the setting's own scale", 1, 50)
        self.count.setSuffix(" values")
        self.count.setValue(_VALUES)
        self.seeds = self._spin("Seeds", "Runs of each value; each starts a little elsewhere", 1, 100)
        self.seeds.setSuffix(" seeds")
        self.seeds.setValue(SEEDS)
        self._edges = (pg.PlotCurveItem([], []), pg.PlotCurveItem([], []))
        self.band = pg.FillBetweenItem(*self._edges)
        self.band.setZValue(-5)
        self.median = pg.PlotDataItem(symbol="o", symbolSize=6)
        self.dots = pg.ScatterPlotItem(symbol="x", size=6, pxMode=True)
        for item in (self.band, *self._edges, self.dots, self.median):
            self.plot.addItem(item)
        self.misses: list[pg.TextItem] = []
        self.view_box.setDefaultPadding(0.12)
        second = self.row(self.low, QLabel("to"), self.high)
        self._lay_out_rows(self.row(self.setting, self.measure), second, inline=(self.count, self.seeds))
        self.setting.currentIndexChanged.connect(self._take_setting)
        self.measure.currentIndexChanged.connect(lambda index: self._draw())
        for edit in (self.low, self.high):
            edit.editingFinished.connect(self.range_changed)
        for spin in (self.count, self.seeds):
            spin.valueChanged.connect(lambda value: self.range_changed.emit())

    # -- what to compute ------------------------------------------------------------------------------------------

    def set_settings(self, model: type[BaseModel], values: dict[str, float]) -> None:
        """Offer the settings of an optimiser that are numbers.

        Parameters
        ----------
        model : type
        values : dict of str to float
            Their present values by dotted key; ranges are proposed around them.
        """
        known = numeric_settings(model)
        key = self.setting.currentText()
        moved = values.get(key) != self._values.get(key)
        self._values = values
        if list(known) == list(self._known):
            if moved and self._written() == self._proposed:
                self._take_setting()
            return
        self._known = known
        before = self.setting.currentText()
        self.setting.blockSignals(True)
        self.setting.clear()
        self.setting.addItems(list(known))
        first = before if before in known else next((key for key in known if key.split(".")[-1] == "lr"), "")
        self.setting.setCurrentIndex(max(self.setting.findText(first), 0))
        self.setting.blockSignals(False)
        self._take_setting()

    def range(self) -> SweepRange:
        """Return the range that is written.

        Raises
        ------
        LandscapeError
            If a number cannot be read or does not fit.
        """
        key = self.setting.currentText()
        spec = self._known.get(key)
        try:
            low, high = (float(edit.text().replace(",", ".")) for edit in (self.low, self.high))
        except ValueError:
            raise LandscapeError("Write the first and the last value as numbers, such as 1e-3 and 1.") from None
        log = (spec is None or spec.scale == "log") and low > 0.0 and high > 0.0
        return SweepRange(key, low, high, self.count.value(), "log" if log else "linear")

    def show_spec(self, spec: SweepSpec | None, title: str, problem: str = "") -> None:
        """Say what a sweep would cost, or what is wrong."""
        if spec is None:
            self.say(problem or "There is nothing to sweep.")
            return
        start = f" Each starts {spec.distance:.2g} beside the start." if spec.distance else ""
        most = f"{spec.most_evaluations:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
        self.say(f"{title}: {spec.runs} runs of at most {spec.budget:g} evaluations, {most} in all.{start}")

    def _take_setting(self) -> None:
        """Propose a range about the present value."""
        key = self.setting.currentText()
        spec = self._known.get(key)
        if spec is None:
            return
        value = self._values.get(key, spec.default)
        value = float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.1
        minimum = -math.inf if spec.minimum is None else spec.minimum
        maximum = math.inf if spec.maximum is None else spec.maximum
        if spec.scale == "log" and value > 0.0:
            low, high = value / _FACTOR, value * _FACTOR
        elif math.isfinite(minimum) and math.isfinite(maximum) and maximum - minimum <= 100.0:
            low, high = minimum, maximum
            low = low + 0.01 * (high - low) if spec.exclusive_minimum else low
            high = high - 0.01 * (high - low) if spec.exclusive_maximum else high
        else:
            low, high = 0.0, 2.0 * max(abs(value), 1.0)
        low, high = (min(max(end, minimum), maximum) for end in (low, high))
        if spec.type == "int":
            low, high = math.ceil(low), math.floor(high)
        for edit, number in ((self.low, low), (self.high, high)):
            edit.setText(f"{number:.2g}" if spec.type != "int" else f"{number}")
        self._proposed = self._written()
        self.range_changed.emit()

    def _written(self) -> tuple[str, str]:
        return self.low.text(), self.high.text()

    # -- what was found -------------------------------------------------------------------------------------------

    def show_result(self, found: SweepResult | None, color: str = "", dash: tuple[float, ...] = ()) -> None:
        """Show a sweep, finished or growing, in the colour and dash of its optimiser."""
        fresh = found is None or self.found is None or found.spec is not self.found.spec
        if color:
            self._color, self._dash = color, dash
        self.set_found(found if found is not None and found.runs else None)
        self._draw()
        if fresh and found is not None:
            self.follow()

    def _draw(self) -> None:
        found: SweepResult | None = self.found
        for item in self.misses:
            self.plot.removeItem(item)
        self.misses = []
        if found is None:
            for curve in (*self._edges, self.median):
                curve.setData([], [])
            self.dots.setData([])
            return
        measure = self.measure.currentData()
        log = found.spec.range.scale == "log"
        self.bottom_axis.set_decades(log)
        self.plot.setLabel("bottom", found.spec.range.key)
        self.plot.setLabel("left", "final loss" if measure == "loss" else "evaluations")
        bands = found.bands(measure)
        x = np.array([band.value for band in bands])
        x = np.log10(x) if log else x
        finite = [run.measure(measure) for run in found.runs if math.isfinite(run.measure(measure))]
        top = max(finite, default=1.0)
        median, low, high = (np.array([getattr(b, name) for b in bands]) for name in ("median", "low", "high"))
        shown = np.isfinite(low)
        # Where more than a tenth never came there, the band is open above: it ends at the highest that did.
        high = np.where(np.isfinite(high), high, top)
        self._edges[0].setData(x[shown], low[shown])
        self._edges[1].setData(x[shown], high[shown])
        there = np.isfinite(median)
        self.median.setData(x[there], median[there])
        places = [(run.value, run.measure(measure)) for run in found.runs if math.isfinite(run.measure(measure))]
        values = np.array(places).reshape(-1, 2)
        # Where all are the same pyqtgraph would show a span of rounding errors.
        least = 1e-3 * float(np.abs(values[:, 1]).max(initial=0.0)) or 1e-12
        self.view_box.setLimits(minYRange=least)
        self.dots.setData(np.log10(values[:, 0]) if log else values[:, 0], values[:, 1])
        for place, band in zip(x.tolist(), bands, strict=True):
            if band.reached < band.runs:
                item = pg.TextItem(f"{band.reached}/{band.runs}", anchor=(0.5, 1.0))
                item.setPos(place, top)
                item.setToolTip(f"{band.reached} of {band.runs} runs came there")
                self.plot.addItem(item)
                self.misses.append(item)
        self.restyle()

    def describe(self, x: float, y: float) -> str:
        found: SweepResult | None = self.found
        if found is None or not found.runs:
            return ""
        log = found.spec.range.scale == "log"
        measure = self.measure.currentData()
        bands = found.bands(measure)
        place = min(bands, key=lambda band: abs((math.log10(band.value) if log else band.value) - x))
        return f"{found.spec.range.key} {place.value:.4g}: {MEASURES[measure]} {band_text(place)}".replace("-", "−")

    def restyle(self) -> None:
        super().restyle()
        base = self.look.palette(self).color(QPalette.ColorRole.Base).name()
        color = readable_color(self._color, base)
        shade = QColor(color)
        shade.setAlpha(50)
        self.band.setBrush(shade)
        for edge in self._edges:
            edge.setPen(None)
        self.median.setPen(curve_pen(color, self._dash, self.look.line, self.ratio))
        self.median.setSymbolBrush(color)
        self.median.setSymbolPen(None)
        shade.setAlpha(140)
        self.dots.setPen(pg.mkPen(shade, width=1))
        text = self.look.palette(self).color(QPalette.ColorRole.Text)
        for item in self.misses:
            item.setColor(text)
            item.setFont(self.look.font(self))

    # -- pieces ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _edit(name: str) -> QLineEdit:
        edit = QLineEdit()
        edit.setAccessibleName(name)
        edit.setToolTip(f"{name} of the setting")
        edit.setMinimumWidth(56)
        return edit

    @staticmethod
    def _spin(name: str, tip: str, low: int, high: int) -> QSpinBox:
        spin = QSpinBox()
        spin.setAccessibleName(name)
        spin.setToolTip(tip)
        spin.setRange(low, high)
        # There is no room for arrows; keys and wheel do the same.
        spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        return spin

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 240)
