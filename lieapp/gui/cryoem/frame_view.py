"""Views of the frames at the cursor: drawn while they are seen, from what is read on a thread of their own.

Frames of large maps may lie on the disk, where one takes as long to read as several pictures to paint.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QShowEvent

from lieapp.gui.widgets.abstract import AbstractQt
from lieapp.gui.work.latest_work import LatestWork
from lieapp.gui.work.worker import Task

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget as _Widget

    from lieapp.gui.cryoem.controller import CryoemController
    from lieapp.gui.runs.entry import RunEntry
else:
    _Widget = object  # the widget that it is comes after it among the bases

__all__ = ["FrameView", "FramesWanted", "SeenView", "places_of"]


class SeenView(_Widget, metaclass=AbstractQt):
    """A widget that draws while it is seen, and as soon as it is. It stands before that widget among the bases."""

    def refresh(self) -> None:
        """Show the frames at the cursor, if they are not shown already."""
        if self.isVisible():
            self.show_frames()

    @abstractmethod
    def show_frames(self) -> None:
        """Show the frames at the cursor; called while the view is seen."""

    def shut_down(self) -> None:
        """End the threads; call it before the window goes."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()


@dataclass(frozen=True, eq=False)
class FramesWanted:
    """What a view has to read before it can draw.

    Attributes
    ----------
    subject : hashable
        What is shown, such as images and runs. What was read of another subject is not drawn any more.
    frames : hashable
        Which frames of it. While they pass, those in between are drawn if there is time for them, and passed over
        if not.
    read : callable(Task) -> object, or None
        Called on the thread of the view. None where nothing has to be read: then None is drawn at once.
    """

    subject: Hashable
    frames: Hashable = None
    read: Callable[[Task], Any] | None = None


def places_of(pairs: Sequence[tuple[RunEntry, int]]) -> tuple[Hashable, Hashable]:
    """Return which runs are shown and which frames of them, for a `FramesWanted`.

    Parameters
    ----------
    pairs : sequence of (RunEntry, int)
        Runs with frames; a frame that was thinned has the arrays of one before it, and its own columns.
    """
    return tuple(run.id for run, _ in pairs), tuple((run.recording.kept(frame), frame) for run, frame in pairs)


class FrameView(SeenView):
    """A view that draws what it reads of recordings."""

    def read_on(self, name: str, controller: CryoemController) -> None:
        """Prepare the thread that reads; it begins with the first request.

        Parameters
        ----------
        name : str
            Of the thread.
        controller : CryoemController
            Takes what goes wrong.
        """
        self.work = LatestWork(name, self)
        self._subject: Hashable = None
        self.work.done.connect(self.draw)
        self.work.failed.connect(lambda error: controller.messages.report(error, "Reading what the runs recorded"))

    @abstractmethod
    def wanted(self) -> FramesWanted:
        """Return what is to be read."""

    @abstractmethod
    def draw(self, answer: Any) -> None:
        """Draw what was read."""

    def show_frames(self) -> None:
        wanted = self.wanted()
        if wanted.subject != self._subject:
            self._subject = wanted.subject
            self.work.drop()
        key = (wanted.subject, wanted.frames)
        if wanted.read is None:
            self.work.answer(key, None)
        else:
            self.work.ask(key, wanted.read)

    def shut_down(self) -> None:
        self.work.close()
