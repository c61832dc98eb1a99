"""The three kinds of movie files. Each is written beside its place and moved there when it is whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Generator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lieapp.export.errors import ExportError, writing

__all__ = ["MOVIE_SUFFIXES", "MovieFile", "check_movie_path", "open_movie"]

MOVIE_SUFFIXES = (".mp4", ".gif", "")
"""Suffixes that can be written; without one it is a folder of PNG files."""

_GIF_COLORS = 255
_CONSTANT_RATE_FACTOR = 17  # of x264: 18 is said to be hard to tell from the original


def check_movie_path(path: Path, *, transparent: bool = False) -> None:
    """Refuse, before any work is done, a movie that cannot be written here.

    Raises
    ------
    ExportError
        If the suffix is unknown, MP4 is asked for without imageio-ffmpeg, the background cannot be transparent in
        this format, or there is no such folder.
    """
    kind = path.suffix.lower()
    if kind not in MOVIE_SUFFIXES:
        raise ExportError(f"{path}: a movie is written as .mp4, as .gif, or into a folder as PNG files (no suffix).")
    if kind == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise ExportError(
            f"{path}: MP4 needs imageio-ffmpeg (pip install 'lieapp[movie]'); GIF and a folder of PNG files do not."
        )
    if transparent and kind:
        raise ExportError(f"{path}: only a folder of PNG files (no suffix) can have a transparent background.")
    if not path.parent.is_dir():
        raise ExportError(f"{path}: there is no folder {path.parent}.")
    if path.is_dir() if kind else path.is_file():
        raise ExportError(f"{path}: there is a {'folder' if kind else 'file'} of this name.")


def open_movie(path: Path, size: tuple[int, int], frames_per_second: int, *, transparent: bool = False) -> MovieFile:
    """Return a file to add frames to.

    Raises
    ------
    ExportError
        See `check_movie_path`; or if it has less than one frame a second.
    """
    if frames_per_second < 1:
        raise ExportError(f"A movie of {frames_per_second} frames a second: it needs at least 1.")
    check_movie_path(path, transparent=transparent)
    kinds: dict[str, type[MovieFile]] = {".mp4": _Mp4, ".gif": _Gif, "": _Pictures}
    with writing(path):
        return kinds[path.suffix.lower()](path, size, frames_per_second)


class MovieFile(ABC):
    """A movie under way.

    Parameters
    ----------
    path : Path
    size : tuple of int
        Width and height that are wanted; `size` says those that frames must have.
    frames_per_second : int

    Attributes
    ----------
    size : tuple of int
    """

    def __init__(self, path: Path, size: tuple[int, int], frames_per_second: int) -> None:
        self.path = path
        self.size = size
        self.frames_per_second = frames_per_second
        # Beside its place, so that moving it there is one step.
        self._folder = Path(tempfile.mkdtemp(prefix=f".{path.stem}-", dir=path.parent))

    @abstractmethod
    def add(self, picture: NDArray[np.uint8], repeats: int = 1) -> None:
        """Add a frame, shape (height, width, 4); a still is repeated where that is of use.

        Raises
        ------
        ExportError
            If it cannot be written.
        """

    @abstractmethod
    def _finish(self) -> list[Path]:
        """Complete the files in the temporary folder; return where each belongs, by its name there."""

    def keep(self) -> list[Path]:
        """Complete the movie and move it to its place; returns the files.

        Raises
        ------
        ExportError
            If it cannot be written.
        """
        try:
            places = self._finish()
            for place in places:
                place.parent.mkdir(exist_ok=True)
                os.replace(self._folder / place.name, place)
        except OSError as error:
            raise ExportError(f"{self.path}: cannot be written ({error.strerror or error}).") from error
        finally:
            self.discard()
        return places

    def discard(self) -> None:
        """Remove what was written so far; the place itself is not touched."""
        shutil.rmtree(self._folder, ignore_errors=True)


class _Pictures(MovieFile):
    """Numbered PNG files in a folder."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_second: int) -> None:
        super().__init__(path, size, frames_per_second)
        self._places: list[Path] = []

    def add(self, picture: NDArray[np.uint8], repeats: int = 1) -> None:
        place = self.path / f"frame_{len(self._places):05d}.png"
        with writing(place):
            # Level 1 is three times as fast as 6, for a file a tenth larger.
            Image.fromarray(picture).save(self._folder / place.name, compress_level=1)
        self._places.append(place)

    def _finish(self) -> list[Path]:
        # Those of an earlier, longer movie would follow this one.
        for old in self.path.glob("frame_[0-9][0-9][0-9][0-9][0-9].png"):
            old.unlink()
        return self._places


class _Gif(MovieFile):
    """A GIF by Pillow, each frame with the colours that suit it best."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_second: int) -> None:
        super().__init__(path, size, frames_per_second)
        self._frames: list[Image.Image] = []
        self._hundredths: list[int] = []

    def add(self, picture: NDArray[np.uint8], repeats: int = 1) -> None:
        image = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
        self._frames.append(image.quantize(_GIF_COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
        # The format counts in hundredths of a second: carry what is rounded, or the movie runs at another pace.
        end = round(100 * (len(self._frames) - 1 + repeats) / self.frames_per_second)
        self._hundredths.append(end - sum(self._hundredths))

    def _finish(self) -> list[Path]:
        first, *rest = self._frames
        first.save(
            self._folder / self.path.name,
            save_all=True,
            append_images=rest,
            duration=[10 * each for each in self._hundredths],
            loop=0,
            optimize=False,
        )
        return [self.path]


class _Mp4(MovieFile):
    """H.264 by ffmpeg, as every player and slide program takes it: even sides, YUV 4:2:0."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_second: int) -> None:
        even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        super().__init__(path, even, frames_per_second)
        ffmpeg = import_module("imageio_ffmpeg")
        self._writer: Generator[None, Any, None] = ffmpeg.write_frames(
            str(self._folder / path.name),
            self.size,
            fps=frames_per_second,
            codec="libx264",
            pix_fmt_in="rgb24",
            pix_fmt_out="yuv420p",
            macro_block_size=1,
            quality=None,
            ffmpeg_log_level="error",
            output_params=["-crf", str(_CONSTANT_RATE_FACTOR), "-preset", "medium", "-movflags", "+faststart"],
        )
        self._begun = False

    def add(self, picture: NDArray[np.uint8], repeats: int = 1) -> None:
        frame = np.ascontiguousarray(picture[..., :3])
        try:
            if not self._begun:
                # Not before: without a frame ffmpeg would complain on the terminal when the movie is cancelled.
                self._writer.send(None)
                self._begun = True
            for _ in range(repeats):
                self._writer.send(frame)
        except OSError as error:
            raise ExportError(f"{self.path}: ffmpeg stopped ({str(error).splitlines()[0]}).") from error

    def _finish(self) -> list[Path]:
        self._writer.close()
        return [self.path]

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.close()
        super().discard()
