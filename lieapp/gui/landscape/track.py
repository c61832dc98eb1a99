"""A run as it goes over a landscape: the points of its recording, projected onto the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lieapp.gui.runs.entry import RunEntry

__all__ = ["Projection", "Track", "as_it_is"]

Projection = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From recorded points, shape (points, dimension), to places on the picture, shape (points, 2)."""

_FARTHEST = 1e6  # beyond that a diverged path is no path any more, and painters count in 32 bits


def as_it_is(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project points of the plane: they are where they are."""
    return points[:, :2]


class Track:
    """The path of one run.

    Parameters
    ----------
    run : RunEntry
    project : callable
        See `Projection`.
    key : str
        State of the recording that holds the points.

    Attributes
    ----------
    frames : ndarray, shape=(kept,), dtype=int64
        Frames whose points are kept.
    coordinates : ndarray, shape=(kept, 2), dtype=float64
        NaN where the run was lost.
    rewritten : int
        How often the rows were others than before, not only more.
    """

    def __init__(self, run: RunEntry, project: Projection = as_it_is, key: str = "point") -> None:
        self.run = run
        self._project, self._key = project, key
        self.frames: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.coordinates: NDArray[np.float64] = np.empty((0, 2))
        self.rewritten = 0

    def update(self) -> bool:
        """Take over the frames recorded since the last time; return whether there were any."""
        recording = self.run.recording
        if len(recording) == 0:
            return False
        frames = recording.state_frames
        known = len(self.frames)
        if known == len(frames) and known and frames[-1] == self.frames[-1]:
            return False
        points = np.asarray(recording.states(self._key), dtype=np.float64)
        # The two are read one after the other while the run may be adding to them.
        count = min(len(points), len(frames))
        if known > count or (known and frames[known - 1] != self.frames[-1]):
            known = 0
            self.rewritten += 1
        new = self._project(points[known:count].reshape(count - known, -1))
        new = np.where((np.abs(new) < _FARTHEST).all(axis=1, keepdims=True), new, np.nan)
        self.frames = np.array(frames[:count])
        self.coordinates = np.concatenate((self.coordinates[:known], new))
        return True

    def place(self, frame: int) -> int:
        """Return the row of the last kept frame up to one, or -1."""
        return int(np.searchsorted(self.frames, frame, side="right")) - 1
