"""Every run is a row that says what it was, what it cost and what it reached."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.theme import theme
from lieapp.gui.workbench.runs_panel import RunsPanel, metric_text
from tests.gui.run_steps import make_entries


@pytest.fixture
def entries() -> list[RunEntry]:
    return make_entries()


@pytest.fixture
def panel(qtbot: QtBot, entries: list[RunEntry]) -> RunsPanel:
    theme().set_mode("light")
    made = RunsPanel()
    qtbot.addWidget(made)
    made.resize(380, 240)
    made.set_runs(entries, entries[0])
    made.show()
    qtbot.waitExposed(made)
    QApplication.processEvents()
    return made


@pytest.mark.parametrize(
    ("gap", "unit", "text"),
    (
        (None, "Å", "–"),
        (0.0, "Å", "0 Å"),
        (3.5e-15, "Å", "0 Å"),
        (1.234e-5, "Å", "1.2e-5 Å"),
        (0.0345, "Å", "0.0345 Å"),
        (19.62, "Å", "19.6 Å"),
        (0.00012, "", "1.2e-4"),
        (-1e-12, "Å", "0 Å"),
    ),
)
def test_gaps_for_people(gap: float | None, unit: str, text: str) -> None:
    assert metric_text(gap, unit) == text


def test_rows_say_what_the_recordings_hold(panel: RunsPanel, entries: list[RunEntry]) -> None:
    for run in entries:
        row = panel._rows[run.id]
        assert row.name.text().replace("\u00a0", " ") == run.title
        assert row.cost.text() == f"{run.recording.column('evaluations')[-1]:g}"
        assert row.reached.text() == metric_text(run.metric_value(), "Å")
        assert row.outcome.text() == run.outcome_text()
        assert run.title in row.accessibleName()
        outcome = run.recording.outcome
        assert outcome is not None
        assert outcome.message in row.toolTip()


@pytest.mark.parametrize("width", (300, 330, 380, 460))
def test_names_are_whole_and_numbers_stand_in_columns(panel: RunsPanel, entries: list[RunEntry], width: int) -> None:
    panel.resize(width, 240)
    QApplication.processEvents()
    rows = [panel._rows[run.id] for run in entries]
    for row in rows:
        label = row.name
        needed = label.fontMetrics().boundingRect(label.rect(), Qt.TextFlag.TextWordWrap, label.text())
        assert needed.height() <= label.height() + 1
        assert needed.width() <= label.width() + 1
        for number in (row.cost, row.reached, row.outcome):
            assert number.sizeHint().width() <= number.width()
        assert row.width() <= panel.width()
    for name in ("cost", "reached"):
        edges = {getattr(row, name).mapTo(panel, QPoint(getattr(row, name).width(), 0)).x() for row in rows}
        assert len(edges) == 1


def test_a_usual_title_is_on_one_line_at_380_pixels(panel: RunsPanel, entries: list[RunEntry]) -> None:
    row = panel._rows[entries[0].id]
    assert row.name.fontMetrics().horizontalAdvance(row.name.text()) <= row.name.width()
    assert all(button.isVisible() for button in (row.eye, row.pin, row.delete))


def test_eye_pin_and_bin(panel: RunsPanel, entries: list[RunEntry], qtbot: QtBot) -> None:
    run, row = entries[1], panel._rows[entries[1].id]
    with qtbot.waitSignal(panel.visibility_changed, timeout=1000):
        row.eye.click()
    assert not run.visible
    with qtbot.waitSignal(panel.pinned, timeout=1000):
        row.pin.click()
    assert run.pinned
    with qtbot.waitSignal(panel.deleted, timeout=1000) as deleted:
        row.delete.click()
    assert deleted.args == [run]
    assert run.id in panel._rows  # the owner decides
    panel.set_runs([entries[0]], entries[0])
    assert set(panel._rows) == {entries[0].id}


def test_buttons_follow_what_others_change(panel: RunsPanel, entries: list[RunEntry]) -> None:
    told: list[object] = []
    panel.visibility_changed.connect(told.append)
    entries[2].visible = False
    entries[2].pinned = True
    panel.refresh()
    row = panel._rows[entries[2].id]
    assert not row.eye.isChecked()
    assert row.pin.isChecked()
    assert told == []


def test_selecting_by_mouse_and_keyboard(panel: RunsPanel, entries: list[RunEntry], qtbot: QtBot) -> None:
    row = panel._rows[entries[1].id]
    with qtbot.waitSignal(panel.selected, timeout=1000) as selected:
        qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(30, 8))
    assert selected.args == [entries[1]]
    for key, signal in (
        (Qt.Key.Key_Return, panel.selected),
        (Qt.Key.Key_Delete, panel.deleted),
    ):
        with qtbot.waitSignal(signal, timeout=1000) as told:
            qtbot.keyClick(row, key)
        assert told.args == [entries[1]]
    panel.set_current(entries[1])
    assert row.property("current") is True
    assert not panel._rows[entries[0].id].property("current")


def test_the_menu_offers_everything(panel: RunsPanel, entries: list[RunEntry], qtbot: QtBot) -> None:
    run = entries[0]
    menu = panel.menu_for(run)
    words = {action.text(): action for action in menu.actions() if not action.isSeparator()}
    for text, signal in (
        ("Apply these settings", panel.apply_settings),
        ("Copy as command", panel.copy_command),
        ("Copy as Python", panel.copy_python),
        ("Delete", panel.deleted),
    ):
        with qtbot.waitSignal(signal, timeout=1000) as told:
            words[text].trigger()
        assert told.args == [run]
    words["Pin"].trigger()
    assert run.pinned
    menu.deleteLater()


def test_a_right_click_opens_the_menu_and_does_not_select(panel: RunsPanel, entries: list[RunEntry]) -> None:
    row = panel._rows[entries[1].id]
    told: list[object] = []
    panel.selected.connect(told.append)
    place = QPoint(30, 8)
    press = QMouseEvent(
        QEvent.Type.MouseButtonPress,
        QPointF(place),
        QPointF(row.mapToGlobal(place)),
        Qt.MouseButton.RightButton,
        Qt.MouseButton.RightButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(row, press)
    QApplication.sendEvent(row, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, row.mapToGlobal(place)))
    assert told == []
    menus = [menu for menu in panel.findChildren(QMenu) if menu.isVisible()]
    assert len(menus) == 1
    menus[0].close()


def test_an_empty_list_says_what_will_be_there(panel: RunsPanel) -> None:
    panel.set_runs([])
    assert panel.empty.isVisible()
    assert not panel.columns.isVisible()


def test_the_current_row_stays_in_sight_where_the_panel_becomes_lower(
    panel: RunsPanel, entries: list[RunEntry], qtbot: QtBot
) -> None:
    last = entries[-1]
    panel.resize(380, 240)
    panel.set_current(last)
    QApplication.processEvents()
    viewport, row = panel.scroll_area.viewport(), panel._rows[last.id]

    def is_whole() -> bool:
        top = row.mapTo(viewport, QPoint(0, 0)).y()
        return top >= 0 and top + row.height() <= viewport.height() + 1

    assert is_whole()
    panel.resize(380, 90)
    qtbot.waitUntil(is_whole, timeout=2000)
    # Where the user has scrolled it away it stays so.
    panel.scroll_area.verticalScrollBar().setValue(0)
    QApplication.processEvents()
    assert not is_whole()
    panel.resize(380, 92)
    QApplication.processEvents()
    assert panel.scroll_area.verticalScrollBar().value() == 0
