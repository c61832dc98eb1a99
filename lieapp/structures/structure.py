"""A structure as plain arrays, whichever file it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lieapp.structures.errors import StructureError

__all__ = ["Atoms", "FileFormat", "Residues", "SourceFile", "Structure"]

FileFormat = Literal["pdb", "mmcif", "bcif"]


@dataclass(frozen=True, eq=False)
class Atoms:
    """Columns with one entry an atom, named as the file's author names them.

    Attributes
    ----------
    name : ndarray, shape=(atoms,), dtype=str
        Atom names without padding, such as ``"CA"``.
    element : ndarray, shape=(atoms,), dtype=str
        Element symbols as in ``"Ca"``; guessed from name and residue where the file has none.
    residue : ndarray, shape=(atoms,), dtype=int
        Index into `Residues`.
    altloc : ndarray, shape=(atoms,), dtype=str
        Alternate location, ``""`` where there is none.
    serial : ndarray, shape=(atoms,), dtype=int
        Serial numbers as in the file.
    occupancy, b_factor : ndarray, shape=(atoms,), dtype=float
        Occupancy, and B-factor in Å² (pLDDT in predicted models).
    hetero : ndarray, shape=(atoms,), dtype=bool
        True for HETATM records.
    """

    name: NDArray[np.str_]
    element: NDArray[np.str_]
    residue: NDArray[np.int64]
    altloc: NDArray[np.str_]
    serial: NDArray[np.int64]
    occupancy: NDArray[np.float64]
    b_factor: NDArray[np.float64]
    hetero: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, eq=False)
class Residues:
    """Columns with one entry a residue.

    The residues of a chain lie together, chains in order of their first appearance in the file, residues of a
    chain in file order. This is the same for every format (PDB files list ligands and waters of all chains last).

    Attributes
    ----------
    name : ndarray, shape=(residues,), dtype=str
        Residue names, such as ``"MSE"``.
    chain : ndarray, shape=(residues,), dtype=str
        Author chain ids; ``""`` for a blank one (shown as ``"_"``; ``"."`` of mmCIF is blank as well).
    number : ndarray, shape=(residues,), dtype=int
        Author residue numbers.
    insertion_code : ndarray, shape=(residues,), dtype=str
        ``""`` where there is none.
    kind : ndarray, shape=(residues,), dtype=str
        ``"protein"``, ``"nucleic"``, ``"water"`` or ``"other"``. MSE and other modified amino acids are protein.
    letter : ndarray, shape=(residues,), dtype=str
        One-letter code; ``"X"`` if unknown, ``""`` for water and other.
    first_atom : ndarray, shape=(residues + 1,), dtype=int
        Atoms of residue i are ``first_atom[i]:first_atom[i + 1]``.
    guide_atom : ndarray, shape=(residues,), dtype=int
        Index of CA (protein; never calcium), C3' else P (nucleic); -1 where there is none. Of alternate locations
        the one with the highest occupancy, the first of equals. Where alternate locations are different residues
        on one number (microheterogeneity), only the residue with the highest occupancy has one.
    secondary : ndarray, shape=(residues,), dtype=str
        ``"H"``, ``"E"`` or ``"C"`` of protein residues from the records of the file; ``""`` for other residues, and
        everywhere in a file that says nothing at all.
    """

    name: NDArray[np.str_]
    chain: NDArray[np.str_]
    number: NDArray[np.int64]
    insertion_code: NDArray[np.str_]
    kind: NDArray[np.str_]
    letter: NDArray[np.str_]
    first_atom: NDArray[np.int64]
    guide_atom: NDArray[np.int64]
    secondary: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.name)

    def label(self, index: int) -> str:
        """Return a residue's name for people, such as ``"A:LYS 50A"``."""
        chain = self.chain[index] or "_"
        return f"{chain}:{self.name[index]} {self.number[index]}{self.insertion_code[index]}"


@dataclass(frozen=True, eq=False)
class SourceFile:
    """The bytes that a structure was read from, kept so that writing can be lossless.

    Attributes
    ----------
    path : Path or None
        The file, as it was named by the caller.
    format : {"pdb", "mmcif", "bcif"}
        Found from the content, not from the name.
    content : bytes
        The decompressed bytes.
    """

    path: Path | None
    format: FileFormat
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the decompressed bytes: a file and its gzipped copy have the same."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, eq=False)
class Structure:
    """Atoms of one or more models that share their atoms.

    Attributes
    ----------
    name : str
        Short name for people and for file names, such as ``"4AKE"``.
    title : str
        The title of the entry, or ``""``.
    coordinates : ndarray, shape=(models, atoms, 3), dtype=float64
        Positions in Å.
    model_numbers : tuple of int
        The file's numbers of the models.
    atoms, residues : Atoms, Residues
    source : SourceFile or None
    notes : tuple of str
        What the reader decided that a user may want to know.
    """

    name: str
    title: str
    coordinates: NDArray[np.float64]
    model_numbers: tuple[int, ...]
    atoms: Atoms
    residues: Residues
    source: SourceFile | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def model_count(self) -> int:
        return self.coordinates.shape[0]

    @property
    def atom_count(self) -> int:
        return self.coordinates.shape[1]

    @cached_property
    def chains(self) -> tuple[str, ...]:
        """Chain ids in order of first appearance."""
        return tuple(dict.fromkeys(self.residues.chain.tolist()))

    @cached_property
    def polymer_chains(self) -> tuple[str, ...]:
        """Chains that hold at least one protein or nucleic residue with a guide atom."""
        polymer = self.residues.guide_atom >= 0
        return tuple(dict.fromkeys(self.residues.chain[polymer].tolist()))

    def model_index(self, number: int) -> int:
        """Return the position of the model that the file numbers so.

        Parameters
        ----------
        number : int
            The file's number of the model; most files count from 1.

        Raises
        ------
        StructureError
            If there is no such model.
        """
        if number not in self.model_numbers:
            first, last = self.model_numbers[0], self.model_numbers[-1]
            has = f"model {first}" if self.model_count == 1 else f"{self.model_count} models ({first} to {last})"
            raise StructureError(f"{self.name}: there is no model {number}; the file has {has}.")
        return self.model_numbers.index(number)

    def model(self, index: int) -> Structure:
        """Return one model as a structure; its coordinates are a view.

        Parameters
        ----------
        index : int
            Position of the model, from 0.
        """
        return replace(
            self,
            coordinates=self.coordinates[index : index + 1],
            model_numbers=self.model_numbers[index : index + 1],
        )
