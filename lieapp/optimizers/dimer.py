"""The direction of lowest curvature, found by turning a dimer: two points close together, and their gradients.

The curvature along a unit vector N is C = N·HN. Every method below needs one product HN, and one more for each
rotation; products come from an `Oracle`, so from differences of gradients (the dimer proper) or from second
derivatives. In terms of gradients the rotational force of Henkelman and Jónsson (J. Chem. Phys. 111, 7010, 1999) is
-(HN - CN), and C falls along it.

Nothing depends on whether N or -N is given: the sign is fixed first, the largest component of a direction being
positive. Dot products are summed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from lieapp.optimizers.krylov_rotation import turn_in_krylov_space
from lieapp.optimizers.locally_optimal import turn_locally_optimally
from lieapp.optimizers.oracle import Oracle
from lieapp.optimizers.plane_rotations import fourier_angle, turn_by_fixed_steps, turn_to_optimal_angle
from lieapp.optimizers.rotation import Rotation, Search

__all__ = ["ROTATION_METHODS", "Rotation", "RotationMethod", "fourier_angle", "rotate", "rotations"]

RotationMethod = Literal["fixed", "optimal-angle", "lor", "lanczos"]

ROTATION_METHODS: tuple[str, ...] = get_args(RotationMethod)
"""Fixed-step rotation (as published), optimal angle, locally optimal rotation, Lanczos (the default)."""


def rotate(
    oracle: Oracle,
    direction: Sequence[Tensor] | None = None,
    *,
    budget: float = 100.0,
    method: RotationMethod = "lanczos",
    tolerance: float = 0.01,
    rate: float = 0.1,
    ascend: bool = False,
    trial_angle: float = math.pi / 4.0,
    generator: torch.Generator | None = None,
) -> Rotation:
    """Return the direction of lowest curvature, as well as a budget allows.

    Parameters
    ----------
    oracle : Oracle
        Asked for products at the present parameters.
    direction : sequence of Tensor, optional
        Where to begin, one tensor per parameter, of any length and sign. If absent, the gradient left in ``.grad``
        with a tenth of a random direction, or that alone. In a network the gradient has a hundred times the share of
        the lowest direction that a random vector has; exactly on a ridge it has none, hence the tenth.
    budget : float
        Evaluations to spend at most, at the oracle's price of a product; at least one product.
    method : {"lanczos", "lor", "optimal-angle", "fixed"}
        - ``lanczos``: the lowest direction in the Krylov space, which keeps a vector for every product, 50 at most;
          from there it starts over with the lowest direction found.
        - ``lor``, locally optimal rotation (Leng, Yang, Chen, arXiv:1303.1638): the lowest direction in the space of
          N, HN - CN and the previous change of N, which is LOBPCG with one vector (Knyazev 2001). It keeps three
          vectors and their products, whatever the budget.
        - ``optimal-angle``: the plane of N and HN - CN, its lowest angle from a trial rotation (Heyden, Bell and Keil,
          J. Chem. Phys. 123, 224101, 2005; Kästner and Sherwood, ibid. 128, 014106, 2008).
        - ``fixed``: N - rate (HN - CN), normalised. Stable for a rate below 2 / (largest - lowest curvature) only.
    tolerance : float
        Stop at this relative residual.
    rate : float
        Of ``fixed``.
    ascend : bool
        Of ``fixed``: N + rate (HN - CN), the sign as transcribed from arXiv:2507.19968, which seeks the highest
        curvature.
    trial_angle : float
        Of ``optimal-angle``, in rad.
    generator : torch.Generator, optional
        Of random directions; a new one, seeded 0, if absent.

    Returns
    -------
    Rotation

    Raises
    ------
    ValueError
        For a setting out of range, or a direction of no length.

    Notes
    -----
    An eigenvector gives no hint of a lower one, so ``lanczos`` and ``lor``, when they have found one, try a random
    direction beside it once, for one product. HN is carried along and, by differences, computed anew after ten
    rotations or more; the budget covers this.
    """
    search = Search(oracle, direction, budget, tolerance, generator)
    holding: Callable[[], Any] = getattr(oracle, "holding", nullcontext)
    with holding():
        *_, last = _run(search, method, rate, ascend, trial_angle, watched=False)
    return last


def rotations(
    oracle: Oracle,
    direction: Sequence[Tensor] | None = None,
    *,
    budget: float = 100.0,
    method: RotationMethod = "lanczos",
    tolerance: float = 0.01,
    rate: float = 0.1,
    ascend: bool = False,
    trial_angle: float = math.pi / 4.0,
    generator: torch.Generator | None = None,
) -> Iterator[Rotation]:
    """Yield what is known after every product, to be drawn; the last is what `rotate` returns. See there."""
    search = Search(oracle, direction, budget, tolerance, generator)
    return _run(search, method, rate, ascend, trial_angle, watched=True)


def _run(
    search: Search, method: str, rate: float, ascend: bool, trial_angle: float, *, watched: bool
) -> Iterator[Rotation]:
    if method == "lor":
        return turn_locally_optimally(search, watched)
    if method == "lanczos":
        return turn_in_krylov_space(search, watched)
    if method == "optimal-angle":
        if not abs(math.sin(trial_angle)) > 1e-8:
            raise ValueError(f"Invalid trial_angle: {trial_angle}")
        return turn_to_optimal_angle(search, trial_angle, watched)
    if method == "fixed":
        if not rate >= 0.0:
            raise ValueError(f"Invalid rate: {rate}")
        return turn_by_fixed_steps(search, -rate if ascend else rate, watched)
    raise ValueError(f"Invalid method: {method!r}, expected one of {', '.join(ROTATION_METHODS)}")
