"""Diagonal preconditioners: how strongly the images determine each Fourier coefficient.

Three estimates of the same thing. The exact diagonal of the second derivative adds up squared weights. Row sums add up
the weights; since no entry is negative, a step of ``gradient / row sums`` never overshoots (Gershgorin), while the
diagonal allows steps up to 0.59. Hutchinson's estimate needs only products with random signs, so it also works where
no weights can be written down.

References
----------
B. Toader, M. A. Brubaker, R. R. Lederman, doi 10.1107/S205979832500511X, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from lieapp.cryoem.measurements import Batch, Measurements
from lieapp.cryoem.metrics import Shells

__all__ = [
    "HutchinsonEstimate",
    "HutchinsonStart",
    "exact_diagonal",
    "hermitian_signs",
    "one_hit",
    "positive",
    "row_sums",
]

HutchinsonStart = Literal["row-sum", "shells", "ones"]


def exact_diagonal(measurements: Measurements) -> Tensor:
    """Return the diagonal of the second derivative of all images, shape=(box, box, box), real, by one pass."""
    return _mean_over_parts(measurements, lambda batch: batch.diagonal())


def row_sums(measurements: Measurements) -> Tensor:
    """Return the second derivative of all images times ones, shape=(box, box, box), real, by one pass."""
    ones = measurements.data.real.new_ones(measurements.operator.shape)
    return _mean_over_parts(measurements, lambda batch: batch.product(ones))


def _mean_over_parts(measurements: Measurements, of: Callable[[Batch], Tensor]) -> Tensor:
    parts = measurements.parts()
    total = torch.zeros(
        measurements.operator.shape, dtype=measurements.data.real.dtype, device=measurements.data.device
    )
    for batch in parts:
        total += of(batch) * (len(batch) / len(measurements))
    return total


def hermitian_signs(box: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """Draw random signs that are the same for partners, ``z(-k) = z(k)``.

    Parameters
    ----------
    box : int
    generator : torch.Generator
        On the CPU.
    like : Tensor
        Whose type and device the signs have.

    Returns
    -------
    Tensor, shape=(box, box, box), real
        Plus or minus one; zero on the Nyquist planes of even boxes.

    Notes
    -----
    Real maps have Hermitian spectra, so a probe must be one, too: with independent signs of partners the estimate is
    half of the diagonal.
    """
    odd = box - 1 + box % 2
    count = (odd**3 + 1) // 2  # one of each pair, and the zero frequency
    half = torch.randint(0, 2, (count,), generator=generator, dtype=torch.int8)
    signs = torch.cat((half, half[:-1].flip(0))).view(odd, odd, odd)
    if box % 2 == 0:
        padded = torch.zeros((box, box, box), dtype=torch.int8)
        padded[1:, 1:, 1:] = 2 * signs - 1
        return padded.to(like)
    return (2 * signs - 1).to(like)


class HutchinsonEstimate:
    """Running estimate of the diagonal from one random probe a batch.

    Parameters
    ----------
    shells : Shells
    start : {"row-sum", "shells", "ones"}
        First value: the row sums of the first batch, the first probe's mean over every shell, or 1 as in the paper.
    memory : float
        Share of the old estimate that a step keeps, the paper's beta.
    clamp : float
        Smallest value, as a share of the mean of its shell; coefficients that were never seen would otherwise be moved
        by noise alone. With 0 the paper's bound, one over the number of coefficients of the outermost shell.
    least : float
        Smallest value whatever the shell, see `one_hit`; not used with the paper's bound.

    Notes
    -----
    With ``h_k = z ⊙ H z`` of batch k, the mean ``m_k`` of all ``h`` so far and the memory ``b``, the estimate is
    ``D_k = b D_(k-1) + (1 - b) m_k``, made positive by ``max(|D_k|, floor)``.
    """

    def __init__(
        self,
        shells: Shells,
        *,
        start: HutchinsonStart = "row-sum",
        memory: float = 0.9,
        clamp: float = 0.1,
        least: float = 0.0,
    ) -> None:
        self._shells = shells
        self._start, self._memory, self._clamp, self._least = start, memory, clamp, least
        self._mean: Tensor | None = None
        self._smooth: Tensor | None = None
        self.probes = 0

    def update(self, product: Callable[[Tensor], Tensor], generator: torch.Generator, like: Tensor) -> Tensor:
        """Draw a probe, take its product with the second derivative of the batch, and return the new estimate."""
        signs = hermitian_signs(self._shells.box, generator, like)
        sample = signs * product(signs)
        if self._mean is None or self._smooth is None:
            self._mean = sample
            self._smooth = self._first(product, sample)
        else:
            self._mean = self._mean + (sample - self._mean) / (self.probes + 1)
        self.probes += 1
        self._smooth = self._memory * self._smooth + (1.0 - self._memory) * self._mean
        return self.diagonal()

    def diagonal(self) -> Tensor:
        """Return the estimate, shape=(box, box, box), positive."""
        assert self._smooth is not None
        return positive(self._smooth, self._shells, self._clamp, self._least)

    def mean(self) -> Tensor:
        """Return the mean over all probes, without memory and bound, shape=(box, box, box)."""
        assert self._mean is not None
        return self._mean

    def state_dict(self) -> dict[str, Any]:
        """Return the running values."""
        return {"probes": self.probes, "mean": self._mean, "smooth": self._smooth}

    def load_state_dict(self, state: Mapping[str, Any], like: Tensor) -> None:
        """Take running values back."""
        self.probes = int(state["probes"])
        self._mean, self._smooth = (None if state[key] is None else state[key].to(like) for key in ("mean", "smooth"))

    def _first(self, product: Callable[[Tensor], Tensor], sample: Tensor) -> Tensor:
        if self._start == "ones":
            return torch.ones_like(sample)
        if self._start == "row-sum":
            return product(torch.ones_like(sample))
        return self._shells.spread(self._shells.mean(sample)).to(sample)


def positive(diagonal: Tensor, shells: Shells, clamp: float, least: float = 0.0) -> Tensor:
    """Return a diagonal that one may divide by.

    Parameters
    ----------
    diagonal : Tensor, shape=(box, box, box), real
    shells : Shells
    clamp : float
        Smallest value as a share of the mean of its shell; 0 for one over the number of coefficients of the last one.
    least : float
        Smallest value whatever the shell, unless the clamp is 0.
    """
    size = diagonal.abs()
    if clamp <= 0.0:
        return size.clamp_min(1.0 / float(shells.count[-1]))
    floor = shells.spread(clamp * shells.mean(size)).to(size)
    return torch.maximum(size, floor.clamp_min(max(least, torch.finfo(size.dtype).tiny)))


def one_hit(images: int, curvature: float) -> float:
    """Return half of what one image adds to a coefficient that it hits, in a batch of some images.

    Notes
    -----
    A coefficient that is rarely seen has a small diagonal over all images, but a batch in which one image hits it
    has ``1 / images``. With a smaller denominator than half of that a full step would overshoot in this batch.
    """
    return 0.5 / (images * curvature)
