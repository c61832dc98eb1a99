"""What happens in the Landscape workbench: a landscape and a start are chosen, optimisers run and race. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from lieapp.gui.application.messages import MessageCenter
from lieapp.gui.landscape.session import LandscapeChoices, LandscapeSession
from lieapp.gui.runs.desk import Turn
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.scene_controller import SceneController
from lieapp.gui.work.worker import Worker

if TYPE_CHECKING:
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["LandscapeController"]


class LandscapeController(SceneController):
    """Starts, steers and replays runs on landscapes; frames are points.

    Parameters
    ----------
    compute : Worker
    messages : MessageCenter
    turn : Turn

    Signals
    -------
    start_changed()
        The next run begins elsewhere.
    """

    start_changed = Signal()

    session: LandscapeSession

    best_words = "the lowest point"

    def __init__(self, compute: Worker, messages: MessageCenter, turn: Turn, parent: QObject | None = None) -> None:
        super().__init__(LandscapeSession(), compute, messages, turn, parent)

    # -- what is shown --------------------------------------------------------------------------------------------

    def shown_job(self) -> LandscapeJob | None:
        """Return the job whose landscape is shown: of the selected run, else of the choices."""
        return self.quiet_job() if self.current is None else self.current.job

    def start(self) -> tuple[float, ...] | None:
        """Return where the next run begins; None where starts are random."""
        job = self.quiet_job()
        if job is None or not job.description.is_planar:
            return None
        return job.start if job.start is not None else tuple(job.surface.start)

    def point(self) -> NDArray[np.float64] | None:
        """Return the point of the frame shown, shape (dimension,); None without one, or where it is not recorded."""
        if self.current is None or not self.current.frames:
            return None
        state = self.current.recording.state(self.frame)
        return np.asarray(state["point"], dtype=np.float64) if "point" in state else None

    def states(self) -> set[str]:
        held = super().states()
        if self.current is not None and self.frames and self.current.job.description.is_planar:
            held.add("branch")
        return held

    # -- choices --------------------------------------------------------------------------------------------------

    def set_choices(self, choices: LandscapeChoices) -> None:
        before = self.session.choices
        super().set_choices(choices)
        if (before.start, before.landscape) != (choices.start, choices.landscape):
            self.start_changed.emit()

    def set_start(self, point: Sequence[float]) -> None:
        """Let the next run begin at a point."""
        self.session.choices = replace(self.session.choices, start=tuple(float(number) for number in point))
        self.choices_changed.emit()
        self.start_changed.emit()

    # -- runs -----------------------------------------------------------------------------------------------------

    def branch(self) -> None:
        """Start a new run from the point shown, with the present settings."""
        point = self.point()
        if point is None or self.current is None:
            return
        choices = self.session.choices_of(self.current.job)
        self.run(landscape=choices.landscape, formula=choices.formula, start=tuple(float(number) for number in point))

    def command_of(self, entry: RunEntry) -> str:
        from lieapp.landscapes.spec import to_command

        return to_command(entry.job)

    def python_of(self, entry: RunEntry) -> str:
        from lieapp.landscapes.spec import to_python

        return to_python(entry.job)

    def caption_of(self, entries: Sequence[RunEntry]) -> str:
        from lieapp.landscapes.caption import RaceEntry, race_caption

        return race_caption([RaceEntry(entry.title, entry.job, entry.recording) for entry in entries])

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _take(self, choices: LandscapeChoices) -> None:
        super()._take(choices)
        self.start_changed.emit()
