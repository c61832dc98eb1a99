"""Prepared races: several entrants on one job, each with what differs. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lieapp.engine.job import Job, OptimizerChoice

__all__ = ["Preset", "PresetEntrant"]

J = TypeVar("J", bound=Job)


@dataclass(frozen=True)
class PresetEntrant:
    """One entrant of a prepared race.

    Attributes
    ----------
    name : str
        For the legend; unique in the race.
    optimizer : str
    overrides : mapping
        Settings of the optimiser.
    changes : mapping
        Fields of the job that differ.
    """

    name: str
    optimizer: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    def job(self, base: J, changes: Mapping[str, Any] | None = None) -> J:
        """Return the base job as this entrant runs it, with the changes of the race before its own."""
        choice = OptimizerChoice(name=self.optimizer, overrides=dict(self.overrides))
        return base.changed(**{**(changes or {}), **self.changes, "optimizer": choice})


@dataclass(frozen=True)
class Preset:
    """A prepared race that shows one thing.

    Attributes
    ----------
    name : str
        For files and flags.
    title : str
        In the menu.
    summary : str
        What to watch, in two sentences.
    evaluations : float
        Budget of every entrant.
    entrants : tuple of PresetEntrant
    changes : mapping
        Fields of the job that all entrants have in common, such as the landscape and the start.
    """

    name: str
    title: str
    summary: str
    evaluations: float
    entrants: tuple[PresetEntrant, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)

    def jobs(self, base: J) -> tuple[tuple[str, J], ...]:
        """Return the entrants' names and jobs; what the preset does not change is as in the base job."""
        return tuple((entrant.name, entrant.job(base, self.changes)) for entrant in self.entrants)
