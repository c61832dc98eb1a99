"""Frames in a row: what is drawn, the words on each, and the file they go to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.inputs import AlignInputs
from lieapp.export.captions import Caption, KeyEntry, caption_room
from lieapp.export.errors import ExportError
from lieapp.export.frames import Copies, Drawing, FrameJob, draw_frames, one_model
from lieapp.export.movie_files import open_movie
from lieapp.export.movie_writing import Cancelled, Progress, write_pictures
from lieapp.export.picture import check_look
from lieapp.scene.colors import BACKGROUND_LIGHT

__all__ = [
    "MovieLook",
    "Reel",
    "Words",
    "fitted_job",
    "frame_job",
    "full_turn",
    "stills",
    "write_reel",
]

_STILL_PIXELS = 0.1


@dataclass(frozen=True)
class MovieLook:
    """How the frames of a movie look.

    Attributes
    ----------
    size : tuple of int
        Width and height in pixels, up to 4K. MP4 takes even numbers, so odd ones grow by one.
    style : {"ribbon", "tube", "spheres"}
    captions : bool
        Write what is shown, step and RMSD, and the key of the colours.
    background : str
        ``"#RRGGBB"``.
    transparent : bool
        Leave the background transparent; for PNG files only.
    """

    size: tuple[int, int] = (800, 600)
    style: str = "ribbon"
    captions: bool = True
    background: str = BACKGROUND_LIGHT
    transparent: bool = False


@dataclass(frozen=True)
class Words:
    """What is written onto a frame.

    Attributes
    ----------
    lines : sequence of str
    entries : sequence of KeyEntry
        One for each copy of a race; none for a run, whose key is that of the deviation.
    """

    lines: Sequence[str]
    entries: Sequence[KeyEntry] = field(default=())


@dataclass(frozen=True, eq=False)
class Reel:
    """What is drawn, and which drawing with which words makes each frame.

    Attributes
    ----------
    job : FrameJob
        Its size and look are taken from the `MovieLook`; a race leaves room for its words.
    rows : list of int, length frames
        Drawing of each frame.
    words : list of Words, length frames
    frames_per_second : int
    held : int
        How often the last frame is repeated.
    """

    job: FrameJob
    rows: list[int]
    words: list[Words]
    frames_per_second: int
    held: int = 0


def full_turn(frames: int) -> NDArray[np.float64]:
    """Return the angles in rad of one turn that repeats without a jump, shape (frames,).

    Raises
    ------
    ExportError
        If there are fewer than two.
    """
    if frames < 2:
        raise ExportError(f"A turn of {frames} frames: it needs at least 2.")
    return np.linspace(0.0, 2 * math.pi, frames, endpoint=False)


def stills(inputs: AlignInputs, poses: NDArray[np.float64], height: int) -> tuple[list[int], list[int]]:
    """Return for each frame which drawing shows it, and for each drawing its first frame.

    While nothing moves by a tenth of a pixel, nothing is drawn again.

    Parameters
    ----------
    inputs : AlignInputs
    poses : ndarray, shape=(frames, copies, 4, 4)
    height : int
        Of a frame in pixels, across which the mobile lies.
    """
    points = inputs.mobile_points
    pixel = max(float(np.ptp(points, axis=0).max()), 1.0) / height
    rows: list[int] = []
    first: list[int] = []
    shown: NDArray[np.float64] | None = None
    for index, pose in enumerate(poses):
        moved = points @ pose[:, :3, :3].swapaxes(1, 2) + pose[:, None, :3, 3]
        if shown is None or not float(np.abs(moved - shown).max()) < _STILL_PIXELS * pixel:
            first.append(index)
            shown = moved
        rows.append(len(first) - 1)
    return rows, first


def frame_job(
    inputs: AlignInputs,
    in_view: NDArray[np.float64],
    *,
    poses: NDArray[np.float64] | None = None,
    colors: NDArray[np.uint8] | None = None,
    turns: NDArray[np.float64] | None = None,
    copies: Copies | None = None,
) -> FrameJob:
    """Return the job that draws frames of a pair, of the smallest look; see `FrameJob` for the parameters."""
    mobile_drawn, target_drawn = inputs.paired_chain_residues
    return FrameJob(
        mobile=one_model(inputs.mobile, inputs.mobile_model),
        target=one_model(inputs.target, inputs.target_model),
        poses=in_view[-1:] if poses is None else poses,
        colors=np.full((1, len(inputs.mobile.residues), 4), 255, dtype=np.uint8) if colors is None else colors,
        turns=np.zeros(1) if turns is None else turns,
        in_view=in_view,
        copies=copies,
        mobile_drawn=mobile_drawn,
        target_drawn=target_drawn,
    )


def fitted_job(job: FrameJob, size: tuple[int, int], look: MovieLook, entries: int) -> FrameJob:
    """Return a job of a size and look; a key of so many `entries` gets room of its own."""
    clear = caption_room(size, 2, entries) if entries and look.captions else (0.0, 0.0)
    return replace(
        job, size=size, style=look.style, background=look.background, transparent=look.transparent, clear=clear
    )


def write_reel(
    reel: Reel, path: Path, look: MovieLook, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> list[Path]:
    """Draw all frames and write them.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExportCancelled
        If `cancelled` returned True. Nothing is left behind, and what was there before stays.
    ExportError
        If the look is wrong, the format needs a package that is absent, or a file cannot be written.
    SceneError
        If this machine cannot draw without a display.
    """
    check_look(look.size, look.style)
    file = open_movie(path, look.size, reel.frames_per_second, transparent=look.transparent)
    job = fitted_job(reel.job, file.size, look, max(len(words.entries) for words in reel.words))
    drawings = draw_frames(job)
    caption = Caption(file.size, look.background) if look.captions else None
    try:
        pictures = _captioned(drawings, reel, caption)
        return write_pictures(file, pictures, len(reel.rows), held=reel.held, progress=progress, cancelled=cancelled)
    finally:
        drawings.close()  # ends the process that draws


def _captioned(drawings: Iterator[Drawing], reel: Reel, caption: Caption | None) -> Iterator[NDArray[np.uint8]]:
    drawing, shown = Drawing(np.zeros((0, 0, 4), dtype=np.uint8), np.zeros((0, 2))), -1
    for row, words in zip(reel.rows, reel.words, strict=True):
        if row != shown:
            drawing, shown = next(drawings), row
        if caption is None:
            yield drawing.picture
        else:
            yield caption.write(drawing.picture, words.lines, words.entries, drawing.marks)
