"""Settings that work for a landscape, from its curvature and size, where an optimiser does not know them. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.landscapes.catalog import surface
from lieapp.landscapes.formula import Formula
from lieapp.landscapes.stationary import Domain
from lieapp.optimizers.names import normalised

__all__ = ["Scales", "planar_scales", "recommended", "scales_of"]

_GRID = 100  # even: the middle, where some surfaces have a cusp, is no point of it
_LARGEST = 1e6  # rate or radius; of a surface without curvature one over it would be larger


@dataclass(frozen=True)
class Scales:
    """What step sizes are made of.

    Attributes
    ----------
    curvature : float
        Largest size of an eigenvalue of the Hessian where a run that never climbs can come.
    length : float
        How far it is from one side to the other, in the unit of the parameters.
    """

    curvature: float
    length: float


_HIGH_DIMENSIONAL: dict[str, Scales] = {
    "strict-saddle-100": Scales(5.0, 3.0),
    "matrix-factorisation": Scales(5.0, 3.0),
    "deep-linear": Scales(10.0, 3.0),
    "so3-alignment": Scales(5.0, 3.0),
}


@lru_cache(maxsize=256)
def planar_scales(
    name: str, formula: str | None = None, domain: Domain | None = None, start: tuple[float, ...] | None = None
) -> Scales:
    """Return the scales of a surface for a run that starts at a point.

    Notes
    -----
    The curvature is the largest one on a grid over the part of the domain that lies no higher than the start and hangs
    together with it: there gradient descent with a step of one over it goes downhill in every step. A valley narrower
    than a cell runs between the points of the grid; so where a point is too high, the bottom beside it counts.
    """
    shape = surface(name, formula, domain)
    (x0, x1), (y0, y1) = shape.domain
    begin = shape.start if start is None else start
    x, y = np.meshgrid(np.linspace(x0, x1, _GRID), np.linspace(y0, y1, _GRID))
    first, largest_first = (float(part) for part in _value_and_curvature(shape.function, begin[0], begin[1]))
    cell = math.hypot(x1 - x0, y1 - y0) / (_GRID - 1)
    value, largest = _value_and_curvature(shape.function, x, y)
    u, v = _bottom_beside(shape.function, x, y, 0.5 * cell)
    beside = _value_and_curvature(shape.function, np.clip(u, x0, x1), np.clip(v, y0, y1))
    with np.errstate(all="ignore"):
        low = np.isfinite(value) & np.isfinite(largest) & (value <= first)
        lower = ~low & np.isfinite(beside[0]) & np.isfinite(beside[1]) & (beside[0] <= first)
    largest, low = np.where(lower, beside[1], largest), low | lower
    column = int(np.clip(round((begin[0] - x0) / (x1 - x0) * (_GRID - 1)), 0, _GRID - 1))
    row = int(np.clip(round((begin[1] - y0) / (y1 - y0) * (_GRID - 1)), 0, _GRID - 1))
    reached = np.append(largest[_connected(low, row, column)], largest_first)
    curvature = float(np.max(reached, initial=0.0, where=np.isfinite(reached)))
    return Scales(curvature if curvature > 0.0 else 1.0, shape.size)


def _value_and_curvature(function: Formula, x: Any, y: Any) -> tuple[Any, Any]:
    with np.errstate(all="ignore"):
        value, _, _, xx, xy, yy = function.derivatives(x, y)
        return value, np.abs(0.5 * (xx + yy)) + np.hypot(0.5 * (xx - yy), xy)


def _bottom_beside(function: Formula, x: Any, y: Any, reach: float) -> tuple[Any, Any]:
    """Return points moved down along their highest curvature, to the bottom of a parabola but no farther than a reach.

    Newton's step; done twice, since a narrow valley is no parabola across a whole cell.
    """
    for _ in range(2):
        with np.errstate(all="ignore"):
            _, gx, gy, xx, xy, yy = function.derivatives(x, y)
            spread = np.hypot(0.5 * (xx - yy), xy)
            highest = 0.5 * (xx + yy) + spread
            angle = 0.5 * np.arctan2(xy, 0.5 * (xx - yy))
            ex, ey = np.cos(angle), np.sin(angle)
            step = np.where(highest > 0.0, -(gx * ex + gy * ey) / highest, 0.0)
            step = np.clip(np.nan_to_num(step), -reach, reach)
            x, y = x + step * ex, y + step * ey
    return x, y


def _connected(mask: NDArray[np.bool_], row: int, column: int) -> NDArray[np.bool_]:
    """Return the part of a mask that hangs together with a place of the grid, or with its neighbours."""
    reached = np.zeros_like(mask)
    reached[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    reached &= mask
    count = 0
    while (total := int(reached.sum())) > count:
        count = total
        for _ in range(8):
            wider = reached.copy()
            wider[1:] |= reached[:-1]
            wider[:-1] |= reached[1:]
            wider[:, 1:] |= reached[:, :-1]
            wider[:, :-1] |= reached[:, 1:]
            reached = wider & mask
    return reached


def scales_of(
    name: str, formula: str | None = None, domain: Domain | None = None, start: tuple[float, ...] | None = None
) -> Scales | None:
    """Return the scales of a landscape; None for a network, whose rates are a matter of experience."""
    if name.startswith("transformer"):
        return None
    return _HIGH_DIMENSIONAL[name] if name in _HIGH_DIMENSIONAL else planar_scales(name, formula, domain, start)


def recommended(optimizer: str, scales: Scales | None, base: str = "sgd") -> dict[str, Any]:
    """Return the settings in which a landscape should differ from an optimiser's defaults.

    Parameters
    ----------
    optimizer : str
        A name; unknown ones get no recommendation.
    scales : Scales or None
        None for networks.
    base : str
        What DEO wraps.

    Returns
    -------
    dict
        Dotted keys of the settings. Forms show them as ``auto``, what is typed overrides them.

    Notes
    -----
    Methods whose step is the gradient times a rate get one over the largest curvature. Methods whose step has about the
    same length whatever the gradient get a small share of the size of the domain, and shrink it where they would
    circle about a minimum for ever. Second-order methods get that share as the radius that they trust.
    """
    name = normalised(optimizer).removeprefix("torch.optim:")
    if scales is None:
        known = _inside_deo(base, None) if name == "deo" else {}
        return {**known, **_NETWORK.get(name, {})}
    step, length = _rounded(1.0 / scales.curvature), scales.length
    pace = _rounded(0.003 * length)
    shrinking = {"schedule.kind": "inverse-time", "schedule.decay": 0.002}
    if name in ("sgd", "asgd"):
        return {"lr": step}
    if name == "perturbed-sgd":
        slope = _rounded(1e-4 * scales.curvature * length)
        return {"lr": step, "radius": _rounded(0.003 * length), "gradient_threshold": slope}
    if name in ("adam", "adamw", "nadam", "radam", "adamax"):
        return {"lr": pace, **shrinking}
    if name in ("rmsprop", "muon"):
        return {"lr": pace, **shrinking, **({"weight_decay": 0.0} if name == "muon" else {})}
    if name == "adagrad":
        return {"lr": _rounded(0.03 * length)}
    if name == "sophia":
        return {"lr": 0.5, "betas": (0.3, 0.5), "clip": _rounded(0.02 * length)}
    if name == "saddle-free-newton":
        return {"trust_radius": _rounded(0.05 * length)}
    if name == "deo":
        # The kick is as far as perturbed descent pushes.
        return {**_inside_deo(base, scales), "trust_radius": _rounded(0.03 * length), "kick": 0.1}
    return {}


def _inside_deo(base: str, scales: Scales | None) -> dict[str, Any]:
    """Return the recommendation for an optimiser as DEO spells it: its own under ``base``, the schedule outside."""
    inner = recommended(base, scales)
    names = {"betas": "memories"} if base == "sophia" else {}
    found: dict[str, Any] = {"base.name": base}
    for key, value in inner.items():
        found[key if key.startswith("schedule.") else f"base.{names.get(key, key)}"] = value
    return found


def _rounded(value: float) -> float:
    """Return a number rounded down to two digits, which is what people can read, and no larger than settings take."""
    if not (math.isfinite(value) and value > 0.0):
        return 1e-3
    value = min(value, _LARGEST)
    place = math.floor(math.log10(value)) - 1
    return float(f"{math.floor(value / 10.0**place * (1.0 + 1e-12)) * 10.0**place:.2g}")


_NETWORK: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.1, "momentum": 0.9},
    "perturbed-sgd": {"lr": 0.3},
    "adam": {"lr": 3e-3, "betas": (0.9, 0.99)},
    "adamw": {"lr": 3e-3, "betas": (0.9, 0.99), "weight_decay": 0.1},
    # What one batch shows of the curvature is gone with the next: to search often is a waste.
    "deo": {"interval": 80.0},
    "sophia": {"lr": 3e-3, "estimator": "hutchinson", "betas": (0.96, 0.99), "gamma": 0.05, "update_interval": 10},
}
