"""Pictures one after another into a movie file, whatever they show: how fast, how far it is, and the end on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.export.errors import ExportError
from lieapp.export.movie_files import MovieFile

__all__ = ["Cancelled", "ExportCancelled", "Progress", "run_speed", "write_pictures"]

Progress = Callable[[float], None]
"""Told the fraction done, 0 to 1."""
Cancelled = Callable[[], bool]
"""Asked after each frame; True ends the work."""

_SHORTEST_SECONDS = 4.0
_HOLD_SECONDS = 1.0
_MOST_PER_SECOND = 25


class ExportCancelled(ExportError):
    """The user cancelled; nothing was left behind."""


def run_speed(frames: int, frames_per_second: int | None = None) -> tuple[int, int]:
    """Return frames per second of a movie of a run, four seconds at least, and how often its last frame is repeated."""
    if frames_per_second is None:
        frames_per_second = max(min(round(frames / _SHORTEST_SECONDS), _MOST_PER_SECOND), 2)
    return frames_per_second, round(_HOLD_SECONDS * frames_per_second)


def write_pictures(
    file: MovieFile,
    pictures: Iterable[NDArray[np.uint8]],
    count: int,
    *,
    held: int = 0,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Path]:
    """Write pictures as they come, and keep the file when it is whole.

    Parameters
    ----------
    file : MovieFile
    pictures : iterable of ndarray, shape=(height, width, 4), dtype=uint8
    count : int
        How many there are.
    held : int
        How often the last one is repeated.
    progress, cancelled : callable, optional

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExportCancelled
        If `cancelled` returned True. Nothing is left behind, and what was there before stays.
    ExportError
        If the file cannot be written.
    """
    try:
        for index, picture in enumerate(pictures):
            if cancelled is not None and cancelled():
                raise ExportCancelled("The movie was cancelled; nothing was written.")
            file.add(picture, repeats=1 + (held if index == count - 1 else 0))
            if progress is not None:
                progress((index + 1) / count)
    except BaseException:
        file.discard()
        raise
    return file.keep()
