"""The slice tab: the loss over a plane of poses, the paths of the runs on it, and where they are now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainterPath, QPalette, QResizeEvent
from PySide6.QtWidgets import QGraphicsPathItem, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from lieapp.gui.align.slice_chooser import PlaneChooser
from lieapp.gui.align.slice_making import SliceRequest
from lieapp.gui.align.slice_marks import SliceMarks
from lieapp.gui.align.slice_paths import SlicePaths
from lieapp.gui.align.slice_track import Track
from lieapp.gui.align.slice_words import (
    EXPLANATION,
    caption_text,
    description_text,
    place_text,
    position_text,
    value_text,
)
from lieapp.gui.pictures.contours import contour_lines, nice_levels
from lieapp.gui.pictures.path_picture import PathPicture
from lieapp.gui.pictures.plane_picture import PlanePicture
from lieapp.gui.pictures.slice_items import TurnAxis
from lieapp.gui.pictures.slice_key import SliceKey, slice_colors
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.kept_work import KeptWork
from lieapp.gui.work.worker import Worker

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.objectives import Objective
    from lieapp.alignment.slice import Slice
    from lieapp.alignment.spec import AlignJob

__all__ = ["SlicePlot"]

_BESIDE_RIM = 1.13
_KEPT_SLICES = 12


class SlicePlot(PathPicture):
    """A slice of the objective over poses, with runs on it.

    Parameters
    ----------
    worker : Worker
        Slices are computed there. Not the one that drives runs, or a slice would wait for a run to end.

    Attributes
    ----------
    slice : Slice or None
        What is shown.
    picture : PlanePicture
    paths : SlicePaths
    marks : SliceMarks
    """

    def __init__(self, worker: Worker, parent: QWidget | None = None) -> None:
        axes = TurnAxis("bottom"), TurnAxis("left")
        super().__init__("Slice of the loss", "Slice of the loss over poses", EXPLANATION, axes, (180, 140), parent)
        self._horizontal, self._vertical = axes
        self._work = KeptWork(worker, _KEPT_SLICES, self)
        self._work.done.connect(self._show)
        self._work.progressed.connect(self._tell)
        self._work.failed.connect(self._failed)
        self._inputs: AlignInputs | None = None
        self._job: AlignJob | None = None
        self._objective: Objective | None = None
        self._shown_key: tuple[Any, ...] = ()
        self.slice: Slice | None = None
        self.chooser = PlaneChooser()
        self.key = SliceKey()
        self.progress = QProgressBar()
        self.caption = QLabel(" ")
        self._add_items()
        self._lay_out()
        self.chooser.chosen.connect(self._update)
        self.restyle()

    # -- what is shown --------------------------------------------------------------------------------------------

    def set_inputs(self, inputs: AlignInputs | None, job: AlignJob | None) -> None:
        """Slice the objective of a job over the pairs of its inputs; without them the plot is empty."""
        objective = None if inputs is None or job is None else inputs.objective(job)
        if inputs is not self._inputs:
            self._work.forget()
            self._clear()
        elif objective == self._objective and job == self._job:
            return
        self._inputs, self._job, self._objective = inputs, job, objective
        self.chooser.set_objective(None if objective is None else objective.name)
        self._update()

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show the paths of these runs, as far as they are visible and on the same pairs."""
        self._runs = list(runs)
        if self.paths.keep({run.id for run in runs}):
            self._show_ends()
        self.refresh()

    def set_cursor(self, run: RunEntry | None, frame: int) -> None:
        """Put the shared cursor on a frame of a run."""
        changed = run is not self._cursor_run
        self._cursor_run, self._cursor_frame = run, frame
        if changed:
            self._update()
            self._show_ends()
        if self.isVisible():
            self._show_cursor()

    def refresh(self) -> None:
        if not self.isVisible():
            return
        self._update()
        self._show_tracks()

    # -- computing ------------------------------------------------------------------------------------------------

    def _update(self) -> None:
        """Show the slice that is wanted, or have it computed; what is shown stays until then, dimmed."""
        if not self.isVisible() or self._inputs is None or self._job is None or self._objective is None:
            return
        wanted = SliceRequest(self._inputs, self._job, self._objective, self.chooser.choice, self._plane_run())
        if wanted.key == self._shown_key:
            self._stop()
            return
        found = self._work.ask(wanted.key, lambda: wanted.prepare([made.plane.surface for made in self._work.answers]))
        if found is None:
            self._set_dim(True)
        else:
            self.progress.hide()
            self._show(wanted.key, found)

    def _plane_run(self) -> RunEntry | None:
        run = self._cursor_run
        return run if run is not None and run.inputs is self._inputs and run.frames else None

    def _tell(self, fraction: float) -> None:
        self.progress.setValue(int(100 * fraction))
        # What is done at once needs no bar.
        if fraction < 0.5:
            self.progress.show()

    def _failed(self, error: BaseException) -> None:
        self._clear()
        self.caption.setText(str(error))

    def _stop(self) -> None:
        """Forget what is being computed."""
        self._work.stop()
        self.progress.hide()
        self._set_dim(False)

    def _set_dim(self, on: bool) -> None:
        self.picture.set_dim(on)  # what is still shown is of another plane

    # -- drawing --------------------------------------------------------------------------------------------------

    def _show(self, key: tuple[Any, ...], found: Slice) -> None:
        self._shown_key, self.slice = key, found
        self.progress.hide()
        self._set_dim(False)
        self.paths.keep(set())
        inside = found.values[found.inside]
        low, high = float(inside.min()), float(inside.max())
        levels = nice_levels(low, high)
        self.picture.show(
            found.values,
            found.x,
            found.y,
            limits=(low, high if high > low else low + 1.0),
            colors=slice_colors(found.maximised),
            lines=np.concatenate(
                [np.empty((0, 2, 2)), *(contour_lines(found.x, found.y, found.values, level) for level in levels)]
            ),
        )
        unit = f" ({found.unit})" if found.unit else ""
        self.key.set_values(low, high, levels.tolist(), f"{found.title}{unit}", maximised=found.maximised)
        self._show_rim(found)
        for axis, what in zip((self._horizontal, self._vertical), found.plane.axes, strict=True):
            axis.set_degrees(what.unit == "°", what.extent)
        self._label_axes()
        self.show_everything()
        self._show_tracks()
        self.marks.show(found, self.paths.starts())
        self.plot.setAccessibleDescription(description_text(found))

    def _show_rim(self, found: Slice) -> None:
        rim = found.plane.rim
        self.view_box.setAspectLocked(found.plane.axes[0].unit == found.plane.axes[1].unit)
        path = QPainterPath()
        if rim is not None:
            # Beyond the rim the same rotations come again: nothing is shown there twice.
            path.addRect(-1.5 * rim, -1.5 * rim, 3.0 * rim, 3.0 * rim)
            path.addEllipse(QPointF(0.0, 0.0), rim, rim)
            angles = np.linspace(0.0, 2.0 * math.pi, 361)
            self.rim.setData(rim * np.cos(angles), rim * np.sin(angles))
        self.beyond.setPath(path)
        self.rim.setVisible(rim is not None)

    def show_everything(self) -> None:
        found = self.slice
        if found is None:
            return
        beside = _BESIDE_RIM if found.plane.rim is not None else 1.0
        horizontal, vertical = (beside * axis.extent for axis in found.plane.axes)
        self.plot.setRange(xRange=(-horizontal, horizontal), yRange=(-vertical, vertical), padding=0.0)

    def _show_tracks(self) -> None:
        if self.slice is None:
            return
        shown = [run for run in self._runs if run.visible and run.inputs is self._inputs and run.frames > 0]
        if self.paths.update(shown, self.slice.plane):
            self._show_ends()
        self._show_cursor()

    def _show_ends(self) -> None:
        self.paths.show_ends()
        self.marks.show_start(self.paths.starts())

    def _show_cursor(self) -> None:
        """Draw where the current run is, and the others at the same cost."""
        self.paths.show_cursor(self._cursor_run, self._cursor_frame)
        if self.slice is not None:
            track = None if self._cursor_run is None else self.paths.tracks.get(self._cursor_run.id)
            row = -1 if track is None else track.place(self._cursor_frame)
            self.caption.setText(caption_text(self.slice, track, row))

    def _label_axes(self) -> None:
        if self.slice is None:
            return
        metrics = QFontMetricsF(self.font())
        rooms = self.plot.width() - 60, self.plot.height() - 50
        for drawn, axis, room in zip((self._horizontal, self._vertical), self.slice.plane.axes, rooms, strict=True):
            # A label longer than its axis would be cut at both ends.
            fits = metrics.horizontalAdvance(axis.label) <= room
            drawn.set_text(axis.label if fits else f"{axis.title.partition(',')[0]} ({axis.unit})")

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _add_items(self) -> None:
        self.picture = PlanePicture(self.plot)
        self.beyond = QGraphicsPathItem()
        self.beyond.setZValue(-6)
        self.beyond.setPen(QColor(0, 0, 0, 0))
        self.rim = pg.PlotCurveItem(antialias=True)
        self.rim.setZValue(-5)
        for item in (self.beyond, self.rim):
            self.plot.addItem(item, ignoreBounds=True)
        self.paths = SlicePaths(self.plot)
        self.marks = SliceMarks(self.plot)

    def _lay_out(self) -> None:
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the slice")
        self.progress.hide()
        self.caption.setObjectName("caption")
        self.caption.setWordWrap(True)
        self.caption.setContentsMargins(8, 0, 8, 4)
        self.caption.setToolTip(EXPLANATION)
        self.caption.setAccessibleName("Where the current run is")
        # Two lines always, or the picture would jump while a run is replayed.
        self.caption.setAlignment(Qt.AlignmentFlag.AlignTop)
        picture = QHBoxLayout()
        picture.setSpacing(2)
        picture.setContentsMargins(0, 0, 4, 0)
        picture.addWidget(self.plot, 1)
        picture.addWidget(self.key)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.chooser)
        layout.addLayout(picture, 1)
        layout.addWidget(self.progress)
        layout.addWidget(self.caption)

    def _clear(self) -> None:
        self._stop()
        self.slice, self._shown_key = None, ()
        self.paths.clear()
        self.marks.remove()
        self.marks.start.hide()
        self.picture.clear()
        self.beyond.setPath(QPainterPath())
        self.rim.hide()
        self.key.set_values(0.0, 1.0, (), "", maximised=False)
        self.caption.setText(" ")

    # -- mouse ----------------------------------------------------------------------------------------------------

    def near(self, position: QPointF) -> tuple[Track, int] | None:
        return self._nearest(self.paths.tracks.values(), position)

    def tip(self, position: QPointF) -> str:
        found = self.slice
        if found is None:
            return ""
        on_track = self.near(position)
        if on_track is not None:
            track, row = on_track
            there = float(found.plane.values(track.coordinates[row : row + 1])[0])
            return f"{position_text(found, track, row)}\n{value_text(found, there)} at the point drawn for it"
        point = self.view_box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        return place_text(found, point.x(), point.y())

    # -- looks ----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_what_fits()
        self._label_axes()

    def _show_what_fits(self) -> None:
        """Leave the room to the picture where letters are large: first the words go, then the key."""
        line = QFontMetricsF(self.font()).height()
        room = self.height() - self.chooser.sizeHint().height()
        self.caption.setVisible(room >= 12 * line)
        self.key.setVisible(room >= 9 * line)

    def restyle(self) -> None:
        super().restyle()
        palette = self.palette()
        base = palette.color(QPalette.ColorRole.Base)
        muted = palette.color(QPalette.ColorRole.PlaceholderText)
        self.beyond.setBrush(base)
        self.rim.setPen(pg.mkPen(muted, width=1))
        self.marks.set_look(palette, self.font())
        metrics = QFontMetricsF(self.font())
        self.caption.setMinimumHeight(int(2.2 * metrics.height()))
        self.key.set_margins(int(metrics.height() / 2), int(3.0 * metrics.height()))
        self._show_what_fits()
        self._label_axes()
        self._show_tracks()
        self._show_ends()
