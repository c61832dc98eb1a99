"""Vectors that are lists of tensors, and the algebra on them in as few passes through memory as it takes.

What is done to a tensor is done at once, while it is in the cache; nothing is joined. Dot products are summed in
float64, numbers of lower precision being converted piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from lieapp.optimizers.oracle import dot64, norm

__all__ = ["combine", "dots", "product_and_square", "rough_product_and_norm", "subtract_"]

Vector = Sequence[Tensor]

_PIECE = 1 << 15


def product_and_square(u: Vector, w: Vector) -> tuple[float, float]:
    """Return u·w and w·w, summed in float64."""
    product, square = 0.0, 0.0
    for x, y in _pieces(u, w):
        y64 = y.to(torch.float64)
        product += float(torch.dot(x.to(torch.float64), y64))
        square += float(torch.dot(y64, y64))
    return product, square


def dots(vectors: Iterable[Vector], w: Vector) -> Tensor:
    """Return the dot products of some vectors with w, shape ``(vectors,)``, in float64."""
    values = [sum(dot64(x, y) for x, y in zip(u, w, strict=True)) for u in vectors]
    return torch.tensor(values, dtype=torch.float64)


def subtract_(w: Vector, terms: Sequence[tuple[float, Vector]], scale: float = 1.0) -> None:
    """Replace w by ``scale * (w - sum of c u)`` over terms (c, u), in place."""
    for index, y in enumerate(w):
        for factor, u in terms:
            y.add_(u[index], alpha=-factor)
        if scale != 1.0:
            y.mul_(scale)


def combine(factors: Sequence[float], vectors: Sequence[Vector], out: Vector) -> None:
    """Write the sum of ``factors[i] * vectors[i]`` to ``out``."""
    for index, y in enumerate(out):
        torch.mul(vectors[0][index], factors[0], out=y)
        for factor, u in zip(factors[1:], vectors[1:], strict=True):
            y.add_(u[index], alpha=factor)


def rough_product_and_norm(u: Vector, w: Vector) -> tuple[float, float]:
    """Return u·w for a unit u, and the norm of w, for where four digits are enough.

    They are summed in their own precision; a product that is small enough to suffer from that, again in float64.
    """
    parts = []
    for x, y in zip(u, w, strict=True):
        x, y = x.detach().reshape(-1), y.detach().reshape(-1)
        x = x.to(y) if x.dtype != y.dtype else x
        parts += [torch.dot(x, y), torch.dot(y, y)]
    summed = torch.stack([part.to(torch.float64) for part in parts]).view(-1, 2).sum(0).tolist()
    product, length = float(summed[0]), math.sqrt(summed[1]) if summed[1] >= 0.0 else math.nan
    if not 1e-150 < length < math.inf:
        length = norm(w)
    if not abs(product) > 1e-3 * length:
        product = float(dots([u], w))
    return product, length


def _pieces(a: Vector, b: Vector) -> Iterable[tuple[Tensor, Tensor]]:
    for x, y in zip(a, b, strict=True):
        x, y = x.detach().reshape(-1), y.detach().reshape(-1)
        if x.numel() <= 2 * _PIECE or x.dtype == y.dtype == torch.float64:
            yield x, y
        else:
            yield from zip(x.split(_PIECE), y.split(_PIECE), strict=True)
