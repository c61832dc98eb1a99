"""How a run leaves a saddle: the unstable coordinate as observed, beside what theory predicts of each step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from lieapp.gui.plots.card import PlotCard
from lieapp.gui.plots.crosshair import Reading
from lieapp.gui.plots.curve import curve_pen, readable_color
from lieapp.gui.plots.paths import distinct_rows
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.words import folded

if TYPE_CHECKING:
    from lieapp.landscapes.growth import Growth
    from lieapp.landscapes.truth import Truth

__all__ = ["GrowthPlot"]

Array = NDArray[np.float64]

_FLOOR = 1e-16
_WORDS = (
    "Distance from the saddle along its unstable direction, a step of the optimiser each. Solid or dashed as the run: "
    "observed. Dotted: c₀ (1 + η(1 − α)|λ|)ᵗ, what theory says of gradient descent, plain or inside DEO."
)
_NOTHING = "No run here has a saddle with one direction that leads down, or none was started yet."


class GrowthPlot(PlotCard):
    """Observed and predicted growth of the unstable coordinate of every visible run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Growth of the unstable coordinate", parent)
        self._runs: list[RunEntry] = []
        self._observed: dict[str, pg.PlotDataItem] = {}
        self._predicted: dict[str, pg.PlotDataItem] = {}
        self._drawn: dict[str, tuple[object, ...]] = {}
        self._truths: dict[str, Truth] = {}
        self.growths: dict[str, Growth] = {}
        self.left_axis.set_decades(True, math.log10(_FLOOR))
        self.plot.setLabel("left", "unstable coordinate |c|")
        self.plot.setLabel("bottom", "steps")
        self.plot.setAccessibleDescription(_WORDS)
        self.caption = QLabel(_NOTHING)
        self.caption.setObjectName("caption")
        self.caption.setWordWrap(True)
        self.caption.setContentsMargins(8, 0, 8, 4)
        self.caption.setToolTip(folded(_WORDS))
        self.caption.setAccessibleName("Observed and predicted factors")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.caption)
        self._ready = True
        self.set_has_data(False)
        self.restyle()

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show these runs, all on one landscape, as far as they are visible."""
        self._runs = list(runs)
        for identifier in set(self._observed) - {run.id for run in runs}:
            for curves in (self._observed, self._predicted):
                self.plot.removeItem(curves.pop(identifier))
            for table in (self._drawn, self._truths, self.growths):
                table.pop(identifier, None)
        self.refresh()

    def refresh(self) -> None:
        """Draw what the recordings hold by now."""
        if not self.isVisible():
            return
        for run in self._runs:
            self._refresh(run)
        self.set_has_data(any(curve.isVisible() for curve in self._observed.values()))
        self._write_caption()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _refresh(self, run: RunEntry) -> None:
        if not run.frames or "unstable_coordinate" not in run.recording.columns:
            return
        if run.id not in self._observed:
            self._observed[run.id], self._predicted[run.id] = pg.PlotDataItem(), pg.PlotDataItem()
            for curve in (self._predicted[run.id], self._observed[run.id]):
                self.plot.addItem(curve)
        color = readable_color(run.color, self.look.palette(self).color(QPalette.ColorRole.Base).name())
        key = (run.frames, run.finished, run.visible, color)
        if self._drawn.get(run.id) == key:
            return
        self._drawn[run.id] = key
        from lieapp.landscapes.growth import measure_growth
        from lieapp.landscapes.truth import truth_of

        if run.id not in self._truths:
            start = run.recording.state(0).get("point")
            self._truths[run.id] = truth_of(run.job, None if start is None else tuple(start.tolist()))
        growth = measure_growth(run.recording, self._truths[run.id])
        size = np.abs(run.recording.column("unstable_coordinate")[: run.frames])
        steps = np.arange(len(size), dtype=np.float64)
        logs = _logarithms(size)
        rows = distinct_rows(np.stack([steps, logs], axis=1))
        self._observed[run.id].setData(steps[rows], logs[rows], pen=curve_pen(color, run.dash, 2.0), connect="finite")
        self._observed[run.id].setVisible(run.visible)
        line = None if growth is None else _line(growth, size)
        self._predicted[run.id].setVisible(run.visible and line is not None)
        if line is not None:
            self._predicted[run.id].setData(*line, pen=pg.mkPen(color, width=1.5, style=Qt.PenStyle.DotLine))
        if growth is not None:
            self.growths[run.id] = growth

    def _write_caption(self) -> None:
        lines = []
        for run in self._runs:
            growth = self.growths.get(run.id)
            if growth is None or not run.visible or math.isnan(growth.observed):
                continue
            theory = "" if math.isnan(growth.predicted) else f", theory {growth.predicted:.4f}"
            lines.append(f"{run.title}: × {growth.observed:.4f} a step{theory}")
        self.caption.setText("\n".join(lines) or _NOTHING)

    # -- pointing -------------------------------------------------------------------------------------------------

    def point_at(self, mouse: QPointF) -> None:
        place = self.view_box.mapSceneToView(self.plot.mapToScene(mouse.toPoint()))
        step = max(round(place.x()), 0)
        readings = []
        for run in self._runs:
            curve = self._observed.get(run.id)
            if curve is None or not run.visible or step >= run.frames:
                continue
            value = abs(float(run.recording.column("unstable_coordinate")[step]))
            readings.append(Reading(run.title, f"{value:.4g}", curve.opts["pen"], self._place_of(step, _log(value))))
        if readings:
            self.crosshair.point(mouse, self.area, f"step {step}", readings)
        else:
            self.crosshair.clear()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def restyle(self) -> None:
        super().restyle()
        self._drawn.clear()
        self.refresh()


def _log(value: float) -> float:
    return math.log10(max(value, _FLOOR)) if math.isfinite(value) else math.nan


def _logarithms(size: Array) -> Array:
    found: Array = np.log10(np.maximum(np.where(np.isfinite(size), size, np.nan), _FLOOR))
    return found


def _line(growth: Growth, size: Array) -> tuple[Array, Any] | None:
    """Return the predicted course from the start to where it would be as far as the run ever came, or None."""
    if math.isnan(growth.predicted) or not size[0] > 0.0:
        return None
    rate, first = math.log10(growth.predicted), math.log10(size[0])
    last = float(len(size) - 1)
    if rate > 0.0:
        last = min(last, (math.log10(float(np.nanmax(size))) - first) / rate)
    steps = np.array([0.0, max(last, 1.0)])
    return steps, first + rate * steps
