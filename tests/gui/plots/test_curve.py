"""The line of a run in keys and lists."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from lieapp.gui.plots.curve import curve_pen, sample_pen
from lieapp.scene.colors import OPTIMIZER_DASHES

LENGTH = 26


@pytest.mark.parametrize("name", [name for name, dash in OPTIMIZER_DASHES.items() if dash])
def test_a_sample_of_a_dashed_line_does_not_look_solid(name: str) -> None:
    image = QImage(LENGTH, 9, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setPen(sample_pen("#000000", OPTIMIZER_DASHES[name], 2.0, LENGTH))
    painter.drawLine(QPointF(0.0, 4.0), QPointF(LENGTH, 4.0))
    painter.end()
    dark = [QColor(image.pixel(x, 4)).lightness() < 128 for x in range(LENGTH)]
    inside = "".join("#" if on else " " for on in dark).strip()
    assert " " in inside, inside
    assert dark[0] or dark[1]


def test_samples_of_short_dashes_and_of_solid_lines_are_drawn_as_the_plots_draw_them() -> None:
    for dash in ((), (5.0, 3.0), (2.0, 2.0)):
        assert sample_pen("#0072B2", dash, 2.0, LENGTH) == curve_pen("#0072B2", dash, 2.0)
