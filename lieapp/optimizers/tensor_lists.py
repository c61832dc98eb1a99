"""Vectors that are lists of tensors, and the algebra on them in as few passes through memory as it takes.

What is done to a tensor is done at once, while it is in the cache; nothing is joined. Dot products are summed in
float64, numbers of lower precision being converted piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lieapp.optimizers.oracle import norm

__all__ = ["combine", "dots", "product_and_square", "rough_product_and_norm", "subtract_"]

Vector = Sequence[Tensor]

_PIECE = 1 << 16
"""Numbers that are converted at a time; half a MiB of them stays in the cache."""


def product_and_square(u: Vector, w: Vector) -> tuple[float, float]:
    """Return u·w and w·w, summed in float64."""
    product, square = 0.0, 0.0
    for (x,), y in _pieces([u], w):
        product += float(torch.dot(x, y))
        square += float(torch.dot(y, y))
    return product, square


def dots(vectors: Sequence[Vector], w: Vector) -> Tensor:
    """Return the dot products of some vectors with w, shape ``(vectors,)``, in float64."""
    values = [0.0] * len(vectors)
    for pieces, y in _pieces(vectors, w):
        for index, x in enumerate(pieces):
            values[index] += float(torch.dot(x, y))
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
        parts += [torch.dot(x if x.dtype == y.dtype else x.to(y), y), torch.dot(y, y)]
    summed = torch.stack(parts).to(torch.float64).view(-1, 2).sum(0).tolist()
    product, length = float(summed[0]), math.sqrt(summed[1]) if summed[1] >= 0.0 else math.nan
    if not 1e-150 < length < math.inf:
        length = norm(w)
    if not abs(product) > 1e-3 * length:
        product = float(dots([u], w))
    return product, length


def _pieces(vectors: Sequence[Vector], w: Vector) -> Iterator[tuple[Iterator[Tensor], Tensor]]:
    """Yield pieces of w in float64, each with those of the vectors, which must be used one after the other."""
    buffers = torch.empty(2, min(_PIECE, max(y.numel() for y in w)), dtype=torch.float64, device=w[0].device)
    for index, y in enumerate(w):
        y = y.detach().reshape(-1)
        rows = [u[index].detach().reshape(-1) for u in vectors]
        for begin in range(0, y.numel(), _PIECE):
            place = slice(begin, min(begin + _PIECE, y.numel()))
            yield (_double(x[place], buffers[0]) for x in rows), _double(y[place], buffers[1])


def _double(x: Tensor, buffer: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else buffer[: x.numel()].copy_(x)
