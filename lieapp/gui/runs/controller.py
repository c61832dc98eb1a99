"""What happens to the runs of a workbench, whatever its problem: started, steered, selected and replayed. No widgets.

A controller owns the session, the replay clock and the run that is under way. Views listen to its signals and call its
methods; they never talk to each other.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.application.messages import Level, Message, MessageCenter
from lieapp.gui.runs.desk import ActiveRun, RunDesk, Turn
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.replay import Replay
from lieapp.gui.runs.session import Entry, RunSession
from lieapp.gui.widgets.abstract import AbstractQt
from lieapp.gui.work.worker import Worker

__all__ = ["RunController"]


class RunController(QObject, metaclass=AbstractQt):
    """Starts, steers and replays the runs of a session.

    Parameters
    ----------
    session : RunSession
    compute : Worker
        Drives the runs.
    messages : MessageCenter
    turn : Turn
        Shared by the workbenches of a window: one job computes at a time.

    Attributes
    ----------
    exporting : bool
        Whether something of a run is being written.

    Signals
    -------
    choices_changed()
        The controller changed the choices itself; the panel must show them.
    runs_changed()
        A run was added, removed, finished or selected.
    progressed()
        Recordings have grown; emitted by the timer, never once a step.
    frame_changed()
        Another frame is shown.
    states_changed()
        What can be done now is something else.
    entrants_changed()
    """

    choices_changed = Signal()
    runs_changed = Signal()
    progressed = Signal()
    frame_changed = Signal()
    states_changed = Signal()
    entrants_changed = Signal()

    best_words = "the best frame"
    """How people call the frame that is kept, such as "the best pose"; of a climb, it is that of least gradient."""

    def __init__(
        self, session: RunSession, compute: Worker, messages: MessageCenter, turn: Turn, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.messages = messages
        self.computing = RunDesk(session, compute, turn, self)
        self.replaying = Replay(session, self.computing, self)
        self.playback = self.replaying.playback
        self.exporting = False
        self._held: set[str] = set()
        self.replaying.frame_changed.connect(self.frame_changed)
        self.replaying.frame_changed.connect(self._ticked)
        self.replaying.progressed.connect(self.progressed)
        self.replaying.ticked.connect(self._ticked)
        self.replaying.run_wanted.connect(self._select)
        self.computing.changed.connect(self.states_changed)
        self.computing.adopted.connect(self._adopt)
        self.computing.finished.connect(self._finish)
        self.computing.failed.connect(self._failed)

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def runs(self) -> Sequence[RunEntry]:
        """All runs that are listed, oldest first."""
        return self._session.runs

    @property
    def current(self) -> RunEntry | None:
        """The run that is replayed."""
        return self._session.current

    @property
    def entrants(self) -> Sequence[Entry]:
        """What waits for the race."""
        return self._session.entrants

    @property
    def choices(self) -> Any:
        """What the panel holds."""
        return self._session.choices

    @property
    def frame(self) -> int:
        """The frame shown of the selected run; 0 without one."""
        return self.playback.frame

    @property
    def frames(self) -> int:
        """Frames of the selected run."""
        return 0 if self.current is None else self.current.frames

    @property
    def ready(self) -> bool:
        """Whether there is something that a run could work on."""
        return True

    def states(self) -> set[str]:
        """Return which of `lieapp.gui.application.actions.STATES` hold."""
        held = {"ready"} if self.ready else set()
        if self.active is not None:
            held |= self.computing.states()
        elif self.computing.free and self.ready:
            held |= {"start", "step"}
            if self.entrants:
                held.add("race")
        current = self.current
        if current is not None:
            held.add("run")
            if current.frames:
                held |= {"frames", "pause"}
            if current.report is not None and not self.exporting:
                held.add("export")
        return held

    @property
    def active(self) -> ActiveRun | None:
        """The run, or race, that is under way."""
        return self.computing.active

    @property
    def running(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self.active is not None

    @property
    def paused(self) -> bool:
        """Whether a run is under way and held."""
        return self.computing.paused

    # -- what a workbench knows about its problem -----------------------------------------------------------------

    @abstractmethod
    def set_choices(self, choices: Any) -> None:
        """Take over what the panel holds."""

    @abstractmethod
    def run(self, *, step: bool = False, **changes: Any) -> None:
        """Start a run with the present choices, some of them changed; with `step` it takes one step and waits."""

    def branch(self) -> None:
        """Start a new run from the frame shown, with the present settings; where the state ``branch`` is never held,
        not at all.
        """

    @abstractmethod
    def race(self) -> None:
        """Run the entrants against each other."""

    @abstractmethod
    def apply_settings(self, entry: RunEntry) -> None:
        """Take over the settings of a run."""

    @abstractmethod
    def command_of(self, entry: RunEntry) -> str:
        """Return the command line that repeats a run."""

    @abstractmethod
    def python_of(self, entry: RunEntry) -> str:
        """Return the Python code that repeats a run."""

    # -- runs -----------------------------------------------------------------------------------------------------

    def step_or_ignore(self, *, step: bool) -> bool:
        """Let a run that is under way take one step, if asked to; return whether there is one."""
        if self.active is None:
            return False
        if step:
            self.playback.follow(self.frames)
            self.computing.step()
        return True

    def toggle_pause(self) -> None:
        """Hold the run, or let it go on; without one hold the replay, or let it go on."""
        if self.active is not None:
            control = self.active.control
            if not control.pause() and control.resume():
                # Going on while scrubbed back continues from the latest frame.
                self.playback.follow(self.frames)
            self.states_changed.emit()
        else:
            self.replay()

    def stop(self) -> None:
        """End the run; what it recorded is kept."""
        self.computing.stop()

    def add_to_race(self) -> None:
        """Let the present choices wait for the race."""
        job = self._job()
        if job is None:
            return
        entry = self._session.add_entrant(job)
        self.messages.post(Message(f"{entry.name} waits for the race, entrant {len(self.entrants)}.", "success"))
        self.entrants_changed.emit()
        self.states_changed.emit()

    def clear_race(self) -> None:
        """Forget the entrants."""
        self._session.entrants.clear()
        self.entrants_changed.emit()
        self.states_changed.emit()

    def select(self, entry: RunEntry | None) -> None:
        """Select a run and show its best frame, or its latest while it goes on."""
        if entry is self.current:
            return
        self._select(entry)
        if entry is not None:
            if entry.finished:
                self.playback.hold(entry.best)
            else:
                self.playback.follow(entry.frames)
        self.frame_changed.emit()

    def remove(self, entry: RunEntry) -> None:
        """Delete a run; one that goes on is stopped first and stays."""
        if self.active is not None and entry in self.active.entries:
            self.stop()
            return
        was_current = entry is self.current
        self._session.remove_run(entry)
        if was_current:
            self._select(self.runs[-1] if self.runs else None)
            if self.current is not None:
                self.playback.hold(self.current.best)
            self.frame_changed.emit()
        self.runs_changed.emit()
        self.states_changed.emit()

    def clear_runs(self) -> None:
        """Delete all finished runs that are not pinned."""
        self._session.clear_runs()
        if self.current is None:
            self.show_start()
        self.runs_changed.emit()
        self.states_changed.emit()

    # -- replay ---------------------------------------------------------------------------------------------------

    def show_start(self) -> None:
        """Leave the replay and show where the next run begins."""
        self._select(None)
        self.frame_changed.emit()

    def replay(self) -> None:
        """Play from the start, or from here; or hold."""
        self.replaying.toggle()

    def show_frame(self, frame: int) -> None:
        """Hold the replay at a frame."""
        self.replaying.show_frame(frame)

    def show_best(self) -> None:
        """Hold the replay at the best frame."""
        if self.current is not None:
            self.show_frame(self.current.best)

    def show_latest(self) -> None:
        """Follow the latest frame, and do not wait for the replay."""
        self.replaying.show_latest()

    def skip(self) -> None:
        """End the replay at once at its last frame."""
        self.replaying.skip()

    def set_speed(self, speed: float) -> None:
        """Set the speed of the replay."""
        self.playback.speed = speed

    def close(self) -> None:
        """Stop everything; the workers are closed by their owner."""
        self.replaying.close()
        self.computing.stop()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _job(self, **changes: Any) -> Any | None:
        """Return the job of the choices, or say why there is none."""
        try:
            return self._session.job(**changes)
        except (ValueError, LieAppError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            self.messages.post(Message(f"These settings do not fit together: {lines[-1] if lines else error}", "error"))
            return None

    def _adopt(self, active: ActiveRun) -> None:
        self._select(active.entries[0])
        self.replaying.begin(stepping=active.stepping)

    def _finish(self, active: ActiveRun) -> None:
        if active.race:
            self.replaying.end_with_winner(active.entries)
        self.progressed.emit()
        self.runs_changed.emit()
        self.states_changed.emit()
        self.replaying.wake()
        if not active.race and active.entries:
            self._tell_outcome(active.entries[0])

    def _failed(self, active: ActiveRun, error: BaseException) -> None:
        self.messages.report(error, "The run")
        self.runs_changed.emit()
        self.states_changed.emit()

    def _tell_outcome(self, entry: RunEntry) -> None:
        outcome = entry.recording.outcome
        if outcome is None or outcome.kind not in ("diverged", "failed"):
            return

        def show() -> None:
            self.select(entry)
            self.show_best()

        best = "the frame of least gradient" if entry.climbs else self.best_words
        action = (f"Show {best}", show) if entry.frames else None
        level: Level = "error" if outcome.kind == "failed" else "warning"
        self.messages.post(Message(f"{entry.title}: {outcome.message}", level, outcome.details, action))

    def _ticked(self) -> None:
        held = self.states() | ({"playing"} if self.playback.playing else set())
        if held != self._held:
            self._held = held
            self.states_changed.emit()

    def _select(self, entry: RunEntry | None) -> None:
        self._session.current = entry
        if entry is None:
            self.playback.hold(0)
        self.runs_changed.emit()
        self.states_changed.emit()
