"""The tabs Basins and Spectrum as a user drives them, with real computations."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QToolButton

from lieapp.gui.application.messages import Message
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.window.main_window import MainWindow
from lieapp.landscapes.basins import PENDING
from tests.gui.pointing import pixel

TIMEOUT = 60_000


@pytest.fixture
def bench(window: MainWindow, qtbot) -> LandscapeWorkbench:
    """The workbench with Himmelblau and SGD, at the tab Basins."""
    window.actions_["workbench_landscape"].trigger()
    made = window.landscape
    assert made is not None
    choose(made, landscape="himmelblau", optimizer="sgd", start=None)
    show(made, "Basins")
    qtbot.waitUntil(lambda: made.studies.basins.isVisible(), timeout=TIMEOUT)
    return made


def choose(bench: LandscapeWorkbench, **changes: object) -> None:
    bench.controller.set_choices(replace(bench.controller.choices, overrides={}, **changes))  # type: ignore[arg-type]
    bench.controller.choices_changed.emit()


def show(bench: LandscapeWorkbench, title: str) -> None:
    """Press a tab, whose page is made when it is first shown."""
    next(button for button in bench.tabs.row.findChildren(QToolButton) if button.text() == title).click()


def mapped(bench: LandscapeWorkbench, qtbot) -> None:
    with qtbot.waitSignal(bench.studies.ended, timeout=TIMEOUT):
        bench.studies.basins.button.click()


def test_map_shows_where_every_start_ended(bench: LandscapeWorkbench, qtbot) -> None:
    plot = bench.studies.basins
    assert "151 × 151 starts in one batch" in plot.words.text()
    plot.grid.setCurrentIndex(plot.grid.findData(51))
    assert "51 × 51" in plot.words.text()
    mapped(bench, qtbot)
    found = plot.found
    assert found.complete
    assert found.reached.shape == (51, 51)
    assert [mark.sign for mark in plot.marks] == ["A", "B", "C", "D"]
    picture = plot.image.image
    assert picture.shape == (51, 51, 4)
    # One colour for each point, and the same one wherever it was reached.
    for which in found.kinds():
        assert len(np.unique(picture[found.reached == which], axis=0)) == 1
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) == len(found.kinds())
    for letter in "ABCD":
        assert f"<b>{letter}</b>" in plot.legend.text()
    assert plot.describe(3.0, 2.0).endswith("evaluations")
    assert "minimum (3, 2)" in plot.describe(2.9, 1.9)
    assert plot.describe(99.0, 0.0) == ""
    plot.coloring.setCurrentIndex(1)
    assert plot.key.isVisible()
    assert len(np.unique(plot.image.image.reshape(-1, 4), axis=0)) > 10


def test_click_on_the_map_chooses_the_start(bench: LandscapeWorkbench, qtbot) -> None:
    plot = bench.studies.basins
    plot.grid.setCurrentIndex(plot.grid.findData(21))
    mapped(bench, qtbot)
    qtbot.waitUntil(lambda: plot.view_box.viewRange()[0][0] < -5.0, timeout=TIMEOUT)  # ranges follow when drawn
    QTest.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=pixel(plot, -2.0, 3.0))
    qtbot.waitUntil(lambda: bench.controller.choices.start is not None, timeout=5000)
    assert bench.controller.start() == pytest.approx((-2.0, 3.0), abs=0.15)


def test_stop_acts_within_a_second_and_keeps_what_is_done(bench: LandscapeWorkbench, qtbot) -> None:
    choose(bench, optimizer="deo")
    plot = bench.studies.basins
    plot.button.click()
    assert bench.studies.desk.running == "basins"
    assert plot.button.text() == "Stop"
    # One thing at a time: no run may begin meanwhile.
    assert "start" not in bench.controller.states()
    assert not bench.studies.sweep.button.isEnabled()
    qtbot.waitUntil(lambda: " of 441 starts" in plot.words.text() and not plot.words.text().startswith("0 "),
                    timeout=TIMEOUT)  # fmt: skip
    begin = time.perf_counter()
    with qtbot.waitSignal(bench.studies.ended, timeout=TIMEOUT):
        plot.button.click()
    # No limit of time here beyond what shows that it did not go on to its end, which takes a minute.
    assert time.perf_counter() - begin < 15.0
    assert 0 < plot.found.count(PENDING) < 441
    assert plot.words.text().endswith("Stopped: what was done by then is kept.")
    assert "not&nbsp;computed" in plot.legend.text()
    assert plot.button.text() == "Map"
    assert "start" in bench.controller.states()


def test_a_map_grows_while_it_is_computed(bench: LandscapeWorkbench, qtbot) -> None:
    choose(bench, optimizer="deo")
    plot = bench.studies.basins
    plot.grid.setCurrentIndex(plot.grid.findData(401))
    plot.button.click()
    qtbot.waitUntil(lambda: plot.found is not None, timeout=TIMEOUT)
    first = plot.found.count(PENDING)
    assert bench.studies.desk.running == "basins" and "left" in plot.words.text()
    assert "not&nbsp;computed" in plot.legend.text() and "&gt;&nbsp;99.9&nbsp;%" in plot.legend.text()
    qtbot.waitUntil(lambda: plot.found.count(PENDING) < first, timeout=TIMEOUT)
    with qtbot.waitSignal(bench.studies.ended, timeout=TIMEOUT):
        plot.button.click()


def test_closing_the_window_ends_a_study(window: MainWindow, bench: LandscapeWorkbench, qtbot) -> None:
    choose(bench, optimizer="deo")
    bench.studies.basins.button.click()
    qtbot.waitUntil(lambda: "441 starts" in bench.studies.basins.words.text(), timeout=TIMEOUT)
    window.close()  # the fixture of all tests fails if a thread is left


def test_another_landscape_takes_the_map_away(bench: LandscapeWorkbench, qtbot) -> None:
    plot = bench.studies.basins
    plot.grid.setCurrentIndex(plot.grid.findData(21))
    mapped(bench, qtbot)
    choose(bench, landscape="strict-saddle-100")
    assert plot.found is None
    assert not plot.button.isEnabled()
    assert "surfaces over x and y" in plot.words.text()
    assert not plot.export_button.isEnabled()


def test_map_and_spectrum_are_written(
    bench: LandscapeWorkbench, qtbot, tmp_path: Path, messages: list[Message]
) -> None:
    studies = bench.studies
    studies.basins.grid.setCurrentIndex(studies.basins.grid.findData(21))
    mapped(bench, qtbot)
    for name in ("map.csv", "map.svg"):
        studies.write("basins", tmp_path / name)
    qtbot.waitUntil(lambda: sum(message.level == "success" for message in messages) == 2, timeout=TIMEOUT)
    assert len((tmp_path / "map.csv").read_text(encoding="utf-8").splitlines()) == 442
    assert (tmp_path / "map.svg").read_text(encoding="utf-8").startswith("<?xml")
    studies.write("basins", tmp_path / "missing" / "map.svg")
    qtbot.waitUntil(lambda: messages[-1].level == "error", timeout=TIMEOUT)


def test_a_study_is_written_where_the_last_export_went(
    bench: LandscapeWorkbench, window: MainWindow, qtbot, tmp_path: Path, messages: list[Message], monkeypatch
) -> None:
    studies = bench.studies
    studies.basins.grid.setCurrentIndex(studies.basins.grid.findData(21))
    mapped(bench, qtbot)
    window.preferences.set_text("export", str(tmp_path))
    asked: list[str] = []

    def ask(parent: object, title: str, suggestion: str, filters: str) -> tuple[str, str]:
        asked.append(suggestion)
        return suggestion, filters.split(";;")[0]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    studies.basins.export_button.click()
    qtbot.waitUntil(lambda: any(message.level == "success" for message in messages), timeout=TIMEOUT)
    assert asked == [str(tmp_path / "landscape_himmelblau_basins.svg")] and Path(asked[0]).is_file()
    assert messages[-1].action is not None and messages[-1].action[0] == "Open folder"


def test_spectrum_is_computed_once_for_every_run(bench: LandscapeWorkbench, qtbot) -> None:
    studies, controller = bench.studies, bench.controller
    show(bench, "Spectrum")
    assert not studies.spectrum.button.isEnabled()
    choose(bench, landscape="saddle")
    for start in ((0.5, 0.0001), (0.5, 0.1)):
        before = len(controller.runs)
        controller.set_start(start)
        controller.run()
        qtbot.waitUntil(lambda before=before: len(controller.runs) > before and not controller.running, timeout=TIMEOUT)
        controller.skip()
    assert studies.spectrum.found is None
    with qtbot.waitSignal(studies.ended, timeout=TIMEOUT):
        studies.spectrum.button.click()
    found = studies.spectrum.found
    current = controller.current
    assert current is not None
    observed = current.recording.column("lowest_curvature")[found.frames]
    np.testing.assert_allclose(found.values[:, 0], observed, atol=1e-9)
    assert "exact" in studies.spectrum.words.text()
    assert "of 2 negative" in studies.spectrum.describe(0.0, 0.0)
    controller.select(controller.runs[0])
    assert studies.spectrum.found is None
    controller.select(current)
    assert studies.spectrum.found is found
