"""What columns are called on paper and on the screen comes from one table, and films and figures follow it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lieapp.alignment.quantities import ALIGN_QUANTITIES
from lieapp.api import landscape
from lieapp.cryoem.quantities import CRYOEM_ABSCISSAE, CRYOEM_QUANTITIES
from lieapp.cryoem.report import report_cryoem
from lieapp.cryoem.spec import CryoemJob
from lieapp.engine.quantity import ABSCISSAE, EVALUATIONS, Quantity, quantities_by_column
from lieapp.engine.recording import Recording
from lieapp.export.alignment_figures import draw_progress
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.cryoem_figures import draw_reconstruction_progress
from lieapp.export.landscape_figures import LandscapeResult, draw_landscape_progress
from lieapp.export.quantities import QUANTITIES, curves_of, quantity
from lieapp.export.reconstruction import Reconstruction
from lieapp.landscapes.quantities import LANDSCAPE_QUANTITIES, NETWORK_QUANTITIES
from tests.conftest import PROJECT

TABLES = {
    "align": (*ALIGN_QUANTITIES, *ABSCISSAE),
    "landscape": (*LANDSCAPE_QUANTITIES, *ABSCISSAE),
    "network": (*NETWORK_QUANTITIES, *ABSCISSAE),
    "cryoem": (*CRYOEM_QUANTITIES, *CRYOEM_ABSCISSAE),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_names_every_column_once(name: str) -> None:
    table = TABLES[name]
    assert len({each.column for each in table}) == len({each.title for each in table}) == len(table)
    for each in table:
        assert each.title and each.label and each.unit == each.unit.strip()
        assert 0.0 < each.floor < 1.0


def test_those_of_a_problem_stand_instead_of_those_of_every_run() -> None:
    own = Quantity("evaluations", "products", "products computed")
    known = quantities_by_column([own])
    assert known["evaluations"] is own
    assert quantities_by_column([])["evaluations"] is EVALUATIONS
    assert known["step"].whole and not known["seconds"].whole


@pytest.mark.parametrize("shown", [*ALIGN_QUANTITIES, *ABSCISSAE], ids=lambda each: each.column)
def test_paper_shows_a_column_as_the_screen_does(hinge: AlignmentResult, shown: Quantity) -> None:
    assert QUANTITIES[shown.column] is shown
    (axes,) = draw_progress(curves_of([hinge]), ordinate=shown.column).axes
    assert axes.get_xlabel() == EVALUATIONS.label
    assert axes.get_ylabel() == (f"{shown.label} ({shown.unit})" if shown.unit else shown.label)
    assert axes.get_yscale() == ("log" if shown.logarithmic else "linear")


def test_a_network_has_the_words_of_networks() -> None:
    found = landscape("transformer", optimizer="sgd", steps=2)
    result = LandscapeResult("SGD", found.job, found.recording, found.report)
    figure = draw_landscape_progress([result])
    titles = {each.column: each.title for each in (*LANDSCAPE_QUANTITIES, *NETWORK_QUANTITIES)}
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == [titles[column] for column in ("loss", "validation_loss", "gradient_norm")]
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "linear", "log"]
    assert figure.axes[-1].get_xlabel() == EVALUATIONS.label


def test_a_gap_is_drawn_down_to_its_floor() -> None:
    shown = CRYOEM_QUANTITIES[0]
    job = CryoemJob(box=16, images=10, epochs=1.0)
    recording = Recording({"reconstruction": {"box": 16, "pixel_size_angstrom": 4.0}})
    for cost, gap in enumerate((1.0, np.nan, 1e-3, 0.0)):
        recording.append({"evaluations": float(cost), "loss": 1.0, "loss_gap": gap}, {"map": np.zeros((2, 2, 2))})
    result = Reconstruction("SGD", job, recording, report_cryoem(job, recording))
    (axes,) = draw_reconstruction_progress([result]).axes
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), [0.0, 2.0, 3.0])
    np.testing.assert_array_equal(line.get_ydata(), [1.0, 1e-3, shown.floor])
    assert (axes.get_xlabel(), axes.get_ylabel()) == (EVALUATIONS.label, shown.label)


def test_an_unknown_column_has_its_own_name() -> None:
    shown = quantity("some_other_number")
    assert (shown.title, shown.label, shown.unit) == ("some other number", "some other number", "")


def test_words_of_axes_are_typed_once() -> None:
    """A label that somebody types again would drift from its table."""
    labels = {each.label for table in TABLES.values() for each in table if each.label != each.title}
    found = {
        (str(path.relative_to(PROJECT)), label)
        for path in _modules()
        for label in labels
        if f'"{label}"' in path.read_text(encoding="utf-8")
    }
    assert found == set()


def _modules() -> list[Path]:
    tables = {"quantity.py", "quantities.py"}
    paths = [path for folder in ("gui", "export", "cli") for path in (PROJECT / "lieapp" / folder).rglob("*.py")]
    return [path for path in sorted(paths) if path.name not in tables]
