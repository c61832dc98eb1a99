from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lieapp.cryoem.map_statistics import map_statistics


@settings(deadline=None)
@given(arrays(np.float32, (4, 5, 6), elements=st.floats(-1000, 1000, width=32)))
def test_the_first_level_lies_between_the_extremes(values: np.ndarray) -> None:
    found = map_statistics(values)
    assert found.counts.sum() == values.size
    if found.constant:
        assert found.standard_deviation == 0
    else:
        assert found.minimum < found.initial_level < found.maximum
        assert found.level(found.sigma(found.initial_level)) == pytest.approx(found.initial_level, abs=1e-3)


def test_the_first_level_encloses_half_of_the_density() -> None:
    axes = np.meshgrid(*3 * [np.arange(40) - 20.0], indexing="ij")
    values = 7 + np.exp(-sum(axis**2 for axis in axes) / 40)
    found = map_statistics(values)
    above = np.maximum(values - values.mean(), 0)
    assert above[values >= found.initial_level].sum() == pytest.approx(above.sum() / 2, rel=0.1)
    assert found.mean == pytest.approx(values.mean())
    assert found.standard_deviation == pytest.approx(values.std())


def test_of_noise_the_first_level_encloses_a_twentieth() -> None:
    values = np.random.default_rng(0).normal(size=(40, 40, 40))
    assert (values > map_statistics(values).initial_level).mean() == pytest.approx(0.05, rel=0.01)


def test_a_point_and_a_mask_get_a_level_in_their_middle() -> None:
    point = np.zeros((8, 8, 8))
    point[1, 2, 3] = 1
    mask = np.zeros((8, 8, 8))
    mask[2:6] = 2
    assert map_statistics(point).initial_level == 0.5
    assert map_statistics(mask).initial_level == 1.0


def test_values_that_differ_in_their_last_digit_are_told_apart() -> None:
    for first, second in ((1.0, np.nextafter(np.float32(1), np.float32(2))), (0.0, 1e-45)):
        values = np.full((4, 4, 4), first, dtype=np.float32)
        values[0] = second
        found = map_statistics(values)
        assert found.counts[0] == 48 and found.counts[-1] == 16


def test_the_histogram_is_that_of_numpy() -> None:
    values = np.random.default_rng(3).normal(size=5000)
    np.testing.assert_array_equal(map_statistics(values, bins=40).counts, np.histogram(values, bins=40)[0])


def test_what_is_unknown_is_left_out() -> None:
    values = np.array([np.nan, 1.0, 2.0, np.inf, 3.0])
    found = map_statistics(values)
    assert (found.minimum, found.maximum, found.mean) == (1.0, 3.0, 2.0)
    assert map_statistics(np.full(3, np.nan)).constant
