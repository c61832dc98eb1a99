"""The plots over shells of the Cryo-EM workbench: correlation, error, and what the images sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from lieapp.cryoem.resolution import FSC_HALF_MAPS, FSC_TRUTH, resolution_angstrom, resolution_words
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.cryoem.frame_view import FramesWanted, FrameView, places_of
from lieapp.gui.cryoem.shell_plot import Level, ResolutionAxis, ShellCurve, ShellPlot, resolution_text
from lieapp.gui.cryoem.views import views_column
from lieapp.gui.pictures.picture_grid import Column, Picture, PictureGrid, color_table
from lieapp.gui.plots.card import PlotCard
from lieapp.gui.plots.crosshair import Reading
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.spare_caption import SpareCaption
from lieapp.gui.work.identity import identity
from lieapp.gui.work.worker import Cancelled, Task

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines

__all__ = ["ErrorView", "FscPlot", "SamplingView"]

_NOTHING = "Nothing yet: press Race."
_NO_FSC = (
    "Without a truth a correlation needs two half maps: tick half maps under Start, prior, half maps, and run again."
)
_ERROR_DECADES = (-2.0, 0.3)
_LINE_NOTES = {
    "best": "Dashed: exact minimiser.",
    "one": "Dotted: one pass.",
    "truth": "Read 0.5 against the truth.",
    "half": "Read 0.143 between half maps, which share no image.",
}
_ONE_PASS, _MINIMISER = (2.0, 3.0), (7.0, 4.0)


def _first_frequency(baselines: Baselines) -> float:
    """Return the spatial frequency of shell 1, in 1/Å."""
    return 1.0 / (baselines.box * baselines.pixel_size_angstrom)


def _state(run: RunEntry, frame: int, key: str) -> NDArray[np.float64] | None:
    """Return one number for every shell of a frame; None where it is not recorded or not known."""
    values = run.recording.state(frame, (key,)).get(key)
    if values is None or not np.isfinite(values[1:]).any():
        return None
    return np.asarray(values, dtype=np.float64)


class FscPlot(FrameView, ShellPlot):
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
        self._show_correlations()
        self.read_on("lieapp-correlations", controller)

    def wanted(self) -> FramesWanted:
        baselines, pairs = self._controller.baselines, self._controller.frames_at_cursor()
        if baselines is None:
            return FramesWanted(None)
        runs, frames = places_of(pairs)
        read = partial(_correlations, baselines=baselines, pairs=pairs)
        return FramesWanted((identity(baselines), runs), frames, read)

    def draw(self, answer: tuple[list[ShellCurve], float, str] | None) -> None:
        curves, frequency, words = answer or ([], 1.0, "")
        self.show_curves(curves, frequency, words)

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


def _correlations(
    task: Task, baselines: Baselines, pairs: Sequence[tuple[RunEntry, int]]
) -> tuple[list[ShellCurve], float, str]:
    """Return the correlations of what runs are compared with and of frames, the frequency of shell 1, and words."""
    curves: list[ShellCurve] = []
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
    words = _crossings(curves, baselines) or _NO_FSC
    return curves, _first_frequency(baselines), words


def _crossings(curves: Sequence[ShellCurve], baselines: Baselines) -> str:
    """Return where correlations fall below the usual thresholds; empty where there are none."""
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


class ErrorView(FrameView, QSplitter):
    """Relative error of every shell: of all runs at the cursor, and of one run in every epoch.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._controller = controller
        self.curves = ShellPlot(
            "Error of every shell", "relative error", short="error", logarithmic=True, floor=1e-3, nothing=_NOTHING
        )
        self.picture = ErrorPicture()
        self.addWidget(self.curves)
        self.addWidget(self.picture)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(8)
        self.read_on("lieapp-errors", controller)

    def wanted(self) -> FramesWanted:
        controller = self._controller
        baselines, pairs, current = controller.baselines, controller.frames_at_cursor(), controller.current
        if baselines is None or current is None:
            return FramesWanted(None)
        runs, places = places_of(pairs)
        frame, frames = controller.frame, current.frames
        rows = self.picture.rows_of(current)
        read = partial(_errors, baselines=baselines, pairs=pairs, run=current, rows=slice(rows, frames), frame=frame)
        return FramesWanted((identity(baselines), runs, current.id), (places, frame, frames), read)

    def draw(self, answer: _Errors | None) -> None:
        if answer is None:
            self.curves.show_curves([], 1.0)
            self.picture.show_nothing()
        else:
            self.curves.show_curves(answer.curves, answer.frequency)
            self.picture.show_run(answer)


@dataclass(frozen=True, eq=False)
class _Errors:
    """The error of every shell: of frames of several runs, and of many frames of one.

    Attributes
    ----------
    curves : list of ShellCurve
    frequency : float
        Of shell 1, in 1/Å.
    run : RunEntry
        Whose errors the rows are.
    first : int
        Frame of the first row.
    rows : list of ndarray, shape=(shells,)
    epochs : list of float
        Of the rows.
    epoch : float
        At the cursor.
    """

    curves: list[ShellCurve]
    frequency: float
    run: RunEntry
    first: int
    rows: list[NDArray[np.float64]]
    epochs: list[float]
    epoch: float


def _errors(
    task: Task, baselines: Baselines, pairs: Sequence[tuple[RunEntry, int]], run: RunEntry, rows: slice, frame: int
) -> _Errors:
    curves: list[ShellCurve] = []
    if np.isfinite(baselines.one_pass.shell_error).any():
        curves.append(ShellCurve("one", "one pass", baselines.one_pass.shell_error, None, _ONE_PASS, 1.2))
    for each, place in pairs:
        error = _state(each, place, "shell_error")
        if error is not None:
            curves.append(ShellCurve(each.id, each.title, error, each.color, each.dash))
    read: list[NDArray[np.float64]] = []
    for number in range(rows.start, rows.stop):
        if task.cancelled():
            raise Cancelled
        read.append(np.asarray(run.recording.state(number, ("shell_error",))["shell_error"], dtype=np.float64))
    epochs = [run.value("epoch", number) or 0.0 for number in range(rows.start, rows.stop)]
    epoch = run.value("epoch", min(frame, rows.stop - 1)) or 0.0
    return _Errors(curves, _first_frequency(baselines), run, rows.start, read, epochs, epoch)


class ErrorPicture(PlotCard):
    """Relative error of every shell in every epoch of one run, as a picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Error of every shell in every epoch", parent)
        self._run: RunEntry | None = None
        self._rows: list[NDArray[np.float64]] = []
        self._epochs: list[float] = []
        self._frequency = 1.0
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

    def rows_of(self, run: RunEntry) -> int:
        """Return how many frames of a run are shown."""
        return len(self._rows) if run is self._run else 0

    def show_nothing(self) -> None:
        """Show that there is no run."""
        self._run, self._rows, self._epochs = None, [], []
        self.item.clear()
        self.caption.show_words("")
        self.set_has_data(False)

    def show_run(self, errors: _Errors) -> None:
        """Show a run as far as it has come, with the cursor on a frame."""
        if errors.run is not self._run:
            self._run, self._rows, self._epochs = errors.run, [], []
        known = len(self._rows)
        if errors.first + len(errors.rows) > known >= errors.first:
            self._rows[errors.first :], self._epochs[errors.first :] = errors.rows, errors.epochs
            self._frequency = errors.frequency
            self._show_rows(errors.run.title)
        self.cursor_line.setPos(errors.epoch)

    def _show_rows(self, title: str) -> None:
        errors = np.stack(self._rows)[:, 1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log10(errors)
        self.item.setImage(np.nan_to_num(logs, nan=_ERROR_DECADES[0]), levels=_ERROR_DECADES)
        epoch = max(self._epochs[-1], 1e-6)
        step = epoch / max(len(self._epochs) - 1, 1)
        shells = errors.shape[1]
        self.item.setRect(QRectF(0.5 * self._frequency, -0.5 * step, shells * self._frequency, epoch + step))
        self.set_has_data(True)
        low, high = (10**decade for decade in _ERROR_DECADES)
        self.caption.show_words(f"{title}: error from {low:g} (dark) to {high:.0f} (bright).")

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


class SamplingView(FrameView, QWidget):
    """What makes the problem hard: condition number, directions of the views, and the preconditioner.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
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
        self.read_on("lieapp-sampling", controller)

    def wanted(self) -> FramesWanted:
        controller = self._controller
        baselines, current, preview = controller.baselines, controller.current, controller.preview
        if baselines is None:
            return FramesWanted(identity(preview))
        frame = None if current is None or not current.frames else min(controller.frame, current.frames - 1)

        def read(task: Task) -> tuple[Baselines, list[Column]]:
            columns = [views_column(baselines.views)]
            if current is not None and frame is not None:
                columns.append(_preconditioner_column(current, frame))
            return baselines, columns

        return FramesWanted((identity(baselines), None if current is None else current.id), frame, read)

    def draw(self, answer: tuple[Baselines, list[Column]] | None) -> None:
        if answer is None:
            preview = self._controller.preview
            self.condition.show_curves([], 1.0)
            self.pictures.show_columns([] if preview is None else [views_column(preview.views)])
        else:
            baselines, columns = answer
            self._show_condition(baselines)
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
        self.condition.show_curves(curves, _first_frequency(baselines), words)


def _preconditioner_column(run: RunEntry, frame: int) -> Column:
    """Return the picture of what a run divides its gradient by."""
    plane = np.asarray(run.recording.state(frame, ("preconditioner",))["preconditioner"], dtype=np.float64)
    if np.ptp(plane) > 0.0:
        logs = np.log10(np.maximum(plane, 1e-12))
        seen = logs[plane > 1e-10]
        low, high = (float(np.quantile(seen, share)) for share in (0.02, 1.0))
        picture, note = Picture(logs, (low, high), "heat"), "ky = 0, log scale"
    else:
        picture, note = Picture(plane, (0.0, 2.0), "heat"), "none: one everywhere"
    return Column("Preconditioner", [picture], note, run.color, run.dash)
