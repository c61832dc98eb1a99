"""The deviation of every pair along the chain, as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGraphicsItem, QLabel, QVBoxLayout, QWidget

from lieapp.gui.plots.card import HINT, PlotCard
from lieapp.gui.plots.crosshair import Reading

__all__ = ["CORE_CUTOFF", "DeviationPlot"]

CORE_CUTOFF = 2.0
"""Where the dashed line is drawn, in Å: the cut-off of the core."""


class DeviationPlot(PlotCard):
    """Distance to the partner, pair by pair, at the pose shown.

    Signals
    -------
    pair_hovered(int)
        Index of the pair under the mouse, -1 when it leaves.
    pair_clicked(int, bool)
        Index of the pair that was clicked, -1 beside all; the flag tells whether Shift was held.
    """

    pair_hovered = Signal(int)
    pair_clicked = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Deviation of every pair", parent)
        self._labels: Sequence[str] = ()
        self._values: NDArray[np.float64] = np.empty(0)
        self._selected: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._pair = -1
        self._told = -1
        self.plot.setAccessibleDescription(f"{HINT} The numbers are in the residue table that can be exported.")
        # On the plot: it sets its curves to its own modes when they are added.
        self.plot.setDownsampling(auto=True, mode="peak")
        self.plot.setLabel("left", "distance to partner (Å)")
        self.plot.setLabel("bottom", "pair, in sequence order")
        self.view_box.setDefaultPadding(0.02)
        self.plot.setRange(xRange=(0, 100), yRange=(0, 10))
        self.curve = pg.PlotDataItem(connect="finite", autoDownsampleFactor=1.0)
        self.curve.setFillLevel(0)
        self.curve.curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.chosen = pg.PlotDataItem(connect="finite")
        self.core = pg.InfiniteLine(angle=0, pos=CORE_CUTOFF)
        self.mark = pg.InfiniteLine(angle=90)
        self.mark.hide()
        self.plot.addItem(self.curve)
        self.plot.addItem(self.chosen, ignoreBounds=True)
        self.plot.addItem(self.core, ignoreBounds=True)
        self.plot.addItem(self.mark, ignoreBounds=True)
        self.hover = QLabel(" ")
        self.hover.setObjectName("caption")
        self.hover.setContentsMargins(8, 8, 8, 0)
        self.hover.setAccessibleName("Pair under the mouse")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.hover)
        layout.addWidget(self.plot, 1)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._ready = True
        self.restyle()

    def set_deviations(self, labels: Sequence[str], values: NDArray[np.float64]) -> None:
        """Show the deviations.

        Parameters
        ----------
        labels : sequence of str
            Name of every pair for people.
        values : ndarray, shape=(pairs,)
            Distances in Å.
        """
        fresh = len(values) != len(self._values)
        self._labels, self._values = labels, np.asarray(values, dtype=float)
        if len(self._values):
            self.curve.setData(np.arange(1, len(self._values) + 1, dtype=float), self._values)
        else:
            self.curve.clear()
        if fresh:
            # Another pair: what was zoomed into is gone.
            self._pair = self._told = -1
            self.crosshair.clear()
            self.set_has_data(len(values) > 0)
            self.plot.enableAutoRange()
            self.plot.setLimits(xMin=-0.05 * len(values) - 1, xMax=1.05 * len(values) + 2, yMin=-0.5)
        self._show_chosen()
        self._show_pair()
        self.refresh_pointing()

    def set_selected(self, pairs: NDArray[np.bool_]) -> None:
        """Draw these pairs thick, shape (pairs,)."""
        self._selected = pairs
        self._show_chosen()

    def _show_chosen(self) -> None:
        if len(self._selected) != len(self._values) or not self._selected.any():
            self.chosen.clear()
            return
        # Half a pair to both sides: a pair alone would be a line without length.
        pairs = np.arange(1, len(self._values) + 1, dtype=float)
        places = np.arange(0.5, len(self._values) + 0.75, 0.5)
        edge = np.zeros(1, dtype=bool)
        beside = np.concatenate([edge, self._selected]) | np.concatenate([self._selected, edge])
        chosen = np.empty(len(places), dtype=bool)
        chosen[0::2], chosen[1::2] = beside, self._selected
        self.chosen.setData(places, np.where(chosen, np.interp(places, pairs, self._values), np.nan))

    def mark_pair(self, pair: int) -> None:
        """Point at a pair, or at none for -1."""
        self._pair = pair if 0 <= pair < len(self._values) else -1
        self._show_pair()

    def _show_pair(self) -> None:
        self.mark.setVisible(self._pair >= 0)
        if self._pair >= 0:
            self.mark.setPos(self._pair + 1.0)
            self.hover.setText(f"{self._labels[self._pair]}   {self._values[self._pair]:.2f} Å")
        elif len(self._values):
            within = int(np.count_nonzero(self._values < CORE_CUTOFF))
            self.hover.setText(f"{within} of {len(self._values)} pairs below {CORE_CUTOFF:g} Å (dashed) at this pose")
        else:
            self.hover.setText(" ")

    def point_at(self, mouse: QPointF) -> None:
        pair = self._pair_at(mouse)
        self.mark_pair(pair)
        self._tell(self._pair)
        if self._pair < 0:
            self.crosshair.clear()
            return
        value = float(self._values[self._pair])
        place = self._place_of(self._pair + 1.0, value)
        reading = Reading("distance to partner", f"{value:.2f} Å", self.curve.opts["pen"], place)
        # On the pair, not between two of them.
        mouse = QPointF(mouse.x() if place is None else place.x(), mouse.y())
        self.crosshair.point(mouse, self.area, self._labels[self._pair], [reading])

    def clear_pointing(self) -> None:
        super().clear_pointing()
        # Another view may point at a pair: that stays.
        if self._told >= 0:
            self.mark_pair(-1)
            self._tell(-1)

    def _pair_at(self, mouse: QPointF) -> int:
        return round(self.view_box.mapSceneToView(self.plot.mapToScene(mouse.toPoint())).x()) - 1

    def _tell(self, pair: int) -> None:
        if pair != self._told:
            self._told = pair
            self.pair_hovered.emit(pair)

    def _click(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        mouse = QPointF(self.plot.mapFromScene(event.scenePos()))
        pair = self._pair_at(mouse) if self.area.contains(mouse.toPoint()) else -1
        self.mark_pair(pair)
        self._tell(self._pair)
        self.pair_clicked.emit(self._pair, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def leaveEvent(self, event: QEvent) -> None:
        self._clear()
        super().leaveEvent(event)

    def restyle(self) -> None:
        super().restyle()
        palette, look = self.look.palette(self), self.look
        accent = palette.color(QPalette.ColorRole.Highlight)
        fill = palette.color(QPalette.ColorRole.Highlight)
        fill.setAlpha(50)
        text = palette.color(QPalette.ColorRole.Text)
        thin = look.running_line * self.ratio
        self.curve.setPen(pg.mkPen(accent, width=thin))
        self.curve.setFillBrush(pg.mkBrush(fill))
        self.chosen.setPen(pg.mkPen(text, width=thin + self.ratio))
        self.core.setPen(pg.mkPen(text, width=thin, style=Qt.PenStyle.DashLine))
        self.mark.setPen(pg.mkPen(text, width=self.ratio))
