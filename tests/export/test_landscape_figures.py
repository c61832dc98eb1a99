"""Figures of runs on a landscape."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lieapp.api import landscape
from lieapp.export.landscape_figures import LandscapeResult, draw_path


def drawn(name: str, *starts: tuple[float, float]) -> dict[str, Line2D]:
    """Return the lines of a path figure by their labels, of a run of a few steps from every start."""
    results = []
    for place, start in enumerate(starts):
        found = landscape(name, optimizer="sgd", start=start, steps=3)
        results.append(LandscapeResult(f"run {place}", found.job, found.recording, found.report))
    figure: Figure = draw_path(results)
    return {str(line.get_label()): line for line in figure.axes[0].get_lines()}


def test_every_start_has_its_star() -> None:
    lines = drawn("saddle", (0.5, 0.1), (0.4, 0.2))
    stars = np.column_stack([np.asarray(values) for values in lines["start"].get_data()])
    np.testing.assert_array_equal(stars, [[0.4, 0.2], [0.5, 0.1]])


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("six-hump-camel", {"minimum": "o", "saddle, index 1": "D", "maximum": "s"}),
        ("monkey-saddle", {"minimum": "o", "degenerate": "$?$"}),
    ],
)
def test_signs_are_those_of_the_window(name: str, signs: dict[str, str]) -> None:
    lines = drawn(name, (0.1, 0.2))
    assert {label: lines[label].get_marker() for label in lines.keys() - {"start", "run 0"} if label[0] != "_"} == signs
