"""One open density map and its contour: read and computed off the window's thread, shown in a 3-D view.

While a contour is being made further levels may be asked for; only the newest of them is made next.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from lieapp.gui.viewer.viewer import MoleculeViewer
from lieapp.gui.work.worker import Task, Worker
from lieapp.scene.density import DENSITY_COLOR, DENSITY_OPACITY, DensityStyle
from lieapp.scene.painter import Slot

if TYPE_CHECKING:
    from lieapp.cryoem.map_statistics import MapStatistics
    from lieapp.cryoem.maps import DensityMap
    from lieapp.scene.isosurface import Isosurface

__all__ = ["DensityDesk"]

COARSE_ABOVE_SECONDS = 0.1
"""A map whose contours take longer is shown coarsely while its level moves."""
_COARSEST = 8


class DensityDesk(QObject):
    """Reads a map, keeps its level and looks, and shows its contour.

    Parameters
    ----------
    viewer : MoleculeViewer
        Its scene shows the contour.
    slot : {"mobile", "target"}, optional
        In whose frame the map lies.

    Attributes
    ----------
    density : DensityMap or None
    statistics : MapStatistics or None
    level : float
    color : str
    opacity : float
    style : {"surface", "mesh"}
    visible : bool

    Signals
    -------
    changed()
        A map was opened or closed, or its pixel size is another.
    level_changed()
    look_changed()
        Colour, opacity, style or visibility are others.
    contoured(int)
        The contour of the newest level, or a coarse one of it, is shown; it has so many triangles.
    failed(Exception, str)
        What went wrong, and while what was being done.
    """

    changed = Signal()
    level_changed = Signal()
    look_changed = Signal()
    contoured = Signal(int)
    failed = Signal(object, str)

    def __init__(self, viewer: MoleculeViewer, slot: Slot = "target", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.density: DensityMap | None = None
        self.statistics: MapStatistics | None = None
        self.level = 0.0
        self.color = DENSITY_COLOR
        self.opacity = DENSITY_OPACITY
        self.style: DensityStyle = "surface"
        self.visible = True
        self._viewer = viewer
        self._slot: Slot = slot
        self._worker: Worker | None = None
        self._reading: Task | None = None
        self._making: Task | None = None
        self._making_stride = 1
        self._wanted: tuple[float, bool] | None = None
        self._contour: Isosurface | None = None
        self._shown: tuple[float, int] | None = None
        self._seconds = 0.0
        self._fit = False

    @property
    def busy(self) -> bool:
        """Whether a map is being read or a contour made."""
        return self._reading is not None or self._making is not None

    def open(self, path: Path) -> None:
        """Read a map; the one that is open stays until that has worked."""
        from lieapp.cryoem.map_statistics import map_statistics
        from lieapp.cryoem.maps import read_map

        if self._reading is not None:
            self._reading.cancel()

        def work(task: Task) -> tuple[DensityMap, MapStatistics]:
            density = read_map(path)
            return density, map_statistics(density.values)

        def done(result: tuple[DensityMap, MapStatistics]) -> None:
            self._reading = None
            self.show(*result)

        def failed(error: BaseException) -> None:
            self._reading = None
            self.failed.emit(error, f"Reading {path.name}")

        self._reading = self._work_on().submit(work, done, failed)

    def show(self, density: DensityMap, statistics: MapStatistics) -> None:
        """Show a map at its initial level."""
        self._forget()
        self.density, self.statistics = density, statistics
        self.level, self.visible, self._fit = statistics.initial_level, True, True
        scene = self._viewer.scene
        lonely = scene.structure("mobile") is None and scene.structure("target") is None
        # A structure must be seen within the map; without one there is nothing to shine through.
        self.opacity = 1.0 if lonely else DENSITY_OPACITY
        self.changed.emit()
        self._want(False)

    def close_map(self) -> None:
        """Take the map away."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self._forget()
        self.density = self.statistics = None
        self._viewer.scene.set_density(self._slot, None)
        self.changed.emit()

    def shut_down(self) -> None:
        """End the thread; call it before the view goes."""
        self._wanted = None
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close(2.0)

    def set_level(self, level: float, *, moving: bool = False) -> None:
        """Choose the level of the contour.

        Parameters
        ----------
        level : float
        moving : bool, optional
            More levels will follow at once: a coarse contour will do where a full one takes long.
        """
        if self.density is not None:
            self.level = level
            self.level_changed.emit()
            self._want(moving)

    def set_pixel_size(self, angstrom: float) -> None:
        """Say how far apart the grid points are, in Å, where the file does not."""
        if self.density is not None:
            self.density = self.density.with_pixel_size(angstrom)
            self._shown, self._fit = None, True
            self.changed.emit()
            self._want(False)

    def set_look(
        self,
        *,
        color: str | None = None,
        opacity: float | None = None,
        style: DensityStyle | None = None,
        visible: bool | None = None,
    ) -> None:
        """Change how the contour is drawn; what is None stays."""
        self.color = self.color if color is None else color
        self.opacity = self.opacity if opacity is None else opacity
        self.style = self.style if style is None else style
        if self.style == "mesh" and self._contour is not None and not len(self._contour.lines):
            # Until its lines are there the contour stays a sheet.
            self._shown = None
            self._want(False)
        if visible is not None and visible != self.visible:
            self.visible = visible
            self._viewer.scene.set_density(self._slot, self._contour if visible else None)
        self._viewer.scene.set_density_look(self._slot, self.color, opacity=self.opacity, style=self.style)
        self.look_changed.emit()

    # -- contours -------------------------------------------------------------------------------------------------

    def _work_on(self) -> Worker:
        """Return the thread of maps: it waits for no file and no slice of the loss."""
        if self._worker is None:
            self._worker = Worker("lieapp-maps", self)
        return self._worker

    def _forget(self) -> None:
        if self._making is not None:
            self._making.cancel()
            self._making = None
        self._wanted = self._shown = self._contour = None
        self._seconds = 0.0

    def _want(self, moving: bool) -> None:
        self._wanted = (self.level, moving)
        slow = self._seconds > COARSE_ABOVE_SECONDS
        if self._making is not None and slow and self._making_stride == 1:
            # A full contour of a level that nobody wants any more.
            self._making.cancel()
            self._making = None
        self._make()

    def _stride(self) -> int:
        stride = 1
        # The work is that of the cells along the surface and of looking at all points.
        while self._seconds / stride**2.5 > COARSE_ABOVE_SECONDS and stride < _COARSEST:
            stride += 1
        return stride

    def _make(self) -> None:
        """Make the newest contour that is wanted, unless one is under way."""
        if self._making is not None or self._wanted is None or self.density is None:
            return
        (level, moving), self._wanted = self._wanted, None
        density, stride = self.density, self._stride() if moving else 1
        if self._shown == (level, stride):
            return
        lines = self.style == "mesh"

        from lieapp.scene.contours import map_contour

        def work(task: Task) -> tuple[Isosurface | None, float]:
            # Of this thread alone: how long it takes while torch is being loaded says nothing of the next one.
            start = time.thread_time()
            contour = map_contour(density, level, stride=stride, lines=lines, cancelled=task.cancelled)
            return contour, time.thread_time() - start

        def done(result: tuple[Isosurface | None, float]) -> None:
            self._making = None
            contour, seconds = result
            if stride == 1:
                self._seconds = seconds
            self._shown = (level, stride)
            self._show(contour)
            self._make()

        def failed(error: BaseException) -> None:
            self._making = None
            self.failed.emit(error, "Contouring the map")

        self._making_stride = stride
        self._making = self._work_on().submit(work, done, failed)

    def _show(self, contour: Isosurface | None) -> None:
        self._contour = contour
        scene = self._viewer.scene
        if self.visible:
            scene.set_density(self._slot, contour, self.color, opacity=self.opacity, style=self.style)
        if self._fit:
            self._fit = False
            scene.fit_view(room_to_turn=False)
        self.contoured.emit(0 if contour is None else len(contour.triangles))
