"""The one number by which the runs of a problem are compared."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Metric"]


@dataclass(frozen=True, slots=True)
class Metric:
    """The column that a problem is judged by, and how to draw it.

    Attributes
    ----------
    name : str
        Name of a column of the recording.
    unit : str
        Unit for labels; empty if there is none.
    scale : {"linear", "log"}
        Axis on which it is drawn.
    """

    name: str = "loss"
    unit: str = ""
    scale: Literal["linear", "log"] = "log"

    @property
    def label(self) -> str:
        """Name and unit, as an axis shows them."""
        return f"{self.name} ({self.unit})" if self.unit else self.name
