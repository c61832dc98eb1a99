"""Stationary points: where the gradient is zero, and what kind of place that is. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["PointKind", "StationaryPoint", "classify", "noun_of"]

PointKind = Literal["minimum", "saddle", "maximum", "degenerate"]


@dataclass(frozen=True)
class StationaryPoint:
    """A point with zero gradient.

    Attributes
    ----------
    kind : {"minimum", "saddle", "maximum", "degenerate"}
        "degenerate" where an eigenvalue is zero, so that second derivatives do not decide.
    index : int
        Number of negative eigenvalues of the Hessian: 0 at a minimum, the dimension at a maximum.
    position : tuple of float
    value : float
    eigenvalues : tuple of float
        Of the Hessian, ascending; infinite at a cusp, where the gradient jumps instead of vanishing.
    """

    kind: PointKind
    index: int
    position: tuple[float, ...]
    value: float
    eigenvalues: tuple[float, ...]

    @property
    def title(self) -> str:
        """What people call it, such as ``saddle (index 1)``."""
        return self.kind if self.kind in ("minimum", "maximum") else f"{self.kind} (index {self.index})"


def classify(
    position: Sequence[float], value: float, eigenvalues: Sequence[float], zero: float = 0.0
) -> StationaryPoint:
    """Return the stationary point at a position.

    Parameters
    ----------
    position : sequence of float
    value : float
    eigenvalues : sequence of float
        Of the Hessian there.
    zero : float
        Size below which an eigenvalue counts as zero.
    """
    ordered = tuple(sorted(float(each) for each in eigenvalues))
    index = sum(each < -zero for each in ordered)
    kind: PointKind
    if any(abs(each) <= zero for each in ordered):
        kind = "degenerate"
    elif index == 0:
        kind = "minimum"
    else:
        kind = "maximum" if index == len(ordered) else "saddle"
    return StationaryPoint(kind, index, tuple(float(np.float64(each)) for each in position), float(value), ordered)


def noun_of(kind: str) -> str:
    """Return what people call a point of a kind."""
    return "degenerate point" if kind == "degenerate" else kind
