"""Pointing and selecting in one view shows in the others; selections become fit and report sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from lieapp.gui.align.selection_model import ResidueAt
from lieapp.gui.align.sequence_panel import SequencePanel
from lieapp.gui.application.messages import Message
from lieapp.gui.window.main_window import MainWindow
from lieapp.scene.molecular_scene import Hit

TIMEOUT = 60_000
Finish = Callable[[MainWindow], None]


@pytest.fixture
def opened(paired: MainWindow, qtbot) -> Iterator[MainWindow]:
    """The window with the bundled pair and its sequences, and the pointer beside it.

    Where an earlier test has left the pointer, it would point at something as soon as the window shows, and a move to
    where it is already would be none.
    """
    screen = paired.screen().geometry()
    assert not paired.frameGeometry().contains(screen.bottomRight())
    QCursor.setPos(screen.bottomRight())
    qtbot.waitUntil(lambda: QCursor.pos() == screen.bottomRight())
    QApplication.processEvents()
    paired.actions_["sequences"].setChecked(True)
    qtbot.waitUntil(paired.workbench.sequences.panel.isVisible)
    yield paired


def hit(window: MainWindow, pair: int) -> Hit:
    inputs = window.controller.inputs
    assert inputs is not None
    return Hit("mobile", int(inputs.pairing.mobile_residues[pair]), "label", (0.0, 0.0, 0.0))


def place_of(panel: SequencePanel, pair: int, row: int = 0) -> QPoint:
    """Return where a pair is drawn on the viewport of the panel."""
    column = panel.column_of(panel._model.residue_of_pair(pair))
    panel.show_column(column)
    x = panel.left_of(column) + panel.cell / 2
    return QPoint(round(x), panel._rows_top() + round((row + 0.5) * panel._letter_height))


def highlighted(window: MainWindow, slot: str = "mobile") -> list[int]:
    body = window.workbench.viewer.scene._bodies[slot]  # type: ignore[index]
    return [] if body.highlighted is None else np.flatnonzero(body.highlighted).tolist()


def check_shown(window: MainWindow, pair: int) -> None:
    """Every view points at this pair."""
    workbench = window.workbench
    at = workbench.selection.residue_of_pair(pair)
    assert at is not None
    assert workbench.selection.hovered_pair == pair
    assert workbench.ribbon._marked == pair
    assert workbench.deviation._pair == pair
    assert highlighted(window) == [at.residue]
    assert len(highlighted(window, "target")) == 1
    label = workbench.selection.inputs.mobile.residues.label(at.residue)  # type: ignore[union-attr]
    assert label in workbench.readout.text() and "Å" in workbench.readout.text()
    assert workbench.readout.isVisible()


def test_hovering_in_any_view_shows_in_all(opened: MainWindow, qtbot) -> None:
    workbench = opened.workbench
    workbench.viewer.hovered.emit(hit(opened, 12))
    check_shown(opened, 12)
    band = workbench.ribbon._band()
    pairs = len(workbench.ribbon._values)
    qtbot.mouseMove(workbench.ribbon, QPoint(band.left() + round(40.5 / pairs * band.width()), band.center().y()))
    qtbot.waitUntil(lambda: workbench.selection.hovered_pair == 40)
    check_shown(opened, 40)
    workbench.deviation.pair_hovered.emit(77)
    workbench.deviation.mark_pair(77)
    check_shown(opened, 77)
    panel = workbench.sequences.panel
    place = place_of(panel, 100)
    qtbot.mouseMove(panel.viewport(), place)
    qtbot.waitUntil(lambda: workbench.selection.hovered_pair == 100)
    check_shown(opened, 100)
    workbench.viewer.hovered.emit(None)
    assert workbench.selection.hovered is None and not workbench.readout.isVisible()
    assert highlighted(opened) == [] and workbench.ribbon._marked == -1


def test_pointing_elsewhere_brings_the_residue_into_the_sequences(opened: MainWindow) -> None:
    panel = opened.workbench.sequences.panel
    for pair in (0, 171, 80):
        opened.workbench.viewer.hovered.emit(hit(opened, pair))
        left = panel.left_of(panel.column_of(opened.workbench.selection.residue_of_pair(pair)))
        assert panel._left <= left <= panel.viewport().width() - panel.cell


def test_clicks_select_and_shift_extends_and_escape_clears(opened: MainWindow, qtbot) -> None:
    workbench, panel = opened.workbench, opened.workbench.sequences.panel
    qtbot.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=place_of(panel, 10))
    qtbot.mouseClick(
        panel.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, place_of(panel, 20)
    )
    assert np.flatnonzero(workbench.selection.selected_pairs()).tolist() == list(range(10, 21))
    assert workbench.ribbon._selected.sum() == workbench.deviation._selected.sum() == 11
    assert opened.actions_["select_fit"].isEnabled()
    workbench.viewer.clicked.emit(hit(opened, 30), True)
    assert np.flatnonzero(workbench.selection.selected_pairs()).tolist() == list(range(10, 31))
    workbench.viewer.clicked.emit(hit(opened, 3), False)
    assert np.flatnonzero(workbench.selection.selected_pairs()).tolist() == [3]
    opened.actions_["skip"].trigger()  # Escape
    assert not workbench.selection.any_selected and not opened.actions_["select_fit"].isEnabled()
    assert highlighted(opened) == []


def test_dragging_along_the_sequences_selects(opened: MainWindow, qtbot) -> None:
    panel = opened.workbench.sequences.panel
    start, end = place_of(panel, 5), None
    qtbot.mousePress(panel.viewport(), Qt.MouseButton.LeftButton, pos=start)
    end = place_of(panel, 9)
    held = Qt.MouseButton.LeftButton
    move = QMouseEvent(QMouseEvent.Type.MouseMove, QPointF(end), QPointF(panel.viewport().mapToGlobal(end)), held, held,
                       Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(panel.viewport(), move)
    qtbot.mouseRelease(panel.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert np.flatnonzero(opened.workbench.selection.selected_pairs()).tolist() == [5, 6, 7, 8, 9]


def test_a_click_on_the_thin_ribbon_opens_the_sequences_there(paired: MainWindow, qtbot) -> None:
    card = paired.workbench.sequences
    assert not card.open
    band = card.ribbon._band()
    qtbot.mouseClick(card.ribbon, Qt.MouseButton.LeftButton, pos=QPoint(band.right() - 3, band.center().y()))
    assert card.open and paired.actions_["sequences"].isChecked() and paired.preferences.flag("sequences")
    pair = int(np.flatnonzero(paired.workbench.selection.selected_pairs())[0])
    assert pair >= 169
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert not card.open


def test_the_keyboard_alone_goes_along_and_selects(opened: MainWindow, qtbot) -> None:
    panel, selection = opened.workbench.sequences.panel, opened.workbench.selection
    panel.setFocus()
    qtbot.keyClick(panel, Qt.Key.Key_Home)
    assert selection.hovered == ResidueAt("mobile", 0) and panel.column_of(selection.hovered) == 0
    for _ in range(3):
        qtbot.keyClick(panel, Qt.Key.Key_Right)
    assert panel.column_of(selection.hovered) == 3
    qtbot.keyClick(panel, Qt.Key.Key_Space)
    for _ in range(2):
        qtbot.keyClick(panel, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert np.flatnonzero(selection.selected_pairs()).tolist() == [3, 4, 5]
    qtbot.keyClick(panel, Qt.Key.Key_Down)
    assert selection.hovered is not None and selection.hovered.slot == "target"
    qtbot.keyClick(panel, Qt.Key.Key_End)
    assert panel.column_of(selection.hovered) == len(panel.columns or ()) - 1
    qtbot.keyClick(panel, Qt.Key.Key_Right)
    assert panel.column_of(selection.hovered) == len(panel.columns or ()) - 1
    assert not opened.controller.running


def test_the_wheel_scrolls_along(opened: MainWindow) -> None:
    panel = opened.workbench.sequences.panel
    place = QPointF(300, 20)
    wheel = QWheelEvent(place, QPointF(panel.viewport().mapToGlobal(place.toPoint())), QPoint(), QPoint(0, -120),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
                        False)  # fmt: skip
    QApplication.sendEvent(panel.viewport(), wheel)
    assert panel.horizontalScrollBar().value() > 0


def test_colours_of_the_sequences_follow_the_scrub_bar(opened: MainWindow, finish: Finish) -> None:
    opened.actions_["align"].trigger()
    finish(opened)
    opened.controller.skip()
    panel = opened.workbench.sequences.panel
    end = panel._colors.copy()
    opened.controller.show_frame(0)
    start = panel._colors.copy()
    assert not np.array_equal(start, end)
    assert np.array_equal(opened.workbench.selection.deviations, opened.workbench.deviation._values)
    opened.controller.show_best()
    assert np.array_equal(panel._colors, end)


def test_a_selection_becomes_the_fit_set(opened: MainWindow, messages: list[Message], finish: Finish, qtbot) -> None:
    selection, session = opened.workbench.selection, opened.controller.session
    selection.click_pair(0)
    selection.click_pair(59, extend=True)
    opened.actions_["select_fit"].trigger()
    qtbot.waitUntil(lambda: session.inputs is not None, timeout=TIMEOUT)
    assert session.inputs is not None and int(session.inputs.pairing.fit.sum()) == 60
    assert opened.workbench.panel.fit.text() == session.choices.fit != "all"
    assert selection.selected_pairs().sum() == 60  # still selected
    opened.actions_["select_report"].trigger()
    qtbot.waitUntil(lambda: session.inputs is not None, timeout=TIMEOUT)
    assert session.inputs is not None and int(session.inputs.pairing.report.sum()) == 60
    opened.actions_["align"].trigger()
    finish(opened)
    assert session.current is not None and session.current.outcome_text() == "converged"
    opened.actions_["select_all_pairs"].trigger()
    qtbot.waitUntil(lambda: session.inputs is not None, timeout=TIMEOUT)
    assert session.inputs is not None and session.inputs.pairing.fit.all() and session.inputs.pairing.report.all()
    assert [message.level for message in messages] == ["success"] * 3


def test_the_core_can_be_selected_and_looked_at(opened: MainWindow) -> None:
    opened.actions_["select_core"].trigger()
    inputs = opened.controller.inputs
    assert inputs is not None
    assert np.array_equal(opened.workbench.selection.selected_pairs(), inputs.core_mask)
    opened.workbench.viewer.motion.smooth = False
    before = opened.workbench.viewer.scene.viewpoint
    opened.actions_["center_selection"].trigger()
    assert opened.workbench.viewer.scene.viewpoint != before


def test_painting_costs_what_is_seen(opened: MainWindow) -> None:
    """Painting a chain of 172 residues or of 3 600 takes the same, and little."""
    import time

    panel = opened.workbench.sequences.panel
    panel.grab()
    best = min(_seconds(panel, time.thread_time) for _ in range(5))
    assert best < 0.02


def _seconds(panel: SequencePanel, clock: Callable[[], float]) -> float:
    begin = clock()
    panel.viewport().repaint()
    return clock() - begin
