"""Movies of a run and of a turning superposition: MP4, GIF, or numbered PNG files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.export.movie_writing import Cancelled, ExportCancelled, Progress, run_speed
from lieapp.export.picture import mobile_colors
from lieapp.export.quantities import curves_of
from lieapp.export.reel import MovieLook, Reel, Words, frame_job, full_turn, stills, write_reel

__all__ = ["ExportCancelled", "MovieLook", "run_frames", "write_run_movie", "write_turntable"]


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
    look = look or MovieLook()
    rows, first = stills(result.inputs, np.stack([shot.matrix for shot in shots])[:, None], look.size[1])
    poses = np.stack([shots[k].matrix for k in first])
    colors = np.stack([_bytes(mobile_colors(shots[k])) for k in first])
    best = replace(result, frame=result.recording.best).matrix
    title = f"{result.inputs.mobile.name} onto {result.inputs.target.name}, {curves_of([result])[0].title}"
    table = result.recording.table()
    job = frame_job(result.inputs, np.stack([shots[0].matrix, best]), poses=poses, colors=colors)
    words = [Words([title, *_words(table, frame)]) for frame in frames]
    reel = Reel(job, rows, words, *run_speed(len(frames), frames_per_second))
    return write_reel(reel, path, look, progress, cancelled)


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
    pose = result.matrix[None]
    colors = _bytes(mobile_colors(result))[None]
    job = frame_job(result.inputs, pose, poses=pose, colors=colors, turns=full_turn(frames))
    title = f"{result.inputs.mobile.name} onto {result.inputs.target.name}, {result.pose_text}"
    lines = [title, f"RMSD {result.scores.rmsd:.3f} Å"]
    reel = Reel(job, list(range(frames)), [Words(lines)] * frames, frames_per_second)
    return write_reel(reel, path, look or MovieLook(), progress, cancelled)


def _words(table: dict[str, NDArray[np.float64]], frame: int) -> list[str]:
    step, evaluations, rmsd = (float(table[name][frame]) for name in ("step", "evaluations", "rmsd"))
    return [f"step {step:.0f}, {evaluations:g} evaluations", f"RMSD {rmsd:.3f} Å"]


def _bytes(colors: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(colors * 255).astype(np.uint8)
