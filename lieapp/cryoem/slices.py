"""Central slices through a Fourier volume and their exact adjoint, as explicit operators.

Images are projections; their spectra are slices through the spectrum of the map, at ``Aᵀ (kx, ky, 0)``. A slice reads
the volume between its grid points by trilinear interpolation or at the nearest one; the adjoint writes with the same
weights. No derivative is left to autograd: the loss is quadratic in the volume.

Interpolating a spectrum multiplies the map by an envelope, see `gridding_envelope`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import embedding_bag

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.plane import HalfPlane, fourier_radii, fourier_to_map

__all__ = ["Interpolation", "SliceOperator", "SliceTable", "gridding_envelope", "reconstructed_map"]

Interpolation = Literal["trilinear", "nearest"]

CACHE_BYTES = 384 * 2**20
"""Tables of a whole data set up to this size are kept; larger ones are made for every batch."""


_WRITTEN_AT_ONCE = 2**14  # points, of 64 bytes each with their corners


@dataclass(frozen=True, eq=False)
class SliceTable:
    """Where the points of some slices lie in a volume.

    Attributes
    ----------
    index : Tensor, shape=(points, corners), dtype=int32
        Places in the flattened volume: 8 corners of a cell, or the nearest grid point.
    weight : Tensor, shape=(points, corners), or None
        Of each; None where it is one.
    """

    index: Tensor
    weight: Tensor | None

    def read(self, columns: Tensor) -> Tensor:
        """Return interpolated values, shape=(points, columns), of a volume of shape=(voxels, columns), real."""
        if self.weight is None:
            return columns.index_select(0, self.index[:, 0])
        return embedding_bag(self.index, columns, per_sample_weights=self.weight, mode="sum")

    def write(self, values: Tensor, voxels: int) -> Tensor:
        """Return the volume, shape=(voxels,), to which real or complex values, shape=(points,), were added."""
        volume = values.new_zeros(voxels)
        if self.weight is None:
            return volume.index_add_(0, self.index[:, 0], values)
        # On a processor what is added stays in its cache: in one piece it would pass through memory, at twice the time.
        count = max(len(values), 1) if volume.is_cuda else _WRITTEN_AT_ONCE
        for index, weight, part in zip(
            self.index.split(count), self.weight.split(count), values.split(count), strict=True
        ):
            volume.index_add_(0, index.view(-1), (weight * part[:, None]).view(-1))
        return volume


class SliceOperator:
    """The slices of a set of orientations, as a linear operator from volumes to half planes.

    Parameters
    ----------
    plane : HalfPlane
    rotations : array_like, shape=(images, 3, 3)
        Rows are the axes of the image in the frame of the map.
    interpolation : {"trilinear", "nearest"}
    padding : int
        The volume has ``padding * box`` points along an edge: a map with zeros around it, read more finely.
    dtype : torch.dtype
        Of the weights: float32 or float64.
    cache_bytes : int
        Most bytes of tables that are kept.

    Notes
    -----
    With padding 1 coefficients beyond the plane's radius count as zero, also in the adjoint.
    """

    def __init__(
        self,
        plane: HalfPlane,
        rotations: ArrayLike,
        *,
        interpolation: Interpolation = "trilinear",
        padding: int = 1,
        dtype: torch.dtype = torch.float32,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        matrices = torch.tensor(np.array(rotations, dtype=np.float64))
        if matrices.ndim != 3 or matrices.shape[1:] != (3, 3):
            raise CryoemError(f"Rotations must have shape (images, 3, 3), not {tuple(matrices.shape)}.")
        if padding < 1:
            raise CryoemError(f"The padding must be 1 or more, not {padding}.")
        self.plane, self.interpolation, self.padding, self.dtype = plane, interpolation, padding, dtype
        self.edge = padding * plane.box
        self._axes = matrices[:, :2].to(device=plane.device, dtype=dtype)
        self._k = torch.stack((plane.kx, plane.ky)).to(dtype) * padding
        self.mask: Tensor | None = None
        """Coefficients that are used, shape=(edge, edge, edge), 0 or 1; None where all are."""
        if padding == 1:
            self.mask = (fourier_radii(self.edge, plane.device) <= plane.radius).to(dtype)
        corners = 8 if interpolation == "trilinear" else 1
        line = torch.arange(2)
        offsets = (line[:, None, None] * self.edge + line[:, None]) * self.edge + line
        self._offsets = offsets.flatten().to(device=plane.device, dtype=torch.int32)
        point_bytes = corners * (4 + (matrices.new_empty(0, dtype=dtype).element_size() if corners > 1 else 0))
        self._table: tuple[Tensor, Tensor | None] | None = None
        self._keeps = len(matrices) * len(plane) * point_bytes <= cache_bytes

    def __len__(self) -> int:
        """Number of images."""
        return len(self._axes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the volume."""
        return (self.edge, self.edge, self.edge)

    def table(self, rows: Tensor | slice | None = None) -> SliceTable:
        """Return the table of some images (all by default), point by point, image by image."""
        if not self._keeps:
            return SliceTable(*self._build(self._axes if rows is None else self._axes[rows]))
        if self._table is None:
            index, weight = self._build(self._axes)
            count, corners = len(self), index.shape[1]
            whole = (count, -1, corners)
            self._table = index.view(whole), None if weight is None else weight.view(whole)
        index, weight = self._table
        if rows is not None:
            index, weight = index[rows], None if weight is None else weight[rows]
        return SliceTable(index.flatten(0, 1), None if weight is None else weight.flatten(0, 1))

    def forward(self, volume: Tensor, rows: Tensor | slice | None = None) -> Tensor:
        """Return the slices of a volume.

        Parameters
        ----------
        volume : Tensor, shape=(edge, edge, edge), complex
            Centred: frequency 0 at index ``edge // 2``, axes z, y, x.
        rows : Tensor or slice, optional
            Images; all by default.

        Returns
        -------
        Tensor, shape=(images, points), complex
        """
        return read_slices(self.table(rows), self.masked(volume)).view(-1, len(self.plane))

    def adjoint(self, points: Tensor, rows: Tensor | slice | None = None) -> Tensor:
        """Return the volume with ``<forward(x), points> = <x, adjoint(points)>`` for all x.

        Parameters
        ----------
        points : Tensor, shape=(images, points), complex or real
        rows : Tensor or slice, optional
            Images; all by default.
        """
        volume = self.table(rows).write(points.reshape(-1), self.edge**3)
        return self.masked(volume.view(self.shape))

    def normal(self, volume: Tensor, rows: Tensor | slice | None = None, factor: Tensor | None = None) -> Tensor:
        """Return ``adjoint(factor * forward(volume))``; the factor, shape=(images, points), is one by default."""
        points = self.forward(volume, rows)
        return self.adjoint(points if factor is None else points * factor, rows)

    def masked(self, volume: Tensor) -> Tensor:
        """Return a volume without the coefficients that are not used."""
        return volume if self.mask is None else volume * self.mask

    def _build(self, axes: Tensor) -> tuple[Tensor, Tensor | None]:
        edge, center = self.edge, self.edge // 2
        x, y, z = (axes[:, :, axis] @ self._k for axis in range(3))  # Aᵀ (kx, ky, 0)
        if self.interpolation == "nearest":
            i, j, k = (each.round_().to(torch.int32).add_(center).clamp_(0, edge - 1) for each in (x, y, z))
            return (k.mul_(edge).add_(j).mul_(edge).add_(i)).view(-1, 1), None
        # The last cell includes its upper face, so a point on the rim needs no grid point outside.
        low = [each.floor().clamp_(-center, edge - 2 - center) for each in (x, y, z)]
        x, y, z = (each.sub_(below).view(-1) for each, below in zip((x, y, z), low, strict=True))
        i, j, k = (below.to(torch.int32).view(-1) for below in low)
        corner = k.add_(center).mul_(edge).add_(j).add_(center).mul_(edge).add_(i).add_(center)
        index = corner[:, None] + self._offsets
        weight = torch.empty(index.shape, dtype=self.dtype, device=index.device)
        x0, y0, z0 = 1 - x, 1 - y, 1 - z
        for half, along_z in enumerate((z0, z)):
            for quarter, along_y in enumerate((y0, y)):
                both = along_z * along_y
                first = 4 * half + 2 * quarter
                torch.mul(both, x0, out=weight[:, first])
                torch.mul(both, x, out=weight[:, first + 1])
        return index, weight


def read_slices(table: SliceTable, volume: Tensor) -> Tensor:
    """Return the values of a complex or real volume at the points of a table, shape=(points,)."""
    if volume.is_complex():
        columns = torch.view_as_real(volume.reshape(-1).resolve_conj())
        return torch.view_as_complex(table.read(columns))
    return table.read(volume.reshape(-1, 1)).view(-1)


def gridding_envelope(box: int, padding: int = 1, device: torch.device | None = None) -> Tensor:
    """Return what trilinear interpolation of a spectrum multiplies the map by, shape=(box, box, box), dtype=float64.

    Notes
    -----
    ``sinc²(x / (padding box))`` along every axis: the transform of the triangles between which is interpolated.
    Divide a map by it before its spectrum is sliced; multiply a map by it whose sliced spectrum was fitted.
    """
    line = torch.special.sinc((torch.arange(box, device=device) - box // 2).to(torch.float64) / (padding * box)) ** 2
    return line[:, None, None] * line[:, None] * line


def reconstructed_map(volume: Tensor, interpolation: Interpolation) -> Tensor:
    """Return the map that a fitted volume stands for.

    Parameters
    ----------
    volume : Tensor, shape=(box, box, box), complex
        Centred spectrum whose interpolated slices match the images.
    interpolation : {"trilinear", "nearest"}

    Returns
    -------
    Tensor, shape=(box, box, box), real
        With what interpolation does to the map: the volume itself has a map that rises towards the edges of the box,
        and noise with it. Correlations that people compare are those of this map.
    """
    values = fourier_to_map(volume)
    if interpolation == "trilinear":
        values = values * gridding_envelope(len(volume), device=values.device).to(values)
    return values
