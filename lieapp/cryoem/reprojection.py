"""What a map looks like from where an image was taken: projections for the eye, without torch.

The same model as `lieapp.cryoem.simulation.project`: a slice of a spectrum twice as fine, times the CTF, shifted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.ctf import CtfParameters

__all__ = ["Projector", "reproject"]

_PADDING = 2


class Projector:
    """A map that is seen from many sides.

    Parameters
    ----------
    values : ndarray, shape=(box, box, box)
        Axes z, y, x; its origin is at ``box // 2``.
    """

    def __init__(self, values: NDArray[np.floating]) -> None:
        self.box = box = len(values)
        edge, half = _PADDING * box, box // 2
        line = np.sinc((np.arange(box) - half) / edge) ** 2  # what the interpolation multiplies the map by
        corrected = np.asarray(values, dtype=np.float64) / (line[:, None, None] * line[:, None] * line)
        before = edge // 2 - half
        padded = np.zeros((edge, edge, edge), dtype=np.float32)
        inside = slice(before, before + box)
        padded[inside, inside, inside] = corrected
        self._spectrum = np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(padded))).ravel()

    def view(
        self,
        rotation: ArrayLike,
        *,
        ctf: CtfParameters | None = None,
        shift_pixel: ArrayLike = (0.0, 0.0),
        pixel_size_angstrom: float = 1.0,
    ) -> NDArray[np.float32]:
        """Return one projection.

        Parameters
        ----------
        rotation : array_like, shape=(3, 3)
            Rows are the axes of the image in the frame of the map.
        ctf : CtfParameters, optional
            Of one image.
        shift_pixel : array_like, shape=(2,)
            RELION's origin (x, y): the particle lies at minus it.
        pixel_size_angstrom : float

        Returns
        -------
        ndarray, shape=(box, box), dtype=float32
            Rows y, columns x; frequencies up to ``box // 2 - 1``.
        """
        box = self.box
        edge, half, radius = _PADDING * box, box // 2, box // 2 - 1
        kx, ky = np.meshgrid(np.arange(box) - half, np.arange(box) - half)
        used = kx * kx + ky * ky <= radius * radius
        kx, ky = kx[used].astype(np.float64), ky[used].astype(np.float64)
        axes = np.asarray(rotation, dtype=np.float64)[:2]
        places = _PADDING * (axes[0][:, None] * kx + axes[1][:, None] * ky) + edge // 2  # x, y, z
        low = np.minimum(np.floor(places).astype(np.int64), edge - 2)
        share = places - low
        points = np.zeros(len(kx), dtype=np.complex128)
        for corner in range(8):
            ahead = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])[:, None]
            x, y, z = low + ahead
            weight = np.prod(np.where(ahead == 1, share, 1.0 - share), axis=0)
            points += weight * self._spectrum[(z * edge + y) * edge + x]
        if ctf is not None:
            unit = 1.0 / (box * pixel_size_angstrom)
            points *= ctf.transfer(kx * unit, ky * unit)[0]
        shift = np.asarray(shift_pixel, dtype=np.float64)
        if shift.any():
            points *= np.exp(2j * np.pi / box * (kx * shift[0] + ky * shift[1]))
        plane = np.zeros((box, box), dtype=np.complex128)
        plane[used] = points
        return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(plane)).real).astype(np.float32)


def reproject(
    values: NDArray[np.floating],
    rotation: ArrayLike,
    *,
    ctf: CtfParameters | None = None,
    shift_pixel: ArrayLike = (0.0, 0.0),
    pixel_size_angstrom: float = 1.0,
) -> NDArray[np.float32]:
    """Return one projection of a map; see `Projector`, which is faster for several."""
    return Projector(values).view(rotation, ctf=ctf, shift_pixel=shift_pixel, pixel_size_angstrom=pixel_size_angstrom)
