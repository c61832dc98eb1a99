"""What the columns of an alignment are called on paper, in which unit, and the lines of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.choices import OBJECTIVES, title_of_choice
from lieapp.alignment.quantities import ALIGN_QUANTITIES, OBJECTIVE_VALUE
from lieapp.engine.quantity import Quantity, quantities_by_column
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS
from lieapp.scene.lines import Dash, free_line

__all__ = ["QUANTITIES", "Curve", "curves_of", "distinct_lines", "gap_unit", "quantity"]


QUANTITIES: dict[str, Quantity] = quantities_by_column((*ALIGN_QUANTITIES, OBJECTIVE_VALUE))
"""Quantities of an alignment by column; a column that is not here is drawn under its own name."""


def quantity(column: str) -> Quantity:
    """Return how a column is drawn."""
    words = column.replace("_", " ")
    return QUANTITIES.get(column, Quantity(column, words, words))


def gap_unit(result: AlignmentResult) -> str:
    """Return the unit of a run's gap: Å where the objective is a distance, else the name of the score."""
    return result.inputs.objective(result.job).unit or title_of_choice(OBJECTIVES, result.job.objective)


@dataclass(frozen=True, eq=False)
class Curve:
    """One run of a figure.

    Attributes
    ----------
    title : str
        As the legend shows it.
    result : AlignmentResult
    color : str
        ``"#RRGGBB"``.
    dash : tuple of float
        On and off lengths in line widths; empty for a solid line. Colour is never the only cue.
    """

    title: str
    result: AlignmentResult
    color: str
    dash: tuple[float, ...] = ()

    def columns(self, *names: str) -> list[NDArray[np.float64]]:
        """Return columns of the recording, of equal length even while the run goes on.

        Raises
        ------
        ExportError
            If the run has no such column.
        """
        recording = self.result.recording
        for name in names:
            if name not in recording.columns:
                held = ", ".join(recording.columns) or "none"
                raise ExportError(f"{self.title} has no column {name!r}; it has {held}.")
        table = recording.table(names)
        return [table[name] for name in names]

    def unit_of(self, name: str) -> str:
        """Return the unit of a column, empty where there is none."""
        return gap_unit(self.result) if name in ("gap", "objective_value") else quantity(name).unit


def curves_of(results: Sequence[AlignmentResult], titles: Sequence[str] | None = None) -> list[Curve]:
    """Return one curve a run; no two have colour and dash in common.

    Parameters
    ----------
    results : sequence of AlignmentResult
    titles : sequence of str, optional
        Those of the optimisers by default.

    Notes
    -----
    An optimiser keeps its colour and dash. A second run of it gets another dash and a tint of the colour.
    """
    names = [result.job.optimizer.name for result in results]
    titles = [_title_of(name) for name in names] if titles is None else titles
    lines = distinct_lines(names)
    return [Curve(title, result, *line) for title, result, line in zip(titles, results, lines, strict=True)]


def distinct_lines(names: Sequence[str]) -> list[tuple[str, Dash]]:
    """Return colour and dash of a line for every optimiser of a figure, no two the same while there are enough.

    Parameters
    ----------
    names : sequence of str
        Of the optimisers; one may occur several times. A second run of it gets another dash and a tint
        of its colour.
    """
    lines: list[tuple[str, Dash]] = []
    for name in names:
        lines.append(free_line(name, lines))
    return lines


def _title_of(name: str) -> str:
    settings = SETTINGS.get(normalised(name))
    return name if settings is None else settings.title
