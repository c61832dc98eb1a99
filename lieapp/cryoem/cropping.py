"""Smaller images of the same particles: the high frequencies are cut off in Fourier space. numpy, no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.particles import ImageStack, Particles

__all__ = ["CroppedStack", "crop_images", "crop_particles"]

_BATCH = 64


def crop_images(images: ArrayLike, box: int) -> NDArray[np.float32]:
    """Resample images on fewer, larger pixels by leaving out the frequencies that these cannot hold.

    Parameters
    ----------
    images : array_like, shape=(..., L, L)
    box : int
        Pixels along an edge afterwards, 2 to L.

    Returns
    -------
    ndarray, shape=(..., box, box), dtype=float32
        The same field of view and grey values; what was at pixel ``L // 2``, the centre of a particle, is at
        ``box // 2``.

    Raises
    ------
    CryoemError
        If the images are not square, or are smaller than the box.

    Notes
    -----
    The frequency at the edge of an even box has no partner of opposite sign and is left out as well.
    """
    full = np.asarray(images)
    size = full.shape[-1] if full.ndim >= 2 else 0
    if full.ndim < 2 or full.shape[-2] != size:
        raise CryoemError(f"Cropping: images must be square, not of shape {full.shape}.")
    _check_box(box, size)
    if box == size:
        return full.astype(np.float32)
    cropped = np.empty((*full.shape[:-2], box, box), dtype=np.float32)
    flat, out = full.reshape(-1, size, size), cropped.reshape(-1, box, box)
    # Frequencies -k to k along y, 0 to k along x.
    k = (box - 1) // 2
    for start in range(0, len(flat), _BATCH):
        centred = np.fft.ifftshift(flat[start : start + _BATCH].astype(np.float64), axes=(-2, -1))
        spectrum = np.fft.rfft2(centred)
        small = np.zeros((len(centred), box, box // 2 + 1), dtype=np.complex128)
        small[:, : k + 1, : k + 1] = spectrum[:, : k + 1, : k + 1]
        small[:, box - k :, : k + 1] = spectrum[:, size - k :, : k + 1]
        small *= (box / size) ** 2
        out[start : start + _BATCH] = np.fft.fftshift(np.fft.irfft2(small, s=(box, box)), axes=(-2, -1))
    return cropped


class CroppedStack:
    """A stack whose images are cropped where it is indexed.

    Parameters
    ----------
    images : ndarray or ImageStack, shape=(images, L, L)
    box : int
    """

    def __init__(self, images: NDArray[np.float32] | ImageStack, box: int) -> None:
        _check_box(box, int(images.shape[-1]))
        self._images = images
        self._box = box

    @property
    def shape(self) -> tuple[int, int, int]:
        """Images, rows, columns."""
        return len(self), self._box, self._box

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: Any, /) -> NDArray[np.float32]:
        """Read and crop one image, or those of a slice, a mask or an array of indices."""
        return crop_images(self._images[index], self._box)

    def take(self, index: NDArray[np.int64]) -> CroppedStack:
        """Return some of the images, by indices; stacks that lie in files stay there."""
        images: Any = self._images
        return CroppedStack(images[index] if isinstance(images, np.ndarray) else images.take(index), self._box)


def crop_particles(particles: Particles, box: int) -> Particles:
    """Return particles on fewer, larger pixels: images, shifts and pixel size; the rest is the same.

    Parameters
    ----------
    particles : Particles
    box : int
        Pixels along an edge afterwards, 2 to the present box.

    Returns
    -------
    Particles
        Images that lie in files stay there and are cropped when they are asked for.

    Raises
    ------
    CryoemError
        If the present images are smaller than the box.
    """
    if box == particles.box:
        return particles
    scale = box / particles.box
    stack = CroppedStack(particles.images, box)
    return replace(
        particles,
        images=stack[:] if isinstance(particles.images, np.ndarray) else stack,
        shifts_pixel=particles.shifts_pixel * scale,
        pixel_size_angstrom=particles.pixel_size_angstrom / scale,
    )


def _check_box(box: int, size: int) -> None:
    if not 2 <= box <= size:
        raise CryoemError(f"Cropping: the box must be 2 to {size} pixels, those of the images, not {box}.")
