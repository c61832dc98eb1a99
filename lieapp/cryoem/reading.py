"""Reading particles, whichever program wrote the file. numpy, no torch."""

from __future__ import annotations

from pathlib import Path

from lieapp.cryoem.cryosparc import read_cryosparc
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.maps import is_map_name
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.relion import read_relion

__all__ = ["is_particle_name", "read_particles"]

_READERS = {".star": read_relion, ".cs": read_cryosparc}

_STACK_SUFFIXES = (".mrcs", ".st")


def is_particle_name(path: str | Path) -> bool:
    """Return whether a file name is that of a particle file."""
    return Path(path).suffix.lower() in _READERS


def read_particles(
    path: str | Path, *, allow_outside: bool = False, pixel_size_angstrom: float | None = None
) -> Particles:
    """Read particles from a RELION STAR file or a cryoSPARC ``.cs`` file, as the ending says.

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
        Images stay in their stacks until they are asked for.

    Raises
    ------
    CryoemError
        If the file is of another kind, or cannot be used; in one line that names it.
    """
    file = Path(path)
    if pixel_size_angstrom is not None and not 0.0 < pixel_size_angstrom < float("inf"):
        raise CryoemError(f"{file}: the pixel size must be positive, not {pixel_size_angstrom} Å.")
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise CryoemError(f"{file}: is {_kind(file)}; particles come as a RELION .star or a cryoSPARC .cs file.")
    return reader(file, allow_outside=allow_outside, pixel_size_angstrom=pixel_size_angstrom)


def _kind(file: Path) -> str:
    if file.suffix.lower() in _STACK_SUFFIXES:
        return "a stack of images, whose poses are in another file"
    return "a map, or images whose poses are in another file" if is_map_name(file) else "no particle file"
