"""Lets one study at a time compute: a basin map, a sweep, a spectrum; and holds the window's turn meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from PySide6.QtCore import QObject, Signal

from lieapp.engine.control import RunControl
from lieapp.gui.runs.desk import Turn
from lieapp.gui.work.worker import Task, Worker

__all__ = ["StudyControl", "StudyDesk"]


class StudyControl(RunControl):
    """What stops a study: the user, or the window that closes and cancels its task."""

    def __init__(self) -> None:
        super().__init__()
        self.task: Task | None = None

    def load(self, name: str) -> ModuleType:
        """Import a module, unless the task was cancelled; see `Task.load`."""
        assert self.task is not None
        return self.task.load(name)

    @property
    def stopping(self) -> bool:
        """Whether the study is to end within one evaluation."""
        return super().stopping or (self.task is not None and self.task.cancelled())


@dataclass(eq=False)
class _Study:
    name: str
    control: StudyControl
    task: Task | None = None


class StudyDesk(QObject):
    """Runs studies on the worker that owns torch, one at a time and none beside a run.

    Parameters
    ----------
    compute : Worker
    turn : Turn
        Shared by everything in the window that computes.

    Signals
    -------
    changed()
        A study began or ended, or something else took or gave back the turn.
    """

    changed = Signal()

    def __init__(self, compute: Worker, turn: Turn, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._compute = compute
        self._turn = turn
        self._study: _Study | None = None
        turn.changed.connect(self.changed)

    @property
    def running(self) -> str:
        """Name of the study that is under way; empty if there is none."""
        return "" if self._study is None else self._study.name

    @property
    def free(self) -> bool:
        """Whether a study may begin."""
        return self._turn.holder is None

    def start(
        self,
        name: str,
        work: Callable[[StudyControl, Callable[[Any], None]], Any],
        then: Callable[[Any], object],
        failed: Callable[[BaseException], object],
        progress: Callable[[Any], None],
    ) -> bool:
        """Begin a study; return whether it began.

        Parameters
        ----------
        name : str
        work : callable(control, tell)
            Called on the worker's thread. It ends soon after ``control.stopping`` and returns what there is.
        then, failed, progress : callable
            Called on the window's thread with the result, the exception, and whatever the work tells.
        """
        if not self.free:
            return False
        study = _Study(name, StudyControl())
        self._study = study
        self._turn.set_holder(self)

        def guarded(task: Task) -> Any:
            study.control.task = task
            return work(study.control, task.tell)

        def ended(found: Any) -> None:
            self._end()
            then(found)

        def broke(error: BaseException) -> None:
            self._end()
            failed(error)

        study.task = self._compute.submit(guarded, ended, broke, progress)
        return True

    def stop(self) -> None:
        """End the study under way; what it has found by then is kept."""
        if self._study is not None:
            self._study.control.stop()

    def _end(self) -> None:
        self._study = None
        self._turn.set_holder(None)
