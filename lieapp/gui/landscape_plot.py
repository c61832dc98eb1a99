"""The picture of a landscape: contours, stationary points, the paths of the runs, the dimer, and the start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from lieapp.gui.axes import PlainAxis, style_plot
from lieapp.gui.forms import ElidedLabel
from lieapp.gui.landscape_items import LandscapeKey, PointItem, PointKey
from lieapp.gui.landscape_marks import CursorMarks, on_picture
from lieapp.gui.landscape_picture import Area, Drawable, SurfacePicture, make_picture, widened
from lieapp.gui.landscape_track import Projection, Track, as_it_is
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.slice_items import SmoothImage
from lieapp.gui.slice_key import slice_colors
from lieapp.gui.worker import Task, Worker

if TYPE_CHECKING:
    from lieapp.landscapes.points import StationaryPoint

__all__ = ["LandscapePlot"]

_NEAR_PIXELS = 10.0
_SETTLE_MILLISECONDS = 120
_MARGIN = 0.2  # of the view: a small shift of it needs no new picture
_INK = "#1B2430"
_HINT = (
    "Click, or drag the ring, to choose where the next run starts; click a path to put the cursor there; wheel zooms, "
    "drag shifts, double-click shows everything."
)


class LandscapePlot(QWidget):
    """A function of two numbers, with runs on it.

    Parameters
    ----------
    worker : Worker
        Pictures are computed there. Not the one that drives runs, or a picture would wait for a run to end.

    Signals
    -------
    start_chosen(float, float)
        The user chose where the next run starts.
    cursor_moved(int)
        The user clicked on this frame of the current run.
    """

    start_chosen = Signal(float, float)
    cursor_moved = Signal(int)

    def __init__(self, worker: Worker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Landscape")
        self._worker = worker
        self._task: Task | None = None
        self._surface: Drawable | None = None
        self._area: Area | None = None
        self._project: Projection = as_it_is
        self._steerable = True
        self._note = ""
        self._runs: list[RunEntry] = []
        self._cursor_run: RunEntry | None = None
        self._cursor_frame = 0
        self._hovered: tuple[float, float] | None = None
        self.describe: Callable[[float, float], str] = lambda x, y: ""
        self.picture: SurfacePicture | None = None
        self.tracks: dict[str, Track] = {}
        self.points: list[PointItem] = []
        self.key = LandscapeKey()
        self.point_key = PointKey()
        self.readout = ElidedLabel(" ")
        self.plot = self._make_plot()
        self._lay_out()
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settling.timeout.connect(self._ask)
        box = self.plot.getPlotItem().getViewBox()
        box.sigRangeChanged.connect(self._range_changed)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.start.sigPositionChangeFinished.connect(self._drop_start)
        self._restyle()

    # -- what is shown --------------------------------------------------------------------------------------------

    def set_surface(
        self,
        surface: Drawable | None,
        points: Sequence[StationaryPoint] = (),
        *,
        project: Projection = as_it_is,
        steerable: bool = True,
        labels: tuple[str, str] = ("x", "y"),
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
        steerable : bool, optional
            Whether the user may choose the start here.
        labels : (str, str), optional
            Of the two axes.
        note : str, optional
            What is to be known about the picture; shown while nothing else is.
        """
        self._note = note
        self._stop()
        self._surface, self._project, self._steerable = surface, project, steerable
        self._area, self.picture = None, None
        self._runs = []
        for identifier in list(self.tracks):
            self._drop(identifier)
        for item in self.points:
            self.plot.removeItem(item)
        self.points = []
        self.image.clear()
        self.contours.setData([], [])
        self.start.setVisible(False)
        for side, label in zip(("bottom", "left"), labels, strict=True):
            self.plot.setLabel(side, label, **self.plot.getAxis(side).labelStyle)
        if surface is None:
            self.readout.set_full_text("The picture is being computed…")
            return
        for point in points:
            item = PointItem(point.kind, point.index)
            item.setPos(point.position[0], point.position[1])
            item.setToolTip(_describe_point(point))
            self.plot.addItem(item, ignoreBounds=True)
            self.points.append(item)
        self._show_key()
        (x0, x1), (y0, y1) = surface.domain
        ratio = (x1 - x0) / (y1 - y0)
        self.plot.getPlotItem().getViewBox().setAspectLocked(0.4 < ratio < 2.5)
        words = "; ".join(_describe_point(point) for point in points)
        self.plot.setAccessibleDescription(f"{words}. {_HINT}")
        self.show_everything()
        self._ask()

    def set_start(self, start: tuple[float, ...] | None) -> None:
        """Show where the next run begins."""
        shown = start is not None and self._steerable and self._surface is not None
        self.start.setVisible(shown)
        if shown and start is not None:
            self.start.blockSignals(True)
            self.start.setPos(start[0], start[1])
            self.start.blockSignals(False)

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """Show the paths of these runs; they are visible and on this landscape."""
        self._runs = list(runs)
        # Among paths it would hide what it names.
        self.start.label().setVisible(not runs)
        for identifier in set(self.tracks) - {run.id for run in runs}:
            self._drop(identifier)
        self.refresh()

    def set_cursor(self, run: RunEntry | None, frame: int) -> None:
        """Put the shared cursor on a frame of a run."""
        if run is self._cursor_run and frame == self._cursor_frame:
            return  # what has grown since is drawn by `refresh`
        if run is not self._cursor_run:
            for track in self.tracks.values():
                track.set_raised(track.run is run)
        self._cursor_run, self._cursor_frame = run, frame
        if self.isVisible():
            self._show_cursor()

    def refresh(self) -> None:
        """Draw what the recordings hold by now."""
        if self.isVisible():
            self._show_tracks()

    def show_everything(self) -> None:
        """Show the whole domain."""
        if self._surface is not None:
            (x0, x1), (y0, y1) = self._surface.domain
            self.plot.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0.0)

    # -- computing ------------------------------------------------------------------------------------------------

    def _range_changed(self) -> None:
        # A timer that is started anew at every step of the wheel fires once.
        self._settling.start()
        self._show_cursor()

    def _ask(self) -> None:
        """Have the picture of what is in view computed, unless it is there; what is shown stays until then."""
        surface = self._surface
        if surface is None or not self.isVisible():
            return
        view = self._view()
        if self._area is not None and _covers(self._area, view):
            return
        self._stop()
        area = _grown(view, _MARGIN)
        self._area = area
        self._task = self._worker.submit(
            lambda task: make_picture(surface, area), self._show, lambda error: self.readout.set_full_text(str(error))
        )

    def _view(self) -> Area:
        assert self._surface is not None
        (x0, x1), (y0, y1) = self.plot.getPlotItem().getViewBox().viewRange()
        if self.plot.width() < 50:
            return widened(self._surface.domain, 1.4)
        return (x0, x1), (y0, y1)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # -- drawing --------------------------------------------------------------------------------------------------

    def _show(self, picture: SurfacePicture) -> None:
        self._task, self.picture = None, picture
        self.image.setImage(picture.shades, levels=(0.0, 1.0))
        self.image.setLookupTable(slice_colors(False))
        (x0, x1), (y0, y1) = picture.area
        dx, dy = picture.x[1] - picture.x[0], picture.y[1] - picture.y[0]
        # Values belong to the middles of the picture's cells.
        self.image.setRect(x0 - dx / 2, y0 - dy / 2, x1 - x0 + dx, y1 - y0 + dy)
        ends = picture.contours.reshape(-1, 2)
        self.contours.setData(ends[:, 0], ends[:, 1], connect="pairs")
        shading = picture.shading
        shades = shading.shades(np.array(picture.levels)) if picture.levels else np.empty(0)
        self.key.set_scale(shading.low, shading.high, picture.levels, shades.tolist(), "f")

    def _show_tracks(self) -> None:
        if self._surface is None:
            return
        for run in self._runs:
            if run.frames == 0:
                continue
            track = self.tracks.get(run.id)
            if track is None:
                track = self.tracks[run.id] = Track(run, self._project)
                track.set_raised(run is self._cursor_run)
                for item in track.items:
                    self.plot.addItem(item, ignoreBounds=True)
            track.set_color(on_picture(run.color))
            track.update()
        self._show_cursor()

    def _drop(self, identifier: str) -> None:
        for item in self.tracks.pop(identifier).items:
            self.plot.removeItem(item)
        self.marks.forget(identifier)

    def _show_cursor(self) -> None:
        """Draw where the current run is, and the others at the same cost, each with its dimer if it has one."""
        if self.marks.show(self.tracks, self._cursor_run, self._cursor_frame, with_dimers=self._project is as_it_is):
            self._show_key()
        self._write_readout()

    def _show_key(self) -> None:
        kinds = sorted({(item.kind, item.index) for item in self.points}, key=lambda each: (each[1], each[0]))
        self.point_key.set_kinds(kinds, dimer=self.marks.any_dimer)

    # -- words ----------------------------------------------------------------------------------------------------

    def _value_text(self, x: float, y: float) -> str:
        if self._surface is None:
            return ""
        with np.errstate(all="ignore"):
            value = float(np.asarray(self._surface.value(np.float64(x), np.float64(y))))
        return f"x {x:.4g}   y {y:.4g}   f {value:.6g}".replace("-", "−")

    def _write_readout(self) -> None:
        """Say where the pointer is, else where the current run is."""
        if self._hovered is not None:
            self.readout.set_full_text(self._value_text(*self._hovered))
            return
        run, frame = self._cursor_run, self._cursor_frame
        if run is None or not run.frames:
            self.readout.set_full_text("Click to choose the start." if self._steerable else self._note or " ")
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
        self.readout.set_full_text("   ".join(words).replace(" -", " −"))

    # -- mouse ----------------------------------------------------------------------------------------------------

    def near(self, position: QPointF) -> tuple[Track, int] | None:
        """Return the path, and its row, that is drawn next to a place of the plot in pixels, or None."""
        box = self.plot.getPlotItem().getViewBox()
        place = box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        width, height = box.viewPixelSize()
        best: tuple[float, Track, int] | None = None
        for track in self.tracks.values():
            if not len(track.frames):
                continue
            xy = track.coordinates
            away = np.hypot((xy[:, 0] - place.x()) / width, (xy[:, 1] - place.y()) / height)
            away[np.isnan(away)] = np.inf
            row = int(np.argmin(away))
            if away[row] < (best[0] if best is not None else _NEAR_PIXELS):
                best = float(away[row]), track, row
        return None if best is None else best[1:]

    def tip(self, position: QPointF) -> str:
        """Return what is to be said about a place of the plot in pixels."""
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

    def _inside(self, scene_place: QPointF) -> QPointF | None:
        box = self.plot.getPlotItem().getViewBox()
        if self._surface is None or not box.sceneBoundingRect().contains(scene_place):
            return None
        place: QPointF = box.mapSceneToView(scene_place)
        return place

    def _click(self, event: Any) -> None:
        place = self._inside(event.scenePos())
        if place is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self.show_everything()
            return
        found = self.near(QPointF(self.plot.mapFromScene(event.scenePos())))
        if found is not None and found[0].run is self._cursor_run:
            self.cursor_moved.emit(int(found[0].frames[found[1]]))
        elif self._steerable:
            self.start_chosen.emit(place.x(), place.y())

    def _drop_start(self) -> None:
        place = self.start.pos()
        self.start_chosen.emit(float(place.x()), float(place.y()))

    def _hover(self, scene_place: QPointF) -> None:
        place = self._inside(scene_place)
        self._hovered = None if place is None else (place.x(), place.y())
        self._write_readout()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), text, self.plot)
            else:
                QToolTip.hideText()
            return True
        if event.type() == QEvent.Type.Leave:
            self._hovered = None
            self._write_readout()
        return super().eventFilter(watched, event)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _make_plot(self) -> pg.PlotWidget:
        plot = pg.PlotWidget(axisItems={"left": PlainAxis("left"), "bottom": PlainAxis("bottom")})
        plot.setAccessibleName("Contours of the landscape, with the paths of the runs")
        plot.viewport().setAccessibleName(plot.accessibleName())
        plot.setAccessibleDescription(_HINT)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setAntialiasing(True)
        plot.setMinimumSize(220, 160)
        plot.getPlotItem().getViewBox().setDefaultPadding(0.0)
        plot.viewport().installEventFilter(self)
        plot.viewport().setMouseTracking(True)
        self.image = SmoothImage(axisOrder="row-major")
        self.image.setZValue(-10)
        self.contours = pg.PlotCurveItem(antialias=True)
        self.contours.setZValue(-8)
        self.marks = CursorMarks(plot)
        self.start = pg.TargetItem(size=15, symbol="o", movable=True, label="start",
                                   labelOpts={"offset": (8, -8), "anchor": (0, 1)})  # fmt: skip
        self.start.setZValue(8)
        self.start.setVisible(False)
        for item in (self.image, self.contours, self.start):
            plot.addItem(item, ignoreBounds=True)
        return plot

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
        if self._stale:
            self._restyle()
        self._settling.start()
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settling.start()

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        # Events come already while the base class is being made.
        if event.type() in kinds and hasattr(self, "_settling"):
            # Qt tells it many times while a window is being put together, and nobody sees it yet.
            self._stale = not self.isVisible()
            if not self._stale:
                self._restyle()
        super().changeEvent(event)

    def _restyle(self) -> None:
        self._stale = False
        palette = self.palette()
        style_plot(self.plot, palette, self.font())
        self.plot.showGrid(x=False, y=False)
        self.contours.setPen(pg.mkPen(QColor(255, 255, 255, 90), width=1))
        ring = pg.mkPen(_INK, width=2)
        self.start.setPen(ring)
        self.start.setBrush(pg.mkBrush(255, 255, 255, 235))
        self.start.setHoverPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=3))
        self.start.setHoverBrush(pg.mkBrush(255, 255, 255, 255))
        label = self.start.label()
        if label is not None:
            label.setColor(_INK)
            label.fill = pg.mkBrush(255, 255, 255, 215)
        self.marks.set_font(self.font())
        metrics = QFontMetricsF(self.font())
        self.key.set_margins(int(metrics.height() / 2), int(3.0 * metrics.height()))
        self._show_cursor()


def _covers(area: Area, view: Area) -> bool:
    """Whether a picture of an area is good enough for a view: it holds it, and is not far coarser."""
    inside = all(low <= a and b <= high for (low, high), (a, b) in zip(area, view, strict=True))
    coarse = any((high - low) > 4.0 * (b - a) for (low, high), (a, b) in zip(area, view, strict=True))
    return inside and not coarse


def _grown(area: Area, share: float) -> Area:
    (x0, x1), (y0, y1) = area
    mx, my = share * (x1 - x0), share * (y1 - y0)
    return (x0 - mx, x1 + mx), (y0 - my, y1 + my)


def _describe_point(point: StationaryPoint) -> str:
    place = ", ".join(f"{number:.6g}" for number in point.position[:3])
    eigenvalues = ", ".join(f"{number:.4g}" for number in point.eigenvalues[:4] if math.isfinite(number))
    curvatures = f"; curvatures {eigenvalues}" if eigenvalues else ""
    return f"{point.title} at ({place}): f {point.value:.8g}{curvatures}".replace("-", "−")
