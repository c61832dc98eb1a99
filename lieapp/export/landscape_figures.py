"""Figures of runs on landscapes: the path over contours, and what it cost; drawn from recordings alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lieapp.engine.quantity import EVALUATIONS, quantities_by_column
from lieapp.engine.recording import Recording
from lieapp.export.errors import ExportError
from lieapp.export.figure_files import (
    FIGURE_FORMATS,
    figure_style,
    new_figure,
    place_legend,
    save_figure,
    settle,
)
from lieapp.export.quantities import distinct_lines
from lieapp.landscapes.catalog import Surface
from lieapp.landscapes.plane_keys import has_plane, plane_key
from lieapp.landscapes.quantities import LANDSCAPE_QUANTITIES, NETWORK_QUANTITIES
from lieapp.landscapes.report import LandscapeReport
from lieapp.landscapes.spec import LandscapeJob

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lieapp.landscapes.planes import Plane

__all__ = [
    "POINT_MARKERS",
    "LandscapeResult",
    "PlaneMaker",
    "draw_contours",
    "draw_landscape_progress",
    "draw_path",
    "write_landscape_figures",
]

PlaneMaker = Callable[[LandscapeJob], "Plane"]

POINT_MARKERS = {"minimum": "o", "saddle": "D", "maximum": "s", "degenerate": "$?$"}
"""Marker of every kind of stationary point: the signs of the window and of films."""

_GRID = 240
_LEVELS = 24
_PANELS = ("loss", "validation_loss", "gradient_norm", "lowest_curvature")


@dataclass(frozen=True, eq=False)
class LandscapeResult:
    """A run with everything that says where it came from.

    Attributes
    ----------
    title : str
        As the legend shows it.
    job : LandscapeJob
    recording : Recording
    report : LandscapeReport
    """

    title: str
    job: LandscapeJob
    recording: Recording
    report: LandscapeReport


def draw_path(results: Sequence[LandscapeResult], *, columns: int = 1, plane: Plane | None = None) -> Figure:
    """Draw the contours of a surface with the paths of runs on it and its stationary points by index.

    Parameters
    ----------
    results : sequence of LandscapeResult
        Of one landscape; those without a frame are left out.
    columns : {1, 2}
        Columns of a journal that the figure fills.
    plane : Plane, optional
        Of a landscape of more than two dimensions, onto which paths are projected.

    Raises
    ------
    ExportError
        If there is no run, or the landscape is not planar and there is no plane.
    """
    _need(results)
    job = results[0].job
    if plane is None and not job.description.is_planar:
        raise ExportError(f"{job.title} has no contours: it is no surface over x and y.")
    shape = job.surface if plane is None else plane
    points = shape.stationary_points if isinstance(shape, Surface) else shape.points
    labels = ("x", "y") if plane is None else plane.labels
    (x0, x1), (y0, y1) = shape.domain
    with figure_style():
        figure = new_figure(columns, aspect=1.0)
        axes = figure.add_subplot()
        draw_contours(axes, shape)
        lines = distinct_lines([result.job.optimizer.name for result in results])
        starts = []
        for result, (color, dash) in zip(results, lines, strict=True):
            if not len(result.recording):
                continue
            path = np.asarray(result.recording.states("point"), dtype=np.float64)
            path = path if plane is None else plane.project(path)
            starts.append(path[0])
            style: Any = (0, dash) if dash else "-"
            axes.plot(path[:, 0], path[:, 1], color="white", linewidth=2.4, alpha=0.7, zorder=3)
            axes.plot(path[:, 0], path[:, 1], color=color, linestyle=style, label=result.title, zorder=4)
            axes.plot(*path[-1], color=color, marker="o", markersize=4, markeredgecolor="white", zorder=6)
        places = np.transpose(np.unique(starts, axis=0))
        axes.plot(*places, color="black", marker="*", markersize=7, linestyle="", label="start", zorder=7)
        for kind, marker in POINT_MARKERS.items():
            for index in sorted({point.index for point in points if point.kind == kind}):
                found = [p.position[:2] for p in points if p.kind == kind and p.index == index]
                title = f"{kind}, index {index}" if kind == "saddle" else kind
                axes.plot(
                    *np.transpose(found),
                    color="black" if kind == "degenerate" else "white",
                    markeredgecolor="black",
                    markeredgewidth=0.3 if kind == "degenerate" else 1.0,
                    marker=marker,
                    linestyle="",
                    markersize=5,
                    label=title,
                    zorder=5,
                )
        axes.set(xlim=(x0, x1), ylim=(y0, y1), xlabel=labels[0], ylabel=labels[1])
        if plane is not None:
            axes.set_title("Paths leave this plane and are projected.", fontsize=7, loc="left")
        place_legend(figure, axes, columns)
    return figure


def draw_contours(axes: Axes, shape: Surface | Plane) -> None:
    """Draw shades and contour lines of a surface, or of a plane through many dimensions, on its domain.

    Raises
    ------
    ExportError
        If it has no finite value there.
    """
    (x0, x1), (y0, y1) = shape.domain
    x, y = np.meshgrid(np.linspace(x0, x1, _GRID), np.linspace(y0, y1, _GRID))
    with np.errstate(all="ignore"):
        values = np.asarray(shape.value(x, y), dtype=np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ExportError("The landscape has no finite value on its domain.")
    low, high = float(finite.min()), float(finite.max())
    high = high if shape.clip is None else min(shape.clip, high)
    # Dense near the bottom, where valleys are.
    levels = low + (high - low) * np.linspace(0.0, 1.0, _LEVELS) ** 1.6 if high > low else np.array([low, low + 1.0])
    clipped = np.ma.masked_invalid(np.clip(values, low, high))
    axes.contourf(x, y, clipped, levels=levels, cmap="GnBu_r", alpha=0.5)
    axes.contour(x, y, clipped, levels=levels, colors="#5B6B78", linewidths=0.3, linestyles="solid")


def draw_landscape_progress(results: Sequence[LandscapeResult], *, columns: int = 1) -> Figure:
    """Draw loss, gradient norm and lowest curvature against evaluations, one above the other.

    Parameters
    ----------
    results : sequence of LandscapeResult
        Of one landscape. A network has its validation loss instead of a curvature.
    columns : {1, 2}

    Raises
    ------
    ExportError
        If there is no run.
    """
    _need(results)
    held = results[0].recording.columns
    of_network = NETWORK_QUANTITIES if "validation_loss" in held else ()
    known = quantities_by_column((*LANDSCAPE_QUANTITIES, *of_network))
    panels = [panel for panel in _PANELS if panel in held]
    with figure_style():
        figure = new_figure(columns, aspect=0.4 * len(panels) if columns == 1 else 0.25 * len(panels))
        rows: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
        lines = distinct_lines([result.job.optimizer.name for result in results])
        for axes, column in zip(rows[:, 0], panels, strict=True):
            shown = known[column]
            for result, (color, dash) in zip(results, lines, strict=True):
                table = result.recording.table(("evaluations", column))
                values = table[column]
                axes.plot(
                    table["evaluations"],
                    np.maximum(values, shown.floor) if shown.logarithmic else values,
                    color=color,
                    linestyle=(0, dash) if dash else "-",
                    label=result.title,
                    marker="o" if len(values) == 1 else None,
                    markersize=3,
                )
            axes.set_ylabel(shown.title)  # there is no room for more
            axes.margins(x=0.02)
            if shown.logarithmic:
                axes.set_yscale("log")
            elif column == "lowest_curvature":
                axes.axhline(0.0, color="black", linestyle=(0, (4.0, 2.5)), linewidth=0.7)
        rows[-1, 0].set_xlabel(EVALUATIONS.label)
        place_legend(figure, rows[0, 0], columns)
    return figure


def write_landscape_figures(
    results: Sequence[LandscapeResult],
    folder: Path,
    formats: Sequence[str] = FIGURE_FORMATS,
    *,
    plane_of: PlaneMaker | None = None,
) -> list[Path]:
    """Write the path, where there is one to draw, and the progress in every format; returns the files.

    Landscapes of many dimensions are drawn on a plane, where all runs have the same one; networks have none.

    Parameters
    ----------
    results : sequence of LandscapeResult
        On one landscape.
    folder : Path
        Made if it does not exist.
    formats : sequence of str, optional
    plane_of : callable, optional
        Makes the plane of a job, as `lieapp.landscapes.planes.plane_of` does; without it none is drawn.

    Raises
    ------
    ExportError
        If there is no run, or a file cannot be written.
    """
    _need(results)
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"progress": draw_landscape_progress(results)}
    if results[0].job.description.is_planar:
        figures["path"] = draw_path(results)
    elif plane_of is not None and has_plane(results[0].job) and len({plane_key(result.job) for result in results}) == 1:
        figures["path"] = draw_path(results, plane=plane_of(results[0].job))
    return [
        save_figure(settle(figure), folder / f"{name}.{kind}") for name, figure in figures.items() for kind in formats
    ]


def _need(results: Sequence[LandscapeResult]) -> None:
    if not any(len(result.recording) for result in results):
        raise ExportError("There is no run to draw.")
