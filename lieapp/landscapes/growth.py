"""How fast a run leaves a saddle: the predicted factor a step beside the observed one. No torch.

Near a strict saddle the gradient along the lowest eigenvector v is λ c, where c is the displacement along v. Gradient
descent with rate η multiplies c by ``1 + η |λ|`` a step. A dimer that removes the share α of the gradient along v makes
that ``1 + η (1 − α) |λ|``: at α = 1 the coordinate that leads away is frozen, at α = 2 (reflection) it shrinks, and the
run is drawn to the saddle.

That holds where the Hessian is that of the saddle, so only steps near it count, and for a dimer that has turned to v;
of others theory says nothing so simple.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.recording import Recording
from lieapp.landscapes.truth import Truth

__all__ = ["LIKE_SHARE", "NEAR_SHARE", "NOISE_SHARE", "RIGHT_DIRECTION", "Growth", "measure_growth", "predicted_factor"]

NEAR_SHARE = 0.05
"""Near a saddle is what lies within this share of the way to the nearest minimum, along the unstable direction."""

LIKE_SHARE = 0.1
"""And where the lowest curvature differs from that at the saddle by this share at most."""

RIGHT_DIRECTION = 0.995
"""Least |N·v| of a direction N that is as good as v: then 1 % of N at most lies across."""

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
        For gradient descent without momentum, plain or inside DEO with a direction that every step uses; NaN for
        everything else.
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
        if step.get("name") != "sgd" or (share != 0.0 and settings.get("apply", "every-step") != "every-step"):
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
    table = recording.table(["unstable_coordinate", "lowest_curvature"])
    size, lowest = np.abs(table["unstable_coordinate"]), min(saddle.point.eigenvalues)
    near = (size > NOISE_SHARE * saddle.reach) & (size <= NEAR_SHARE * saddle.reach)
    near &= np.abs(table["lowest_curvature"] - lowest) <= LIKE_SHARE * abs(lowest)
    steps = near[:-1] & near[1:]
    metadata = recording.metadata
    predicted = predicted_factor(metadata.get("settings"), str(metadata.get("optimizer")), lowest)
    if not steps.any():
        return Growth(predicted, math.nan, 0)
    if not _is_right(recording, saddle.direction, steps):
        predicted = math.nan
    ratios = np.log(size[1:][steps]) - np.log(size[:-1][steps])
    return Growth(predicted, float(np.exp(ratios.mean())), int(steps.sum()))


def _is_right(recording: Recording, direction: NDArray[np.float64], steps: NDArray[np.bool_]) -> bool:
    """Return whether the direction that these steps used was the lowest one, where they used any."""
    if "direction" not in recording.state_keys:
        return True
    used = recording.states("direction")
    frames = recording.state_frames[: len(used)]  # a run may go on between the two
    kept = (frames > 0) & (frames <= len(steps))  # frame k holds what the step to it used
    kept[kept] = steps[frames[kept] - 1]
    along = np.abs(used[: len(frames)][kept] @ direction)
    along = along[np.isfinite(along)]
    return not along.size or float(np.median(along)) >= RIGHT_DIRECTION
