"""Exports that take their time, one after another: the strip shows how far each is, and ends it on request."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.widgets.progress_strip import ProgressStrip
from lieapp.gui.work.worker import Task, Worker

__all__ = ["LongExport", "movie_suffixes"]


def movie_suffixes() -> tuple[str, ...]:
    """Return the formats that can be written here, the best one first; the empty one is a folder of PNG files."""
    return (".mp4", ".gif", "") if find_spec("imageio_ffmpeg") is not None else (".gif", "")


class LongExport:
    """Has long exports made, whichever workbench they come from.

    Parameters
    ----------
    worker : Worker
        Writes; nothing else waits for it.
    messages : MessageCenter

    Attributes
    ----------
    strip : ProgressStrip
    """

    def __init__(self, worker: Worker, messages: MessageCenter) -> None:
        self._worker, self._messages = worker, messages
        self._task: Task | None = None
        self._ended: Callable[[], object] = lambda: None
        self.strip = ProgressStrip()
        self.strip.cancelled.connect(self.cancel)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._task is not None

    def begin(
        self,
        text: str,
        work: Callable[[Task], Any],
        done: Callable[[Any], object],
        failed: Callable[[BaseException], object],
        ended: Callable[[], object],
        *,
        known: bool = True,
    ) -> bool:
        """Begin a piece of work, unless another one is under way, which is said.

        Parameters
        ----------
        text : str
            What is being done.
        work : callable
            Called with the task on the worker's thread; it may tell the fraction done.
        done, failed : callable
            Called with the result, or with the exception.
        ended : callable
            Called before either, and when the user ended the work.
        known : bool, optional
            Whether the work tells how far it is.

        Returns
        -------
        bool
            Whether it has begun.
        """
        if self.busy:
            self._messages.post(Message("Something else is being written; try again when it is done.", "warning"))
            return False
        self._ended = ended
        self.strip.begin(text, known=known)
        self._task = self._worker.submit(
            work, lambda result: self._end(done, result), lambda error: self._end(failed, error),
            self.strip.show_fraction,
        )  # fmt: skip
        return True

    def cancel(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
            # A cancelled task reports nothing.
            self._end(self._messages.post, Message("Cancelled; nothing was written.", "info"))

    def _end(self, then: Callable[[Any], object], value: Any) -> None:
        self._task = None
        self.strip.end()
        self._ended()
        then(value)
