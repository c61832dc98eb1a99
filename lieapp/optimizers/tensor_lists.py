"""Vectors that are lists of tensors, and the algebra on them in as few passes through memory as it takes.

What is done to a tensor is done at once, while it is in the cache: the parts of a vector come one by one, computed when
they are asked for, and the next operation takes each before the one after it. Nothing is joined or converted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lieapp.optimizers.inner_products import norm, products_and_square

__all__ = ["combined", "rough_norm", "rough_product_and_norm", "subtract_", "subtracted"]

Vector = Sequence[Tensor]


def subtracted(w: Vector, terms: Sequence[tuple[float, Vector]]) -> Iterator[Tensor]:
    """Yield the parts of ``w - sum of c u`` over terms (c, u), written over w."""
    for index, y in enumerate(w):
        for factor, u in terms:
            y.add_(u[index], alpha=-factor)
        yield y


def subtract_(w: Vector, terms: Sequence[tuple[float, Vector]]) -> None:
    """Replace w by ``w - sum of c u`` over terms (c, u)."""
    for _ in subtracted(w, terms):
        pass


def combined(factors: Sequence[float], vectors: Sequence[Vector], out: Vector) -> Iterator[Tensor]:
    """Yield the parts of the sum of ``factors[i] * vectors[i]``, written to ``out``."""
    for index, y in enumerate(out):
        torch.mul(vectors[0][index], factors[0], out=y)
        for factor, u in zip(factors[1:], vectors[1:], strict=True):
            y.add_(u[index], alpha=factor)
        yield y


def rough_norm(a: Vector) -> float:
    """Return the Euclidean norm of a list of tensors in their own precision, for where its digits do not matter."""
    length = math.hypot(*(float(torch.linalg.vector_norm(x.detach())) for x in a))
    return length if 0.0 < length < math.inf else norm(a)


def rough_product_and_norm(u: Vector, w: Vector) -> tuple[float, float]:
    """Return u·w for a unit u, and the norm of w, summed as by `products_and_square`."""
    _, (product,), square = products_and_square([u], w)
    length = math.sqrt(square) if square >= 0.0 else math.nan
    return product, length if 1e-150 < length < math.inf else norm(w)
