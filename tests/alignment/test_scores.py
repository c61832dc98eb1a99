"""Scores of given distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import d0_nucleic, d0_protein
from lieapp.alignment.scores import deviations_at, gdt_ha, gdt_score, gdt_ts, rmsd_at, rmsd_of, tm_score


def test_known_values() -> None:
    d = np.array([0.5, 1.0, 3.0, 9.0])
    assert rmsd_of(d) == pytest.approx(math.sqrt((0.25 + 1.0 + 9.0 + 81.0) / 4))
    assert rmsd_of(d, np.array([1.0, 0.0, 0.0, 0.0])) == 0.5
    assert gdt_ts(d, length=4) == pytest.approx((2 + 2 + 3 + 3) / 16)
    assert gdt_ts(d, length=8) == pytest.approx((2 + 2 + 3 + 3) / 32)
    assert gdt_ha(d, length=4) == pytest.approx((1 + 2 + 2 + 3) / 16)
    assert tm_score(np.zeros(50), length=100) == 0.5
    d0 = d0_protein(100)
    assert tm_score(np.full(100, d0), length=100) == pytest.approx(0.5)
    assert tm_score(np.full(100, d0_nucleic(100)), length=100, polymer="nucleic") == pytest.approx(0.5)


def test_several_atoms_a_residue_count_as_one() -> None:
    d = np.array([1.0, 2.0, 3.0, 4.0])
    four = np.repeat(d, 4)
    assert tm_score(four, length=10, residues=4) == pytest.approx(tm_score(d, length=10))
    assert gdt_ts(four, length=10, residues=4) == pytest.approx(gdt_ts(d, length=10))


def test_no_pairs() -> None:
    empty = np.zeros(0)
    assert math.isnan(rmsd_of(empty))
    assert tm_score(empty, length=10) == 0.0
    assert gdt_ts(empty, length=10) == 0.0
    with pytest.raises(AlignmentError, match="length"):
        gdt_score(empty, (1.0,), length=0)


@given(st.lists(st.floats(0.0, 1e3), min_size=1, max_size=60), st.integers(0, 100))
def test_scores_lie_between_zero_and_one(values: list[float], unpaired: int) -> None:
    d = np.array(values)
    length = len(d) + unpaired
    for score in (tm_score(d, length=length), gdt_ts(d, length=length), gdt_ha(d, length=length)):
        assert 0.0 <= score <= 1.0 + 1e-12
    assert gdt_ha(d, length=length) <= gdt_ts(d, length=length)


def test_pose_is_on_original_coordinates() -> None:
    mobile = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    quarter = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    target = np.array([[5.0, 1.0, 0.0], [4.0, 0.0, 2.0]])
    np.testing.assert_allclose(deviations_at(mobile, target, quarter, [5.0, 0.0, 0.0]), [0.0, 2.0])
    assert rmsd_at(mobile, target, quarter, [5.0, 0.0, 0.0]) == pytest.approx(math.sqrt(2.0))
    np.testing.assert_array_equal(mobile, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
