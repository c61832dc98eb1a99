"""The lowest direction in a Krylov space."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from lieapp.optimizers.krylov import MAX_STEPS, Krylov
from lieapp.optimizers.rotation import RECOMPUTE_AFTER, Rotation, Search, curvature_along, same

__all__ = ["turn_in_krylov_space"]


def turn_in_krylov_space(search: Search, watched: bool) -> Iterator[Rotation]:
    """Yield what is known after every product, if watched, and at the end."""
    space = search.space
    start, length = search.start_as_given()
    krylov = Krylov(space, start, min(search.left, MAX_STEPS), length, inexact=search.by_differences)
    known: list[Tensor] | None = None
    probed = False
    while True:
        if known is None:
            krylov.extend(*search.stream(krylov.next(), krylov.length))
        else:
            krylov.extend(known, 1.0)
        known = None
        curvature, residual = krylov.lowest()
        search.scale = max(search.scale, krylov.scale)
        if not math.isfinite(curvature + residual) or search.left == 0 or krylov.steps == space.size:
            break
        if watched:
            yield _lowest(search, krylov)
        settled = search.settled(curvature, residual)
        if settled and probed:
            break
        lower = None
        if settled or krylov.invariant:
            probed = True
            lower = _lower_beside(search, krylov, curvature - 1e-12 * search.scale)
            if lower is None:
                break
        elif krylov.complete:
            lowest = krylov.ritz()[1][:, 0]
            lower = krylov.vector(lowest), krylov.product(lowest)
        if lower is not None:
            scale = 1.0 / space.norm(lower[0])
            start, known = space.split(lower[0] * scale), space.split(lower[1] * scale)
            krylov = Krylov(space, start, min(search.left + 1, MAX_STEPS), inexact=search.by_differences)
    yield _lowest(search, krylov, final=True)


def _lowest(search: Search, krylov: Krylov, *, final: bool = False) -> Rotation:
    curvature, residual = krylov.lowest()
    lowest = krylov.ritz()[1][:, 0]
    parts, sign = search.space.oriented(partial(krylov.combine, lowest))
    if final and search.by_differences and search.products > RECOMPUTE_AFTER and search.left:
        n = search.space.flatten(parts)
        y = search.product(n)
        curvature, _, residual = curvature_along(search, n, y)
        return search.rotation(n, partial(same, y), curvature, residual)
    return search.rotation(parts, partial(krylov.product, lowest), curvature, residual, sign)


def _lower_beside(search: Search, krylov: Krylov, bound: float) -> tuple[Tensor, Tensor] | None:
    """Return a vector with a curvature below a bound and its product, with the help of one random direction.

    An eigenvector at hand, or an invariant space, shows no way to a lower one.
    """
    space, size = search.space, krylov.steps
    vector = search.random()
    for _ in range(2):
        krylov.subtract_from(space.split(vector))
        length = space.norm(vector)
        if not length > 1e-8:
            return None
        vector = vector / length
    product = search.product(vector)
    matrix = torch.zeros(size + 1, size + 1, dtype=torch.float64)
    matrix[:size, :size] = krylov.matrix
    matrix[-1, :size] = krylov.shares(space.split(product))
    matrix[-1, -1] = space.dot(vector, product)
    matrix[:, -1] = matrix[-1]
    if not bool(torch.isfinite(matrix).all()):
        return None
    values, vectors = torch.linalg.eigh(matrix)
    search.scale = max(search.scale, float(matrix[-1].norm()))
    if not float(values[0]) < bound:
        return None
    known, share = vectors[:-1, 0], float(vectors[-1, 0])
    return krylov.vector(known).add_(vector, alpha=share), krylov.product(known).add_(product, alpha=share)
