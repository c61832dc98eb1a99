"""Settings that work for a reconstruction, where an optimiser's own defaults do not know the problem. No torch."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["recommended"]


def recommended(
    optimizer: str, preconditioner: str = "hutchinson", box: int = 32, steps_per_epoch: int = 10
) -> dict[str, Any]:
    """Return the settings in which a reconstruction should differ from an optimiser's defaults.

    Parameters
    ----------
    optimizer : str
        A name; unknown ones get no recommendation.
    preconditioner : {"none", "exact", "row-sum", "hutchinson"}
    box : int
    steps_per_epoch : int

    Returns
    -------
    dict
        Dotted keys of the settings. Forms show them as ``auto``, what is typed overrides them.
    """
    name = optimizer.strip().lower().replace("_", "-").removeprefix("torch.optim:")
    # Size of a coefficient: images have unit energy, spread over the plane.
    size = 1.0 / math.sqrt(math.pi * (box // 2 - 1) ** 2)
    inverse = {"schedule.kind": "inverse-time"}
    if name == "preconditioned-sgd":
        if preconditioner == "none":
            return {"lr": 1.0, "restart_interval": steps_per_epoch}
        lr, decay = (1.0, 0.1) if preconditioner == "row-sum" else (0.3, 0.05)
        return {"lr": lr, **inverse, "schedule.decay": decay, "restart_interval": steps_per_epoch}
    if name == "sgd":
        return {"lr": 1.0}
    if name == "deo":  # there is no saddle: what is left of it is its base, plain gradient descent
        return {"base.name": "sgd", "base.lr": 1.0}
    if name in ("complex-adam", "adam", "adamw"):
        return {"lr": 0.5 * size, **inverse, "schedule.decay": 0.05, "betas": [0.9, 0.99]}
    if name == "sophia":
        return {
            "lr": 0.1,
            "clip": 4.0 * size,
            "estimator": "hutchinson",
            "betas": [0.9, 0.95],
            **inverse,
            "schedule.decay": 0.05,
        }
    return {}
