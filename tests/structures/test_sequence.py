"""Sequence alignment against enumeration, against Biopython's own matrix, and on sequences with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Align import substitution_matrices
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures.sequence import align_sequences, alignment_score, identity

PROTEIN = "ARNDCQEGHILKMFPSTWYV"


def best_score(first: str, second: str) -> float:
    """Return the best score by Gotoh's recurrences written out plainly, ends free."""
    matrix = substitution_matrices.load("BLOSUM62")
    n, m = len(first), len(second)
    low = -1e9
    match = np.full((n + 1, m + 1), low)
    up, left = match.copy(), match.copy()
    match[0, 0] = 0.0
    for i in range(n + 1):
        for j in range(m + 1):
            if i and j:
                before = max(match[i - 1, j - 1], up[i - 1, j - 1], left[i - 1, j - 1])
                match[i, j] = before + matrix[first[i - 1]][second[j - 1]]
            if i:
                free = j in (0, m)
                opened = max(match[i - 1, j], left[i - 1, j]) - (0.0 if free else 10.0)
                up[i, j] = max(opened, up[i - 1, j] - (0.0 if free else 0.5))
            if j:
                free = i in (0, n)
                opened = max(match[i, j - 1], up[i, j - 1]) - (0.0 if free else 10.0)
                left[i, j] = max(opened, left[i, j - 1] - (0.0 if free else 0.5))
    return float(max(match[n, m], up[n, m], left[n, m]))


@settings(max_examples=60, deadline=None)
@given(st.text(PROTEIN, min_size=1, max_size=12), st.text(PROTEIN, min_size=1, max_size=12))
def test_score_is_the_best_there_is(first: str, second: str) -> None:
    expected = best_score(first, second)
    assert align_sequences(first, second).score == pytest.approx(expected)
    assert alignment_score(first, second) == pytest.approx(expected)


@settings(deadline=None)
@given(st.text(PROTEIN + "X", max_size=40), st.text(PROTEIN + "X", max_size=40))
def test_columns_ascend_and_stay_inside(first: str, second: str) -> None:
    found = align_sequences(first, second)
    assert len(found.first) == len(found.second) == len(found)
    assert (np.diff(found.first) > 0).all()
    assert (np.diff(found.second) > 0).all()
    if len(found):
        assert 0 <= found.first[0] <= found.first[-1] < len(first)
        assert 0 <= found.second[0] <= found.second[-1] < len(second)
    assert 0.0 <= found.identity <= 1.0
    assert found.score == pytest.approx(align_sequences(second, first).score)


@given(st.text(PROTEIN + "XBZUO?", min_size=1, max_size=60))
def test_equal_sequences_pair_end_to_end(sequence: str) -> None:
    found = align_sequences(sequence, sequence)
    assert found.first.tolist() == found.second.tolist() == list(range(len(sequence)))
    assert found.identity == 1.0


def test_a_fragment_finds_its_place() -> None:
    whole = "MRIILLGAPGAGKGTQAQFIMEKYGIPQISTGDMLRAAVKSGSELGKQAKDIMDAGKLVTDELVIALVKERIAQEDCRNGFLLDGFPRTIPQADAMKEA"
    found = align_sequences("GSHM" + whole[20:60], whole)
    assert found.first[-40:].tolist() == list(range(4, 44))
    assert found.second[-40:].tolist() == list(range(20, 60))


def test_a_missing_loop_is_a_gap() -> None:
    whole = "MRIILLGAPGAGKGTQAQFIMEKYGIPQISTGDMLRAAVKSGSELGKQAKDIMDAGKLVTDELVIALVKERIAQEDC"
    found = align_sequences(whole[:30] + whole[38:], whole)
    assert found.second.tolist() == [*range(30), *range(38, len(whole))]
    assert found.identity == 1.0


def test_unknown_letters_align_with_each_other() -> None:
    assert len(align_sequences("XXXX", "XXXX")) == 4
    assert len(align_sequences("XXXXX", "XXXX")) == 4
    assert len(align_sequences("MKT1?", "MKT*é")) == 5


def test_nucleic_acids() -> None:
    found = align_sequences("CGCGAAUUCGCG", "CGCGAATTCGCG", "nucleic")
    assert len(found) == 12
    assert found.identity == pytest.approx(10 / 12)
    assert found.score == 60.0
    assert align_sequences("ACGT", "CGT", "nucleic").first.tolist() == [1, 2, 3]


def test_nothing_aligns_with_nothing() -> None:
    for first, second in (("", "ACD"), ("ACD", ""), ("", "")):
        found = align_sequences(first, second)
        assert len(found) == 0
        assert found.score == alignment_score(first, second) == 0.0
        assert found.identity == 0.0


def test_identity_counts_equal_letters() -> None:
    positions = np.array([0, 1, 2])
    assert identity("ACD", "ACE", positions, positions) == pytest.approx(2 / 3)
    assert identity("ACD", "XACD", positions, positions + 1) == 1.0
