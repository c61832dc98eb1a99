"""Locally optimal rotation: the lowest direction in the space of N, HN - CN and the previous change of N."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.rotation import RECOMPUTE_AFTER, Rotation, Search, curvature_along

__all__ = ["turn_locally_optimally"]


def turn_locally_optimally(search: Search, watched: bool) -> Iterator[Rotation]:
    space = search.space
    # Rows: N, the previous change of N (orthonormal to it; absent at first), the new direction. And their products.
    vectors = torch.empty(3, space.size, dtype=space.dtype, device=space.device)
    products = torch.empty_like(vectors)
    vectors[0] = search.start()
    products[0] = search.product(vectors[0])
    known, change_curvature = 1, 0.0
    stale, probed = 0, False
    while True:
        n, y = vectors[0], products[0]
        curvature, residual, length = curvature_along(search, n, y)
        settled = search.settled(curvature, length)
        if not math.isfinite(length) or search.left == 0 or space.size == 1:
            break
        if search.by_differences and stale >= RECOMPUTE_AFTER and (settled or search.left == 1):
            products[0], stale, known = search.product(n), 0, 1
            continue
        if settled and probed:
            break
        if watched:
            yield search.rotation(n.clone(), y.clone, curvature, length)
        # Where HN shows no way to turn, a random one: the eigenvector at hand need not be the lowest.
        probed = probed or settled
        if settled:
            turn = _orthonormal(space, search.random(), 1.0, vectors[:known])
        else:  # a long one is orthogonal to N as it stands; of a short one, rounding is a part
            first = 1 if length > 0.01 * search.scale else 0
            turn = _orthonormal(space, residual, length, vectors[first:known])
        if turn is None:
            break
        vectors[known], products[known] = turn, search.product(turn)
        coefficients, change_curvature = _lowest_in_span(vectors, products, known, curvature, change_curvature)
        if coefficients is None:
            break
        known = len(coefficients)
        for rows in (vectors, products):
            space.mix(rows, coefficients)
        stale += 1
    scale = 1.0 / space.norm(n)
    yield search.rotation(n * scale, lambda: y * scale, curvature, length)


def _orthonormal(space: FlatSpace, vector: Tensor, length: float, basis: Tensor) -> Tensor | None:
    """Return the unit vector along the part of a vector orthogonal to orthonormal rows; None if there is none."""
    before = length
    for _ in range(3 if len(basis) else 0):
        parts = space.rows_dot(basis, vector)
        for part, row in zip(parts.tolist(), basis, strict=True):
            vector = vector.add_(row, alpha=-part)
        small = float(parts.norm()) <= 1e-3 * length
        if small:  # what is left of them is beyond the precision, and so is the change of length
            return vector.div_(length)
        length = space.norm(vector)
        if not length > 1e-10 * before:
            return None
    return vector.div_(length)


def _lowest_in_span(
    vectors: Tensor, products: Tensor, known: int, curvature: float, change_curvature: float
) -> tuple[Tensor | None, float]:
    """Solve the Rayleigh-Ritz problem in two or three orthonormal rows, the last of them new.

    Returns
    -------
    coefficients : Tensor, shape=(1 or 2, known + 1), dtype=float64, or None
        Of the lowest vector, and of the direction in which the first row was left, orthonormal to it. None where a
        product is not finite.
    change_curvature : float
        Curvature along that direction.
    """
    size = known + 1
    matrix = torch.zeros(size, size, dtype=torch.float64)
    matrix[0, 0] = curvature
    if known == 2:
        # The last Rayleigh-Ritz problem has left the change conjugate to N.
        matrix[1, 1] = change_curvature
    matrix[-1] = FlatSpace.rows_dot(vectors[:size], products[known])
    matrix[:, -1] = matrix[-1]
    if not bool(torch.isfinite(matrix).all()):
        return None, change_curvature
    lowest = torch.linalg.eigh(matrix)[1][:, 0]
    change = lowest.clone()
    change[0] = 0.0
    change -= (change @ lowest) * lowest
    length = float(change.norm())
    if length < 1e-12:
        return lowest[None], 0.0
    change /= length
    return torch.stack((lowest, change)), float(change @ matrix @ change)
