"""The options that every command with runs has: who runs, how long, and on what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer

from lieapp.cli.app import UsageError

__all__ = ["Budget", "Computing", "Entrants", "Tolerances"]

J = TypeVar("J")


@dataclass(frozen=True)
class Entrants:
    """The optimisers of a run or a race, and their settings."""

    optimizer: Annotated[
        list[str] | None, typer.Option("--optimizer", metavar="NAME", help="Optimiser; repeat it for a race.")
    ] = None
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="[NAME.]KEY=VALUE", help="One setting of the optimiser.")
    ] = None

    def jobs(self, make: Callable[[str, dict[str, str]], J], *, default: str) -> tuple[list[str], list[J]]:
        """Return the titles and the jobs of all entrants.

        Parameters
        ----------
        make : callable
            From the name of an optimiser and its settings, as typed, to a job.
        default : str
            The optimiser where none is named.
        """
        names = self.optimizer or [default]
        titles = _unique(names)
        settings = _settings_by_title(self.settings or [], names, titles)
        return titles, [make(name, settings[title]) for name, title in zip(names, titles, strict=True)]


@dataclass(frozen=True)
class Budget:
    """How long a run may take."""

    steps: Annotated[int | None, typer.Option(metavar="N", help="Most steps.")] = None
    evaluations: Annotated[float | None, typer.Option(metavar="N", help="Budget in gradient evaluations.")] = None
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Budget in seconds of computing.")] = None


@dataclass(frozen=True)
class Tolerances:
    """When a run has converged."""

    gtol: Annotated[float | None, typer.Option(metavar="X", help="Converged below this (scaled) gradient norm.")] = None
    ftol: Annotated[float | None, typer.Option(metavar="X", help="Converged below this relative improvement.")] = None


@dataclass(frozen=True)
class Computing:
    """Where, how exactly and from which random numbers a run computes."""

    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of every random number.")] = None
    device: Annotated[str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = None
    dtype: Annotated[str | None, typer.Option(metavar="float64|float32", help="Precision of the parameters.")] = None


def _unique(names: Sequence[str]) -> list[str]:
    """Number names that occur more than once: adam, adam-2."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return unique


def _settings_by_title(
    settings: Sequence[str], names: Sequence[str], titles: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Split ``[NAME.]KEY=VALUE`` words; returns the settings of every entrant by its title.

    A first part that is an optimiser of this run restricts the setting to it; that is the title of one entrant, such
    as ``adam-2``, to that one, and more strongly.
    """
    found: dict[str, dict[str, str]] = {title: {} for title in titles}
    own: dict[str, dict[str, str]] = {title: {} for title in titles}
    for word in settings:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set {word}: expected KEY=VALUE, such as lr=0.5.")
        # The longest first: the name of a class has dots of its own.
        for first in sorted({*names, *titles}, key=len, reverse=True):
            rest = _after(first, key.strip())
            if not rest:
                continue
            if first in names:
                for name, title in zip(names, titles, strict=True):
                    if name == first:
                        found[title][rest] = value.strip()
            else:
                own[first][rest] = value.strip()
            break
        else:
            _refuse_absent(word, key.strip(), titles)
            for title in titles:
                found[title][key.strip()] = value.strip()
    return {title: {**found[title], **own[title]} for title in titles}


def _after(first: str, key: str) -> str:
    """Return the setting of a key that begins with the name of an optimiser, however that is spelt; else nothing."""
    from lieapp.optimizers.names import normalised

    head, dot, rest = key[: len(first)], key[len(first) : len(first) + 1], key[len(first) + 1 :]
    same = head == first or (":" not in first and normalised(head) == normalised(first))
    return rest if same and dot == "." else ""


def _refuse_absent(word: str, key: str, titles: Sequence[str]) -> None:
    """Refuse a setting of an optimiser that is not in the run, or of an entrant more than there are."""
    from lieapp.optimizers.names import known_names, normalised

    module, colon, rest = key.partition(":")
    first = f"{module}:{rest.split('.')[0]}" if colon else key.partition(".")[0]
    if "." in key and (colon or re.sub(r"-\d+$", "", normalised(first)) in known_names()):
        raise UsageError(f"--set {word}: {first} is not in the run, which has {', '.join(titles)}.")
