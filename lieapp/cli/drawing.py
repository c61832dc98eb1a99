"""Pictures and movies that a command was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lieapp.cli.app import UsageError, complain

if TYPE_CHECKING:
    from lieapp.export.alignment_result import AlignmentResult
    from lieapp.export.drawings import DrawingRequest
    from lieapp.export.landscape_figures import LandscapeResult
    from lieapp.export.landscape_movie import FilmRequest
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["DrawingOptions", "FilmOptions", "draw_results", "drawing_progress", "film_results"]

MovieOption = Annotated[
    Path | None,
    typer.Option("--movie", metavar="MP4|GIF|DIR", help="Film the run, or the race; DIR gets PNG files."),
]
"""The option of every command that films."""


@dataclass(frozen=True)
class DrawingOptions:
    """What is drawn, and how."""

    render: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the superposition, or the race, into this file.")
    ] = None
    movie: MovieOption = None
    turntable: Annotated[
        Path | None, typer.Option(metavar="MP4|GIF|DIR", help="Film one turn of the superposition.")
    ] = None
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels of what is drawn: 1200x900, films 800x600; up to 4K.")
    ] = None
    style: Annotated[str, typer.Option(metavar="ribbon|tube|spheres", help="How molecules are drawn.")] = "ribbon"
    transparent: Annotated[
        bool, typer.Option("--transparent", help="No background in what is drawn (PNG files only).")
    ] = False

    def request(self) -> DrawingRequest | None:
        """Return what is to be drawn, checked before anything is computed; None for nothing."""
        files = (self.render, self.movie, self.turntable)
        if not any(files):
            if self.size is not None or self.transparent:
                flag = "--transparent" if self.size is None else "--size"
                raise UsageError(f"{flag} goes with --render, --movie or --turntable, or leave it out.")
            return None
        from lieapp.export.drawings import DrawingRequest, parse_size
        from lieapp.export.movie import MovieLook

        look = MovieLook(style=self.style, transparent=self.transparent)
        if self.size is None:
            request = DrawingRequest(*files, look, picture_size=(1200, 900))
        else:
            request = DrawingRequest(*files, replace(look, size=parse_size(self.size)))
        request.check()
        return request


@dataclass(frozen=True)
class FilmOptions:
    """What is filmed of a run that is no pose."""

    movie: MovieOption = None
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels of the film: 1280x720; up to 4K (with --movie).")
    ] = None

    def request(self, jobs: Sequence[LandscapeJob]) -> FilmRequest | None:
        """Return what is to be filmed, checked before anything is computed; None for nothing."""
        if self.movie is None:
            if self.size is not None:
                raise UsageError("--size is that of a film: it goes with --movie, or leave it out.")
            return None
        from lieapp.export.drawings import parse_size
        from lieapp.export.landscape_movie import FilmRequest

        request = FilmRequest(self.movie) if self.size is None else FilmRequest(self.movie, parse_size(self.size))
        request.check(jobs)
        return request


def film_results(film: FilmRequest, results: Sequence[LandscapeResult], *, shown: bool) -> list[Path]:
    """Film a run, or a race, on a landscape."""
    if not any(len(result.recording) for result in results):
        complain("nothing is filmed: the run has no frame.")
        return []
    from lieapp.landscapes.plane_keys import has_plane
    from lieapp.landscapes.planes import plane_of

    job = results[0].job
    plane = plane_of(job) if has_plane(job) else None
    with drawing_progress(shown=shown) as progress:
        return film.write(results, plane, lambda fraction: progress(film.path.name, fraction))


def draw_results(
    drawings: DrawingRequest, results: Sequence[AlignmentResult], titles: Sequence[str], *, shown: bool
) -> list[Path]:
    """Draw the best pose and the run, or the race; a machine that cannot draw says so once and loses nothing else."""
    from lieapp.export.quantities import curves_of
    from lieapp.scene.errors import SceneError

    curves = [curve for curve in curves_of(results, titles) if len(curve.result.recording)]
    if not curves:
        complain("nothing is drawn: the run has no frame.")
        return []
    written: list[Path] = []
    try:
        with drawing_progress(shown=shown) as progress:
            written.extend(drawings.write(curves, progress))
    except SceneError as error:
        complain(str(error))
    return written


@contextmanager
def drawing_progress(*, shown: bool) -> Iterator[Callable[[str, float], None]]:
    """Offer a function that draws a bar per file, on terminals only."""
    if not shown or not sys.stderr.isatty():
        yield lambda name, fraction: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, fraction: float) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=1.0)
            bars.update(tasks[name], completed=fraction)

        yield tell
