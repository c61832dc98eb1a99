"""What the left panel of the Landscape workbench says about what is typed into it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from lieapp.gui.application.messages import Message
from lieapp.gui.landscape.panel import LandscapePanel
from lieapp.gui.window.main_window import MainWindow


@pytest.fixture
def panel(window: MainWindow) -> LandscapePanel:
    window.actions_["workbench_landscape"].trigger()
    assert window.landscape is not None
    return window.landscape.panel


def choose(panel: LandscapePanel, name: str) -> None:
    panel.landscape.show_value(name)
    panel.landscape.chosen.emit(name)


def type_into(panel: LandscapePanel, number: int, text: str) -> None:
    field = panel.start[number].editor
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_a_start_beside_the_picture_is_told(panel: LandscapePanel, window: MainWindow) -> None:
    choose(panel, "muller-brown")
    assert not panel.start_line.isVisible()
    type_into(panel, 0, "500")
    assert window.landscape is not None and window.landscape.controller.start()[0] == 500.0
    assert panel.start_line.isVisible()
    assert panel.start_line.text() == "Beside the picture, which shows x from −1.5 to 1.2 and y from −0.3 to 2."
    type_into(panel, 0, "-1")
    assert not panel.start_line.isVisible()
    choose(panel, "transformer-tiny")
    assert panel.start_line.isVisible() and "by the seed" in panel.start_line.text()


def test_a_wrong_formula_is_to_be_corrected(
    panel: LandscapePanel, window: MainWindow, qtbot, messages: list[Message]
) -> None:
    assert panel.landscape.itemText(panel.landscape.findData("formula")) == "Formula…"
    choose(panel, "formula")
    panel.formula.setText("")
    QTest.keyClicks(panel.formula, "x^2 + * y")
    panel.main_button.click()
    qtbot.waitUntil(lambda: bool(messages), timeout=5000)
    assert messages[-1].text.startswith("formula: ") and messages[-1].text.endswith(". Correct it.")
    assert window.landscape is not None and not window.landscape.controller.running
    bar = window.message_bar
    assert bar.isVisible()
    choose(panel, "saddle")
    assert not bar.isVisible() and not panel.errors()
    # What is still wrong is still said.
    choose(panel, "formula")
    panel.formula.setText("x^2 + * y")
    panel._check_formula()
    panel.main_button.click()
    qtbot.waitUntil(bar.isVisible, timeout=5000)
    panel.evaluations.set_override(50.0)
    panel.evaluations.changed.emit()
    assert bar.isVisible()
    choose(panel, "saddle")


def test_the_panel_shows_choices_that_were_made_without_it(panel: LandscapePanel, window: MainWindow) -> None:
    assert window.landscape is not None
    controller = window.landscape.controller
    controller.set_choices(
        replace(
            controller.choices, landscape="muller-brown", start=(-0.5, 1.25), optimizer="sgd", overrides={"lr": 1e-4}
        )
    )
    assert panel.landscape.value == "muller-brown"
    assert [editor.value() for editor in panel.start] == [-0.5, 1.25]
    assert panel.optimizer.currentData() == "sgd" and panel.form.overrides() == {"lr": 1e-4}


def test_what_is_being_typed_is_not_written_anew(panel: LandscapePanel, window: MainWindow) -> None:
    assert window.landscape is not None
    field = panel.start[0].editor
    field.setFocus()
    field.selectAll()
    for text in ("0", "0.", "0.2", "0.20", "0.200"):
        QTest.keyClicks(field, text[-1])
        assert field.text() == text
    assert window.landscape.controller.start()[0] == 0.2
