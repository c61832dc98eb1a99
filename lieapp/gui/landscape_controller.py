"""What happens in the Landscape workbench: a landscape and a start are chosen, optimisers run and race. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.errors import ErrorCenter
from lieapp.gui.landscape_session import LandscapeChoices, LandscapeSession, Scene, scene_of
from lieapp.gui.run_controller import RunController
from lieapp.gui.run_desk import ActiveRun, Turn
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.worker import Worker

if TYPE_CHECKING:
    from lieapp.engine.presets import Preset
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["LandscapeController"]


class LandscapeController(RunController):
    """Starts, steers and replays runs on landscapes; frames are points.

    Parameters
    ----------
    compute : Worker
    errors : ErrorCenter
    turn : Turn

    Signals
    -------
    scene_changed()
        Another landscape is shown.
    start_changed()
        The next run begins elsewhere.
    caption_changed()
        There is something else to say about the race, see `caption`; its figures come from the recordings.
    """

    scene_changed = Signal()
    start_changed = Signal()
    caption_changed = Signal()

    best_words = "the lowest point"

    def __init__(self, compute: Worker, errors: ErrorCenter, turn: Turn, parent: QObject | None = None) -> None:
        session = LandscapeSession()
        super().__init__(session, compute, errors, turn, parent)
        self.session = session
        self.caption = ""
        self._scene: Scene | None = None
        self.runs_changed.connect(self._show_scene)

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """The landscape shown: that of the selected run, else of the choices."""
        return self.session.choices.scene if self.current is None else scene_of(self.current.job)

    def shown_job(self) -> LandscapeJob | None:
        """Return the job whose landscape is shown: of the selected run, else of the choices."""
        return self.quiet_job() if self.current is None else self.current.job

    def runs_of_scene(self) -> list[RunEntry]:
        """Return the runs on the landscape shown."""
        return [run for run in self.runs if scene_of(run.job) == self.scene]

    def start(self) -> tuple[float, ...] | None:
        """Return where the next run begins; None where starts are random."""
        job = self.quiet_job()
        if job is None or not job.description.is_planar:
            return None
        return job.start if job.start is not None else tuple(job.surface.start)

    def quiet_job(self) -> LandscapeJob | None:
        """Return the job of the choices, or None where there is none; nobody is told why."""
        try:
            return self.session.job()
        except (ValueError, LieAppError):
            return None

    def point(self) -> NDArray[np.float64] | None:
        """Return the point of the frame shown, shape (dimension,); None without one, or where it is not recorded."""
        if self.current is None or not self.current.frames:
            return None
        state = self.current.recording.state(self.frame)
        return np.asarray(state["point"], dtype=np.float64) if "point" in state else None

    def states(self) -> set[str]:
        held = super().states() | {"structure", "pose"}
        if self.current is not None and self.frames and self.current.job.description.is_planar:
            held.add("branch")
        return held

    # -- choices --------------------------------------------------------------------------------------------------

    def set_choices(self, choices: LandscapeChoices) -> None:
        """Take over what the panel holds."""
        before, self.session.choices = self.session.choices, choices
        moved = (before.start, before.landscape) != (choices.start, choices.landscape)
        if before.scene != choices.scene:
            self.session.hide_foreign_runs()
            self._tell("")
            self._select(None)
            self.entrants_changed.emit()
        if moved:
            self.start_changed.emit()
        self.states_changed.emit()

    def set_start(self, point: Sequence[float]) -> None:
        """Let the next run begin at a point."""
        self.session.choices = replace(self.session.choices, start=tuple(float(number) for number in point))
        self.choices_changed.emit()
        self.start_changed.emit()

    def apply_settings(self, entry: RunEntry) -> None:
        """Take over the settings of a run, with its landscape and its start."""
        self._take(self.session.choices_of(entry.job))

    def remove_entrant(self, name: str) -> None:
        """Take one entrant out of the race."""
        self.session.entrants = [entrant for entrant in self.session.entrants if entrant.name != name]
        self.entrants_changed.emit()
        self.states_changed.emit()

    def take_preset(self, preset: Preset) -> None:
        """Make a prepared race ready."""
        self.session.take_preset(preset)
        self._take(self.session.choices)
        self.entrants_changed.emit()

    # -- runs -----------------------------------------------------------------------------------------------------

    def run(self, *, step: bool = False, **changes: Any) -> None:
        """Start a run with the present choices; with `step` it takes one step and waits."""
        if self.step_or_ignore(step=step):
            return
        job = self._job(**changes)
        if job is not None:
            self.computing.start(job, None, step=step)

    def branch(self) -> None:
        """Start a new run from the point shown, with the present settings."""
        point = self.point()
        if point is None or self.current is None:
            return
        choices = self.session.choices_of(self.current.job)
        self.run(landscape=choices.landscape, formula=choices.formula, start=tuple(float(number) for number in point))

    def race(self) -> None:
        """Run the entrants against each other, on the chosen landscape, from its start."""
        try:
            entries = self.session.race_entries()
        except (ValueError, LieAppError):
            self._job()
            return
        self.computing.start_race(entries, None, self.session.choices.budget)

    def run_preset(self, preset: Preset) -> None:
        """Make a prepared race ready and run it."""
        if self.computing.free:
            self.take_preset(preset)
            self.race()
            self._tell(f"{preset.title}: {preset.summary}")

    def command_of(self, entry: RunEntry) -> str:
        from lieapp.landscapes.spec import to_command

        return to_command(entry.job)

    def python_of(self, entry: RunEntry) -> str:
        from lieapp.landscapes.spec import to_python

        return to_python(entry.job)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _take(self, choices: LandscapeChoices) -> None:
        self.session.choices = choices
        if self.current is not None and scene_of(self.current.job) != self.session.choices.scene:
            self._select(None)
        self.session.hide_foreign_runs()
        self._tell("")
        self.choices_changed.emit()
        self._show_scene()
        self.runs_changed.emit()
        self.start_changed.emit()
        self.states_changed.emit()

    def _finish(self, active: ActiveRun) -> None:
        super()._finish(active)
        from lieapp.landscapes.caption import RaceEntry, race_caption

        entries = [RaceEntry(entry.title, entry.job, entry.recording) for entry in active.entries]
        self._tell(race_caption(entries))

    def _tell(self, caption: str) -> None:
        self.caption = caption
        self.caption_changed.emit()

    def _show_scene(self) -> None:
        if self.scene != self._scene:
            self._scene = self.scene
            self.scene_changed.emit()
