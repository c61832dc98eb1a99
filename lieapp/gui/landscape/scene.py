"""Planes through landscapes of many dimensions, computed behind the window and kept."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.gui.work.worker import Task, Worker
from lieapp.landscapes.plane_keys import plane_key

if TYPE_CHECKING:
    from lieapp.landscapes.planes import Plane
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["PlaneMaker"]

_KEPT = 8


class PlaneMaker(QObject):
    """Has planes computed by the worker that owns torch; those made before are kept.

    Parameters
    ----------
    compute : Worker

    Signals
    -------
    made(object, Plane)
        Key, see `lieapp.landscapes.plane_keys.plane_key`, and the plane.
    failed(object)
        The exception.
    """

    made = Signal(object, object)
    failed = Signal(object)

    def __init__(self, compute: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._compute = compute
        self._cache: OrderedDict[tuple[Any, ...], Plane] = OrderedDict()
        self._waiting: dict[tuple[Any, ...], Task] = {}

    def ask(self, job: LandscapeJob) -> Plane | None:
        """Return the plane of a job if it was made before; else have it made, and report it."""
        key = plane_key(job)
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
        elif key not in self._waiting:
            self._waiting[key] = self._compute.submit(
                lambda task: task.load("lieapp.landscapes.planes").curvature_plane(job, stopped=task.cancelled),
                lambda plane: self._keep(key, plane),
                lambda error: self._fail(key, error),
            )
        return found

    def _keep(self, key: tuple[Any, ...], plane: Plane) -> None:
        del self._waiting[key]
        self._cache[key] = plane
        while len(self._cache) > _KEPT:
            self._cache.popitem(last=False)
        self.made.emit(key, plane)

    def _fail(self, key: tuple[Any, ...], error: BaseException) -> None:
        del self._waiting[key]
        self.failed.emit(error)
