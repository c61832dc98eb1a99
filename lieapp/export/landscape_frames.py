"""Frames of runs on a landscape: what lies still is drawn once, and what moves on top of it, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.quantity import EVALUATIONS, quantities_by_column
from lieapp.export.captions import Caption, KeyEntry
from lieapp.export.figure_files import figure_style
from lieapp.export.landscape_curves import DOTS_PER_INCH, CurvePanel, GrowingLine, line_style, points_of, rows_apart
from lieapp.export.landscape_figures import draw_contours
from lieapp.export.landscape_traces import Spot, Trace
from lieapp.landscapes.catalog import Surface
from lieapp.landscapes.quantities import LANDSCAPE_QUANTITIES
from lieapp.scene.colors import CURVATURE_DOWN, CURVATURE_UP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lieapp.landscapes.planes import Plane

__all__ = ["LandscapeFrames"]

Array = NDArray[np.float64]

# All lengths are pixels of a picture that is so large; others are like it, smaller or larger.
_WIDE, _HIGH = 1280.0, 720.0
_TEXT, _SMALL, _SIGN = 16.0, 15.0, 14.0
_LINES = (18.0, 22.0)  # of the caption, least and most
_BETWEEN = 0.528  # of the width: left of it the picture, right of it the key and the curves
_MOST_KEY = 0.42  # of the height
_SAME_SCALE = (0.6, 1.7)
"""Ratios of the sides of a domain that is drawn at one scale."""
_ARM, _HEAD = 36.0, 9.0
_BADGE = (14.0, -28.0)  # from a dot to its number
_INK = "#1B2430"
_ENTRY_LETTERS = 34  # of "  loss −1.39e−05, converged at 1234"
_LETTER, _BEFORE = 0.44, 5.5  # widths of a letter, and of what stands before them, in heights of a line
_SIGNS = {
    "minimum": ("o", "minimum"),
    "saddle": ("D", "saddle"),
    "maximum": ("s", "maximum"),
    "degenerate": ("D", "undecided"),
}
"""Marker and name of a stationary point, as in the window."""


class LandscapeFrames:
    """Draws frames, one after another.

    Parameters
    ----------
    surface : Surface or Plane
    traces : sequence of Trace
    size : tuple of int
        Width and height in pixels; letters grow with them.
    background : str
        ``"#RRGGBB"``.
    captions : bool
        Write the words, the key, and a number at each run.
    transparent : bool
        Leave the background transparent.
    last : float, optional
        Evaluations that the curves show; by default those of the longest run.

    Notes
    -----
    Letters have 14 pixels at least in a picture of 1280 x 720.
    """

    def __init__(
        self,
        surface: Surface | Plane,
        traces: Sequence[Trace],
        size: tuple[int, int],
        *,
        background: str = "#FFFFFF",
        captions: bool = True,
        transparent: bool = False,
        last: float | None = None,
    ) -> None:
        self.size = size
        self._traces = traces
        self._last = last or max(float(trace.evaluations[-1]) for trace in traces) or 1.0
        self._unit = min(size[0] / _WIDE, size[1] / _HIGH)
        self._wide, self._high = size[0] / self._unit, size[1] / self._unit
        self._between = _BETWEEN * self._wide
        line = self._caption_line()
        self._caption = Caption((size[0], round(26 * line * self._unit)), background) if captions else None
        self._key_place = round((self._between + 26) * self._unit), round(12 * self._unit)
        dark = background.upper() != "#FFFFFF" and _luminance(background) < 0.5
        self._ink = "#F0F1F3" if dark else _INK
        with figure_style():
            self._make(surface, background, transparent=transparent, key=line * len(traces) if captions else 0.0)

    def draw(
        self, evaluations: float, lines: Sequence[str], entries: Sequence[KeyEntry], spots: Sequence[Spot]
    ) -> NDArray[np.uint8]:
        """Return the frame at a number of evaluations, shape (height, width, 4).

        Parameters
        ----------
        evaluations : float
            Where the cursor of the curves is.
        lines : sequence of str
            Words at the top left.
        entries : sequence of KeyEntry
        spots : sequence of Spot
            Where the runs are, in the order of the traces.
        """
        canvas: Any = self._figure.canvas
        canvas.restore_region(self._still)
        for number, spot in enumerate(spots):
            self._show_path(number, spot)
        for panel in self._panels:
            panel.show(evaluations, spots)
        for artist in self._moving:
            artist.axes.draw_artist(artist)
        picture = np.array(canvas.buffer_rgba())
        if self._caption is None:
            return picture
        return self._caption.write(picture, lines, entries, self._marks(spots), self._key_place)

    def _caption_line(self) -> float:
        """Return the height of a line of the key, so that it leaves room for the curves and its words fit."""
        letters = _ENTRY_LETTERS + max(len(trace.title) for trace in self._traces)
        fitting = (self._wide - self._between - 34) / (_LETTER * letters + _BEFORE)
        least, most = _LINES
        return min(max(min(fitting, most), least), _MOST_KEY * self._high / len(self._traces))

    # -- what lies still ------------------------------------------------------------------------------------------

    def _make(self, surface: Surface | Plane, background: str, *, transparent: bool, key: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        dots = DOTS_PER_INCH * self._unit
        figure = Figure(figsize=(self.size[0] / dots, self.size[1] / dots), dpi=dots)
        canvas = FigureCanvasAgg(figure)
        figure.patch.set_facecolor(background)
        figure.patch.set_alpha(0.0 if transparent else 1.0)
        self._figure = figure
        self._moving: list[Any] = []
        self._axes = self._add_axes((92, 70, self._between, self._high - 98))
        (x0, x1), (y0, y1) = surface.domain
        if _SAME_SCALE[0] < (x1 - x0) / (y1 - y0) < _SAME_SCALE[1]:
            self._axes.set_aspect("equal", anchor="N")
        draw_contours(self._axes, surface)
        labels = ("x", "y") if isinstance(surface, Surface) else surface.labels
        self._axes.set(xlim=(x0, x1), ylim=(y0, y1), xlabel=labels[0], ylabel=labels[1])
        points = surface.stationary_points if isinstance(surface, Surface) else surface.points
        self._draw_points([(point.kind, point.index, point.position) for point in points])
        self._draw_start()
        self._panels = self._make_panels(top=24 + key + 20 if key else 24)
        canvas.draw()  # settles scales, so that lengths in pixels are known
        self._make_paths()
        self._draw_sign_key(surface)
        for panel in self._panels:
            panel.make_lines()
            self._moving += panel.artists
        canvas.draw()
        self._still = canvas.copy_from_bbox(figure.bbox)

    def _add_axes(self, box: tuple[float, float, float, float]) -> Axes:
        """Return axes in a box of left, top, right and bottom, in pixels of the picture that all are like."""
        left, top, right, bottom = (edge * self._unit for edge in box)
        wide, high = self.size
        axes = self._figure.add_axes((left / wide, 1 - bottom / high, (right - left) / wide, (bottom - top) / high))
        axes.tick_params(labelsize=points_of(_SMALL), colors=self._ink, length=5)
        axes.xaxis.label.set(fontsize=points_of(_TEXT), color=self._ink)
        axes.yaxis.label.set(fontsize=points_of(_TEXT), color=self._ink)
        for spine in axes.spines.values():
            spine.set_edgecolor(self._ink)
        axes.patch.set_alpha(0.0)
        return axes

    def _draw_points(self, points: Sequence[tuple[str, int, tuple[float, ...]]]) -> None:
        self._kinds = sorted({(kind, index) for kind, index, _ in points}, key=lambda each: (each[1], each[0]))
        for kind, index, place in points:
            self._draw_sign(self._axes, kind, index, place[:2], clipped=True)

    def _draw_sign(self, axes: Axes, kind: str, index: int, place: Sequence[float], *, clipped: bool) -> None:
        marker, _ = _SIGNS[kind]
        size = points_of((17.0 if marker == "D" else 20.0) * (1.0 if index < 10 else 1.35))
        axes.plot(
            *place, marker=marker, markersize=size, markerfacecolor="white", markeredgecolor=_INK, markeredgewidth=1.2,
            linestyle="", zorder=5, clip_on=clipped,
        )  # fmt: skip
        axes.text(
            place[0], place[1], "?" if kind == "degenerate" else str(index), ha="center", va="center_baseline",
            color=_INK, fontsize=points_of(_SIGN), zorder=5.5, clip_on=clipped,
        )  # fmt: skip

    def _draw_start(self) -> None:
        starts = np.unique(np.stack([trace.places[0] for trace in self._traces]).round(9), axis=0)
        for start in starts[np.isfinite(starts).all(axis=1)]:
            self._axes.plot(*start, **_star(), zorder=6)

    def _draw_sign_key(self, surface: Surface | Plane) -> None:
        """Name the signs on the picture, in one line at the bottom."""
        from matplotlib.lines import Line2D

        axes = self._add_axes((0, self._high - 34, self._wide, self._high - 2))
        axes.axis("off")
        axes.set(xlim=(0, self._wide), ylim=(-16, 16))
        left = 24.0

        def write(text: str) -> None:
            nonlocal left
            said = axes.text(left, 0, text, va="center_baseline", fontsize=points_of(_SMALL), color=self._ink)
            canvas: Any = self._figure.canvas
            left += said.get_window_extent(canvas.get_renderer()).width / self._unit + 24

        axes.plot(left, 0, **_star())
        left += 18
        write("start")
        for kind, index in self._kinds:
            self._draw_sign(axes, kind, index, (left, 0.0), clipped=False)
            left += 18 if index < 10 else 24
            write(_SIGNS[kind][1])
        if any(trace.any_dimer for trace in self._traces):
            for color, text in ((CURVATURE_DOWN, "dimer, C < 0"), (CURVATURE_UP, "C > 0")):
                axes.add_line(Line2D([left - 6, left + 20], [0, 0], color=color, linewidth=points_of(3)))
                left += 28
                write(text)
        if not isinstance(surface, Surface):
            write("Paths leave this plane and are projected.")

    # -- what moves -----------------------------------------------------------------------------------------------

    def _make_paths(self) -> None:
        from matplotlib.lines import Line2D

        self._paths: list[GrowingLine] = []
        self._dots: list[Any] = []
        self._arms: list[tuple[Any, Any]] = []
        for trace in self._traces:
            casing = Line2D([], [], color="white", linewidth=points_of(5), alpha=0.75, solid_joinstyle="round")
            line = Line2D([], [], color=trace.color, linewidth=points_of(2.6), linestyle=line_style(trace.dash))
            self._paths.append(GrowingLine((casing, line), trace.places, self._rows(self._axes, trace.places)))
        # All casings lie below all lines: no run hides another one.
        for layer in zip(*(path.artists for path in self._paths), strict=True):
            for artist in layer:
                self._move(self._axes, artist)
        for _ in self._traces:
            pair = Line2D([], [], color="white", linewidth=points_of(7)), Line2D([], [], linewidth=points_of(3))
            for arm in pair:
                arm.set_solid_capstyle("round")
                self._move(self._axes, arm)
            self._arms.append(pair)
        for trace in self._traces:
            dot = Line2D([], [], marker="o", markersize=points_of(13), color=trace.color, markeredgecolor="white",
                         markeredgewidth=points_of(2), linestyle="")  # fmt: skip
            self._move(self._axes, dot)
            self._dots.append(dot)

    def _move(self, axes: Axes, artist: Any) -> None:
        artist.set_animated(True)
        axes.add_line(artist)
        artist.set_clip_path(axes.patch)
        self._moving.append(artist)

    def _rows(self, axes: Axes, points: Array) -> NDArray[np.int64]:
        return rows_apart(axes.transData.transform(points) / self._unit)

    def _show_path(self, number: int, spot: Spot) -> None:
        self._paths[number].show(spot.row)
        self._dots[number].set_data(*spot.place[:, None])
        shape = np.empty((0, 2)) if spot.direction is None else self._arrow(spot.place, spot.direction)
        for arm in self._arms[number]:
            arm.set_data(shape[:, 0], shape[:, 1])
        self._arms[number][1].set_color(CURVATURE_DOWN if spot.curvature < 0 else CURVATURE_UP)

    def _arrow(self, place: Array, direction: Array) -> Array:
        """Return the outline of a double-headed arrow of fixed length on the screen, in data."""
        to_pixels = self._axes.transData
        middle, tip = to_pixels.transform(np.stack([place, place + 1e-3 * direction * self._reach()]))
        along = (tip - middle) / max(float(np.linalg.norm(tip - middle)), 1e-300) * self._unit
        across = np.array([-along[1], along[0]])
        side = _ARM * along, _HEAD * (across * 0.6 - along), _HEAD * (-across * 0.6 - along)
        end, left, right = side
        # One stroke: a gap would need a path of its own.
        stroke = [-end, -end - left, -end, -end - right, -end, end, end + left, end, end + right]
        arrow: Array = to_pixels.inverted().transform(middle + np.array(stroke))
        return arrow

    def _reach(self) -> float:
        (x0, x1), (y0, y1) = self._axes.get_xlim(), self._axes.get_ylim()
        return min(x1 - x0, y1 - y0)

    def _marks(self, spots: Sequence[Spot]) -> Array:
        """Return where the numbers of the runs are written: beside their dots, not on them."""
        pixels = self._axes.transData.transform(np.stack([spot.place for spot in spots]))
        box = self._axes.bbox
        inside = (pixels >= box.min).all(axis=1) & (pixels <= box.max).all(axis=1)
        right, down = pixels[:, 0], self.size[1] - pixels[:, 1]
        marks = np.stack([right, down], axis=1) + np.array(_BADGE) * self._unit
        marks[~inside] = math.nan
        return marks

    # -- curves ---------------------------------------------------------------------------------------------------

    def _make_panels(self, top: float) -> list[CurvePanel]:
        known = quantities_by_column(LANDSCAPE_QUANTITIES)
        columns = ["loss"]
        if all(trace.has("unstable_coordinate") for trace in self._traces):
            columns.append("unstable_coordinate")
        left, bottom, gap = self._between + 100, self._high - 98, 18.0
        height = (bottom - top - gap * (len(columns) - 1)) / len(columns)
        panels = []
        for number, column in enumerate(columns):
            begin = top + number * (height + gap)
            axes = self._add_axes((left, begin, self._wide - 24, begin + height))
            axes.set_ylabel(known[column].title)
            axes.set_xlim(0.0, 1.02 * self._last)
            last = number == len(columns) - 1
            axes.tick_params(labelbottom=last)
            if last:
                axes.set_xlabel(EVALUATIONS.label)
            panels.append(CurvePanel(axes, known[column], self._traces, self._ink, self._unit))
        return panels


def _star() -> dict[str, Any]:
    return {"marker": "*", "markersize": points_of(20), "color": _INK, "markeredgecolor": "white", "linestyle": ""}


def _luminance(color: str) -> float:
    return float(np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) @ [0.299, 0.587, 0.114] / 255)
