"""Runs that belong to scenes, without Qt: only those of one scene may be compared, or raced, or drawn together."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from lieapp.errors import LieAppError
from lieapp.gui.runs.session import Entry, RunSession

if TYPE_CHECKING:
    from lieapp.engine.presets import Preset

__all__ = ["Scene", "SceneSession"]

Scene = tuple[Any, ...]
"""What decides which problem a job works on, such as a landscape or images; the method is no part of it."""


class SceneSession(RunSession):
    """Runs on scenes. Entrants are methods: they race on whatever scene is chosen."""

    # -- what a workbench knows about its scenes ------------------------------------------------------------------

    @abstractmethod
    def scene(self) -> Scene | None:
        """Return the scene of the choices; None where they make no job."""

    @abstractmethod
    def scene_of(self, job: Any) -> Scene:
        """Return the scene of a job."""

    @abstractmethod
    def choices_of(self, job: Any) -> Any:
        """Return the choices that a job was made with."""

    @abstractmethod
    def race_entries(self) -> list[Entry]:
        """Return the entrants as they race now: on the scene of the choices.

        Raises
        ------
        ValueError
            If the choices do not fit together.
        """

    @abstractmethod
    def budget(self) -> float:
        """Return the evaluations of each entrant of a race."""

    @abstractmethod
    def take_preset(self, preset: Preset) -> None:
        """Take over the scene and the entrants of a prepared race."""

    # -- runs -----------------------------------------------------------------------------------------------------

    def quiet_job(self) -> Any | None:
        """Return the job of the choices, or None where there is none; nobody is told why."""
        try:
            return self.job()
        except (ValueError, LieAppError):
            return None

    def hide_foreign_runs(self) -> None:
        """Close the eyes of runs on other scenes: their curves and pictures are of another problem."""
        scene = self.scene()
        for run in self.runs:
            if self.scene_of(run.job) != scene and not run.pinned:
                run.visible = False

    def remove_entrant(self, name: str) -> None:
        """Take one entrant out of the race."""
        self.entrants = [entrant for entrant in self.entrants if entrant.name != name]
