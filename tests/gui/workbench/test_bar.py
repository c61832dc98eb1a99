"""The words of the run bar where there is little room."""

from __future__ import annotations

from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from lieapp.gui.runs.playback import SPEEDS
from lieapp.gui.widgets.quiet_label import QuietLabel
from lieapp.gui.window.main_window import MainWindow


def picture(label: QuietLabel) -> QImage:
    image = QImage(label.size(), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    label.render(image, renderFlags=QWidget.RenderFlag(0))
    return image


def test_a_short_form_stands_where_the_whole_has_no_room(qtbot) -> None:
    whole, short = "step 97 of 97 · 113 evaluations · best", "97 / 97 · 113"
    label, other = QuietLabel(), QuietLabel()
    for each in (label, other):
        qtbot.addWidget(each)
    label.short = short
    label.setText(whole)
    for width, text in ((label.fontMetrics().horizontalAdvance(whole) + 8, whole),
                        (label.fontMetrics().horizontalAdvance(short) + 8, short)):  # fmt: skip
        other.setText(text)
        for each in (label, other):
            each.resize(width, 24)
        assert picture(label) == picture(other)
    assert label.toolTip() == whole


def test_the_bar_has_a_short_form_and_room_for_every_speed(paired: MainWindow) -> None:
    bar = paired.workbench.run_bar
    bar.show_position(97, 98, 113.0, "best")
    assert (bar.where.text(), bar.where.short) == ("step 97 of 97 · 113 evaluations · best", "97 / 97 · 113")
    bar.show_position(0, 0, None)
    assert bar.where.short == ""
    assert bar.speed.width() > max(bar.speed.fontMetrics().horizontalAdvance(text) for text in SPEEDS) + 30
