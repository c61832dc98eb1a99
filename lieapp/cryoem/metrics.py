"""How good a reconstruction is, shell by shell: errors, Fourier shell correlation, resolution, condition numbers.

Shell k holds the coefficients whose frequency rounds to k periods a box, which is ``box pixel_size / k`` in Å.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.cryoem.plane import fourier_radii, largest_radius
from lieapp.cryoem.resolution import FSC_HALF_MAPS, FSC_TRUTH, resolution_angstrom, shell_frequencies

__all__ = [
    "FSC_HALF_MAPS",
    "FSC_TRUTH",
    "Shells",
    "condition_numbers",
    "resolution_angstrom",
    "shell_frequencies",
]

Array = NDArray[np.float64]


class Shells:
    """The shells of Hermitian volumes, from frequency 0 to a radius.

    Parameters
    ----------
    box : int
    radius : int, optional
        Last shell; ``box // 2 - 1`` by default. Coefficients beyond the radius are left out, also of the last shell.
    device : torch.device, optional

    Attributes
    ----------
    index : Tensor, shape=(voxels,), dtype=int64
        Flat places of the coefficients with kx >= 0.
    shell : Tensor, shape=(voxels,), dtype=int64
        Shell of each.
    """

    def __init__(self, box: int, radius: int | None = None, device: torch.device | None = None) -> None:
        self.box = box
        self.radius = largest_radius(box) if radius is None else radius
        radii = fourier_radii(box)
        inside = radii <= self.radius
        inside[:, :, : box // 2] = False
        self.index = torch.nonzero(inside.view(-1)).view(-1).to(device)
        self.shell = radii.view(-1)[self.index.cpu()].round().long().to(device)
        # Coefficients with kx > 0 stand for their partners, too.
        self._share = torch.where(self.index % box == box // 2, 1.0, 2.0).to(torch.float32)
        self._everywhere: Tensor | None = None
        self.count = self.sums(torch.ones_like(self._share))

    def __len__(self) -> int:
        """Number of shells."""
        return self.radius + 1

    def pick(self, volume: Tensor) -> Tensor:
        """Return the coefficients of a volume, shape=(box, box, box), in the order of `index`."""
        return volume.reshape(-1)[self.index]

    def sums(self, values: Tensor) -> Tensor:
        """Return sums over shells, shape=(shells,), dtype=float64 (float32 where there is none)."""
        double = torch.float32 if values.device.type == "mps" else torch.float64
        total = torch.zeros(len(self), dtype=double, device=values.device)
        return total.scatter_add_(0, self.shell, (values * self._share).to(double))

    def mean(self, volume: Tensor) -> Tensor:
        """Return the mean of a real volume, shape=(box, box, box), over every shell, shape=(shells,)."""
        return self.sums(self.pick(volume)) / self.count

    def power(self, volume: Tensor) -> Tensor:
        """Return the mean squared coefficient of every shell, shape=(shells,)."""
        return self.sums(_squares(self.pick(volume))) / self.count

    def error(self, volume: Tensor, reference: Tensor) -> Tensor:
        """Return the relative error of every shell, ``|V - V*| / |V*|``, shape=(shells,)."""
        known = self.pick(reference)
        off = self.sums(_squares(self.pick(volume) - known))
        return torch.sqrt(off / self.sums(_squares(known)).clamp_min(1e-300 if off.dtype == torch.float64 else 1e-30))

    def correlation(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the Fourier shell correlation of two volumes, shape=(shells,); 0 where one of them is zero.

        Notes
        -----
        ``FSC(k) = Re sum a conj(b) / sqrt(sum |a|² sum |b|²)`` over shell k. It does not see the scale of a shell.
        """
        a, b = self.pick(first), self.pick(second)
        across = self.sums(torch.view_as_real(a).mul(torch.view_as_real(b)).sum(-1))
        along = torch.sqrt(self.sums(_squares(a)) * self.sums(_squares(b)))
        return torch.where(
            along > 0.0, across / along.clamp_min(1e-300 if along.dtype == torch.float64 else 1e-30), 0.0
        )

    def spread(self, values: Tensor) -> Tensor:
        """Return a volume, shape=(box, box, box), whose coefficients hold the value of their shell, the last beyond."""
        if self._everywhere is None:
            radii = fourier_radii(self.box).round().long().clamp_max(self.radius)
            self._everywhere = radii.to(self.index.device)
        return values[self._everywhere]


def condition_numbers(diagonal: Tensor, shells: Shells) -> Array:
    """Return the ratio of the largest to the smallest entry of a diagonal inside every radius, shape=(shells,).

    Parameters
    ----------
    diagonal : Tensor, shape=(box, box, box), real
    shells : Shells

    Returns
    -------
    ndarray, shape=(shells,), dtype=float64
        Entry R: over the coefficients with ``|k| <= R``; infinite where one was never seen. Uniform views without CTF
        give at least ``4 R / 3``: every image sees the zero frequency, and a share of ``3 / (4 R)`` of the others.
    """
    values = shells.pick(diagonal).cpu().numpy().astype(np.float64)
    radii = fourier_radii(shells.box).view(-1)[shells.index.cpu()].numpy()
    # Sorted by the first radius that holds the coefficient.
    first = np.ceil(radii - 1e-9).astype(np.int64)
    largest, smallest = np.zeros(len(shells)), np.full(len(shells), np.inf)
    np.maximum.at(largest, first, values)
    np.minimum.at(smallest, first, values)
    largest, smallest = np.maximum.accumulate(largest), np.minimum.accumulate(smallest)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(smallest > 0.0, largest / np.maximum(smallest, 0.0), np.inf))


def _squares(values: Tensor) -> Tensor:
    return torch.view_as_real(values).square().sum(-1)
