"""What a column of a recording is called, in which unit, on which axis: the same on the screen and on paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ABSCISSAE", "EVALUATIONS", "LEARNING_RATE", "Quantity", "quantities_by_column"]


@dataclass(frozen=True)
class Quantity:
    """A column of a recording as plots, figures and films show it.

    Attributes
    ----------
    column : str
        Column of the recording.
    title : str
        What a choice says, and an axis where the label does not fit.
    label : str
        Axis label, without the unit.
    unit : str
        Empty where there is none; that of a gap depends on the objective, and whoever knows it says it.
    logarithmic : bool
        Whether the axis is logarithmic unless something else is asked for.
    floor : float
        Least value drawn on a logarithmic axis; what is below is rounding.
    sparse : bool
        Whether it is measured in some frames only; a curve then joins those.
    whole : bool
        Whether it counts, so that its values are whole numbers.
    """

    column: str
    title: str
    label: str
    unit: str = ""
    logarithmic: bool = False
    floor: float = 1e-12
    sparse: bool = False
    whole: bool = False


EVALUATIONS = Quantity("evaluations", "evaluations", "evaluations (gradients computed)", whole=True)
"""The fair cost, over which everything is drawn unless something else is asked for."""

ABSCISSAE = (
    EVALUATIONS,
    Quantity("step", "steps", "steps", whole=True),
    Quantity("seconds", "seconds", "computing time", "s"),
)
"""What an abscissa can show of any run; the first is the default."""

LEARNING_RATE = Quantity("learning_rate", "learning rate", "learning rate", logarithmic=True)

_COUNTS = (
    Quantity("gradients", "gradients", "gradients computed", whole=True),
    Quantity("losses", "losses", "losses computed", whole=True),
    Quantity("hvps", "Hessian-vector products", "Hessian-vector products computed", whole=True),
)


def quantities_by_column(quantities: Iterable[Quantity]) -> dict[str, Quantity]:
    """Return the quantities of a problem, and those of every run, by their columns.

    Parameters
    ----------
    quantities : iterable of Quantity
        Of the problem; one of them stands instead of that of every run with its column.
    """
    return {each.column: each for each in (*ABSCISSAE, LEARNING_RATE, *_COUNTS, *quantities)}
