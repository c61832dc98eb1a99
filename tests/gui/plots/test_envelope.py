"""What is drawn of a long curve has all of its peaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lieapp.gui.plots.envelope import Envelope


def made(values: np.ndarray, pieces: int = 1) -> Envelope:
    series, x = Envelope(), np.arange(len(values), dtype=float)
    end = 0
    for piece in np.array_split(values, pieces):
        end += len(piece)
        series.extend(x[:end], piece)
    return series


@given(
    count=st.integers(1, 5000),
    pieces=st.integers(1, 9),
    bins=st.integers(1, 60),
    window=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 99),
)
def test_extremes_in_the_window_are_drawn_and_nothing_else_is_made_up(
    count: int, pieces: int, bins: int, window: tuple[float, float], seed: int
) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    series = made(values, pieces)
    np.testing.assert_array_equal(series.y, values)
    left, right = sorted(count * share for share in window)
    x, y = series.points(left, right, bins)
    inside = series.frames_within(left, right)
    assert np.isin(y, values).all()
    assert (np.diff(x) >= 0).all()
    assert y.max() >= values[inside].max() and y.min() <= values[inside].min()
    assert len(x) <= 3 * bins + 6
    # Its ends are those of the window.
    assert x[-1] == inside.stop - 1 and y[-1] == values[inside.stop - 1]


def test_few_frames_are_drawn_as_they_are() -> None:
    values = np.arange(50.0) ** 2
    x, y = made(values).points(-np.inf, np.inf, 25)
    np.testing.assert_array_equal(x, np.arange(50.0))
    np.testing.assert_array_equal(y, values)


def test_single_gaps_do_not_swallow_their_pixel_and_long_ones_stay() -> None:
    values = np.linspace(1.0, 2.0, 100_000)
    values[::3] = np.nan
    values[40_000:60_000] = np.nan
    x, y = made(values, 7).points(-np.inf, np.inf, 300)
    gap = (x > 41_000) & (x < 59_000)
    assert np.isnan(y[gap]).all()
    assert np.isfinite(y[1:-1][(x[1:-1] < 39_000) | (x[1:-1] > 61_000)]).all()


def test_bounds_are_those_of_what_is_finite() -> None:
    assert Envelope().bounds() is None
    assert made(np.full(100, np.nan)).bounds() is None
    values = np.random.default_rng(1).normal(size=1000)
    values[[0, 500]] = np.nan
    assert made(values, 4).bounds() == ((0.0, 999.0), (np.nanmin(values), np.nanmax(values)))


def test_abscissae_must_match() -> None:
    with pytest.raises(ValueError, match="3 abscissae expected, found 2"):
        Envelope().extend(np.arange(2.0), np.zeros(3))
