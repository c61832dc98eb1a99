"""Which frame of a run is its best: that of the lowest loss, or of the least gradient norm where a run climbs.

A walk to a saddle ends above its start, so that the lowest loss says nothing about it: what it seeks is a point
without a gradient. A minimum that it starts in has none either. Therefore only frames whose gradient norm lies below
the largest one so far count: those after the climb out of the valley, on the way to where the gradient vanishes again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from lieapp.engine.errors import EngineError

__all__ = ["BestBy", "BestFrame", "describe_least_gradient", "name_of_best", "read_best_by"]

BestBy = Literal["loss", "gradient_norm"]
"""The column that decides."""


class BestFrame(NamedTuple):
    """The best of the frames so far.

    Attributes
    ----------
    by : {"loss", "gradient_norm"}
    frame : int
        0 while no frame counts.
    value : float
        Its number in the column; infinite while no frame counts.
    largest : float
        Largest finite gradient norm so far, where it decides.
    """

    by: BestBy = "loss"
    frame: int = 0
    value: float = math.inf
    largest: float = -math.inf

    def after(self, frame: int, value: float) -> BestFrame:
        """Return the best once one more frame is there; of equal ones the first, and none without a finite number."""
        if not math.isfinite(value):
            return self
        if self.by == "gradient_norm" and value >= self.largest:
            return BestFrame(self.by, self.frame, self.value, value)
        return BestFrame(self.by, frame, value, self.largest) if value < self.value else self

    def among(self, values: Iterable[float]) -> BestFrame:
        """Return the best of all frames of a column, from the first one."""
        best = BestFrame(self.by)
        for frame, value in enumerate(values):
            best = best.after(frame, value)
        return best


def read_best_by(value: object) -> BestBy:
    """Return what the metadata of a recording say; ``"loss"`` where they say nothing.

    Raises
    ------
    EngineError
        If it is no column that can decide.
    """
    for known in get_args(BestBy):
        if value == known:
            return known
    if value is None:
        return "loss"
    raise EngineError(f"The best frame is decided by one of {', '.join(get_args(BestBy))}, not by {value!r}")


def name_of_best(noun: str, by: BestBy) -> str:
    """Return what people call the best of a run's frames, such as "best pose" or "pose of least gradient"."""
    return f"best {noun}" if by == "loss" else f"{noun} of least gradient"


def describe_least_gradient(gradient_norm: float, loss: float) -> str:
    """Return the sentence that tells which frame of a climb was kept."""
    return f"Frame of least gradient kept (gradient norm {gradient_norm:.2g}, loss {loss:.6g})."
