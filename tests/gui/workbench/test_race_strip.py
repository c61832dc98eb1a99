"""The strip under a picture: how high it is, and what it shows of a caption."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction, QFontMetricsF
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lieapp.gui.workbench.race_strip import RaceStrip


@pytest.fixture
def column(qtbot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def strip_in(column: QWidget, qtbot, width: int, height: int) -> RaceStrip:
    strip = RaceStrip([QAction("Exactly on the ridge", column), QAction("Müller-Brown", column)])
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(QWidget(), 1)
    layout.addWidget(strip)
    column.resize(width, height)
    column.show()
    qtbot.waitExposed(column)
    return strip


@pytest.mark.parametrize(("letters", "lines"), ((115, 10), (220, 7)))
def test_a_high_column_shows_the_whole_story_of_four_entrants(column: QWidget, qtbot, letters: int, lines: int) -> None:
    probe = QFontMetricsF(QWidget().font())
    line, letter = probe.lineSpacing(), probe.averageCharWidth()
    strip = strip_in(column, qtbot, round(letters * letter), round(55 * line))
    # A wide one has few lines: the picture above needs the room.
    assert lines * line < strip.scroll_area.height() < (lines + 1) * line
    strip.show_caption("\n".join(f"line {number}" for number in range(lines)))
    qtbot.waitUntil(lambda: strip.caption.height() > 0)
    assert strip.scroll_area.verticalScrollBar().maximum() == 0


def test_negative_numbers_have_a_minus_sign(column: QWidget, qtbot) -> None:
    strip = strip_in(column, qtbot, 700, 700)
    strip.show_caption("DEO-2 ends at the minimum, loss -0.25.")
    assert strip.caption.text() == "DEO-2 ends at the minimum, loss −0.25."
