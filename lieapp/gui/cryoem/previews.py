"""What the next run will work on, seen before it begins: asked for by the workbench, made on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.application.messages import MessageCenter
from lieapp.gui.cryoem.session import scene_of
from lieapp.gui.work.latest_work import LatestWork
from lieapp.gui.work.worker import Task

if TYPE_CHECKING:
    from lieapp.cryoem.map_statistics import MapStatistics
    from lieapp.cryoem.preview import Preview
    from lieapp.cryoem.spec import CryoemJob

__all__ = ["CryoemPreviews"]

Scene = tuple[Any, ...]

_FIRST_IMAGES = 11


class CryoemPreviews(QObject):
    """The preview of the images that are chosen.

    Parameters
    ----------
    messages : MessageCenter

    Attributes
    ----------
    statistics : MapStatistics or None
        Of the map that is simulated.

    Signals
    -------
    changed()
        Another preview, or the reason why there is none, is there.
    """

    changed = Signal()

    def __init__(self, messages: MessageCenter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._messages = messages
        self._work = LatestWork("lieapp-previews", self)
        self._scene: Scene | None = None
        self._preview: Preview | None = None
        self._problem = ""
        self.statistics: MapStatistics | None = None
        self._work.done.connect(self._take)
        self._work.failed.connect(self._fail)

    def ask(self, job: CryoemJob | None) -> None:
        """Have the preview of a job made, unless it is there."""
        if job is None:
            return
        scene = scene_of(job)
        if scene != self._scene:
            self._work.ask(scene, _make(job, scene))

    def of(self, scene: Scene | None) -> Preview | None:
        """Return the preview of a scene; None where it is not there, or not yet."""
        return self._preview if scene is not None and scene == self._scene else None

    def problem(self, scene: Scene | None) -> str:
        """Return why there is no preview of a scene; empty where there is one, or it is not known yet."""
        return self._problem if scene is not None and scene == self._scene else ""

    def shut_down(self) -> None:
        """End the thread."""
        self._work.close()

    def _take(self, answer: tuple[Scene, Preview, MapStatistics | None]) -> None:
        self._scene, self._preview, self.statistics = answer
        self._problem = ""
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        key = self._work.key
        self._scene = key if isinstance(key, tuple) else None
        self._preview, self.statistics = None, None
        self._problem = str(error)
        if not isinstance(error, LieAppError):
            self._messages.report(error, "Showing what the run will work on")
        self.changed.emit()


def _make(job: CryoemJob, scene: Scene) -> Callable[[Task], tuple[Scene, Preview, MapStatistics | None]]:
    def work(task: Task) -> tuple[Scene, Preview, MapStatistics | None]:
        preview = task.load("lieapp.cryoem.preview").preview_of(job, _FIRST_IMAGES)
        describe = task.load("lieapp.cryoem.map_statistics").map_statistics
        statistics = None if preview.truth is None else describe(preview.truth, bins=128)
        return scene, preview, statistics

    return work
