"""The least squares fit of one volume to one set of particles: what it is, what it should reach, and in which unit.

Minimised is the mean over the images of ``½ ‖C P V - y‖²`` plus ``½ Σ p |V|²`` with the precision p of a prior,
divided by the largest eigenvalue of its second derivative; the data are scaled so that an empty volume has loss ½. So
curvatures are at most one whatever the microscope, the pixel and the gain, and a gradient step of 1 is stable.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.measurements import Measurements
from lieapp.cryoem.metrics import Shells, condition_numbers
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.preconditioners import exact_diagonal, row_sums
from lieapp.cryoem.reference import conjugate_gradients, weighted_backprojection, wiener_precision
from lieapp.cryoem.slices import Interpolation
from lieapp.cryoem.stencil import NormalStencil

__all__ = ["Prior", "VolumeFit", "open_fits"]

Prior = Literal["none", "wiener"]

RIDGE = 1e-8
"""Precision without a prior: what was never seen stays zero (the paper's lambda)."""
STENCIL_UP_TO = 128
"""Largest box for which the exact minimiser and the loss gap are computed."""


class VolumeFit:
    """One volume and its measurements.

    Parameters
    ----------
    particles : Particles
    interpolation : {"trilinear", "nearest"}
    prior : {"none", "wiener"}
    dtype : torch.dtype
    device : torch.device

    Attributes
    ----------
    measurements : Measurements
        Scaled by `scale` once that is called.
    shells : Shells
    precision : float or Tensor, shape=(box, box, box)
        Of the prior, in units of the unscaled second derivative.
    curvature : float
        Largest eigenvalue of the unscaled second derivative, by which loss and derivatives are divided.
    unit : float
        What a volume of the fit is multiplied by to be the spectrum of a map.
    """

    def __init__(
        self,
        particles: Particles,
        *,
        interpolation: Interpolation = "trilinear",
        prior: Prior = "none",
        dtype: torch.dtype = torch.float32,
        device: torch.device = torch.device("cpu"),  # noqa: B008
    ) -> None:
        self.measurements = Measurements(particles, interpolation=interpolation, dtype=dtype, device=device)
        self.shells = Shells(particles.box, device=device)
        self.precision: float | Tensor = RIDGE
        self.stencil: NormalStencil | None = None
        if particles.box <= STENCIL_UP_TO:
            self.stencil = NormalStencil(self.measurements, RIDGE)
        if prior == "wiener":
            self.precision = self._wiener().to(dtype)
            if self.stencil is not None:
                self.stencil.precision = self.precision.to(self.stencil.dtype)
        self.curvature = self._largest_eigenvalue()
        self.unit = 1.0

    @property
    def box(self) -> int:
        """Points along an edge."""
        return self.measurements.plane.box

    def scale(self, energy: float, curvature: float) -> None:
        """Divide the data by a unit, so that an empty volume has loss ½ for images of this energy."""
        unit = (energy / curvature) ** 0.5
        self.measurements.data *= self.unit / unit
        self.unit, self.curvature = unit, curvature

    @cached_property
    def damping(self) -> Tensor:
        """Precision of the prior where coefficients are used, shape=(box, box, box), real; zero elsewhere."""
        ones = self.measurements.data.real.new_ones(self.measurements.operator.shape)
        return self.measurements.operator.masked(ones) * self.precision

    @cached_property
    def diagonal(self) -> Tensor:
        """Exact diagonal of the second derivative of all images, shape=(box, box, box), in units of the loss."""
        found = exact_diagonal(self.measurements) if self.stencil is None else self.stencil.diagonal() - self._ridge()
        return self._prepared(found)

    @cached_property
    def row_sums(self) -> Tensor:
        """Row sums of the second derivative of all images, shape=(box, box, box), in units of the loss."""
        found = row_sums(self.measurements) if self.stencil is None else self.stencil.row_sums() - self._ridge()
        return self._prepared(found)

    @cached_property
    def backprojection(self) -> Tensor:
        """Minus the gradient of all images at an empty volume, times the curvature, shape=(box, box, box)."""
        return self._backprojected(self.measurements.parts(), len(self.measurements))

    @cached_property
    def one_pass(self) -> Tensor:
        """One-pass reconstruction: the backprojection divided by the row sums, shape=(box, box, box)."""
        return weighted_backprojection(self.backprojection, self.row_sums * self.curvature)

    @cached_property
    def minimiser(self) -> Tensor | None:
        """The volume of least loss over all images, shape=(box, box, box); None for boxes above 128."""
        if self.stencil is None:
            return None
        double = torch.complex128 if self.stencil.dtype == torch.float64 else torch.complex64
        right = self.backprojection.to(double)
        # Large boxes are summed in float32, where no residual falls below 1e-5, and an iteration takes its time.
        limits = {"tolerance": 1e-7, "iterations": 200}
        if double == torch.complex64:
            limits = {"tolerance": 3e-4, "iterations": 40}
        diagonal = self.stencil.diagonal()
        start = self.one_pass * (diagonal > 0)
        return conjugate_gradients(self.stencil.product, right, diagonal, start=start.to(double), **limits)  # type: ignore[arg-type]

    def gap(self, volume: Tensor) -> float:
        """Return by how much the loss over all images exceeds the least; NaN where that is not known."""
        if self.minimiser is None or self.stencil is None:
            return float("nan")
        return self.stencil.energy(volume - self.minimiser) / self.curvature

    def condition_numbers(self) -> list[float]:
        """Return the ratio of the largest to the smallest diagonal entry inside every radius, one for every shell."""
        return [float(each) for each in condition_numbers(self.diagonal, self.shells)]

    def _prepared(self, second: Tensor) -> Tensor:
        return ((second + self.damping) / self.curvature).to(self.measurements.data.real.dtype)

    def _ridge(self) -> float | Tensor:
        assert self.stencil is not None
        precision, used = self.stencil.precision, self.measurements.operator.mask
        return precision if used is None else precision * used

    def _backprojected(self, parts: Sequence, count: int) -> Tensor:
        total = torch.zeros(
            self.measurements.operator.shape, dtype=self.measurements.data.dtype, device=self.measurements.data.device
        )
        for batch in parts:
            total += batch.backprojection() * (len(batch) / count)
        return total

    def _wiener(self) -> Tensor:
        measurements = self.measurements
        ones = measurements.data.real.new_ones(measurements.operator.shape)
        halves = []
        for first in (0, 1):
            batches = [measurements.batch(rows) for rows in torch.arange(first, len(measurements), 2).split(1024)]
            count = sum(len(batch) for batch in batches)
            seen = torch.zeros_like(ones)
            for batch in batches:
                seen += batch.product(ones) * (len(batch) / count)
            halves.append(weighted_backprojection(self._backprojected(batches, count), seen))
        diagonal = exact_diagonal(measurements) if self.stencil is None else self.stencil.diagonal()
        return wiener_precision(halves[0], halves[1], diagonal, self.shells)

    def _largest_eigenvalue(self) -> float:
        if self.stencil is not None:
            return self.stencil.largest_eigenvalue()
        # Row sums bound it from above.
        return float((row_sums(self.measurements) + self.precision).max())


def open_fits(
    particles: Particles,
    *,
    halves: bool,
    interpolation: Interpolation,
    prior: Prior,
    dtype: torch.dtype,
    device: torch.device,
) -> list[VolumeFit]:
    """Return the fit of all particles, or one for each half set, in a common unit."""
    chosen = [particles]
    if halves:
        particles = particles.with_half_sets()
        chosen = [particles.take(particles.half_set == half) for half in (1, 2)]
        if not all(map(len, chosen)):
            raise CryoemError(
                f"{particles.source or 'Particles'}: all images are of one half set; run without half sets, or choose "
                "more images."
            )
    fits = [VolumeFit(each, interpolation=interpolation, prior=prior, dtype=dtype, device=device) for each in chosen]
    energy = sum(fit.measurements.energy() for fit in fits) / len(fits)
    curvature = max(fit.curvature for fit in fits)
    for fit in fits:
        fit.scale(energy, curvature)
    return fits
