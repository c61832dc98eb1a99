"""A race in 3-D: one tinted copy of the mobile for each entrant, all at the same number of evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.export.captions import Caption, KeyEntry
from lieapp.export.errors import ExportError
from lieapp.export.frames import Copies, draw_frames
from lieapp.export.movie_moments import even_budgets, outcome_text, recorded_within, settled_after
from lieapp.export.movie_writing import Cancelled, Progress, run_speed
from lieapp.export.picture import check_picture, save_picture
from lieapp.export.quantities import Curve
from lieapp.export.reel import MovieLook, Reel, Words, fitted_job, frame_job, full_turn, stills, write_reel

__all__ = [
    "RaceMoment",
    "first_arrival",
    "frame_within",
    "race_moment",
    "write_race_movie",
    "write_race_picture",
    "write_race_turntable",
]

_ARRIVED = 0.01
"""Gap at which an entrant has arrived, as a share of the gap at the start."""
_SAME_PLACE_ANGSTROM = 0.3
_ASTRAY = 2.0
"""A copy so many times farther from the target than at the start does not widen the view."""


def frame_within(curve: Curve, evaluations: float) -> int:
    """Return the last frame of a run whose pose was recorded at or below a number of evaluations; no pose is made up.

    Raises
    ------
    ExportError
        If the run has no frame.
    """
    frame = recorded_within(curve.result.recording, evaluations)
    if frame is None:
        raise ExportError(f"{curve.title} has no frame to show.")
    return frame


def first_arrival(curves: Sequence[Curve]) -> float:
    """Return the evaluations at which the first entrant had 1 % of the largest gap left; the longest run if none had.

    There the entrants differ most in what they have to show: later all that converge lie in one place.
    """
    tables = [curve.columns("evaluations", "gap") for curve in curves]
    start = max(float(gap[0]) for _, gap in tables)
    arrivals = [spent[gap <= _ARRIVED * start] for spent, gap in tables]
    reached = [float(each[0]) for each in arrivals if len(each)]
    return min(reached) if reached else max(float(spent[-1]) for spent, _ in tables)


@dataclass(frozen=True, eq=False)
class RaceMoment:
    """All entrants at one number of evaluations.

    Attributes
    ----------
    evaluations : float
    poses : ndarray, shape=(entrants, 4, 4)
        Last recorded pose of each within the evaluations.
    drawn : ndarray, shape=(entrants,), dtype=bool
        False for an entrant that lies where an earlier one does, within 0.3 Å.
    entries : list of KeyEntry
        Name and gap of each.
    """

    evaluations: float
    poses: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    entries: list[KeyEntry]


def race_moment(curves: Sequence[Curve], evaluations: float) -> RaceMoment:
    """Return where the entrants of a race are when each has spent its evaluations.

    Parameters
    ----------
    curves : sequence of Curve
        Runs on the same pair.
    evaluations : float

    Raises
    ------
    ExportError
        If a run has no frame.
    """
    frames = [frame_within(curve, evaluations) for curve in curves]
    poses = np.stack([replace(curve.result, frame=k).matrix for curve, k in zip(curves, frames, strict=True)])
    points = curves[0].result.inputs.mobile_points
    moved = points @ poses[:, :3, :3].swapaxes(1, 2) + poses[:, None, :3, 3]
    drawn = np.ones(len(curves), dtype=bool)
    entries: list[KeyEntry] = []
    for row, (curve, frame) in enumerate(zip(curves, frames, strict=True)):
        apart = np.sqrt(((moved[:row] - moved[row]) ** 2).sum(axis=2).mean(axis=1))
        same = np.flatnonzero(apart < _SAME_PLACE_ANGSTROM)
        where = ""
        if len(same):
            drawn[row] = False
            where = f", where {same[0] + 1} is"
        entries.append(
            KeyEntry(
                f"{curve.title}  {_gap_text(curve, frame)}{outcome_text(curve.result.recording, frame)}{where}",
                curve.color,
                curve.dash,
            )
        )
    return RaceMoment(evaluations, poses, drawn, entries)


def _gap_text(curve: Curve, frame: int) -> str:
    # Below zero is rounding: no pose is better than the best possible.
    gap = max(float(curve.columns("gap")[0][frame]), 0.0)
    return f"gap {gap:.3f} {curve.unit_of('gap')}".rstrip()


def write_race_picture(
    curves: Sequence[Curve], path: Path, look: MovieLook | None = None, *, evaluations: float | None = None
) -> Path:
    """Write a PNG of a race at one moment: the target, a numbered copy for each entrant, and the key.

    Parameters
    ----------
    curves : sequence of Curve
        Runs on the same pair.
    path : Path
        The file; replaced if it is there.
    look : MovieLook, optional
    evaluations : float, optional
        When; by default when the first entrant has arrived, see `first_arrival`.

    Raises
    ------
    ExportError
        If there is no run or no frame, the look or the path is wrong.
    SceneError
        If this machine cannot draw without a display.
    """
    look = look or MovieLook(size=(1200, 900))
    check_picture(path, look.size, look.style)
    moment, title = _shown(curves, evaluations)
    job = frame_job(curves[0].result.inputs, _in_view(curves, moment.poses), copies=_copies(curves, [moment]))
    job = fitted_job(job, look.size, look, len(curves))
    drawings = draw_frames(job)
    try:
        drawing = next(drawings)
    finally:
        drawings.close()
    picture = drawing.picture
    if look.captions:
        picture = Caption(look.size, look.background).write(picture, title, moment.entries, drawing.marks)
    return save_picture(picture, path)


def write_race_movie(
    curves: Sequence[Curve],
    path: Path,
    look: MovieLook | None = None,
    *,
    frames_per_second: int | None = None,
    most_frames: int = 300,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Path]:
    """Write a race from the start to the end of its longest run, evenly in evaluations.

    In each frame every entrant is shown at its last recorded pose at or below the same number of evaluations. The
    parameters, what is returned and what is raised are those of `lieapp.export.movie.write_run_movie`.
    """
    look = look or MovieLook()
    _check(curves)
    moments = [race_moment(curves, budget) for budget in _budgets(curves, most_frames)]
    inputs = curves[0].result.inputs
    rows, first = stills(inputs, np.stack([moment.poses for moment in moments]), look.size[1])
    ends = np.stack([replace(curve.result, frame=curve.result.recording.best).matrix for curve in curves])
    in_view = _in_view(curves, np.concatenate([moments[0].poses[:1], ends]))
    job = frame_job(inputs, in_view, copies=_copies(curves, [moments[k] for k in first]))
    words = [Words(_title(curves, moment.evaluations), moment.entries) for moment in moments]
    return write_reel(Reel(job, rows, words, *run_speed(len(rows), frames_per_second)), path, look, progress, cancelled)


def write_race_turntable(
    curves: Sequence[Curve],
    path: Path,
    look: MovieLook | None = None,
    *,
    evaluations: float | None = None,
    frames: int = 120,
    frames_per_second: int = 25,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Path]:
    """Write one full turn of a race at one moment, that of `write_race_picture`.

    The parameters, what is returned and what is raised are those of `lieapp.export.movie.write_turntable`.
    """
    moment, title = _shown(curves, evaluations)
    inputs, copies = curves[0].result.inputs, _copies(curves, [moment])
    job = frame_job(inputs, _in_view(curves, moment.poses), copies=copies, turns=full_turn(frames))
    reel = Reel(job, list(range(frames)), [Words(title, moment.entries)] * frames, frames_per_second)
    return write_reel(reel, path, look or MovieLook(), progress, cancelled)


def _check(curves: Sequence[Curve]) -> None:
    if not curves:
        raise ExportError("There is no run to show.")
    if any(curve.result.inputs is not curves[0].result.inputs for curve in curves):
        raise ExportError("The runs of a race are on one pair of structures; these are on several.")


def _shown(curves: Sequence[Curve], evaluations: float | None) -> tuple[RaceMoment, list[str]]:
    _check(curves)
    when = first_arrival(curves) if evaluations is None else evaluations
    return race_moment(curves, when), _title(curves, when)


def _title(curves: Sequence[Curve], evaluations: float) -> list[str]:
    inputs = curves[0].result.inputs
    return [
        f"{inputs.mobile.name} onto {inputs.target.name}, race of {len(curves)}",
        f"after {evaluations:.0f} evaluations each",
    ]


def _budgets(curves: Sequence[Curve], most: int) -> list[float]:
    """Return evaluations, evenly as long as anything is on its way, then the end."""
    settled, end = 0.0, 0.0
    for curve in curves:
        recording, (spent,) = curve.result.recording, curve.columns("evaluations")
        last = frame_within(curve, float(spent[-1]))
        final = replace(curve.result, frame=last).matrix
        points = curve.result.inputs.mobile_points
        turns, shifts = recording.states("rotation")[:, 0], recording.states("translation")[:, 0]
        moved = points @ (turns - final[:3, :3]).swapaxes(1, 2) + (shifts - final[:3, 3])[:, None]
        away = ~(np.sqrt((moved**2).sum(axis=2).mean(axis=1)) < _SAME_PLACE_ANGSTROM)
        settled, end = max(settled, settled_after(recording, away)), max(end, float(spent[-1]))
    return even_budgets(settled, end, most)


def _copies(curves: Sequence[Curve], moments: Sequence[RaceMoment]) -> Copies:
    # What is farthest from the centroid is where copies that differ by a turn are farthest apart.
    points = curves[0].result.inputs.mobile_points
    marked = points[np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1))]
    poses, drawn = (np.stack([getattr(moment, name) for moment in moments]) for name in ("poses", "drawn"))
    return Copies(poses, drawn, tuple(curve.color for curve in curves), marked)


def _in_view(curves: Sequence[Curve], poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the poses that a view holds, the best one last: not those that went astray."""
    inputs = curves[0].result.inputs
    results = [curve.result for curve in curves]
    best = min(results, key=lambda result: result.report.rmsd)
    start = replace(best, frame=int(best.recording.state_frames[0])).matrix
    middle, goal = inputs.mobile_points.mean(axis=0), inputs.target_points.mean(axis=0)
    size = float(np.linalg.norm(inputs.mobile_points - middle, axis=1).max())
    far = np.linalg.norm(poses[:, :3, :3] @ middle + poses[:, :3, 3] - goal, axis=1)
    least = float(np.linalg.norm(start[:3, :3] @ middle + start[:3, 3] - goal))
    kept = poses[far <= max(_ASTRAY * least, size)]
    return np.concatenate([kept, replace(best, frame=best.recording.best).matrix[None]])
