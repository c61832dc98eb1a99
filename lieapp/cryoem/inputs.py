"""What a reconstruction starts from: particles with, for simulations, the truth; and the fits that entrants share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.cryoem.acquisition import simulation_of
from lieapp.cryoem.fit import VolumeFit, open_fits
from lieapp.cryoem.job_particles import particles_of
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.phantoms import load_phantom
from lieapp.cryoem.plane import map_to_fourier
from lieapp.cryoem.simulation import simulate
from lieapp.cryoem.slices import gridding_envelope
from lieapp.cryoem.source_file import source_sha256
from lieapp.cryoem.spec import DEFAULT_BOX, CryoemJob

__all__ = ["CryoemInputs", "load_inputs"]


@dataclass(eq=False)
class CryoemInputs:
    """Particles and, where they were simulated, the map they were made from.

    Attributes
    ----------
    particles : Particles
    truth : ndarray, shape=(box, box, box), dtype=float32, or None
        Map that was simulated; it may hold frequencies that the images do not.
    name : str
        For people.
    sha256 : str or None
        Of the file that they were read from, or that was simulated; None for bundled phantoms.
    """

    particles: Particles
    truth: NDArray[np.float32] | None = None
    name: str = ""
    sha256: str | None = None
    _fits: dict[tuple, list[VolumeFit]] = field(default_factory=dict, repr=False)

    @property
    def box(self) -> int:
        """Pixels along an edge."""
        return self.particles.box

    @property
    def pixel_size_angstrom(self) -> float:
        """Pixel size in Å."""
        return self.particles.pixel_size_angstrom

    def fits(self, job: CryoemJob, device: torch.device) -> list[VolumeFit]:
        """Return the fit of all particles, or one for each half set; made once for jobs that agree in what matters.

        Parameters
        ----------
        job : CryoemJob
        device : torch.device
        """
        halves = job.takes_half_sets(self.particles.divisible)
        key = (halves, job.interpolation, job.chosen_prior, job.dtype, str(device))
        if key not in self._fits:
            self._fits[key] = open_fits(
                self.particles,
                halves=halves,
                interpolation=job.interpolation,
                prior=job.chosen_prior,
                dtype=getattr(torch, job.dtype),
                device=device,
            )
        return self._fits[key]

    def true_spectrum(self, interpolation: str) -> Tensor | None:
        """Return the centred spectrum that a perfect fit would have, shape=(box, box, box), complex; None if unknown.

        Notes
        -----
        Interpolating between the coefficients of a volume fades its map towards the edges of the box; the fit makes up
        for it, so the truth is divided by the same envelope.
        """
        if self.truth is None:
            return None
        values = torch.from_numpy(np.array(self.truth, dtype=np.float64))
        if interpolation == "trilinear":
            values = values / gridding_envelope(self.box)
        return map_to_fourier(values)


def load_inputs(job: CryoemJob) -> CryoemInputs:
    """Read or simulate the particles of a job.

    Raises
    ------
    CryoemError
        If phantom or particles cannot be read, hold nothing to reconstruct from, or have another SHA-256 than the job
        says.
    """
    sha256 = source_sha256(job)
    if job.particles is not None:
        return CryoemInputs(particles_of(job), None, job.particles, sha256)
    box = DEFAULT_BOX if job.box is None else job.box
    phantom = load_phantom(job.phantom, box, job.pixel_size_angstrom, job.sharpening)
    particles = simulate(
        phantom.values, phantom.pixel_size_angstrom, simulation_of(job), source=f"Simulation of {phantom.name}"
    )
    return CryoemInputs(particles, phantom.values, phantom.name, sha256)
