"""What the centre of the Cryo-EM workbench shows of the runs at the cursor: slices, images, Fourier space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from lieapp.cryoem.angles import matrix_to_euler
from lieapp.cryoem.resolution import resolution_words
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.pictures.picture_grid import Column, Picture, PictureGrid, grey_levels
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.identity import identity
from lieapp.gui.work.latest_work import LatestWork
from lieapp.gui.work.worker import Task

if TYPE_CHECKING:
    from lieapp.cryoem.particles import Particles
    from lieapp.cryoem.preview import Preview

__all__ = [
    "EMPTY",
    "MOST_RUNS",
    "FillingView",
    "ImageView",
    "SliceView",
    "frame_note",
    "map_of",
    "preview_columns",
    "shown_runs",
    "views_column",
]

EMPTY = "Maps will grow here: press Race."
_FILLING = "Here the slices of the images will fill Fourier space: press Race."
MOST_RUNS = 4
"""Runs shown side by side."""
_VIEW_BINS = 25
_PLANES = ("xy, z = 0", "xz, y = 0", "yz, x = 0")


def shown_runs(controller: CryoemController) -> list[tuple[RunEntry, int]]:
    """Return the runs that stand side by side, with their frames: the visible ones, the current one among them."""
    pairs = controller.frames_at_cursor()
    while len(pairs) > MOST_RUNS:
        place = next(index for index, (run, _) in enumerate(pairs) if run is not controller.current)
        del pairs[place]
    return pairs


def map_of(run: RunEntry, frame: int) -> NDArray[np.float32]:
    """Return the map of a frame, shape=(box, box, box); of one that was thinned that of the frame kept before it."""
    values: NDArray[np.float32] = run.recording.state(frame, ("map",))["map"]
    return values


def frame_note(run: RunEntry, frame: int) -> str:
    """Return what is said of a frame beside its map: how far the run is, and its resolution."""
    epoch = run.value("epoch", frame) or 0.0
    resolution = run.value("resolution_angstrom", frame)
    if resolution is None:
        return f"epoch {epoch:.1f}"
    seen = run.recording.metadata["reconstruction"]
    return f"epoch {epoch:.1f} · {resolution_words(resolution, seen['box'], seen['pixel_size_angstrom'])}"


def preview_columns(preview: Preview, count: int) -> list[Column]:
    """Return the first images of a preview at equal grey levels, and the views of all."""
    particles = preview.particles.take(slice(count))
    images = np.asarray(particles.images)
    levels = grey_levels(images)
    _, tilt, _ = matrix_to_euler(particles.rotations)
    columns = [
        Column(f"Image {place + 1}", [Picture(images[place], levels)], f"tilt {tilt[place]:.0f}°")
        for place in range(len(particles))
    ]
    return [*columns, views_column(preview.views, f"of all {preview.images}")]


def views_column(views: NDArray[np.float64], note: str = "both sides folded") -> Column:
    """Return the picture of the directions from which particles are seen."""
    histogram = _view_histogram(views)
    levels = (0.0, float(np.nanmax(histogram)))
    return Column("Views", [Picture(histogram, levels, "heat")], note)


def _view_histogram(views: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many views fall into equal areas of the half sphere z >= 0, seen from above.

    A view from behind shows the mirror image, so it counts as one from the front. Lambert's projection keeps areas.
    """
    front = np.where(views[:, 2:] < 0.0, -views, views)
    scale = 1.0 / np.sqrt(1.0 + front[:, 2])
    bins = np.linspace(-1.02, 1.02, _VIEW_BINS + 1)
    counts, _, _ = np.histogram2d(front[:, 1] * scale, front[:, 0] * scale, bins=(bins, bins))
    middle = 0.5 * (bins[1:] + bins[:-1])
    return np.where(middle[:, None] ** 2 + middle**2 <= 1.0, counts, np.nan)


class SliceView(PictureGrid):
    """Three central planes of the map of every visible run, and of the truth.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController) -> None:
        super().__init__("Central slices of the maps", _PLANES)
        self._controller = controller
        self._drawn: tuple[object, ...] = ()
        self.words = self._words
        self.show_columns([], EMPTY)

    def refresh(self) -> None:
        """Show the frames at the cursor, if they are not shown already."""
        if not self.isVisible():
            return
        controller = self._controller
        pairs = shown_runs(controller)
        baselines, preview = controller.baselines, controller.preview
        key = (
            identity(baselines),
            identity(preview),
            *((run.id, run.recording.kept(frame), frame) for run, frame in pairs),
        )
        if key == self._drawn:
            return
        self._drawn = key
        columns: list[tuple[str, NDArray[np.float32], str, RunEntry | None]] = []
        if baselines is not None and baselines.truth is not None:
            columns.append(("Truth", baselines.truth, "as far as seen", None))
        elif baselines is not None:
            columns.append(("One pass", baselines.one_pass.map, "backprojection", None))
        elif preview is not None and preview.truth is not None:
            columns.append(("Truth", preview.truth, "before it is simulated", None))
        columns += [(run.title, map_of(run, frame), frame_note(run, frame), run) for run, frame in pairs]
        levels = grey_levels(np.stack(_planes(columns[0][1]))) if columns else (0.0, 1.0)
        self.show_columns(
            [
                Column(title, [Picture(plane, levels) for plane in _planes(values)], note,
                       None if run is None else run.color, () if run is None else run.dash)
                for title, values, note, run in columns
            ],
            EMPTY,
        )  # fmt: skip

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _words(self, row: int, line: int, column: int) -> str:
        half = self.columns[0].pictures[0].values.shape[0] // 2
        first, second = (("x", "y"), ("x", "z"), ("y", "z"))[row]
        return f"{first} {column - half:+d}, {second} {line - half:+d} px, density"


def _planes(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the planes z = 0, y = 0 and x = 0 of a map, axes z, y, x."""
    middle = len(values) // 2
    return [values[middle], values[:, middle], values[:, :, middle]]


@dataclass(frozen=True, eq=False)
class _Compared:
    """A map that is compared with an image: what it is called, its values, and its run."""

    title: str
    values: NDArray[np.float32]
    run: RunEntry | None


class ImageView(QWidget):
    """One image beside the projections of the maps from where it was taken, and what they leave of it.

    Parameters
    ----------
    controller : CryoemController

    Signals
    -------
    pointed(str)
    """

    pointed = Signal(str)

    def __init__(self, controller: CryoemController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.grid = PictureGrid("An image, reprojections of the maps, and residuals", ("reprojection", "residual"))
        self.grid.show_columns([], EMPTY)
        self.grid.words = lambda row, line, column: f"x {column}, y {line} px, {('density', 'residual')[row]}"
        self.number = QSpinBox()
        self.number.setRange(1, 1)
        self.number.setAccessibleName("Number of the image")
        self.number.setToolTip("Which image is compared with the maps, in the order of the file or of the simulation")
        self.work = LatestWork("lieapp-reprojections", self)
        word = QLabel("image")
        word.setObjectName("fieldLabel")
        word.setBuddy(self.number)
        self.count = QLabel()
        self.count.setObjectName("caption")
        self.row = QWidget()
        row = QHBoxLayout(self.row)
        row.setContentsMargins(8, 4, 8, 0)
        row.setSpacing(8)
        row.addWidget(word)
        row.addWidget(self.number)
        row.addWidget(self.count, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.row)
        layout.addWidget(self.grid, 1)
        self.row.hide()
        self.grid.pointed.connect(self.pointed)
        self.number.valueChanged.connect(lambda value: self.refresh())
        self.work.done.connect(self._show)
        self.work.failed.connect(lambda error: controller.errors.report(error, "Projecting the maps"))

    def refresh(self) -> None:
        """Have the frames at the cursor projected, if they are not shown already."""
        if not self.isVisible():
            return
        controller = self._controller
        source, preview = controller.source, controller.preview
        if source is not None and source.inputs is not None and source.baselines is not None:
            particles, reference, images = source.inputs.particles, source.baselines.truth, len(source.inputs.particles)
        elif preview is not None:
            particles, reference, images = preview.particles, preview.truth, preview.images
        else:
            self.row.hide()
            self.work.key = None
            self.grid.show_columns([], controller.previews.problem(controller.scene) or EMPTY)
            return
        self.row.show()
        self.number.setMaximum(len(particles))
        self.count.setText(f"of {images}, seen from where it was taken, with its CTF and shift")
        pairs = shown_runs(controller)
        image = self.number.value() - 1
        key = (identity(particles), image, *((run.id, run.recording.kept(frame)) for run, frame in pairs))

        def work(task: Task) -> list[Column]:
            maps = [_Compared("Truth", reference, None)] if reference is not None else []
            maps += [_Compared(run.title, map_of(run, frame), run) for run, frame in pairs]
            return _compared_columns(task, particles, image, maps)

        self.work.ask(key, work)

    def show_everything(self) -> None:
        """Show all of every picture."""
        self.grid.show_everything()

    def shut_down(self) -> None:
        """End the thread."""
        self.work.close()

    def _show(self, columns: list[Column]) -> None:
        self.grid.show_columns(columns)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()


def _compared_columns(task: Task, particles: Particles, image: int, maps: Sequence[_Compared]) -> list[Column]:
    """Return the image, then of every map its projection over what the image has beside it."""
    reproject = task.load("lieapp.cryoem.reprojection").reproject
    seen = np.asarray(particles.images[image : image + 1], dtype=np.float32)[0]
    levels = grey_levels(seen)
    half = 0.5 * (levels[1] - levels[0])
    size = float(np.sqrt(np.mean(np.square(seen, dtype=np.float64)))) or 1.0
    columns = [Column(f"Image {image + 1}", [Picture(seen, levels)], "as it was taken")]
    for each in maps:
        shown = reproject(
            each.values,
            particles.rotations[image],
            ctf=None if particles.ctf is None else particles.ctf.take([image]),
            shift_pixel=particles.shifts_pixel[image],
            pixel_size_angstrom=particles.pixel_size_angstrom,
        )
        residual = seen - shown
        left = float(np.sqrt(np.mean(np.square(residual, dtype=np.float64)))) / size
        run = each.run
        columns.append(
            Column(each.title, [Picture(shown, levels), Picture(residual, (-half, half), "difference")],
                   f"leaves {100 * left:.0f} %", None if run is None else run.color, () if run is None else run.dash)
        )  # fmt: skip
    return columns


class FillingView(PictureGrid):
    """How the slices of the images fill Fourier space in the first epoch, and the preconditioners of the runs.

    Parameters
    ----------
    controller : CryoemController
    """

    decades = 2.5

    def __init__(self, controller: CryoemController) -> None:
        super().__init__("Sampling of Fourier space, plane ky = 0", ("",))
        self._controller = controller
        self._drawn: tuple[Any, ...] = ()
        self.words = self._words
        self.show_columns([], _FILLING)

    def refresh(self) -> None:
        """Show the frames at the cursor, if they are not shown already."""
        if not self.isVisible():
            return
        controller = self._controller
        source = controller.source
        baselines = None if source is None else source.baselines
        pairs = shown_runs(controller)
        key = (identity(baselines), *((run.id, run.recording.kept(frame), frame) for run, frame in pairs))
        if key == self._drawn:
            return
        self._drawn = key
        if baselines is None:
            self.show_columns([], _FILLING)
            return
        steps = [frame for run, frame in pairs if run is controller.current]
        batch = min(steps[0] if steps else len(baselines.filled) - 1, len(baselines.filled) - 1)
        whole = float(baselines.filling[-1].max()) or 1.0
        seen = f"{baselines.filled[batch]} of {baselines.filled[-1]} images"
        columns = [Column("Slices seen", [self._logarithm(baselines.filling[batch], whole)], seen)]
        for run, frame in pairs:
            plane = run.recording.state(frame, ("preconditioner",))["preconditioner"]
            if float(np.ptp(plane)) == 0.0:
                continue  # it has none
            note = "its preconditioner"
            shown = self._logarithm(plane, float(plane.max()) or 1.0)
            columns.append(Column(run.title, [shown], note, run.color, run.dash))
        self.show_columns(columns)

    def _logarithm(self, plane: NDArray[np.float32], whole: float) -> Picture:
        share = np.asarray(plane, dtype=np.float64) / whole
        return Picture(np.log10(np.maximum(share, 1e-9)), (-self.decades, 0.0), "heat")

    def _words(self, row: int, line: int, column: int) -> str:
        half = self.columns[0].pictures[0].values.shape[0] // 2
        return f"kx {column - half:+d}, kz {line - half:+d}, log₁₀ of the share of the largest"

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
