"""What lies still on a landscape: its shades, contour lines and stationary points, computed for what is in view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from lieapp.gui.landscape.items import PointItem, sign_scales
from lieapp.gui.landscape.picture import Area, Drawable, SurfacePicture, make_picture, widened
from lieapp.gui.pictures.plane_picture import PlanePicture
from lieapp.gui.pictures.slice_key import slice_colors
from lieapp.gui.work.worker import Task, Worker

if TYPE_CHECKING:
    from lieapp.landscapes.points import StationaryPoint

__all__ = ["LandscapeBackdrop", "held_view", "is_good_for"]

_SETTLE_MILLISECONDS = 120
_MARGIN = 0.2  # of the view: a small shift of it needs no new picture
# Widths of a view in that of a picture between which neither details nor shades are others.
_CLOSE, _COARSE = 1.25, 1.8
_NARROWEST = 50  # pixels below which a plot has not been laid out yet
_CONTOUR_OPACITY = 90
_FARTHEST = 8.0  # widths of the domain that fit into a view of a surface which has values everywhere


class LandscapeBackdrop(QObject):
    """Draws a surface on a plot, again whenever another part of it has come into view.

    Parameters
    ----------
    plot : PlotWidget
    worker : Worker
        Pictures are computed there. Not the one that drives runs, or a picture would wait for a run to end.

    Attributes
    ----------
    surface : Drawable or None
    picture : SurfacePicture or None
        What is drawn.
    points : list of PointItem

    Signals
    -------
    shown(SurfacePicture)
    failed(Exception)
    """

    shown = Signal(object)
    failed = Signal(object)

    def __init__(self, plot: pg.PlotWidget, worker: Worker) -> None:
        super().__init__(plot)
        self._plot, self._worker = plot, worker
        self._task: Task | None = None
        self._area: Area | None = None
        self.surface: Drawable | None = None
        self.picture: SurfacePicture | None = None
        self.points: list[PointItem] = []
        self._drawn = PlanePicture(plot, opacity=_CONTOUR_OPACITY, kept=True)
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settling.timeout.connect(self._ask)
        box = plot.getPlotItem().getViewBox()
        self._views: tuple[Area, Area] = (((0.0, 1.0), (0.0, 1.0)),) * 2
        """The view before the last one, and that."""
        box.sigRangeChanged.connect(self._note_view)
        box.sigRangeChanged.connect(self._space_points)
        box.sigResized.connect(self._space_points)
        box.sigRangeChangedManually.connect(self._hold)

    def set_surface(
        self,
        surface: Drawable | None,
        points: Sequence[StationaryPoint],
        describe: Callable[[StationaryPoint], str],
    ) -> None:
        """Show another surface, or none, once its picture is there; its points are shown at once."""
        self._stop()
        self.surface, self.picture, self._area = surface, None, None
        for item in self.points:
            self._plot.removeItem(item)
        self.points = []
        self._drawn.clear()
        if surface is None:
            return
        for point in points:
            item = PointItem(point.kind, point.index)
            item.setPos(point.position[0], point.position[1])
            item.setToolTip(describe(point))
            self._plot.addItem(item, ignoreBounds=True)
            self.points.append(item)
        (x0, x1), (y0, y1) = surface.domain
        ratio = (x1 - x0) / (y1 - y0)
        self._plot.getPlotItem().getViewBox().setAspectLocked(0.4 < ratio < 2.5)
        self.show_everything()
        self._space_points()
        self._ask()

    def show_everything(self) -> None:
        """Show the whole domain."""
        if self.surface is not None:
            (x0, x1), (y0, y1) = self.surface.domain
            self._plot.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0.0)

    def settle(self) -> None:
        """Look, once the view rests, whether another picture is needed."""
        # A timer that is started anew at every step of the wheel fires once.
        self._settling.start()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Have the picture of what is in view computed, unless it is there; what is shown stays until then."""
        surface = self.surface
        if surface is None or not self._plot.isVisible():
            return
        view = self._view(surface)
        if self._area is not None and is_good_for(self._area, view):
            return
        self._stop()
        area = _grown(view, _MARGIN)
        self._area = area
        self._task = self._worker.submit(
            lambda task: make_picture(surface, area, view=view), self._show, self.failed.emit
        )

    def _hold(self, *_: object) -> None:
        """Keep the view on what can be drawn, or as large as it is when everything is shown, however one zooms."""
        if self.surface is None:
            return
        before, view = self._views
        extent = self.surface.extent or _grown(self.surface.domain, 0.5 * (_FARTHEST - 1.0))
        locked = bool(self._plot.getPlotItem().getViewBox().state["aspectLocked"])
        held = held_view(view, before, self.surface.domain, extent, at_one_scale=locked)
        if not np.allclose(held, view, rtol=1e-9, atol=0.0):
            self._plot.setRange(xRange=held[0], yRange=held[1], padding=0.0)

    def _note_view(self, *_: object) -> None:
        (x0, x1), (y0, y1) = self._plot.getPlotItem().getViewBox().viewRange()
        view = (x0, x1), (y0, y1)
        if view != self._views[1]:
            self._views = self._views[1], view

    def _space_points(self, *_: object) -> None:
        """Draw signs smaller where they would cover one another."""
        width, height = self._plot.getPlotItem().getViewBox().viewPixelSize()
        places = np.array([(item.pos().x() / width, item.pos().y() / height) for item in self.points]).reshape(-1, 2)
        for item, scale in zip(self.points, sign_scales(places).tolist(), strict=True):
            item.set_scale(scale)

    def _view(self, surface: Drawable) -> Area:
        (x0, x1), (y0, y1) = self._plot.getPlotItem().getViewBox().viewRange()
        if self._plot.width() < _NARROWEST:
            return widened(surface.domain, 1.4)
        return (x0, x1), (y0, y1)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _show(self, picture: SurfacePicture) -> None:
        self._task, self.picture = None, picture
        colors, lines = slice_colors(False), picture.contours
        self._drawn.show(picture.shades, picture.x, picture.y, limits=(0.0, 1.0), colors=colors, lines=lines)
        self.shown.emit(picture)


def held_view(view: Area, before: Area, domain: Area, extent: Area, *, at_one_scale: bool) -> Area:
    """Return the view nearest to a wanted one that shows nothing beside an extent, as far as the pane's shape allows.

    Parameters
    ----------
    view, before : ((x0, x1), (y0, y1))
        What is wanted, of the shape of the pane, and what was seen before: a zoom ends on the way between them.
    domain, extent : ((x0, x1), (y0, y1))
        What must fit into a view, and beyond which none shall reach.
    at_one_scale : bool
        Whether a unit is as long upwards as it is across.
    """
    wanted, seen, fitting, limits = (np.array(each, dtype=np.float64) for each in (view, before, domain, extent))
    sizes = _sizes(wanted)
    whole = _sizes(fitting) / sizes  # size of a view of the domain, over that of the wanted one
    half = 0.5 * (np.full(2, whole.max()) if at_one_scale else whole) * sizes
    middle = fitting.mean(axis=1)
    low, high = np.minimum(limits[:, 0], middle - half), np.maximum(limits[:, 1], middle + half)
    most = np.minimum((high - low) / sizes, 1.0)
    most = np.full(2, most.min()) if at_one_scale else most
    part = np.clip((most * sizes - _sizes(seen)) / np.maximum(sizes - _sizes(seen), 1e-300), 0.0, 1.0)
    middle = np.where(most < 1.0, (1.0 - part) * seen.mean(axis=1) + part * wanted.mean(axis=1), wanted.mean(axis=1))
    half = 0.5 * most * sizes
    middle = np.clip(middle, low + half, np.maximum(high - half, low + half))
    found = np.stack((middle - half, middle + half), axis=1).tolist()
    return (found[0][0], found[0][1]), (found[1][0], found[1][1])


def _sizes(area: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes: NDArray[np.float64] = area[:, 1] - area[:, 0]
    return sizes


def is_good_for(area: Area, view: Area) -> bool:
    """Whether a picture of an area is good enough for a view: it holds it, and was made for one about as large."""
    inside = all(low <= a and b <= high for (low, high), (a, b) in zip(area, view, strict=True))
    shares = [(high - low) / (b - a) for (low, high), (a, b) in zip(area, view, strict=True)]
    return inside and min(shares) >= _CLOSE and max(shares) <= _COARSE


def _grown(area: Area, share: float) -> Area:
    (x0, x1), (y0, y1) = area
    mx, my = share * (x1 - x0), share * (y1 - y0)
    return (x0 - mx, x1 + mx), (y0 - my, y1 + my)
