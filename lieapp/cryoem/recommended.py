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

    Notes
    -----
    The loss is scaled so that its largest curvature is one, see `lieapp.cryoem.fit`; chosen at box 32 on 1000 images:

    - SGD, perturbed or not: 1, the largest rate that is surely stable.
    - Row sums: 1 is stable in any batch; 1 / (1 + 0.1 k) averages the noise of batches. The exact diagonal and its
      estimate allow 0.59 (interpolation couples neighbours): 0.3 / (1 + 0.05 k).
    - Adam: half of the typical size of a coefficient; twice of it leaves the outer shells twice as noisy after ten
      epochs. Second moments are forgotten within an epoch or so, since gradients of the start say little later.
    - Sophia: one random probe a step; the exact diagonal would count as one product for every coefficient.
    - DEO: there is no saddle here, so it is what it wraps.
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
    if name in ("sgd", "perturbed-sgd"):
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
