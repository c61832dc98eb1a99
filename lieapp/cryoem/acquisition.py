"""How the images of a job are taken, before any is made: views, shifts and CTF of simulations. numpy, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.angles import preferred_rotations, uniform_rotations
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.interruption import stop_if_unwanted

if TYPE_CHECKING:
    from lieapp.cryoem.spec import CryoemJob

__all__ = ["Simulation", "add_noise", "draw_acquisition", "signal_variance", "simulation_of"]

_VIEWS, _SHIFTS, _OPTICS, _NOISE = range(4)
"""A stream of random numbers for each, so that one slider does not redraw what another decides."""


@dataclass(frozen=True)
class Simulation:
    """What is simulated, besides the map.

    Attributes
    ----------
    images : int
    snr : float
        Variance of the signal over that of the noise, per pixel, over all images; infinite for none.
    views : {"uniform", "preferred"}
    fraction, spread_degrees : float
        Of preferred views, see `lieapp.cryoem.angles.preferred_rotations`.
    shift_pixel : float
        Standard deviation of the shifts along x and y.
    defocus_angstrom : tuple of float, or None
        Lowest and highest defocus; None for images without CTF.
    astigmatism_angstrom : float
        Standard deviation of the difference of the two defocus values.
    voltage_kilovolt, spherical_aberration_millimetre, amplitude_contrast : float
    seed : int
    """

    images: int = 1000
    snr: float = 1.0
    views: Literal["uniform", "preferred"] = "uniform"
    fraction: float = 0.9
    spread_degrees: float = 14.0
    shift_pixel: float = 0.0
    defocus_angstrom: tuple[float, float] | None = None
    astigmatism_angstrom: float = 0.0
    voltage_kilovolt: float = 300.0
    spherical_aberration_millimetre: float = 2.7
    amplitude_contrast: float = 0.1
    seed: int = 0


def simulation_of(job: CryoemJob) -> Simulation:
    """Return what a job simulates."""
    from lieapp.cryoem.spec import DEFAULT_IMAGES

    return Simulation(
        images=job.images or DEFAULT_IMAGES,
        snr=job.snr,
        views=job.views,
        fraction=job.view_fraction,
        spread_degrees=job.view_spread_degrees,
        shift_pixel=job.shift_pixel,
        defocus_angstrom=job.defocus_angstrom if job.ctf else None,
        voltage_kilovolt=job.voltage_kilovolt,
        spherical_aberration_millimetre=job.spherical_aberration_millimetre,
        amplitude_contrast=job.amplitude_contrast,
        seed=job.seed,
    )


def draw_acquisition(
    what: Simulation,
) -> tuple[NDArray[np.float64], NDArray[np.float64], CtfParameters | None]:
    """Draw how every image is taken.

    Returns
    -------
    rotations : ndarray, shape=(images, 3, 3)
        RELION's matrices.
    shifts_pixel : ndarray, shape=(images, 2)
        RELION's origins (x, y).
    ctf : CtfParameters or None
        None for images without CTF.
    """
    views, shifts, optics = (_stream(what, stream) for stream in (_VIEWS, _SHIFTS, _OPTICS))
    if what.views == "uniform":
        rotations = uniform_rotations(what.images, views)
    else:
        rotations = preferred_rotations(what.images, views, fraction=what.fraction, spread_degrees=what.spread_degrees)
    moved = what.shift_pixel * shifts.standard_normal((what.images, 2))
    if what.defocus_angstrom is None:
        return rotations, moved, None
    low, high = what.defocus_angstrom
    mean = optics.uniform(low, high, what.images)
    half = 0.5 * what.astigmatism_angstrom * np.abs(optics.standard_normal(what.images))
    ctf = CtfParameters.build(
        mean + half,
        mean - half,
        defocus_angle_degrees=optics.uniform(0.0, 180.0, what.images),
        voltage_kilovolt=what.voltage_kilovolt,
        spherical_aberration_millimetre=what.spherical_aberration_millimetre,
        amplitude_contrast=what.amplitude_contrast,
    )
    return rotations, moved, ctf


def signal_variance(images: NDArray[np.float32]) -> float:
    """Return the variance of the pixels of an image, as a mean over images without noise."""
    return float(images.var(axis=(1, 2), dtype=np.float64).mean())


def add_noise(images: NDArray[np.float32], variance: float, what: Simulation) -> None:
    """Add white noise to images, the first first: the same for the first images however many follow.

    Parameters
    ----------
    images : ndarray, shape=(images, box, box), dtype=float32
        Changed in place.
    variance : float
        Of the signal, see `signal_variance`.
    what : Simulation
        Its signal-to-noise ratio may be infinite: no noise.
    """
    if not np.isfinite(what.snr):
        return
    noise = _stream(what, _NOISE)
    deviation = np.float32(np.sqrt(variance / what.snr))
    for image in images:
        stop_if_unwanted()
        image += deviation * noise.standard_normal(image.shape, dtype=np.float32)


def _stream(what: Simulation, stream: int) -> np.random.Generator:
    return np.random.default_rng([what.seed, stream])
