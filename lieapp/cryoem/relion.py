"""RELION's particle STAR files, of versions 3.0, 3.1 and later. numpy, no torch.

Version 3.0 has one table with everything in it: shifts in pixels, and the pixel size as detector pixel and
magnification. Later ones have a table of optics groups with the pixel size and the microscope, and shifts in Å.

References
----------
S. H. W. Scheres, "RELION: implementation of a Bayesian approach to cryo-EM structure determination", J. Struct. Biol.
180 (2012) 519-530.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.angles import euler_to_matrix
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.opening import find_pixel_size, open_images
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.stacks import FileStack
from lieapp.cryoem.star import StarTable, read_star

__all__ = ["read_relion"]

Array = NDArray[np.float64]

_IMAGE = "rlnImageName"
_GROUP = "rlnOpticsGroup"
_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")


def read_relion(
    path: str | Path, *, allow_outside: bool = False, pixel_size_angstrom: float | None = None
) -> Particles:
    """Read the particles of a STAR file; their images stay in their stacks until they are asked for.

    Parameters
    ----------
    path : str or Path
    allow_outside : bool, optional
        Whether stacks may lie outside the folder of the file and its project.
    pixel_size_angstrom : float, optional
        Used instead of what the files say.

    Returns
    -------
    Particles
        Without a CTF where the file has no defocus. Missing shifts are 0, missing half sets unassigned.

    Raises
    ------
    CryoemError
        If the file is no particle file, has no poses or no pixel size, holds what cannot be modelled (subtomograms,
        images whose CTF is already corrected), or its stacks cannot be read; in one line.

    Notes
    -----
    Values of a particle come before those of its optics group, except the pixel size, which is the group's; that of
    version 3.0 is next, that in the header of the stack last. Damping (``rlnCtfBfactor``, ``rlnCtfScalefactor``), beam
    tilt, higher aberrations and anisotropic magnification are not modelled.
    """
    file = Path(path)
    rows = _Rows.of(file)
    _refuse_what_cannot_be_modelled(rows)
    missing = [name for name in _ANGLES if name not in rows.particles]
    if missing:
        raise CryoemError(
            f"{file}: has no poses ({', '.join(missing)}), and maps are reconstructed from known ones; refine the "
            "particles in 3-D first and open the file that this writes, such as run_data.star."
        )
    names, sections = _places(rows)
    stack = open_images(file, names, sections, declared_box=rows.find("rlnImageSize"), allow_outside=allow_outside)
    _refuse_nameless_images(rows, names, stack)
    said = find_pixel_size(file, _declared_pixel_size(rows), stack)
    pixel = pixel_size_angstrom or said
    if pixel is None:
        raise CryoemError(
            f"{file}: says no pixel size, nor does the header of its stacks; give the pixel size (--pixel-size)."
        )
    half_set = rows.particles.integers("rlnRandomSubset") if "rlnRandomSubset" in rows.particles else None
    return Particles(
        images=stack,
        rotations=euler_to_matrix(*(rows.particles.numbers(name) for name in _ANGLES)),
        shifts_pixel=_shifts(rows, said or pixel),
        pixel_size_angstrom=pixel,
        ctf=_ctf(rows),
        half_set=np.zeros(len(stack), np.int8) if half_set is None else np.where(half_set == 2, 2, half_set == 1),
        names=tuple(rows.particles.texts(_IMAGE)),
        source=str(file),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """The table of particles, and for each row that of its optics group, where the file has these."""

    particles: StarTable
    optics: StarTable | None
    group: NDArray[np.int64]

    @classmethod
    def of(cls, file: Path) -> _Rows:
        tables = read_star(file)
        found = [table for table in tables if _IMAGE in table]
        named = [table for table in found if table.name == "particles"]
        chosen = named if len(named) == 1 else found
        if not chosen:
            held = ", ".join(f"data_{table.name}" for table in tables) or "no table with a row"
            raise CryoemError(f"{file}: lists no particles: no table has the column {_IMAGE} (it has {held}).")
        if len(chosen) > 1:
            raise CryoemError(f"{file}: lists particles in {len(chosen)} tables; expected one.")
        (particles,) = chosen
        optics = next((table for table in tables if table.name == "optics" and _GROUP in table), None)
        if optics is None:
            return cls(particles, None, np.zeros(len(particles), dtype=np.int64))
        known = optics.integers(_GROUP)
        if len(set(known.tolist())) < len(known):
            raise CryoemError(f"{file}: lists an optics group twice.")
        if _GROUP in particles:
            wanted = particles.integers(_GROUP)
        elif len(known) == 1:
            wanted = np.full(len(particles), known[0])
        else:
            raise CryoemError(f"{file}: has {len(known)} optics groups, but no column {_GROUP} for its particles.")
        unknown = np.flatnonzero(~np.isin(wanted, known))
        if len(unknown):
            row = int(unknown[0])
            raise CryoemError(f"{file}: row {row + 1} is of optics group {wanted[row]}, which is not described.")
        order = np.argsort(known)
        return cls(particles, optics, order[np.searchsorted(known[order], wanted)])

    @property
    def file(self) -> Path:
        return self.particles.file

    def find(self, column: str) -> Array | None:
        """Return the value of every particle, from its own row or else from its optics group; None without either."""
        if column in self.particles:
            return self.particles.numbers(column)
        return self.find_optics(column)

    def find_optics(self, column: str) -> Array | None:
        """Return the value of every particle's optics group, or None."""
        if self.optics is None or column not in self.optics:
            return None
        return self.optics.numbers(column)[self.group]


def _refuse_what_cannot_be_modelled(rows: _Rows) -> None:
    dimension = rows.find("rlnImageDimensionality")
    if dimension is not None and (dimension != 2).any():
        raise CryoemError(f"{rows.file}: holds subtomograms; expected images of single particles.")
    for column, what in (
        ("rlnCtfDataAreCtfPremultiplied", "multiplied by their CTF"),
        ("rlnCtfDataArePhaseFlipped", "phase-flipped"),
    ):
        flag = rows.find(column)
        if flag is not None and flag.any():
            raise CryoemError(f"{rows.file}: its images are already {what} ({column}); extract them without.")


def _places(rows: _Rows) -> tuple[list[str], list[int]]:
    """Return the stack and the section, from 0, of every image; the name alone means the first image."""
    names, sections = [], []
    for row, text in enumerate(rows.particles.texts(_IMAGE)):
        number, at, name = text.rpartition("@")
        number = number if at else "1"
        if not (number.isascii() and number.isdigit() and int(number) > 0 and name):
            raise CryoemError(f"{rows.file}: row {row + 1}: {_IMAGE} is {text!r}; expected number@stack, from 1.")
        names.append(name)
        sections.append(int(number) - 1)
    return names, sections


def _refuse_nameless_images(rows: _Rows, names: Sequence[str], stack: FileStack) -> None:
    """Refuse a stack that is named without the number of an image."""
    counts = dict(zip(dict.fromkeys(names), (file.count for file in stack.files), strict=True))
    for row, text in enumerate(rows.particles.texts(_IMAGE)):
        if "@" not in text and counts[text] > 1:
            raise CryoemError(f"{rows.file}: row {row + 1}: {_IMAGE} is {text!r}, a stack; expected number@stack.")


def _declared_pixel_size(rows: _Rows) -> Array | None:
    sizes = rows.find_optics("rlnImagePixelSize")
    if sizes is None:
        sizes = rows.find("rlnImagePixelSize")
    if sizes is not None:
        return sizes
    detector, magnification = rows.find("rlnDetectorPixelSize"), rows.find("rlnMagnification")
    if detector is None or magnification is None:
        return None
    if not (magnification > 0.0).all():
        raise CryoemError(f"{rows.file}: rlnMagnification is {magnification.min():g}; expected more than 0.")
    # Micrometres on the detector. The columns have seven digits: 1.338 and not 1.33800001.
    return np.array([float(f"{size:.7g}") for size in 1e4 * detector / magnification])


def _shifts(rows: _Rows, pixel_size_angstrom: float) -> Array:
    shifts = np.zeros((len(rows.particles), 2))
    for axis, letter in enumerate("XY"):
        for column, unit in ((f"rlnOrigin{letter}Angst", pixel_size_angstrom), (f"rlnOrigin{letter}", 1.0)):
            if column in rows.particles:
                shifts[:, axis] = rows.particles.numbers(column) / unit
                break
    return shifts


def _ctf(rows: _Rows) -> CtfParameters | None:
    u = rows.find("rlnDefocusU")
    if u is None:
        return None
    required = {}
    for column in ("rlnVoltage", "rlnSphericalAberration"):
        values = rows.find(column)
        if values is None:
            raise CryoemError(f"{rows.file}: has the defocus of its particles, but no {column}.")
        required[column] = values
    # Where one of these is missing, RELION takes the same values.
    optional = {
        column: found if (found := rows.find(column)) is not None else np.broadcast_to(default, u.shape)
        for column, default in (
            ("rlnDefocusV", u),
            ("rlnDefocusAngle", np.float64(0.0)),
            ("rlnPhaseShift", np.float64(0.0)),
            ("rlnAmplitudeContrast", np.float64(0.0)),
        )
    }
    try:
        return CtfParameters(
            defocus_u_angstrom=u,
            defocus_v_angstrom=optional["rlnDefocusV"],
            defocus_angle_degrees=optional["rlnDefocusAngle"],
            phase_shift_degrees=optional["rlnPhaseShift"],
            voltage_kilovolt=required["rlnVoltage"],
            spherical_aberration_millimetre=required["rlnSphericalAberration"],
            amplitude_contrast=optional["rlnAmplitudeContrast"],
        )
    except CryoemError as error:
        raise CryoemError(f"{rows.file}: {error}") from error
