"""Residue against residue of two chains: by sequence, or by number."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lieapp.structures._pairing_chains import PolymerChain
from lieapp.structures.sequence import SequenceAlignment, align_sequences, alignment_score, identity

__all__ = ["Columns", "SequenceMatcher", "columns_by_number"]


@dataclass(frozen=True, eq=False)
class Columns:
    """Paired positions of two chains.

    Attributes
    ----------
    mobile, target : ndarray, shape=(columns,), dtype=int
        Positions within the chains (not residue indices), ascending in `mobile`.
    identity : float
        Share of columns with the same letter.
    by_number : bool
        Whether numbers decided; else the sequence did.
    """

    mobile: NDArray[np.int64]
    target: NDArray[np.int64]
    identity: float
    by_number: bool

    def __len__(self) -> int:
        return len(self.mobile)


@dataclass
class SequenceMatcher:
    """Aligns chains, each pair of different sequences once: assemblies repeat the same chain many times."""

    _scores: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _alignments: dict[tuple[str, str, str], SequenceAlignment] = field(default_factory=dict)

    def score(self, mobile: PolymerChain, target: PolymerChain) -> float:
        """Return the alignment score; minus infinity between protein and nucleic acid."""
        if mobile.polymer != target.polymer:
            return -np.inf
        key = (mobile.letters, target.letters, mobile.polymer)
        if key not in self._scores:
            self._scores[key] = alignment_score(*key[:2], mobile.polymer)
        return self._scores[key]

    def columns(self, mobile: PolymerChain, target: PolymerChain) -> Columns:
        """Return the columns of the best alignment."""
        key = (mobile.letters, target.letters, mobile.polymer)
        if key not in self._alignments:
            self._alignments[key] = align_sequences(*key[:2], mobile.polymer)
        found = self._alignments[key]
        return Columns(found.first, found.second, found.identity, by_number=False)

    def refined(self, mobile: PolymerChain, target: PolymerChain) -> Columns:
        """Return the alignment, or the pairs of equal number where these are as many and as identical.

        Beside a gap an alignment of two copies of one molecule is ambiguous (``AA-`` or ``A-A``); the numbers of
        the author are not.
        """
        by_sequence = self.columns(mobile, target)
        by_number = columns_by_number(mobile, target)
        as_many = len(by_number) >= len(by_sequence)
        as_identical = by_number.identity * len(by_number) >= by_sequence.identity * len(by_sequence) - 1e-6
        return by_number if len(by_number) and as_many and as_identical else by_sequence


def columns_by_number(mobile: PolymerChain, target: PolymerChain) -> Columns:
    """Pair residues with equal number and insertion code; of several on one number, the first of both."""
    if len(mobile) == len(target) and mobile.keys == target.keys and len(set(mobile.keys)) == len(mobile):
        everyone = np.arange(len(mobile), dtype=np.int64)
        pairs = (everyone, everyone)
    else:
        places: dict[tuple[int, str], int] = {}
        for place, key in enumerate(target.keys):
            places.setdefault(key, place)
        used: dict[tuple[int, str], int] = {}
        for place, key in enumerate(mobile.keys):
            if key in places:
                used.setdefault(key, place)
        own = np.fromiter(used.values(), dtype=np.int64, count=len(used))
        other = np.fromiter((places[key] for key in used), dtype=np.int64, count=len(used))
        pairs = (own, other)
    return Columns(*pairs, identity(mobile.letters, target.letters, *pairs), by_number=True)
