"""Finding atoms by name, one place of several alternate ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lieapp.structures.structure import Structure

__all__ = ["best_places", "named_atoms"]


def named_atoms(structure: Structure, names: Sequence[str], residues: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the atoms with given names in given residues.

    Of alternate locations the one with the highest occupancy is taken, the first of equals. Legacy names with an
    asterisk (``C3*``) count as primed ones.

    Parameters
    ----------
    structure : Structure
    names : sequence of str
    residues : ndarray, shape=(chosen,), dtype=int
        Distinct residue indices.

    Returns
    -------
    atoms : ndarray, shape=(chosen, names), dtype=int
        Atom indices; -1 where the residue has no such atom.
    """
    table = np.full((len(structure.residues) + 1, len(names)), -1, dtype=np.int64)
    for column, name in enumerate(names):
        found = structure.atoms.name == name
        if name.endswith("'"):
            found |= structure.atoms.name == name[:-1] + "*"
        atoms = best_places(structure, np.flatnonzero(found), np.zeros(int(found.sum()), dtype=np.int64))
        table[structure.atoms.residue[atoms], column] = atoms
    return table[residues]


def best_places(structure: Structure, atoms: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep one alternate location of every atom: the highest occupancy, the first of equals.

    Parameters
    ----------
    structure : Structure
    atoms : ndarray, shape=(candidates,), dtype=int
        Atom indices, ascending.
    label : ndarray, shape=(candidates,), dtype=int
        What makes two atoms of one residue the same atom: a number for the name.

    Returns
    -------
    kept : ndarray, shape=(kept,), dtype=int
        A subset of `atoms`, ascending.
    """
    if len(atoms) == 0:
        return atoms
    residue = structure.atoms.residue[atoms]
    order = np.lexsort((-structure.atoms.occupancy[atoms], label, residue))
    same = (np.diff(residue[order]) == 0) & (np.diff(label[order]) == 0)
    return np.sort(atoms[order[np.concatenate(([True], ~same))]])
