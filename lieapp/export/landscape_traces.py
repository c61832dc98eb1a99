"""Runs on a landscape as moving pictures show them: where each one is, and what it has recorded, by its evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.recording import Recording
from lieapp.export.movie_moments import outcome_text, recorded_within
from lieapp.scene.lines import Dash

__all__ = ["Spot", "Trace"]

Array = NDArray[np.float64]

_FARTHEST = 1e6
"""Beyond that a diverged path is no path any more."""


@dataclass(frozen=True)
class Spot:
    """Where a run is at one number of evaluations.

    Attributes
    ----------
    row : int
        Of `Trace.places`.
    frame : int
    place : ndarray, shape=(2,)
        On the picture; NaN where the run was lost.
    loss : float
    outcome : str
        How it ended, empty while it has not.
    direction : ndarray, shape=(2,), or None
        Unit vector of the dimer, where there is one and the picture is the landscape itself.
    curvature : float
        Along it.
    """

    row: int
    frame: int
    place: Array
    loss: float
    outcome: str
    direction: Array | None
    curvature: float


class Trace:
    """The path of a run over a picture, and its curves.

    Parameters
    ----------
    title : str
    recording : Recording
        Of a run with a frame; what it gains later is not looked at.
    color : str
        ``"#RRGGBB"``.
    dash : tuple of float
        In line widths.
    project : callable, optional
        From points, shape (points, dimension), to places on the picture, shape (points, 2); without it they are
        places.

    Attributes
    ----------
    places : ndarray, shape=(kept, 2)
        NaN where the run was lost.
    frames : ndarray, shape=(kept,)
        Frame of each place.
    """

    def __init__(
        self,
        title: str,
        recording: Recording,
        color: str,
        dash: Dash,
        project: Callable[[Array], Array] | None = None,
    ) -> None:
        self.title, self.color, self.dash = title, color, dash
        self.recording = recording
        points = np.asarray(recording.states("point"), dtype=np.float64)
        self.frames = np.asarray(recording.state_frames, dtype=np.int64)[: len(points)]
        places = points[:, :2] if project is None else project(points)
        self.places: Array = np.where((np.abs(places) < _FARTHEST).all(axis=1, keepdims=True), places, np.nan)
        self._table = recording.table()
        self._with_dimer = project is None and "dimer_curvature" in self._table

    @property
    def evaluations(self) -> Array:
        """Evaluations of every frame."""
        return self._table["evaluations"]

    @property
    def any_dimer(self) -> bool:
        """Whether a dimer is shown anywhere."""
        return self._with_dimer and bool(np.isfinite(self._table["dimer_curvature"]).any())

    def has(self, column: str) -> bool:
        """Whether the run recorded a column."""
        return column in self._table

    def column(self, name: str) -> Array:
        """Return a column, shape (frames,)."""
        return self._table[name]

    def spot(self, evaluations: float) -> Spot:
        """Return where the run is when it has spent so many evaluations; nothing is interpolated."""
        frame = recorded_within(self.recording, evaluations) or 0
        frame = min(frame, len(self.evaluations) - 1)
        row = max(int(np.searchsorted(self.frames, frame, side="right")) - 1, 0)
        curvature = float(self._table["dimer_curvature"][frame]) if self._with_dimer else np.nan
        direction = None
        if np.isfinite(curvature):
            found = np.asarray(self.recording.state(frame).get("direction", ()), dtype=np.float64).ravel()
            direction = found if found.shape == (2,) and np.isfinite(found).all() and found.any() else None
        loss = float(self._table["loss"][frame])
        return Spot(row, frame, self.places[row], loss, outcome_text(self.recording, frame), direction, curvature)
