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

from lieapp.gui.axes import PlainAxis, style_plot

__all__ = ["CORE_CUTOFF", "DeviationPlot"]

CORE_CUTOFF = 2.0
"""Where the dashed line is drawn, in Å: the cut-off of the core."""


class DeviationPlot(QWidget):
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
        super().__init__(parent)
        self._labels: Sequence[str] = ()
        self._values: NDArray[np.float64] = np.empty(0)
        self._selected: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._pair = -1
        self.plot = pg.PlotWidget(axisItems={"left": PlainAxis("left"), "bottom": PlainAxis("bottom")})
        self.plot.setAccessibleName("Deviation of every pair")
        self.plot.viewport().setAccessibleName(self.plot.accessibleName())
        self.plot.setAccessibleDescription("The numbers are in the residue table that can be exported.")
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        # On the plot: it sets its curves to its own modes when they are added.
        self.plot.setDownsampling(auto=True, mode="peak")
        self.plot.setMinimumSize(200, 140)
        self.plot.setLabel("left", "distance to partner (Å)")
        self.plot.setLabel("bottom", "pair, in sequence order")
        self.plot.getPlotItem().getViewBox().setDefaultPadding(0.02)
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
        self.plot.scene().sigMouseMoved.connect(self._hover_at)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._restyle()

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
            self._pair = -1
            self.plot.enableAutoRange()
            self.plot.setLimits(xMin=-0.05 * len(values) - 1, xMax=1.05 * len(values) + 2, yMin=-0.5)
        self._show_chosen()
        self._show_pair()

    def set_selected(self, pairs: NDArray[np.bool_]) -> None:
        """Draw these pairs thick, shape (pairs,)."""
        self._selected = pairs
        self._show_chosen()

    def _show_chosen(self) -> None:
        if len(self._selected) != len(self._values) or not self._selected.any():
            self.chosen.clear()
            return
        places = np.arange(1, len(self._values) + 1, dtype=float)
        self.chosen.setData(places, np.where(self._selected, self._values, np.nan))

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

    def _hover_at(self, position: QPointF) -> None:
        box = self.plot.getPlotItem().getViewBox()
        pair = -1
        if box.sceneBoundingRect().contains(position):
            pair = round(box.mapSceneToView(position).x()) - 1
        before = self._pair
        self.mark_pair(pair)
        if self._pair != before:
            self.pair_hovered.emit(self._pair)

    def _click(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._hover_at(event.scenePos())
            self.pair_clicked.emit(self._pair, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def leaveEvent(self, event: QEvent) -> None:
        if self._pair >= 0:
            self.mark_pair(-1)
            self.pair_hovered.emit(-1)
        super().leaveEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        # Events come already while the base class is being made.
        if event.type() in kinds and hasattr(self, "hover"):
            self._restyle()
        super().changeEvent(event)

    def _restyle(self) -> None:
        palette = self.palette()
        style_plot(self.plot, palette, self.font())
        accent = palette.color(QPalette.ColorRole.Highlight)
        fill = palette.color(QPalette.ColorRole.Highlight)
        fill.setAlpha(50)
        text = palette.color(QPalette.ColorRole.Text)
        self.curve.setPen(pg.mkPen(accent, width=1))
        self.curve.setFillBrush(pg.mkBrush(fill))
        self.chosen.setPen(pg.mkPen(text, width=2))
        self.core.setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine))
        self.mark.setPen(pg.mkPen(text, width=1))
