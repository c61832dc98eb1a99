"""What every reader hands over: atoms grouped by residue, chain and model, before anything is interpreted.

Readers that go through gemmi get their atoms grouped; the others deliver `AtomRows` in file order and call
`group_rows`, which groups them by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["AtomRows", "AtomTable", "SecondarySpan", "group_rows"]


@dataclass(frozen=True)
class SecondarySpan:
    """A helix or strand that the file names, ends included."""

    code: str  # "H" or "E"
    first: tuple[str, int, str]  # chain, number, insertion code
    last: tuple[str, int, str]


@dataclass(frozen=True, eq=False)
class AtomTable:
    """Atoms grouped by residue, residues by chain, chains by model.

    Attributes
    ----------
    model, chain, residue_name, number, insertion_code : ndarray, shape=(residues,)
        One entry for a residue of a model.
    first_atom : ndarray, shape=(residues + 1,), dtype=int
    name, altloc, serial, occupancy, b_factor, hetero : ndarray, shape=(atoms,)
    element : ndarray, shape=(atoms,), dtype=uint8
        Atomic numbers, 0 where unknown.
    position : ndarray, shape=(atoms, 3), dtype=float64
    """

    model: NDArray[np.int64]
    chain: NDArray[np.str_]
    residue_name: NDArray[np.str_]
    number: NDArray[np.int64]
    insertion_code: NDArray[np.str_]
    first_atom: NDArray[np.int64]
    name: NDArray[np.str_]
    altloc: NDArray[np.str_]
    element: NDArray[np.uint8]
    serial: NDArray[np.int64]
    occupancy: NDArray[np.float64]
    b_factor: NDArray[np.float64]
    hetero: NDArray[np.bool_]
    position: NDArray[np.float64]
    title: str = ""
    spans: tuple[SecondarySpan, ...] = ()
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class AtomRows:
    """Columns of one length, one entry an atom, in file order."""

    model: NDArray[np.int64]
    chain: NDArray[np.str_]
    residue_name: NDArray[np.str_]
    number: NDArray[np.int64]
    insertion_code: NDArray[np.str_]
    name: NDArray[np.str_]
    altloc: NDArray[np.str_]
    element: NDArray[np.uint8]
    serial: NDArray[np.int64]
    occupancy: NDArray[np.float64]
    b_factor: NDArray[np.float64]
    hetero: NDArray[np.bool_]
    position: NDArray[np.float64]


def group_rows(
    rows: AtomRows, *, title: str = "", spans: tuple[SecondarySpan, ...] = (), notes: tuple[str, ...] = ()
) -> AtomTable:
    """Group atoms in file order by model, chain and residue.

    The rules are those of gemmi: chains of one name are joined at the place of the first; within an uninterrupted
    part of a chain all atoms of one residue number, insertion code and name are one residue, even if they
    alternate with those of another (as in microheterogeneity).

    Parameters
    ----------
    rows : AtomRows
        At least one atom.
    title, spans, notes
        Handed through.
    """
    count = len(rows.name)
    new_model = _changes(rows.model)
    new_part = new_model | _changes(rows.chain)
    new_run = new_part | _changes(rows.number) | _changes(rows.insertion_code) | _changes(rows.residue_name)
    run_start = np.flatnonzero(new_run)
    run_length = np.diff(np.append(run_start, count))
    part = np.cumsum(new_part)[run_start].tolist()
    model = rows.model[run_start].tolist()
    chain = rows.chain[run_start].tolist()
    keys = zip(
        part,
        rows.number[run_start].tolist(),
        rows.insertion_code[run_start].tolist(),
        rows.residue_name[run_start].tolist(),
        strict=True,
    )
    residue_rank: dict[tuple[int, int, str, str], int] = {}
    chain_rank: dict[tuple[int, str], int] = {}
    model_rank: dict[int, int] = {}
    residue = np.array([residue_rank.setdefault(key, len(residue_rank)) for key in keys])
    models = np.array([model_rank.setdefault(number, len(model_rank)) for number in model])
    chains = np.array([chain_rank.setdefault(key, len(chain_rank)) for key in zip(model, chain, strict=True)])

    order = np.lexsort((residue, chains, models))  # stable, last key first
    lengths = run_length[order]
    ends = np.cumsum(lengths)
    atoms = np.arange(count) + np.repeat(run_start[order] - (ends - lengths), lengths)
    leads = np.flatnonzero(_changes(residue[order]))
    first_atom = np.append((ends - lengths)[leads], count)
    heads = run_start[order][leads]
    return AtomTable(
        model=rows.model[heads],
        chain=rows.chain[heads],
        residue_name=rows.residue_name[heads],
        number=rows.number[heads],
        insertion_code=rows.insertion_code[heads],
        first_atom=first_atom,
        name=rows.name[atoms],
        altloc=rows.altloc[atoms],
        element=rows.element[atoms],
        serial=rows.serial[atoms],
        occupancy=rows.occupancy[atoms],
        b_factor=rows.b_factor[atoms],
        hetero=rows.hetero[atoms],
        position=rows.position[atoms],
        title=title,
        spans=spans,
        notes=notes,
    )


def _changes(column: NDArray) -> NDArray[np.bool_]:
    """Return True where an entry differs from the one before it; the first always does."""
    changed = np.ones(len(column), dtype=bool)
    changed[1:] = column[1:] != column[:-1]
    return changed
