"""The tab Spectrum: the eigenvalues of the Hessian along the path of the selected run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from lieapp.engine.quantity import EVALUATIONS
from lieapp.gui.landscape.study_card import StudyCard
from lieapp.gui.plots.curve import readable_color
from lieapp.gui.runs.entry import RunEntry

if TYPE_CHECKING:
    from lieapp.landscapes.spectrum import PathSpectrum

__all__ = ["SpectrumPlot"]

_LOWEST, _HIGHEST = "#B2182B", "#2166AC"


class SpectrumPlot(StudyCard):
    """Eigenvalues over evaluations; the lowest and the highest are thick, and named at their ends.

    Signals
    -------
    cursor_moved(int)
        The user clicked on this frame.
    """

    cursor_moved = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Spectrum of the Hessian along the path",
            "Compute",
            "Compute the eigenvalues of the Hessian along the path of the selected run",
            parent,
        )
        self.run: RunEntry | None = None
        self._curves: list[pg.PlotDataItem] = []
        self.zero = pg.InfiniteLine(angle=0, movable=False)
        self.cursor_line = pg.InfiniteLine(angle=90, movable=False)
        self.cursor_line.hide()
        for item in (self.zero, self.cursor_line):
            self.plot.addItem(item, ignoreBounds=True)
        self.names = (pg.TextItem("lowest", anchor=(1.0, 0.0)), pg.TextItem("highest", anchor=(1.0, 1.0)))
        for name in self.names:
            name.hide()
            self.plot.addItem(name)
        self.plot.setLabel("bottom", EVALUATIONS.label)
        self.plot.setLabel("left", "eigenvalues of the Hessian")
        self.view_box.setDefaultPadding(0.12)
        self._lay_out_rows()
        self.plot.scene().sigMouseClicked.connect(self._click)

    def show_run(self, run: RunEntry | None, found: PathSpectrum | None) -> None:
        """Show the spectrum of a run; None where it was not computed yet."""
        if run is None:
            self.say("Start a run; then its spectrum can be computed along its path.")
        elif found is None:
            self.say(f"{run.title}: not computed yet. Exact up to 128 parameters, else by Lanczos.")
        elif not len(found):
            self.say(f"{run.title}: stopped before the first frame.")
        else:
            how = "exact" if found.exact else "Ritz values of Lanczos: both ends are close to eigenvalues"
            cost = f"{found.cost:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
            self.say(f"{run.title}: {len(found)} frames, {how}. It took {cost} evaluations, charged to no run.")
        if run is self.run and found is self.found:
            return
        self.run = run
        self.set_found(found if found is not None and len(found) else None)
        self._draw()
        self.follow()

    def set_cursor(self, evaluations: float | None) -> None:
        """Put the shared cursor at a cost."""
        self.cursor_line.setVisible(evaluations is not None and self.found is not None)
        if evaluations is not None:
            self.cursor_line.setPos(evaluations)

    def describe(self, x: float, y: float) -> str:
        found: PathSpectrum | None = self.found
        if found is None:
            return ""
        row = int(np.argmin(np.abs(found.evaluations - x)))
        values = found.values[row][np.isfinite(found.values[row])]
        if not len(values):
            return ""
        at = f"evaluation {found.evaluations[row]:.4g}, step {found.frames[row]}"
        negative = f"{found.negative[row]} of {len(values)} negative"
        return f"{at}: lowest {values[0]:.5g}, highest {values[-1]:.5g}, {negative}".replace("-", "−")

    def _draw(self) -> None:
        for curve in self._curves:
            self.plot.removeItem(curve)
        self._curves = []
        found: PathSpectrum | None = self.found
        for name in self.names:
            name.setVisible(found is not None)
        if found is None:
            return
        width = found.values.shape[1]
        for place in range(width):
            curve = pg.PlotDataItem(found.evaluations, found.values[:, place], connect="finite")
            curve.setZValue(5 if place in (0, width - 1) else 0)
            self.plot.addItem(curve)
            self._curves.append(curve)
        for name, column in zip(self.names, (0, -1), strict=True):
            ends = found.values[:, column]
            finite = np.flatnonzero(np.isfinite(ends))
            if len(finite):
                name.setPos(float(found.evaluations[finite[-1]]), float(ends[finite[-1]]))
        self.restyle()

    def _click(self, event: object) -> None:
        found: PathSpectrum | None = self.found
        place = self.view_box.mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        left = event.button() == Qt.MouseButton.LeftButton  # type: ignore[attr-defined]
        if found is not None and left and math.isfinite(place.x()):
            self.cursor_moved.emit(int(found.frames[int(np.argmin(np.abs(found.evaluations - place.x())))]))

    def restyle(self) -> None:
        super().restyle()
        palette = self.look.palette(self)
        base, text = palette.color(QPalette.ColorRole.Base).name(), palette.color(QPalette.ColorRole.Text)
        muted = palette.color(QPalette.ColorRole.PlaceholderText)
        self.zero.setPen(pg.mkPen(text, width=self.ratio, style=Qt.PenStyle.DashLine))
        self.cursor_line.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=self.ratio))
        ends = (readable_color(_LOWEST, base), readable_color(_HIGHEST, base))
        exact = self.found is None or self.found.exact
        last = len(self._curves) - 1
        for place, curve in enumerate(self._curves):
            edge = place in (0, last)
            color = ends[0] if place == 0 else ends[1] if place == last else muted.name()
            width = (self.look.line if edge else 1.0) * self.ratio
            curve.setPen(pg.mkPen(color, width=width) if exact else None)
            curve.setSymbol(None if exact and len(self.found or ()) > 1 else "o")
            curve.setSymbolSize(5 if edge else 3)
            curve.setSymbolBrush(color)
            curve.setSymbolPen(None)
        for name, color in zip(self.names, ends, strict=True):
            name.setColor(color)
            name.setFont(self.look.font(self))
