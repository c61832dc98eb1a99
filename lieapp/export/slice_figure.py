"""The slice of the loss for print: contours, the paths of the runs, what is known about the plane."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lieapp.alignment.slice import Slice
from lieapp.export.figure_files import figure_style, new_figure, place_legend, save_figure
from lieapp.export.quantities import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_slice", "write_slice_figure"]

_LEVELS = 16
_MARKERS = ("*", "^", "v", "X")  # by the number of directions that lead down


def draw_slice(slice_: Slice, curves: Sequence[Curve] = (), *, columns: int = 1) -> Figure:
    """Draw the values on a plane of poses, with the paths of runs.

    Parameters
    ----------
    slice_ : Slice
    curves : sequence of Curve, optional
        Runs of the same pair. Of each, the recorded poses are drawn at the nearest points of the plane: a ring where
        it began and a dot at its best pose.
    columns : {1, 2}
        Columns of a journal that the figure fills.

    Returns
    -------
    Figure
    """
    with figure_style():
        figure = new_figure(columns, aspect=0.86 if columns == 1 else 0.7)
        axes = figure.add_subplot()
        plane = slice_.plane
        within = slice_.values[slice_.inside & np.isfinite(slice_.values)]
        # Beyond the rim the same poses come again: they are cut off along it, not along the squares of the grid.
        shown = np.clip(slice_.values, within.min(), within.max()) if len(within) else slice_.values
        values = np.ma.masked_invalid(shown)
        # As in the window: what is sought is dark.
        colors = "viridis_r" if slice_.maximised else "viridis"
        filled = axes.contourf(slice_.x, slice_.y, values, levels=_LEVELS, cmap=colors)
        lines = axes.contour(slice_.x, slice_.y, values, levels=_LEVELS, colors="black", linewidths=0.25, alpha=0.5)
        bar = figure.colorbar(filled, ax=axes, shrink=0.9)
        bar.outline.set_visible(False)
        bar.set_label(f"{slice_.title} ({slice_.unit})" if slice_.unit else slice_.title)
        if plane.rim is not None:
            angle = np.linspace(0.0, 2 * np.pi, 361)
            (circle,) = axes.fill(plane.rim * np.cos(angle), plane.rim * np.sin(angle), fill=False, linewidth=0.6)
            for drawn in (filled, lines):
                drawn.set_clip_path(circle)
        for curve in curves:
            _path(axes, slice_, curve)
        _marks(axes, slice_)
        if plane.axes[0].unit == plane.axes[1].unit:
            axes.set_aspect("equal")
        axes.set_xlim(1.02 * slice_.x[0], 1.02 * slice_.x[-1])
        axes.set_ylim(1.02 * slice_.y[0], 1.02 * slice_.y[-1])
        axes.set_xlabel(plane.axes[0].label)
        axes.set_ylabel(plane.axes[1].label)
        place_legend(figure, axes, columns)
    return figure


def _path(axes: Axes, slice_: Slice, curve: Curve) -> None:
    """Draw the recorded poses of a run; lines are broken where the path leaves at the rim and goes on opposite."""
    from matplotlib.patheffects import Normal, Stroke

    recording = curve.result.recording
    projection = slice_.plane.project(recording.states("rotation")[:, 0], recording.states("translation")[:, 0])
    points = projection.coordinates
    breaks = np.flatnonzero(~projection.continues[:-1]) + 1
    broken = np.insert(points, breaks, np.nan, axis=0)
    outlined: list[Any] = [Stroke(linewidth=2.6, foreground="white"), Normal()]
    axes.plot(
        *broken.T,
        color=curve.color,
        linestyle=(0, curve.dash) if curve.dash else "-",
        label=curve.title,
        path_effects=outlined,
        zorder=3,
    )
    best = int(np.searchsorted(recording.state_frames, recording.kept(recording.best)))
    ring: dict[str, Any] = {"markersize": 4.5, "markeredgewidth": 1.0, "linestyle": "none", "zorder": 4}
    axes.plot(*points[0], marker="o", markerfacecolor="white", markeredgecolor=curve.color, **ring)
    axes.plot(*points[best], marker="o", markerfacecolor=curve.color, markeredgecolor="white", **ring)


def _marks(axes: Axes, slice_: Slice) -> None:
    """Draw the critical points; those off the plane are pale, and say by how much."""
    for mark in slice_.marks:
        marker = "D" if mark.index is None else _MARKERS[min(mark.index, len(_MARKERS) - 1)]
        title = mark.title if mark.in_plane else f"{mark.title} ({mark.distance:.1f} Å off)"
        axes.plot(
            *mark.places.T,
            marker=marker,
            markersize=7 if marker == "*" else 5,
            markerfacecolor="white",
            markeredgecolor="black",
            markeredgewidth=0.7,
            linestyle="none",
            alpha=1.0 if mark.in_plane else 0.45,
            label=title,
            clip_on=False,
            zorder=5,
        )


def write_slice_figure(slice_: Slice, path: Path, curves: Sequence[Curve] = (), *, columns: int = 1) -> Path:
    """Draw a slice and write it; the suffix is the format. See `draw_slice`.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    return save_figure(draw_slice(slice_, curves, columns=columns), path)
