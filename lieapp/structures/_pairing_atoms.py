"""Atom against atom of paired residues."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lieapp.structures._atoms import best_places, named_atoms
from lieapp.structures.sequence import Polymer
from lieapp.structures.structure import Structure

__all__ = ["AtomChoice", "match_atoms", "shown_atoms"]

AtomChoice: TypeAlias = Literal["ca", "backbone", "heavy"]
Indices: TypeAlias = NDArray[np.int64]

_BACKBONE: dict[Polymer, tuple[str, ...]] = {
    "protein": ("N", "CA", "C", "O"),
    "nucleic": ("P", "O5'", "C5'", "C4'", "C3'", "O3'"),
}


def shown_atoms(atoms: AtomChoice, polymer: Polymer) -> str:
    """Return what is paired in words, such as ``"CA atoms"``."""
    if atoms == "ca":
        return "CA atoms" if polymer == "protein" else "C3' (or P) atoms"
    return "backbone atoms" if atoms == "backbone" else "heavy atoms"


def match_atoms(
    mobile: Structure,
    target: Structure,
    mobile_residues: Indices,
    target_residues: Indices,
    polymer: Polymer,
    atoms: AtomChoice,
) -> tuple[Indices, Indices, Indices]:
    """Pair the atoms of paired residues.

    Parameters
    ----------
    mobile, target : Structure
    mobile_residues, target_residues : ndarray, shape=(columns,), dtype=int
        Paired residues.
    polymer : {"protein", "nucleic"}
    atoms : {"ca", "backbone", "heavy"}
        ``"heavy"`` pairs all non-hydrogen atoms with equal names in residues with equal names, and the backbone with
        CB in residues that differ.

    Returns
    -------
    mobile_atoms, target_atoms : ndarray, shape=(pairs,), dtype=int
        In the order of the columns, within a column in the order of the mobile file.
    column : ndarray, shape=(pairs,), dtype=int
        The column that a pair belongs to.
    """
    if atoms == "ca" and polymer == "protein":
        one = mobile.residues.guide_atom[mobile_residues]
        two = target.residues.guide_atom[target_residues]
        column = np.flatnonzero((one >= 0) & (two >= 0))
        return one[column], two[column], column
    if atoms == "ca":
        # The same atom on both sides: C3' where both have it, else P.
        one = named_atoms(mobile, ("C3'", "P"), mobile_residues)
        two = named_atoms(target, ("C3'", "P"), target_residues)
        both = (one >= 0) & (two >= 0)
        column = np.flatnonzero(both.any(axis=1))
        which = np.argmax(both[column], axis=1)
        return one[column, which], two[column, which], column
    if atoms == "backbone":
        one = named_atoms(mobile, _BACKBONE[polymer], mobile_residues)
        two = named_atoms(target, _BACKBONE[polymer], target_residues)
        column, which = np.nonzero((one >= 0) & (two >= 0))
        return one[column, which], two[column, which], column
    return _match_heavy(mobile, target, mobile_residues, target_residues, polymer)


def _match_heavy(
    mobile: Structure, target: Structure, mobile_residues: Indices, target_residues: Indices, polymer: Polymer
) -> tuple[Indices, Indices, Indices]:
    one = _heavy_atoms(mobile, mobile_residues)
    two = _heavy_atoms(target, target_residues)
    names = np.concatenate((_primed(mobile.atoms.name[one]), _primed(target.atoms.name[two])))
    known, label = np.unique(names, return_inverse=True)
    label_one, label_two = label[: len(one)], label[len(one) :]
    one_kept = np.searchsorted(one, best_places(mobile, one, label_one))
    two_kept = np.searchsorted(two, best_places(target, two, label_two))
    one, label_one = one[one_kept], label_one[one_kept]
    two, label_two = two[two_kept], label_two[two_kept]

    column_one = _columns(mobile, mobile_residues)[mobile.atoms.residue[one]]
    column_two = _columns(target, target_residues)[target.atoms.residue[two]]
    _, place_one, place_two = np.intersect1d(
        column_one * len(known) + label_one,
        column_two * len(known) + label_two,
        assume_unique=True,
        return_indices=True,
    )
    column = column_one[place_one]
    alike = mobile.residues.name[mobile_residues] == target.residues.name[target_residues]
    common = np.isin(known, [*_BACKBONE[polymer], "CB"])
    kept = alike[column] | common[label_one[place_one]]
    one, two, column = one[place_one[kept]], two[place_two[kept]], column[kept]
    order = np.lexsort((one, column))
    return one[order], two[order], column[order]


def _heavy_atoms(structure: Structure, residues: Indices) -> Indices:
    element = structure.atoms.element
    heavy = (element != "H") & (element != "D")
    return np.flatnonzero(heavy & (_columns(structure, residues)[structure.atoms.residue] >= 0))


def _columns(structure: Structure, residues: Indices) -> Indices:
    """Return the column of every residue, -1 for those in none."""
    column = np.full(len(structure.residues), -1, dtype=np.int64)
    column[residues] = np.arange(len(residues))
    return column


def _primed(names: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.char.replace(names, "*", "'") if len(names) else names
