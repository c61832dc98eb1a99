"""The particles that a job reads: those of its file that it asks for, on pixels of the size that it asks for. numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lieapp.cryoem.cropping import crop_particles
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.spec import CryoemJob

__all__ = ["particles_of"]

_LEAST_BOX = 8


def particles_of(job: CryoemJob) -> Particles:
    """Return the particles of a job; their images stay in their files until they are asked for.

    Raises
    ------
    CryoemError
        If the file cannot be read, or its images are too few pixels along an edge.
    """
    path = job.particles
    if path is None:
        raise CryoemError("The job reads no particles.")
    particles = read_particles(path, allow_outside=job.allow_outside, pixel_size_angstrom=job.pixel_size_angstrom)
    if job.images is not None and len(particles) > job.images:
        chosen = np.random.default_rng(job.seed).permutation(len(particles))[: job.images]
        particles = particles.take(np.sort(chosen))
    if job.box is not None and job.box != particles.box:
        if job.box > particles.box:
            raise CryoemError(f"{path}: its images have {particles.box} pixels along an edge, fewer than {job.box}.")
        particles = crop_particles(particles, job.box)
    if job.ctf is False:
        particles = replace(particles, ctf=None)
    if particles.box < _LEAST_BOX:
        raise CryoemError(f"{path}: its images have only {particles.box} pixels along an edge.")
    return particles
