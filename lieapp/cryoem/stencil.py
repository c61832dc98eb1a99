"""The second derivative of a whole data set as a stencil: products whose cost does not depend on the number of images.

A point between grid points touches the 8 corners of its cell, so the second derivative couples each voxel with its 26
neighbours at most. One pass over the data gathers these couplings; after that the exact loss, gradient and minimiser of
all images need only the stencil.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from lieapp.cryoem.interruption import stop_if_unwanted
from lieapp.cryoem.measurements import Measurements, Piece
from lieapp.cryoem.plane import make_hermitian

__all__ = ["NormalStencil"]

_DOUBLE_UP_TO = 64  # edge below which sums are taken in float64

Offset = tuple[int, int, int]

_CORNERS: tuple[Offset, ...] = tuple((z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1))
_STEPS = (-1, 0, 1)
_OFFSETS: tuple[Offset, ...] = tuple(
    (z, y, x) for z in _STEPS for y in _STEPS for x in _STEPS if (z, y, x) >= (0, 0, 0)
)


class NormalStencil:
    """Second derivative of the misfit of all images, plus a diagonal.

    Parameters
    ----------
    measurements : Measurements
    precision : float or Tensor, shape=(box, box, box)
        Diagonal that is added where coefficients are used.

    Attributes
    ----------
    dtype : torch.dtype
        Real type of the sums: float64 up to a box of 64.
    """

    def __init__(self, measurements: Measurements, precision: float | Tensor = 0.0) -> None:
        operator = measurements.operator
        self._mask = operator.mask
        edge = operator.edge
        device = measurements.plane.device
        double = edge <= _DOUBLE_UP_TO and device.type != "mps"
        self.dtype = torch.float64 if double or measurements.data.dtype == torch.complex128 else torch.float32
        trilinear = operator.interpolation == "trilinear"
        moments = torch.zeros((27 if trilinear else 1, edge**3), dtype=self.dtype, device=device)
        for batch in measurements.parts():
            for piece in batch.pieces():
                _add_moments(moments, piece)
        moments *= 1.0 / len(measurements)
        if trilinear:
            self._coupling = _couplings(moments.view(-1, edge, edge, edge))
        else:
            self._coupling = {(0, 0, 0): moments[0]}
        self._shape = operator.shape
        self.precision = precision

    def product(self, volume: Tensor) -> Tensor:
        """Return the second derivative times a Hermitian volume, shape=(box, box, box), complex or real."""
        parts = self._parts(volume)
        total = self._coupling[0, 0, 0] * parts
        for distance, coupling in self._neighbours():
            total[:, :-distance].addcmul_(coupling, parts[:, distance:])
            total[:, distance:].addcmul_(coupling, parts[:, :-distance])
        values, result = self._joined(parts, volume), self._joined(total, volume)
        # Sums were over half planes: the other half couples the partners.
        result = make_hermitian(result).mul_(2.0)
        if self._mask is not None:
            result *= self._mask
        return result + self.precision * values

    def energy(self, volume: Tensor) -> float:
        """Return half the inner product of a Hermitian volume with `product` of it, in half the time."""
        parts = self._parts(volume)
        total = self._coupling[0, 0, 0] * parts
        upper = torch.zeros_like(total)
        for distance, coupling in self._neighbours():
            upper[:, :-distance].addcmul_(coupling, parts[:, distance:])
        coupled = float((total.add_(upper, alpha=2.0) * parts).sum(dtype=self.dtype))
        damped = float((self.precision * parts.square().sum(0).view(self._shape)).sum(dtype=self.dtype))
        return coupled + 0.5 * damped

    def _parts(self, volume: Tensor) -> Tensor:
        """Return real and imaginary part of a volume without what is not used, shape=(1 or 2, voxels)."""
        values = torch.view_as_real(volume).movedim(-1, 0) if volume.is_complex() else volume[None]
        values = values.to(self.dtype)
        return (values.clone() if self._mask is None else values * self._mask).flatten(1).contiguous()

    def _joined(self, parts: Tensor, like: Tensor) -> Tensor:
        joined = torch.complex(parts[0], parts[1]) if like.is_complex() else parts[0]
        return joined.view(self._shape)

    def _neighbours(self) -> Iterator[tuple[int, Tensor]]:
        """Yield how far neighbours are apart in the flattened volume, and the couplings with them."""
        edge = self._shape[0]
        for (z, y, x), coupling in self._coupling.items():
            distance = (z * edge + y) * edge + x
            if distance:
                yield distance, coupling[:-distance]

    def diagonal(self) -> Tensor:
        """Return the diagonal, shape=(box, box, box), real."""
        total = make_hermitian(self._coupling[0, 0, 0].view(self._shape)).mul_(2.0)
        used = torch.ones_like(total) if self._mask is None else self._mask
        return total * used + self.precision * used

    def row_sums(self) -> Tensor:
        """Return the product with ones, shape=(box, box, box), real: no less than any eigenvalue bound by rows."""
        return self.product(self._coupling[0, 0, 0].new_ones(self._shape))

    def largest_eigenvalue(self, iterations: int = 40) -> float:
        """Return the largest eigenvalue by the power method, started at ones (no entry is negative)."""
        vector = self._coupling[0, 0, 0].new_ones(self._shape)
        if self._mask is not None:
            vector = vector * self._mask
        value = 0.0
        for _ in range(iterations):
            stop_if_unwanted()
            moved = self.product(vector)
            value = float(torch.linalg.vector_norm(moved) / torch.linalg.vector_norm(vector))
            vector = moved / torch.linalg.vector_norm(moved)
        return value


def _add_moments(moments: Tensor, piece: Piece) -> None:
    """Add the products of the weights along each axis, lower by lower, lower by upper and upper by upper, to cells."""
    factor = piece.factor().to(moments.dtype)
    index = piece.table.index[:, 0].long()
    weight = piece.table.weight
    if weight is None:
        moments[0].scatter_add_(0, index, factor)
        return
    # Corners are ordered z, y, x; sums over the others are the weights along one axis.
    cell = weight.to(moments.dtype).view(-1, 2, 2, 2)
    upper = [cell[:, 1].sum((1, 2)), cell[:, :, 1].sum((1, 2)), cell[:, :, :, 1].sum((1, 2))]
    powers = [((1 - f).square(), f * (1 - f), f.square()) for f in upper]
    for z in range(3):
        along_z = factor * powers[0][z]
        for y in range(3):
            stop_if_unwanted()
            along_y = along_z * powers[1][y]
            for x in range(3):
                moments[9 * z + 3 * y + x].scatter_add_(0, index, along_y * powers[2][x])


def _couplings(moments: Tensor) -> dict[Offset, Tensor]:
    """Return, by offset, the coupling of every voxel with the one at that offset, from the moments of all cells."""
    couplings = {offset: torch.zeros_like(moments[0]) for offset in _OFFSETS}
    for first in _CORNERS:
        for second in _CORNERS:
            offset = tuple(b - a for a, b in zip(first, second, strict=True))
            if offset < (0, 0, 0):
                continue
            z, y, x = (a + b for a, b in zip(first, second, strict=True))
            low, high = _places(first)
            # The coupling belongs to the first corner, which lies beside the cell's own place.
            couplings[offset][high] += moments[9 * z + 3 * y + x][low]  # type: ignore[index]
    return {offset: coupling.flatten() for offset, coupling in couplings.items()}


def _places(offset: Offset) -> tuple[Any, Any]:
    """Return slices of all voxels that have a neighbour at an offset, and of these neighbours."""
    low = tuple(slice(max(-d, 0), -d if d > 0 else None) for d in offset)
    high = tuple(slice(max(d, 0), d if d < 0 else None) for d in offset)
    return low, high
