"""The slice tab: the loss over a plane of poses, the paths of the runs on it, and where they are now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainterPath, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGraphicsPathItem, QHBoxLayout, QLabel, QProgressBar, QToolTip, QVBoxLayout, QWidget

from lieapp.gui.align_session import pose_of
from lieapp.gui.axes import style_plot
from lieapp.gui.contours import contour_lines, nice_levels
from lieapp.gui.plot_curve import readable_color
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.slice_chooser import PlaneChooser
from lieapp.gui.slice_items import MarkItem, Side, SmoothImage, TurnAxis
from lieapp.gui.slice_key import SliceKey, slice_colors
from lieapp.gui.slice_labels import arrange_labels
from lieapp.gui.slice_making import SliceMaker, SliceRequest
from lieapp.gui.slice_track import Track
from lieapp.gui.worker import Worker

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.objectives import Objective
    from lieapp.alignment.slice import Mark, Slice
    from lieapp.alignment.spec import AlignJob

__all__ = ["SlicePlot"]

_NEAR_PIXELS = 12.0
_NEAR_RADII = 0.5  # marks farther from the plane than this are named below, not drawn
_BESIDE_RIM = 1.13
_SHORT = {
    "minimum": "min",
    "saddle 1": "saddle",
    "saddle 2": "saddle",
    "maximum": "max",
    "best known": "best",
    "Kabsch": "Kabsch",
}
# The picture is the same on a light and on a dark window, so what lies on it is as well.
_WHITE, _INK = "#FFFFFF", "#1B2430"
_EXPLANATION = (
    "Every point is one pose: from the best pose, a turn about the mobile centroid and a shift of it, as the axes say. "
    "Nothing is minimised over what is not shown; on turns, the centroid stays where the best pose has it. "
    "The rim is half a turn: opposite points of it are the same rotation. Paths leave the plane: they are drawn at "
    "the nearest point, and fade with the distance between the two poses (RMS displacement of the mobile structure)."
)


class SlicePlot(QWidget):
    """A slice of the objective over poses, with runs on it.

    Parameters
    ----------
    worker : Worker
        Slices are computed there. Not the one that drives runs, or a slice would wait for a run to end.

    Signals
    -------
    cursor_moved(int)
        The user clicked on this frame of the current run.
    """

    cursor_moved = Signal(int)

    def __init__(self, worker: Worker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Slice of the loss")
        self._maker = SliceMaker(worker, self)
        self._maker.made.connect(self._show)
        self._maker.progressed.connect(self._tell)
        self._maker.failed.connect(self._failed)
        self._inputs: AlignInputs | None = None
        self._job: AlignJob | None = None
        self._objective: Objective | None = None
        self._runs: list[RunEntry] = []
        self._cursor_run: RunEntry | None = None
        self._cursor_frame = 0
        self._shown_key: tuple[Any, ...] = ()
        self.slice: Slice | None = None
        self.tracks: dict[str, Track] = {}
        self.marks: list[MarkItem] = []
        self.chooser = PlaneChooser()
        self.key = SliceKey()
        self.progress = QProgressBar()
        self.caption = QLabel(" ")
        self._horizontal, self._vertical = TurnAxis("bottom"), TurnAxis("left")
        self.plot = self._make_plot()
        self._lay_out()
        self.chooser.chosen.connect(self._update)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._restyle()

    # -- what is shown --------------------------------------------------------------------------------------------

    def set_inputs(self, inputs: AlignInputs | None, job: AlignJob | None) -> None:
        """Slice the objective of a job over the pairs of its inputs; without them the plot is empty."""
        objective = None if inputs is None or job is None else inputs.objective(job)
        if inputs is not self._inputs:
            self._maker.forget()
            self._clear()
        elif objective == self._objective and job == self._job:
            return
        self._inputs, self._job, self._objective = inputs, job, objective
        self.chooser.set_objective(None if objective is None else objective.name)
        self._update()

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show the paths of these runs, as far as they are visible and on the same pairs."""
        self._runs = list(runs)
        gone = set(self.tracks) - {run.id for run in runs}
        for identifier in gone:
            self._drop(identifier)
        if gone:
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
        """Draw what the recordings hold by now."""
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
        found = self._maker.ask(wanted)
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

    def _failed(self, text: str) -> None:
        self._clear()
        self.caption.setText(text)

    def _stop(self) -> None:
        """Forget what is being computed."""
        self._maker.stop()
        self.progress.hide()
        self._set_dim(False)

    def _set_dim(self, on: bool) -> None:
        # What is still shown is of another plane.
        for item in (self.image, self.contours):
            item.setOpacity(0.4 if on else 1.0)

    # -- drawing --------------------------------------------------------------------------------------------------

    def _show(self, key: tuple[Any, ...], found: Slice) -> None:
        self._shown_key, self.slice = key, found
        self.progress.hide()
        self._set_dim(False)
        for identifier in list(self.tracks):
            self._drop(identifier)
        inside = found.values[found.inside]
        low, high = float(inside.min()), float(inside.max())
        levels = nice_levels(low, high)
        self.image.setImage(found.values, levels=(low, high if high > low else low + 1.0))
        self.image.setLookupTable(slice_colors(found.maximised))
        dx, dy = found.x[1] - found.x[0], found.y[1] - found.y[0]
        width, height = found.x[-1] - found.x[0], found.y[-1] - found.y[0]
        # Values belong to the middles of the picture's cells.
        self.image.setRect(found.x[0] - dx / 2, found.y[0] - dy / 2, width + dx, height + dy)
        pieces = [contour_lines(found.x, found.y, found.values, level) for level in levels]
        ends = np.concatenate([*pieces, np.empty((0, 2, 2))]).reshape(-1, 2)
        self.contours.setData(ends[:, 0], ends[:, 1], connect="pairs")
        unit = f" ({found.unit})" if found.unit else ""
        self.key.set_values(low, high, levels.tolist(), f"{found.title}{unit}", maximised=found.maximised)
        self._show_rim(found)
        for axis, what in zip((self._horizontal, self._vertical), found.plane.axes, strict=True):
            axis.set_degrees(what.unit == "°", what.extent)
        self._label_axes()
        self.show_everything()
        self._show_tracks()
        self._show_marks(found)
        self._describe(found)

    def _show_rim(self, found: Slice) -> None:
        rim = found.plane.rim
        box = self.plot.getPlotItem().getViewBox()
        same_units = found.plane.axes[0].unit == found.plane.axes[1].unit
        box.setAspectLocked(same_units)
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
        """Show the whole slice."""
        found = self.slice
        if found is None:
            return
        beside = _BESIDE_RIM if found.plane.rim is not None else 1.0
        horizontal, vertical = (beside * axis.extent for axis in found.plane.axes)
        self.plot.setRange(xRange=(-horizontal, horizontal), yRange=(-vertical, vertical), padding=0.0)

    def _show_marks(self, found: Slice) -> None:
        self._remove_marks()
        for mark in found.marks:
            if not self._is_drawn(found, mark):
                continue
            best = mark.index == 0
            labelled = self._far_from_starts(mark.places)
            for number, (x, y) in enumerate(mark.places):
                label = "" if number != labelled else f"{_SHORT[mark.title]} {self._value_text(mark.value)}"
                self._add_mark(
                    MarkItem(_sign(mark), label, faint=not mark.in_plane, cross=best),
                    (float(x), float(y)),
                    "below" if best else self._side_of(float(x) / found.plane.axes[0].extent),
                    self._mark_text(mark),
                )
        self._arrange_labels()

    def _arrange_labels(self, *_: object) -> None:
        """Let no label cover another: the least value matters most, then saddles, then where the runs start."""
        box = self.plot.getPlotItem().getViewBox()
        arrange_labels([*self.marks, self.start], box.mapViewToScene, box.sceneBoundingRect())

    def _starts(self) -> NDArray[np.float64]:
        """Return where paths begin, shape (starts, 2)."""
        starts = [track.coordinates[0] for track in self.tracks.values() if len(track.coordinates)]
        return np.array([start for start in starts if np.isfinite(start).all()]).reshape(-1, 2)

    def _far_from_starts(self, places: NDArray[np.float64]) -> int:
        """Return which of two places has room for a label: paths come from the other side."""
        starts = self._starts()
        if len(starts) == 0:
            return int(np.argmin(places[:, 0]))  # the start is on the right of every plane that is made for it
        return int(np.argmax(np.linalg.norm(places - starts.mean(axis=0), axis=1)))

    def _side_of(self, x: float) -> Side:
        """Return the side of a label: inwards from the rim, in the middle away from where paths come from."""
        if abs(x) > 0.25:
            return "left" if x > 0.0 else "right"
        starts = self._starts()
        return "left" if len(starts) and starts[:, 0].mean() > 0.0 else "right"

    def _add_mark(self, item: MarkItem, place: tuple[float, float], side: Side, tip: str) -> None:
        item.set_look(self.palette(), self.font())
        item.set_side(side)
        item.setPos(*place)
        item.setToolTip(tip)
        self.plot.addItem(item, ignoreBounds=True)
        self.marks.append(item)

    @staticmethod
    def _is_drawn(found: Slice, mark: Mark) -> bool:
        within = all(abs(mark.places[0][k]) <= 1.01 * found.plane.axes[k].extent for k in (0, 1))
        return within and mark.distance <= _NEAR_RADII * found.plane.surface.radius

    def _remove_marks(self) -> None:
        for item in self.marks:
            self.plot.removeItem(item)
        self.marks = []

    def _show_tracks(self) -> None:
        found = self.slice
        if found is None:
            return
        changed = False
        for run in self._runs:
            shown = run.visible and run.inputs is self._inputs and run.frames > 0
            track = self.tracks.get(run.id)
            if not shown:
                if track is not None:
                    self._drop(run.id)
                    changed = True
                continue
            if track is None:
                track = self.tracks[run.id] = Track(run, found.plane)
                for item in track.items:
                    self.plot.addItem(item, ignoreBounds=True)
            track.set_color(_on_picture(run.color))
            changed |= track.update()
        if changed:
            self._show_ends()
        self._show_cursor()

    def _drop(self, identifier: str) -> None:
        track = self.tracks.pop(identifier)
        for item in track.items:
            self.plot.removeItem(item)

    def _show_ends(self) -> None:
        """Draw a ring where runs start, and a square where each has come to."""
        spots: list[dict[str, Any]] = []
        starts: list[NDArray[np.float64]] = []
        for track in self.tracks.values():
            xy = track.coordinates
            if not len(xy):
                continue
            if np.isfinite(xy[0]).all() and not any(np.allclose(xy[0], other, atol=1e-6) for other in starts):
                starts.append(xy[0])
                spots.append(_spot(xy[0], "o", 11, _WHITE, _INK))
            if np.isfinite(xy[-1]).all():
                spots.append(_spot(xy[-1], "s", 9, _on_picture(track.run.color), _WHITE))
        self.ends.setData(spots)
        if len(starts) == 1:
            x, y = starts[0]
            self.start.setPos(float(x), float(y))
        self.start.setVisible(len(starts) == 1)
        self._arrange_labels()

    def _show_cursor(self) -> None:
        """Draw where the current run is, and the others at the same cost."""
        run = self._cursor_run
        cost = None if run is None else run.value("evaluations", self._cursor_frame)
        spots: list[dict[str, Any]] = []
        for track in self.tracks.values():
            current = track.run is run
            if not current and cost is None:
                continue
            frame = self._cursor_frame if current else track.run.frame_at_cost(cost or 0.0)
            row = track.place(frame)
            if row < 0 or not np.isfinite(track.coordinates[row]).all():
                continue
            spot = _spot(track.coordinates[row], "o", 13 if current else 9, _on_picture(track.run.color), _WHITE)
            # The current one above the others.
            spots.insert(len(spots) if current else 0, spot)
        self.spots.setData(spots)
        self._write_caption()

    # -- words ----------------------------------------------------------------------------------------------------

    def _value_text(self, value: float) -> str:
        found = self.slice
        if found is None:
            return ""
        return f"{_number(found, value)} {found.unit}".rstrip()

    def _mark_text(self, mark: Mark) -> str:
        place = "" if mark.in_plane else f", {mark.distance:.1f} Å out of the plane"
        return f"{_sign(mark)}: {mark.title}, {self._value_text(mark.value)}{place}"

    def _write_caption(self) -> None:
        found, run = self.slice, self._cursor_run
        if found is None:
            return
        lines = []
        track = None if run is None else self.tracks.get(run.id)
        row = -1 if track is None else track.place(self._cursor_frame)
        if run is not None and track is not None and row >= 0:
            lines.append(self._position_text(found, track, row))
        away = [mark for mark in found.marks if not self._is_drawn(found, mark)]
        if away:
            words = [f"{_SHORT[mark.title]} {_number(found, mark.value)}" for mark in away]
            lines.append(f"Off this plane: {', '.join(words)} {found.unit}".rstrip())
        if not lines:
            lines.append("Runs are drawn here as they go.")
        self.caption.setText("\n".join(lines))

    def _position_text(self, found: Slice, track: Track, row: int) -> str:
        title = f"{track.run.title}, step {track.frames[row]}"
        if not np.isfinite(track.coordinates[row]).all():
            return f"{title}: not finite"
        value = self._value_of(found, track, row)
        out = float(track.distances[row])
        where = "in the plane" if out < 0.05 else f"{out:.1f} Å out of the plane"
        return f"{title}: {found.title} {self._value_text(value)}, {where}"

    @staticmethod
    def _value_of(found: Slice, track: Track, row: int) -> float:
        """Return the objective at the pose itself, not at the point drawn for it."""
        pose = pose_of(track.run, int(track.frames[row]))
        surface = found.plane.surface
        value = surface.values(pose[None, :3, :3], surface.shifts(pose[None, :3, :3], pose[None, :3, 3]))
        assert value is not None
        return float(value[0])

    def _describe(self, found: Slice) -> None:
        marks = "; ".join(self._mark_text(mark) for mark in found.marks)
        axes = " and ".join(axis.label for axis in found.plane.axes)
        self.plot.setAccessibleDescription(f"{found.title} over {axes}. {marks}. {_EXPLANATION}")

    def _label_axes(self) -> None:
        if self.slice is None:
            return
        metrics = QFontMetricsF(self.font())
        room = {"bottom": self.plot.width() - 60, "left": self.plot.height() - 50}
        for side, axis in zip(("bottom", "left"), self.slice.plane.axes, strict=True):
            label = axis.label
            # A label longer than its axis would be cut at both ends.
            if metrics.horizontalAdvance(label) > room[side]:
                label = f"{axis.title.partition(',')[0]} ({axis.unit})"
            if self.plot.getAxis(side).labelText != label:
                self.plot.setLabel(side, label, **self.plot.getAxis(side).labelStyle)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _make_plot(self) -> pg.PlotWidget:
        plot = pg.PlotWidget(axisItems={"left": self._vertical, "bottom": self._horizontal})
        plot.setAccessibleName("Slice of the loss over poses")
        plot.viewport().setAccessibleName(plot.accessibleName())
        plot.setAccessibleDescription(_EXPLANATION)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setAntialiasing(True)
        plot.setMinimumSize(180, 140)
        plot.viewport().installEventFilter(self)
        self.image = SmoothImage(axisOrder="row-major")
        self.image.setZValue(-10)
        self.contours = pg.PlotCurveItem(antialias=True)
        self.contours.setZValue(-8)
        self.beyond = QGraphicsPathItem()
        self.beyond.setZValue(-6)
        self.beyond.setPen(QColor(0, 0, 0, 0))
        self.rim = pg.PlotCurveItem(antialias=True)
        self.rim.setZValue(-5)
        self.ends = pg.ScatterPlotItem(pxMode=True)
        self.ends.setZValue(15)
        self.spots = pg.ScatterPlotItem(pxMode=True)
        self.spots.setZValue(25)
        self.start = MarkItem("", "start")
        self.start.set_side("above")
        self.start.hide()
        plot.getPlotItem().getViewBox().sigRangeChanged.connect(self._arrange_labels)
        for item in (self.image, self.contours, self.beyond, self.rim, self.ends, self.spots, self.start):
            plot.addItem(item, ignoreBounds=True)
        return plot

    def _lay_out(self) -> None:
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the slice")
        self.progress.hide()
        self.caption.setObjectName("caption")
        self.caption.setWordWrap(True)
        self.caption.setContentsMargins(8, 0, 8, 4)
        self.caption.setToolTip(_EXPLANATION)
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
        for identifier in list(self.tracks):
            self._drop(identifier)
        self._remove_marks()
        self.image.clear()
        self.beyond.setPath(QPainterPath())
        self.rim.hide()
        self.contours.setData([], [])
        self.ends.setData([])
        self.start.hide()
        self.spots.setData([])
        self.key.set_values(0.0, 1.0, (), "", maximised=False)
        self.caption.setText(" ")

    # -- mouse ----------------------------------------------------------------------------------------------------

    def near(self, position: QPointF) -> tuple[Track, int] | None:
        """Return the path, and the row of the kept frame, drawn next to a place of the plot in pixels, or None."""
        box = self.plot.getPlotItem().getViewBox()
        place = box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        width, height = box.viewPixelSize()
        best: tuple[float, Track, int] | None = None
        for track in self.tracks.values():
            if not len(track.frames):
                continue
            away = np.hypot(
                (track.coordinates[:, 0] - place.x()) / width, (track.coordinates[:, 1] - place.y()) / height
            )
            away[np.isnan(away)] = np.inf
            row = int(np.argmin(away))
            if away[row] < (best[0] if best is not None else _NEAR_PIXELS):
                best = float(away[row]), track, row
        return None if best is None else best[1:]

    def tip(self, position: QPointF) -> str:
        """Return what is to be said about a place of the plot in pixels."""
        found = self.slice
        if found is None:
            return ""
        on_track = self.near(position)
        if on_track is not None:
            track, row = on_track
            there = float(found.plane.values(track.coordinates[row : row + 1])[0])
            return f"{self._position_text(found, track, row)}\n{self._value_text(there)} at the point drawn for it"
        box = self.plot.getPlotItem().getViewBox()
        point = box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        x, y = point.x(), point.y()
        rim = found.plane.rim
        beyond = [abs(value) > axis.extent for value, axis in zip((x, y), found.plane.axes, strict=True)]
        if (rim is not None and math.hypot(x, y) > rim) or any(beyond):
            return "" if rim is None else "Beyond half a turn the same rotations come again."
        value = float(found.plane.values(np.array([[x, y]]))[0])
        where = ", ".join(
            f"{axis.title.partition(',')[0]} {number:.1f} {axis.unit}".replace(" °", "°")
            for number, axis in zip((x, y), found.plane.axes, strict=True)
        )
        return f"{found.title} {self._value_text(value)}\n{where}"

    def _click(self, event: Any) -> None:
        """Put the cursor on the frame that is clicked; a double click shows everything."""
        box = self.plot.getPlotItem().getViewBox()
        if event.button() != Qt.MouseButton.LeftButton or not box.sceneBoundingRect().contains(event.scenePos()):
            return
        if event.double():
            self.show_everything()
            return
        found = self.near(QPointF(self.plot.mapFromScene(event.scenePos())))
        if found is not None and found[0].run is self._cursor_run:
            self.cursor_moved.emit(int(found[0].frames[found[1]]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), text, self.plot)
            else:
                QToolTip.hideText()
            return True
        return super().eventFilter(watched, event)

    # -- looks ----------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

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

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        # Events come already while the base class is being made.
        if event.type() in kinds and hasattr(self, "caption"):
            self._restyle()
        super().changeEvent(event)

    def _restyle(self) -> None:
        palette = self.palette()
        style_plot(self.plot, palette, self.font())
        self.plot.showGrid(x=False, y=False)
        base = palette.color(QPalette.ColorRole.Base)
        muted = palette.color(QPalette.ColorRole.PlaceholderText)
        self.contours.setPen(pg.mkPen(QColor(255, 255, 255, 100), width=1))
        self.beyond.setBrush(base)
        self.rim.setPen(pg.mkPen(muted, width=1))
        for item in (*self.marks, self.start):
            item.set_look(palette, self.font())
        self._arrange_labels()
        metrics = QFontMetricsF(self.font())
        self.caption.setMinimumHeight(int(2.2 * metrics.height()))
        self.key.set_margins(int(metrics.height() / 2), int(3.0 * metrics.height()))
        self._show_what_fits()
        self._label_axes()
        self._show_tracks()
        self._show_ends()


def _number(found: Slice, value: float) -> str:
    return f"{value:.2f}" if found.unit else f"{value:.3f}"


def _on_picture(color: str) -> str:
    return readable_color(color, _WHITE)


def _spot(place: NDArray[np.float64], symbol: str, size: float, fill: str, line: str) -> dict[str, Any]:
    pen, brush = pg.mkPen(line, width=2), pg.mkBrush(fill)
    return {"pos": place, "symbol": symbol, "size": size, "pen": pen, "brush": brush}


def _sign(mark: Mark) -> str:
    return mark.title[:1] if mark.index is None else str(mark.index)
