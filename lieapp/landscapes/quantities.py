"""What can be shown of a run on a landscape, beside what it costs."""

from __future__ import annotations

from lieapp.engine.quantity import Quantity

__all__ = ["LANDSCAPE_QUANTITIES", "NETWORK_QUANTITIES"]

LANDSCAPE_QUANTITIES = (
    Quantity("loss", "loss", "loss f"),
    Quantity("gradient_norm", "gradient norm", "gradient norm |g|", logarithmic=True),
    Quantity("lowest_curvature", "lowest curvature", "lowest curvature, exact"),
    Quantity("highest_curvature", "highest curvature", "highest curvature, exact"),
    Quantity("gradient_alignment", "|g·v|/|g|", "|g·v|/|g|, v of lowest curvature", logarithmic=True, floor=1e-8),
    # Its size grows from rounding, at a saddle, to that of the landscape.
    Quantity("unstable_coordinate", "unstable coordinate", "way along the unstable direction", floor=1e-16),
    Quantity("dimer_curvature", "dimer's curvature", "curvature C along N"),
    Quantity("dimer_residual", "dimer's residual", "residual |HN − CN|", logarithmic=True),
    Quantity("dimer_alignment", "|g·N|/|g|", "|g·N|/|g|, N of the dimer", logarithmic=True, floor=1e-8),
    Quantity("dimer_turn_degrees", "turn of the dimer", "turn of N at its last refresh", "°"),
)
"""Columns of a landscape's recording; the first is the default."""

NETWORK_QUANTITIES = (
    Quantity("loss", "training loss", "loss of the present batch", "nats a character"),
    Quantity("validation_loss", "validation loss", "loss on held-out text", "nats a character"),
)
"""Columns of a network's recording that stand in the place of a picture."""
