"""What the command line draws beside its results: a picture, a movie of the run, a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lieapp.export.errors import ExportError
from lieapp.export.frames import check_size
from lieapp.export.movie import write_run_movie, write_turntable
from lieapp.export.movie_files import check_movie_path
from lieapp.export.picture import check_look, check_picture, write_picture
from lieapp.export.quantities import Curve
from lieapp.export.race_pictures import write_race_movie, write_race_picture, write_race_turntable
from lieapp.export.reel import MovieLook

__all__ = ["DrawingRequest", "parse_size"]


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height from ``"1920x1080"``.

    Raises
    ------
    ExportError
        If the text is no size, or the size is out of bounds.
    """
    words = text.lower().replace("×", "x").split("x")
    if len(words) != 2 or not all(word.strip().isdecimal() for word in words):
        raise ExportError(f"{text}: expected WIDTHxHEIGHT in pixels, such as 1920x1080.")
    size = (int(words[0]), int(words[1]))
    check_size(size)
    return size


@dataclass(frozen=True)
class DrawingRequest:
    """Files that are drawn of one pose or run.

    Attributes
    ----------
    picture : Path, optional
        PNG of the pose.
    movie : Path, optional
        The run, see `lieapp.export.movie.write_run_movie`.
    turntable : Path, optional
        The pose from all sides.
    look : MovieLook
        For all of them.
    picture_size : tuple of int, optional
        Where the picture differs.
    """

    picture: Path | None = None
    movie: Path | None = None
    turntable: Path | None = None
    look: MovieLook = field(default_factory=MovieLook)
    picture_size: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return any(path is not None for path in (self.picture, self.movie, self.turntable))

    def check(self) -> None:
        """Refuse, before any work is done, what cannot be written.

        Raises
        ------
        ExportError
            If a suffix, a style or a size is wrong, a folder or a package is missing.
        """
        if self.picture is not None:
            check_picture(self.picture, self.picture_size or self.look.size, self.look.style)
        for path in (self.movie, self.turntable):
            if path is not None:
                check_movie_path(path, transparent=self.look.transparent)
                check_look(self.look.size, self.look.style)

    def write(self, curves: Sequence[Curve], progress: Callable[[str, float], None] | None = None) -> Iterator[Path]:
        """Draw everything; see `lieapp.export.picture` and `movie` there, and of several runs `race_pictures`.

        Parameters
        ----------
        curves : sequence of Curve
            One run, or the entrants of a race.
        progress : callable, optional
            Called with the name of a file and the fraction of it that is done.

        Yields
        ------
        Path
            Each file when it is whole.

        Raises
        ------
        ExportError
            If a file cannot be written.
        SceneError
            If this machine cannot draw without a display.
        """

        def told(path: Path) -> Callable[[float], None]:
            return lambda fraction: progress(path.name, fraction) if progress is not None else None

        if self.picture is not None:
            told(self.picture)(0.0)
            yield self._write_picture(curves, self.picture)
            told(self.picture)(1.0)
        race = len(curves) > 1
        if self.movie is not None:
            tell = told(self.movie)
            if race:
                yield from write_race_movie(curves, self.movie, self.look, progress=tell)
            else:
                yield from write_run_movie(curves[0].result, self.movie, self.look, progress=tell)
        if self.turntable is not None:
            tell = told(self.turntable)
            if race:
                yield from write_race_turntable(curves, self.turntable, self.look, progress=tell)
            else:
                yield from write_turntable(curves[0].result, self.turntable, self.look, progress=tell)

    def _write_picture(self, curves: Sequence[Curve], path: Path) -> Path:
        look = replace(self.look, size=self.picture_size or self.look.size)
        if len(curves) > 1:
            return write_race_picture(curves, path, look)
        return write_picture(
            curves[0].result,
            path,
            size=look.size,
            style=look.style,
            background=look.background,
            transparent=look.transparent,
        )
