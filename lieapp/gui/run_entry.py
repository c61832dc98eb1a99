"""A run as the window keeps it: one row of the Runs panel, one curve, one ghost. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.report import AlignReport
    from lieapp.alignment.spec import AlignJob
    from lieapp.engine.control import RunControl
    from lieapp.engine.recording import Recording

__all__ = ["OUTCOME_WORDS", "RunEntry"]

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
    job : AlignJob
        What was asked for; "apply these settings" and "copy as command" read it.
    inputs : AlignInputs
        The structures and pairs that the run works on.
    recording : Recording
        Grows while the run goes on (the worker appends, views read).
    color : str
        ``"#RRGGBB"``; never the only cue, see `dash`.
    dash : tuple of float
        On and off lengths in line widths; empty for a solid line.
    visible, pinned : bool
        Eye and pin of the Runs panel. A pinned run is kept when others are cleared.
    report : AlignReport or None
        Present once the run has ended.
    control : RunControl or None
        Present while the run can still be steered.
    """

    id: str
    title: str
    job: AlignJob
    inputs: AlignInputs
    recording: Recording
    color: str
    dash: tuple[float, ...] = ()
    visible: bool = True
    pinned: bool = False
    report: AlignReport | None = None
    control: RunControl | None = None

    @property
    def frames(self) -> int:
        """Number of frames recorded so far."""
        return len(self.recording)

    @property
    def finished(self) -> bool:
        """True once the run has an outcome."""
        return self.recording.outcome is not None

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
        index = self.recording.best if frame is None else frame
        values = self.recording.column(column)
        if not 0 <= index < len(values):
            return None
        number = float(values[index])
        return number if math.isfinite(number) else None

    def evaluations(self) -> float:
        """Return what the run has cost so far, in gradients computed (0 before the first frame)."""
        return self.value("evaluations", len(self.recording) - 1) or 0.0

    def gap(self, frame: int | None = None) -> float | None:
        """Return the gap to the best possible at a frame (default: the best frame), or None if unknown."""
        return self.value("gap", frame)

    def pose(self, frame: int) -> NDArray[np.float64]:
        """Return the pose of a frame, shape (4, 4): x' = R x + t."""
        state = self.recording.state(frame)
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray(state["rotation"]).reshape(-1, 3, 3)[0]
        matrix[:3, 3] = np.asarray(state["translation"]).reshape(-1, 3)[0]
        return matrix

    def outcome_text(self) -> str:
        """Return one word for the Runs panel."""
        outcome = self.recording.outcome
        if outcome is None:
            if self.control is None:
                return "waiting"
            return "paused" if self.control.can("resume") else "running"
        return OUTCOME_WORDS.get(outcome.kind, outcome.kind)
