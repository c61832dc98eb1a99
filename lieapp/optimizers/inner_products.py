"""Real inner products over lists of tensors, which are neither to overflow nor to lose digits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice

import torch
from torch import Tensor

__all__ = ["CHUNK", "dot", "dot64", "norm", "norm64", "products", "products_and_square", "square_and_range"]

CHUNK = 1 << 15
"""Numbers that are converted to float64 at a time, to stay in the cache."""

_PIECE = 1 << 16
"""Numbers whose products are summed in their own precision: by several lanes side by side, a thousand in each."""

_SAFE = (1e-20, 1e30)
"""Squares between which numbers of single precision lose nothing to overflow or underflow."""


def dot(a: Iterable[Tensor], b: Iterable[Tensor]) -> float:
    """Return the real dot product of two lists of tensors, summed in float64."""
    return float(sum(dot64(x, y) for x, y in zip(a, b, strict=True)))


def norm(a: Sequence[Tensor]) -> float:
    """Return the Euclidean norm of a list of tensors, summed in float64."""
    return math.hypot(*(norm64(x) for x in a))


def dot64(x: Tensor, y: Tensor) -> float:
    """Return the real dot product of two tensors of one shape, multiplied and summed in float64."""
    x, y = x.detach().reshape(-1), y.detach().reshape(-1)
    if x.numel() <= CHUNK or x.device.type != "cpu" or x.dtype == y.dtype == torch.float64:
        return float(torch.dot(x.to(torch.float64), y.to(torch.float64)))
    # Converted piece by piece, what is multiplied stays in the cache.
    pieces = zip(x.split(CHUNK), y.split(CHUNK), strict=True)
    return float(sum(float(torch.dot(a.to(torch.float64), b.to(torch.float64))) for a, b in pieces))


def norm64(x: Tensor) -> float:
    """Return the Euclidean norm of a tensor, summed in float64."""
    if x.dtype == torch.float32 and x.device.type == "cpu":  # no square of these overflows in float64
        pieces = (piece.to(torch.float64) for piece in x.detach().reshape(-1).split(CHUNK))
        return math.sqrt(sum(float(torch.dot(piece, piece)) for piece in pieces))
    length = float(torch.linalg.vector_norm(x.detach(), dtype=torch.float64))
    if 1e-150 < length < 1e150 or x.numel() == 0:
        return length
    # Squares overflow or underflow where the norm itself does not.
    x = x.detach().to(torch.float64)
    largest = float(x.abs().max())
    return largest * float(torch.linalg.vector_norm(x / largest)) if 0.0 < largest < math.inf else largest


def products_and_square(
    vectors: Sequence[Sequence[Tensor]], w: Iterable[Tensor]
) -> tuple[list[Tensor], list[float], float]:
    """Take the parts of w one by one as they come, and measure each while it is in the cache.

    Products of up to 65 536 numbers are summed in their own precision, float32 at least, and the sums in float64. In
    single precision that costs, of the product of both lengths, 1e-8 where numbers scatter about zero, a rounding
    unit, 6e-8, where they are ill-scaled, and 3e-5 at worst, where all are rounded the same way in each of a thousand
    additions. Where w is so long or short that squares could overflow or underflow, everything is done in float64.

    Parameters
    ----------
    vectors : sequence of sequence of Tensor
        Each u in the shapes of w.
    w : iterable of Tensor

    Returns
    -------
    parts : list of Tensor
        Those of w.
    products : list of float
        Every u·w.
    square : float
        w·w.
    """
    parts: list[Tensor] = []
    columns: list[list[Tensor]] = [[] for _ in vectors]
    squares: list[Tensor] = []
    for *shares, y in zip(*vectors, w, strict=True):
        parts.append(y)
        _add_products(columns, shares, y)
        squares += _piece_dots(*_flat_alike(y, y))
    *along, square = _sums(*columns, squares)
    if not _SAFE[0] < square < _SAFE[1]:
        along, square = [dot(u, parts) for u in vectors], _squared(norm(parts))
    return parts, along, square


def products(vectors: Sequence[Sequence[Tensor]], w: Sequence[Tensor]) -> list[float]:
    """Return every u·w alone, summed as by `products_and_square`; none may be very long or short."""
    columns: list[list[Tensor]] = [[] for _ in vectors]
    for *shares, y in zip(*vectors, w, strict=True):
        _add_products(columns, shares, y)
    return _sums(*columns)


def square_and_range(w: Iterable[Tensor]) -> tuple[float, float, float]:
    """Return w·w, summed as by `products_and_square`, and the lowest and the highest number, in one pass."""
    parts: list[Tensor] = []
    squares: list[Tensor] = []
    lows: list[Tensor] = []
    highs: list[Tensor] = []
    for y in w:
        parts.append(y)
        flat = _flat_alike(y, y)[1]
        squares += _piece_dots(flat, flat)
        if flat.numel():
            low, high = torch.aminmax(flat)
            lows.append(low)
            highs.append(high)
    (square,) = _sums(squares)
    if not _SAFE[0] < square < _SAFE[1]:
        square = _squared(norm(parts))
    if not lows:
        return square, 0.0, 0.0
    return square, float(torch.stack(lows).min()), float(torch.stack(highs).max())


def _flat_alike(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return both flat, in the wider precision of the two and float32 at least."""
    if x.requires_grad or y.requires_grad:
        x, y = x.detach(), y.detach()
    x, y = x.reshape(-1), y.reshape(-1)
    if x.dtype is y.dtype and (x.dtype is torch.float32 or x.dtype is torch.float64):
        return x, y
    dtype = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
    return x.to(dtype), y.to(dtype)


def _add_products(columns: Sequence[list[Tensor]], shares: Sequence[Tensor], y: Tensor) -> None:
    """Append to the column of every vector what its part x adds to the product: the pieces of x·y."""
    for column, x in zip(columns, shares, strict=True):
        column += _piece_dots(*_flat_alike(x, y))


def _squared(length: float) -> float:
    return length * length  # which ** would refuse where it overflows


def _piece_dots(x: Tensor, y: Tensor) -> list[Tensor]:
    if y.numel() <= _PIECE:
        return [torch.dot(x, y)]
    return [torch.dot(a, b) for a, b in zip(x.split(_PIECE), y.split(_PIECE), strict=True)]


def _sums(*columns: Sequence[Tensor]) -> list[float]:
    """Return the sum of every column, in float64, having waited for the device once."""
    joined = [value for column in columns for value in column]
    apart = not joined or joined[0].device.type == "cpu"
    values = iter([value.item() for value in joined] if apart else torch.stack(joined).tolist())
    return [sum(islice(values, len(column))) for column in columns]
