"""A movie of a run or a race on a landscape: paths that grow over the contours, all at equal evaluations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lieapp.export.captions import KeyEntry
from lieapp.export.errors import ExportError
from lieapp.export.frames import check_size
from lieapp.export.landscape_figures import LandscapeResult
from lieapp.export.landscape_frames import LandscapeFrames
from lieapp.export.landscape_traces import Spot, Trace
from lieapp.export.movie_files import check_movie_path, open_movie
from lieapp.export.movie_moments import even_budgets, settled_after
from lieapp.export.movie_writing import Cancelled, Progress, run_speed, write_pictures
from lieapp.export.quantities import distinct_lines
from lieapp.export.reel import MovieLook
from lieapp.landscapes.plane_keys import has_plane, plane_key
from lieapp.scene.lines import Dash

if TYPE_CHECKING:
    from lieapp.landscapes.catalog import Surface
    from lieapp.landscapes.planes import Plane
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["MOVIE_SIZE", "FilmRequest", "check_filmed", "write_landscape_movie"]

MOVIE_SIZE = (1280, 720)
"""Width and height in pixels unless others are asked for."""

_SETTLED = 1 / 600
"""Of the picture: a run this near to its end has arrived."""
_LONGEST_TITLE = 26
_MARGIN = 1.2
"""So much of the curves is shown beyond the evaluations after which nothing moves."""


def check_filmed(jobs: Sequence[LandscapeJob]) -> None:
    """Refuse, before any work is done, runs that cannot be shown on one picture.

    Raises
    ------
    ExportError
        If there is none, the landscape has no picture, as a network has none, or there are several pictures.
    """
    if not jobs:
        raise ExportError("There is no run to show.")
    first = jobs[0]
    if not (first.description.is_planar or has_plane(first)):
        raise ExportError(f"{first.title} has no picture to film: it is a network.")
    if any(_scene(job) != _scene(first) for job in jobs):
        raise ExportError("The runs of a race are on one landscape; these are on several.")
    if has_plane(first) and any(plane_key(job) != plane_key(first) for job in jobs):
        raise ExportError(
            f"{first.title} is drawn on a plane through the start; these runs have several starts, and planes."
        )


@dataclass(frozen=True)
class FilmRequest:
    """A film that a command was asked for.

    Attributes
    ----------
    path : Path
        See `write_landscape_movie`.
    size : tuple of int
    """

    path: Path
    size: tuple[int, int] = MOVIE_SIZE

    def check(self, jobs: Sequence[LandscapeJob]) -> None:
        """Refuse, before any work is done, what cannot be filmed or written; raises `ExportError`."""
        check_movie_path(self.path)
        check_size(self.size)
        check_filmed(jobs)

    def write(
        self, results: Sequence[LandscapeResult], plane: Plane | None, progress: Progress | None = None
    ) -> list[Path]:
        """Write it, on the plane of a landscape of more than two dimensions; returns the files."""
        return write_landscape_movie(results, self.path, MovieLook(size=self.size), plane=plane, progress=progress)


def write_landscape_movie(
    results: Sequence[LandscapeResult],
    path: Path,
    look: MovieLook | None = None,
    *,
    lines: Sequence[tuple[str, Dash]] | None = None,
    plane: Plane | None = None,
    frames_per_second: int | None = None,
    most_frames: int = 300,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Path]:
    """Write a run, or a race from the start to the end of its longest run, evenly in evaluations.

    In each frame every run is shown at its last recorded point at or below the same number of evaluations, with the
    dimer there where it has one; beside the picture the loss, and the unstable coordinate where a saddle has one.

    Parameters
    ----------
    results : sequence of LandscapeResult
        On one landscape.
    path : Path
        ``.mp4`` or ``.gif``, or a name without suffix: a folder of numbered PNG files. What was there is replaced.
    look : MovieLook, optional
        Size, background and captions; 1280 x 720 by default.
    lines : sequence of (str, tuple of float), optional
        Colour and dash of each run; those of figures by default.
    plane : Plane, optional
        Of a landscape of more than two dimensions, see `lieapp.landscapes.planes.curvature_plane`.
    frames_per_second : int, optional
        By default 25, and less for short runs, so that they last four seconds. The last frame is held for a second.
    most_frames : int
        Of a longer run an even choice of frames is shown.
    progress : callable, optional
        Called with the fraction done, 0 to 1.
    cancelled : callable, optional
        Asked after each frame; True ends the work.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExportCancelled
        If `cancelled` returned True. Nothing is left behind, and what was there before stays.
    ExportError
        If there is nothing to show, see `check_filmed`; the format needs a package that is absent, or a file cannot
        be written.
    """
    look = look or MovieLook(size=MOVIE_SIZE)
    check_size(look.size)
    shown = [
        (result, line)
        for result, line in zip(results, lines or _lines_of(results), strict=True)
        if len(result.recording)
    ]
    check_filmed([result.job for result, _ in shown])
    job = shown[0][0].job
    if plane is None and has_plane(job):
        raise ExportError(f"{job.title} is drawn on a plane, which is not given.")
    project = None if plane is None else plane.project
    traces = [Trace(result.title, result.recording, *line, project) for result, line in shown]
    surface = job.surface if plane is None else plane
    budgets = _budgets(traces, surface.domain, most_frames)
    speed, held = run_speed(len(budgets), frames_per_second)
    file = open_movie(path, look.size, speed, transparent=look.transparent)
    pictures = _pictures(job.title, traces, budgets, replace(look, size=file.size), surface)
    return write_pictures(file, pictures, len(budgets), held=held, progress=progress, cancelled=cancelled)


def _scene(job: LandscapeJob) -> tuple[object, ...]:
    return job.landscape, job.formula, job.domain


def _lines_of(results: Sequence[LandscapeResult]) -> list[tuple[str, Dash]]:
    return distinct_lines([result.job.optimizer.name for result in results])


def _pictures(
    title: str, traces: Sequence[Trace], budgets: Sequence[float], look: MovieLook, surface: Surface | Plane
) -> Iterator[NDArray[np.uint8]]:
    # The last frame may lie far behind the one before, where nothing moves any more.
    moving = budgets[-2] if len(budgets) > 1 else budgets[-1]
    frames = LandscapeFrames(
        surface,
        traces,
        look.size,
        background=look.background,
        captions=look.captions,
        transparent=look.transparent,
        last=min(_MARGIN * moving, budgets[-1]),
    )
    what = f"race of {len(traces)}" if len(traces) > 1 else traces[0].title
    each = " each" if len(traces) > 1 else ""
    for budget in budgets:
        spots = [trace.spot(budget) for trace in traces]
        words = [f"{title}, {what}", f"after {budget:.0f} evaluations{each}"]
        entries = [_entry(trace, spot) for trace, spot in zip(traces, spots, strict=True)]
        yield frames.draw(budget, words, entries, spots)


def _entry(trace: Trace, spot: Spot) -> KeyEntry:
    loss = f"{spot.loss:.3g}".replace("-", "−")
    title = trace.title if len(trace.title) <= _LONGEST_TITLE else f"{trace.title[: _LONGEST_TITLE - 1]}…"
    return KeyEntry(f"{title}  loss {loss}{spot.outcome}", trace.color, trace.dash)


def _budgets(
    traces: Sequence[Trace], domain: tuple[tuple[float, float], tuple[float, float]], most: int
) -> list[float]:
    sides = np.array([high - low for low, high in domain])
    settled = [
        settled_after(trace.recording, ~(np.abs((trace.places - trace.places[-1]) / sides).max(axis=1) < _SETTLED))
        for trace in traces
    ]
    return even_budgets(max(settled), max(float(trace.evaluations[-1]) for trace in traces), most)
