"""What a job will work on, seen before anything is computed: the map, some images, the views. numpy, no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.acquisition import add_noise, draw_acquisition, signal_variance, simulation_of
from lieapp.cryoem.angles import view_directions
from lieapp.cryoem.job_particles import particles_of
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.phantoms import load_phantom
from lieapp.cryoem.reprojection import Projector
from lieapp.cryoem.spec import DEFAULT_BOX, CryoemJob

__all__ = ["Preview", "preview_of"]


@dataclass(frozen=True, eq=False)
class Preview:
    """What is known before a run.

    Attributes
    ----------
    particles : Particles
        The first images.
    images : int
        How many there will be.
    views : ndarray, shape=(images, 3)
        Directions from which the particles are seen, of all images.
    truth : ndarray, shape=(box, box, box), dtype=float32, or None
        The map that is simulated; None for particles that are read.
    """

    particles: Particles
    images: int
    views: NDArray[np.float64]
    truth: NDArray[np.float32] | None = None

    @property
    def box(self) -> int:
        """Pixels along an edge."""
        return self.particles.box

    @property
    def pixel_size_angstrom(self) -> float:
        """Pixel size in Å."""
        return self.particles.pixel_size_angstrom


def preview_of(job: CryoemJob, count: int) -> Preview:
    """Return the first images of a job.

    Parameters
    ----------
    job : CryoemJob
    count : int
        How many images are read or simulated.

    Raises
    ------
    CryoemError
        If phantom or particles cannot be read.

    Notes
    -----
    Simulated images have the views, shifts, CTF and noise of those that the runs will get. Only the strength of the
    noise is taken from the signal of these few instead of all: some per cent more or less.
    """
    if job.particles is not None:
        whole = particles_of(job)
        some = whole.take(slice(count))
        held = Particles(
            np.asarray(some.images[:], dtype=np.float32), some.rotations, some.shifts_pixel, some.pixel_size_angstrom,
            some.ctf, some.half_set, some.names, some.source,
        )  # fmt: skip
        return Preview(held, len(whole), view_directions(whole.rotations))
    phantom = load_phantom(job.phantom, DEFAULT_BOX if job.box is None else job.box, job.pixel_size_angstrom,
                           job.sharpening)  # fmt: skip
    what = simulation_of(job)
    rotations, shifts, ctf = draw_acquisition(what)
    projector, pixel = Projector(phantom.values), phantom.pixel_size_angstrom
    images = np.stack(
        [
            projector.view(
                rotations[row],
                ctf=None if ctf is None else ctf.take([row]),
                shift_pixel=shifts[row],
                pixel_size_angstrom=pixel,
            )
            for row in range(min(count, what.images))
        ]
    )
    add_noise(images, signal_variance(images), what)
    first = slice(len(images))
    particles = Particles(
        images, rotations[first], shifts[first], pixel, None if ctf is None else ctf.take(first),
        source=f"Simulation of {phantom.name}",
    )  # fmt: skip
    return Preview(particles, what.images, view_directions(rotations), phantom.values)
