"""What the plot of the Align workbench can show. No Qt."""

from __future__ import annotations

from lieapp.gui.plots.quantities import Quantity

__all__ = ["ALIGN_QUANTITIES"]

ALIGN_QUANTITIES = (
    Quantity("gap", "gap", "gap to the best possible", "Å", logarithmic=True, floor=1e-6),
    Quantity("rmsd", "RMSD", "RMSD of the fitted pairs", "Å"),
    Quantity("loss", "loss", "loss, what the optimiser sees", logarithmic=True),
    Quantity("gradient_norm", "gradient norm", "scaled gradient norm", logarithmic=True),
    Quantity("angle_degrees", "angle", "rotation angle", "°"),
)
"""Columns of an alignment's recording; the first is the default."""
