"""What happens in the Align workbench: runs are started, steered and replayed. No widgets.

The controller owns the session, the replay clock and the run that is under way. Views listen to its signals and call
its methods; they never talk to each other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.align_session import AlignChoices, AlignSession, Entry, pose_rows
from lieapp.gui.errors import ErrorCenter, Level, Message
from lieapp.gui.replay import Replay
from lieapp.gui.run_desk import ActiveRun, RunDesk
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.structure_desk import StructureDesk
from lieapp.gui.worker import Worker

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.spec import AlignJob, Preset

__all__ = ["RACE_EVALUATIONS", "AlignController"]

RACE_EVALUATIONS = 300.0
"""Budget of every entrant of a race put together by hand."""


class AlignController(QObject):
    """Starts, steers and replays runs.

    Signals
    -------
    choices_changed()
        The controller changed the choices itself; the panel must show them.
    runs_changed()
        A run was added, removed, finished or selected.
    progressed()
        Recordings have grown; emitted by the timer, never once a step.
    frame_changed()
        Another pose is shown.
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

    def __init__(self, compute: Worker, files: Worker, errors: ErrorCenter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = AlignSession()
        self.errors = errors
        self.desk = StructureDesk(self.session, files, errors, self)
        self.computing = RunDesk(self.session, compute, self)
        self.replaying = Replay(self.session, self.computing, self)
        self.playback = self.replaying.playback
        self.exporting = False
        self._hand_pose: NDArray[np.float64] | None = None
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
        self.desk.slots_changed.connect(self._slots_changed)
        self.desk.pairs_changed.connect(self._pairs_changed)

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> AlignInputs | None:
        """The pair that is shown: that of the selected run, else that of the session."""
        current = self.session.current
        return current.inputs if current is not None else self.session.inputs

    @property
    def frame(self) -> int:
        """The frame shown of the selected run; 0 without one."""
        return self.playback.frame

    @property
    def frames(self) -> int:
        """Frames of the selected run."""
        current = self.session.current
        return 0 if current is None else current.frames

    def pose(self) -> NDArray[np.float64]:
        """Return the pose shown, shape (4, 4): of the frame, or the start pose while no run is selected."""
        current = self.session.current
        if current is not None and current.frames:
            return current.pose(self.frame)
        return self.start_pose()

    def start_pose(self) -> NDArray[np.float64]:
        """Return the pose that the next run would begin with."""
        if self.session.inputs is None:
            return np.eye(4)
        from lieapp.alignment.inputs import start_matrix

        try:
            return start_matrix(self.session.job(), self.session.inputs)
        except (ValueError, LieAppError):
            return np.eye(4)

    def other_poses(self) -> list[tuple[RunEntry, NDArray[np.float64]]]:
        """Return where the other visible runs on the same pair were at the same cost."""
        current = self.session.current
        if current is None or current.frames == 0:
            return []
        cost = current.value("evaluations", self.frame) or 0.0
        over = current.finished and self.frame >= min(current.recording.best, current.frames - 1)
        over = over and not self.playback.playing
        found = []
        for run in self.session.runs:
            if run is current or not run.visible or run.inputs is not current.inputs or run.frames == 0:
                continue
            spent = run.recording.column("evaluations")
            index = int(np.searchsorted(spent, cost, side="right")) - 1
            # The end of the selected run is the end for all: whoever needed more is shown where it arrived.
            if over and run.finished:
                index = run.recording.best
            found.append((run, run.pose(max(index, 0))))
        return found

    def states(self) -> set[str]:
        """Return which of `lieapp.gui.actions.STATES` hold."""
        session, current = self.session, self.session.current
        held = set()
        if session.slots:
            held.add("structure")
        if session.both:
            held.add("both")
        if session.inputs is not None:
            held |= {"paired", "pose"}
        if self.active is None:
            if session.inputs is not None:
                held |= {"start", "step"}
                if session.entrants:
                    held.add("race")
        else:
            held |= self.computing.states()
        if current is not None:
            held.add("run")
            if current.frames:
                held |= {"frames", "pause", "pose"}
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

    # -- choices --------------------------------------------------------------------------------------------------

    def set_choices(self, choices: AlignChoices) -> None:
        """Take over what the panel holds."""
        before = self.session.choices
        if self.session.set_choices(choices):
            self.desk.pair()
        elif self.session.current is None and (before.start, before.seed, before.start_pose) != (
            choices.start,
            choices.seed,
            choices.start_pose,
        ):
            self.frame_changed.emit()
        self.states_changed.emit()

    def show_start(self) -> None:
        """Leave the replay and show where the next run begins."""
        self._select(None)
        self.frame_changed.emit()

    def set_hand_pose(self, matrix: NDArray[np.float64]) -> None:
        """Start the next run from a pose that was set by hand."""
        rows = pose_rows(matrix)
        self.session.choices = replace(self.session.choices, start="given", start_pose=rows)
        self._select(None)
        self.choices_changed.emit()
        self.frame_changed.emit()

    def apply_settings(self, entry: RunEntry) -> None:
        """Take over the settings of a run."""
        changed = self.session.set_choices(self.session.choices_of(entry))
        self.choices_changed.emit()
        if changed:
            self.desk.pair()
        self.states_changed.emit()

    def use_selection(self, *, fit: str | None = None, report: str | None = None) -> None:
        """Let a selection drive the fit, or be what is reported on, or both."""
        old = self.session.choices
        choices = replace(old, fit=old.fit if fit is None else fit, report=old.report if report is None else report)
        if self.session.set_choices(choices):
            self.choices_changed.emit()
            self.desk.pair()
        self.states_changed.emit()

    # -- runs -----------------------------------------------------------------------------------------------------

    def align(self, *, step: bool = False, **changes: Any) -> None:
        """Start a run with the present choices; with `step` it takes one step and waits."""
        if self.active is not None:
            if step:
                self.playback.follow(self.frames)
                self.computing.step()
            return
        job, inputs = self._job(**changes), self.session.inputs
        if job is None or inputs is None:
            return
        self._start(job, inputs, step=step)

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

    def fit_core(self) -> None:
        """Maximise the TM-score from the pose shown."""
        rows = pose_rows(self.pose())
        choices = self.session.choices
        overrides = dict(choices.overrides) if choices.objective == "tm" else {}
        self._take_pair_of_current()
        self.align(
            objective="tm",
            objective_scale=choices.objective_scale if choices.objective == "tm" else None,
            overrides=overrides,
            start="given",
            start_pose=rows,
        )

    def branch(self) -> None:
        """Start a new run from the pose shown, with the present settings."""
        rows = pose_rows(self.pose())
        self._take_pair_of_current()
        self.align(start="given", start_pose=rows)

    def add_to_race(self) -> None:
        """Let the present choices wait for the race."""
        job = self._job()
        if job is None:
            return
        entry = self.session.add_entrant(job)
        self.errors.post(Message(f"{entry.name} waits for the race, entrant {len(self.session.entrants)}.", "success"))
        self.entrants_changed.emit()
        self.states_changed.emit()

    def clear_race(self) -> None:
        """Forget the entrants."""
        self.session.entrants.clear()
        self.entrants_changed.emit()
        self.states_changed.emit()

    def race(self) -> None:
        """Run the entrants against each other."""
        if self.session.inputs is not None:
            self.computing.start_race(self.session.entrants, self.session.inputs, RACE_EVALUATIONS)

    def run_preset(self, preset: Preset) -> None:
        """Run a prepared race on the present pair."""
        job, inputs = self._job(overrides={}, optimizer="adam"), self.session.inputs
        if job is None or inputs is None:
            return
        entrants = [Entry(name, entrant) for name, entrant in preset.jobs(job)]
        if self.computing.start_race(entrants, inputs, preset.evaluations):
            self.errors.post(Message(f"{preset.title}: {preset.summary}"))

    def select(self, entry: RunEntry | None) -> None:
        """Select a run and show its best pose, or its latest while it goes on."""
        if entry is self.session.current:
            return
        if entry is not None and entry.inputs is not self.inputs:
            entry.visible = True
        self._select(entry)
        if entry is not None:
            if entry.finished:
                self.playback.hold(entry.recording.best)
            else:
                self.playback.follow(entry.frames)
        self.frame_changed.emit()

    def remove(self, entry: RunEntry) -> None:
        """Delete a run; one that goes on is stopped first and stays."""
        if self.active is not None and entry in self.active.entries:
            self.stop()
            return
        was_current = entry is self.session.current
        self.session.remove_run(entry)
        if was_current:
            self._select(self.session.runs[-1] if self.session.runs else None)
            if self.session.current is not None:
                self.playback.hold(self.session.current.recording.best)
            self.frame_changed.emit()
        self.runs_changed.emit()
        self.states_changed.emit()

    def clear_runs(self) -> None:
        """Delete all finished runs that are not pinned."""
        self.session.clear_runs()
        if self.session.current is None:
            self.show_start()
        self.runs_changed.emit()
        self.states_changed.emit()

    # -- replay ---------------------------------------------------------------------------------------------------

    def replay(self) -> None:
        """Play from the start, or from here; or hold."""
        self.replaying.toggle()

    def show_frame(self, frame: int) -> None:
        """Hold the replay at a frame."""
        self.replaying.show_frame(frame)

    def show_best(self) -> None:
        """Hold the replay at the best frame."""
        if self.session.current is not None:
            self.show_frame(self.session.current.recording.best)

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

    def _job(self, **changes: Any) -> AlignJob | None:
        try:
            return self.session.job(**changes)
        except (ValueError, LieAppError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            self.errors.post(Message(f"These settings do not fit together: {lines[-1] if lines else error}", "error"))
            return None

    def _take_pair_of_current(self) -> None:
        """Fit core and Branch continue the run shown: with its pair, if the slots hold it no longer, they do not."""
        if self.session.current is not None and self.session.current.inputs is not self.session.inputs:
            self.errors.post(
                Message(
                    "The pose is of another pair of structures; it is taken as a start for the present one.", "info"
                )
            )

    def _start(self, job: AlignJob, inputs: AlignInputs, *, step: bool) -> None:
        self.computing.start(job, inputs, step=step)

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
        self.errors.report(error, "The run")
        self.runs_changed.emit()
        self.states_changed.emit()

    def _tell_outcome(self, entry: RunEntry) -> None:
        outcome = entry.recording.outcome
        if outcome is None or outcome.kind not in ("diverged", "failed"):
            return

        def show() -> None:
            self.select(entry)
            self.show_best()

        action = ("Show the best pose", show) if entry.frames else None
        level: Level = "error" if outcome.kind == "failed" else "warning"
        self.errors.post(Message(f"{entry.title}: {outcome.message}", level, outcome.details, action))

    def _ticked(self) -> None:
        held = self.states() | ({"playing"} if self.playback.playing else set())
        if held != self._held:
            self._held = held
            self.states_changed.emit()

    def _select(self, entry: RunEntry | None) -> None:
        self.session.current = entry
        if entry is None:
            self.playback.hold(0)
        self.runs_changed.emit()
        self.states_changed.emit()

    def _slots_changed(self) -> None:
        self.entrants_changed.emit()
        self.states_changed.emit()

    def _pairs_changed(self) -> None:
        if self.session.inputs is not None:
            self.session.hide_foreign_runs()
        if self.active is None:
            self._select(None)
        self.choices_changed.emit()
        self.frame_changed.emit()
