"""Particles, half maps and Fourier shell correlations as files that RELION and ChimeraX open. numpy, no torch."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.angles import matrix_to_euler
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.maps import write_map
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.star import write_star

__all__ = ["write_fsc", "write_half_maps", "write_particles", "write_stack"]

_BATCH_BYTES = 1 << 24
_MICROSCOPE = (300.0, 2.7, 0.1)
"""Voltage in kV, spherical aberration in mm, amplitude contrast: RELION wants them for images without a CTF as well."""


def write_stack(path: str | Path, images: Any, pixel_size_angstrom: float) -> Path:
    """Write images as an MRC stack of mode 2 (float32), reading them batch by batch.

    Parameters
    ----------
    path : str or Path
        Usually ending in ``.mrcs``; an existing file is replaced once the new one is whole.
    images : ndarray or ImageStack, shape=(images, box, box)
    pixel_size_angstrom : float

    Returns
    -------
    Path

    Raises
    ------
    CryoemError
        If there is no image, or the file cannot be written.
    """
    import mrcfile

    file = Path(path)
    count, rows, columns = images.shape
    if not count:
        raise CryoemError(f"{file}: there are no images to write.")
    part = file.with_name(f"{file.name}.part")
    batch = max(1, _BATCH_BYTES // (4 * rows * columns))
    # Statistics of all values, gathered while they pass.
    low, high, total, squares = np.inf, -np.inf, 0.0, 0.0
    try:
        # The header of one image, by mrcfile; then that of all.
        with mrcfile.new(part, overwrite=True) as out:
            out.set_data(np.zeros((1, rows, columns), dtype=np.float32))
            out.set_image_stack()
            out.voxel_size = (pixel_size_angstrom, pixel_size_angstrom, pixel_size_angstrom)
            header = out.header.copy()
        with open(part, "r+b") as stream:
            stream.seek(header.nbytes)
            for start in range(0, count, batch):
                values = np.asarray(images[start : start + batch], dtype="<f4")
                stream.write(values.tobytes())
                low, high = min(low, float(values.min())), max(high, float(values.max()))
                total += float(values.sum(dtype=np.float64))
                squares += float(np.square(values, dtype=np.float64).sum())
            mean = total / (count * rows * columns)
            header["nz"] = count
            header["dmin"], header["dmax"], header["dmean"] = low, high, mean
            header["rms"] = np.sqrt(max(squares / (count * rows * columns) - mean**2, 0.0))
            header["nlabl"], header["label"][0] = 1, b"Written by LieApp"
            stream.seek(0)
            stream.write(header.tobytes())
        os.replace(part, file)
    except OSError as error:
        raise CryoemError(f"{file}: cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return file


def write_particles(particles: Particles, folder: str | Path, *, name: str = "particles") -> Path:
    """Write a RELION 3.1 STAR file with poses, shifts, CTF and half sets, and its stack beside it.

    Parameters
    ----------
    particles : Particles
    folder : str or Path
        Made where it does not exist.
    name : str, optional
        Name of both files, without endings; letters, digits and ``._-``.

    Returns
    -------
    Path
        The STAR file. It names the stack by its name alone: RELION finds it when started in that folder.

    Raises
    ------
    CryoemError
        If the name or the folder cannot be used, or a file cannot be written.
    """
    place = Path(folder)
    if not name or not name.isascii() or not all(letter.isalnum() or letter in "._-" for letter in name):
        raise CryoemError(f"{place}: {name!r} cannot be the name of a stack; use letters, digits, '.', '_' and '-'.")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CryoemError(f"{place}: cannot be made: {error.strerror or error}.") from error
    stack = write_stack(place / f"{name}.mrcs", particles.images, particles.pixel_size_angstrom)
    groups, optics = _optics(particles)
    rot, tilt, psi = matrix_to_euler(particles.rotations)
    shifts = particles.shifts_pixel * particles.pixel_size_angstrom
    rows: dict[str, Any] = {
        "rlnImageName": [f"{number:06d}@{stack.name}" for number in range(1, len(particles) + 1)],
        "rlnOpticsGroup": groups.tolist(),
        "rlnAngleRot": rot,
        "rlnAngleTilt": tilt,
        "rlnAnglePsi": psi,
        "rlnOriginXAngst": shifts[:, 0],
        "rlnOriginYAngst": shifts[:, 1],
    }
    if particles.ctf is not None:
        rows["rlnDefocusU"] = particles.ctf.defocus_u_angstrom
        rows["rlnDefocusV"] = particles.ctf.defocus_v_angstrom
        rows["rlnDefocusAngle"] = particles.ctf.defocus_angle_degrees
        rows["rlnPhaseShift"] = particles.ctf.phase_shift_degrees
    # RELION takes any value for a half set, so all or none.
    if particles.half_set.all():
        rows["rlnRandomSubset"] = particles.half_set.tolist()
    return write_star(place / f"{name}.star", {"optics": optics, "particles": rows})


def write_half_maps(
    folder: str | Path,
    first: ArrayLike,
    second: ArrayLike,
    pixel_size_angstrom: float,
    *,
    name: str = "lieapp",
) -> tuple[Path, Path]:
    """Write the maps of both half sets under the names by which RELION's post-processing finds one from the other.

    Parameters
    ----------
    folder : str or Path
    first, second : array_like, shape=(L, L, L)
    pixel_size_angstrom : float
    name : str, optional

    Returns
    -------
    first, second : Path
        ``<name>_half1_class001_unfil.mrc`` and the same with ``half2``.

    Raises
    ------
    CryoemError
        If their shapes differ, or a file cannot be written.
    """
    place = Path(folder)
    if np.shape(first) != np.shape(second):
        raise CryoemError(f"{place}: half maps of shapes {np.shape(first)} and {np.shape(second)}; expected one shape.")
    paths = [
        write_map(place / f"{name}_half{half}_class001_unfil.mrc", values, pixel_size_angstrom)
        for half, values in ((1, first), (2, second))
    ]
    return paths[0], paths[1]


def write_fsc(path: str | Path, curves: Mapping[str, ArrayLike], *, box: int, pixel_size_angstrom: float) -> Path:
    """Write Fourier shell correlations as CSV: a row a shell, its resolution first.

    Parameters
    ----------
    path : str or Path
    curves : mapping of str to array_like, shape=(shells,)
        Correlation by shell from 0, under the name of its column; left empty where it is not finite.
    box : int
        Pixels along an edge of the maps.
    pixel_size_angstrom : float

    Returns
    -------
    Path

    Raises
    ------
    CryoemError
        If the curves differ in length, or the file cannot be written.
    """
    file = Path(path)
    values: dict[str, NDArray[np.float64]] = {name: np.asarray(each, dtype=float) for name, each in curves.items()}
    lengths = {each.shape for each in values.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise CryoemError(f"{file}: curves of shapes {sorted(lengths)}; expected one number for each shell.")
    part = file.with_name(f"{file.name}.part")
    try:
        with open(part, "w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["shell", "resolution_angstrom", "frequency_per_angstrom", *values])
            for shell in range(next(iter(lengths))[0]):
                frequency = shell / (box * pixel_size_angstrom)
                row = [shell, repr(1.0 / frequency) if shell else "", repr(frequency)]
                row += [repr(float(each[shell])) if np.isfinite(each[shell]) else "" for each in values.values()]
                writer.writerow(row)
        os.replace(part, file)
    except OSError as error:
        raise CryoemError(f"{file}: cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return file


def _optics(particles: Particles) -> tuple[NDArray[np.int64], dict[str, list[Any]]]:
    """Return the optics group of every particle, from 1, and the table of the groups."""
    count = len(particles)
    if particles.ctf is None:
        groups, microscopes = np.ones(count, dtype=np.int64), np.array([_MICROSCOPE])
    else:
        each = np.stack(
            [
                particles.ctf.voltage_kilovolt,
                particles.ctf.spherical_aberration_millimetre,
                particles.ctf.amplitude_contrast,
            ],
            axis=1,
        )
        microscopes, place = np.unique(each, axis=0, return_inverse=True)
        groups = place.ravel() + 1
    numbers = range(1, len(microscopes) + 1)
    table: dict[str, list[Any]] = {
        "rlnOpticsGroup": list(numbers),
        "rlnOpticsGroupName": [f"opticsGroup{number}" for number in numbers],
    }
    columns = ("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")
    for column, values in zip(columns, microscopes.T, strict=True):
        table[column] = [float(value) for value in values]
    table["rlnImagePixelSize"] = [particles.pixel_size_angstrom for _ in numbers]
    table["rlnImageSize"] = [particles.box for _ in numbers]
    table["rlnImageDimensionality"] = [2 for _ in numbers]
    return groups, table
