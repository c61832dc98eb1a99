"""Which frames of recordings a movie of a race shows: all entrants at equal evaluations, none of them interpolated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.recording import Recording

__all__ = ["even_budgets", "outcome_text", "recorded_within", "settled_after"]


def recorded_within(recording: Recording, evaluations: float) -> int | None:
    """Return the last frame at or below a number of evaluations whose state was recorded and whose loss is a number.

    Before the first such frame it is the first one; without any frame None.
    """
    frames = np.asarray(recording.state_frames, dtype=np.int64)
    if not len(frames):
        return None
    table = recording.table(("evaluations", "loss"))
    known = frames[np.isfinite(table["loss"][frames])]
    frames = known if len(known) else frames[:1]
    return int(frames[max(int(np.searchsorted(table["evaluations"][frames], evaluations, side="right")) - 1, 0)])


def settled_after(recording: Recording, away: NDArray[np.bool_]) -> float:
    """Return the evaluations after which a run stays where it ends.

    Parameters
    ----------
    recording : Recording
    away : ndarray, shape=(kept,), dtype=bool
        Whether it is elsewhere, for the rows of its states.
    """
    rows = np.flatnonzero(away)
    row = min(int(rows[-1]) + 1, len(away) - 1) if len(rows) else 0
    return float(recording.column("evaluations")[recording.state_frames[row]])


def even_budgets(settled: float, end: float, most: int) -> list[float]:
    """Return the evaluations of the frames of a movie, evenly as long as anything is on its way, then the end.

    Parameters
    ----------
    settled : float
        Evaluations after which nothing moves.
    end : float
        Those of the longest run.
    most : int
        Of a longer race an even choice of frames is shown.
    """
    jumps = end > settled
    budgets = np.linspace(0.0, settled, max(min(round(settled) + 1, most - jumps), 1)).tolist()
    return [*budgets, end] if jumps else budgets


def outcome_text(recording: Recording, frame: int) -> str:
    """Return how and when a run ended, at its last frame; empty before, and for a run that only spent its budget."""
    if recording.outcome is None or recording.outcome.kind not in ("converged", "diverged"):
        return ""
    spent = float(recording.column("evaluations")[len(recording) - 1])
    return f", {recording.outcome.kind} at {spent:g}" if frame == recorded_within(recording, spent) else ""
