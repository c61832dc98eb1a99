"""What the picture of a landscape shows: the surface itself, a plane through many dimensions, or nothing to draw."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.gui.worker import Task, Worker

if TYPE_CHECKING:
    from lieapp.landscapes.planes import Plane
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["PlaneMaker", "has_plane", "plane_key"]

_KEPT = 8


def has_plane(job: LandscapeJob) -> bool:
    """Whether a plane stands for the landscape: it has too many dimensions to be drawn, but not those of a network."""
    return not job.description.is_planar and job.description.dimension is not None


def plane_key(job: LandscapeJob) -> tuple[Any, ...]:
    """Return what the plane of a job depends on."""
    return job.landscape, job.seed, job.offset, job.start


class PlaneMaker(QObject):
    """Has planes computed by the worker that owns torch; those made before are kept.

    Parameters
    ----------
    compute : Worker

    Signals
    -------
    made(object, Plane)
        Key, see `plane_key`, and the plane.
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
                lambda task: importlib.import_module("lieapp.landscapes.planes").curvature_plane(job),
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
