"""How fast a run leaves a saddle: the predicted factor a step beside the observed one. No torch.

Near a strict saddle the gradient along the lowest eigenvector v is λ c, where c is the displacement along v. Gradient
descent with rate η multiplies c by ``1 + η |λ|`` a step. A dimer that removes the share α of the gradient along v makes
that ``1 + η (1 − α) |λ|``: at α = 1 the coordinate that leads away is frozen, at α = 2 (reflection) it shrinks, and the
run is drawn to the saddle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lieapp.engine.recording import Recording
from lieapp.landscapes.truth import Truth

__all__ = ["NEAR_SHARE", "NOISE_SHARE", "Growth", "measure_growth", "predicted_factor"]

NEAR_SHARE = 0.05
"""Near a saddle is what lies within this share of the way to the nearest minimum, along the unstable direction."""

NOISE_SHARE = 1e-7
"""Smaller displacements are rounding, or the error of a direction found by differences; their growth says nothing."""


@dataclass(frozen=True)
class Growth:
    """The factor by which a step multiplies the unstable coordinate.

    Attributes
    ----------
    predicted : float
        NaN for methods of which theory says nothing so simple.
    observed : float
        Geometric mean; NaN where no step was near the saddle, or the coordinate was zero all along.
    steps : int
        Number of steps that were near it.
    """

    predicted: float
    observed: float
    steps: int


def predicted_factor(settings: Mapping[str, Any] | None, optimizer: str, curvature: float) -> float:
    """Return the factor that theory predicts.

    Parameters
    ----------
    settings : mapping or None
        Resolved settings, as a recording's metadata hold them.
    optimizer : str
    curvature : float
        Lowest eigenvalue at the saddle, negative.

    Returns
    -------
    float
        For gradient descent without momentum, plain or inside DEO; NaN for everything else.
    """
    if settings is None or settings.get("schedule", {}).get("kind", "constant") != "constant":
        return math.nan
    share, step = 0.0, settings
    if optimizer == "deo":
        step = settings.get("base", {})
        shares = {"off": 0.0, "project": float(settings.get("strength", 1.0))}
        if settings.get("translation", "base") == "base":
            shares["reflect"] = 2.0
        share = shares.get(str(settings.get("mode")), math.nan)
        if step.get("name") != "sgd":
            return math.nan
    elif optimizer not in ("sgd", "perturbed-sgd"):
        return math.nan
    if step.get("momentum", 0.0) or step.get("weight_decay", 0.0) or "lr" not in step:
        return math.nan
    return 1.0 + float(step["lr"]) * (1.0 - share) * abs(curvature)


def measure_growth(recording: Recording, truth: Truth) -> Growth | None:
    """Return predicted and observed growth of the unstable coordinate near the reference saddle.

    Returns
    -------
    Growth or None
        None where the landscape has no reference saddle with one direction that leads away.
    """
    saddle = truth.saddle
    if saddle is None or saddle.direction is None or "unstable_coordinate" not in recording.columns:
        return None
    metadata = recording.metadata
    predicted = predicted_factor(
        metadata.get("settings"), str(metadata.get("optimizer")), min(saddle.point.eigenvalues)
    )
    size = np.abs(recording.column("unstable_coordinate"))
    near = (size > NOISE_SHARE * saddle.reach) & (size <= NEAR_SHARE * saddle.reach)
    steps = near[:-1] & near[1:]
    if not steps.any():
        return Growth(predicted, math.nan, 0)
    ratios = np.log(size[1:][steps]) - np.log(size[:-1][steps])
    return Growth(predicted, float(np.exp(ratios.mean())), int(steps.sum()))
