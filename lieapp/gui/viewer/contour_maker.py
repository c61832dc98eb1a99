"""Contours of the maps of frames, made on a thread of their own: the newest frame wins, those made before are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from lieapp.gui.work.worker import Task, Worker

if TYPE_CHECKING:
    from lieapp.scene.isosurface import Isosurface

__all__ = ["ContourMaker", "ContourRequest"]

_KEPT_TRIANGLES = 6_000_000  # 200 bytes each with its vertices


@dataclass(frozen=True, eq=False)
class ContourRequest:
    """A contour that is wanted.

    Attributes
    ----------
    key : hashable
        Equal for requests with one answer.
    values : callable() -> ndarray, shape=(box, box, box)
        Read on the thread that makes contours; axes z, y, x.
    level : float
    pixel_size_angstrom : float
    stride : int
        Take only every so manieth grid point.
    """

    key: Hashable
    values: Callable[[], NDArray[np.float32]]
    level: float
    pixel_size_angstrom: float
    stride: int = 1


class ContourMaker(QObject):
    """Makes the contours that stand side by side.

    Signals
    -------
    made()
        The contours that were asked for last are there.
    failed(Exception)
    """

    made = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cache: OrderedDict[Hashable, Isosurface] = OrderedDict()
        self._triangles = 0
        self._worker: Worker | None = None
        self._task: Task | None = None
        self._wanted: list[ContourRequest] = []

    @property
    def busy(self) -> bool:
        """Whether contours are being made."""
        return self._task is not None

    def get(self, key: Hashable) -> Isosurface | None:
        """Return a contour that was made, or None."""
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
        return found

    def ask(self, requests: Sequence[ContourRequest]) -> bool:
        """Have contours made; return whether all are there already. Requests before this one are forgotten."""
        missing = [request for request in requests if request.key not in self._cache]
        self._wanted = missing
        self._next()
        return not missing

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._task is not None or not self._wanted:
            return
        requests, self._wanted = self._wanted, []
        if self._worker is None:
            self._worker = Worker("lieapp-contours", self)

        def work(task: Task) -> list[tuple[Hashable, Isosurface | None]]:
            return [(request.key, _contour(request, task.cancelled)) for request in requests]

        self._task = self._worker.submit(work, self._done, self._fail)

    def _done(self, contours: list[tuple[Hashable, Isosurface | None]]) -> None:
        self._task = None
        for key, contour in contours:
            if contour is not None:
                self._cache[key] = contour
                self._triangles += len(contour.triangles)
        while self._triangles > _KEPT_TRIANGLES and len(self._cache) > 8:
            _, old = self._cache.popitem(last=False)
            self._triangles -= len(old.triangles)
        self._wanted = [request for request in self._wanted if request.key not in self._cache]
        # What has been made is shown even if a newer frame is wanted by now: else a fast replay would show nothing.
        self.made.emit()
        self._next()

    def _fail(self, error: BaseException) -> None:
        self._task = None
        self.failed.emit(error)


def _contour(request: ContourRequest, cancelled: Callable[[], bool]) -> Isosurface | None:
    from lieapp.cryoem.maps import DensityMap
    from lieapp.scene.contours import map_contour

    values, pixel = request.values(), request.pixel_size_angstrom
    start = -pixel * (values.shape[0] // 2)
    density = DensityMap(values, (pixel, pixel, pixel), (start, start, start))
    return map_contour(density, request.level, stride=request.stride, cancelled=cancelled)
