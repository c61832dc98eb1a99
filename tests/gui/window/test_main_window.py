"""The window as a user drives it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.window.main_window import MainWindow

TIMEOUT = 60_000
Finish = Callable[[MainWindow], None]


def align(window: MainWindow, finish: Finish) -> None:
    window.workbench.panel.main_button.click()
    finish(window)


def test_the_first_screen(window: MainWindow, qtbot) -> None:
    window.start()
    assert window.workbench.first_steps.isVisible()
    qtbot.waitUntil(lambda: window.controller.session.inputs is not None, timeout=TIMEOUT)
    session = window.controller.session
    assert session.slots["mobile"].structure.name == "hinge_open"
    assert "172" in window.workbench.panel.pairing.currentText()
    inputs = session.inputs
    assert inputs is not None
    pose = window.workbench.view.pose
    moved = inputs.mobile_points @ pose[:3, :3].T + pose[:3, 3]
    assert moved.mean(axis=0) == pytest.approx(inputs.target_points.mean(axis=0), abs=1e-9)
    assert window.workbench.panel.main_button.isEnabled()
    qtbot.waitUntil(lambda: window.device.text() == "CPU, 1 thread", timeout=TIMEOUT)
    assert window.focusWidget() is window.workbench.panel.main_button


def test_a_recent_file_opens_where_it_can_be_seen(window: MainWindow, hinge: tuple[Path, Path], qtbot) -> None:
    window.preferences.add_recent_file(hinge[0])
    window.choose_workbench("landscape")
    window.opening.recent_menu.aboutToShow.emit()
    entry = window.opening.recent_menu.actions()[0]
    assert entry.text() == hinge[0].name
    entry.trigger()
    assert window.shown is window.workbench
    qtbot.waitUntil(lambda: "mobile" in window.controller.session.slots, timeout=TIMEOUT)
    window.choose_workbench("cryoem")
    entry.trigger()
    assert window.cryoem is not None and window.shown is window.cryoem
    qtbot.waitUntil(lambda: window.cryoem.controller.choices.path == str(hinge[0]), timeout=TIMEOUT)
    assert window.cryoem.controller.choices.source == "structure"


def test_menus_of_the_views_go_when_they_are_closed(paired: MainWindow, qtbot) -> None:
    panel = paired.workbench.sequences.panel
    for widget in (paired.workbench.viewer, panel):
        before = len(widget.findChildren(QMenu))
        for _ in range(3):
            widget.customContextMenuRequested.emit(QPoint(5, 5))
            menu = QApplication.activePopupWidget()
            assert isinstance(menu, QMenu) and menu.actions()
            menu.close()
        qtbot.waitUntil(lambda widget=widget, before=before: len(widget.findChildren(QMenu)) == before)


def test_a_click_beside_everything_takes_the_keyboard_from_a_field(paired: MainWindow, qtbot) -> None:
    bench = paired.workbench
    bench.panel.selections.set_open(True)
    bench.panel.fit.setFocus()
    assert paired.focusWidget() is bench.panel.fit
    qtbot.mouseClick(bench, Qt.MouseButton.LeftButton, pos=QPoint(2, bench.height() // 2))
    assert paired.focusWidget() is not bench.panel.fit


def test_align_reaches_kabsch_and_everything_says_so(paired: MainWindow, finish: Finish, qtbot) -> None:
    align(paired, finish)
    paired.controller.skip()
    entry = paired.controller.session.current
    assert entry is not None and entry.outcome_text() == "converged"
    inputs = entry.inputs
    strip = paired.workbench.strip
    assert strip.rmsd.number.text() == f"{inputs.kabsch.rmsd:.2f} Å"
    assert "= Kabsch" in strip.rmsd.caption.text()
    assert "best" in paired.workbench.run_bar.where.text()
    assert paired.actions_["export"].isEnabled()
    matrix = paired.workbench.viewer.scene.pose("mobile")
    assert matrix[:3, :3] == pytest.approx(inputs.kabsch.rotation, abs=1e-5)


def test_every_pose_shown_was_recorded(paired: MainWindow, finish: Finish, qtbot) -> None:
    shown: list[np.ndarray] = []
    scene = paired.workbench.viewer.scene
    paired.controller.frame_changed.connect(lambda: shown.append(scene.pose("mobile")))
    align(paired, finish)
    qtbot.waitUntil(lambda: not paired.controller.playback.playing, timeout=TIMEOUT)
    entry = paired.controller.session.current
    assert entry is not None
    recorded = [entry.recording.state(frame)["rotation"][0] for frame in range(entry.frames)]
    assert len(shown) > 10
    for pose in shown:
        assert any(np.array_equal(pose[:3, :3], rotation) for rotation in recorded)


def test_step_pause_go_on_and_stop(paired: MainWindow, qtbot) -> None:
    controller, actions = paired.controller, paired.actions_
    actions["step"].trigger()
    qtbot.waitUntil(lambda: controller.frames == 2, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: controller.frame == 1, timeout=1000)  # the step is shown at once
    assert controller.paused and actions["stop"].isEnabled() and actions["step"].isEnabled()
    assert controller.session.current is not None and controller.session.current.outcome_text() == "paused"
    assert paired.workbench.run_bar.run_button.accessibleName() == "Go on"
    assert actions["frame_previous"].isEnabled() and actions["branch"].isEnabled()
    assert not actions["align"].isEnabled()
    actions["step"].trigger()
    qtbot.waitUntil(lambda: controller.frames == 3, timeout=TIMEOUT)
    actions["stop"].trigger()
    qtbot.waitUntil(lambda: not controller.running, timeout=TIMEOUT)
    entry = controller.session.current
    assert entry is not None and entry.outcome_text() == "stopped" and entry.frames == 3
    assert entry.report is not None and actions["align"].isEnabled()


def test_pausing_holds_and_going_on_ends(paired: MainWindow, finish: Finish, qtbot) -> None:
    actions = paired.actions_
    actions["step"].trigger()
    qtbot.waitUntil(lambda: paired.controller.frames == 2, timeout=TIMEOUT)
    qtbot.wait(100)
    assert paired.controller.frames == 2
    actions["pause"].trigger()
    finish(paired)
    entry = paired.controller.session.current
    assert entry is not None and entry.outcome_text() == "converged"


def test_scrubbing_shows_the_frame_and_branching_starts_there(paired: MainWindow, finish: Finish, qtbot) -> None:
    align(paired, finish)
    first = paired.controller.session.current
    assert first is not None
    paired.controller.skip()
    paired.workbench.run_bar.slider.setValue(5)
    assert paired.controller.frame == 5 and not paired.controller.playback.playing
    assert "step 5 of" in paired.workbench.run_bar.where.text()
    paired.actions_["frame_next"].trigger()
    paired.actions_["frame_previous"].trigger()
    paired.actions_["frame_previous"].trigger()
    assert paired.controller.frame == 4
    paired.actions_["branch"].trigger()
    finish(paired)
    second = paired.controller.session.current
    assert second is not None and second is not first and len(paired.controller.session.runs) == 2
    assert second.recording.state(0)["rotation"] == pytest.approx(first.recording.state(4)["rotation"], abs=1e-12)


def test_fit_core_raises_the_tm_score(paired: MainWindow, finish: Finish) -> None:
    align(paired, finish)
    first = paired.controller.session.current
    paired.actions_["fit_core"].trigger()
    finish(paired)
    second = paired.controller.session.current
    assert first is not None and second is not None
    assert second.job.objective == "tm"
    assert second.report.tm_score_target > first.report.tm_score_target  # type: ignore[union-attr]
    assert paired.controller.session.choices.objective == "rmsd"  # the panel keeps what was chosen


def test_why_centring_matters(paired: MainWindow, finish: Finish, qtbot) -> None:
    paired.actions_["preset_centring"].trigger()
    finish(paired)
    runs = {run.title: run for run in paired.controller.session.runs}
    assert len(runs) == 4
    assert len({(run.color, run.dash) for run in runs.values()}) == 4
    assert runs["SGD, local"].metric_value() == pytest.approx(0.0, abs=1e-4)  # type: ignore[arg-type]
    assert (runs["SGD, raw se(3)"].metric_value() or 0.0) > 0.5
    paired.controller.skip()
    current = paired.controller.session.current
    assert current is not None and current.metric_value() == min(run.metric_value() for run in runs.values())  # type: ignore[type-var]


def test_a_race_put_together_by_hand(paired: MainWindow, finish: Finish) -> None:
    panel, actions = paired.workbench.panel, paired.actions_
    assert not actions["race"].isEnabled()
    for name in ("adam", "sgd"):
        panel.optimizer_chosen.emit(name)
        actions["add_to_race"].trigger()
    assert panel.race_buttons["race"].text() == "Race (2)"
    actions["race"].trigger()
    finish(paired)
    assert [run.job.optimizer.name for run in paired.controller.session.runs] == ["adam", "sgd"]
    assert all(run.outcome_text() == "converged" for run in paired.controller.session.runs)


def test_settings_of_the_form_reach_the_run(paired: MainWindow, finish: Finish, qtbot) -> None:
    field = paired.workbench.panel.form.editors["lr"].editor
    qtbot.keyClicks(field, "0.5")
    align(paired, finish)
    entry = paired.controller.session.current
    assert entry is not None and entry.job.optimizer.overrides == {"lr": 0.5}
    paired.workbench.panel.form.editors["lr"].clear()
    paired.workbench.runs.apply_settings.emit(entry)
    assert paired.workbench.panel.form.overrides() == {"lr": 0.5}


def test_an_error_in_the_form_stops_the_run_and_is_named(paired: MainWindow, messages: list[Message], qtbot) -> None:
    qtbot.keyClicks(paired.workbench.panel.form.editors["lr"].editor, "-1")
    paired.workbench.panel.main_button.click()
    qtbot.waitUntil(lambda: bool(messages))
    assert messages[0].level == "error" and "lr" in messages[0].text
    assert not paired.controller.running and paired.controller.session.runs == []


def test_a_learning_rate_too_large_is_a_message_with_a_way_out(
    paired: MainWindow, finish: Finish, messages: list[Message], qtbot
) -> None:
    paired.workbench.panel.optimizer_chosen.emit("sgd")
    paired.workbench.panel.form.editors["lr"].set_override(50.0)
    align(paired, finish)
    qtbot.waitUntil(lambda: bool(messages))
    assert messages[0].level == "warning" and "iverged" in messages[0].text
    assert messages[0].action is not None
    entry = paired.controller.session.current
    assert entry is not None and entry.frames > 0 and entry.report is not None


def test_an_optimiser_of_torch_gets_a_form(paired: MainWindow, finish: Finish, qtbot) -> None:
    paired.workbench.panel.optimizer_chosen.emit("radam")
    qtbot.waitUntil(lambda: paired.controller.session.choices.optimizer == "radam", timeout=TIMEOUT)
    assert "lr" in paired.workbench.panel.form.editors
    paired.workbench.panel.form.editors["lr"].set_override(0.5)
    align(paired, finish)
    entry = paired.controller.session.current
    assert entry is not None and entry.frames > 10 and entry.title.startswith("RAdam")


def test_moving_by_hand_sets_the_start(paired: MainWindow, finish: Finish) -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = (5.0, -3.0, 2.0)
    paired.workbench.viewer.pose_released.emit(matrix)
    assert paired.controller.session.choices.start == "given"
    assert paired.workbench.panel.start.currentText() == "by hand"
    assert paired.workbench.view.pose == pytest.approx(matrix)
    align(paired, finish)
    entry = paired.controller.session.current
    assert entry is not None
    assert entry.recording.state(0)["translation"][0] == pytest.approx(matrix[:3, 3], abs=1e-9)


def test_swap_pairs_anew_and_keeps_the_runs(paired: MainWindow, finish: Finish, qtbot) -> None:
    align(paired, finish)
    paired.actions_["swap"].trigger()
    qtbot.waitUntil(lambda: paired.controller.session.inputs is not None, timeout=TIMEOUT)
    assert paired.controller.session.slots["mobile"].structure.name == "hinge_closed"
    assert len(paired.controller.session.runs) == 1 and paired.controller.session.current is None
    assert paired.workbench.panel.slots["mobile"].name.full_text == "hinge_closed"


def test_selections_that_cannot_be_read_are_said_and_corrected(paired: MainWindow, qtbot) -> None:
    panel = paired.workbench.panel
    panel.selections.set_open(True)
    panel.fit.setText("A:1-")
    panel.fit.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(paired.controller.session.problem), timeout=TIMEOUT)
    assert panel.pairs_line.text() == paired.controller.session.problem
    assert not paired.actions_["align"].isEnabled()
    panel.fit.setText("A:1-60")
    panel.fit.editingFinished.emit()
    qtbot.waitUntil(lambda: paired.controller.session.inputs is not None, timeout=TIMEOUT)
    inputs = paired.controller.session.inputs
    assert inputs is not None and 0 < inputs.pairing.fit.sum() <= 60
    assert paired.actions_["align"].isEnabled()


BAD_FILES = {
    "empty.pdb": b"",
    "garbage.cif": bytes(range(256)) * 20,
    "text.pdb": b"This is no structure.\n" * 10,
    "header.cif": b"data_X\n_entry.id X\n",
    "broken.pdb.gz": b"\x1f\x8b\x08\x00garbage",
}


@pytest.mark.parametrize("name", [*BAD_FILES, "missing.pdb", "folder.pdb"])
def test_bad_files_are_one_message_and_change_nothing(
    paired: MainWindow, messages: list[Message], tmp_path: Path, qtbot, name: str
) -> None:
    path = tmp_path / name
    if name in BAD_FILES:
        path.write_bytes(BAD_FILES[name])
    elif name == "folder.pdb":
        path.mkdir()
    session = paired.controller.session
    slots, inputs = dict(session.slots), session.inputs
    paired.controller.desk.open_files([path])
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert len(messages) == 1 and messages[0].level == "error"
    assert name in messages[0].text and "\n" not in messages[0].text
    assert session.slots == slots and session.inputs is inputs
    assert paired.message_bar.isVisible()
    assert paired.workbench.panel.slots["mobile"].name.full_text == "hinge_open"
    assert paired.workbench.panel.slots["mobile"].chain.currentText() == "auto: A"


def test_stacks_and_too_many_files_are_refused_kindly(paired: MainWindow, messages: list[Message], qtbot) -> None:
    paired.controller.desk.open_files(["a.mrcs"])
    paired.controller.desk.open_files(["a.pdb", "b.pdb", "c.pdb"])
    paired.controller.desk.fetch("no such thing at all")
    qtbot.waitUntil(lambda: len(messages) == 3)
    assert "Cryo-EM" in messages[0].text
    assert all(message.level == "warning" for message in messages)


def test_dropping_two_files_sorts_them_by_name(window: MainWindow, hinge: tuple[Path, Path], qtbot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in hinge])  # open, closed
    place = QPointF(600, 300)
    arguments = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(place.toPoint(), *arguments)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.dropEvent(QDropEvent(place, *arguments))
    qtbot.waitUntil(lambda: window.controller.session.inputs is not None, timeout=TIMEOUT)
    assert window.controller.session.slots["mobile"].structure.name == "hinge_closed"
    assert [Path(file).name for file in window.preferences.recent_files()] == ["hinge_closed.pdb", "hinge_open.pdb"]


def test_everything_is_exported_and_said_where(
    paired: MainWindow, finish: Finish, messages: list[Message], tmp_path: Path, qtbot
) -> None:
    align(paired, finish)
    entry = paired.controller.session.current
    assert entry is not None
    paired.controller.skip()
    paired.export_desk.everything(tmp_path / "out")
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages[0].level == "success" and str(tmp_path / "out") in messages[0].text, messages[0].report
    assert "best pose" in messages[0].text
    transform = json.loads((tmp_path / "out" / "transform.json").read_text(encoding="utf-8"))
    assert np.asarray(transform["matrix"]) == pytest.approx(np.asarray(entry.report.matrix))  # type: ignore[union-attr]
    assert paired.actions_["export"].isEnabled()


def test_an_export_that_cannot_be_written_is_a_message(
    paired: MainWindow, finish: Finish, messages: list[Message], tmp_path: Path, qtbot
) -> None:
    align(paired, finish)
    (tmp_path / "file").write_text("in the way")
    paired.export_desk.everything(tmp_path / "file")
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages[0].level == "error"
    assert paired.actions_["export"].isEnabled()


def test_copies_repeat_the_run(paired: MainWindow, finish: Finish, qtbot) -> None:
    align(paired, finish)
    paired.actions_["copy_command"].trigger()
    command = QGuiApplication.clipboard().text()
    assert command.startswith("lieapp align") and "hinge_open.pdb" in command
    paired.actions_["copy_python"].trigger()
    assert "lieapp.align(" in QGuiApplication.clipboard().text()
    paired.actions_["copy_matrix"].trigger()
    numbers = np.array([line.split() for line in QGuiApplication.clipboard().text().splitlines()], dtype=float)
    assert np.array_equal(numbers, paired.controller.pose())


def test_the_keyboard_alone_aligns_and_replays(paired: MainWindow, finish: Finish, qtbot) -> None:
    paired.activateWindow()
    qtbot.waitUntil(paired.isActiveWindow)
    qtbot.keyClick(paired, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    finish(paired)
    qtbot.keyClick(paired, Qt.Key.Key_Escape)
    assert not paired.controller.playback.playing
    frame = paired.controller.frame
    qtbot.keyClick(paired, Qt.Key.Key_Comma)
    assert paired.controller.frame == frame - 1
    qtbot.keyClick(paired, Qt.Key.Key_Period)
    assert paired.controller.frame == frame


def test_plain_letters_belong_to_a_text_field(paired: MainWindow, qtbot) -> None:
    paired.activateWindow()
    qtbot.waitUntil(paired.isActiveWindow)
    field = paired.fetch_field
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "1fm, .")
    assert field.text() == "1fm, ."
    assert not paired.actions_["move_by_hand"].isChecked()


def test_the_theme_can_be_changed_while_a_run_is_shown(paired: MainWindow, finish: Finish, qtbot) -> None:
    align(paired, finish)
    paired.actions_["theme_dark"].setChecked(True)
    assert paired.preferences.text("theme") == "dark"
    dark = paired.grab().toImage().pixelColor(3, 300)
    paired.actions_["theme_light"].setChecked(True)
    light = paired.grab().toImage().pixelColor(3, 300)
    assert dark.lightness() < 60 < 200 < light.lightness()


def test_what_the_window_remembers(
    message_center: MessageCenter, preferences: Preferences, qtbot, tmp_path: Path
) -> None:
    first = MainWindow(message_center, preferences)
    first.resize(1300, 760)
    first.show()
    qtbot.waitExposed(first)
    first.workbench.columns.setSizes([280, 600, 380])
    first.workbench.first_steps.dismissed.emit()
    sizes = first.workbench.columns.sizes()
    first.close()
    second = MainWindow(message_center, Preferences(preferences.path))
    second.show()
    qtbot.waitExposed(second)
    assert second.size().width() == 1300
    assert second.workbench.columns.sizes() == pytest.approx(sizes, abs=3)
    assert not second.workbench.first_steps.isVisible()
    second.close()
    for window in (first, second):
        window.deleteLater()


def test_closing_during_a_run_is_quick(
    message_center: MessageCenter, preferences: Preferences, hinge: tuple[Path, Path], qtbot
) -> None:
    window = MainWindow(message_center, preferences)
    window.show()
    window.controller.desk.open_pair(*hinge)
    qtbot.waitUntil(lambda: window.controller.session.inputs is not None, timeout=TIMEOUT)
    window.workbench.panel.optimizer_chosen.emit("sgd")
    window.workbench.panel.form.editors["lr"].set_override(1e-9)
    window.workbench.panel.steps.set_override(10_000_000)
    window.actions_["align"].trigger()
    qtbot.waitUntil(lambda: window.controller.frames > 3, timeout=TIMEOUT)
    window.close()
    window.deleteLater()


def test_fields_have_no_unreadable_content(paired: MainWindow) -> None:
    for field in paired.findChildren(QLineEdit):
        assert field.accessibleName(), field.objectName()


def test_space_presses_what_was_reached_by_tab_and_pauses_after_a_click(paired: MainWindow, qtbot) -> None:
    paired.activateWindow()
    qtbot.waitUntil(paired.isActiveWindow)
    panel = paired.workbench.panel
    panel.fit_more.set_open(False)
    section = panel.fit_more.button
    panel.start.setFocus()
    qtbot.keyClick(panel.start, Qt.Key.Key_Tab)
    assert paired.focusWidget() is section
    qtbot.keyClick(section, Qt.Key.Key_Space)
    assert panel.fit_more.open  # the button was pressed
    section.clearFocus()
    section.setFocus(Qt.FocusReason.MouseFocusReason)
    triggered: list[int] = []
    paired.actions_["pause"].setEnabled(True)
    paired.actions_["pause"].triggered.connect(lambda: triggered.append(1))
    qtbot.keyClick(section, Qt.Key.Key_Space)
    assert panel.fit_more.open and len(triggered) == 1


def test_files_named_on_the_command_line_keep_their_order_and_run(
    window: MainWindow, finish: Finish, hinge: tuple[Path, Path], qtbot
) -> None:
    window.start([str(path) for path in hinge], run=True)
    finish(window)
    assert window.controller.session.slots["mobile"].structure.name == "hinge_open"
    entry = window.controller.session.current
    assert entry is not None and entry.outcome_text() == "converged"
    qtbot.waitUntil(lambda: window.device.text() == "CPU, 1 thread", timeout=TIMEOUT)


def test_without_being_asked_nothing_runs(window: MainWindow, qtbot) -> None:
    window.start()
    qtbot.waitUntil(lambda: window.controller.session.inputs is not None, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: window.device.text() == "CPU, 1 thread", timeout=TIMEOUT)
    assert not window.controller.running and window.controller.session.runs == []
