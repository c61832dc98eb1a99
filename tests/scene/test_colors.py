from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lieapp.scene.colors import (
    CONTEXT,
    OPTIMIZER_COLORS,
    OPTIMIZER_DASHES,
    deviation_colors,
    element_colors,
    optimizer_color,
    optimizer_dash,
    rgba,
    uniform_colors,
)


def test_stops_of_the_deviation_key() -> None:
    colors = deviation_colors([0.0, 4.0, 8.0, 100.0, np.inf, np.nan])
    np.testing.assert_allclose(colors[0], rgba("#2166AC"), atol=1e-6)
    np.testing.assert_allclose(colors[1], rgba("#F7F7F7"), atol=1e-6)
    for capped in (2, 3, 4):
        np.testing.assert_allclose(colors[capped], rgba("#B2182B"), atol=1e-6)
    np.testing.assert_allclose(colors[5], rgba(CONTEXT), atol=1e-6)


@given(st.lists(st.floats(0, 20), min_size=2, max_size=20))
def test_deviation_colours_run_from_blue_to_red(values: list[float]) -> None:
    ordered = np.sort(values)
    colors = deviation_colors(ordered)
    assert colors.shape == (len(values), 4)
    assert np.all(np.diff(colors[:, 0] - colors[:, 2]) >= -1e-6)
    assert np.all((colors >= 0) & (colors <= 1))


def test_colours_are_read_from_text_and_numbers() -> None:
    np.testing.assert_allclose(rgba("#FF8000"), [1, 128 / 255, 0, 1])
    np.testing.assert_allclose(rgba("#FF800080")[3], 128 / 255)
    np.testing.assert_allclose(rgba((0.1, 0.2, 0.3), alpha=0.5), [0.1, 0.2, 0.3, 0.5])


@pytest.mark.parametrize("wrong", ["#12", "blue!", (1.0, 2.0), np.zeros((2, 4))])
def test_what_is_no_colour_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        rgba(wrong)  # type: ignore[arg-type]


def test_optimisers_differ_by_colour_and_by_dash() -> None:
    assert set(OPTIMIZER_COLORS) == set(OPTIMIZER_DASHES)
    assert len(set(OPTIMIZER_COLORS.values())) == len(OPTIMIZER_COLORS)
    assert len(set(OPTIMIZER_DASHES.values())) == len(OPTIMIZER_DASHES)


def test_an_unknown_optimiser_keeps_its_look() -> None:
    assert optimizer_color("rprop") == optimizer_color("Rprop #2") == optimizer_color("rprop/se3")
    assert optimizer_dash("rprop") == optimizer_dash("rprop")
    assert optimizer_color("Adam") == OPTIMIZER_COLORS["adam"]


def test_elements() -> None:
    colors = element_colors(np.array(["O", "o", "Xx"]))
    assert colors.shape == (3, 4)
    np.testing.assert_array_equal(colors[0], colors[1])
    assert element_colors([]).shape == (0, 4)


def test_uniform() -> None:
    assert uniform_colors(3, "#000000").tolist() == [[0, 0, 0, 1]] * 3
