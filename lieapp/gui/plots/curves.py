"""The curves of the runs in one plot: each drawn as far as its run has come, again only where something changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from lieapp.engine.quantity import Quantity
from lieapp.gui.plots.curve import RunCurve, curve_pen
from lieapp.gui.plots.look import PlotLook
from lieapp.gui.runs.entry import RunEntry

__all__ = ["CurveLook", "Quantities", "RunCurves"]

# Thick lines cost up to 30 times as much as thin ones, so long curves stay thin.
_THICK_LINE_POINTS = 2000


@dataclass(frozen=True)
class Quantities:
    """What a plot shows: ordinate over abscissa, the ordinate as its decimal logarithm where wanted."""

    ordinate: Quantity
    abscissa: Quantity
    logarithmic: bool


@dataclass(frozen=True)
class CurveLook:
    """How a curve is drawn: colour ``"#RRGGBB"``, widths, and device pixels in a pixel."""

    color: str
    look: PlotLook
    ratio: float


class RunCurves(dict[str, RunCurve]):
    """Curves by the ids of their runs.

    Parameters
    ----------
    plot : PlotWidget
    """

    def __init__(self, plot: pg.PlotWidget) -> None:
        super().__init__()
        self._plot = plot
        self._drawn: dict[str, tuple[object, ...]] = {}
        self._raised: RunEntry | None = None

    def keep(self, identifiers: Collection[str]) -> None:
        """Remove the curves of other runs."""
        for identifier in set(self) - set(identifiers):
            self._plot.removeItem(self.pop(identifier))
            self._drawn.pop(identifier, None)

    def raise_run(self, run: RunEntry | None) -> None:
        """Put the curve of a run above the others."""
        if run is not self._raised:
            self._raised = run
            for identifier, curve in self.items():
                curve.setZValue(5 if run is not None and identifier == run.id else 0)

    def draw(self, run: RunEntry, shown: Quantities, look: CurveLook) -> bool:
        """Draw a run as far as it has come; return whether anything changed."""
        curve = self.get(run.id)
        if curve is None:
            curve = self[run.id] = RunCurve()
            self._plot.addItem(curve)
            curve.setZValue(5 if run is self._raised else 0)
        turned = curve.isVisible() != run.visible
        if turned:
            curve.setVisible(run.visible)
            # pyqtgraph looks at what is visible, but not when that changes.
            self._plot.getPlotItem().getViewBox().queueUpdateAutoRange()
        frames, finished = run.frames, run.finished
        key = (shown, frames, finished, run.dash, look)
        before = self._drawn.get(run.id)
        if before == key:
            return turned
        self._drawn[run.id] = key
        if before is not None and (before[0] != shown or shown.ordinate.sparse):
            curve.restart()
        _extend(curve, run, frames, shown)
        thick = finished and frames <= _THICK_LINE_POINTS
        width = look.look.line if thick else look.look.running_line
        curve.set_look(curve_pen(look.color, run.dash, width, look.ratio), look.look.pixels)
        return True


def _extend(curve: RunCurve, run: RunEntry, frames: int, shown: Quantities) -> None:
    columns = run.recording.columns
    over, name = shown.abscissa.column, shown.ordinate.column
    if frames == 0 or name not in columns or over not in columns:
        return
    table = run.recording.table([over, name])
    tail = table[name][len(curve.series) : frames]
    # A diverged run ends in infinity: it has no place, and would take the range with it.
    tail = np.where(np.isfinite(tail), tail, np.nan)
    if shown.logarithmic:
        tail = np.log10(np.maximum(tail, shown.ordinate.floor))
    if shown.ordinate.sparse:
        tail = _joined(table[over][:frames], tail)
    curve.extend(table[over][:frames], tail)


def _joined(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with straight lines between those that are known; unknown before the first and after the last."""
    known = np.isfinite(y)
    if known.all() or not known.any():
        return y
    joined: NDArray[np.float64] = np.interp(x, x[known], y[known], left=np.nan, right=np.nan)
    return joined
