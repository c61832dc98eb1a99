"""What was measured, ready for the fit: half planes of all images with their slices, and sums over some of them.

The model of image i is ``C_i P_i V``: a slice of the volume times the CTF. Known shifts are taken out of the data, so
no phase is left in the model. The misfit of some images is the mean over them of half the squared residual over the
full plane; it, its gradient and its second derivative are computed from the half plane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.interruption import stop_if_unwanted
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import HalfPlane, make_hermitian
from lieapp.cryoem.slices import Interpolation, SliceOperator, SliceTable, read_slices

__all__ = ["Batch", "Measurements", "Piece"]

_READ_AT_ONCE = 64  # images


class Measurements:
    """The half planes of particles.

    Parameters
    ----------
    particles : Particles
    interpolation : {"trilinear", "nearest"}
    dtype : torch.dtype
        float32 or float64.
    device : torch.device
    radius : int, optional
        Highest frequency used.
    most_at_once : int, optional
        Most images of a batch that are computed together; all by default.

    Attributes
    ----------
    plane : HalfPlane
    operator : SliceOperator
    data : Tensor, shape=(particles, points), complex
        Spectra with the shifts taken out.
    transfer : Tensor, shape=(particles, points), or None
        CTF of every image.
    messages : list of str
        What people should know, such as that memory was short.
    """

    def __init__(
        self,
        particles: Particles,
        *,
        interpolation: Interpolation = "trilinear",
        dtype: torch.dtype = torch.float32,
        device: torch.device = torch.device("cpu"),  # noqa: B008
        radius: int | None = None,
        most_at_once: int | None = None,
    ) -> None:
        if not len(particles):
            raise CryoemError(f"{particles.source or 'Particles'}: there are none.")
        self.plane = HalfPlane(particles.box, radius, device)
        self.operator = SliceOperator(self.plane, particles.rotations, interpolation=interpolation, dtype=dtype)
        self.data = self._read(particles, torch.complex64 if dtype == torch.float32 else torch.complex128)
        self.transfer = self._transfer(particles, dtype)
        self.messages: list[str] = []
        self.most_at_once = len(particles) if most_at_once is None else most_at_once

    def __len__(self) -> int:
        """Number of images."""
        return len(self.data)

    def energy(self) -> float:
        """Return the mean over the images of the squared data, summed over the full plane."""
        squares = torch.view_as_real(self.data).square().sum(dim=(0, 2), dtype=torch.float64)
        return float(2.0 * squares.sum() - squares[0]) / len(self)

    def batch(self, rows: Tensor | slice | None = None) -> Batch:
        """Return some images (all by default)."""
        chosen = torch.arange(len(self)) if rows is None else rows
        return Batch(self, torch.arange(len(self))[chosen] if isinstance(chosen, slice) else chosen)

    def parts(self) -> list[Batch]:
        """Return all images, in pieces of a size that fits into memory."""
        count = max(1, min(len(self), self.most_at_once, 2**21 // len(self.plane)))
        return [Batch(self, rows) for rows in torch.arange(len(self)).split(count)]

    def split(self) -> bool:
        """Compute fewer images at once from now on; return False where it is one already."""
        if self.most_at_once <= 1:
            return False
        self.most_at_once = (self.most_at_once + 1) // 2
        images = "1 image" if self.most_at_once == 1 else f"{self.most_at_once} images"
        self.messages.append(f"Memory of the GPU is short: batches are summed up from pieces of at most {images}.")
        return True

    def _read(self, particles: Particles, dtype: torch.dtype) -> Tensor:
        plane = self.plane
        data = torch.empty((len(particles), len(plane)), dtype=dtype, device=plane.device)
        shifts = torch.from_numpy(np.array(particles.shifts_pixel)).to(plane.device)
        for first in range(0, len(particles), _READ_AT_ONCE):
            rows = slice(first, min(first + _READ_AT_ONCE, len(particles)))
            stop_if_unwanted()
            images = torch.from_numpy(np.array(particles.images[rows])).to(data.real.dtype).to(plane.device)
            spectra = plane.from_images(images)
            moved = shifts[rows]
            if moved.any():  # the particle lies at minus its origin
                spectra = spectra * plane.shift_phases(moved).to(dtype)
            data[rows] = spectra
        return data

    def _transfer(self, particles: Particles, dtype: torch.dtype) -> Tensor | None:
        if particles.ctf is None:
            return None
        plane = self.plane
        unit = 1.0 / (particles.box * particles.pixel_size_angstrom)
        x, y = (k.cpu().numpy() * unit for k in (plane.kx, plane.ky))
        transfer = torch.empty((len(particles), len(plane)), dtype=dtype, device=plane.device)
        for first in range(0, len(particles), _READ_AT_ONCE):
            rows = slice(first, min(first + _READ_AT_ONCE, len(particles)))
            stop_if_unwanted()
            transfer[rows] = torch.from_numpy(particles.ctf.take(rows).transfer(x, y)).to(transfer)
        return transfer


class Batch:
    """Some of the images, and what a fit asks of them; volumes are Hermitian, shape=(box, box, box).

    Parameters
    ----------
    measurements : Measurements
    rows : Tensor, shape=(images,), dtype=int64

    Notes
    -----
    Where the memory of a GPU does not suffice, the sums are taken piece by piece: the same sums, in a different order.
    """

    def __init__(self, measurements: Measurements, rows: Tensor) -> None:
        self._measurements = measurements
        self.rows = rows
        self._whole: Piece | None = None  # with its tables, which several questions share

    def __len__(self) -> int:
        """Number of images."""
        return len(self.rows)

    def gradient(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Return the misfit, shape ``()``, dtype=float64, and its gradient, shape=(box, box, box), complex."""
        masked = self._measurements.operator.masked(volume)
        loss, gradient = self._sum(lambda piece: piece.gradient(masked))
        return loss / len(self), self._finished(gradient)

    def loss(self, volume: Tensor) -> Tensor:
        """Return the misfit, shape ``()``, dtype=float64."""
        masked = self._measurements.operator.masked(volume)
        return self._sum(lambda piece: (piece.loss(masked),))[0] / len(self)

    def product(self, volume: Tensor) -> Tensor:
        """Return the second derivative of the misfit times a volume; a real one takes about half the time."""
        masked = self._measurements.operator.masked(volume)
        return self._finished(self._sum(lambda piece: (piece.product(masked),))[0])

    def backprojection(self) -> Tensor:
        """Return minus the gradient at zero: ``mean P' C y``."""
        return self._finished(self._sum(lambda piece: (piece.backprojection(),))[0])

    def diagonal(self) -> Tensor:
        """Return the diagonal of the second derivative, shape=(box, box, box), real: ``mean C² w²`` of every voxel."""
        return self._finished(self._sum(lambda piece: (piece.diagonal(),))[0])

    def pieces(self) -> Iterator[Piece]:
        """Yield the images in pieces that fit into memory."""
        most = self._measurements.most_at_once
        if len(self) > most:
            self._whole = None
            for rows in self.rows.split(most):
                yield Piece(self._measurements, rows)
            return
        if self._whole is None:
            self._whole = Piece(self._measurements, self.rows)
        yield self._whole

    def _sum(self, compute: Callable[[Piece], tuple[Tensor, ...]]) -> list[Tensor]:
        while True:
            stop_if_unwanted()
            try:
                return self._sum_once(compute)
            except torch.OutOfMemoryError:
                if not self._measurements.split():
                    raise
            self._whole = None
            torch.cuda.empty_cache()

    def _sum_once(self, compute: Callable[[Piece], tuple[Tensor, ...]]) -> list[Tensor]:
        totals: list[Tensor] = []
        for piece in self.pieces():
            terms = compute(piece)
            totals = [a + b for a, b in zip(totals, terms, strict=True)] if totals else list(terms)
        return totals

    def _finished(self, volume: Tensor) -> Tensor:
        """Return a sum over half planes as a mean over the images, over the full plane, without what is not used."""
        operator = self._measurements.operator
        return make_hermitian(operator.masked(volume.view(operator.shape))).mul_(2.0 / len(self))


class Piece:
    """Images that are computed together, with the table of their slices; sums over them are over half planes."""

    def __init__(self, measurements: Measurements, rows: Tensor) -> None:
        self.table: SliceTable = measurements.operator.table(rows)
        self.voxels = measurements.operator.edge**3
        self.data = measurements.data[rows]
        self.transfer = None if measurements.transfer is None else measurements.transfer[rows]

    def gradient(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        residual = self._model(volume) - self.data
        return _half_squares(residual), self._write(residual)

    def loss(self, volume: Tensor) -> Tensor:
        return _half_squares(self._model(volume) - self.data)

    def product(self, volume: Tensor) -> Tensor:
        return self._write(self._model(volume))

    def backprojection(self) -> Tensor:
        return self._write(self.data.clone())

    def diagonal(self) -> Tensor:
        table, factor = self.table, self.factor()
        if table.weight is None:
            return table.write(factor, self.voxels)
        return SliceTable(table.index, table.weight.square()).write(factor, self.voxels)

    def factor(self) -> Tensor:
        """Return the squared CTF of every point, half of it at the zero frequency, which is its own partner."""
        shape = self.data.shape
        factor = self.data.real.new_ones(shape) if self.transfer is None else self.transfer.square()
        factor[:, 0] *= 0.5
        return factor.view(-1)

    def _model(self, volume: Tensor) -> Tensor:
        points = read_slices(self.table, volume).view(self.data.shape)
        return points if self.transfer is None else points * self.transfer

    def _write(self, points: Tensor) -> Tensor:
        weighted = points if self.transfer is None else points * self.transfer
        weighted[:, 0] *= 0.5
        return self.table.write(weighted.view(-1), self.voxels)


def _half_squares(residual: Tensor) -> Tensor:
    """Return half the squares summed over the full plane: all points of the half plane, half of the zero frequency."""
    parts = torch.view_as_real(residual)
    rows = parts.square().sum(dim=(1, 2))
    return rows.sum(dtype=torch.float64) - 0.5 * parts[:, 0].square().sum(dtype=torch.float64)
