"""What can be shown of a run that reconstructs, beside what it costs."""

from __future__ import annotations

from lieapp.engine.quantity import ABSCISSAE, LEARNING_RATE, Quantity

__all__ = ["CRYOEM_ABSCISSAE", "CRYOEM_QUANTITIES"]

CRYOEM_QUANTITIES = (
    Quantity("loss_gap", "loss gap", "loss above the exact minimiser", logarithmic=True, floor=1e-8, sparse=True),
    Quantity("fsc_mean", "mean FSC", "mean Fourier shell correlation"),
    Quantity("resolution_angstrom", "resolution", "resolution by FSC", "Å"),
    Quantity("loss", "batch loss", "loss of the present batch"),
    Quantity("gradient_norm", "gradient norm", "scaled gradient norm", logarithmic=True),
    LEARNING_RATE,
    Quantity("preconditioner_error", "preconditioner error", "error of Hutchinson's mean", logarithmic=True),
)
"""Columns of a reconstruction's recording; the first is the default."""

CRYOEM_ABSCISSAE = (
    ABSCISSAE[0],
    Quantity("epoch", "epochs", "epochs (passes over all images)"),
    *ABSCISSAE[1:],
)
"""What the abscissa can show of a reconstruction; the first is the default."""
