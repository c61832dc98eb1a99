"""Figures of runs on a landscape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lieapp.api import landscape
from lieapp.export.landscape_figures import LandscapeResult, draw_path, write_landscape_figures
from lieapp.landscapes.planes import plane_of


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


@pytest.mark.parametrize("name", ["strict-saddle-100", "deep-linear", "so3-alignment"])
def test_landscapes_of_many_dimensions_are_drawn_on_their_plane(name: str, tmp_path: Path) -> None:
    results = []
    for optimizer in ("sgd", "deo"):
        found = landscape(name, optimizer=optimizer, steps=20)
        results.append(LandscapeResult(optimizer, found.job, found.recording, found.report))
    written = write_landscape_figures(results, tmp_path, formats=("svg",), plane_of=plane_of)
    assert [path.name for path in written] == ["progress.svg", "path.svg"]
    assert "are projected" in (tmp_path / "path.svg").read_text(encoding="utf-8")
    plane = plane_of(results[0].job)
    figure = draw_path(results, plane=plane)
    lines = {str(line.get_label()): line for line in figure.axes[0].get_lines()}
    for result in results:
        expected = plane.project(np.asarray(result.recording.states("point")))
        np.testing.assert_allclose(np.column_stack(lines[result.title].get_data()), expected)
    np.testing.assert_allclose(np.ravel(lines["start"].get_data()), plane.start, atol=1e-9)
    assert figure.axes[0].get_xlabel() == plane.labels[0]


def test_runs_from_several_starts_have_no_common_plane(tmp_path: Path) -> None:
    results = []
    for seed in (0, 1):
        found = landscape("strict-saddle-100", optimizer="sgd", steps=2, seed=seed)
        results.append(LandscapeResult(f"seed {seed}", found.job, found.recording, found.report))
    assert [path.name for path in write_landscape_figures(results, tmp_path, formats=("svg",), plane_of=plane_of)] == [
        "progress.svg"
    ]
