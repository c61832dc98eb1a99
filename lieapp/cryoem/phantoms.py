"""Maps to simulate from: bundled phantoms made of pseudo-atoms, atomic structures, and map files. numpy, no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.maps import is_map_name, read_map

__all__ = ["PHANTOMS", "Phantom", "density_of_atoms", "flatten_spectrum", "load_phantom", "resample_map"]

Array = NDArray[np.float64]

_SIGMA_PIXELS = 0.5
"""Width of an atom: at the Nyquist frequency its transform has fallen to 0.29."""
_FILLED = 0.72
"""Share of the box that the diameter of a particle takes."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """A map to simulate from.

    Attributes
    ----------
    values : ndarray, shape=(box, box, box), dtype=float32
    pixel_size_angstrom : float
    name : str
    """

    values: NDArray[np.float32]
    pixel_size_angstrom: float
    name: str


def _helix(start: Array, direction: Array, length: float, *, step: float = 1.5) -> Array:
    """Return pseudo-residues of a helix: radius 2.3 Å, 100° and 1.5 Å from one to the next."""
    axis = direction / np.linalg.norm(direction)
    side = np.cross(axis, (0.0, 0.0, 1.0) if abs(axis[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    along = np.arange(0.0, length, step)
    turn = np.radians(100.0) * np.arange(len(along))
    return start + along[:, None] * axis + 2.3 * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other)


def _barrel() -> Array:
    """Return two stacked rings of seven subunits, each a bundle of helices: a chaperonin drawn with few strokes."""
    subunit = np.concatenate(
        [
            _helix(np.array([24.0, -6.0, 4.0]), np.array([0.15, 0.10, 1.0]), 48.0),
            _helix(np.array([33.0, 5.0, 4.0]), np.array([-0.10, -0.12, 1.0]), 44.0),
            _helix(np.array([41.0, -4.0, 6.0]), np.array([-0.05, 0.15, 1.0]), 36.0),
            _helix(np.array([22.0, 2.0, 50.0]), np.array([1.0, 0.3, 0.25]), 22.0),
            _helix(np.array([46.0, -8.0, 8.0]), np.array([0.2, 1.0, 0.2]), 18.0),
        ]
    )
    upper = np.concatenate([subunit @ _about_z(360.0 / 7.0 * k).T for k in range(7)])
    lower = upper * np.array([1.0, -1.0, -1.0])
    return np.concatenate([upper, lower @ _about_z(180.0 / 7.0).T])


def _bundle() -> Array:
    """Return a bundle of seven helices of different lengths, without symmetry: its hand can be seen."""
    lengths = (70.0, 62.0, 54.0, 66.0, 48.0, 58.0, 40.0)
    parts = []
    for k, length in enumerate(lengths):
        angle = 2.0 * np.pi * k / 6.0
        center = np.array([0.0, 0.0, 0.0]) if k == 6 else 14.0 * np.array([np.cos(angle), np.sin(angle), 0.0])
        lean = np.array([-0.25 * np.sin(angle), 0.25 * np.cos(angle), 1.0])
        parts.append(_helix(center - 0.5 * length * lean / np.linalg.norm(lean) + (0, 0, 3.0 * k - 9.0), lean, length))
    return np.concatenate(parts)


def _globule() -> Array:
    """Return a compact random chain of 3000 pseudo-residues: detail of every size, as in a ribosome."""
    rng = np.random.default_rng(7)
    position, heading = np.zeros(3), np.array([0.0, 0.0, 1.0])
    chain = np.empty((3000, 3))
    for k in range(len(chain)):
        inward = position * float(np.linalg.norm(position) / 46.0) ** 4 / 92.0
        heading = heading + 0.55 * rng.standard_normal(3) - inward
        heading /= np.linalg.norm(heading)
        position = position + 3.8 * heading
        chain[k] = position
    chain -= chain.mean(axis=0)
    return chain * min(1.0, 58.0 / float(np.linalg.norm(chain, axis=1).max()))


def _about_z(degrees: float) -> Array:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


PHANTOMS: dict[str, tuple[str, Callable[[], Array]]] = {
    "barrel": ("Two stacked rings of seven subunits, made of helices", _barrel),
    "bundle": ("Seven helices without symmetry", _bundle),
    "globule": ("A compact random chain with detail of every size", _globule),
}
"""The bundled phantoms: what each is, and its pseudo-atoms in Å."""


def density_of_atoms(
    positions_angstrom: Array, box: int, pixel_size_angstrom: float, *, weights: Array | None = None
) -> NDArray[np.float32]:
    """Return the density of Gaussian atoms on a grid whose origin is at ``box // 2``.

    Parameters
    ----------
    positions_angstrom : ndarray, shape=(atoms, 3)
        x, y, z.
    box : int
        Points along an edge.
    pixel_size_angstrom : float
    weights : ndarray, shape=(atoms,), optional
        Such as numbers of electrons; 1 by default.

    Returns
    -------
    ndarray, shape=(box, box, box), dtype=float32
        Axes z, y, x. Atoms have a standard deviation of half a pixel.
    """
    line = np.arange(box) - box // 2
    scaled = np.asarray(positions_angstrom, dtype=np.float64) / pixel_size_angstrom
    masses = np.ones(len(scaled)) if weights is None else np.asarray(weights, dtype=np.float64)
    values = np.zeros((box, box * box))
    for first in range(0, len(scaled), 1024):
        part = scaled[first : first + 1024]
        along = np.exp(-0.5 * ((line - part[:, :, None]) / _SIGMA_PIXELS) ** 2)  # (atoms, axis, box)
        plane = (along[:, 1, :, None] * along[:, 0, None, :]).reshape(len(part), -1)
        values += (along[:, 2] * masses[first : first + 1024, None]).T @ plane
    return values.reshape(box, box, box).astype(np.float32)


def resample_map(values: NDArray[np.float32], box: int) -> NDArray[np.float32]:
    """Return a cubic map of the same extent on another number of points, by cropping or padding its spectrum."""
    old = len(values)
    if old == box:
        return values
    spectrum = np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(values)))
    keep = min(old, box)
    source = slice(old // 2 - keep // 2, old // 2 - keep // 2 + keep)
    target = slice(box // 2 - keep // 2, box // 2 - keep // 2 + keep)
    changed = np.zeros((box, box, box), dtype=np.complex128)
    changed[target, target, target] = spectrum[source, source, source]
    scale = (box / old) ** 3
    return np.asarray(np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(changed))).real * scale, dtype=np.float32)


def flatten_spectrum(values: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return a map whose shell amplitudes are raised to the power ``1 - strength``, as sharpening does.

    Parameters
    ----------
    values : ndarray, shape=(box, box, box)
    strength : float
        0 leaves the map as it is, 1 makes the amplitude of all shells equal.
    """
    if strength == 0.0:
        return values
    box = len(values)
    spectrum = np.fft.fftn(values)
    line = np.fft.fftfreq(box, 1.0 / box) ** 2
    shell = np.rint(np.sqrt(line[:, None, None] + line[:, None] + line)).astype(np.int64)
    count = np.bincount(shell.ravel())
    rms = np.sqrt(np.bincount(shell.ravel(), weights=(np.abs(spectrum) ** 2).ravel()) / count)
    gain = np.where(rms > 1e-6 * rms.max(), (rms / rms.max()).clip(1e-6) ** -strength, 0.0)
    return np.asarray(np.fft.ifftn(spectrum * gain[shell]).real, dtype=np.float32)


def load_phantom(name: str, box: int, pixel_size_angstrom: float | None = None, sharpening: float = 0.0) -> Phantom:
    """Return the map that a name or a file stands for.

    Parameters
    ----------
    name : str
        A key of `PHANTOMS`, a map (MRC, CCP4), or an atomic structure (PDB, mmCIF, BinaryCIF).
    box : int
        Points along an edge.
    pixel_size_angstrom : float, optional
        By default the box is so large that the particle takes 72 % of it; a map keeps its extent.
    sharpening : float
        See `flatten_spectrum`.

    Raises
    ------
    CryoemError
        If there is no such phantom, or the map is not cubic.
    StructureError
        If a structure cannot be read.
    """
    if name in PHANTOMS:
        positions = PHANTOMS[name][1]()
        phantom = _phantom_of_atoms(
            positions - 0.5 * (positions.max(0) + positions.min(0)), None, box, pixel_size_angstrom, name
        )
    elif is_map_name(name):
        phantom = _phantom_of_map(name, box, pixel_size_angstrom)
    elif Path(name).suffix or Path(name).exists():
        phantom = _phantom_of_structure(name, box, pixel_size_angstrom)
    else:
        raise CryoemError(
            f"There is no phantom {name!r}: expected {', '.join(PHANTOMS)}, or a file with a map or a structure."
        )
    values = flatten_spectrum(phantom.values, sharpening)
    return Phantom(np.ascontiguousarray(values), phantom.pixel_size_angstrom, phantom.name)


def _phantom_of_atoms(positions: Array, weights: Array | None, box: int, pixel: float | None, name: str) -> Phantom:
    diameter = 2.0 * float(np.linalg.norm(positions, axis=1).max())
    chosen = max(diameter, 1.0) / (_FILLED * box) if pixel is None else pixel
    if diameter > box * chosen:
        raise CryoemError(f"{name}: is {diameter:.0f} Å wide and does not fit into {box} pixels of {chosen:g} Å.")
    return Phantom(density_of_atoms(positions, box, chosen, weights=weights), chosen, name)


def _phantom_of_structure(name: str, box: int, pixel: float | None) -> Phantom:
    from lieapp.structures.reading import read_structure

    structure = read_structure(name)
    positions = np.asarray(structure.coordinates[0], dtype=np.float64)
    return _phantom_of_atoms(positions - positions.mean(axis=0), None, box, pixel, structure.name)


def _phantom_of_map(name: str, box: int, pixel: float | None) -> Phantom:
    found = read_map(name)
    edge = max(found.values.shape)
    spacing = found.spacing_angstrom
    if max(spacing) > 1.01 * min(spacing):
        raise CryoemError(f"{name}: its pixels are not cubes ({', '.join(f'{each:g}' for each in spacing)} Å).")
    cube = np.zeros((edge, edge, edge), dtype=np.float32)
    corner = [edge // 2 - count // 2 for count in found.values.shape]
    places = tuple(slice(first, first + count) for first, count in zip(corner, found.values.shape, strict=True))
    cube[places] = found.values
    return Phantom(resample_map(cube, box), edge * spacing[0] / box if pixel is None else pixel, found.name)
