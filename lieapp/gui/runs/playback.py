"""The clock of the replay: which recorded frame is shown when. No Qt, no time source of its own.

Computing and showing are separate: a run may take 50 ms, and its replay still lasts `REPLAY_SECONDS` at speed 1. Every
frame shown was recorded.
"""

from __future__ import annotations

import math

__all__ = ["REPLAY_SECONDS", "SPEEDS", "Playback"]

REPLAY_SECONDS = 2.5
"""How long a replay lasts at speed 1, at least: one that follows a slow run lasts as long as the run."""

SPEEDS: dict[str, float] = {"¼×": 0.25, "1×": 1.0, "4×": 4.0, "instant": math.inf}
"""Speeds by what the choice says."""


class Playback:
    """Position of the replay of one recording.

    Attributes
    ----------
    playing : bool
        Whether the position moves by itself.
    speed : float
        Factor on the speed; ``inf`` shows the latest frame at once.
    """

    def __init__(self) -> None:
        self.playing = False
        self.speed = 1.0
        self._position = 0.0
        self._following = False

    @property
    def frame(self) -> int:
        """The frame shown."""
        return int(self._position)

    def start(self) -> None:
        """Play from the first frame."""
        self._position = 0.0
        self._following = False
        self.playing = True

    def follow(self, frames: int) -> None:
        """Jump to the latest frame and stay with it while the recording grows."""
        self._position = float(max(frames - 1, 0))
        self._following = True
        self.playing = True

    def hold(self, frame: int | None = None) -> None:
        """Stop, at the present frame or at another one."""
        self.playing = self._following = False
        self._position = float(self.frame if frame is None else max(frame, 0))

    def jump(self, frame: int) -> None:
        """Go to a frame without changing whether it plays."""
        self._position = float(max(frame, 0))

    def advance(self, seconds: float, frames: int, *, growing: bool) -> int:
        """Let time pass.

        Parameters
        ----------
        seconds : float
            Time since the last call.
        frames : int
            Frames recorded by now.
        growing : bool
            Whether more may come.

        Returns
        -------
        int
            The frame to show, -1 if there is none yet.
        """
        last = frames - 1
        if last < 0:
            return -1
        if self.playing:
            if self._following or math.isinf(self.speed):
                self._position = float(last)
            else:
                self._position += seconds * self.speed * last / REPLAY_SECONDS
            if self._position >= last:
                self._position = float(last)
                self.playing = growing
        self._position = min(self._position, float(last))
        return self.frame
