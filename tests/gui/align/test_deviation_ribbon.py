"""The ribbon shows every pair at its place and in its colour."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from lieapp.gui.align.deviation_ribbon import DeviationRibbon
from lieapp.gui.widgets.theme import theme

VALUES = np.array([0.0, 4.0, 8.0, 20.0])
LABELS = ["A:1", "A:2", "A:3", "A:4"]


@pytest.fixture
def ribbon(qtbot: QtBot) -> DeviationRibbon:
    theme().set_mode("light")
    made = DeviationRibbon()
    qtbot.addWidget(made)
    made.resize(412, made.height())
    made.show()
    qtbot.waitExposed(made)
    return made


def picture(ribbon: DeviationRibbon) -> QImage:
    return ribbon.grab().toImage()


def test_every_pair_is_at_its_place_in_its_colour(ribbon: DeviationRibbon) -> None:
    ribbon.set_deviations(LABELS, VALUES)
    image, middle = picture(ribbon), ribbon.height() // 2
    shown = [image.pixelColor(6 + 50 + 100 * pair, middle).name().upper() for pair in range(4)]
    assert shown == ["#2166AC", "#F7F7F7", "#B2182B", "#B2182B"]


def test_places_and_pairs_agree(ribbon: DeviationRibbon) -> None:
    ribbon.set_deviations(LABELS, VALUES)
    assert [ribbon.pair_at(6 + 50 + 100 * pair) for pair in range(4)] == [0, 1, 2, 3]
    assert ribbon.pair_at(2) == -1
    assert ribbon.pair_at(409) == -1
    assert {ribbon.pair_at(x) for x in range(412)} == {-1, 0, 1, 2, 3}


def test_the_mouse_tells_the_pair(ribbon: DeviationRibbon, qtbot: QtBot) -> None:
    ribbon.set_deviations(LABELS, VALUES)
    told: list[int] = []
    ribbon.pair_hovered.connect(told.append)
    qtbot.mouseMove(ribbon, QPointF(256, 10).toPoint())
    QApplication.sendEvent(ribbon, QEvent(QEvent.Type.Leave))
    assert told[-1] == -1
    assert 2 in told
    place = QPointF(356, 10).toPoint()
    QApplication.sendEvent(ribbon, QHelpEvent(QEvent.Type.ToolTip, place, ribbon.mapToGlobal(place)))
    assert QToolTip.text() == "A:4   20.00 Å"
    QToolTip.hideText()


def test_a_marked_pair_is_framed(ribbon: DeviationRibbon) -> None:
    ribbon.set_deviations(LABELS, VALUES)
    plain = picture(ribbon)
    ribbon.mark_pair(1)
    marked = picture(ribbon)
    assert plain != marked
    text = QColor(theme().tokens.text)
    columns = [x for x in range(marked.width()) if marked.pixelColor(x, ribbon.height() // 2) == text]
    assert min(columns) == pytest.approx(106, abs=2)
    assert max(columns) == pytest.approx(206, abs=2)
    ribbon.mark_pair(-1)
    assert picture(ribbon) == plain


def test_pale_parts_have_an_edge(ribbon: DeviationRibbon) -> None:
    ribbon.set_deviations(LABELS, np.full(4, 4.0))
    image = picture(ribbon)
    column = [image.pixelColor(200, y).name().upper() for y in range(image.height())]
    assert column.count(theme().tokens.border) == 2


def test_without_pairs_it_says_what_it_is_for(ribbon: DeviationRibbon) -> None:
    ribbon.set_deviations(LABELS, VALUES)
    ribbon.set_deviations([], np.empty(0))
    assert ribbon.pair_at(100) == -1
    colors = {picture(ribbon).pixelColor(x, y).name() for x in range(0, 412) for y in range(8, 24)}
    assert len(colors) > 2
    assert ribbon.accessibleName()
    assert ribbon.testAttribute(Qt.WidgetAttribute.WA_NoSystemBackground) is False
