"""What the centre of the Cryo-EM workbench shows of the runs at the cursor: slices, images, Fourier space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lieapp.gui.cryoem_controller import CryoemController
from lieapp.gui.picture_grid import Column, Picture, PictureGrid, grey_levels
from lieapp.gui.run_entry import RunEntry

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines

__all__ = ["MOST_RUNS", "SliceView", "frame_note", "map_of", "shown_runs"]

EMPTY = "Maps will grow here: press Race."
MOST_RUNS = 4
"""Runs shown side by side."""
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
    values: NDArray[np.float32] = run.recording.state(frame)["map"]
    return values


def frame_note(run: RunEntry, frame: int) -> str:
    """Return what is said of a frame beside its map: how far the run is, and its resolution."""
    epoch = run.value("epoch", frame) or 0.0
    resolution = run.value("resolution_angstrom", frame)
    return f"epoch {epoch:.1f}" + ("" if resolution is None else f" · {resolution:.1f} Å")


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
        source = controller.source
        baselines: Baselines | None = None if source is None else source.baselines
        key = (id(baselines), *((run.id, run.recording.kept(frame), frame) for run, frame in pairs))
        if key == self._drawn:
            return
        self._drawn = key
        columns: list[tuple[str, NDArray[np.float32], str, RunEntry | None]] = []
        if baselines is not None and baselines.truth is not None:
            columns.append(("Truth", baselines.truth, "as far as seen", None))
        elif baselines is not None:
            columns.append(("One pass", baselines.one_pass.map, "backprojection", None))
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

    def _words(self, row: int, line: int, column: int) -> str:
        half = self.columns[0].pictures[0].values.shape[0] // 2
        first, second = (("x", "y"), ("x", "z"), ("y", "z"))[row]
        return f"{first} {column - half:+d}, {second} {line - half:+d} px, density"


def _planes(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the planes z = 0, y = 0 and x = 0 of a map, axes z, y, x."""
    middle = len(values) // 2
    return [values[middle], values[:, middle], values[:, :, middle]]
