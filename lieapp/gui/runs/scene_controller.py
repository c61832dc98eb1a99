"""What happens to runs that belong to scenes: a landscape or images are chosen, methods run and race on them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.application.messages import MessageCenter
from lieapp.gui.runs.controller import RunController
from lieapp.gui.runs.desk import ActiveRun, Turn
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.scene_session import Scene, SceneSession
from lieapp.gui.work.worker import Worker

if TYPE_CHECKING:
    from lieapp.engine.presets import Preset

__all__ = ["SceneController"]


class SceneController(RunController):
    """Starts, steers and replays the runs of scenes, and says what a race has shown.

    Parameters
    ----------
    session : SceneSession
    compute : Worker
    messages : MessageCenter
    turn : Turn

    Attributes
    ----------
    caption : str
        What there is to say about the latest race; its figures come from the recordings.

    Signals
    -------
    scene_changed()
        Another scene is shown.
    caption_changed()
    """

    scene_changed = Signal()
    caption_changed = Signal()

    session: SceneSession

    def __init__(
        self, session: SceneSession, compute: Worker, messages: MessageCenter, turn: Turn, parent: QObject | None = None
    ) -> None:
        super().__init__(session, compute, messages, turn, parent)
        self.session = session
        self.caption = ""
        self._scene: Scene | None = None
        self.runs_changed.connect(self._show_scene)

    # -- what a workbench knows about its problem -----------------------------------------------------------------

    @abstractmethod
    def caption_of(self, entries: Sequence[RunEntry]) -> str:
        """Return what the runs of a race, or one run, have shown."""

    def _inputs_of(self, job: Any) -> Any:
        """Return what runs of a job share, such as images; a run that has nothing to share makes its own."""
        return None

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene | None:
        """The scene shown: that of the selected run, else of the choices."""
        return self.session.scene() if self.current is None else self.session.scene_of(self.current.job)

    def runs_of_scene(self) -> list[RunEntry]:
        """Return the runs on the scene shown."""
        scene = self.scene
        return [run for run in self.runs if self.session.scene_of(run.job) == scene]

    def quiet_job(self) -> Any | None:
        """Return the job of the choices, or None where there is none; nobody is told why."""
        return self.session.quiet_job()

    def states(self) -> set[str]:
        return super().states() | {"structure", "pose"}

    # -- choices --------------------------------------------------------------------------------------------------

    def set_choices(self, choices: Any) -> None:
        before = self.session.scene()
        self.session.choices = choices
        if self.session.scene() != before:
            self.session.hide_foreign_runs()
            self._tell("")
            self._select(None)
            self.entrants_changed.emit()
        self.choices_changed.emit()
        self.states_changed.emit()

    def apply_settings(self, entry: RunEntry) -> None:
        """Take over the settings of a run, with its scene."""
        self._take(self.session.choices_of(entry.job))

    def remove_entrant(self, name: str) -> None:
        """Take one entrant out of the race."""
        self.session.remove_entrant(name)
        self.entrants_changed.emit()
        self.states_changed.emit()

    def take_preset(self, preset: Preset) -> None:
        """Make a prepared race ready."""
        self.session.take_preset(preset)
        self._take(self.session.choices)

    # -- runs -----------------------------------------------------------------------------------------------------

    def run(self, *, step: bool = False, **changes: Any) -> None:
        if self.step_or_ignore(step=step):
            return
        job = self._job(**changes)
        if job is not None:
            self.computing.start(job, self._inputs_of(job), step=step)

    def race(self) -> None:
        """Run the entrants against each other on the chosen scene."""
        try:
            entries = self.session.race_entries()
        except (ValueError, LieAppError):
            self._job()
            return
        if entries and self.computing.free:
            self.computing.start_race(entries, self._inputs_of(entries[0].job), self.session.budget())

    def run_preset(self, preset: Preset) -> None:
        """Make a prepared race ready and run it."""
        if self.computing.free:
            self.take_preset(preset)
            self.race()
            self._tell(f"{preset.title}: {preset.summary}")

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _take(self, choices: Any) -> None:
        """Take over choices of which the panel knows nothing yet; runs on another scene step back."""
        self.session.choices = choices
        if self.current is not None and self.session.scene_of(self.current.job) != self.session.scene():
            self._select(None)
        self.session.hide_foreign_runs()
        self._tell("")
        self.choices_changed.emit()
        self.entrants_changed.emit()
        self._show_scene()
        self.runs_changed.emit()
        self.states_changed.emit()

    def _finish(self, active: ActiveRun) -> None:
        super()._finish(active)
        self._tell(self.caption_of(active.entries))

    def _tell(self, caption: str) -> None:
        self.caption = caption
        self.caption_changed.emit()

    def _show_scene(self) -> None:
        if self.scene != self._scene:
            self._scene = self.scene
            self.scene_changed.emit()
