"""Figures of basin maps, sweeps and spectra along a path; and their colours, which the window uses too."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lieapp.engine.quantity import EVALUATIONS
from lieapp.export.errors import ExportError, writing
from lieapp.export.figure_files import figure_style, new_figure, place_legend, save_figure
from lieapp.export.landscape_tables import write_basins_csv, write_spectrum_csv, write_sweep_csv
from lieapp.export.quantities import distinct_lines
from lieapp.landscapes.basins import LEFT, NOT_ARRIVED, PENDING, BasinMap
from lieapp.landscapes.sweep import MEASURES, Band, SweepResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lieapp.landscapes.spectrum import PathSpectrum

__all__ = [
    "STUDY_SUFFIXES",
    "basin_colors",
    "basin_letters",
    "draw_basins",
    "draw_spectrum",
    "draw_sweep",
    "write_study",
    "write_sweep",
]

STUDY_SUFFIXES = (".svg", ".pdf", ".png", ".csv")
"""What `write_study` writes."""

# Okabe and Ito's, which people who see few colours tell apart; then the same, paler.
_MINIMA = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442",
           "#7FB8D8", "#F2CF80", "#7FCEB9", "#E5BCD3", "#ABD9F4", "#EAAE80", "#F7F1A0")  # fmt: skip
_OTHERS = {NOT_ARRIVED: "#B8C0C7", LEFT: "#4A545E", PENDING: "#FFFFFF"}
_SADDLE = "#7A5C3E"
_INK = "#1B2430"


def basin_colors(found: BasinMap) -> dict[int, str]:
    """Return the colour of every value of ``reached`` that a map may hold."""
    colors = dict(_OTHERS)
    minima = 0
    for index, point in enumerate(found.points):
        if point.kind == "minimum":
            colors[index] = _MINIMA[minima % len(_MINIMA)]
            minima += 1
        else:
            colors[index] = _SADDLE
    return colors


def basin_letters(found: BasinMap) -> dict[int, str]:
    """Return the letter by which legend and picture name every point that was reached."""
    points = [which for which in found.kinds() if which >= 0]
    return {which: chr(ord("A") + place) if place < 26 else str(place + 1) for place, which in enumerate(points)}


def draw_basins(found: BasinMap, *, costs: bool = False, columns: int = 1) -> Figure:
    """Draw a basin map with the points that were reached.

    Parameters
    ----------
    found : BasinMap
    costs : bool, optional
        Colour by the evaluations that each start took, instead of by the point it reached.
    columns : {1, 2}, optional
    """
    from matplotlib.colors import ListedColormap

    job, letters = found.spec.job, basin_letters(found)
    dx, dy = found.x[1] - found.x[0], found.y[1] - found.y[0]
    extent = (found.x[0] - dx / 2, found.x[-1] + dx / 2, found.y[0] - dy / 2, found.y[-1] + dy / 2)
    kinds = found.kinds()
    with figure_style():
        figure = new_figure(columns, aspect=1.0)
        axes = figure.add_subplot()
        common: dict[str, Any] = {"origin": "lower", "extent": extent, "interpolation": "nearest", "aspect": "auto"}
        if costs:
            drawn = axes.imshow(np.where(found.reached >= 0, found.evaluations, np.nan), cmap="viridis", **common)
            figure.colorbar(drawn, ax=axes, label="evaluations to arrive")
        else:
            colors = basin_colors(found)
            places = np.searchsorted(np.sort(kinds), found.reached)
            colormap = ListedColormap([colors[which] for which in sorted(kinds)])
            axes.imshow(places, cmap=colormap, vmin=-0.5, vmax=len(kinds) - 0.5, **common)
            for which in kinds:
                name = f"{letters[which]}: {found.describe(which)}" if which in letters else found.describe(which)
                share = 100.0 * found.count(which) / found.reached.size
                axes.plot(
                    [], [], marker="s", linestyle="", color=colors[which], markeredgecolor=_INK,
                    markeredgewidth=0.5, label=f"{name}, {share:.3g} %",
                )  # fmt: skip
        for which, letter in letters.items():
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": _INK, "linewidth": 0.6}
            x, y = found.points[which].position
            axes.annotate(letter, (x, y), ha="center", va="center", fontsize=6,
                          color=_INK, bbox=box, annotation_clip=True)  # fmt: skip
        axes.set(xlim=extent[:2], ylim=extent[2:], xlabel="start x", ylabel="start y")
        axes.set_title(f"{job.title}, {job.optimizer.name}", fontsize=7, loc="left")
        if not costs:
            place_legend(figure, axes, columns)
    return figure


def draw_sweep(found: SweepResult | Sequence[SweepResult], measure: str, *, columns: int = 1) -> Figure:
    """Draw the median and the band of one of `MEASURES` over the values of a setting.

    Parameters
    ----------
    found : SweepResult or sequence of SweepResult
        Several are drawn in one figure.
    measure : str
    columns : {1, 2}, optional

    Raises
    ------
    ExportError
        If there is no run.
    """
    results = [found] if isinstance(found, SweepResult) else list(found)
    if not any(result.runs for result in results):
        raise ExportError("There is no run to draw.")
    spec = results[0].spec
    with figure_style():
        figure = new_figure(columns, aspect=0.75)
        axes = figure.add_subplot()
        lines = distinct_lines([result.spec.job.optimizer.name for result in results])
        for result, (color, dash) in zip(results, lines, strict=True):
            bands = result.bands(measure)
            x = np.array([band.value for band in bands])
            median, low, high = (
                np.array([getattr(band, name) for band in bands]) for name in ("median", "low", "high")
            )
            median, low = (np.where(np.isfinite(part), part, np.nan) for part in (median, low))
            highest = np.nanmax(
                [*[run.measure(measure) for run in result.runs if math.isfinite(run.measure(measure))], 0.0]
            )
            high = np.where(np.isfinite(high), high, highest)
            style: Any = (0, dash) if dash else "-"
            axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
            axes.plot(x, median, color=color, linestyle=style, marker="o", markersize=3,
                      label=f"{result.spec.job.optimizer.name}, median of {spec.seeds} and 10–90 %")  # fmt: skip
            _say_misses(axes, bands, color)
        axes.set(xlabel=spec.range.key, ylabel=MEASURES[measure], xscale=spec.range.scale)
        if measure != "loss":
            axes.set_ylim(bottom=0.0)
        # All values asked for, also those at which nothing came there.
        ends = sorted((spec.range.low, spec.range.high))
        if spec.range.scale == "log":
            axes.set_xlim(ends[0] * (ends[0] / ends[1]) ** 0.06, ends[1] * (ends[1] / ends[0]) ** 0.06)
        else:
            room = 0.06 * (ends[1] - ends[0])
            axes.set_xlim(ends[0] - room, ends[1] + room)
        place_legend(figure, axes, columns)
    return figure


def _say_misses(axes: Any, bands: Sequence[Band], color: str) -> None:
    """Write above the values at which some runs never came there how many did."""
    from matplotlib.transforms import blended_transform_factory

    place = blended_transform_factory(axes.transData, axes.transAxes)
    for band in bands:
        if band.reached < band.runs:
            axes.text(band.value, 0.98, f"{band.reached}/{band.runs}", color=color, fontsize=5, ha="center", va="top",
                      transform=place)  # fmt: skip


def draw_spectrum(found: PathSpectrum, title: str = "", *, columns: int = 1) -> Figure:
    """Draw every eigenvalue along a path over evaluations; those of Lanczos as dots.

    Parameters
    ----------
    found : PathSpectrum
    title : str, optional
        Of the run.
    columns : {1, 2}, optional

    Raises
    ------
    ExportError
        If there is no frame.
    """
    if not len(found):
        raise ExportError("There is no spectrum to draw.")
    with figure_style():
        figure = new_figure(columns, aspect=0.75)
        axes = figure.add_subplot()
        width = found.values.shape[1]
        for place in range(width):
            edge = place in (0, width - 1)
            axes.plot(
                found.evaluations,
                found.values[:, place],
                color="#B2182B" if place == 0 else "#2166AC" if place == width - 1 else "#7A858F",
                linewidth=1.0 if edge else 0.4,
                linestyle="-" if found.exact else "none",
                marker=None if found.exact and len(found) > 1 else ".",
                markersize=3,
                label={0: "lowest", width - 1: "highest"}.get(place) if width > 1 else "eigenvalue",
            )
        axes.axhline(0.0, color="black", linestyle=(0, (4.0, 2.5)), linewidth=0.7)
        axes.set(xlabel=EVALUATIONS.label, ylabel="eigenvalues of the Hessian")
        axes.set_yscale("symlog", linthresh=_threshold(found))
        axes.set_title(title, fontsize=7, loc="left")
        place_legend(figure, axes, columns)
    return figure


def _threshold(found: PathSpectrum) -> float:
    sizes = np.abs(found.values[np.isfinite(found.values)])
    return max(float(np.median(sizes)) if sizes.size else 1.0, 1e-9)


def write_sweep(found: SweepResult, folder: Path, stem: str = "sweep") -> list[Path]:
    """Write the table of a sweep, its medians and bands as JSON, and a figure of each measure that any run has.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    record = folder / f"{stem}.json"
    with writing(record):
        record.write_text(json.dumps(found.to_dict(), ensure_ascii=False) + "\n", encoding="utf-8")
    written = [write_sweep_csv(found, folder / f"{stem}.csv"), record]
    for measure in MEASURES:
        if any(band.reached for band in found.bands(measure)):
            written.append(save_figure(draw_sweep(found, measure), folder / f"{stem}-{measure.replace('_', '-')}.svg"))
    return written


def write_study(found: Any, path: Path, **look: Any) -> list[Path]:
    """Write a basin map, a sweep or a spectrum: its numbers where the suffix is ``.csv``, else its figure.

    Parameters
    ----------
    found : BasinMap, SweepResult or PathSpectrum
    path : Path
    **look
        Of the figure: ``costs``, ``measure``, ``title``.

    Raises
    ------
    ExportError
        If the suffix is another one, or the file cannot be written.
    """
    table = path.suffix.lower() == ".csv"
    if isinstance(found, BasinMap):
        return [write_basins_csv(found, path) if table else save_figure(draw_basins(found, **look), path)]
    if isinstance(found, SweepResult):
        return [write_sweep_csv(found, path) if table else save_figure(draw_sweep(found, **look), path)]
    return [write_spectrum_csv(found, path) if table else save_figure(draw_spectrum(found, **look), path)]
