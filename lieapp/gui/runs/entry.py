"""A run as the window keeps it: one row of the Runs panel, one curve, one ghost. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lieapp.engine.metric import Metric

if TYPE_CHECKING:
    from lieapp.engine.control import RunControl
    from lieapp.engine.recording import Recording

__all__ = ["OUTCOME_WORDS", "RunEntry", "winner_of"]

OUTCOME_WORDS = {
    "converged": "converged",
    "limit": "limit",
    "diverged": "diverged",
    "cancelled": "stopped",
    "failed": "failed",
}
"""What the Runs panel writes for each kind of outcome."""


@dataclass(eq=False)
class RunEntry:
    """One run, finished or not, with everything that its views need.

    Attributes
    ----------
    id : str
        Unique within the window.
    title : str
        For people: ``"Adam  lr 1 Å"``.
    job : Job
        What was asked for; "apply these settings" and "copy as command" read it.
    inputs : object
        What the job's own reader returned: an `AlignInputs` holds structures and pairs, a surface needs none.
    recording : Recording
        Grows while the run goes on (the worker appends, views read).
    color : str
        ``"#RRGGBB"``; never the only cue, see `dash`.
    dash : tuple of float
        On and off lengths in line widths; empty for a solid line.
    visible, pinned : bool
        Eye and pin of the Runs panel. A pinned run is kept when others are cleared.
    metric : Metric
        The column by which this run is compared with others, smaller being better.
    report : object or None
        The job's own report, present once the run has ended.
    control : RunControl or None
        Present while the run can still be steered.
    last_is_result : bool
        Whether the run is judged by its last frame, as where losses are of changing batches; else by the best one of
        the recording.
    """

    id: str
    title: str
    job: Any
    inputs: Any
    recording: Recording
    color: str
    dash: tuple[float, ...] = ()
    visible: bool = True
    pinned: bool = False
    metric: Metric = field(default_factory=Metric)
    report: Any = None
    control: RunControl | None = None
    last_is_result: bool = False

    @property
    def frames(self) -> int:
        """Number of frames recorded so far."""
        return len(self.recording)

    @property
    def finished(self) -> bool:
        """True once the run has an outcome."""
        return self.recording.outcome is not None

    @property
    def best(self) -> int:
        """The frame that the run is judged by; there must be one."""
        outcome = self.recording.outcome
        if self.last_is_result and (outcome is None or outcome.kind != "diverged"):
            return len(self.recording) - 1
        return self.recording.best

    @property
    def climbs(self) -> bool:
        """Whether the run walks up to a saddle, and is judged by the frame of the least gradient norm."""
        return not self.last_is_result and self.recording.best_by == "gradient_norm"

    def value(self, column: str, frame: int | None = None) -> float | None:
        """Return one number of the recording.

        Parameters
        ----------
        column : str
            Column of the recording, such as ``"rmsd"``.
        frame : int, optional
            Frame to read; the best one by default.

        Returns
        -------
        float or None
            None if there is no such frame or column, or if the number is not finite.
        """
        if len(self.recording) == 0 or column not in self.recording.columns:
            return None
        index = self.best if frame is None else frame
        values = self.recording.column(column)
        if not 0 <= index < len(values):
            return None
        number = float(values[index])
        return number if math.isfinite(number) else None

    def evaluations(self) -> float:
        """Return what the run has cost so far, in gradients computed (0 before the first frame)."""
        return self.value("evaluations", len(self.recording) - 1) or 0.0

    def frame_at_cost(self, evaluations: float) -> int:
        """Return the last frame that had cost no more, 0 if there is none."""
        spent = self.recording.column("evaluations")
        return max(int(np.searchsorted(spent, evaluations, side="right")) - 1, 0)

    def metric_value(self, frame: int | None = None) -> float | None:
        """Return the number that runs are compared by at a frame (default: the best frame), or None if unknown.

        Where it is not measured in every frame, it is that of the last one before.
        """
        if not self.frames:
            return None
        found = self.value(self.metric.name, frame)
        if found is None and self.last_is_result:
            found = self.last_known(self.metric.name, self.best if frame is None else frame)
        return found

    def last_known(self, column: str, frame: int) -> float | None:
        """Return the last finite number of a column up to a frame, or None."""
        if column not in self.recording.columns:
            return None
        values = self.recording.column(column)[: frame + 1]
        known = values[np.isfinite(values)]
        return float(known[-1]) if known.size else None

    def outcome_text(self) -> str:
        """Return one word for the Runs panel."""
        outcome = self.recording.outcome
        if outcome is None:
            if self.control is None:
                return "waiting"
            return "paused" if self.control.can("resume") else "running"
        return OUTCOME_WORDS.get(outcome.kind, outcome.kind)


def winner_of(entries: Sequence[RunEntry]) -> RunEntry | None:
    """Return who won a race: who reached the lowest metric; None where nobody has one.

    A loss says nothing about a walk to a saddle, which does not compete with those that descend. Among themselves, such
    walks are compared by their gradient norm.
    """
    descending = [entry for entry in entries if not entry.climbs]
    ranked = [
        (value, entry)
        for entry in descending or entries
        if (value := entry.metric_value() if descending else entry.value("gradient_norm")) is not None
    ]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None
