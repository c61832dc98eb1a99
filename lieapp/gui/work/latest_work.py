"""Work whose newest request is the only one that matters: made on a worker, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from PySide6.QtCore import QObject, Signal

from lieapp.gui.work.worker import Task, Worker

__all__ = ["LatestWork"]


class LatestWork(QObject):
    """Does what was asked for last, on a thread of its own.

    Parameters
    ----------
    name : str
        Of the thread.

    Attributes
    ----------
    key : hashable or None
        Of the answer that came last.

    Signals
    -------
    done(object)
        The answer. While work is under way further requests may come; only the newest of them is done next.
    failed(Exception)
    """

    done = Signal(object)
    failed = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.key: Hashable = None
        self._name = name
        self._worker: Worker | None = None
        self._task: Task | None = None
        self._doing: Hashable = None
        self._wanted: tuple[Hashable, Callable[[Task], Any]] | None = None

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._task is not None

    def ask(self, key: Hashable, work: Callable[[Task], Any]) -> None:
        """Have something done, unless it is what was done last or is being done.

        Where it was done last, what is under way is forgotten: its answer would come too late.

        Parameters
        ----------
        key : hashable
            Equal for requests with one answer.
        work : callable(Task) -> object
            Called on the worker.
        """
        if self._task is not None and key == self._doing:
            self._wanted = None
        elif key == self.key:
            self.drop()
        else:
            self._wanted = (key, work)
            self._next()

    def answer(self, key: Hashable, value: Any) -> None:
        """Give an answer that takes no work, unless it is what came last; what is under way is forgotten.

        Parameters
        ----------
        key : hashable
            Equal for requests with one answer.
        value : object
        """
        self.drop()
        if key != self.key:
            self.key = key
            self.done.emit(value)

    def drop(self) -> None:
        """Forget what is under way and what was to be done next; the answer that came last stays."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._doing, self._wanted = None, None, None

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _next(self) -> None:
        if self._task is not None or self._wanted is None:
            return
        (self._doing, work), self._wanted = self._wanted, None
        if self._worker is None:
            self._worker = Worker(self._name, self)
        self._task = self._worker.submit(work, self._take, self._fail)

    def _take(self, answer: Any) -> None:
        self._task, self.key, self._doing = None, self._doing, None
        self.done.emit(answer)
        self._next()

    def _fail(self, error: BaseException) -> None:
        self._task, self.key, self._doing = None, self._doing, None  # the same would only fail again
        self.failed.emit(error)
        self._next()
