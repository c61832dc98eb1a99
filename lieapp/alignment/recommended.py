"""Settings that work for an alignment, where an optimiser's own defaults do not know the problem. No torch."""

from __future__ import annotations

from typing import Any

__all__ = ["recommended"]


def recommended(
    optimizer: str, objective: str = "rmsd", parametrisation: str = "local", pivot: str = "centroid"
) -> dict[str, Any]:
    """Return the settings in which an alignment should differ from an optimiser's defaults.

    Parameters
    ----------
    optimizer : str
        A name; unknown ones get no recommendation.
    objective : {"rmsd", "tm", "gdt", "huber", "geman-mcclure"}
    parametrisation : {"local", "se3", "so3xr3"}
    pivot : {"centroid", "origin"}

    Returns
    -------
    dict
        Dotted keys of the settings. Forms show them as ``auto``, what is typed overrides them.

    Notes
    -----
    With the pivot at the centroid, parameters are in Å and the Hessian of every objective is of order one at a good
    fit, so the numbers hold for structures of any size. They were chosen on adenylate kinase (4AKE onto 1AKE, 214
    CA), from matched centroids, from the deposited pose and from random rotations:

    - SGD on the RMSD: one over the largest curvature, 40 evaluations. Bounded objectives are flatter far from the
      answer, therefore larger steps and momentum.
    - Adam: 1 Å. A shorter first memory than its default takes 117 evaluations from the centroids instead of 304.
      Steps shrink as 1/(1 + 0.002 k): at a constant rate 19 of 55 pairs of NMR models, which start near their answer,
      circle about it until the limit; with it all converge. The other objectives need 1/(1 + 0.02 k).
    - RMSprop, NAdam, RAdam, Adamax, Adagrad, ASGD and Muon: their own defaults are rates for networks and move a
      structure by hundredths of an Å a step.
    - Sophia: short memories; 36 steps on the RMSD from 12 random starts, 109 with betas of 0.7 and 0.9, which the
      bounded objectives need.
    - With the pivot at the origin no step suits both translation and rotation: gradient descent on se(3) diverges
      from about 2e-3 on, and stalls below.
    """
    name = optimizer.strip().lower().replace("_", "-").removeprefix("torch.optim:")
    if pivot == "origin":
        return {**_RAW.get(name, {}), **(_RAW_LOCAL.get(name, {}) if parametrisation == "local" else {})}
    settings = dict(_CENTRED.get(name, {}))
    if objective != "rmsd":
        settings.update(_ROBUST.get(name, {}))
    if objective in _BOUNDED:
        settings.update(_FLAT.get(name, {}))
    return settings


_BOUNDED = ("tm", "gdt", "geman-mcclure")


def _shrinking(decay: float) -> dict[str, Any]:
    return {"schedule.kind": "inverse-time", "schedule.decay": decay}


_ADAM: dict[str, Any] = {"lr": 1.0, "betas": (0.7, 0.999), **_shrinking(0.002)}
_ADAM_ROBUST: dict[str, Any] = _shrinking(0.02)

_CENTRED: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.5},
    "adam": _ADAM,
    "adamw": _ADAM,
    "sophia": {"lr": 0.5, "betas": (0.3, 0.5), "clip": 10.0},
    "saddle-free-newton": {"trust_radius": 10.0},
    "deo": {"base.lr": 0.5, "trust_radius": 10.0},
    "perturbed-sgd": {"lr": 0.5, "radius": 0.1},
    "rmsprop": {"lr": 1.0, **_shrinking(0.02)},
    "nadam": {"lr": 1.0, "betas": (0.7, 0.999), **_shrinking(0.01)},
    "radam": _ADAM,
    "adamax": _ADAM,
    "adagrad": {"lr": 5.0},
    "asgd": {"lr": 0.5},
    "muon": {"lr": 1.0, "weight_decay": 0.0, **_shrinking(0.02)},
}

_ROBUST: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.8},
    "adam": _ADAM_ROBUST,
    "adamw": _ADAM_ROBUST,
    "deo": {"base.lr": 0.8},
    "perturbed-sgd": {"lr": 0.8},
}

_FLAT: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.8},
    "deo": {"base.momentum": 0.8},
    "sophia": {"lr": 1.0, "betas": (0.7, 0.9), "clip": 3.0},
}

_RAW: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 5e-4},
    "deo": {"base.lr": 5e-4},
    "perturbed-sgd": {"lr": 5e-4},
    "adam": {"lr": 1.0},
    "adamw": {"lr": 1.0},
}

_RAW_LOCAL: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 2e-4},
    "deo": {"base.lr": 2e-4},
    "perturbed-sgd": {"lr": 2e-4},
    "adam": {"lr": 0.3},
    "adamw": {"lr": 0.3},
}
