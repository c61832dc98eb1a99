"""The replay of what was recorded: the timer that looks at recordings, and the frame that all views show."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from lieapp.gui.runs.desk import RunDesk
from lieapp.gui.runs.entry import RunEntry, winner_of
from lieapp.gui.runs.playback import Playback
from lieapp.gui.runs.session import RunSession

__all__ = ["Replay"]

_TICK_MILLISECONDS = 33


class Replay(QObject):
    """Moves the frame shown, by itself or on request.

    Parameters
    ----------
    session : RunSession
    computing : RunDesk

    Attributes
    ----------
    playback : Playback
        The clock.

    Signals
    -------
    frame_changed()
        Another frame is shown.
    progressed()
        Recordings have grown; emitted by the timer, never once a step.
    ticked()
        The timer looked; it stops by itself when nothing moves any more.
    run_wanted(RunEntry)
        The replay goes on in another run of a race.
    """

    frame_changed = Signal()
    progressed = Signal()
    ticked = Signal()
    run_wanted = Signal(object)

    def __init__(self, session: RunSession, computing: RunDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.playback = Playback()
        self._session = session
        self._computing = computing
        self._finale: list[RunEntry] = []
        self._last_tick = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._timer.timeout.connect(self.tick)

    @property
    def frame(self) -> int:
        """The frame shown of the selected run; 0 without one."""
        return self.playback.frame

    @property
    def frames(self) -> int:
        """Frames of the selected run."""
        current = self._session.current
        return 0 if current is None else current.frames

    # -- on request -----------------------------------------------------------------------------------------------

    def begin(self, *, stepping: bool) -> None:
        """Play a run that has just begun, or stay with its latest step."""
        self._finale = []
        if stepping:
            self.playback.follow(0)
        else:
            self.playback.start()
        self.wake()
        self.frame_changed.emit()

    def toggle(self) -> None:
        """Play from the start, or from here; or hold."""
        if self.playback.playing:
            self.playback.hold()
        elif self.frame >= self.frames - 1 and self._computing.active is None:
            self.playback.start()
        else:
            self.playback.playing = True
        self.wake()
        self.frame_changed.emit()

    def show_frame(self, frame: int) -> None:
        """Hold at a frame."""
        self.playback.hold(min(max(frame, 0), max(self.frames - 1, 0)))
        self._finale = []
        self.frame_changed.emit()

    def show_latest(self) -> None:
        """Follow the latest frame, and do not wait for the replay."""
        self.playback.follow(self.frames)
        if self._computing.active is None:
            self.playback.hold(self.frames - 1)
        self.wake()
        self.frame_changed.emit()

    def skip(self) -> None:
        """End the replay at once at its last frame."""
        if self.playback.playing:
            self.show_latest()
            self._end()

    def end_with_winner(self, entries: Sequence[RunEntry]) -> None:
        """Let the replay of a race run along all of it, and end at the best frame of whoever won."""
        self._finale = list(entries)
        if self.playback.playing:
            self._follow_longest(entries)

    # -- time -----------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Let the timer look again."""
        if not self._timer.isActive():
            self._last_tick = time.perf_counter()
            self._timer.start()

    def tick(self) -> None:
        """Look at the recordings and let the replay go on; called by the timer."""
        now = time.perf_counter()
        seconds, self._last_tick = min(now - self._last_tick, 0.25), now
        active, current = self._computing.active, self._session.current
        if active is not None and active.race and active.entries and self.playback.playing:
            current = self._follow_longest(active.entries)
        moved = ended = False
        if current is not None and current.frames:
            before, was_playing = self.frame, self.playback.playing
            racing = active is not None and active.race  # the replay of one entrant does not end before the race
            self.playback.advance(seconds, current.frames, growing=racing or not current.finished)
            moved, ended = self.frame != before, was_playing and not self.playback.playing
        if active is not None:
            self.progressed.emit()
        if moved:
            self.frame_changed.emit()
        if ended:
            self._end()
        self.ticked.emit()
        if self._computing.active is None and not self.playback.playing:
            self._timer.stop()

    def close(self) -> None:
        """Stop the timer."""
        self._timer.stop()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _follow_longest(self, entries: Sequence[RunEntry]) -> RunEntry:
        """Let the cursor run along the entrant that spent most, so that the replay shows all of the race."""
        current = self._session.current
        if current is not None and current in entries and not current.finished:
            # While they race all have spent the same but for a step; to change over with every step shows nothing.
            return current
        longest = max(entries, key=lambda entry: entry.evaluations())
        if longest is not current:
            cost = 0.0 if current is None else current.value("evaluations", self.frame) or 0.0
            self.run_wanted.emit(longest)
            if longest.frames:
                self.playback.jump(longest.frame_at_cost(cost))
        return longest

    def _end(self) -> None:
        """Show the best frame when the replay is over, of a race the winner's: it is what exports take."""
        finale, self._finale = self._finale, []
        current = self._session.current
        if current is not None and current.finished:
            self.playback.hold(current.best)
        winner = winner_of(finale)
        if winner is not None:
            self.run_wanted.emit(winner)
            self.playback.hold(winner.best)
        self.frame_changed.emit()
