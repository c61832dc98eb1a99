"""Half planes: the independent Fourier coefficients of real images, and volumes of real maps.

The spectrum of a real image is Hermitian, so half of it tells all: points with ``kx > 0``, and with ``kx = 0`` and
``ky >= 0``. Frequencies are whole numbers of periods a box, the origin of images and maps is pixel ``box // 2``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lieapp.cryoem.errors import CryoemError

__all__ = [
    "HalfPlane",
    "fourier_to_map",
    "fourier_radii",
    "largest_radius",
    "make_hermitian",
    "map_to_fourier",
]


def largest_radius(box: int) -> int:
    """Return the highest frequency that is used: below the Nyquist planes, whose coefficients have no partner."""
    return box // 2 - 1


class HalfPlane:
    """The frequencies of a half plane inside a radius, the zero frequency first.

    Parameters
    ----------
    box : int
        Pixels along an edge, 4 or more.
    radius : int, optional
        Highest frequency, at most ``box // 2 - 1``, which is the default.
    device : torch.device, optional

    Attributes
    ----------
    box, radius : int
    kx, ky : Tensor, shape=(points,), dtype=int64

    Raises
    ------
    CryoemError
        If box or radius is out of range.
    """

    def __init__(self, box: int, radius: int | None = None, device: torch.device | None = None) -> None:
        if box < 4:
            raise CryoemError(f"A box needs at least 4 pixels along an edge, not {box}.")
        most = largest_radius(box)
        self.box = box
        self.radius = most if radius is None else radius
        if not 1 <= self.radius <= most:
            raise CryoemError(f"The radius in a box of {box} must be within 1 and {most}, not {self.radius}.")
        line = torch.arange(-self.radius, self.radius + 1)
        ky, kx = torch.meshgrid(line, line, indexing="ij")
        inside = (kx * kx + ky * ky <= self.radius**2) & ((kx > 0) | ((kx == 0) & (ky >= 0)))
        ky, kx = ky[inside], kx[inside]
        order = torch.argsort(kx * kx + ky * ky, stable=True)
        self.kx, self.ky = kx[order].to(device), ky[order].to(device)
        self._place = (self.ky % box) * (box // 2 + 1) + self.kx  # in the output of rfft2

    def __len__(self) -> int:
        """Number of points."""
        return len(self.kx)

    @property
    def device(self) -> torch.device:
        """Where the points lie."""
        return self.kx.device

    @property
    def radii(self) -> Tensor:
        """Length of every frequency, shape=(points,), dtype=float64."""
        return torch.sqrt((self.kx**2 + self.ky**2).to(torch.float64))

    def from_images(self, images: Tensor) -> Tensor:
        """Return the spectra of real images.

        Parameters
        ----------
        images : Tensor, shape=(..., box, box)

        Returns
        -------
        Tensor, shape=(..., points), complex
        """
        spectra = torch.fft.rfft2(torch.fft.ifftshift(images, dim=(-2, -1)))
        return spectra.flatten(-2)[..., self._place]

    def to_images(self, points: Tensor) -> Tensor:
        """Return the real images whose spectra are given inside the radius and zero beyond.

        Parameters
        ----------
        points : Tensor, shape=(..., points), complex

        Returns
        -------
        Tensor, shape=(..., box, box)
        """
        box, half = self.box, self.box // 2 + 1
        spectra = points.new_zeros((*points.shape[:-1], box * half))
        spectra[..., self._place] = points
        # On the line kx = 0 the inverse transform reads both signs of ky.
        line = (self.kx == 0) & (self.ky > 0)
        spectra[..., (-self.ky[line] % box) * half] = points[..., line].conj()
        images = torch.fft.irfft2(spectra.unflatten(-1, (box, half)), s=(box, box))
        return torch.fft.fftshift(images, dim=(-2, -1))

    def shift_phases(self, shifts_pixel: Tensor) -> Tensor:
        """Return the factors that move images by some pixels.

        Parameters
        ----------
        shifts_pixel : Tensor, shape=(images, 2), dtype=float64
            Along x and y.

        Returns
        -------
        Tensor, shape=(images, points), dtype=complex128
            ``exp(-2 pi i k · shift / box)``.
        """
        k = torch.stack((self.kx, self.ky)).to(torch.float64)
        angle = (-2.0 * torch.pi / self.box) * (shifts_pixel.to(torch.float64) @ k)
        return torch.polar(torch.ones_like(angle), angle)


def map_to_fourier(values: Tensor) -> Tensor:
    """Return the centred spectrum of a map, shape=(..., box, box, box): frequency 0 at index ``box // 2``."""
    axes = (-3, -2, -1)
    return torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(values, dim=axes), dim=axes), dim=axes)


def fourier_to_map(volume: Tensor) -> Tensor:
    """Return the real map of a centred Hermitian spectrum that is zero on Nyquist planes.

    Parameters
    ----------
    volume : Tensor, shape=(..., box, box, box), complex
        Only the half ``kx >= 0`` is read.
    """
    axes = (-3, -2, -1)
    box = volume.shape[-1]
    half = volume[..., box // 2 :]
    if box % 2 == 0:
        half = torch.nn.functional.pad(half, (0, 1))
    values = torch.fft.irfftn(torch.fft.ifftshift(half, dim=axes[:2]), s=(box, box, box), dim=axes)
    return torch.fft.fftshift(values, dim=axes)


def make_hermitian(volume: Tensor) -> Tensor:
    """Return the nearest Hermitian volume, ``(V(k) + conj V(-k)) / 2``; zero on the Nyquist planes of even boxes.

    Parameters
    ----------
    volume : Tensor, shape=(box, box, box), complex or real
    """
    core = volume if volume.shape[-1] % 2 else volume[1:, 1:, 1:]
    symmetric = (core + core.flip((0, 1, 2)).conj()).mul_(0.5)
    return symmetric if volume.shape[-1] % 2 else torch.nn.functional.pad(symmetric, (1, 0, 1, 0, 1, 0))


def fourier_radii(box: int, device: torch.device | None = None) -> Tensor:
    """Return the length of the frequency of every coefficient, shape=(box, box, box), dtype=float64."""
    line = (torch.arange(box, device=device) - box // 2).to(torch.float64) ** 2
    return torch.sqrt(line[:, None, None] + line[:, None] + line)
