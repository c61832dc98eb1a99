"""Work whose answers are kept: only what was asked for last is being done, and nothing is done twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from PySide6.QtCore import QObject, Signal

from lieapp.gui.work.worker import Task, Worker

__all__ = ["KeptWork"]


class KeptWork(QObject):
    """Does on a worker what was asked for last, and keeps the latest answers.

    Parameters
    ----------
    worker : Worker
        Of somebody else, who closes it. Not the one that drives runs, or work would wait for a run to end.
    kept : int
        Most answers.

    Signals
    -------
    done(object, object)
        Key of the request, and the answer.
    progressed(float)
        Finished fraction of what is under way.
    failed(Exception)
    """

    done = Signal(object, object)
    progressed = Signal(float)
    failed = Signal(object)

    def __init__(self, worker: Worker, kept: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._kept = kept
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._task: Task | None = None
        self._doing: Hashable = None

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._task is not None

    @property
    def answers(self) -> list[Any]:
        """What is kept, the latest used last."""
        return list(self._answers.values())

    def ask(self, key: Hashable, prepare: Callable[[], Callable[[Task], Any]]) -> Any | None:
        """Return the answer if it is kept; else have it made, instead of anything else, and tell it by `done`.

        Parameters
        ----------
        key : hashable
            Equal for requests with one answer; not None.
        prepare : callable() -> callable(Task) -> object
            Called now, if the answer has to be made; what it returns is called on the worker.
        """
        found = self._answers.get(key)
        if found is not None:
            self.stop()
            self._answers.move_to_end(key)
        elif key != self._doing:
            self.stop()
            self._doing = key
            self._task = self._worker.submit(
                prepare(), lambda answer: self._take(key, answer), self._fail, self.progressed.emit
            )
        return found

    def stop(self) -> None:
        """Forget what is under way."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._doing = None, None

    def forget(self) -> None:
        """Forget all answers."""
        self.stop()
        self._answers.clear()

    def _take(self, key: Hashable, answer: Any) -> None:
        self._task, self._doing = None, None
        self._answers[key] = answer
        while len(self._answers) > self._kept:
            self._answers.popitem(last=False)
        self.done.emit(key, answer)

    def _fail(self, error: BaseException) -> None:
        self._task, self._doing = None, None
        self.failed.emit(error)
