"""Curves beside the picture of a landscape, and lines that grow from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.quantity import Quantity
from lieapp.export.landscape_traces import Spot, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DOTS_PER_INCH", "CurvePanel", "GrowingLine", "line_style", "points_of", "rows_apart"]

Array = NDArray[np.float64]

DOTS_PER_INCH = 100.0
"""Of a picture of the usual size."""

_NEAR = 0.25  # pixels: nearer points cannot be told apart
_LOG_RANGE = 30.0


@dataclass(eq=False)
class GrowingLine:
    """A path or a curve as far as it has come. Points that cannot be told apart are drawn once.

    Attributes
    ----------
    artists : tuple of Line2D
        The casing, if it has one, and the line.
    points : ndarray, shape=(points, 2)
        In data of the axes.
    rows : ndarray, shape=(kept,)
        Those that are drawn.
    """

    artists: tuple[Any, ...]
    points: Array
    rows: NDArray[np.int64]

    def show(self, last: int) -> None:
        """Let it end at a row."""
        rows = self.rows[: int(np.searchsorted(self.rows, last, side="right"))]
        shown = self.points[rows if len(rows) and rows[-1] == last else np.append(rows, last)]
        for artist in self.artists:
            artist.set_data(shown[:, 0], shown[:, 1])


class CurvePanel:
    """One column of the recordings against evaluations, with a cursor that moves.

    Parameters
    ----------
    axes : Axes
        Of which the part of the abscissa is chosen.
    quantity : Quantity
        Of the column "loss" or "unstable_coordinate".
    traces : sequence of Trace
    ink : str
        Colour of the cursor.
    unit : float
        Pixels of the picture that are one of a picture of usual size.

    Attributes
    ----------
    artists : list of Line2D
        What moves.
    """

    def __init__(self, axes: Axes, quantity: Quantity, traces: Sequence[Trace], ink: str, unit: float) -> None:
        self._axes, self._traces, self._ink, self._unit = axes, traces, ink, unit
        column, floor = quantity.column, quantity.floor
        values = [trace.column(column) for trace in traces]
        if column != "loss":
            values = [np.abs(each) for each in values]
        first, every = np.array([each[0] for each in values]), np.concatenate(values)
        finite = every[np.isfinite(every)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        # A run that goes astray must not press the others flat.
        first = first[np.isfinite(first)]
        high = min(high, float(first.max()) + 0.3 * (float(first.max()) - low)) if len(first) else high
        logarithmic = column != "loss" or (low >= 0.0 and high > _LOG_RANGE * max(low, floor))
        if column != "loss" and len(finite):
            high = float(finite.max())
        if logarithmic:
            axes.set_yscale("log")
            # As raised exponents the powers would be too small to be read.
            axes.yaxis.set_major_formatter(lambda value, place: _power(value))
            axes.yaxis.set_minor_formatter(lambda value, place: "")
            low, high = max(low, floor), max(high, 10.0 * floor)
            axes.set_ylim(low / 1.6, max(high * 1.6, low * 10.0))
            values = [np.maximum(each, floor) for each in values]
        else:
            margin = 0.06 * (high - low) or max(abs(high), 1.0) * 0.06
            axes.set_ylim(low - margin, high + margin)
        self._curves = [np.stack([t.evaluations[: len(v)], v], axis=1) for t, v in zip(traces, values, strict=True)]
        self.artists: list[Any] = []

    def make_lines(self) -> None:
        """Make what moves, once the axes have their place."""
        from matplotlib.lines import Line2D

        self._cursor = Line2D([], [], color=self._ink, linewidth=points_of(1.5), alpha=0.6)
        self._lines = []
        self._dots = []
        for trace, curve in zip(self._traces, self._curves, strict=True):
            line = Line2D([], [], color=trace.color, linewidth=points_of(2.4), linestyle=line_style(trace.dash))
            rows = rows_apart(self._axes.transData.transform(curve) / self._unit)
            self._lines.append(GrowingLine((line,), curve, rows))
            self._dots.append(Line2D([], [], marker="o", markersize=points_of(9), color=trace.color, linestyle=""))
        self.artists = [self._cursor, *(line.artists[0] for line in self._lines), *self._dots]
        for artist in self.artists:
            artist.set_animated(True)
            self._axes.add_line(artist)
            artist.set_clip_path(self._axes.patch)

    def show(self, evaluations: float, spots: Sequence[Spot]) -> None:
        """Let the curves end where the runs are."""
        self._cursor.set_data([evaluations] * 2, self._axes.get_ylim())
        for line, dot, curve, spot in zip(self._lines, self._dots, self._curves, spots, strict=True):
            line.show(spot.frame)
            dot.set_data(*curve[spot.frame][:, None])


def rows_apart(pixels: Array) -> NDArray[np.int64]:
    """Return the rows of points, shape (points, 2) in pixels, that can be told from the one before."""
    if not len(pixels):
        return np.empty(0, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        cells = np.round(np.where(np.isfinite(pixels), pixels, -1e9) / _NEAR)
    moved = np.append(True, (cells[1:] != cells[:-1]).any(axis=1))
    return np.flatnonzero(moved)


def _power(value: float) -> str:
    """Return a power of ten as text, small numbers as they are."""
    if 0.1 <= value <= 1000.0:
        return f"{value:g}"
    return f"1e{round(math.log10(value))}".replace("-", "−") if value > 0.0 else ""


def points_of(pixels: float) -> float:
    """Return the printer's points of a length in pixels of the picture that all are like."""
    return pixels * 72.0 / DOTS_PER_INCH


def line_style(dash: Sequence[float]) -> Any:
    """Return what matplotlib calls a dash, given in line widths; none is a solid line."""
    return (0, tuple(dash)) if dash else "-"
