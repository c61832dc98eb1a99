"""Figures of reconstructions for print: progress, correlations and errors over resolution, central slices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.quantities import CRYOEM_QUANTITIES
from lieapp.cryoem.resolution import FSC_HALF_MAPS, FSC_TRUTH
from lieapp.engine.quantity import EVALUATIONS
from lieapp.export.errors import ExportError
from lieapp.export.figure_files import FIGURE_FORMATS, figure_style, new_figure, place_legend, save_figure, settle
from lieapp.export.quantities import distinct_lines
from lieapp.export.reconstruction import Reconstruction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lieapp.cryoem.baselines import Baselines

__all__ = [
    "Line",
    "draw_error_pictures",
    "draw_reconstruction_progress",
    "draw_shells",
    "draw_slices",
    "write_reconstruction_figures",
]

Line = tuple[str, tuple[float, ...]]

_REFERENCE: dict[str, Any] = {"color": "black", "linewidth": 0.8}
_GAP = CRYOEM_QUANTITIES[0]
_TICKS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def draw_reconstruction_progress(
    results: Sequence[Reconstruction],
    *,
    baselines: Baselines | None = None,
    lines: Sequence[Line] | None = None,
    columns: int = 1,
) -> Figure:
    """Draw the loss gap of runs over their cost, with the line of the one-pass reconstruction.

    Parameters
    ----------
    results : sequence of Reconstruction
        On the same images.
    baselines : Baselines, optional
    lines : sequence of (str, tuple of float), optional
        Colour and dash of every run; those of their optimisers by default.
    columns : {1, 2}
        Columns of a journal that the figure fills.

    Raises
    ------
    ExportError
        If there is no run.
    """
    with figure_style():
        figure = new_figure(columns, aspect=0.78 if columns == 1 else 0.5)
        axes = figure.add_subplot()
        for result, style in zip(results, _styles(results, lines), strict=True):
            cost, gap = (result.recording.column(name) for name in (EVALUATIONS.column, _GAP.column))
            known = np.isfinite(gap)  # above box 32 it is not computed in every frame
            axes.plot(cost[known], np.maximum(gap[known], _GAP.floor), label=result.title, **style)
        if baselines is not None and np.isfinite(baselines.one_pass.loss_gap):
            axes.axhline(baselines.one_pass.loss_gap, label="one pass", linestyle=(0, (2.0, 2.0)), **_REFERENCE)
        axes.set_yscale("log")
        axes.set_xlabel(EVALUATIONS.label)
        axes.set_ylabel(_GAP.label)
        axes.margins(x=0.02)
        place_legend(figure, axes, columns)
    return figure


def draw_shells(
    results: Sequence[Reconstruction],
    column: str = "fsc_truth",
    *,
    frames: Sequence[int] | None = None,
    baselines: Baselines | None = None,
    lines: Sequence[Line] | None = None,
    columns: int = 1,
) -> Figure:
    """Draw one number for every shell over resolution: a correlation, or the error against the exact minimiser.

    Parameters
    ----------
    results : sequence of Reconstruction
        On the same images.
    column : {"fsc_truth", "fsc_half", "shell_error"}
        Runs without it are left out.
    frames : sequence of int, optional
        Frame of every run; the last by default.
    baselines, lines, columns
        As in `draw_reconstruction_progress`.

    Raises
    ------
    ExportError
        If no run has such numbers.
    """
    correlation = column.startswith("fsc")
    places = [-1] * len(results) if frames is None else list(frames)
    drawn = 0
    with figure_style():
        figure = new_figure(columns, aspect=0.78 if columns == 1 else 0.5)
        axes = figure.add_subplot()
        for result, style, frame in zip(results, _styles(results, lines), places, strict=True):
            values = result.recording.state(frame).get(column)
            if values is not None and np.isfinite(values[1:]).any():
                axes.plot(_frequencies(result, len(values)), values[1:], label=result.title, **style)
                drawn += 1
        if not drawn:
            raise ExportError(f"No run has {column} by shell.")
        for name, dash in (("one_pass", (2.0, 2.0)), ("minimiser", (6.0, 3.0))):
            baseline = None if baselines is None or column == "fsc_half" else getattr(baselines, name)
            values = None if baseline is None else getattr(baseline, column)
            if values is not None and np.isfinite(values[1:]).any() and (correlation or name == "one_pass"):
                label = "one pass" if name == "one_pass" else "exact minimiser"
                axes.plot(_frequencies(results[0], len(values)), values[1:], label=label, linestyle=(0, dash),
                          **_REFERENCE)  # fmt: skip
        if correlation:
            for level in (FSC_TRUTH, FSC_HALF_MAPS):
                axes.axhline(level, color="0.6", linewidth=0.6, linestyle="--", zorder=0)
                axes.annotate(f"{level:g}", (1.0, level), xycoords=("axes fraction", "data"), xytext=(2, 0),
                              textcoords="offset points", va="center", fontsize=7, color="0.4")  # fmt: skip
            axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.02)
            axes.set_ylabel("correlation of half maps" if column == "fsc_half" else "correlation with the truth")
        else:
            axes.set_yscale("log")
            for kind in ("major", "minor"):
                getattr(axes.yaxis, f"set_{kind}_formatter")(_plain)
            axes.set_ylabel("error relative to the exact minimiser")
        _label_resolution(axes)
        place_legend(figure, axes, columns)
    return figure


def draw_error_pictures(results: Sequence[Reconstruction]) -> Figure:
    """Draw the error of every shell in every epoch, a picture for each run at one scale.

    Raises
    ------
    ExportError
        If there is no run.
    """
    _need(results)
    with figure_style():
        figure = new_figure(2, aspect=min(0.24 + 0.05 * len(results), 0.5))
        places = np.atleast_1d(figure.subplots(1, len(results), sharey=True))
        picture: Any = None
        for result, axes in zip(results, places, strict=True):
            recording = result.recording
            kept = [frame for frame in range(len(recording)) if recording.kept(frame) == frame]
            errors = np.stack([recording.state(frame)["shell_error"][1:] for frame in kept]).astype(np.float64)
            epochs = recording.column("epoch")[kept]
            frequency = _frequencies(result, errors.shape[1] + 1)
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log10(errors)
            picture = axes.pcolormesh(frequency, epochs, logs, cmap="cividis", vmin=-2.0, vmax=0.3, shading="nearest",
                                      rasterized=True)  # fmt: skip
            axes.set_title(result.title, fontsize=8)
            _label_resolution(axes)
        places[0].set_ylabel("epoch")
        bar = figure.colorbar(picture, ax=list(places), ticks=[-2.0, -1.0, 0.0])
        bar.ax.set_yticklabels(["0.01", "0.1", "1"])
        bar.set_label("relative error")
    return figure


def draw_slices(
    results: Sequence[Reconstruction], *, baselines: Baselines | None = None, frames: Sequence[int] | None = None
) -> Figure:
    """Draw three central planes of every map, and of the truth where it is known, at equal grey levels.

    Raises
    ------
    ExportError
        If there is no run.
    """
    _need(results)
    places = [-1] * len(results) if frames is None else list(frames)
    maps = [(r.title, r.recording.state(frame)["map"]) for r, frame in zip(results, places, strict=True)]
    if baselines is not None:
        first = ("one pass", baselines.one_pass.map) if baselines.truth is None else ("truth", baselines.truth)
        maps.insert(0, first)
    low, high = np.quantile(_planes(maps[0][1]), (0.005, 0.995))
    with figure_style():
        figure = new_figure(2, aspect=3.0 / len(maps) + 0.05)
        cells = figure.subplots(3, len(maps), squeeze=False)
        for column, (title, values) in enumerate(maps):
            for row, plane in enumerate(_planes(values)):
                axes = cells[row, column]
                axes.imshow(plane, cmap="gray", vmin=low, vmax=high, origin="lower", interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                for side in axes.spines.values():
                    side.set_visible(False)
            cells[0, column].set_title(title, fontsize=8)
        for row, words in enumerate(("xy", "xz", "yz")):
            cells[row, 0].set_ylabel(words)
    return figure


def write_reconstruction_figures(
    results: Sequence[Reconstruction],
    folder: Path,
    *,
    baselines: Baselines | None = None,
    lines: Sequence[Line] | None = None,
    formats: Sequence[str] = FIGURE_FORMATS,
) -> list[Path]:
    """Write all figures of runs on the same images in every format; return the files.

    Raises
    ------
    ExportError
        If there is no run, or a file cannot be written.
    """
    _need(results)
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"baselines": baselines, "lines": lines}
    figures = {
        "progress": draw_reconstruction_progress(results, **options),
        "slices": draw_slices(results, baselines=baselines),
    }
    for name, column in (("fsc", "fsc_truth"), ("fsc_half", "fsc_half"), ("shell_error", "shell_error")):
        if any(_known(result, column) for result in results):
            figures[name] = draw_shells(results, column, **options)
    if any(_known(result, "shell_error") for result in results):
        figures["shell_error_epochs"] = draw_error_pictures(results)
    return [
        save_figure(settle(figure), folder / f"{name}.{kind}") for name, figure in figures.items() for kind in formats
    ]


def _need(results: Sequence[Reconstruction]) -> None:
    if not results:
        raise ExportError("There is no run to draw.")


def _styles(results: Sequence[Reconstruction], lines: Sequence[Line] | None) -> list[dict[str, Any]]:
    _need(results)
    chosen = distinct_lines([result.job.optimizer.name for result in results]) if lines is None else lines
    return [{"color": color, "linestyle": (0, dash) if dash else "-"} for color, dash in chosen]


def _known(result: Reconstruction, column: str) -> bool:
    values = result.recording.state(-1).get(column)
    return values is not None and bool(np.isfinite(values[1:]).any())


def _frequencies(result: Reconstruction, shells: int) -> NDArray[np.float64]:
    return np.arange(1, shells) / (result.report.box * result.report.pixel_size_angstrom)


def _label_resolution(axes: Axes) -> None:
    """Label an axis of frequencies in 1/Å by round distances in Å."""
    low, high = axes.get_xlim()
    decade = 10.0 ** np.floor(np.log10(1.0 / high))
    ticks: list[float] = []
    for distance in [step * decade * 10.0**k for k in range(4) for step in _TICKS]:
        frequency = 1.0 / distance
        if max(low, 0.0) <= frequency <= high and (not ticks or ticks[-1] - frequency > 0.11 * (high - low)):
            ticks.append(frequency)
    axes.set_xticks(ticks, [f"{1.0 / tick:.3g}" for tick in ticks])
    axes.set_xlabel("resolution (Å)")


def _plain(value: float, place: int | None = None) -> str:
    """Return the label of a tick: round numbers of a decade as they are, none for the others."""
    return f"{value:g}" if f"{value:.0e}"[0] in "125" else ""


def _planes(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the planes z = 0, y = 0 and x = 0, shape=(3, box, box)."""
    middle = len(values) // 2
    return np.stack([values[middle], values[:, middle], values[:, :, middle]])
