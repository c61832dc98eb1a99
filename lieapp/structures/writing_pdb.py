"""The PDB format, written: an existing file with changed columns, or plain records from arrays."""

from __future__ import annotations

import re
import textwrap

import numpy as np
from numpy.typing import NDArray

from lieapp.structures.matching import match_records
from lieapp.structures.structure import Structure

__all__ = ["DoesNotFit", "pdb_from_arrays", "rewrite_pdb"]

_LOWEST, _HIGHEST = -999.9994, 9999.9994  # what "%8.3f" can hold in eight columns
_BOM = b"\xef\xbb\xbf"


class DoesNotFit(Exception):
    """What is to be written does not fit the columns of the PDB format; the message says what."""


def rewrite_pdb(
    structure: Structure,
    content: bytes,
    transform: NDArray[np.float64] | None,
    b_factors: NDArray[np.float64] | None,
) -> bytes:
    """Return a PDB file with new coordinates, tensors and B-factors, and every other byte as it was.

    Parameters
    ----------
    structure : Structure
    content : bytes
        The file that the structure was read from.
    transform : ndarray, shape=(4, 4), or None
    b_factors : ndarray, shape=(atoms,), or None

    Raises
    ------
    DoesNotFit
        If a coordinate is too large for its columns.
    """
    records = _Records(content)
    new = match_records(structure, records.keys, records.models, records.position, transform, b_factors)
    _check_range(new.position)
    lines = records.lines
    if new.moved:
        for place, position in zip(records.places, (new.position + 0.0).tolist(), strict=True):
            line = lines[place]
            lines[place] = line[:30] + "{:8.3f}{:8.3f}{:8.3f}".format(*position).encode() + line[54:]
    if new.b_factor is not None:
        for place, value in zip(records.places, new.b_factor.tolist(), strict=True):
            if value == value:  # not NaN
                lines[place] = _with_b_factor(lines[place], value)
    if transform is not None:
        rotation = transform[:3, :3]
        for place, line in enumerate(lines):
            if line[:6].upper() == b"ANISOU":
                lines[place] = _rotated_anisou(line, rotation)
    return records.bom + b"".join(lines)


class _Records:
    """The ATOM and HETATM records of a PDB file, in file order."""

    def __init__(self, content: bytes) -> None:
        self.bom = _BOM if content.startswith(_BOM) else b""
        self.lines = content.removeprefix(_BOM).splitlines(keepends=True)
        self.places: list[int] = []
        self.keys: list[tuple[str, int, str, str, str, str]] = []
        models: list[int] = []
        numbers: list[int] = []
        position: list[tuple[float, float, float]] = []
        frame, in_frame, announced = 0, False, None
        for place, raw in enumerate(self.lines):
            word = raw[:4].upper()
            if word in (b"ATOM", b"HETA"):
                if not in_frame:
                    frame, in_frame = frame + 1, True
                    numbers.append(frame if announced is None else announced)
                line = raw.decode("latin-1")
                self.places.append(place)
                self.keys.append(_key(line))
                models.append(frame)
                position.append((float(line[30:38]), float(line[38:46]), float(line[46:54])))
            elif word == b"MODE":
                in_frame = False
                found = re.match(rb"\s*(\d+)", raw[6:].strip())
                announced = int(found.group(1)) if found else None
            elif word == b"ENDM":
                in_frame, announced = False, None
        # The reader counts models that a file numbers alike.
        counted = numbers if len(set(numbers)) == len(numbers) else list(range(1, len(numbers) + 1))
        self.models: NDArray[np.int64] = np.array([counted[frame - 1] for frame in models], dtype=np.int64)
        self.position: NDArray[np.float64] = np.array(position, dtype=np.float64).reshape(-1, 3)


def _key(line: str) -> tuple[str, int, str, str, str, str]:
    chain = "" if line[21] == " " and line[20] != " " else line[20:22].strip()  # TIP3: see PDBText
    return (
        chain,
        _residue_number(line[22:26]),
        line[26].strip(),
        line[17:20].strip(),
        line[12:16].strip(),
        line[16].strip(),
    )


def _residue_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return int(text, 36) - 466560 + 10000  # hybrid-36 numbers go on behind 9999 with letters
    except ValueError:
        found = re.match(r"\s*-?\d+", text)
        return int(found.group()) if found else 0


def _with_b_factor(line: bytes, value: float) -> bytes:
    bare = line.rstrip(b"\r\n")
    end = line[len(bare) :]
    text = f"{value:6.2f}" if -99.995 < value < 999.995 else f"{value:6.0f}"[:6]
    if len(bare) < 60:
        bare = bare[:54] + b"  1.00"  # what an absent occupancy is read as
    return bare[:60] + text.encode() + bare[66:] + end


def _rotated_anisou(line: bytes, rotation: NDArray[np.float64]) -> bytes:
    """Rotate U, in 1e-4 Å² and the order 11, 22, 33, 12, 13, 23, as R U R^T."""
    try:
        u11, u22, u33, u12, u13, u23 = (int(line[start : start + 7]) for start in range(28, 70, 7))
    except ValueError:
        return line  # not a tensor anyone can read; left as it was
    tensor = np.array([[u11, u12, u13], [u12, u22, u23], [u13, u23, u33]], dtype=np.float64)
    new = np.rint(rotation @ tensor @ rotation.T).astype(np.int64)
    values = (new[0, 0], new[1, 1], new[2, 2], new[0, 1], new[0, 2], new[1, 2])
    text = b"".join(f"{int(value):7d}".encode() for value in values)
    return line[:28] + text + line[70:] if len(text) == 42 else line


def _check_range(position: NDArray[np.float64]) -> None:
    if position.size and (position.min() < _LOWEST or position.max() > _HIGHEST):
        raise DoesNotFit("a coordinate is too large for the columns of a PDB file")


def _check_names(structure: Structure) -> None:
    residues, atoms = structure.residues, structure.atoms
    for column, width, what in (
        (residues.chain, 1, "chain id"),
        (residues.name, 3, "residue name"),
        (atoms.name, 4, "atom name"),
        (atoms.altloc, 1, "alternate location"),
        (residues.insertion_code, 1, "insertion code"),
    ):
        long = np.char.str_len(column) > width
        if long.any():
            raise DoesNotFit(f"the {what} {str(column[np.argmax(long)])!r} is too long for a PDB file")
    if len(residues) and (residues.number.min() < -999 or residues.number.max() > 9999):
        raise DoesNotFit("a residue number is too large for a PDB file")


def pdb_from_arrays(
    structure: Structure, transform: NDArray[np.float64] | None, b_factors: NDArray[np.float64] | None
) -> bytes:
    """Return plain records for a structure without a PDB file behind it.

    Parameters
    ----------
    structure : Structure
    transform : ndarray, shape=(4, 4), or None
    b_factors : ndarray, shape=(atoms,), or None

    Raises
    ------
    DoesNotFit
        If a name, number or coordinate is too large for its columns.
    """
    _check_names(structure)
    atoms, residues = structure.atoms, structure.residues
    b_column = atoms.b_factor if b_factors is None else b_factors
    polymer = np.isin(residues.kind, ("protein", "nucleic"))
    last = {str(residues.chain[index]): index for index in np.flatnonzero(polymer).tolist()}
    lines = []
    for number, part in enumerate(textwrap.wrap(structure.title, 69)):
        lines.append(f"TITLE   {number + 1 if number else '':>2} {part}")
    rows = list(
        zip(
            atoms.residue.tolist(),
            atoms.name.tolist(),
            atoms.altloc.tolist(),
            atoms.element.tolist(),
            atoms.occupancy.tolist(),
            b_column.tolist(),
            atoms.hetero.tolist(),
            strict=True,
        )
    )
    for index, model in enumerate(structure.model_numbers):
        position = structure.coordinates[index]
        if transform is not None:
            position = position @ transform[:3, :3].T + transform[:3, 3]
        _check_range(position)
        if structure.model_count > 1:
            lines.append(f"MODEL     {model:4d}")
        serial = 0
        for atom, (residue, name, altloc, element, occupancy, b_factor, hetero) in enumerate(rows):
            serial += 1
            padded = f" {name:<3}" if len(element) == 1 and len(name) < 4 else f"{name:<4}"
            x, y, z = (position[atom] + 0.0).tolist()
            lines.append(
                f"{'HETATM' if hetero else 'ATOM  '}{serial % 100000:5d} {padded}{altloc:1}{residues.name[residue]:>3} "
                f"{residues.chain[residue]:1}{residues.number[residue]:4d}{residues.insertion_code[residue]:1}   "
                f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{min(max(b_factor, -99.99), 999.99):6.2f}          "
                f"{element.upper():>2}"
            )
            ends_chain = atom + 1 == residues.first_atom[residue + 1] and last.get(residues.chain[residue]) == residue
            if ends_chain:
                serial += 1
                lines.append(
                    f"TER   {serial % 100000:5d}      {residues.name[residue]:>3} {residues.chain[residue]:1}"
                    f"{residues.number[residue]:4d}{residues.insertion_code[residue]:1}"
                )
        if structure.model_count > 1:
            lines.append("ENDMDL")
    lines.append("END")
    return "".join(f"{line:<80}\n" for line in lines).encode("latin-1", "replace")
