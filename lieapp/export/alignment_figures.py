"""Figures for print, drawn by matplotlib from recordings alone, with or without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.export.figure_files import FIGURE_FORMATS, figure_style, new_figure, place_legend, save_figure, settle
from lieapp.export.quantities import Curve, curves_of, quantity
from lieapp.scene.colors import MOBILE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_deviation", "draw_progress", "kabsch_reference", "write_figures", "write_progress_figure"]


def draw_progress(
    curves: Sequence[Curve],
    *,
    ordinate: str = "gap",
    abscissa: str = "evaluations",
    logarithmic: bool | None = None,
    columns: int = 1,
    reference: tuple[str, float] | None = None,
) -> Figure:
    """Draw a column of one run or of several over what they cost.

    Parameters
    ----------
    curves : sequence of Curve
    ordinate, abscissa : str
        Columns of the recordings.
    logarithmic : bool, optional
        Of the ordinate; what suits the column by default. Values below its floor, which are rounding, are drawn at
        the floor.
    columns : {1, 2}
        Columns of a journal that the figure fills.
    reference : (str, float), optional
        Title and value of a horizontal line.

    Returns
    -------
    Figure
        The legend stands above the axes, clear of the curves.

    Raises
    ------
    ExportError
        If there is no run, or a run has no such column.
    """
    if not curves:
        raise ExportError("There is no run to draw.")
    what = quantity(ordinate)
    logarithmic = what.logarithmic if logarithmic is None else logarithmic
    with figure_style():
        figure = new_figure(columns, aspect=0.78 if columns == 1 else 0.5)
        axes = figure.add_subplot()
        for curve in curves:
            costs, values = curve.columns(abscissa, ordinate)
            axes.plot(
                costs,
                np.maximum(values, what.floor) if logarithmic else values,
                color=curve.color,
                linestyle=(0, curve.dash) if curve.dash else "-",
                label=curve.title,
                # A run of a single frame is a point.
                marker="o" if len(values) == 1 else None,
                markersize=3,
            )
        if reference is not None:
            axes.axhline(reference[1], color="black", linestyle=(0, (4.0, 2.5)), linewidth=0.7, label=reference[0])
        if logarithmic:
            axes.set_yscale("log")
        axes.set_xlabel(_label(abscissa, curves))
        axes.set_ylabel(_label(ordinate, curves))
        axes.margins(x=0.02)
        place_legend(figure, axes, columns)
    return figure


def _label(column: str, curves: Sequence[Curve]) -> str:
    units = list(dict.fromkeys(curve.unit_of(column) for curve in curves))
    unit = " or ".join(filter(None, units))
    return f"{quantity(column).label} ({unit})" if unit else quantity(column).label


def draw_deviation(result: AlignmentResult, *, columns: int = 1) -> Figure:
    """Draw the distance of every pair along the sequence at the pose, with the cut-off of the core."""
    with figure_style():
        figure = new_figure(columns, aspect=0.74 if columns == 1 else 0.42)
        axes = figure.add_subplot()
        deviations = result.scores.deviations
        pairs = np.arange(1, len(deviations) + 1)
        axes.fill_between(pairs, deviations, color=MOBILE, alpha=0.2, linewidth=0)
        title = f"{curves_of([result])[0].title}, {result.pose_text}"
        axes.plot(pairs, deviations, color=MOBILE, linewidth=0.9, label=title)
        cutoff = f"core: {result.core.pairs} pairs below {result.core.cutoff:g} Å"
        axes.axhline(result.core.cutoff, color="black", linestyle="--", linewidth=0.7, label=cutoff)
        axes.set_xlim(1, max(len(deviations), 2))
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"pair of {result.inputs.mobile.name} and {result.inputs.target.name}, in sequence order")
        axes.set_ylabel("distance to partner (Å)")
        place_legend(figure, axes, columns)
    return figure


def kabsch_reference(result: AlignmentResult) -> tuple[str, float]:
    """Return title and value of the least RMSD that the fitted pairs allow, in Å."""
    rmsd = result.inputs.kabsch.rmsd
    return f"Kabsch: {rmsd:.4f} Å", float(rmsd)


def write_progress_figure(
    curves: Sequence[Curve],
    path: Path,
    *,
    ordinate: str = "gap",
    abscissa: str = "evaluations",
    logarithmic: bool | None = None,
    columns: int = 1,
) -> Path:
    """Draw a column of one run or of several and write it; the suffix is the format. See `draw_progress`.

    An RMSD is drawn with the least one, by Kabsch, if all runs have the same pairs.

    Raises
    ------
    ExportError
        If there is nothing to draw, or the file cannot be written.
    """
    reference = None
    if ordinate == "rmsd" and curves and len({id(curve.result.inputs) for curve in curves}) == 1:
        reference = kabsch_reference(curves[0].result)
    figure = draw_progress(
        curves,
        ordinate=ordinate,
        abscissa=abscissa,
        logarithmic=logarithmic,
        columns=columns,
        reference=reference,
    )
    return save_figure(figure, path)


def write_figures(result: AlignmentResult, folder: Path, formats: Sequence[str] = FIGURE_FORMATS) -> list[Path]:
    """Write the progress and the deviation figure in every format; returns the files.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"progress": draw_progress(curves_of([result])), "deviation": draw_deviation(result)}
    return [
        save_figure(settle(figure), folder / f"{name}.{kind}") for name, figure in figures.items() for kind in formats
    ]
