"""The Cryo-EM workbench as a user drives it, with real reconstructions in small boxes."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea, QWidget

from lieapp.cryoem.commands import job_from_options
from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.maps import read_map
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.spec import CryoemJob
from lieapp.cryoem.writing import write_particles
from lieapp.engine.recording import Recording
from lieapp.gui.application.messages import Message
from lieapp.gui.cryoem.frame_view import FrameView
from lieapp.gui.cryoem.session import CryoemChoices, CryoemSession
from lieapp.gui.cryoem.workbench import CryoemWorkbench
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.window.main_window import MainWindow

TIMEOUT = 60_000
SMALL = {"box": 16, "images": 60, "batch": 20, "epochs": 2.0}


@pytest.fixture
def bench(window: MainWindow) -> CryoemWorkbench:
    """The workbench as it opens."""
    window.actions_["workbench_cryoem"].trigger()
    made = window.cryoem
    assert made is not None
    return made


@pytest.fixture
def small(bench: CryoemWorkbench) -> CryoemWorkbench:
    """The workbench with images that take no time."""
    bench.controller._take(replace(bench.controller.choices, **SMALL))
    return bench


@pytest.fixture
def race(small: CryoemWorkbench, qtbot) -> Callable[[], dict[str, RunEntry]]:
    """Press the main button, wait for the end, and return the entrants by their titles."""

    def run() -> dict[str, RunEntry]:
        before = len(small.controller.runs)
        small.panel.main_button.click()
        ended(small, qtbot, before + len(small.controller.entrants))
        return {entry.title: entry for entry in small.controller.runs[before:]}

    return run


def ended(bench: CryoemWorkbench, qtbot, runs: int) -> None:
    controller = bench.controller
    qtbot.waitUntil(lambda: not controller.running and len(controller.runs) >= runs, timeout=TIMEOUT)
    controller.skip()


def settled(bench: CryoemWorkbench, qtbot) -> None:
    """Show the frames at the cursor, and wait until what they need has been read."""
    bench.refresh_views()
    views: list[FrameView] = [bench.slices, bench.images, bench.filling, bench.fsc, bench.errors, bench.sampling]
    qtbot.waitUntil(lambda: not any(view.work.busy for view in (*views, bench.maps.slices)), timeout=TIMEOUT)


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window.dropEvent(
        QDropEvent(
            QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def test_it_opens_with_the_race_of_the_paper(bench: CryoemWorkbench, window: MainWindow) -> None:
    choices = bench.controller.choices
    assert (choices.box, choices.images, choices.ctf, choices.views) == (32, 1000, False, "uniform")
    assert [entrant.name for entrant in bench.controller.entrants] == ["SGD", "Hutchinson", "Row sum"]
    assert bench.controller.session.budget() == 100.0
    assert bench.panel.main_button.text() == "Race" and bench.panel.main_button.isEnabled()
    assert window.focusWidget() is bench.panel.main_button
    assert bench.strip.buttons["preset_sharper"].text() == "Sharper: box 64"
    assert "Press Race" in bench.strip.caption.text()
    assert not any(widget.isVisible() for widget in window.header.file_tools)


def test_what_will_be_reconstructed_is_seen_before_a_run(
    small: CryoemWorkbench, qtbot, race: Callable[[], dict[str, RunEntry]]
) -> None:
    bench, controller, maps = small, small.controller, small.maps
    qtbot.waitUntil(lambda: controller.preview is not None and controller.preview.box == 16, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not maps.maker.busy and maps.first.columns[0].pictures[0].values.shape == (16, 16))
    assert not controller.runs, "nothing was computed"
    assert [column.title for column in maps.first.columns] == [*(f"Image {k}" for k in range(1, 9)), "Views"]
    assert maps.first.columns[-1].note == "of all 60" and maps.first.isVisible()
    assert [shown.title for shown in maps.captions.shown] == ["Truth"]
    QTest.mouseMove(maps.first, maps.first.cell(0, 0).center().toPoint())
    qtbot.waitUntil(lambda: bench.readout.text().startswith("Image 1: x"), timeout=TIMEOUT)
    if not maps.viewer.banner_text:
        assert maps.viewer.scene.count == 1 and maps.level_row.isVisible()
    # Where there is no room for both, the map is shown whole; the images have a page of their own.
    size = maps.size()
    maps.resize(40 * maps.fontMetrics().averageCharWidth(), size.height())
    assert not maps.first.isVisible() and maps.stack.isVisible()
    maps.resize(size)
    assert maps.first.isVisible()
    bench.views.show_page(1)
    settled(bench, qtbot)
    assert [column.title for column in bench.slices.columns] == ["Truth"]
    bench.views.show_page(2)
    bench.tabs.show_page(3)
    bench.refresh_views()
    qtbot.waitUntil(lambda: len(bench.images.grid.columns) == 2, timeout=TIMEOUT)
    assert "of 60" in bench.images.count.text()
    assert [column.title for column in bench.sampling.pictures.columns] == ["Views"]
    bench.views.show_page(0)
    race()
    bench.refresh_views()
    assert controller.preview is None and not maps.first.isVisible()
    assert len(maps.captions.shown) == 4


def test_why_nothing_can_be_seen_is_said_in_its_place(bench: CryoemWorkbench, tmp_path: Path, qtbot) -> None:
    gone = tmp_path / "gone.mrc"
    bench.controller._take(replace(bench.controller.choices, source="map", map=str(gone), **SMALL))
    qtbot.waitUntil(lambda: str(gone) in bench.maps._empty.text(), timeout=TIMEOUT)
    assert bench.maps._empty.isVisible() and bench.controller.preview is None


def test_a_race_shows_that_preconditioning_helps(
    small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]]
) -> None:
    runs = race()
    assert set(runs) == {"SGD", "Hutchinson", "Row sum"}
    gaps = {title: run.metric_value() for title, run in runs.items()}
    assert gaps["Row sum"] is not None and gaps["SGD"] is not None and gaps["Row sum"] < gaps["SGD"]
    # The images and what they are compared with are made once, for all entrants.
    sources = {id(run.inputs) for run in runs.values()}
    assert len(sources) == 1
    baselines = small.controller.source.baselines
    assert baselines is not None and baselines.images == 60 and baselines.box == 16
    assert small.plots.reference.isVisible() and baselines.minimiser is not None
    assert baselines.minimiser.loss_gap == pytest.approx(0.0, abs=1e-6)
    caption = small.strip.caption.text()
    assert "Row sum after" in caption and f"{baselines.one_pass.loss_gap:.2g}" in caption
    assert small.controller.current is min(runs.values(), key=lambda run: run.metric_value() or np.inf)
    assert small.controller.frame == small.controller.frames - 1
    assert "unknown poses" in small.one_pass.words
    assert len({(run.color, run.dash) for run in runs.values()}) == 3


def test_views_follow_the_cursor(small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]], qtbot) -> None:
    runs = race()
    controller = small.controller
    row_sum = runs["Row sum"]
    controller.select(row_sum)
    controller.show_frame(2)
    small.views.show_page(1)
    settled(small, qtbot)
    columns = {column.title: column for column in small.slices.columns}
    assert list(columns) == ["Truth", "SGD", "Hutchinson", "Row sum"]
    values = row_sum.recording.state(2)["map"]
    assert np.array_equal(columns["Row sum"].pictures[0].values, values[8])
    assert np.array_equal(columns["Row sum"].pictures[2].values, values[:, :, 8])
    levels = {picture.levels for column in columns.values() for picture in column.pictures}
    assert len(levels) == 1, "all at the same grey levels"
    # The others stand where they had cost as much.
    cost = row_sum.value("evaluations", 2) or 0.0
    sgd = runs["SGD"].recording.state(runs["SGD"].frame_at_cost(cost))["map"]
    assert np.array_equal(columns["SGD"].pictures[1].values, sgd[:, 8])
    small.run_bar.slider.setValue(0)
    settled(small, qtbot)
    assert np.array_equal(small.slices.columns[3].pictures[0].values, row_sum.recording.state(0)["map"][8])
    runs["SGD"].visible = False
    settled(small, qtbot)
    assert [column.title for column in small.slices.columns] == ["Truth", "Hutchinson", "Row sum"]


def test_no_frame_is_read_on_the_thread_of_the_window(
    small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]], monkeypatch: pytest.MonkeyPatch, qtbot
) -> None:
    """Frames of large maps lie on the disk: whatever page is shown, the window does not wait for them."""
    race()
    readers: set[tuple[str, str]] = set()
    state = Recording.state

    def watched(recording: Recording, index: int, only: Collection[str] | None = None) -> dict[str, np.ndarray]:
        readers.update((threading.current_thread().name, name) for name in only or recording.state_keys)
        return state(recording, index, only)

    monkeypatch.setattr(Recording, "state", watched)
    for frame in (0, 2):
        for page in range(4):
            small.controller.show_frame(frame)
            small.views.show_page(page)
            small.tabs.show_page(page)
            settled(small, qtbot)
            qtbot.waitUntil(lambda: not small.maps.maker.busy, timeout=TIMEOUT)
    assert threading.main_thread().name not in {thread for thread, _ in readers}
    assert {name for _, name in readers} >= {"map", "preconditioner", "fsc_truth", "shell_error"}


def test_what_was_read_of_other_runs_is_not_shown(
    small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]], monkeypatch: pytest.MonkeyPatch, qtbot
) -> None:
    runs = race()
    small.views.show_page(1)
    small.controller.show_frame(1)
    settled(small, qtbot)
    shown: list[list[str]] = []
    show = small.slices.show_columns
    monkeypatch.setattr(small.slices, "show_columns", lambda columns, empty="": (shown.append(
        [f"{column.title} {column.note}" for column in columns]), show(columns, empty)))  # fmt: skip
    reading, go, state = threading.Event(), threading.Event(), Recording.state

    def slow(recording: Recording, index: int, only: Collection[str] | None = None) -> dict[str, np.ndarray]:
        if only == ("map",) and threading.current_thread().name == "lieapp-slices":
            reading.set()
            go.wait(20.0)
        return state(recording, index, only)

    monkeypatch.setattr(Recording, "state", slow)
    # While a frame is being read, a run is hidden: its map must not come any more.
    small.controller.show_frame(3)
    qtbot.waitUntil(reading.is_set, timeout=TIMEOUT)
    runs["SGD"].visible = runs["Hutchinson"].visible = False
    small.controller.select(runs["Row sum"])
    small.refresh_views()
    go.set()
    settled(small, qtbot)
    assert shown and all(len(titles) == 2 for titles in shown), shown
    # Back at the frame that is shown already, the one under way is forgotten.
    reading.clear()
    go.clear()
    before = [column.note for column in small.slices.columns]
    frame = small.controller.frame
    small.controller.show_frame(frame - 1)
    qtbot.waitUntil(reading.is_set, timeout=TIMEOUT)
    small.controller.show_frame(frame)
    go.set()
    count = len(shown)
    settled(small, qtbot)
    qtbot.wait(50)
    assert len(shown) == count and [column.note for column in small.slices.columns] == before


def test_plots_over_resolution(small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]], qtbot) -> None:
    run = race()["Row sum"]
    small.controller.select(run)
    small.controller.show_frame(3)
    for page in range(1, 4):
        small.tabs.show_page(page)
        settled(small, qtbot)
    state = run.recording.state(3)
    curves = {curve.title: curve.values for curve in small.fsc.curves}
    assert np.allclose(curves["Row sum"], state["fsc_truth"])
    assert {"exact minimiser", "one pass", "SGD", "Hutchinson"} <= set(curves)
    assert "Falls below 0.5 and 0.143 at" in small.fsc.caption.words and "Å" in small.fsc.caption.words
    errors = {curve.title: curve.values for curve in small.errors.curves.curves}
    assert np.allclose(errors["Row sum"], state["shell_error"])
    picture = small.errors.picture
    assert picture.item.image.shape == (run.frames, len(state["shell_error"]) - 1)
    assert picture.cursor_line.value() == run.value("epoch", 3)
    condition = {curve.title: curve.values for curve in small.sampling.condition.curves}
    bound = condition.pop("4R/3, uniform views without CTF")
    assert bound[6] == 8.0 and (condition["condition number"][2:6] > bound[2:6]).all()
    assert [column.title for column in small.sampling.pictures.columns] == ["Views", "Preconditioner"]


def test_images_beside_reprojections(small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]], qtbot) -> None:
    race()
    small.views.show_page(2)
    small.refresh_views()
    small.images.number.setValue(7)
    qtbot.waitUntil(lambda: bool(small.images.grid.columns) and small.images.grid.columns[0].title == "Image 7",
                    timeout=TIMEOUT)  # fmt: skip
    columns = small.images.grid.columns
    assert [column.title for column in columns] == ["Image 7", "Truth", "SGD", "Hutchinson", "Row sum"]
    particles = small.controller.source.inputs.particles
    assert np.array_equal(columns[0].pictures[0].values, particles.images[6])
    for column in columns[1:]:
        shown, residual = (picture.values for picture in column.pictures)
        assert np.allclose(shown + residual, particles.images[6], atol=1e-4)
    correlation = np.corrcoef(columns[1].pictures[0].values.ravel(), particles.images[6].ravel())[0, 1]
    assert correlation > 0.5, "half of its variance is signal"


def test_slices_fill_fourier_space(small: CryoemWorkbench, race: Callable[[], dict[str, RunEntry]], qtbot) -> None:
    runs = race()
    small.controller.select(runs["Row sum"])
    small.views.show_page(3)
    for frame, seen in ((0, 0), (1, 20), (2, 40), (3, 60), (5, 60)):
        small.controller.show_frame(frame)
        settled(small, qtbot)
        assert small.filling.columns[0].note == f"{seen} of 60 images"
    titles = [column.title for column in small.filling.columns]
    assert titles == ["Slices seen", "Hutchinson", "Row sum"], "SGD divides by nothing"


def test_a_slider_races_again_at_box_32(bench: CryoemWorkbench, qtbot) -> None:
    controller = bench.controller
    controller._take(replace(controller.choices, box=48, images=60, batch=30, epochs=1.0))
    bench.panel.snr.setValue(bench.panel.snr.maximum())
    bench.panel.snr.settled.emit(bench.panel.snr.chosen)
    ended(bench, qtbot, 3)
    assert {(run.job.box, run.job.snr, run.job.images) for run in controller.runs} == {(32, 100.0, 60)}
    assert bench.panel.box.value() == 32
    # While a race is under way, a slider ends it and starts anew.
    bench.panel.preferred.settled.emit(0.9)
    qtbot.waitUntil(lambda: controller.running, timeout=TIMEOUT)
    bench.panel.snr.show_value(1.0)
    bench.panel._set(snr=1.0)
    bench.panel.slider_settled.emit()
    qtbot.waitUntil(
        lambda: not controller.running and not controller._again and controller.runs[-1].job.snr == 1.0, timeout=TIMEOUT
    )
    last = controller.runs[-1].job
    assert (last.views, last.view_fraction) == ("preferred", 0.9)
    assert all(run.visible == (run.job.snr == 1.0) for run in controller.runs)


def test_stopping_while_images_are_simulated(small: CryoemWorkbench, window: MainWindow, qtbot) -> None:
    controller = small.controller
    window.actions_["race"].trigger()
    assert controller.running
    window.actions_["stop"].trigger()
    assert not controller.running and controller.runs == []
    small.panel.main_button.click()
    ended(small, qtbot, 3)
    assert len(controller.runs) == 3


def test_run_step_and_pause(small: CryoemWorkbench, window: MainWindow, qtbot) -> None:
    window.actions_["step"].trigger()
    qtbot.waitUntil(lambda: small.controller.frames == 2, timeout=TIMEOUT)
    window.actions_["pause"].trigger()
    qtbot.waitUntil(lambda: not small.controller.running, timeout=TIMEOUT)
    run = small.controller.current
    assert run is not None and run.title == "Hutchinson" and run.frames == 7  # two epochs of three batches
    assert run.report is not None and run.report.epochs == 2.0


def test_recommended_settings_follow_the_preconditioner(small: CryoemWorkbench, window: MainWindow, qtbot) -> None:
    panel = small.panel
    assert panel.form.editors["lr"].value() == 0.3
    panel.preconditioner.show_value("row-sum")
    panel.preconditioner.chosen.emit("row-sum")
    assert panel.form.editors["lr"].value() == 1.0
    panel.form.editors["lr"].set_override(0.5)
    window.actions_["add_to_race"].trigger()
    assert small.controller.entrants[-1].name == "Row sum, lr 0.5"
    assert small.controller.entrants[-1].job.optimizer.overrides == {"lr": 0.5}
    panel.optimizer.chosen.emit("complex-adam")
    assert not panel._method_part.isVisible()
    window.actions_["align"].trigger()
    ended(small, qtbot, 1)
    run = small.controller.runs[0]
    assert run.job.optimizer.name == "complex-adam" and run.outcome_text() == "limit"
    panel.optimizer.chosen.emit("sgd")
    window.actions_["apply_settings"].trigger()
    assert small.controller.choices.optimizer == "complex-adam" and small.controller.choices.epochs == 2.0


def test_half_maps_prior_and_start(small: CryoemWorkbench, window: MainWindow, tmp_path: Path, qtbot) -> None:
    small.panel._set(half_sets=True, prior="wiener", start="zero")
    window.actions_["align"].trigger()
    ended(small, qtbot, 1)
    run = small.controller.runs[0]
    state = run.recording.state(run.frames - 1)
    assert state["half_maps"].shape == (2, 16, 16, 16) and "from zero" in run.title
    small.tabs.show_page(1)
    settled(small, qtbot)
    assert any("half maps" in curve.title for curve in small.fsc.curves)
    exports = window.exports["cryoem"]
    exports.write("export_half_maps", tmp_path / "halves")
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("halves/*.mrc"))) == 2 and not small.controller.exporting,
                    timeout=TIMEOUT)  # fmt: skip


def test_everything_is_exported_and_reads_back(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot,
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    runs = race()
    folder = tmp_path / "out"
    window.exports["cryoem"].write("export", folder)
    qtbot.waitUntil(lambda: any("files written" in message.text for message in messages), timeout=TIMEOUT)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {
        "race.csv",
        "truth.mrc",
        "one_pass.mrc",
        "minimiser.mrc",
        "figures/progress.svg",
        "figures/fsc.pdf",
    } <= names
    assert {
        "3-row-sum/map.mrc",
        "3-row-sum/report.json",
        "figures/slices.png",
        "figures/shell_error_epochs.png",
    } <= names
    run = runs["Row sum"]
    density = read_map(folder / "3-row-sum" / "map.mrc")
    assert np.array_equal(density.values, run.recording.state(run.frames - 1)["map"])
    baselines = small.controller.source.baselines
    assert density.pixel_size_angstrom == pytest.approx([baselines.pixel_size_angstrom] * 3, rel=1e-6)
    particles = read_particles(folder / "particles" / "particles.star")
    assert len(particles) == 60 and particles.box == 16
    assert np.allclose(particles.rotations, small.controller.source.inputs.particles.rotations, atol=1e-5)
    with open(folder / "race.csv", encoding="utf-8") as stream:
        assert {row["run"] for row in csv.DictReader(stream)} == set(runs)
    # A frame in between says so in its name.
    small.controller.select(run)
    small.controller.show_frame(2)
    assert window.exports["cryoem"].stem("export_map") == "cryoem_barrel_row-sum_step2"
    messages.clear()
    window.exports["cryoem"].write("export_map", tmp_path / "two.mrc")
    window.exports["cryoem"].write("export_fsc", tmp_path / "two.csv")
    window.exports["cryoem"].write("export_plot_json", tmp_path / "runs.json")
    qtbot.waitUntil(lambda: len(messages) == 3, timeout=TIMEOUT)
    assert np.array_equal(read_map(tmp_path / "two.mrc").values, run.recording.state(2)["map"])
    assert [each["title"] for each in json.loads((tmp_path / "runs.json").read_text())["runs"]] == list(runs)
    messages.clear()
    window.exports["cryoem"].write("export_half_maps", tmp_path / "none")
    qtbot.waitUntil(lambda: bool(messages))
    assert "no half maps" in messages[0].text


def test_the_picture_of_every_view_can_be_written(
    small: CryoemWorkbench, window: MainWindow, tmp_path: Path, race: Callable[[], dict[str, RunEntry]]
) -> None:
    race()
    for page in (1, 3):
        small.views.show_page(page)
        small.refresh_views()
        window.exports["cryoem"].write_picture(tmp_path / f"{page}.png")
        assert (tmp_path / f"{page}.png").stat().st_size > 2000


def test_exported_particles_are_dropped_and_reconstructed(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot,
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    race()
    window.exports["cryoem"].write("export_particles", tmp_path)
    star = tmp_path / "particles.star"
    qtbot.waitUntil(lambda: any("files written" in message.text for message in messages), timeout=TIMEOUT)
    window.actions_["workbench_align"].trigger()
    drop(window, star)
    assert window.shown is small
    qtbot.waitUntil(lambda: small.controller.choices.source == "particles", timeout=TIMEOUT)
    choices = small.controller.choices
    assert (choices.box, choices.images, choices.ctf) == (16, 60, False)
    assert "60 particles of 16 pixels" in small.panel.line.text() and not small.panel.snr.isVisible()
    assert small.controller.runs_of_scene() == []
    # There is no truth: half maps tell the resolution.
    assert (
        choices.half_sets
        and choices.prior == "wiener"
        and "60 particles" in small.strip.caption.text()
        and "FSC" in small.strip.caption.text()
    )
    # The command line decides the same where nothing is said.
    job, said = small.controller.session.job(), job_from_options(particles=str(star))
    assert job.chosen_prior == said.chosen_prior
    assert job.takes_half_sets(possible=True) == said.takes_half_sets(possible=True)
    qtbot.waitUntil(lambda: len(small.maps.first.columns) == 12, timeout=TIMEOUT)
    assert small.maps.first.isVisible() and not small.maps.stack.isVisible()
    small.controller._take(replace(choices, epochs=2.0))
    before = len(small.controller.runs)
    small.panel.main_button.click()
    ended(small, qtbot, before + 3)
    run = small.controller.runs[-1]
    assert run.job.particles == str(star) and run.inputs.baselines.truth is None
    small.views.show_page(1)
    small.tabs.show_page(1)
    settled(small, qtbot)
    assert small.slices.columns[0].title == "One pass"
    assert "between half maps" in small.fsc.caption.words and "one pass" not in small.fsc.caption.words
    window.actions_["copy_command"].trigger()
    assert "--particles" in QGuiApplication.clipboard().text()
    assert str(star) in window.preferences.recent_files()


def test_a_stack_outside_its_folder_asks(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot,
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    race()
    window.exports["cryoem"].write("export_particles", tmp_path / "stack")
    star = tmp_path / "stack" / "particles.star"
    qtbot.waitUntil(lambda: any("files written" in message.text for message in messages), timeout=TIMEOUT)
    away = tmp_path / "elsewhere" / "moved.star"
    away.parent.mkdir()
    away.write_text(star.read_text().replace("particles.mrcs", "../stack/particles.mrcs"))
    messages.clear()
    before = small.controller.choices
    drop(window, away)
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages[0].level == "warning" and "outside its folder" in messages[0].text
    assert small.controller.choices == before
    assert messages[0].action is not None
    messages[0].action[1]()
    qtbot.waitUntil(lambda: small.controller.choices.source == "particles", timeout=TIMEOUT)
    assert small.controller.choices.allow_outside and small.controller.quiet_job().allow_outside


def test_particles_without_a_pixel_size_ask_for_it(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot,
    monkeypatch: pytest.MonkeyPatch, race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    import mrcfile
    from PySide6.QtWidgets import QInputDialog

    race()
    window.exports["cryoem"].write("export_particles", tmp_path)
    star = tmp_path / "particles.star"
    qtbot.waitUntil(lambda: any("files written" in message.text for message in messages), timeout=TIMEOUT)
    with mrcfile.open(tmp_path / "particles.mrcs", "r+") as stack:
        stack.voxel_size = 0.0
    text = star.read_text()
    place = next(line for line in text.splitlines() if line.startswith("_rlnImagePixelSize"))
    star.write_text(text.replace(place, place.replace("ImagePixelSize", "SomethingElse")))
    messages.clear()
    before = small.controller.choices
    drop(window, star)
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert len(messages) == 1 and "how large its pixels are" in messages[0].text
    assert small.controller.choices == before and messages[0].action is not None
    monkeypatch.setattr(QInputDialog, "getDouble", lambda *arguments: (2.5, True))
    messages[0].action[1]()
    qtbot.waitUntil(lambda: small.controller.choices.source == "particles", timeout=TIMEOUT)
    assert small.controller.quiet_job().pixel_size_angstrom == 2.5
    assert "of 2.5 Å" in small.panel.line.text()


def test_bad_files_are_one_message_and_lose_nothing(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot,
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    race()
    state = (small.controller.choices, list(small.controller.runs), small.controller.current, small.controller.frame)
    for name, content in {
        "noise.star": b"no star at all",
        "empty.cs": b"",
        "short.mrc": b"MAP " * 40,
        "gone.map": None,
        "stack.mrcs": b"MAP " * 400,
        "none.pdb": b"HEADER\nEND\n",
        "picture.png": b"no picture",
        "folder": None,
    }.items():
        path = tmp_path / name
        if name == "folder":
            path.mkdir()
        if content is not None:
            path.write_bytes(content)
        messages.clear()
        drop(window, path)
        qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
        qtbot.wait(20)
        assert len(messages) == 1 and messages[0].level == "error", name
        assert name in messages[0].text and "\n" not in messages[0].text
        now = (small.controller.choices, list(small.controller.runs), small.controller.current, small.controller.frame)
        assert now == state, name


def test_a_stack_leads_to_its_particle_file(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot,
) -> None:  # fmt: skip
    star = write_particles(load_inputs(CryoemJob(box=16, images=10)).particles, tmp_path)
    stack = star.with_suffix(".mrcs")
    drop(window, stack)
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert "poses are in another file" in messages[0].text and messages[0].action is not None
    assert messages[0].action[0] == "Open particles.star"
    messages[0].action[1]()
    qtbot.waitUntil(lambda: small.controller.choices.particles == str(star), timeout=TIMEOUT)
    small.controller.choose_source("phantom", "barrel")
    assert small.controller.choices.source == "phantom" and not small.controller.choices.half_sets
    assert small.controller.choices.batch == 100
    window.actions_["workbench_align"].trigger()
    drop(window, stack, star)  # people drop what belongs together
    assert window.shown is small
    qtbot.waitUntil(lambda: small.controller.choices.source == "particles", timeout=TIMEOUT)


def test_a_map_without_a_voxel_size_is_told(
    small: CryoemWorkbench, window: MainWindow, messages: list[Message], tmp_path: Path, qtbot
) -> None:
    import mrcfile

    values = np.random.default_rng(0).normal(size=(16, 16, 16)).astype(np.float32)
    with mrcfile.new(tmp_path / "bare.mrc") as file:
        file.set_data(values)
    drop(window, tmp_path / "bare.mrc")
    qtbot.waitUntil(lambda: small.controller.choices.source == "map" and bool(messages), timeout=TIMEOUT)
    assert [message.level for message in messages] == ["warning"]
    assert "bare.mrc" in messages[0].text and "1 Å is assumed" in messages[0].text


def test_structures_of_the_other_workbench_can_be_simulated(
    paired: MainWindow, qtbot, hinge: tuple[Path, Path]
) -> None:
    paired.actions_["workbench_cryoem"].trigger()
    bench = paired.cryoem
    assert bench is not None
    key = f"structure:{hinge[0]}"
    assert bench.panel.source.findData(key) > 0
    bench.panel.source.chosen.emit(key)
    qtbot.waitUntil(lambda: bench.controller.choices.source == "structure", timeout=TIMEOUT)
    assert bench.controller.quiet_job().phantom == str(hinge[0])
    bench.controller._take(replace(bench.controller.choices, **SMALL))
    paired.actions_["align"].trigger()
    ended(bench, qtbot, 1)
    assert bench.controller.runs[0].inputs.inputs.name == "hinge_open"


def test_a_preset_keeps_what_is_simulated(bench: CryoemWorkbench, qtbot) -> None:
    from lieapp.cryoem.spec import PRESETS

    controller = bench.controller
    controller.choose_source("phantom", "bundle")
    controller.take_preset(PRESETS[1])
    choices = controller.choices
    assert (choices.phantom, choices.box, choices.images) == ("bundle", 64, 2000)
    assert controller.session.budget() == 200.0
    assert bench.panel.box.value() == 64 and bench.panel.images.chosen == 2000
    controller.take_preset(PRESETS[2])
    assert (controller.choices.views, controller.choices.ctf) == ("preferred", True)
    assert bench.panel.defocus.isVisible() and bench.panel.preferred.chosen == 0.9


def test_jobs_make_the_choices_again() -> None:
    session = CryoemSession()
    session.choices = CryoemChoices(
        phantom="globule", box=24, images=300, snr=0.2, ctf=True, defocus_angstrom=(5000.0, 9000.0),
        views="preferred", view_fraction=0.5, half_sets=True, prior="wiener", start="one-pass",
        preconditioner="exact", overrides={"lr": 0.4}, epochs=3.0, batch=30, seed=5,
    )  # fmt: skip
    assert session.choices_of(session.job()) == session.choices
    entry = session.race_entries()[0]
    assert entry.job.limits.evaluations == session.budget() == 30.0
    assert session.choices_of(entry.job).epochs == 3.0
    session.choices = CryoemChoices(source="particles", particles="some.star", box=24)
    assert session.job().particles == "some.star" and session.job().phantom == CryoemJob().phantom


def test_copies_repeat_the_run(small: CryoemWorkbench, window: MainWindow, race) -> None:
    run = race()["Hutchinson"]
    small.controller.select(run)
    window.actions_["copy_command"].trigger()
    command = QGuiApplication.clipboard().text()
    assert command.startswith("lieapp cryoem") and "--box 16" in command and "--evaluations 6" in command
    window.actions_["copy_python"].trigger()
    code = QGuiApplication.clipboard().text()
    names: dict[str, object] = {}
    exec(code.replace("print(", "result = ("), names)
    assert json.loads(str(names["result"]))["loss_gap"] == pytest.approx(run.metric_value(), rel=1e-4)


def test_help_is_of_this_workbench(bench: CryoemWorkbench, window: MainWindow, qtbot) -> None:
    from lieapp.gui.window.help_page import HelpDialog

    window.actions_["help"].trigger()
    dialog = next(child for child in window.findChildren(HelpDialog))
    assert "Cryo-EM workbench" in dialog.text.toPlainText()
    dialog.close()


@pytest.mark.gl
def test_maps_fill_their_view_in_every_shape_unless_zoomed(bench: CryoemWorkbench, window: MainWindow, qtbot) -> None:
    viewer, scene = bench.maps.viewer, bench.maps.viewer.scene
    qtbot.waitUntil(lambda: scene.count == 1 and viewer.available and bool(viewer.paint_times), timeout=TIMEOUT)

    def shape(height: int) -> float:
        """Give the window another height; return the half height that is seen once that is painted."""
        painted, tall = len(viewer.paint_times), viewer.height()
        window.resize(1280, height)
        qtbot.waitUntil(lambda: viewer.height() != tall and len(viewer.paint_times) > painted, timeout=TIMEOUT)
        qtbot.wait(100)
        return scene.viewpoint.half_height * viewer.width() / viewer.height()

    low = shape(1000)
    assert shape(1300) == pytest.approx(low), "as wide as before"
    scene.viewpoint = scene.viewpoint.zoomed(2.0)
    zoomed = scene.viewpoint.half_height
    shape(1000)
    assert scene.viewpoint.half_height == zoomed


@pytest.mark.gl
def test_maps_are_contoured_at_one_level_and_follow_the_cursor(
    small: CryoemWorkbench, qtbot, race: Callable[[], dict[str, RunEntry]]
) -> None:
    run = race()["Row sum"]
    maps, scene = small.maps, small.maps.viewer.scene
    qtbot.waitUntil(lambda: scene.count == 4 and not maps.maker.busy and maps.viewer.available, timeout=TIMEOUT)
    small.controller.select(run)
    small.controller.show_frame(run.frames - 1)
    qtbot.waitUntil(lambda: not maps.maker.busy, timeout=TIMEOUT)
    first = scene.contour(3)
    assert first is not None and scene.contour(0) is not None
    half = 0.5 * 16 * small.controller.source.baselines.pixel_size_angstrom
    assert np.abs(first.contour.vertices).max() <= half * 1.1, "about the origin, as the others"
    small.controller.show_frame(1)
    qtbot.waitUntil(lambda: not maps.maker.busy and scene.contour(3) is not first, timeout=TIMEOUT)
    triangles = len(scene.contour(0).contour.triangles)
    maps.histogram.level_moved.emit(maps.statistics.level(5.0))
    qtbot.waitUntil(lambda: not maps.maker.busy and len(scene.contour(0).contour.triangles) != triangles,
                    timeout=TIMEOUT)  # fmt: skip
    assert maps.sigma.text() == "5.00"
    maps.sigma.setText("2")
    maps.sigma.setModified(True)
    maps.sigma.editingFinished.emit()
    assert maps.level == pytest.approx(maps.statistics.level(2.0))
    before = scene.viewpoint
    scene.viewpoint = before.zoomed(2.0)
    small.fit_view()
    qtbot.waitUntil(lambda: abs(scene.viewpoint.half_height - before.half_height) < 1e-6, timeout=TIMEOUT)
    picture = maps.picture().toImage()
    assert not picture.isNull() and picture.width() >= 2 * maps.viewer.width() - 2
    run.visible = False
    other = next(each for each in small.controller.runs if each is not run)
    small.controller.select(other)
    qtbot.waitUntil(lambda: scene.count == 3, timeout=TIMEOUT)


def test_without_opengl_slices_take_the_place_of_contours(
    monkeypatch: pytest.MonkeyPatch, window: MainWindow, qtbot
) -> None:
    from lieapp.gui.viewer import viewer
    from lieapp.gui.viewer.opengl import OpenGLInfo

    monkeypatch.setattr(viewer, "probe_opengl", lambda: OpenGLInfo(problem="There is no OpenGL here."))
    window.actions_["workbench_cryoem"].trigger()
    bench = window.cryoem
    assert bench is not None and "no OpenGL here" in bench.maps.viewer.banner_text
    bench.controller._take(replace(bench.controller.choices, **SMALL))
    bench.panel.main_button.click()
    ended(bench, qtbot, 3)
    assert bench.maps.slices.isVisible() and not bench.maps.level_row.isVisible()
    settled(bench, qtbot)
    assert [column.title for column in bench.maps.slices.columns] == ["Truth", "SGD", "Hutchinson", "Row sum"]


def test_the_tab_key_goes_from_top_to_bottom_and_all_is_named(bench: CryoemWorkbench, qtbot) -> None:
    panel = bench.panel
    names: list[str] = []

    def walk() -> bool:
        names.clear()
        widget: QWidget | None = panel.source
        while widget is not None and widget is not panel.main_button and len(names) < 500:
            if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                names.append(widget.accessibleName())
            widget = widget.nextInFocusChain()
        return "learning rate" in names

    qtbot.waitUntil(walk, timeout=TIMEOUT)
    assert all(names), "everything has a name"
    wanted = ["Source of the images", "images", "SNR", "one side", "Take out of the race: Row sum", "Preconditioner",
              "Optimiser", "learning rate", "epochs", "batch"]  # fmt: skip
    assert [name for name in names if name in wanted] == wanted
    tips = [each for each in panel.findChildren(QWidget) if each.isVisible() and not each.toolTip()
            and each.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(each, QScrollArea)]  # fmt: skip
    assert tips == []
