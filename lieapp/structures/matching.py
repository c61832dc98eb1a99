"""Finding the atoms of a structure among the records of its file, when they are written back."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from lieapp.structures.structure import Structure

__all__ = ["NewValues", "match_records"]

# chain, residue number, insertion code, residue name, atom name, altloc
AtomKey = tuple[Hashable, ...]


class NewValues:
    """What the records of a file should hold.

    Parameters
    ----------
    position : ndarray, shape=(records, 3), dtype=float64
    moved : bool
        False if no position differs from the file's.
    b_factor : ndarray, shape=(records,), dtype=float64, or None
        NaN where a record keeps its own.
    """

    def __init__(self, position: NDArray[np.float64], moved: bool, b_factor: NDArray[np.float64] | None) -> None:
        self.position = position
        self.moved = moved
        self.b_factor = b_factor


def match_records(
    structure: Structure,
    keys: Iterable[AtomKey],
    models: NDArray[np.int64],
    position: NDArray[np.float64],
    transform: NDArray[np.float64] | None,
    b_factors: NDArray[np.float64] | None,
) -> NewValues:
    """Return the positions and B-factors that the records of a structure's file should be given.

    Records of models (or atoms) that the structure does not hold keep their place relative to the others: they are
    moved by the same transform.

    Parameters
    ----------
    structure : Structure
    keys : iterable of tuple
        For each record chain, residue number, insertion code, residue name, atom name and altloc.
    models : ndarray, shape=(records,), dtype=int
        The file's number of the model of each record.
    position : ndarray, shape=(records, 3), dtype=float64
        Positions in the file.
    transform : ndarray, shape=(4, 4), or None
    b_factors : ndarray, shape=(atoms,), or None
    """
    # Records with equal keys (a file may name two atoms alike) are taken in file order, in each model.
    places: dict[int, dict[AtomKey, deque[int]]] = {}
    for record, (key, model) in enumerate(zip(keys, models.tolist(), strict=True)):
        places.setdefault(model, defaultdict(deque))[key].append(record)
    own = atom_keys(structure)
    result = position.copy()
    new_b = np.full(len(position), np.nan) if b_factors is not None else None
    for model, by_key in places.items():
        records = np.array([by_key[key].popleft() if by_key.get(key) else -1 for key in own], dtype=np.int64)
        found = records >= 0
        if model in structure.model_numbers:
            index = structure.model_numbers.index(model)
            result[records[found]] = structure.coordinates[index][found]
        if new_b is not None and b_factors is not None:
            new_b[records[found]] = b_factors[found]
    if transform is not None:
        result = result @ transform[:3, :3].T + transform[:3, 3]
    return NewValues(result, not np.array_equal(result, position), new_b)


def atom_keys(structure: Structure) -> list[AtomKey]:
    """Return, for each atom, chain, residue number, insertion code, residue name, atom name and altloc."""
    residues, atoms = structure.residues, structure.atoms
    by_residue = list(
        zip(
            residues.chain.tolist(),
            residues.number.tolist(),
            residues.insertion_code.tolist(),
            residues.name.tolist(),
            strict=True,
        )
    )
    return [
        (*by_residue[residue], name, altloc)
        for residue, name, altloc in zip(
            atoms.residue.tolist(), atoms.name.tolist(), atoms.altloc.tolist(), strict=True
        )
    ]
