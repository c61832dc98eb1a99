"""What the centre of the Cryo-EM workbench shows of the runs at the cursor: slices, images, Fourier space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from lieapp.cryoem.angles import matrix_to_euler
from lieapp.cryoem.resolution import resolution_words
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.cryoem.frame_view import FramesWanted, FrameView, places_of
from lieapp.gui.pictures.picture_grid import Column, Picture, PictureGrid, grey_levels
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.identity import identity
from lieapp.gui.work.worker import Cancelled, Task

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


@dataclass(frozen=True, eq=False)
class _Map:
    """A map beside others: what it is called, what is said of it, its run, and how its values are read."""

    title: str
    note: str
    run: RunEntry | None
    read: Callable[[], NDArray[np.float32]]

    def column(self, pictures: Sequence[Picture], note: str) -> Column:
        """Return its pictures under its heading."""
        run = self.run
        color, dash = (None, ()) if run is None else (run.color, run.dash)
        return Column(self.title, pictures, note, color, dash)


def _maps_of(pairs: Sequence[tuple[RunEntry, int]]) -> list[_Map]:
    return [_Map(run.title, frame_note(run, frame), run, partial(map_of, run, frame)) for run, frame in pairs]


class SliceView(FrameView, PictureGrid):
    """Three central planes of the map of every visible run, and of the truth.

    Parameters
    ----------
    controller : CryoemController
    """

    def __init__(self, controller: CryoemController) -> None:
        super().__init__("Central slices of the maps", _PLANES)
        self._controller = controller
        self.words = self._words
        self.show_columns([], EMPTY)
        self.read_on("lieapp-slices", controller)

    def wanted(self) -> FramesWanted:
        controller = self._controller
        pairs = shown_runs(controller)
        baselines, preview = controller.baselines, controller.preview
        maps: list[_Map] = []
        if baselines is not None:
            title, note = ("One pass", "backprojection") if baselines.truth is None else ("Truth", "as far as seen")
            maps.append(_Map(title, note, None, lambda: baselines.reference))
        elif preview is not None and preview.truth is not None:
            truth = preview.truth
            maps.append(_Map("Truth", "before it is simulated", None, lambda: truth))
        maps += _maps_of(pairs)
        runs, frames = places_of(pairs)
        subject = (identity(baselines), identity(preview), runs)
        return FramesWanted(subject, frames, partial(_slice_columns, maps=maps) if maps else None)

    def draw(self, answer: list[Column] | None) -> None:
        self.show_columns(answer or [], EMPTY)

    def _words(self, row: int, line: int, column: int) -> str:
        half = self.columns[0].pictures[0].values.shape[0] // 2
        first, second = (("x", "y"), ("x", "z"), ("y", "z"))[row]
        return f"{first} {column - half:+d}, {second} {line - half:+d} px, density"


def _slice_columns(task: Task, maps: Sequence[_Map]) -> list[Column]:
    """Return the central planes of maps, all at the grey levels of the first."""
    columns: list[Column] = []
    levels: tuple[float, float] | None = None
    for each in maps:
        if task.cancelled():
            raise Cancelled
        planes = _planes(each.read())
        levels = grey_levels(planes) if levels is None else levels
        columns.append(each.column([Picture(plane, levels) for plane in planes], each.note))
    return columns


def _planes(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the planes z = 0, y = 0 and x = 0 of a map, axes z, y, x; copies, so that the map need not be kept."""
    middle = len(values) // 2
    return np.stack([values[middle], values[:, middle], values[:, :, middle]])


class ImageView(FrameView, QWidget):
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
        self.read_on("lieapp-reprojections", controller)

    def wanted(self) -> FramesWanted:
        controller = self._controller
        source, preview = controller.source, controller.preview
        if source is not None and source.inputs is not None and source.baselines is not None:
            particles, reference, images = source.inputs.particles, source.baselines.truth, len(source.inputs.particles)
        elif preview is not None:
            particles, reference, images = preview.particles, preview.truth, preview.images
        else:
            self.row.hide()
            return FramesWanted(controller.previews.problem(controller.scene) or EMPTY)
        self.row.show()
        self.number.setMaximum(len(particles))
        self.count.setText(f"of {images}, seen from where it was taken, with its CTF and shift")
        pairs = shown_runs(controller)
        image = self.number.value() - 1
        maps = [_Map("Truth", "", None, lambda: reference)] if reference is not None else []
        maps += _maps_of(pairs)
        runs, frames = places_of(pairs)
        read = partial(_compared_columns, particles=particles, image=image, maps=maps)
        return FramesWanted((identity(particles), image, runs), frames, read)

    def draw(self, answer: list[Column] | None) -> None:
        controller = self._controller
        nothing = controller.previews.problem(controller.scene) or EMPTY
        self.grid.show_columns(answer or [], nothing)

    def show_everything(self) -> None:
        """Show all of every picture."""
        self.grid.show_everything()


def _compared_columns(task: Task, particles: Particles, image: int, maps: Sequence[_Map]) -> list[Column]:
    """Return the image, then of every map its projection over what the image has beside it."""
    reproject = task.load("lieapp.cryoem.reprojection").reproject
    seen = np.asarray(particles.images[image : image + 1], dtype=np.float32)[0]
    levels = grey_levels(seen)
    half = 0.5 * (levels[1] - levels[0])
    size = float(np.sqrt(np.mean(np.square(seen, dtype=np.float64)))) or 1.0
    columns = [Column(f"Image {image + 1}", [Picture(seen, levels)], "as it was taken")]
    for each in maps:
        if task.cancelled():
            raise Cancelled
        shown = reproject(
            each.read(),
            particles.rotations[image],
            ctf=None if particles.ctf is None else particles.ctf.take([image]),
            shift_pixel=particles.shifts_pixel[image],
            pixel_size_angstrom=particles.pixel_size_angstrom,
        )
        residual = seen - shown
        left = float(np.sqrt(np.mean(np.square(residual, dtype=np.float64)))) / size
        pictures = [Picture(shown, levels), Picture(residual, (-half, half), "difference")]
        columns.append(each.column(pictures, f"leaves {100 * left:.0f} %"))
    return columns


class FillingView(FrameView, PictureGrid):
    """How the slices of the images fill Fourier space in the first epoch, and the preconditioners of the runs.

    Parameters
    ----------
    controller : CryoemController
    """

    decades = 2.5

    def __init__(self, controller: CryoemController) -> None:
        super().__init__("Sampling of Fourier space, plane ky = 0", ("",))
        self._controller = controller
        self.words = self._words
        self.show_columns([], _FILLING)
        self.read_on("lieapp-filling", controller)

    def wanted(self) -> FramesWanted:
        controller = self._controller
        source = controller.source
        baselines = None if source is None else source.baselines
        pairs = shown_runs(controller)
        if baselines is None:
            return FramesWanted(None)
        steps = [frame for run, frame in pairs if run is controller.current]
        batch = min(steps[0] if steps else len(baselines.filled) - 1, len(baselines.filled) - 1)

        def read(task: Task) -> list[Column]:
            whole = float(baselines.filling[-1].max()) or 1.0
            seen = f"{baselines.filled[batch]} of {baselines.filled[-1]} images"
            columns = [Column("Slices seen", [self._logarithm(baselines.filling[batch], whole)], seen)]
            for run, frame in pairs:
                plane = run.recording.state(frame, ("preconditioner",))["preconditioner"]
                if float(np.ptp(plane)) == 0.0:
                    continue  # it has none
                shown = self._logarithm(plane, float(plane.max()) or 1.0)
                columns.append(Column(run.title, [shown], "its preconditioner", run.color, run.dash))
            return columns

        runs, frames = places_of(pairs)
        return FramesWanted((identity(baselines), runs), (batch, frames), read)

    def draw(self, answer: list[Column] | None) -> None:
        self.show_columns(answer or [], _FILLING)

    @classmethod
    def _logarithm(cls, plane: NDArray[np.float32], whole: float) -> Picture:
        share = np.asarray(plane, dtype=np.float64) / whole
        return Picture(np.log10(np.maximum(share, 1e-9)), (-cls.decades, 0.0), "heat")

    def _words(self, row: int, line: int, column: int) -> str:
        half = self.columns[0].pictures[0].values.shape[0] // 2
        return f"kx {column - half:+d}, kz {line - half:+d}, log₁₀ of the share of the largest"
