"""Alignment of two sequences: which residue of one belongs to which of the other.

Needleman and Wunsch (1970) with affine gaps (Gotoh 1982) as implemented in C by Biopython, at the settings of EMBOSS
needle: proteins BLOSUM62 (Henikoff and Henikoff 1992), nucleic acids 5 for a match and -4 for a mismatch, gaps 10 to
open and 0.5 to extend, ends free. Free ends let a construct with a tag or a missing domain find its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner

__all__ = ["Polymer", "SequenceAlignment", "align_sequences", "alignment_score", "identity"]

Polymer: TypeAlias = Literal["protein", "nucleic"]

_GAP_OPEN = -10.0
_GAP_EXTEND = -0.5


@dataclass(frozen=True, eq=False)
class SequenceAlignment:
    """Two aligned sequences.

    Attributes
    ----------
    first, second : ndarray, shape=(columns,), dtype=int
        Positions in both sequences, column by column, gaps left out; both ascend.
    score : float
        The score that was maximised.
    identity : float
        Share of columns with the same letter, 0 to 1; 0 where there is no column.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: float
    identity: float

    def __len__(self) -> int:
        return len(self.first)


def align_sequences(first: str, second: str, polymer: Polymer = "protein") -> SequenceAlignment:
    """Align two sequences over their whole lengths.

    Parameters
    ----------
    first, second : str
        One-letter codes. Letters that the substitution matrix does not know count as X (N in nucleic acids); an
        unknown letter scores nothing against a known one and 1 against another, so that unknown stretches align.
    polymer : {"protein", "nucleic"}

    Returns
    -------
    alignment : SequenceAlignment
        One of the best alignments; equal sequences are paired end to end.
    """
    one, two = _encode(first, polymer), _encode(second, polymer)
    if len(one) == 0 or len(two) == 0:
        none = np.zeros(0, dtype=np.int64)
        return SequenceAlignment(none, none, 0.0, 0.0)
    if first == second:
        # Nothing beats the diagonal, and most pairs that people load are two states of one molecule.
        everyone = np.arange(len(one), dtype=np.int64)
        return SequenceAlignment(everyone, everyone, float(_scores(polymer)[one, one].sum()), 1.0)
    best = _aligner(polymer).align(_plain(first, polymer), _plain(second, polymer))[0]
    blocks_one, blocks_two = best.aligned
    pairs_one = _positions(blocks_one)
    pairs_two = _positions(blocks_two)
    same = identity(first, second, pairs_one, pairs_two)
    return SequenceAlignment(pairs_one, pairs_two, float(best.score), same)


def alignment_score(first: str, second: str, polymer: Polymer = "protein") -> float:
    """Return the score of `align_sequences` without the alignment, faster and in little memory.

    Parameters
    ----------
    first, second : str
    polymer : {"protein", "nucleic"}
    """
    one, two = _encode(first, polymer), _encode(second, polymer)
    if len(one) == 0 or len(two) == 0:
        return 0.0
    if first == second:
        return float(_scores(polymer)[one, one].sum())
    return float(_aligner(polymer).score(_plain(first, polymer), _plain(second, polymer)))


def identity(first: str, second: str, first_positions: NDArray[np.int64], second_positions: NDArray[np.int64]) -> float:
    """Return the share of paired positions that hold the same letter.

    Parameters
    ----------
    first, second : str
    first_positions, second_positions : ndarray, shape=(pairs,), dtype=int

    Returns
    -------
    share : float
        0 to 1; 0 where nothing is paired.
    """
    if len(first_positions) == 0:
        return 0.0
    one = np.frombuffer(first.encode("utf-32-le"), dtype=np.uint32)
    two = np.frombuffer(second.encode("utf-32-le"), dtype=np.uint32)
    return float(np.mean(one[first_positions] == two[second_positions]))


def _positions(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Expand aligned blocks ``[[start, end], ...]`` into positions."""
    return np.concatenate([np.arange(start, end, dtype=np.int64) for start, end in blocks] or [np.zeros(0, np.int64)])


@cache
def _alphabet(polymer: Polymer) -> str:
    return "ARNDCQEGHILKMFPSTWYVBZX" if polymer == "protein" else "ACGTN"


@cache
def _codes(polymer: Polymer) -> NDArray[np.int32]:
    """Return the table from a byte to the index of its letter; unknown letters are the last one."""
    alphabet = _alphabet(polymer)
    table = np.full(256, len(alphabet) - 1, dtype=np.int32)
    for index, letter in enumerate(alphabet):
        table[ord(letter)] = table[ord(letter.lower())] = index
    synonyms = {"U": "C", "O": "K"} if polymer == "protein" else {"U": "T"}  # selenocysteine, pyrrolysine; uracil
    for synonym, letter in synonyms.items():
        table[ord(synonym)] = table[ord(synonym.lower())] = alphabet.index(letter)
    return table


@cache
def _scores(polymer: Polymer) -> NDArray[np.float64]:
    """Return the substitution matrix over `_alphabet`."""
    alphabet = _alphabet(polymer)
    size = len(alphabet)
    if polymer == "protein":
        from Bio.Align import substitution_matrices

        blosum = substitution_matrices.load("BLOSUM62")
        scores = np.array([[blosum[a][b] for b in alphabet] for a in alphabet], dtype=np.float64)
    else:
        scores = np.where(np.eye(size, dtype=bool), 5.0, -4.0)
    scores[-1, :] = scores[:, -1] = 0.0
    scores[-1, -1] = 1.0
    return scores


@cache
def _aligner(polymer: Polymer) -> PairwiseAligner:
    # Imported when first needed: the window is visible before any pairing, and this costs tens of milliseconds.
    from Bio.Align import PairwiseAligner, substitution_matrices

    aligner = PairwiseAligner(mode="global")
    aligner.substitution_matrix = substitution_matrices.Array(_alphabet(polymer), 2, _scores(polymer))
    aligner.open_gap_score = _GAP_OPEN
    aligner.extend_gap_score = _GAP_EXTEND
    aligner.end_gap_score = 0.0
    return aligner


def _encode(sequence: str, polymer: Polymer) -> NDArray[np.int32]:
    return _codes(polymer)[np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)]


def _plain(sequence: str, polymer: Polymer) -> str:
    """Return the sequence in letters that the matrix knows."""
    letters = np.frombuffer(_alphabet(polymer).encode("ascii"), dtype=np.uint8)
    return letters[_encode(sequence, polymer)].tobytes().decode("ascii")
