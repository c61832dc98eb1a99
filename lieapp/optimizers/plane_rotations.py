"""Rotations in the plane of N and HN - CN, to the lowest angle or by a fixed step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import torch

from lieapp.optimizers.rotation import RECOMPUTE_AFTER, Rotation, Search, curvature_along, same

__all__ = ["fourier_angle", "turn_by_fixed_steps", "turn_to_optimal_angle"]


def fourier_angle(curvature: float, slope: float, trial_curvature: float, trial_angle: float) -> float:
    """Return the angle of lowest curvature in a plane, from the curvature at 0 and at a trial angle.

    In the plane of two unit vectors C(phi) = a0/2 + a1 cos 2phi + b1 sin 2phi.

    Parameters
    ----------
    curvature, slope : float
        C and dC/dphi at angle 0.
    trial_curvature : float
        C at the trial angle.
    trial_angle : float
        In rad; no multiple of pi.

    Returns
    -------
    float
        In (-pi/2, pi/2].
    """
    b1 = 0.5 * slope
    double = 2.0 * trial_angle
    a1 = (curvature - trial_curvature + b1 * math.sin(double)) / (1.0 - math.cos(double))
    # C = a0/2 + |(a1, b1)| cos(2 phi - delta) is lowest where the cosine is -1.
    angle = 0.5 * (math.atan2(b1, a1) + math.pi)
    return angle - math.pi if angle > 0.5 * math.pi else angle


def turn_to_optimal_angle(search: Search, trial_angle: float, watched: bool) -> Iterator[Rotation]:
    space, n = search.space, search.start()
    y = search.product(n)
    stale = 0
    while True:
        curvature, residual, length = curvature_along(search, n, y)
        settled = search.settled(curvature, length)
        if not math.isfinite(length) or search.left == 0:
            break
        if search.by_differences and stale >= RECOMPUTE_AFTER and (settled or search.left == 1):
            y, stale = search.product(n), 0
            continue
        if settled or length == 0.0:
            break
        if watched:
            yield search.rotation(n, partial(same, y), curvature, length)
        turn = residual / -length
        trial = space.unit(math.cos(trial_angle) * n + math.sin(trial_angle) * turn)
        trial_product = search.product(trial)
        angle = fourier_angle(curvature, -2.0 * length, space.dot(trial, trial_product), trial_angle)
        # H is linear: its product with the turned N follows from the two at hand.
        sine = math.sin(trial_angle)
        n = math.cos(angle) * n + math.sin(angle) * turn
        y = (math.sin(trial_angle - angle) / sine) * y + (math.sin(angle) / sine) * trial_product
        scale = 1.0 / space.norm(n)
        n, y, stale = n * scale, y * scale, stale + 1
    yield search.rotation(n, partial(same, y), curvature, length)


def turn_by_fixed_steps(search: Search, rate: float, watched: bool) -> Iterator[Rotation]:
    space, n = search.space, search.start()
    while True:
        y = search.product(n)
        curvature, residual, length = curvature_along(search, n, y)
        if search.left == 0 or search.settled(curvature, length) or not math.isfinite(length):
            break
        if watched:
            yield search.rotation(n, partial(same, y), curvature, length)
        n = space.unit(torch.add(n, residual, alpha=-rate))
    yield search.rotation(n, partial(same, y), curvature, length)
