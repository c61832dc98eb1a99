"""The picture of a landscape: contours, stationary points, the paths of the runs, the dimer, and the start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Signal
from PySide6.QtGui import QFontMetricsF, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from lieapp.gui.landscape.backdrop import LandscapeBackdrop
from lieapp.gui.landscape.items import PointItem, StartLabel, StartRing, sign_radius
from lieapp.gui.landscape.key import LandscapeKey, PointKey
from lieapp.gui.landscape.marks import CursorMarks
from lieapp.gui.landscape.paths import PathLayer
from lieapp.gui.landscape.picture import Drawable, SurfacePicture
from lieapp.gui.landscape.track import Projection, Track, as_it_is
from lieapp.gui.pictures.path_picture import PathPicture
from lieapp.gui.plots.axes import PlainAxis
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.quiet_label import QuietLabel
from lieapp.gui.work.worker import Worker

if TYPE_CHECKING:
    from lieapp.landscapes.points import StationaryPoint

__all__ = ["LandscapePlot"]

_INK = "#1B2430"
_START_GAP, _RING_GAP = 10.0, 15.0  # pixels between the middle of the start and its name
_HINT = (
    "Click, or drag the ring, to choose where the next run starts; click a path to put the cursor there; wheel zooms, "
    "drag shifts, double-click shows everything."
)


class LandscapePlot(PathPicture):
    """A function of two numbers, with runs on it.

    Parameters
    ----------
    worker : Worker
        Pictures are computed there. Not the one that drives runs, or a picture would wait for a run to end.

    Signals
    -------
    start_chosen(float, float)
        The user chose where the next run starts.
    """

    start_chosen = Signal(float, float)

    def __init__(self, worker: Worker, parent: QWidget | None = None) -> None:
        name = "Contours of the landscape, with the paths of the runs"
        super().__init__("Landscape", name, _HINT, (PlainAxis("bottom"), PlainAxis("left")), (220, 160), parent)
        self._project: Projection = as_it_is
        self._steerable = True
        self._note = ""
        self._labels: tuple[tuple[str, str], tuple[str, str]] = ("x", "y"), ("x", "y")
        self._hovered: tuple[float, float] | None = None
        self.tracks: dict[str, Track] = {}
        self.key = LandscapeKey()
        self.point_key = PointKey()
        self.readout = QuietLabel()
        self.view_box.setDefaultPadding(0.0)
        self.plot.viewport().setMouseTracking(True)
        self.backdrop = LandscapeBackdrop(self.plot, worker)
        self.paths = PathLayer(self.view_box)
        self.marks = CursorMarks(self.view_box)
        self.start = self._make_start()
        self.start_ring = StartRing()
        self.start_ring.setVisible(False)
        self.plot.addItem(self.start_ring, ignoreBounds=True)
        self.start_label = StartLabel(self.view_box)
        self._lay_out()
        self.backdrop.shown.connect(self._show_scale)
        self.backdrop.failed.connect(lambda error: self.readout.setText(str(error)))
        self.view_box.sigRangeChanged.connect(self._view_changed)
        self.view_box.sigResized.connect(self._view_changed)
        self.view_box.sigResized.connect(self._take_size)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.start.sigPositionChanged.connect(self._place_label)
        self.start.sigPositionChangeFinished.connect(self._drop_start)
        self.restyle()

    # -- what is shown --------------------------------------------------------------------------------------------

    def set_surface(
        self,
        surface: Drawable | None,
        points: Sequence[StationaryPoint] = (),
        *,
        project: Projection = as_it_is,
        fixed_start: tuple[float, float] | None = None,
        labels: tuple[str, str] = ("x", "y"),
        short_labels: tuple[str, str] | None = None,
        note: str = "",
    ) -> None:
        """Show another surface, whole, without runs.

        Parameters
        ----------
        surface : Drawable or None
            None for an empty picture.
        points : sequence of StationaryPoint
            Their first two coordinates are places on the picture.
        project : callable, optional
            From recorded points to places on the picture.
        fixed_start : (float, float), optional
            Where runs start, on a picture where the user cannot choose it.
        labels, short_labels : (str, str), optional
            Of the two axes; short ones where there is no room.
        note : str, optional
            What is to be known about the picture; shown while nothing else is.
        """
        self._note = note
        self._project, self._steerable = project, fixed_start is None
        self._runs = []
        for identifier in list(self.tracks):
            self._drop(identifier)
        self.paths.show_tracks((), None)
        self.start.setVisible(False)
        self.start_ring.setVisible(fixed_start is not None)
        if fixed_start is not None:
            self.start_ring.setPos(*fixed_start)
        self._place_label()
        self._labels = labels, short_labels or labels
        self._label_axes()
        for side in ("bottom", "left"):
            self.plot.getAxis(side).set_blank(surface is None)
        self.backdrop.set_surface(surface, points, _describe_point)
        self.marks.set_signs(self.points, fixed_start)
        self.start_label.set_signs(self.points)
        if surface is None:
            self.readout.setText("The picture is being computed…")
            return
        self._show_key()
        words = "; ".join(_describe_point(point) for point in points)
        self.plot.setAccessibleDescription(f"{words}. {_HINT}")

    def set_start(self, start: tuple[float, ...] | None) -> None:
        """Show where the next run begins."""
        shown = start is not None and self._steerable and self.backdrop.surface is not None
        self.start.setVisible(shown)
        if shown and start is not None:
            self.start.blockSignals(True)
            self.start.setPos(start[0], start[1])
            self.start.blockSignals(False)
        self._place_label()

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show the paths of these runs; they are visible and on this landscape."""
        self._runs = list(runs)
        self._place_label()
        for identifier in set(self.tracks) - {run.id for run in runs}:
            self._drop(identifier)
        self.refresh()

    def set_cursor(self, run: RunEntry | None, frame: int) -> None:
        """Put the shared cursor on a frame of a run."""
        if run is self._cursor_run and frame == self._cursor_frame:
            return  # what has grown since is drawn by `refresh`
        raised = run is not self._cursor_run
        self._cursor_run, self._cursor_frame = run, frame
        if self.isVisible():
            if raised:
                self._show_paths()
            self._show_cursor()

    def refresh(self) -> None:
        if self.isVisible():
            self._show_tracks()

    def show_everything(self) -> None:
        self.backdrop.show_everything()

    @property
    def picture(self) -> SurfacePicture | None:
        """The picture of the surface, None until it is there."""
        return self.backdrop.picture

    @property
    def points(self) -> list[PointItem]:
        """Stationary points, as they are drawn."""
        return self.backdrop.points

    # -- drawing --------------------------------------------------------------------------------------------------

    def _view_changed(self, *_: object) -> None:
        self.backdrop.settle()
        self._show_cursor()

    def _take_size(self, *_: object) -> None:
        self._label_axes()
        # The key stands beside the plot; its bar is as high as the picture.
        area = self.view_box.sceneBoundingRect()
        self.key.set_margins(round(area.top()), round(self.plot.height() - area.bottom()))

    def _show_scale(self, picture: SurfacePicture) -> None:
        shading = picture.shading
        shades = shading.shades(np.array(picture.levels)) if picture.levels else np.empty(0)
        self.key.set_scale(shading.low, shading.high, picture.levels, shades.tolist(), "f")

    def _show_tracks(self) -> None:
        if self.backdrop.surface is None:
            return
        for run in self._runs:
            if run.frames == 0:
                continue
            track = self.tracks.get(run.id)
            if track is None:
                track = self.tracks[run.id] = Track(run, self._project)
            track.update()
        self._show_paths()
        self._show_cursor()

    def _show_paths(self) -> None:
        raised = None if self._cursor_run is None else self.tracks.get(self._cursor_run.id)
        self.paths.show_tracks(tuple(self.tracks.values()), raised)

    def _drop(self, identifier: str) -> None:
        del self.tracks[identifier]
        self.marks.forget(identifier)

    def _show_cursor(self) -> None:
        """Draw where the current run is, and the others at the same cost, each with its dimer if it has one."""
        if self.marks.show_frame(
            self.tracks, self._cursor_run, self._cursor_frame, with_dimers=self._project is as_it_is
        ):
            self._show_key()
        self._write_readout()

    def _label_axes(self) -> None:
        """Write the long labels if both of them fit."""
        metrics, (long, short) = QFontMetricsF(self.font()), self._labels
        rooms = self.view_box.width(), self.view_box.height()
        fit = all(metrics.horizontalAdvance(text) <= room for text, room in zip(long, rooms, strict=True))
        for side, text in zip(("bottom", "left"), long if fit else short, strict=True):
            self.plot.getAxis(side).set_text(text)

    def _place_label(self, *_: object) -> None:
        """Name the start; among paths the word would hide what it names."""
        ring = self.start if self._steerable else self.start_ring
        self.start_label.setVisible(ring.isVisible() and not self._runs)
        self.start_label.set_place(ring.pos().x(), ring.pos().y(), _START_GAP if self._steerable else _RING_GAP)

    def _show_key(self) -> None:
        kinds = sorted({(item.kind, item.index) for item in self.points}, key=lambda each: (each[1], each[0]))
        self.point_key.set_kinds(kinds, dimer=self.marks.any_dimer)

    # -- words ----------------------------------------------------------------------------------------------------

    def _value_text(self, x: float, y: float) -> str:
        if self.backdrop.surface is None:
            return ""
        with np.errstate(all="ignore"):
            value = float(np.asarray(self.backdrop.surface.value(np.float64(x), np.float64(y))))
        return f"x {x:.4g}   y {y:.4g}   f {value:.6g}".replace("-", "−")

    def _write_readout(self) -> None:
        """Say where the pointer is, else where the current run is."""
        if self._hovered is not None:
            self.readout.setText(self._value_text(*self._hovered))
            return
        run, frame = self._cursor_run, self._cursor_frame
        if run is None or not run.frames:
            self.readout.setText("Click to choose the start." if self._steerable else self._note or " ")
            return
        words = [f"{run.title}, step {frame}"]
        track = self.tracks.get(run.id)
        row = -1 if track is None else track.place(frame)
        if track is not None and row >= 0 and self._project is as_it_is:
            x, y = track.coordinates[row]
            words.append(f"x {x:.4g}   y {y:.4g}")
        for title, column in (("f", "loss"), ("|g|", "gradient_norm"), ("lowest curvature", "lowest_curvature")):
            value = run.value(column, frame)
            if value is not None:
                words.append(f"{title} {value:.4g}")
        self.readout.setText("   ".join(words).replace(" -", " −"))

    # -- mouse ----------------------------------------------------------------------------------------------------

    def near(self, position: QPointF) -> tuple[Track, int] | None:
        return self._nearest(self.tracks.values(), position)

    def tip(self, position: QPointF) -> str:
        sign = self._sign_at(position)
        if sign is not None:
            return sign.toolTip()
        found = self.near(position)
        if found is None:
            return "" if self.picture is not None and self._runs else _HINT
        track, row = found
        frame = int(track.frames[row])
        loss, cost = track.run.value("loss", frame), track.run.value("evaluations", frame)
        parts = [f"{track.run.title}\nstep {frame}"]
        parts += [f", {cost:.6g} evaluations"] if cost is not None else []
        parts += [f"\nf {loss:.6g}"] if loss is not None else []
        return "".join(parts)

    def _sign_at(self, position: QPointF) -> PointItem | None:
        """Return the stationary point whose sign is at a place of the plot in pixels."""
        for item in self.points:
            away = QPointF(self.plot.mapFromScene(item.scenePos())) - position
            if math.hypot(away.x(), away.y()) <= sign_radius(item.kind, item.scale_drawn):
                return item
        return None

    def _click_beside(self, place: QPointF) -> None:
        if self._steerable and self.backdrop.surface is not None:
            self.start_chosen.emit(place.x(), place.y())

    def _drop_start(self) -> None:
        place = self.start.pos()
        self.start_chosen.emit(float(place.x()), float(place.y()))

    def _hover(self, scene_place: QPointF) -> None:
        inside = self.backdrop.surface is not None and self.view_box.sceneBoundingRect().contains(scene_place)
        place = self.view_box.mapSceneToView(scene_place)
        self._hovered = (place.x(), place.y()) if inside else None
        self._write_readout()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hovered = None
            self._write_readout()
        return super().eventFilter(watched, event)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _make_start(self) -> pg.TargetItem:
        start = pg.TargetItem(size=15, symbol="o", movable=True)
        start.setZValue(8)
        start.setVisible(False)
        self.plot.addItem(start, ignoreBounds=True)
        return start

    def _lay_out(self) -> None:
        self.readout.setObjectName("caption")
        self.readout.setContentsMargins(8, 0, 8, 2)
        self.readout.setAccessibleName("Where the pointer or the current run is")
        picture = QHBoxLayout()
        picture.setSpacing(2)
        picture.setContentsMargins(0, 4, 4, 0)
        picture.addWidget(self.plot, 1)
        picture.addWidget(self.key)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(picture, 1)
        layout.addWidget(self.point_key)
        layout.addWidget(self.readout)

    # -- looks ----------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.backdrop.settle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.backdrop.settle()

    def restyle(self) -> None:
        super().restyle()
        palette = self.palette()
        ring = pg.mkPen(_INK, width=2)
        self.start.setPen(ring)
        self.start.setBrush(pg.mkBrush(255, 255, 255, 235))
        self.start.setHoverPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=3))
        self.start.setHoverBrush(pg.mkBrush(255, 255, 255, 255))
        self.start_label.set_font(self.font())
        self.marks.set_font(self.font())
        self._label_axes()
        self._show_cursor()


def _describe_point(point: StationaryPoint) -> str:
    place = ", ".join(f"{number:.6g}" for number in point.position[:3])
    eigenvalues = ", ".join(f"{number:.4g}" for number in point.eigenvalues[:4] if math.isfinite(number))
    curvatures = f"; curvatures {eigenvalues}" if eigenvalues else ""
    return f"{point.title} at ({place}): f {point.value:.8g}{curvatures}".replace("-", "−")
