"""What can be shown of a run that aligns, beside what it costs."""

from __future__ import annotations

from lieapp.engine.quantity import Quantity

__all__ = ["ALIGN_QUANTITIES", "OBJECTIVE_VALUE"]

ALIGN_QUANTITIES = (
    Quantity("gap", "gap", "gap to the best possible", "Å", logarithmic=True, floor=1e-6),
    Quantity("rmsd", "RMSD", "RMSD of the fitted pairs", "Å"),
    Quantity("loss", "loss", "loss, what the optimiser sees", logarithmic=True),
    Quantity("gradient_norm", "gradient norm", "scaled gradient norm", logarithmic=True),
    Quantity("angle_degrees", "angle", "rotation angle", "°"),
)
"""Columns of an alignment's recording; the first is the default."""

OBJECTIVE_VALUE = Quantity("objective_value", "objective", "value of the objective")
"""What the gap is the difference of; in the same unit."""
