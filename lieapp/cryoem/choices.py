"""The words that a reconstruction job may use. No torch, no numpy."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "HutchinsonStartName",
    "InterpolationName",
    "PRECONDITIONERS",
    "PreconditionerName",
    "PriorName",
    "STARTS",
    "StartName",
    "VIEWS",
    "ViewsName",
]

ViewsName = Literal["uniform", "preferred"]
PreconditionerName = Literal["none", "exact", "row-sum", "hutchinson"]
HutchinsonStartName = Literal["row-sum", "shells", "ones"]
InterpolationName = Literal["trilinear", "nearest"]
PriorName = Literal["none", "wiener"]
StartName = Literal["noise", "zero", "one-pass"]

VIEWS: dict[str, str] = {
    "uniform": "All directions are equally likely.",
    "preferred": "Most particles lie on one side, so directions across are seen rarely.",
}
PRECONDITIONERS: dict[str, str] = {
    "none": "Plain gradient: coefficients that few images see move slowly.",
    "exact": "The exact diagonal of the second derivative, by one pass over the images.",
    "row-sum": "Sums of the weights that every coefficient receives, by one pass: a step of 1 is always stable.",
    "hutchinson": "The paper's estimate of the diagonal from one random probe a batch.",
}
STARTS: dict[str, str] = {
    "noise": "Random phases with the power of the one-pass reconstruction in every shell.",
    "zero": "An empty volume. Correlations are then good from the first step, though amplitudes are not.",
    "one-pass": "The one-pass reconstruction: backprojection divided by weights.",
}
