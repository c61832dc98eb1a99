"""Both sequences under each other: which residues share a column, and where there are gaps. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.structures.structure import Structure

__all__ = ["SequenceColumns", "align_columns"]


@dataclass(frozen=True, eq=False)
class SequenceColumns:
    """Columns of the alignment that the pairs imply, chain after chain.

    Attributes
    ----------
    mobile, target : ndarray, shape=(columns,), dtype=int
        Residue indices; -1 where there is a gap. Both are -1 in the columns between two chains.
    pair : ndarray, shape=(columns,), dtype=int
        First pair of the column; -1 where the residues are not paired.
    mobile_letters, target_letters : tuple of str
        One letter a column, ``"-"`` for a gap, ``" "`` between chains.
    """

    mobile: NDArray[np.int64]
    target: NDArray[np.int64]
    pair: NDArray[np.int64]
    mobile_letters: tuple[str, ...]
    target_letters: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.mobile)


_GAP, _BREAK = -1, -2


def align_columns(inputs: AlignInputs) -> SequenceColumns:
    """Return the columns of the paired chains.

    Pairs stand in the order of the mobile chain. Residues without partner stand where they belong in their own chain:
    those of the mobile first, then those of the target.

    Parameters
    ----------
    inputs : AlignInputs
    """
    pairing = inputs.pairing
    columns: list[tuple[int, int, int]] = []
    _, first = np.unique(pairing.mobile_residues, return_index=True)
    for match in pairing.chains:
        mobile_chain = _polymer(inputs.mobile, match.mobile_chain)
        target_chain = _polymer(inputs.target, match.target_chain)
        own = first[
            (inputs.mobile.residues.chain[pairing.mobile_residues[first]] == match.mobile_chain)
            & (inputs.target.residues.chain[pairing.target_residues[first]] == match.target_chain)
        ]
        if columns:
            columns.append((_BREAK, _BREAK, -1))
        columns += _merge(mobile_chain, target_chain, pairing.mobile_residues, pairing.target_residues, own)
    table = np.array(columns, dtype=np.int64).reshape(-1, 3)
    return SequenceColumns(
        np.maximum(table[:, 0], _GAP),
        np.maximum(table[:, 1], _GAP),
        table[:, 2],
        _letters(inputs.mobile, table[:, 0]),
        _letters(inputs.target, table[:, 1]),
    )


def _polymer(structure: Structure, chain: str) -> NDArray[np.int64]:
    residues = structure.residues
    found: NDArray[np.int64] = np.flatnonzero((residues.chain == chain) & (residues.guide_atom >= 0))
    return found


def _merge(
    mobile: NDArray[np.int64],
    target: NDArray[np.int64],
    mobile_residues: NDArray[np.int64],
    target_residues: NDArray[np.int64],
    pairs: NDArray[np.int64],
) -> list[tuple[int, int, int]]:
    pairs = pairs[np.argsort(mobile_residues[pairs], kind="stable")]
    left_mobile = np.setdiff1d(mobile, mobile_residues[pairs]).tolist()
    left_target = np.setdiff1d(target, target_residues[pairs]).tolist()
    columns: list[tuple[int, int, int]] = []
    i = j = 0
    for pair in pairs.tolist():
        m, t = int(mobile_residues[pair]), int(target_residues[pair])
        while i < len(left_mobile) and left_mobile[i] < m:
            columns.append((left_mobile[i], _GAP, -1))
            i += 1
        while j < len(left_target) and left_target[j] < t:
            columns.append((_GAP, left_target[j], -1))
            j += 1
        columns.append((m, t, pair))
    columns += [(residue, _GAP, -1) for residue in left_mobile[i:]]
    columns += [(_GAP, residue, -1) for residue in left_target[j:]]
    return columns


def _letters(structure: Structure, residues: NDArray[np.int64]) -> tuple[str, ...]:
    letters = np.where(residues >= 0, structure.residues.letter[np.maximum(residues, 0)], "-")
    return tuple(
        " " if residue == _BREAK else (str(letter) or "X")
        for residue, letter in zip(residues.tolist(), letters, strict=True)
    )
