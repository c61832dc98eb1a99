"""Writing structures, moved and coloured, without losing anything else of the file they came from."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.structures.errors import StructureError
from lieapp.structures.structure import FileFormat, Structure
from lieapp.structures.writing_mmcif import mmcif_from_arrays, mmcif_from_pdb, rewrite_mmcif
from lieapp.structures.writing_pdb import DoesNotFit, pdb_from_arrays, rewrite_pdb

__all__ = ["WrittenFile", "write_structure"]

_SUFFIXES: dict[str, FileFormat] = {
    ".pdb": "pdb", ".ent": "pdb", ".cif": "mmcif", ".mmcif": "mmcif", ".bcif": "bcif",
}  # fmt: skip


@dataclass(frozen=True)
class WrittenFile:
    """Where a structure was written, and what the user should know about it.

    Attributes
    ----------
    path : Path
        The file; its suffix differs from the one asked for if the format had to.
    message : str
        Why the format differs, or ``""``.
    """

    path: Path
    message: str = ""


def write_structure(
    structure: Structure,
    path: str | Path,
    *,
    transform: ArrayLike | None = None,
    b_factors: ArrayLike | None = None,
) -> WrittenFile:
    """Write a structure, all models of its file included.

    In a PDB file only the coordinates of ATOM and HETATM records, the tensors of ANISOU records and, if asked for, the
    B column change; every other byte stays. In an mmCIF file every other item keeps its value. BinaryCIF is written
    as mmCIF with all its categories. Models of the file that the structure does not hold are moved as well.

    Parameters
    ----------
    structure : Structure
        With a source, it is written in the format of its source; without one, as plain records.
    path : str or Path
        The suffix ``.pdb`` or ``.cif`` asks for a format, any other lets the source decide; it is replaced where the
        format has to be mmCIF.
    transform : array_like, shape=(4, 4), optional
        Rigid motion, ``x' = R x + t`` with R the upper left 3x3 block and t the last column.
    b_factors : array_like, shape=(atoms,), optional
        Values for the B column.

    Returns
    -------
    WrittenFile

    Raises
    ------
    StructureError
        If the transform is not a finite rigid motion, lengths differ, the file cannot be written, or it is the
        very file that the structure was read from.
    """
    path = Path(path)
    matrix = _checked_transform(transform)
    values = _checked_b_factors(b_factors, structure)
    source = structure.source
    native: FileFormat = source.format if source is not None else "mmcif"
    wanted = _SUFFIXES.get(path.suffix.lower())
    target: FileFormat = wanted or native
    message = ""
    if target == "bcif":
        target, message = "mmcif", "BinaryCIF is written as mmCIF."
    text = b""
    if target == "pdb":
        try:
            if source is not None and native == "pdb":
                text = rewrite_pdb(structure, source.content, matrix, values)
            else:
                text = pdb_from_arrays(structure, matrix, values)
        except DoesNotFit as problem:
            target, message = "mmcif", f"Written as mmCIF: {problem}."
    if target == "mmcif":
        if source is None:
            text = mmcif_from_arrays(structure, matrix, values)
        elif native == "pdb":
            text = mmcif_from_pdb(structure, source.content, matrix, values)
        else:
            text = rewrite_mmcif(structure, source, matrix, values)
    place = _place(path, target)
    if source is not None and source.path is not None and _same_file(place, source.path):
        raise StructureError(f"{place}: the structure was read from this file; choose another name.")
    _write(place, text)
    return WrittenFile(place, message)


def _checked_transform(transform: ArrayLike | None) -> NDArray[np.float64] | None:
    if transform is None:
        return None
    matrix = np.asarray(transform, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise StructureError(f"A transform is a finite 4x4 matrix, not one of shape {matrix.shape}.")
    rotation = matrix[:3, :3]
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6) or np.linalg.det(rotation) < 0:
        raise StructureError("A transform holds a proper rotation in its upper left 3x3 block; this one does not.")
    return None if np.array_equal(matrix, np.eye(4)) else matrix


def _checked_b_factors(b_factors: ArrayLike | None, structure: Structure) -> NDArray[np.float64] | None:
    if b_factors is None:
        return None
    values = np.asarray(b_factors, dtype=np.float64)
    if values.shape != (structure.atom_count,):
        raise StructureError(
            f"{structure.name}: there are {structure.atom_count} atoms, but {values.size} values for the B column."
        )
    return np.nan_to_num(values, nan=0.0, posinf=999.99, neginf=-99.99)


def _place(path: Path, target: FileFormat) -> Path:
    promised = _SUFFIXES.get(path.suffix.lower())
    if promised == target:
        return path
    suffix = ".pdb" if target == "pdb" else ".cif"
    return path.with_suffix(suffix) if promised else path.with_name(path.name + suffix)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _write(path: Path, text: bytes) -> None:
    """Write by rename: a failure leaves no half a file, and what stood there before stays."""
    temporary = path.with_name(f".{path.name[:40]}.{uuid4().hex}.part")
    try:
        with temporary.open("xb") as stream:  # unlike tempfile, with the permissions that any new file has
            stream.write(text)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise StructureError(f"{path}: the file cannot be written ({error.strerror or error}).") from None
