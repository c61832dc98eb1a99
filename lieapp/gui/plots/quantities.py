"""What a plot of runs can show: columns of a recording with their names, units and scales. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ABSCISSAE", "Quantity"]


@dataclass(frozen=True)
class Quantity:
    """A column of the recording as the plot shows it.

    Attributes
    ----------
    column : str
        Column of the recording.
    title : str
        What the choice says.
    axis : str
        Axis label, without unit.
    unit : str
        Unit of the column, unless `ProgressPlots.set_unit` gave it another: the gap's depends on the objective.
    logarithmic : bool
        Whether the axis starts logarithmic.
    floor : float
        Smallest value drawn on a logarithmic axis; anything below is rounding.
    sparse : bool
        Whether it is measured in some frames only; the curve then joins those.
    """

    column: str
    title: str
    axis: str
    unit: str = ""
    logarithmic: bool = False
    floor: float = 1e-12
    sparse: bool = False


ABSCISSAE = (
    Quantity("evaluations", "evaluations", "evaluations (gradients computed)"),
    Quantity("step", "steps", "steps"),
    Quantity("seconds", "seconds", "computing time", "s"),
)
"""What the abscissa can show, the same for all problems; the first is the default and the fair one."""
