"""The plots over shells of the Cryo-EM workbench: correlation, error, and what the images sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from lieapp.cryoem.resolution import FSC_HALF_MAPS, FSC_TRUTH, resolution_angstrom, resolution_words
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.cryoem.shell_plot import Level, ResolutionAxis, ShellCurve, ShellPlot, resolution_text
from lieapp.gui.cryoem.views import views_column
from lieapp.gui.pictures.picture_grid import Column, Picture, PictureGrid, color_table
from lieapp.gui.plots.card import PlotCard
from lieapp.gui.plots.crosshair import Reading
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.spare_caption import SpareCaption
from lieapp.gui.work.identity import identity

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines

__all__ = ["ErrorView", "FscPlot", "SamplingView"]

_NOTHING = "Nothing yet: press Race."
_NO_FSC = (
    "Without a truth a correlation needs two half maps: tick half maps under Start, prior, half maps, and run again."
)
_ERROR_DECADES = (-2.0, 0.3)
_ROWS_AT_ONCE = 64
_LINE_NOTES = {
    "best": "Dashed: exact minimiser.",
    "one": "Dotted: one pass.",
    "truth": "Read 0.5 against the truth.",
    "half": "Read 0.143 between half maps, which share no image.",
}
_ONE_PASS, _MINIMISER = (2.0, 3.0), (7.0, 4.0)


def _state(run: RunEntry, frame: int, key: str) -> NDArray[np.float64] | None:
    """Return one number for every shell of a frame; None where it is not recorded or not known."""
    values = run.recording.state(frame, (key,)).get(key)
    if values is None or not np.isfinite(values[1:]).any():
        return None
    return np.asarray(values, dtype=np.float64)


class FscPlot(ShellPlot):
    """Fourier shell correlation of the runs at the cursor, against the truth and between half maps.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController) -> None:
        super().__init__(
            "Fourier shell correlation", "Fourier shell correlation",
            short="FSC",
            levels=[Level(FSC_TRUTH, "0.5"), Level(FSC_HALF_MAPS, "0.143")], nothing=_NOTHING,
        )  # fmt: skip
        self._controller = controller
        self._drawn_key: tuple[object, ...] = ()
        self._show_correlations()

    def refresh(self) -> None:
        """Show the frames at the cursor, if they are not shown already."""
        if not self.isVisible():
            return
        baselines, pairs = self._controller.baselines, self._controller.frames_at_cursor()
        key = (identity(baselines), *((run.id, frame) for run, frame in pairs))
        if key == self._drawn_key:
            return
        self._drawn_key = key
        curves: list[ShellCurve] = []
        if baselines is None:
            self.show_curves(curves, 1.0)
            return
        if baselines.minimiser is not None and np.isfinite(baselines.minimiser.fsc_truth).any():
            curves.append(ShellCurve("best", "exact minimiser", baselines.minimiser.fsc_truth, None, _MINIMISER, 1.2))
        if np.isfinite(baselines.one_pass.fsc_truth).any():
            curves.append(ShellCurve("one", "one pass", baselines.one_pass.fsc_truth, None, _ONE_PASS, 1.2))
        for run, frame in pairs:
            truth, half = _state(run, frame, "fsc_truth"), _state(run, frame, "fsc_half")
            if truth is not None:
                curves.append(ShellCurve((run.id, "truth"), run.title, truth, run.color, run.dash))
            if half is not None:
                # Beside a curve against the truth it is dotted; alone it has the line of its run.
                dash, width = (run.dash, 2.0) if truth is None else ((1.0, 2.0), 1.5)
                curves.append(ShellCurve((run.id, "half"), f"{run.title}, half maps", half, run.color, dash, width))
        words = self._words(curves, baselines) or _NO_FSC
        self.show_curves(curves, 1.0 / (baselines.box * baselines.pixel_size_angstrom), words)

    @property
    def following(self) -> bool:
        """Whether the abscissa follows the curves; correlations lie within 0 and 1 anyway."""
        return bool(self.view_box.autoRangeEnabled()[0])

    def follow(self) -> None:
        """Show everything, and follow what comes."""
        super().follow()
        self._show_correlations()

    def _show_correlations(self) -> None:
        self.plot.setYRange(0.0, 1.0, padding=0.03)
        self._show_following()

    @staticmethod
    def _words(curves: list[ShellCurve], baselines: Baselines) -> str:
        lines = []
        for curve in curves:
            crossings = []
            for threshold in (FSC_TRUTH, FSC_HALF_MAPS):
                found = resolution_angstrom(curve.values, baselines.box, baselines.pixel_size_angstrom, threshold)
                crossings.append(resolution_words(found, baselines.box, baselines.pixel_size_angstrom))
            lines.append(f"{curve.title}: {crossings[0]}, {crossings[1]}")
        if not lines:
            return ""
        if any("–" in line for line in lines):
            lines.append("–: it is below from the first shell on.")
        kinds = {curve.key[1] if isinstance(curve.key, tuple) else curve.key for curve in curves}
        notes = [words for kind, words in _LINE_NOTES.items() if kind in kinds]
        return "Falls below 0.5 and 0.143 at:\n" + "\n".join(lines) + "\n" + " ".join(notes)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()


class ErrorView(QSplitter):
    """Relative error of every shell: of all runs at the cursor, and of one run in every epoch.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._controller = controller
        self._drawn: tuple[object, ...] = ()
        self.curves = ShellPlot(
            "Error of every shell", "relative error", short="error", logarithmic=True, floor=1e-3, nothing=_NOTHING
        )
        self.picture = ErrorPicture()
        self.addWidget(self.curves)
        self.addWidget(self.picture)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(8)

    def refresh(self) -> None:
        """Show the frames at the cursor, if they are not shown already."""
        if not self.isVisible():
            return
        controller = self._controller
        baselines, pairs = controller.baselines, controller.frames_at_cursor()
        key = (identity(baselines), *((run.id, frame) for run, frame in pairs))
        if key != self._drawn:
            self._drawn = key
            curves: list[ShellCurve] = []
            if baselines is not None and np.isfinite(baselines.one_pass.shell_error).any():
                curves.append(ShellCurve("one", "one pass", baselines.one_pass.shell_error, None, _ONE_PASS, 1.2))
            for run, frame in pairs:
                error = _state(run, frame, "shell_error")
                if error is not None:
                    curves.append(ShellCurve(run.id, run.title, error, run.color, run.dash))
            frequency = 1.0 if baselines is None else 1.0 / (baselines.box * baselines.pixel_size_angstrom)
            self.curves.show_curves(curves, frequency)
        self.picture.show_run(controller.current, controller.frame, baselines)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()


class ErrorPicture(PlotCard):
    """Relative error of every shell in every epoch of one run, as a picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Error of every shell in every epoch", parent)
        self._run: RunEntry | None = None
        self._rows: list[NDArray[np.float64]] = []
        self._epochs: list[float] = []
        self._frequency = 1.0
        self._frame = 0
        self._baselines: Baselines | None = None
        self.bottom_axis = ResolutionAxis("bottom")
        self.plot.setAxisItems({"bottom": self.bottom_axis})
        self.plot.setLabel("left", "epoch")
        self.plot.setLabel("bottom", "resolution (Å)")
        self.item = pg.ImageItem(axisOrder="row-major")
        self.item.setLookupTable(color_table("heat"))
        self.plot.addItem(self.item)
        self.cursor_line = pg.InfiniteLine(angle=0)
        self.cursor_line.setZValue(5)
        self.plot.addItem(self.cursor_line, ignoreBounds=True)
        self.view_box.setDefaultPadding(0.0)
        self.caption = SpareCaption(self, "Of which run the picture is")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.caption)
        self._ready = True
        self.restyle()

    def show_run(self, run: RunEntry | None, frame: int, baselines: Baselines | None) -> None:
        """Show a run as far as it has come, with the cursor on a frame."""
        self._frame, self._baselines = frame, baselines
        if run is not self._run:
            self._run, self._rows, self._epochs = run, [], []
        if run is None or baselines is None or not run.frames:
            self.item.clear()
            self.caption.show_words("")
            self.set_has_data(False)
            return
        known = len(self._rows)
        # Frames of a long run may lie on the disk: some at a time.
        for number in range(known, min(run.frames, known + _ROWS_AT_ONCE)):
            errors = run.recording.state(number, ("shell_error",))["shell_error"]
            self._rows.append(np.asarray(errors, dtype=np.float64))
            self._epochs.append(run.value("epoch", number) or 0.0)
        if len(self._rows) > known:
            self._frequency = 1.0 / (baselines.box * baselines.pixel_size_angstrom)
            errors = np.stack(self._rows)[:, 1:]
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log10(errors)
            self.item.setImage(np.nan_to_num(logs, nan=_ERROR_DECADES[0]), levels=_ERROR_DECADES)
            epoch = max(self._epochs[-1], 1e-6)
            step = epoch / max(len(self._epochs) - 1, 1)
            shells = errors.shape[1]
            self.item.setRect(QRectF(0.5 * self._frequency, -0.5 * step, shells * self._frequency, epoch + step))
            self.set_has_data(True)
            self.caption.show_words(
                f"{run.title}: error from {10 ** _ERROR_DECADES[0]:g} (dark) to {10 ** _ERROR_DECADES[1]:.0f} (bright)."
            )
        if len(self._rows) < run.frames:
            QTimer.singleShot(0, self, self._go_on)
        self.cursor_line.setPos(run.value("epoch", min(frame, run.frames - 1)) or 0.0)

    def _go_on(self) -> None:
        if self._run is not None and self.isVisible():
            self.show_run(self._run, self._frame, self._baselines)

    def point_at(self, mouse: QPointF) -> None:
        place = self.view_box.mapSceneToView(self.plot.mapToScene(mouse.toPoint()))
        if self._run is None or not self._rows:
            self.crosshair.clear()
            return
        shell = round(float(place.x()) / self._frequency)
        frame = int(np.argmin(np.abs(np.array(self._epochs) - place.y())))
        if not 1 <= shell < len(self._rows[frame]):
            self.crosshair.clear()
            return
        error = self._rows[frame][shell]
        heading = f"{resolution_text(shell * self._frequency)} Å, epoch {self._epochs[frame]:.3g}"
        self.crosshair.point(mouse, self.area, heading, [Reading(self._run.title, f"{error:.3g}")])

    def restyle(self) -> None:
        super().restyle()
        accent = self.look.palette(self).color(QPalette.ColorRole.Highlight)
        self.cursor_line.setPen(pg.mkPen(accent, width=2 * self.ratio))
        self.plot.showGrid(x=False, y=False)


class SamplingView(QWidget):
    """What makes the problem hard: condition number, directions of the views, and the preconditioner.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._drawn: tuple[object, ...] = ()
        self.condition = ShellPlot(
            "Condition number within a radius",
            "condition number",
            short="condition",
            logarithmic=True,
            floor=1.0,
            nothing=_NOTHING,
        )
        self.pictures = PictureGrid("Directions of the views, and the preconditioner", [""])
        self.pictures.words = lambda row, line, column: ""
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.condition)
        split.addWidget(self.pictures)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    def refresh(self) -> None:
        """Show what the images sample, and the preconditioner at the cursor."""
        if not self.isVisible():
            return
        controller = self._controller
        baselines, current = controller.baselines, controller.current
        frame = None if current is None or not current.frames else min(controller.frame, current.frames - 1)
        preview = controller.preview
        key = (identity(baselines), identity(preview), None if current is None else current.id, frame)
        if key == self._drawn:
            return
        self._drawn = key
        if baselines is None:
            self.condition.show_curves([], 1.0)
            self.pictures.show_columns([] if preview is None else [views_column(preview.views)])
            return
        self._show_condition(baselines)
        columns = [views_column(baselines.views)]
        if current is not None and frame is not None:
            seen_by = current.recording.state(frame, ("preconditioner",))["preconditioner"]
            plane = np.asarray(seen_by, dtype=np.float64)
            if np.ptp(plane) > 0.0:
                logs = np.log10(np.maximum(plane, 1e-12))
                seen = logs[plane > 1e-10]
                low, high = (float(np.quantile(seen, share)) for share in (0.02, 1.0))
                columns.append(Column("Preconditioner", [Picture(logs, (low, high), "heat")], "ky = 0, log scale",
                                      current.color, current.dash))  # fmt: skip
            else:
                columns.append(Column("Preconditioner", [Picture(plane, (0.0, 2.0), "heat")], "none: one everywhere",
                                      current.color, current.dash))  # fmt: skip
        self.pictures.show_columns(columns)

    def _show_condition(self, baselines: Baselines) -> None:
        numbers = baselines.condition_numbers
        radii = np.arange(len(numbers))
        curves = [
            ShellCurve("bound", "4R/3, uniform views without CTF", 4.0 * radii / 3.0, None, _MINIMISER, 1.2),
            ShellCurve("numbers", "condition number", numbers, "#0072B2"),
        ]
        shown = len(numbers) - 3
        edge = baselines.box * baselines.pixel_size_angstrom / shown
        words = (
            f"Largest over smallest curvature up to {edge:.1f} Å: {numbers[shown]:.0f}. Dashed: 4R/3 = "
            f"{4 * shown / 3:.0f}, the least with uniform views and no CTF."
        )
        self.condition.show_curves(curves, 1.0 / (baselines.box * baselines.pixel_size_angstrom), words)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
