"""The progress plot: every run as one curve, with one cursor that belongs to the scrub bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFontMetricsF, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from lieapp.engine.quantity import ABSCISSAE, Quantity
from lieapp.gui.plots.axes import decade_text
from lieapp.gui.plots.card import HINT, PlotCard
from lieapp.gui.plots.crosshair import Reading
from lieapp.gui.plots.curve import curve_pen, readable_color
from lieapp.gui.plots.curves import CurveLook, Quantities, RunCurves
from lieapp.gui.plots.legend import PlotLegend
from lieapp.gui.runs.entry import RunEntry

__all__ = ["ProgressPlots"]

_NEAR_PIXELS = 14.0
_NEAR_FRAMES = 4000  # looked at under the mouse: more are within one pixel
_EMPTY_RANGE = (0.0, 100.0)
_LEGEND_MILLISECONDS = 300  # between two looks for a better place of the legend
_LEGEND_STEP = 4  # pixels between the places of a curve that it looks at


class ProgressPlots(PlotCard):
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
    visibility_changed(RunEntry)
        The user hid or showed a run in the legend.
    """

    cursor_moved = Signal(int)
    visibility_changed = Signal(object)

    def __init__(
        self,
        quantities: Sequence[Quantity],
        abscissae: Sequence[Quantity] = ABSCISSAE,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Progress of the runs", parent)
        self._quantities, self._abscissae = tuple(quantities), tuple(abscissae)
        self._runs: list[RunEntry] = []
        self._curves = RunCurves(self.plot)
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
        self.plot.setAccessibleDescription(
            f"{HINT} A click puts the cursor. The numbers are in the list of runs and in the exported tables."
        )
        self.view_box.setDefaultPadding(0.04)
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
        self.legend = PlotLegend(self.plot.viewport())
        self.legend_action = self._make_action("&Legend", "Names of the runs in the plot; a click hides or shows one",
                                               checkable=True)  # fmt: skip
        self.legend_action.setChecked(True)
        self._legend_timer = QTimer(self, singleShot=True, interval=_LEGEND_MILLISECONDS)
        self._legend_timer.timeout.connect(self._place_legend)
        self._lay_out()
        self.quantity.currentIndexChanged.connect(self._change_quantity)
        self.abscissa.currentIndexChanged.connect(self._redraw)
        self.logarithmic.toggled.connect(self._redraw)
        self.cursor_line.sigDragged.connect(self._drag_cursor)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self.legend.toggled.connect(self._take_visibility)
        self.legend_action.toggled.connect(self._show_legend)
        self.view_box.sigRangeChanged.connect(self._place_legend_soon)
        self.view_box.sigResized.connect(self._take_size)
        self._ready = True
        self.restyle()
        self.set_has_data(False)
        self._show_empty_range()

    # -- what is shown --------------------------------------------------------------------------------------------

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show these runs; curves of runs that are gone are removed."""
        if not runs:
            self._show_empty_range()
        elif not self._runs:
            self.plot.enableAutoRange()
        self._runs = list(runs)
        self._curves.keep({run.id for run in runs})
        self.legend.set_runs(runs)
        self.set_has_data(bool(runs))
        self.refresh()
        self._place_legend()

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

    def set_cursor(self, run: RunEntry | None, frame: int, *, later: bool = False) -> None:
        """Put the shared cursor on a frame of a run, and the curve of that run above the others.

        Parameters
        ----------
        run : RunEntry or None
        frame : int
        later : bool, optional
            Move the line with the next `refresh`, which paints everything anyway.
        """
        self._curves.raise_run(run)
        self._cursor_run, self._cursor_frame = run, frame
        if later and self.cursor_line.isVisible():
            return
        position = None if run is None else run.value(self.abscissa_shown.column, frame)
        self.cursor_line.setVisible(position is not None)
        if position is not None and position != self.cursor_line.value():
            self.cursor_line.blockSignals(True)
            self.cursor_line.setPos(position)
            self.cursor_line.blockSignals(False)

    def refresh(self) -> None:
        """Draw what the recordings hold by now; curves that did not change cost nothing."""
        shown = Quantities(self.ordinate_shown, self.abscissa_shown, self._log)
        looks = {run.id: CurveLook(self._color(run), self.look, self.ratio) for run in self._runs}
        changed = [run for run in self._runs if self._curves.draw(run, shown, looks[run.id])]
        self.legend.refresh()
        if self._cursor_run is not None:
            self.set_cursor(self._cursor_run, self._cursor_frame)
        if changed:
            # Else the ranges would follow while the plot is painted, and it would be painted twice.
            self.view_box.prepareForPaint()
            self._place_legend_soon()
            self.refresh_pointing()

    @property
    def ordinate_shown(self) -> Quantity:
        """What the ordinate shows."""
        return self._quantities[self.quantity.currentIndex()]

    @property
    def abscissa_shown(self) -> Quantity:
        """What the abscissa shows."""
        return self._abscissae[self.abscissa.currentIndex()]

    # -- pieces ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _choice(entries: Sequence[Quantity], name: str, tip: str) -> QComboBox:
        box = QComboBox()
        box.addItems([entry.title for entry in entries])
        box.setAccessibleName(name)
        box.setToolTip(tip)
        return box

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
    def _log(self) -> bool:
        return self.logarithmic.isChecked()

    def _unit_of(self, quantity: Quantity) -> str:
        return self._units.get(quantity.column, quantity.unit)

    def _color(self, run: RunEntry) -> str:
        return readable_color(run.color, self.look.palette(self).color(QPalette.ColorRole.Base).name())

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
        self.left_axis.set_decades(self._log, float(np.log10(self.ordinate_shown.floor)))
        metrics = QFontMetricsF(self.look.font(self))
        for axis, quantity, room in (
            (self.left_axis, self.ordinate_shown, self.view_box.height()),
            (self.bottom_axis, self.abscissa_shown, self.view_box.width()),
        ):
            unit = self._unit_of(quantity)
            unit = f" ({unit})" if unit else ""
            # A label longer than its axis would be cut at both ends.
            fits = metrics.horizontalAdvance(quantity.label + unit) <= room
            axis.set_text((quantity.label if fits else quantity.title) + unit)

    def _place_reference(self) -> None:
        value, text = self._references.get(self.ordinate_shown.column, (None, ""))
        shown = value is not None and (value > 0 or not self._log)
        self.reference.setVisible(shown)
        if shown and value is not None:
            self.reference.label.setFormat(text)
            self.reference.setPos(float(np.log10(value)) if self._log else value)

    # -- cursor ---------------------------------------------------------------------------------------------------

    def _drag_cursor(self) -> None:
        self._go_to(float(self.cursor_line.value()))

    def _click(self, event: Any) -> None:
        """Put the cursor where it is clicked."""
        box = self.view_box
        if event.button() != Qt.MouseButton.LeftButton or not box.sceneBoundingRect().contains(event.scenePos()):
            return
        if not event.double():
            self._go_to(float(box.mapSceneToView(event.scenePos()).x()))

    def _go_to(self, place: float) -> None:
        run = self._cursor_run
        if run is None or run.frames == 0 or self.abscissa_shown.column not in run.recording.columns:
            return
        x = run.recording.column(self.abscissa_shown.column)[: run.frames]
        self._cursor_frame = nearest(x, place)
        self.cursor_moved.emit(self._cursor_frame)

    # -- crosshair ------------------------------------------------------------------------------------------------

    def near(self, position: QPointF) -> tuple[RunEntry, int] | None:
        """Return the run and the frame that are drawn next to a place of the plot, or None.

        Parameters
        ----------
        position : QPointF
            In pixels of the plot.
        """
        place = self.view_box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        width, height = self.view_box.viewPixelSize()
        best: tuple[float, RunEntry, int] | None = None
        for run in self._runs:
            series = self._curves[run.id].series
            if not run.visible or len(series) == 0:
                continue
            inside = series.frames_within(place.x() - _NEAR_PIXELS * width, place.x() + _NEAR_PIXELS * width)
            step = max(1, (inside.stop - inside.start) // _NEAR_FRAMES)
            x, y = series.x[inside][::step], series.y[inside][::step]
            if len(x) == 0:
                continue
            distance = np.hypot((x - place.x()) / width, (y - place.y()) / height)
            distance[np.isnan(distance)] = np.inf
            index = int(np.argmin(distance))
            if distance[index] < (best[0] if best is not None else _NEAR_PIXELS):
                best = float(distance[index]), run, inside.start + index * step
        return None if best is None else best[1:]

    def point_at(self, mouse: QPointF) -> None:
        place = float(self.view_box.mapSceneToView(self.plot.mapToScene(mouse.toPoint())).x())
        found = self.near(mouse)
        readings = []
        for run in self._runs:
            series = self._curves[run.id].series
            # Beyond its end a run has no value.
            if not run.visible or len(series) == 0 or not self._covers(series.x, place):
                continue
            frame = nearest(series.x, place)
            value = run.value(self.ordinate_shown.column, frame)
            if value is None and self.ordinate_shown.sparse:
                value = run.last_known(self.ordinate_shown.column, frame)
            unit = self._unit_of(self.ordinate_shown)
            floor = self.ordinate_shown.floor
            if value is None:
                text = "not finite"
            elif self._log and value <= floor:
                text = f"≤ {decade_text(np.log10(floor))} {unit}".rstrip()
            else:
                text = f"{value:.4g} {unit}".rstrip()
            pen = curve_pen(self._color(run), run.dash, self.look.line)
            seen = self._place_of(float(series.x[frame]), float(series.y[frame]))
            readings.append(Reading(run.title, text, pen, seen, found is not None and found[0] is run))
        if not readings:
            self.crosshair.clear()
            return
        over = self.abscissa_shown
        heading = f"{over.title} {round(place)}" if over.whole else f"{over.title} {place:.6g}"
        legend = self.legend.geometry() if self.legend.isVisible() else None
        self.crosshair.point(mouse, self.area, heading, readings, legend)

    def _covers(self, x: NDArray[np.float64], place: float) -> bool:
        margin = _NEAR_PIXELS * self.view_box.viewPixelSize()[0]
        return bool(x[0] - margin <= place <= x[-1] + margin)

    # -- legend ---------------------------------------------------------------------------------------------------

    def menu_actions(self) -> list[QAction]:
        return [self.follow_action, self.legend_action, self.presentation_action, self.copy_action]

    def _show_legend(self, on: bool) -> None:
        self.legend.set_wanted(on)
        self._place_legend()

    def _take_visibility(self, run: RunEntry) -> None:
        self.refresh()
        self.visibility_changed.emit(run)

    def _place_legend_soon(self, *_: object) -> None:
        if not self._legend_timer.isActive():
            self._legend_timer.start()

    def _place_legend(self) -> None:
        self.legend.place(self.area, self._places_on_curves)

    def _places_on_curves(self) -> NDArray[np.float64]:
        """Return places on the visible curves, a few pixels from each other, shape (places, 2), in pixels."""
        area = self.area
        (left, right), (bottom, top) = self.view_box.viewRange()
        columns = np.arange(0.0, area.width(), _LEGEND_STEP)
        x = left + columns / max(area.width(), 1) * (right - left)
        places = [np.empty((0, 2))]
        for run in self._runs:
            shown_x, shown_y = self._curves[run.id].getData()
            if not run.visible or shown_x is None or len(shown_x) == 0:
                continue
            y = np.interp(x, shown_x, shown_y, left=np.nan, right=np.nan)
            rows = area.top() + (top - y) / (top - bottom) * area.height()
            places.append(np.column_stack([area.left() + columns, rows]))
            # Steep pieces have few columns.
            rows = area.top() + (top - shown_y) / (top - bottom) * area.height()
            across = area.left() + (shown_x - left) / (right - left) * area.width()
            places.append(np.column_stack([across, rows]))
        return np.concatenate(places)

    # -- looks ----------------------------------------------------------------------------------------------------

    def _take_size(self, *_: object) -> None:
        self._label_axes()
        self._place_legend()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        needed = sum(widget.sizeHint().width() + 8 for widget in self._choosers)
        direction = directions.LeftToRight if self.width() >= needed else directions.TopToBottom
        if self._choices.direction() != direction:
            self._choices.setDirection(direction)

    def restyle(self) -> None:
        super().restyle()
        palette, font = self.look.palette(self), self.look.font(self)
        accent = palette.color(QPalette.ColorRole.Highlight)
        text = palette.color(QPalette.ColorRole.Text)
        self.cursor_line.setPen(pg.mkPen(accent, width=self.ratio))
        self.cursor_line.setHoverPen(pg.mkPen(accent, width=3 * self.ratio))
        self.reference.setPen(pg.mkPen(text, width=self.look.running_line * self.ratio, style=Qt.PenStyle.DashLine))
        self.reference.label.setColor(text)
        self.reference.label.setFont(font)
        back = palette.color(QPalette.ColorRole.Base)
        back.setAlpha(200)
        self.reference.label.fill = pg.mkBrush(back)
        self.legend.set_look(palette, font, self.look.line)
        self._label_axes()
        self.refresh()
        self._place_legend()


def nearest(x: NDArray[np.float64], place: float) -> int:
    """Return the index of the value of a sorted series that is nearest to a place."""
    after = int(np.searchsorted(x, place))
    if after == 0:
        return 0
    if after == len(x):
        return len(x) - 1
    return after if x[after] - place < place - x[after - 1] else after - 1
