"""The runs of one workbench, and the entrants of its race, without Qt: what every session has in common."""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lieapp.engine.metric import Metric
from lieapp.gui.runs.entry import RunEntry

if TYPE_CHECKING:
    from lieapp.engine.job import OptimizerChoice
    from lieapp.engine.recording import Recording
    from lieapp.scene.lines import Dash

__all__ = ["Entry", "RunSession", "numbered", "optimizer_choice", "override_words"]


@dataclass(frozen=True)
class Entry:
    """An entrant that waits for the race."""

    name: str
    job: Any


class RunSession(ABC):
    """Runs, the one that is replayed, and the entrants of a race.

    Attributes
    ----------
    choices : object
        What the panel holds: a frozen dataclass with at least ``optimizer`` and ``overrides``.
    runs : list of RunEntry
    current : RunEntry or None
        The run that is replayed.
    entrants : list of Entry
    """

    choices: Any
    last_is_result = False
    """Whether a run is judged by its last frame; else by the best one of its recording."""

    def __init__(self) -> None:
        self.runs: list[RunEntry] = []
        self.current: RunEntry | None = None
        self.entrants: list[Entry] = []
        self._numbers = itertools.count(1)

    # -- what a workbench knows about its jobs --------------------------------------------------------------------

    @abstractmethod
    def job(self, **changes: Any) -> Any:
        """Return the job that the choices describe, with some of them changed.

        Raises
        ------
        ValueError
            If the choices do not fit together.
        """

    @abstractmethod
    def title_of(self, job: Any) -> str:
        """Return the title of a run of a job."""

    @abstractmethod
    def metric_of(self, job: Any) -> Metric:
        """Return by which number runs of a job are compared."""

    def line_of(self, job: Any, taken: Collection[tuple[str, Dash]]) -> tuple[str, Dash]:
        """Return colour and dash of a run of a job, other than those taken together: those of its optimiser."""
        from lieapp.scene.lines import free_line

        return free_line(job.optimizer.name, taken)

    # -- runs -----------------------------------------------------------------------------------------------------

    def add_run(self, job: Any, recording: Recording, inputs: Any, title: str = "") -> RunEntry:
        """List a run, with a title of its own, and a colour and a dash that no other visible run has together."""
        taken = {(run.color, run.dash) for run in self.runs if run.visible}
        color, dash = self.line_of(job, taken)
        entry = RunEntry(
            id=f"run-{next(self._numbers)}",
            title=numbered(title or self.title_of(job), {run.title for run in self.runs}),
            job=job,
            inputs=inputs,
            recording=recording,
            color=color,
            dash=dash,
            metric=self.metric_of(job),
            last_is_result=self.last_is_result,
        )
        self.runs.append(entry)
        return entry

    def remove_run(self, entry: RunEntry) -> None:
        """Forget a run."""
        if entry in self.runs:
            self.runs.remove(entry)
        if self.current is entry:
            self.current = None

    def clear_runs(self) -> list[RunEntry]:
        """Forget all finished runs that are not pinned; return them."""
        gone = [run for run in self.runs if not run.pinned and (run.finished or run.control is None)]
        for run in gone:
            self.remove_run(run)
        return gone

    def add_entrant(self, job: Any, name: str = "") -> Entry:
        """Add a job to the race, under a name that no other entrant has."""
        entry = Entry(numbered(name or self.title_of(job), {entrant.name for entrant in self.entrants}), job)
        self.entrants.append(entry)
        return entry

    def entrant_lines(self) -> list[tuple[str, Dash]]:
        """Return colour and dash of every entrant, as they will be drawn: a race closes the eyes of earlier runs."""
        taken = {(run.color, run.dash) for run in self.runs if run.visible and run.pinned}
        lines: list[tuple[str, Dash]] = []
        for entrant in self.entrants:
            line = self.line_of(entrant.job, taken)
            taken.add(line)
            lines.append(line)
        return lines


def numbered(title: str, taken: Collection[str]) -> str:
    """Return a title that is not taken: the number goes to the name, before the settings that may be cut off.

    ``"Adam  lr 1 Å"`` becomes ``"Adam 2  lr 1 Å"``, ``"Adam, local"`` becomes ``"Adam 2, local"``.
    """
    name = re.split(r"  |, ", title, maxsplit=1)[0]
    rest = title[len(name) :]
    return next(
        candidate
        for number in itertools.count(1)
        if (candidate := title if number == 1 else f"{name} {number}{rest}") not in taken
    )


def optimizer_choice(name: str, overrides: Mapping[str, Any]) -> OptimizerChoice:
    """Return what a job holds of an optimiser that was chosen in a panel, and of what was set there by hand."""
    from lieapp.engine.job import OptimizerChoice

    # Forms give tuples, which JSON does not know.
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in overrides.items()}
    return OptimizerChoice(name=name, overrides=values)


def override_words(overrides: Mapping[str, Any]) -> list[str]:
    """Return what was set by hand as titles say it, such as ``["momentum 0.9", "nesterov"]``."""
    from lieapp.optimizers.fields import show_value

    names = {key: key.removesuffix(".kind").replace(".", " ").replace("_", " ") for key in overrides}
    return [names[key] if value is True else f"{names[key]} {show_value(value)}" for key, value in overrides.items()]
