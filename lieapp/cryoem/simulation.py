"""Simulated particles: projections of a map with CTF, shifts and noise.

The projections read a spectrum twice as fine as the one that is reconstructed, so the simulation does not share the
errors of the fit (the "inverse crime").
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lieapp.cryoem.acquisition import Simulation, add_noise, draw_acquisition, signal_variance
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.interruption import stop_if_unwanted
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import HalfPlane, map_to_fourier
from lieapp.cryoem.slices import SliceOperator, gridding_envelope

__all__ = ["Simulation", "project", "simulate"]

PADDING = 2
_POINTS_AT_ONCE = 2**16  # of slices: larger pieces are no faster, and who gives up would wait for them


def project(
    values: NDArray[np.float32],
    particles_rotations: NDArray[np.float64],
    *,
    ctf: CtfParameters | None = None,
    shifts_pixel: NDArray[np.float64] | None = None,
    pixel_size_angstrom: float = 1.0,
    padding: int = PADDING,
) -> NDArray[np.float32]:
    """Return projections of a map, without noise.

    Parameters
    ----------
    values : ndarray, shape=(box, box, box)
        Map, axes z, y, x; its origin is at ``box // 2``.
    particles_rotations : ndarray, shape=(images, 3, 3)
        Rows are the axes of the images in the frame of the map.
    ctf : CtfParameters, optional
    shifts_pixel : ndarray, shape=(images, 2), optional
        RELION's origins: the particle lies at minus them.
    pixel_size_angstrom : float
    padding : int
        How many times finer the spectrum is sampled.

    Returns
    -------
    ndarray, shape=(images, box, box), dtype=float32
        Frequencies up to ``box // 2 - 1``.
    """
    box = len(values)
    if values.shape != (box, box, box):
        raise CryoemError(f"Only cubic maps can be projected, not shape {values.shape}.")
    plane = HalfPlane(box)
    operator = SliceOperator(plane, particles_rotations, padding=padding, cache_bytes=0)
    corrected = torch.from_numpy(np.array(values, dtype=np.float32)) / gridding_envelope(box, padding).float()
    spectrum = map_to_fourier(_padded(corrected, padding * box))
    images = np.empty((len(operator), box, box), dtype=np.float32)
    unit = 1.0 / (box * pixel_size_angstrom)
    x, y = (k.numpy() * unit for k in (plane.kx, plane.ky))
    count = max(1, _POINTS_AT_ONCE // len(plane))
    for first in range(0, len(operator), count):
        stop_if_unwanted()
        rows = slice(first, min(first + count, len(operator)))
        points = operator.forward(spectrum, rows)
        if ctf is not None:
            points = points * torch.from_numpy(ctf.take(rows).transfer(x, y)).to(points.real.dtype)
        if shifts_pixel is not None:
            points = points * plane.shift_phases(torch.from_numpy(-shifts_pixel[rows])).to(points.dtype)
        images[rows] = plane.to_images(points).numpy()
    return images


def simulate(
    values: NDArray[np.float32], pixel_size_angstrom: float, what: Simulation, *, source: str = "simulation"
) -> Particles:
    """Return simulated particles of a map.

    Parameters
    ----------
    values : ndarray, shape=(box, box, box)
        Map, axes z, y, x.
    pixel_size_angstrom : float
    what : Simulation
    source : str
        For people.

    Returns
    -------
    Particles
        With half sets drawn at random. The same seed gives the same views, shifts and CTF whatever the noise.

    Raises
    ------
    CryoemError
        If there are no images, the map is not cubic, or it is constant.
    """
    if what.images < 1:
        raise CryoemError(f"There must be at least one image, not {what.images}.")
    if not what.snr > 0.0:
        raise CryoemError(f"The signal-to-noise ratio must be positive, not {what.snr}.")
    rotations, moved, ctf = draw_acquisition(what)
    images = project(
        values,
        rotations,
        ctf=ctf,
        shifts_pixel=moved if what.shift_pixel else None,
        pixel_size_angstrom=pixel_size_angstrom,
    )
    variance = signal_variance(images)
    if not variance > 0.0:
        raise CryoemError(f"{source}: the map is constant, its projections show nothing.")
    add_noise(images, variance, what)
    return Particles(images, rotations, moved, pixel_size_angstrom, ctf, source=source).with_half_sets(what.seed)


def _padded(values: torch.Tensor, edge: int) -> torch.Tensor:
    box = len(values)
    before = edge // 2 - box // 2
    after = edge - box - before
    return torch.nn.functional.pad(values, (before, after) * 3)
