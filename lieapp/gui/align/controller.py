"""What happens in the Align workbench: structures are paired, runs begin from poses. No widgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from lieapp.errors import LieAppError
from lieapp.gui.align.session import AlignChoices, AlignSession, pose_of, pose_rows
from lieapp.gui.align.structure_desk import StructureDesk
from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.runs.controller import RunController
from lieapp.gui.runs.desk import Turn
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.session import Entry
from lieapp.gui.work.worker import Worker

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.spec import Preset

__all__ = ["RACE_EVALUATIONS", "AlignController"]

RACE_EVALUATIONS = 300.0
"""Budget of every entrant of a race put together by hand."""


class AlignController(RunController):
    """Starts, steers and replays alignments; frames are poses.

    Parameters
    ----------
    compute, files : Worker
        The first drives runs, the second reads and pairs.
    messages : MessageCenter
    turn : Turn, optional
    """

    best_words = "the best pose"

    def __init__(
        self,
        compute: Worker,
        files: Worker,
        messages: MessageCenter,
        turn: Turn | None = None,
        parent: QObject | None = None,
    ) -> None:
        session = AlignSession()
        super().__init__(session, compute, messages, turn or Turn(), parent)
        self.session = session
        self.desk = StructureDesk(self.session, files, messages, self)
        self.desk.slots_changed.connect(self._slots_changed)
        self.desk.pairs_changed.connect(self._pairs_changed)

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> AlignInputs | None:
        """The pair that is shown: that of the selected run, else that of the session."""
        current = self.session.current
        return current.inputs if current is not None else self.session.inputs

    def pose(self) -> NDArray[np.float64]:
        """Return the pose shown, shape (4, 4): of the frame, or the start pose while no run is selected."""
        current = self.session.current
        if current is not None and current.frames:
            return pose_of(current, self.frame)
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
            index = run.frame_at_cost(cost)
            # The end of the selected run is the end for all: whoever needed more is shown where it arrived.
            if over and run.finished:
                index = run.recording.best
            found.append((run, pose_of(run, index)))
        return found

    @property
    def ready(self) -> bool:
        """Whether there are pairs."""
        return self.session.inputs is not None

    def states(self) -> set[str]:
        """Return which of `lieapp.gui.application.actions.STATES` hold."""
        held = super().states()
        session = self.session
        if session.slots:
            held.add("structure")
        if session.both:
            held.add("both")
        if session.inputs is not None:
            held |= {"paired", "pose"}
        if self.frames:
            held |= {"pose", "branch"}
        return held

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

    def run(self, *, step: bool = False, **changes: Any) -> None:
        """Start a run with the present choices; with `step` it takes one step and waits."""
        if self.step_or_ignore(step=step):
            return
        job, inputs = self._job(**changes), self.session.inputs
        if job is None or inputs is None:
            return
        self.computing.start(job, inputs, step=step)

    def fit_core(self) -> None:
        """Maximise the TM-score from the pose shown."""
        rows = pose_rows(self.pose())
        choices = self.session.choices
        overrides = dict(choices.overrides) if choices.objective == "tm" else {}
        self._tell_of_other_pair()
        self.run(
            objective="tm",
            objective_scale=choices.objective_scale if choices.objective == "tm" else None,
            overrides=overrides,
            start="given",
            start_pose=rows,
        )

    def branch(self) -> None:
        """Start a new run from the pose shown, with the present settings."""
        rows = pose_rows(self.pose())
        self._tell_of_other_pair()
        self.run(start="given", start_pose=rows)

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
            self.messages.post(Message(f"{preset.title}: {preset.summary}"))

    def select(self, entry: RunEntry | None) -> None:
        """Select a run and show its best pose, or its latest while it goes on."""
        if entry is not None and entry is not self.session.current and entry.inputs is not self.inputs:
            entry.visible = True
        super().select(entry)

    def command_of(self, entry: RunEntry) -> str:
        """Return the command line that repeats a run."""
        from lieapp.alignment.spec import to_command

        return to_command(entry.job)

    def python_of(self, entry: RunEntry) -> str:
        """Return the Python code that repeats a run."""
        from lieapp.alignment.spec import to_python

        return to_python(entry.job)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _tell_of_other_pair(self) -> None:
        """Say that the pose shown is of another pair than the one that the next run will work on."""
        if self.session.current is not None and self.session.current.inputs is not self.session.inputs:
            self.messages.post(
                Message(
                    "The pose is of another pair of structures; it is taken as a start for the present one.", "info"
                )
            )

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
