"""Check that what a style sheet asks for is shown, and that nothing is styled anew without need."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel

from lieapp.gui.widgets.marking import mark


def test_a_mark_is_shown_and_taken_back(qtbot) -> None:
    label = QLabel("words")
    qtbot.addWidget(label)
    label.setStyleSheet('QLabel { color: #102030 } QLabel[invalid="true"] { color: #a03020 }')
    label.show()

    def color() -> str:
        return label.palette().color(QPalette.ColorRole.WindowText).name()

    assert not mark(label, "invalid", False) and color() == "#102030"
    assert mark(label, "invalid", True) and color() == "#a03020"
    assert not mark(label, "invalid", True)
    assert mark(label, "invalid", False) and color() == "#102030"
