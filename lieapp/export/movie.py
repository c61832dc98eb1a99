"""Movies of a run and of a turning superposition: MP4, GIF, or numbered PNG files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.export.captions import Caption
from lieapp.export.errors import ExportError
from lieapp.export.frames import FrameJob, draw_frames, one_model
from lieapp.export.movie_files import open_movie
from lieapp.export.picture import check_look, mobile_colors
from lieapp.export.quantities import curves_of
from lieapp.export.result import AlignmentResult
from lieapp.scene.colors import BACKGROUND_LIGHT

__all__ = ["ExportCancelled", "MovieLook", "run_frames", "write_run_movie", "write_turntable"]

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]

_SHORTEST_SECONDS = 4.0
_HOLD_SECONDS = 1.0
_MOST_PER_SECOND = 25
_STILL_PIXELS = 0.1


class ExportCancelled(ExportError):
    """The user cancelled; nothing was left behind."""


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


@dataclass(frozen=True, eq=False)
class _Reel:
    """What is drawn, and which drawing with which words makes each frame."""

    job: FrameJob
    rows: list[int]
    lines: list[list[str]]
    frames_per_second: int
    held: int = 0


def run_frames(result: AlignmentResult, most: int = 300) -> NDArray[np.int64]:
    """Return the frames of a run that a movie shows, first and last among them.

    Only frames whose pose was recorded are taken, none is interpolated; of more than `most` an even choice is made.
    """
    frames = np.asarray(result.recording.state_frames, dtype=np.int64)
    if len(frames) <= most:
        return frames
    chosen = np.unique(np.linspace(0, len(frames) - 1, most).round().astype(np.int64))
    return frames[chosen]


def write_run_movie(
    result: AlignmentResult,
    path: Path,
    look: MovieLook | None = None,
    *,
    frames_per_second: int | None = None,
    most_frames: int = 300,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Path]:
    """Write how a run moved one structure onto the other, pose by recorded pose.

    Parameters
    ----------
    result : AlignmentResult
    path : Path
        ``.mp4`` or ``.gif``, or a name without suffix: a folder of numbered PNG files. What was there is replaced.
    look : MovieLook, optional
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
        If the run has no frame, the format needs a package that is absent, or a file cannot be written.
    SceneError
        If this machine cannot draw without a display.

    Notes
    -----
    The view holds the first and the best pose; colours are the distances to the partners at each frame. While
    nothing moves by a tenth of a pixel, as at the end of a run, only the words change: nothing is drawn again.
    """
    frames = run_frames(result, most_frames).tolist()
    if not frames:
        raise ExportError("The run has no frame to show.")
    shots = [replace(result, frame=frame) for frame in frames]
    rows, first = _stills(shots, (look or MovieLook()).size[1])
    poses = np.stack([shots[k].matrix for k in first])
    colors = np.stack([_bytes(mobile_colors(shots[k])) for k in first])
    best = replace(result, frame=result.recording.best).matrix
    title = f"{result.inputs.mobile.name} onto {result.inputs.target.name}, {curves_of([result])[0].title}"
    table = result.recording.table()
    if frames_per_second is None:
        frames_per_second = max(min(round(len(frames) / _SHORTEST_SECONDS), _MOST_PER_SECOND), 2)
    reel = _Reel(
        _job(result, poses, colors, np.zeros(1), np.stack([shots[0].matrix, best])),
        rows,
        [[title, *_words(table, frame)] for frame in frames],
        frames_per_second,
        held=round(_HOLD_SECONDS * frames_per_second),
    )
    return _write(reel, path, look or MovieLook(), progress, cancelled)


def write_turntable(
    result: AlignmentResult,
    path: Path,
    look: MovieLook | None = None,
    *,
    frames: int = 120,
    frames_per_second: int = 25,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Path]:
    """Write one full turn of the superposition, at the pose of the result, about the vertical axis.

    Parameters
    ----------
    frames : int
        Of a full turn; the movie repeats without a jump.
    result, path, look, frames_per_second, progress, cancelled
        As in `write_run_movie`.

    Returns
    -------
    list of Path

    Raises
    ------
    ExportCancelled, ExportError, SceneError
        As in `write_run_movie`.
    """
    if frames < 2:
        raise ExportError(f"A turn of {frames} frames: it needs at least 2.")
    turns = np.linspace(0.0, 2 * math.pi, frames, endpoint=False)
    pose = result.matrix[None]
    job = _job(result, pose, _bytes(mobile_colors(result))[None], turns.astype(np.float64), pose)
    title = f"{result.inputs.mobile.name} onto {result.inputs.target.name}, {result.pose_text}"
    lines = [title, f"RMSD {result.scores.rmsd:.3f} Å"]
    reel = _Reel(job, list(range(frames)), [lines] * frames, frames_per_second)
    return _write(reel, path, look or MovieLook(), progress, cancelled)


def _words(table: dict[str, NDArray[np.float64]], frame: int) -> list[str]:
    step, evaluations, rmsd = (float(table[name][frame]) for name in ("step", "evaluations", "rmsd"))
    return [f"step {step:.0f}, {evaluations:g} evaluations", f"RMSD {rmsd:.3f} Å"]


def _stills(shots: list[AlignmentResult], height: int) -> tuple[list[int], list[int]]:
    """Return for each frame which drawing shows it, and for each drawing its first frame."""
    points = shots[0].inputs.mobile_points
    pixel = max(float(np.ptp(points, axis=0).max()), 1.0) / height
    rows: list[int] = []
    first: list[int] = []
    shown: NDArray[np.float64] | None = None
    for index, shot in enumerate(shots):
        moved = points @ shot.matrix[:3, :3].T + shot.matrix[:3, 3]
        if shown is None or not float(np.abs(moved - shown).max()) < _STILL_PIXELS * pixel:
            first.append(index)
            shown = moved
        rows.append(len(first) - 1)
    return rows, first


def _bytes(colors: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(colors * 255).astype(np.uint8)


def _job(
    result: AlignmentResult,
    poses: NDArray[np.float64],
    colors: NDArray[np.uint8],
    turns: NDArray[np.float64],
    in_view: NDArray[np.float64],
) -> FrameJob:
    inputs = result.inputs
    mobile_drawn, target_drawn = result.inputs.paired_chain_residues
    return FrameJob(
        mobile=one_model(inputs.mobile, inputs.mobile_model),
        target=one_model(inputs.target, inputs.target_model),
        poses=poses,
        colors=colors,
        turns=turns,
        in_view=in_view,
        mobile_drawn=mobile_drawn,
        target_drawn=target_drawn,
    )


def _write(
    reel: _Reel, path: Path, look: MovieLook, progress: Progress | None, cancelled: Cancelled | None
) -> list[Path]:
    check_look(look.size, look.style)
    if reel.frames_per_second < 1:
        raise ExportError(f"A movie of {reel.frames_per_second} frames a second: it needs at least 1.")
    file = open_movie(path, look.size, reel.frames_per_second, transparent=look.transparent)
    job = replace(reel.job, size=file.size, style=look.style, background=look.background, transparent=look.transparent)
    count = len(reel.rows)
    drawings = draw_frames(job)
    try:
        for index, picture in enumerate(_captioned(drawings, reel, Caption(file.size, look.background), look.captions)):
            if cancelled is not None and cancelled():
                raise ExportCancelled("The movie was cancelled; nothing was written.")
            file.add(picture, repeats=1 + (reel.held if index == count - 1 else 0))
            if progress is not None:
                progress((index + 1) / count)
    except BaseException:
        file.discard()
        raise
    finally:
        drawings.close()  # ends the process that draws
    return file.keep()


def _captioned(
    drawings: Iterator[NDArray[np.uint8]], reel: _Reel, caption: Caption, wanted: bool
) -> Iterator[NDArray[np.uint8]]:
    picture, shown = np.zeros((0, 0, 4), dtype=np.uint8), -1
    for row, lines in zip(reel.rows, reel.lines, strict=True):
        if row != shown:
            picture, shown = next(drawings), row
        yield caption.write(picture, lines) if wanted else picture
