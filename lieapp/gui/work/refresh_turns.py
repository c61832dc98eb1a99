"""Who draws next while runs grow: one view at each tick, each as often as what it costs allows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, QTimer

__all__ = ["Refreshable", "RefreshTurns"]

_LONGEST_SECONDS = 0.5  # however slow the machine is, what is shown is no older


class Refreshable(Protocol):
    """A view of recordings."""

    def isVisible(self) -> bool:
        """Whether it is on the screen."""

    def refresh(self) -> object:
        """Draw what the recordings hold by now."""


@dataclass
class _Turn:
    view: Refreshable
    share: float
    shortest: float
    not_before: float = 0.0


class RefreshTurns(QObject):
    """Takes turns among views, so that drawing never stops the window for longer than one of them takes.

    What a turn costs is measured from its beginning to the end of the painting that follows from it. A slow or busy
    machine therefore draws less often, and answers as quickly as before.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turns: list[_Turn] = []
        self._running: _Turn | None = None
        self._began = 0.0
        self._painted = QTimer(self, singleShot=True, interval=0)
        self._painted.timeout.connect(self._end)

    def add(self, view: Refreshable, share: float = 0.15, shortest: float = 0.0) -> None:
        """Let a view take part; nothing is drawn of one that is not seen.

        Parameters
        ----------
        view : Refreshable
        share : float, optional
            Of the time of this thread that it may take.
        shortest : float, optional
            Least time between two of its turns, in seconds.
        """
        self._turns.append(_Turn(view, share, shortest))

    def tick(self) -> None:
        """Let the view draw that has waited longest for its turn, if any."""
        now = time.perf_counter()
        due = [turn for turn in self._turns if turn.not_before <= now and turn.view.isVisible()]
        if not due or self._running is not None:
            return
        self._running = min(due, key=lambda turn: turn.not_before)
        self._began = now
        self._running.view.refresh()
        # Painting was asked for by now, and comes before a timer.
        self._painted.start()

    def _end(self) -> None:
        turn, self._running = self._running, None
        if turn is not None:
            took = time.perf_counter() - self._began
            turn.not_before = self._began + min(max(took / turn.share, turn.shortest), _LONGEST_SECONDS)
