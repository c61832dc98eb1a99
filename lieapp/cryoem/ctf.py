"""The contrast transfer function of the microscope, with RELION's sign. numpy, no torch.

At spatial frequency ``s``, with ``AC`` the amplitude contrast and ``Δf`` the defocus in that direction::

    CTF = √(1 - AC²) sin χ + AC cos χ,    χ = π λ Δf s² - (π / 2) Cs λ³ s⁴ + phase shift
    Δf(θ) = ½ (U + V + (U - V) cos 2(θ - θ_astigmatism))

It is positive at ``s = 0``: particles are white on black, defocus is positive where the lens is too weak.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.errors import CryoemError

__all__ = ["CtfParameters", "contrast_transfer", "electron_wavelength_angstrom"]

Array = NDArray[np.float64]

_ANGSTROM_PER_MILLIMETRE = 1e7


def electron_wavelength_angstrom(voltage_kilovolt: ArrayLike) -> Array:
    """Return the relativistic wavelength of electrons in Å.

    Parameters
    ----------
    voltage_kilovolt : array_like
    """
    volt = 1e3 * np.asarray(voltage_kilovolt, dtype=np.float64)
    return np.asarray(12.2643247 / np.sqrt(volt + 0.978466e-6 * volt * volt))


def contrast_transfer(
    frequency_x: ArrayLike,
    frequency_y: ArrayLike,
    *,
    defocus_u_angstrom: ArrayLike,
    defocus_v_angstrom: ArrayLike | None = None,
    defocus_angle_degrees: ArrayLike = 0.0,
    phase_shift_degrees: ArrayLike = 0.0,
    voltage_kilovolt: ArrayLike = 300.0,
    spherical_aberration_millimetre: ArrayLike = 2.7,
    amplitude_contrast: ArrayLike = 0.1,
) -> Array:
    """Return the contrast transfer function.

    Parameters
    ----------
    frequency_x, frequency_y : array_like
        Spatial frequencies in 1/Å.
    defocus_u_angstrom, defocus_v_angstrom : array_like
        Largest and smallest defocus in Å, positive where the lens is too weak; V equals U by default.
    defocus_angle_degrees : array_like
        Direction of U, from the x axis.
    phase_shift_degrees : array_like
        Of a phase plate.
    voltage_kilovolt, spherical_aberration_millimetre, amplitude_contrast : array_like
        Of the microscope.

    Returns
    -------
    ndarray, dtype=float64
        Of the shape to which all arguments broadcast.
    """
    x, y = np.asarray(frequency_x, dtype=np.float64), np.asarray(frequency_y, dtype=np.float64)
    u = np.asarray(defocus_u_angstrom, dtype=np.float64)
    v = u if defocus_v_angstrom is None else np.asarray(defocus_v_angstrom, dtype=np.float64)
    wavelength = electron_wavelength_angstrom(voltage_kilovolt)
    aberration = _ANGSTROM_PER_MILLIMETRE * np.asarray(spherical_aberration_millimetre, dtype=np.float64)
    contrast = np.asarray(amplitude_contrast, dtype=np.float64)
    angle = np.radians(np.asarray(defocus_angle_degrees, dtype=np.float64))
    squared = x * x + y * y
    # s² Δf without the angle of s: s² cos 2(θ - a) = (x² - y²) cos 2a + 2 x y sin 2a.
    bent = (x * x - y * y) * np.cos(2.0 * angle) + 2.0 * x * y * np.sin(2.0 * angle)
    defocused = 0.5 * ((u + v) * squared + (u - v) * bent)
    phase = np.pi * wavelength * defocused - 0.5 * np.pi * aberration * wavelength**3 * squared * squared
    phase = phase + np.radians(np.asarray(phase_shift_degrees, dtype=np.float64))
    return np.asarray(np.sqrt(1.0 - contrast * contrast) * np.sin(phase) + contrast * np.cos(phase))


@dataclass(frozen=True, eq=False)
class CtfParameters:
    """Parameters of the contrast transfer function of every particle; read-only arrays, shape=(particles,).

    Attributes
    ----------
    defocus_u_angstrom, defocus_v_angstrom : ndarray
        Largest and smallest defocus in Å.
    defocus_angle_degrees : ndarray
        Direction of U, from the x axis.
    phase_shift_degrees : ndarray
    voltage_kilovolt : ndarray
    spherical_aberration_millimetre : ndarray
    amplitude_contrast : ndarray
        0 to 1.

    Raises
    ------
    CryoemError
        If the arrays differ in length, or values make no sense.
    """

    defocus_u_angstrom: Array
    defocus_v_angstrom: Array
    defocus_angle_degrees: Array
    phase_shift_degrees: Array
    voltage_kilovolt: Array
    spherical_aberration_millimetre: Array
    amplitude_contrast: Array

    def __post_init__(self) -> None:
        count = np.size(self.defocus_u_angstrom)
        for each in fields(self):
            values = np.array(getattr(self, each.name), dtype=np.float64)
            if values.shape != (count,):
                raise CryoemError(f"CTF: {each.name} has shape {values.shape}; expected ({count},).")
            if not np.isfinite(values).all():
                raise CryoemError(
                    f"CTF: {each.name} of particle {int(np.argmin(np.isfinite(values))) + 1} is no number."
                )
            values.setflags(write=False)
            object.__setattr__(self, each.name, values)
        if count and not (self.voltage_kilovolt > 0.0).all():
            raise CryoemError("CTF: the voltage must be positive.")
        if count and not ((self.amplitude_contrast >= 0.0) & (self.amplitude_contrast <= 1.0)).all():
            raise CryoemError("CTF: the amplitude contrast must be within 0 to 1.")

    @classmethod
    def build(
        cls,
        defocus_u_angstrom: ArrayLike,
        defocus_v_angstrom: ArrayLike | None = None,
        *,
        defocus_angle_degrees: ArrayLike = 0.0,
        phase_shift_degrees: ArrayLike = 0.0,
        voltage_kilovolt: ArrayLike = 300.0,
        spherical_aberration_millimetre: ArrayLike = 2.7,
        amplitude_contrast: ArrayLike = 0.1,
    ) -> CtfParameters:
        """Return parameters from arrays and single values, as `contrast_transfer` takes them."""
        u = np.atleast_1d(np.asarray(defocus_u_angstrom, dtype=np.float64))
        values: dict[str, Any] = {
            "defocus_u_angstrom": u,
            "defocus_v_angstrom": u if defocus_v_angstrom is None else defocus_v_angstrom,
            "defocus_angle_degrees": defocus_angle_degrees,
            "phase_shift_degrees": phase_shift_degrees,
            "voltage_kilovolt": voltage_kilovolt,
            "spherical_aberration_millimetre": spherical_aberration_millimetre,
            "amplitude_contrast": amplitude_contrast,
        }
        return cls(
            **{name: np.broadcast_to(np.asarray(value, dtype=np.float64), u.shape) for name, value in values.items()}
        )

    def __len__(self) -> int:
        """Number of particles."""
        return len(self.defocus_u_angstrom)

    def take(self, index: ArrayLike | slice) -> CtfParameters:
        """Return the parameters of some particles, by indices, a slice or a mask."""
        chosen: Any = index if isinstance(index, slice) else np.asarray(index)
        return CtfParameters(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def transfer(self, frequency_x: ArrayLike, frequency_y: ArrayLike) -> Array:
        """Return the function of every particle at frequencies in 1/Å.

        Parameters
        ----------
        frequency_x, frequency_y : array_like, shape=(...)

        Returns
        -------
        ndarray, shape=(particles, ...), dtype=float64
        """
        x, y = np.asarray(frequency_x, dtype=np.float64), np.asarray(frequency_y, dtype=np.float64)
        axes = (slice(None), *(None,) * np.broadcast(x, y).ndim)
        return contrast_transfer(x, y, **{each.name: getattr(self, each.name)[axes] for each in fields(self)})
