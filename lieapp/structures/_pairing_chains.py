"""Polymer chains as sequences, and choosing among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lieapp.structures.errors import StructureError
from lieapp.structures.sequence import Polymer
from lieapp.structures.structure import Structure

__all__ = ["PolymerChain", "assign_chains", "chosen_chains", "polymer_chains"]


@dataclass(frozen=True, eq=False)
class PolymerChain:
    """The protein or nucleic acid residues of one chain; ligands and waters with its id are not among them."""

    chain: str
    polymer: Polymer
    residues: NDArray[np.int64]
    letters: str
    numbers: NDArray[np.int64]
    insertion_codes: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.residues)

    @property
    def shown(self) -> str:
        """The id for people."""
        return self.chain or "_"

    @cached_property
    def keys(self) -> list[tuple[int, str]]:
        """Number and insertion code of every residue."""
        return list(zip(self.numbers.tolist(), self.insertion_codes.tolist(), strict=True))


def polymer_chains(structure: Structure) -> tuple[PolymerChain, ...]:
    """Return the chains that hold polymer with guide atoms, in file order.

    A chain id that covers both protein and nucleic acid (files with blank ids) gives one chain of each.
    """
    residues = structure.residues
    found: list[PolymerChain] = []
    kinds: tuple[Polymer, Polymer] = ("protein", "nucleic")
    members = {polymer: np.flatnonzero(residues.kind == polymer) for polymer in kinds}
    starts: list[int] = []
    for polymer, indices in members.items():
        chains = residues.chain[indices]
        for chain in dict.fromkeys(chains.tolist()):
            own = indices[chains == chain]
            if not (residues.guide_atom[own] >= 0).any():
                continue
            found.append(
                PolymerChain(
                    chain=chain,
                    polymer=polymer,
                    residues=own,
                    letters="".join(letter or "X" for letter in residues.letter[own].tolist()),
                    numbers=residues.number[own],
                    insertion_codes=residues.insertion_code[own],
                )
            )
            starts.append(int(own[0]))
    return tuple(found[k] for k in np.argsort(starts, kind="stable"))


def chosen_chains(
    structure: Structure, available: Sequence[PolymerChain], names: Sequence[str] | None
) -> tuple[PolymerChain, ...] | None:
    """Return the chains that the user named, in the user's order; None where she named none.

    Raises
    ------
    StructureError
        For an unknown chain, one without polymer, or one named twice.
    """
    if names is None or len(names) == 0:
        return None
    chosen: list[PolymerChain] = []
    wanted = ["" if name == "_" else name for name in names]
    for chain in wanted:
        shown = chain or "_"
        if wanted.count(chain) > 1:
            raise StructureError(f"Chain {shown!r} of {structure.name} is named twice; name each chain once.")
        own = [candidate for candidate in available if candidate.chain == chain]
        if not own:
            listed = ", ".join(dict.fromkeys(candidate.shown for candidate in available)) or "none"
            if chain in structure.chains:
                reason = f"Chain {shown!r} of {structure.name} holds no protein or nucleic acid"
            else:
                reason = f"{structure.name} has no chain {shown!r}"
            raise StructureError(f"{reason}; its polymer chains: {listed}.")
        chosen += own
    return tuple(chosen)


def assign_chains(scores: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Assign mobile chains to target chains so that the sum of scores is largest.

    Of equally good assignments the one that keeps the order is taken, so that two equal sets of equal chains are
    paired first with first.

    Parameters
    ----------
    scores : ndarray, shape=(mobile, target), dtype=float64
        Minus infinity where two chains cannot be paired. Scores count as equal when they differ by less than 0.25.

    Returns
    -------
    pairs : list of (int, int)
        Ascending in the first index; pairs that cannot be are left out.
    """
    rows, columns = scores.shape
    possible = np.isfinite(scores)
    if not possible.any():
        return []
    order = (np.arange(rows)[:, None] - np.arange(columns)[None, :]).astype(np.float64) ** 2
    order *= 0.25 / max(1.0, float(min(rows, columns)) * float(order.max()))
    value = np.where(possible, scores - order, 0.0)
    # Pairing what can be paired always wins over leaving it: lift the possible scores above zero by a common amount.
    lift = 1.0 + max(0.0, -float(value[possible].min())) + float(np.ptp(value[possible])) * min(rows, columns)
    cost = np.where(possible, -(value + lift), 0.0)
    pairs = _least_cost(cost) if rows <= columns else [(i, j) for j, i in _least_cost(cost.T)]
    return sorted((i, j) for i, j in pairs if possible[i, j])


def _least_cost(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Solve the assignment problem with rows <= columns by shortest augmenting paths (Kuhn, Munkres; O(n^3))."""
    rows, columns = cost.shape
    row_price = np.zeros(rows + 1)
    column_price = np.zeros(columns + 1)
    owner = np.zeros(columns + 1, dtype=np.int64)  # the row that holds a column, counted from 1; 0 is nobody
    for row in range(1, rows + 1):
        owner[0] = row
        column = 0
        slack = np.full(columns + 1, np.inf)
        previous = np.zeros(columns + 1, dtype=np.int64)
        visited = np.zeros(columns + 1, dtype=bool)
        while owner[column] != 0:
            visited[column] = True
            holder = owner[column]
            reduced = cost[holder - 1] - row_price[holder] - column_price[1:]
            better = ~visited[1:] & (reduced < slack[1:])
            slack[1:][better] = reduced[better]
            previous[1:][better] = column
            open_slack = np.where(visited[1:], np.inf, slack[1:])
            nearest = int(np.argmin(open_slack)) + 1
            step = slack[nearest]
            row_price[owner[visited]] += step
            column_price[visited] -= step
            slack[~visited] -= step
            column = nearest
        while column:
            owner[column] = owner[previous[column]]
            column = int(previous[column])
    return [(int(owner[column]) - 1, column - 1) for column in range(1, columns + 1) if owner[column]]
