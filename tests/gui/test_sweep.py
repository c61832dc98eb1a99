"""The tab Sweep as a user drives it, with real runs."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QToolButton

from lieapp.gui.application.messages import Message
from lieapp.gui.landscape.studies import LandscapeStudies
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.window.main_window import MainWindow

TIMEOUT = 60_000


@pytest.fixture
def bench(window: MainWindow, qtbot) -> LandscapeWorkbench:
    """The workbench with the saddle and SGD, at the tab Sweep."""
    window.actions_["workbench_landscape"].trigger()
    made = window.landscape
    assert made is not None
    choose(made, optimizer="sgd", evaluations=60.0)
    next(button for button in made.tabs.row.findChildren(QToolButton) if button.text() == "Sweep").click()
    qtbot.waitUntil(lambda: made.studies.sweep.isVisible(), timeout=TIMEOUT)
    return made


@pytest.fixture
def studies(bench: LandscapeWorkbench) -> LandscapeStudies:
    return bench.studies


def choose(bench: LandscapeWorkbench, **changes: object) -> None:
    bench.controller.set_choices(replace(bench.controller.choices, overrides={}, **changes))  # type: ignore[arg-type]
    bench.controller.choices_changed.emit()


def write(studies: LandscapeStudies, low: str, high: str, values: int, seeds: int) -> None:
    panel = studies.sweep
    panel.low.setText(low)
    panel.high.setText(high)
    panel.count.setValue(values)
    panel.seeds.setValue(seeds)
    panel.low.editingFinished.emit()


def test_offers_the_numbers_of_the_optimiser_about_their_present_values(
    bench: LandscapeWorkbench, studies: LandscapeStudies
) -> None:
    panel = studies.sweep
    keys = [panel.setting.itemText(index) for index in range(panel.setting.count())]
    assert keys[0] == panel.setting.currentText() == "lr"
    assert "momentum" in keys
    lr = bench.controller.session.job().recommended()["lr"]
    assert float(panel.low.text()) < lr < float(panel.high.text())
    assert "70 runs of at most 60 evaluations, 4" in panel.words.text()
    panel.setting.setCurrentText("momentum")
    assert panel.range().scale == "linear"
    assert 0.0 <= panel.range().low < panel.range().high < 1.0
    choose(bench, optimizer="deo")
    assert panel.setting.currentText() == "base.lr"


def test_sweep_is_drawn_as_it_comes_and_told(
    bench: LandscapeWorkbench, studies: LandscapeStudies, qtbot, tmp_path: Path, messages: list[Message]
) -> None:
    panel = studies.sweep
    write(studies, "0.02", "1", 3, 4)
    with qtbot.waitSignal(studies.ended, timeout=TIMEOUT):
        panel.button.click()
    found = panel.found
    assert found.complete
    assert len(found.runs) == 12
    assert panel.words.text().startswith("SGD: 12 runs")
    bands = found.bands("escaped_at")
    x, y = panel.median.getData()
    finite = [band for band in bands if np.isfinite(band.median)]
    np.testing.assert_allclose(x, np.log10([band.value for band in finite]))
    np.testing.assert_allclose(y, [band.median for band in finite])
    missed = [f"{band.reached}/{band.runs}" for band in bands if band.reached < band.runs]
    assert missed
    assert [item.toPlainText() for item in panel.misses] == missed
    assert f"({bands[-1].reached}/4)" in panel.describe(0.0, 0.0)
    panel.measure.setCurrentIndex(2)
    assert len(panel.dots.getData()[0]) == sum(np.isfinite(run.measure("loss")) for run in found.runs)
    studies.write("sweep", tmp_path / "sweep.csv")
    qtbot.waitUntil(lambda: any(message.level == "success" for message in messages), timeout=TIMEOUT)
    rows = list(csv.DictReader((tmp_path / "sweep.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["loss"]) for row in rows] == [run.loss for run in found.runs]


def test_stop_keeps_the_runs_that_ended(studies: LandscapeStudies, qtbot) -> None:
    panel = studies.sweep
    write(studies, "0.001", "0.01", 50, 20)
    panel.button.click()
    qtbot.waitUntil(lambda: panel.found is not None and len(panel.found.runs) > 2, timeout=TIMEOUT)
    with qtbot.waitSignal(studies.ended, timeout=TIMEOUT):
        panel.button.click()
    assert 2 < len(panel.found.runs) < 1000
    assert not panel.found.complete
    assert "Stopped" in panel.words.text()
    assert panel.button.text() == "Sweep"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [("0", "1", "above 0"), ("1e-3", "1e30", "at most 1e+06"), ("1", "1", "two different ends")],
)
def test_what_cannot_be_set_is_said_before_it_is_asked_for(
    studies: LandscapeStudies, low: str, high: str, words: str
) -> None:
    write(studies, low, high, 3, 2)
    assert words in studies.sweep.words.text()
    write(studies, "0.01", "0.1", 3, 2)
    assert "6 runs of at most 60 evaluations" in studies.sweep.words.text()


def test_what_cannot_be_read_is_said(studies: LandscapeStudies, qtbot, messages: list[Message]) -> None:
    write(studies, "a", "1", 3, 2)
    assert "as numbers" in studies.sweep.words.text()
    studies.sweep.button.click()
    qtbot.waitUntil(lambda: bool(messages) and "as numbers" in messages[-1].text, timeout=TIMEOUT)
    write(studies, "0,01", "1", 3, 2)
    assert studies.sweep.range().low == 0.01


def test_a_setting_out_of_bounds_is_reported(studies: LandscapeStudies, qtbot, messages: list[Message]) -> None:
    studies.sweep.setting.setCurrentText("momentum")
    write(studies, "0.5", "2", 3, 2)
    with qtbot.waitSignal(studies.ended, timeout=TIMEOUT):
        studies.sweep.button.click()
    qtbot.waitUntil(lambda: bool(messages) and "momentum" in messages[-1].text, timeout=TIMEOUT)
    assert studies.desk.free
