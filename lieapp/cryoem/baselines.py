"""What stands beside the runs of a reconstruction: the truth, the one-pass reconstruction, the exact minimiser, the
curvature that the optimisers meet, and how the images of the first epoch fill Fourier space.

Everything is measured by the fits that the runs share; views read it and compute nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.cryoem.angles import view_directions
from lieapp.cryoem.batches import batch_orders
from lieapp.cryoem.fit import VolumeFit
from lieapp.cryoem.interruption import stop_if_unwanted
from lieapp.cryoem.metrics import Shells
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import HalfPlane, map_to_fourier
from lieapp.cryoem.problem import job_device, stream_seed
from lieapp.cryoem.slices import Interpolation, reconstructed_map

if TYPE_CHECKING:
    from lieapp.cryoem.inputs import CryoemInputs
    from lieapp.cryoem.spec import CryoemJob

__all__ = ["Baseline", "Baselines", "fill_section", "measure_baselines"]

Array = NDArray[np.float64]
Picture = NDArray[np.float32]

_MOST_FILLED = 4_000_000  # points of slices that the filling is computed from


@dataclass(frozen=True, eq=False)
class Baseline:
    """A reconstruction that needs no steps.

    Attributes
    ----------
    map : ndarray, shape=(box, box, box), dtype=float32
        Axes z, y, x, in the unit of the images.
    loss_gap : float
        Loss over all images above the least possible; NaN where that is not known.
    shell_error, fsc_truth : ndarray, shape=(shells,)
        Of the volume against the exact minimiser, of the map with the truth; NaN where they are not known.
    """

    map: Picture
    loss_gap: float
    shell_error: Array
    fsc_truth: Array


@dataclass(frozen=True, eq=False)
class Baselines:
    """What the runs on some images are compared with.

    Attributes
    ----------
    box, images : int
    pixel_size_angstrom : float
    truth : ndarray, shape=(box, box, box), dtype=float32, or None
        The map that was simulated, as far as the images hold it.
    one_pass : Baseline
        Backprojection divided by the weights that every coefficient received.
    minimiser : Baseline or None
        The map of least loss over all images; None for boxes above 128.
    condition_numbers : ndarray, shape=(shells,)
        Largest over smallest diagonal entry of the second derivative within every radius.
    views : ndarray, shape=(images, 3)
        Directions from which the particles are seen.
    filling : ndarray, shape=(batches + 1, box, box), dtype=float32
        How often the images seen so far have sampled the plane ky = 0 (axes kz, kx), as a mean over all images.
    filled : ndarray, shape=(batches + 1,), dtype=int64
        How many images have been seen.
    """

    box: int
    images: int
    pixel_size_angstrom: float
    truth: Picture | None
    one_pass: Baseline
    minimiser: Baseline | None
    condition_numbers: Array
    views: Array
    filling: Picture
    filled: NDArray[np.int64]

    @property
    def reference(self) -> Picture:
        """The map that others are looked at beside: the truth, or else the one-pass reconstruction."""
        return self.one_pass.map if self.truth is None else self.truth


def measure_baselines(job: CryoemJob, inputs: CryoemInputs) -> Baselines:
    """Measure what runs of a job are compared with; entrants of a race share it.

    Parameters
    ----------
    job : CryoemJob
    inputs : CryoemInputs
        Its images; their fits are made if no run has made them yet.

    Raises
    ------
    EngineError
        If the device does not exist.
    """
    fits = inputs.fits(job, job_device(job))
    first = fits[0]
    spectrum = inputs.true_spectrum(job.interpolation)
    truth = None
    if spectrum is not None:
        held = first.measurements.operator.masked((spectrum / first.unit).to(first.measurements.data))
        truth = reconstructed_map(held, job.interpolation)
    best = [fit.minimiser for fit in fits]
    known = [each for each in best if each is not None]
    order = _first_epoch(job, inputs.particles)
    filling, filled = fill_section(inputs.particles, order)
    return Baselines(
        box=inputs.box,
        images=len(inputs.particles),
        pixel_size_angstrom=inputs.pixel_size_angstrom,
        truth=None if truth is None else _picture(truth * first.unit),
        one_pass=_baseline(fits, [fit.one_pass for fit in fits], truth, job.interpolation),
        minimiser=_baseline(fits, known, truth, job.interpolation) if len(known) == len(fits) else None,
        condition_numbers=np.array(first.condition_numbers()),
        views=view_directions(inputs.particles.rotations),
        filling=filling,
        filled=filled,
    )


def fill_section(particles: Particles, batches: Sequence[NDArray[np.int64]]) -> tuple[Picture, NDArray[np.int64]]:
    """Return how slices fill the plane ky = 0 of Fourier space, batch by batch.

    Parameters
    ----------
    particles : Particles
    batches : sequence of ndarray, shape=(images,), dtype=int64

    Returns
    -------
    filling : ndarray, shape=(batches + 1, box, box), dtype=float32
        Axes kz, kx: the sums of ``C² w`` over the images so far, divided by the number of all images in the batches.
    filled : ndarray, shape=(batches + 1,), dtype=int64

    Notes
    -----
    The weights are those of trilinear interpolation. Away from the rim the last one is the plane of the row sums of
    the second derivative, ``mean P' C² P 1``: the preconditioner is the density of the samples.
    """
    box = particles.box
    plane = HalfPlane(box)
    kx, ky = (each.numpy().astype(np.float64) for each in (plane.kx, plane.ky))
    share = np.where((kx == 0) & (ky == 0), 0.5, 1.0)  # the zero frequency is its own partner
    counts = np.array([0, *(len(rows) for rows in batches)], dtype=np.int64)
    total = np.zeros((box, box))
    filling = np.zeros((len(batches) + 1, box, box), dtype=np.float32)
    unit = 1.0 / (box * particles.pixel_size_angstrom)
    for number, rows in enumerate(batches, start=1):
        stop_if_unwanted()
        axes = particles.rotations[rows][:, :2]
        x, y, z = (axes[:, 0, k, None] * kx + axes[:, 1, k, None] * ky for k in range(3))
        weight = np.clip(1.0 - np.abs(y), 0.0, None) * share
        if particles.ctf is not None:
            weight = weight * particles.ctf.take(rows).transfer(kx * unit, ky * unit) ** 2
        chosen = weight > 0.0
        total += _spread(x[chosen], z[chosen], weight[chosen], box)
        filling[number] = total
    mirrored = filling[:, ::-1, ::-1]
    if box % 2 == 0:  # frequency 0 is at box // 2
        mirrored = np.roll(mirrored, 1, axis=(1, 2))
    line = np.arange(box) - box // 2
    inside = line[:, None] ** 2 + line**2 <= plane.radius**2
    shares = (filling + mirrored) * inside / max(int(counts.sum()), 1)
    return shares.astype(np.float32), np.cumsum(counts)


def _spread(x: Array, z: Array, weight: Array, box: int) -> Array:
    """Return a plane, axes z and x, to which weights at places between its points were added."""
    x0, z0 = np.floor(x), np.floor(z)
    plane = np.zeros(box * box)
    for below_z, along_z in ((0, 1.0 - (z - z0)), (1, z - z0)):
        for below_x, along_x in ((0, 1.0 - (x - x0)), (1, x - x0)):
            row = (z0 + below_z).astype(np.int64) + box // 2
            column = (x0 + below_x).astype(np.int64) + box // 2
            inside = (row >= 0) & (row < box) & (column >= 0) & (column < box)
            share = (weight * along_z * along_x)[inside]
            plane += np.bincount((row * box + column)[inside], weights=share, minlength=box * box)
    return plane.reshape(box, box)


def _first_epoch(job: CryoemJob, particles: Particles) -> list[NDArray[np.int64]]:
    """Return the images of every batch of the first epoch, as the runs see them."""
    members = [np.arange(len(particles))]
    if job.takes_half_sets(particles.divisible):
        half_set = particles.with_half_sets().half_set
        members = [np.flatnonzero(half_set == half) for half in (1, 2)]
    seeds = [stream_seed(job.seed, 10 + k) for k in range(len(members))]
    orders = batch_orders([len(rows) for rows in members], job.batch, seeds)
    points = len(HalfPlane(particles.box))
    batches: list[NDArray[np.int64]] = []
    for _ in range(orders[0].batches):
        for order in orders:
            order.advance()
        batches.append(
            np.concatenate([rows[order.rows().numpy()] for rows, order in zip(members, orders, strict=True)])
        )
        if sum(len(rows) for rows in batches) * points > _MOST_FILLED:
            break
    return batches


def _baseline(
    fits: Sequence[VolumeFit], volumes: Sequence[Tensor], truth: Tensor | None, interpolation: Interpolation
) -> Baseline:
    """Return how good the mean of some volumes, one for each fit, is."""
    shells = fits[0].shells
    whole = torch.stack([volume.to(fits[0].measurements.data) for volume in volumes]).mean(0)
    found = reconstructed_map(whole, interpolation)
    unknown = np.full(len(shells), np.nan)
    errors = [
        fit.shells.error(volume.to(fit.minimiser.dtype), fit.minimiser).cpu().numpy()
        for fit, volume in zip(fits, volumes, strict=True)
        if fit.minimiser is not None
    ]
    return Baseline(
        map=_picture(found * fits[0].unit),
        loss_gap=sum(fit.gap(volume) for fit, volume in zip(fits, volumes, strict=True)),
        shell_error=np.mean(errors, axis=0) if errors else unknown,
        fsc_truth=unknown if truth is None else _correlation(shells, found, truth),
    )


def _correlation(shells: Shells, found: Tensor, truth: Tensor) -> Array:
    """Return the Fourier shell correlation of two maps."""
    between: Array = shells.correlation(map_to_fourier(found), map_to_fourier(truth)).cpu().numpy().astype(np.float64)
    return between


def _picture(values: Tensor) -> Picture:
    found: Picture = values.to(torch.float32).cpu().numpy()
    return found
