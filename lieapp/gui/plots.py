"""The progress plot: every run as one curve, with one cursor that belongs to the scrub bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QGraphicsItem,
    QHBoxLayout,
    QLabel,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from lieapp.gui.axes import PlainAxis, style_plot
from lieapp.gui.plot_quantities import ABSCISSAE, Quantity
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.theme import contrast

__all__ = ["ProgressPlots", "curve_pen", "readable_color"]


# Thick antialiased lines cost up to 30 times as much as thin ones, so long curves stay thin.
_THICK_LINE_POINTS = 2000
_NEAR_PIXELS = 14.0
_LEAST_CONTRAST = 3.0
_EMPTY_RANGE = (0.0, 100.0)
_HINT = "Wheel zooms, drag pans, click puts the cursor, double-click shows everything."


def curve_pen(color: str, dash: Sequence[float], width: float) -> QPen:
    """Return the pen of a run: its colour and its dash, so that colour is never the only cue.

    Parameters
    ----------
    color : str
        ``"#RRGGBB"``.
    dash : sequence of float
        On and off lengths, in widths of a line of 2 pixels; empty for a solid line.
    width : float
        In pixels. The dashes have the same length on a thin line, or they could not be told apart.
    """
    pen: QPen = pg.mkPen(color, width=width)
    if dash:
        pen.setDashPattern([length * 2.0 / width for length in dash])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCosmetic(True)
    return pen


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


class ProgressPlots(QWidget):
    """What the runs did, as curves over their cost.

    Parameters
    ----------
    quantities : sequence of Quantity
        What the ordinate can show; the first is shown first.
    abscissae : sequence of Quantity, optional
        What the abscissa can show; the first is shown first.

    Signals
    -------
    cursor_moved(int)
        The user put the cursor on this frame of the current run.
    """

    cursor_moved = Signal(int)

    def __init__(
        self,
        quantities: Sequence[Quantity],
        abscissae: Sequence[Quantity] = ABSCISSAE,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._quantities, self._abscissae = tuple(quantities), tuple(abscissae)
        self._runs: list[RunEntry] = []
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._drawn: dict[str, tuple[object, ...]] = {}
        self._cursor_run: RunEntry | None = None
        self._cursor_frame = 0
        self._units: dict[str, str] = {}
        self._references: dict[str, tuple[float, str]] = {}

        self.quantity = self._choice(self._quantities, "Ordinate", "What the curves show")
        self.abscissa = self._choice(self._abscissae, "Abscissa", "What the curves are drawn over")
        self.logarithmic = QCheckBox("log")
        self.logarithmic.setToolTip("Logarithmic ordinate; what is smaller than rounding is drawn at its end")
        self.logarithmic.setAccessibleName("Logarithmic ordinate")
        self.logarithmic.setChecked(self._quantities[0].logarithmic)
        self._axis = PlainAxis("left")
        self.plot = self._make_plot()
        self.cursor_line = pg.InfiniteLine(angle=90, movable=True)
        self.cursor_line.setZValue(10)
        self.cursor_line.hide()
        self.reference = pg.InfiniteLine(
            angle=0, movable=False, label="", labelOpts={"position": 0.97, "anchors": [(1, 1), (1, 1)]}
        )
        self.reference.setZValue(8)
        self.reference.hide()
        for item in (self.cursor_line, self.reference):
            self.plot.addItem(item, ignoreBounds=True)
        self._lay_out()
        self.quantity.currentIndexChanged.connect(self._change_quantity)
        self.abscissa.currentIndexChanged.connect(self._redraw)
        self.logarithmic.toggled.connect(self._redraw)
        self.cursor_line.sigDragged.connect(self._drag_cursor)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._restyle()
        self._show_empty_range()

    # -- what is shown --------------------------------------------------------------------------------------------

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show these runs; curves of runs that are gone are removed."""
        if not runs:
            self._show_empty_range()
        elif not self._runs:
            self.plot.enableAutoRange()
        self._runs = list(runs)
        for identifier in set(self._curves) - {run.id for run in runs}:
            self.plot.removeItem(self._curves.pop(identifier))
            self._drawn.pop(identifier, None)
        self.refresh()

    def set_unit(self, column: str, unit: str) -> None:
        """Name the unit of a column where it depends on the runs: a gap is in Å for an RMSD, without unit for a score.

        Parameters
        ----------
        column : str
        unit : str
        """
        if unit != self._units.get(column):
            self._units[column] = unit
            self._label_axes()

    def set_reference(self, column: str, value: float | None, text: str = "") -> None:
        """Draw a known value as a dashed line while its column is shown.

        Parameters
        ----------
        column : str
            Column of the recording.
        value : float or None
            None removes the line.
        text : str, optional
            What stands at the line.
        """
        if value is None:
            self._references.pop(column, None)
        else:
            self._references[column] = value, text
        self._place_reference()

    def set_cursor(self, run: RunEntry | None, frame: int) -> None:
        """Put the shared cursor on a frame of a run, and the curve of that run above the others."""
        if run is not self._cursor_run:
            for identifier, curve in self._curves.items():
                curve.setZValue(5 if run is not None and identifier == run.id else 0)
        self._cursor_run, self._cursor_frame = run, frame
        position = None if run is None else run.value(self.abscissa_shown.column, frame)
        self.cursor_line.setVisible(position is not None)
        if position is not None and position != self.cursor_line.value():
            self.cursor_line.blockSignals(True)
            self.cursor_line.setPos(position)
            self.cursor_line.blockSignals(False)

    def refresh(self) -> None:
        """Draw what the recordings hold by now; curves that did not change cost nothing."""
        for run in self._runs:
            self._refresh_curve(run)
        if self._cursor_run is not None:
            self.set_cursor(self._cursor_run, self._cursor_frame)

    # -- pieces ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _choice(entries: Sequence[Quantity], name: str, tip: str) -> QComboBox:
        box = QComboBox()
        box.addItems([entry.title for entry in entries])
        box.setAccessibleName(name)
        box.setToolTip(tip)
        return box

    def _make_plot(self) -> pg.PlotWidget:
        plot = pg.PlotWidget(axisItems={"left": self._axis, "bottom": PlainAxis("bottom")})
        plot.setAccessibleName("Progress of the runs")
        plot.setAccessibleDescription(f"{_HINT} The numbers are in the list of runs and in the exported tables.")
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setAntialiasing(True)
        # On the plot: it sets its curves to its own modes when they are added.
        plot.setDownsampling(auto=True, mode="peak")
        plot.setClipToView(True)
        plot.getPlotItem().getViewBox().setMouseMode(pg.ViewBox.PanMode)
        plot.getPlotItem().getViewBox().setDefaultPadding(0.04)
        # Less than this would push the axes out of their card.
        plot.setMinimumSize(200, 140)
        plot.viewport().setAccessibleName(plot.accessibleName())
        plot.viewport().installEventFilter(self)
        return plot

    def _lay_out(self) -> None:
        # In a narrow panel, or with large letters, the choices take two lines.
        self._choices = choices = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        choices.setContentsMargins(8, 4, 8, 0)
        choices.setSpacing(8)
        over = QLabel("over")
        over.setBuddy(self.abscissa)
        second = QHBoxLayout()
        second.setSpacing(8)
        second.addWidget(over)
        second.addWidget(self.abscissa)
        second.addStretch(1)
        second.addWidget(self.logarithmic)
        choices.addWidget(self.quantity)
        choices.addLayout(second, 1)
        self._choosers = (self.quantity, over, self.abscissa, self.logarithmic)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(choices)
        layout.addWidget(self.plot, 1)

    @property
    def ordinate_shown(self) -> Quantity:
        """What the ordinate shows."""
        return self._quantities[self.quantity.currentIndex()]

    @property
    def abscissa_shown(self) -> Quantity:
        """What the abscissa shows."""
        return self._abscissae[self.abscissa.currentIndex()]

    @property
    def _log(self) -> bool:
        return self.logarithmic.isChecked()

    @property
    def _unit(self) -> str:
        return self._unit_of(self.ordinate_shown)

    def _unit_of(self, quantity: Quantity) -> str:
        return self._units.get(quantity.column, quantity.unit)

    def _refresh_curve(self, run: RunEntry) -> None:
        curve = self._curves.get(run.id)
        if curve is None:
            curve = self._curves[run.id] = self._make_curve()
            curve.setZValue(5 if run is self._cursor_run else 0)
        if curve.isVisible() != run.visible:
            curve.setVisible(run.visible)
            # pyqtgraph looks at what is visible, but not when that changes.
            self.plot.getPlotItem().getViewBox().queueUpdateAutoRange()
        frames, finished = run.frames, run.finished
        thick = finished and frames <= _THICK_LINE_POINTS
        color = readable_color(run.color, self.palette().color(QPalette.ColorRole.Base).name())
        key = (frames, finished, color, run.dash, self.ordinate_shown, self.abscissa_shown, self._log)
        if self._drawn.get(run.id) == key:
            return
        self._drawn[run.id] = key
        points = self._points(run, frames)
        if points is None:
            curve.clear()
        else:
            curve.setData(*points, pen=curve_pen(color, run.dash, 2.0 if thick else 1.0))

    def _make_curve(self) -> pg.PlotDataItem:
        curve = pg.PlotDataItem(connect="finite", autoDownsampleFactor=1.0)
        # The cursor moves 30 times a second over curves that do not: their picture is kept.
        curve.curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.plot.addItem(curve)
        return curve

    def _points(self, run: RunEntry, frames: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        columns = run.recording.columns
        if frames == 0 or self.ordinate_shown.column not in columns or self.abscissa_shown.column not in columns:
            return None
        x = run.recording.column(self.abscissa_shown.column)[:frames]
        y = run.recording.column(self.ordinate_shown.column)[:frames]
        # A diverged run ends in infinity: it has no place, and would take the range with it.
        y = np.where(np.isfinite(y), y, np.nan)
        if self._log:
            y = np.log10(np.maximum(y, self.ordinate_shown.floor))
        return x, y

    def _change_quantity(self) -> None:
        self.logarithmic.blockSignals(True)
        self.logarithmic.setChecked(self.ordinate_shown.logarithmic)
        self.logarithmic.blockSignals(False)
        self._redraw()

    def _redraw(self) -> None:
        self._label_axes()
        self._place_reference()
        self.refresh()
        if self._runs:
            self.plot.enableAutoRange()
        else:
            self._show_empty_range()

    def _show_empty_range(self) -> None:
        self.plot.setRange(xRange=_EMPTY_RANGE, yRange=(-6, 2) if self._log else (0, 10))

    def _label_axes(self) -> None:
        # The curves hold logarithms already; only the axis has to know, for its labels.
        self._axis.set_decades(self._log, float(np.log10(self.ordinate_shown.floor)))
        unit = f" ({self._unit})" if self._unit else ""
        label = f"{self.ordinate_shown.axis}{unit}"
        # A label longer than its axis would be cut at both ends.
        if QFontMetricsF(self.font()).horizontalAdvance(label) > self.plot.height() - 76:
            label = f"{self.ordinate_shown.title}{unit}"
        unit = self._unit_of(self.abscissa_shown)
        bottom = f"{self.abscissa_shown.axis} ({unit})" if unit else self.abscissa_shown.axis
        if QFontMetricsF(self.font()).horizontalAdvance(bottom) > self.plot.width() - 90:
            bottom = self.abscissa_shown.title
        for side, text in (("left", label), ("bottom", bottom)):
            if self.plot.getAxis(side).labelText != text:
                self.plot.setLabel(side, text, **self.plot.getAxis(side).labelStyle)

    def _place_reference(self) -> None:
        value, text = self._references.get(self.ordinate_shown.column, (None, ""))
        shown = value is not None and (value > 0 or not self._log)
        self.reference.setVisible(shown)
        if shown and value is not None:
            self.reference.label.setFormat(text)
            self.reference.setPos(float(np.log10(value)) if self._log else value)

    # -- mouse ----------------------------------------------------------------------------------------------------

    def _drag_cursor(self) -> None:
        self._go_to(float(self.cursor_line.value()))

    def _click(self, event: Any) -> None:
        """Put the cursor where it is clicked."""
        box = self.plot.getPlotItem().getViewBox()
        if event.button() != Qt.MouseButton.LeftButton or not box.sceneBoundingRect().contains(event.scenePos()):
            return
        if not event.double():
            self._go_to(float(box.mapSceneToView(event.scenePos()).x()))

    def _go_to(self, place: float) -> None:
        run = self._cursor_run
        if run is None or run.frames == 0 or self.abscissa_shown.column not in run.recording.columns:
            return
        x = run.recording.column(self.abscissa_shown.column)[: run.frames]
        self._cursor_frame = int(np.argmin(np.abs(x - place)))
        self.cursor_moved.emit(self._cursor_frame)

    def near(self, position: QPointF) -> tuple[RunEntry, int] | None:
        """Return the run and the frame that are drawn next to a place of the plot, or None.

        Parameters
        ----------
        position : QPointF
            In pixels of the plot.
        """
        box = self.plot.getPlotItem().getViewBox()
        place = box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        width, height = box.viewPixelSize()
        best: tuple[float, RunEntry, int] | None = None
        for run in self._runs:
            points = self._points(run, run.frames) if run.visible else None
            if points is None:
                continue
            distance = np.hypot((points[0] - place.x()) / width, (points[1] - place.y()) / height)
            distance[np.isnan(distance)] = np.inf
            frame = int(np.argmin(distance))
            if distance[frame] < (best[0] if best is not None else _NEAR_PIXELS):
                best = float(distance[frame]), run, frame
        return None if best is None else best[1:]

    def _tip(self, position: QPointF) -> str:
        found = self.near(position)
        if found is None:
            return "" if self._runs else _HINT
        run, frame = found
        value, cost = run.value(self.ordinate_shown.column, frame), run.value("evaluations", frame)
        shown = "not finite" if value is None else f"{value:.4g} {self._unit}".rstrip()
        spent = "" if cost is None else f", {cost:.6g} evaluations"
        return f"{run.title}\nstep {frame}{spent}\n{self.ordinate_shown.title} {shown}"

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._tip(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), text, self.plot)
            else:
                QToolTip.hideText()
            return True
        if event.type() == QEvent.Type.MouseButtonDblClick and self._runs:
            self.plot.enableAutoRange()
        return super().eventFilter(watched, event)

    # -- looks ----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        needed = sum(widget.sizeHint().width() + 8 for widget in self._choosers)
        direction = directions.LeftToRight if self.width() >= needed else directions.TopToBottom
        if self._choices.direction() != direction:
            self._choices.setDirection(direction)
        self._label_axes()

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        # Events come already while the base class is being made.
        if event.type() in kinds and hasattr(self, "reference"):
            self._restyle()
            self.refresh()
        super().changeEvent(event)

    def _restyle(self) -> None:
        palette = self.palette()
        style_plot(self.plot, palette, self.font())
        accent = palette.color(QPalette.ColorRole.Highlight)
        text = palette.color(QPalette.ColorRole.Text)
        self.cursor_line.setPen(pg.mkPen(accent, width=1))
        self.cursor_line.setHoverPen(pg.mkPen(accent, width=3))
        self.reference.setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine))
        self.reference.label.setColor(text)
        back = palette.color(QPalette.ColorRole.Base)
        back.setAlpha(200)
        self.reference.label.fill = pg.mkBrush(back)
        self._label_axes()
