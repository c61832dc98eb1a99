"""Ticks that people can read."""

from __future__ import annotations

import math

import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEventLoop
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from lieapp.gui.plots.axes import PlainAxis, decade_text, decade_ticks, style_plot


@pytest.mark.parametrize(
    ("exponent", "text"),
    (
        (1, "10"),
        (0, "1"),
        (-1, "0.1"),
        (-3, "0.001"),
        (-4, "0.0001"),
        (-5, "1e-5"),
        (-12, "1e-12"),
        (3, "1000"),
        (5, "100000"),
        (6, "1e6"),
        (math.log10(2), "2"),
        (math.log10(0.05), "0.05"),
        (400, ""),
    ),
)
def test_decades_are_plain_numbers(exponent: float, text: str) -> None:
    assert decade_text(exponent) == text


@given(
    low=st.floats(-40, 40),
    span=st.floats(0.01, 60),
    room=st.integers(2, 20),
)
def test_ticks_are_inside_and_not_too_many(low: float, span: float, room: int) -> None:
    high = low + span
    step, labelled, others = decade_ticks(low, high, room)
    for place in (*labelled, *others):
        assert low - 1e-6 <= place <= high + 1e-6
    assert not set(labelled) & set(others)
    if step:
        assert len(labelled) <= max(room, 2) + 1
        assert all(place == round(place) and round(place) % step == 0 for place in labelled)
    else:
        assert span < 2
        assert all(min(abs(10 ** (place % 1) - n) for n in (1, 2, 5, 10)) < 1e-6 for place in labelled)


def test_every_decade_has_a_label_where_there_is_room() -> None:
    assert decade_ticks(-6.2, 1.3, 12)[1] == [-6, -5, -4, -3, -2, -1, 0, 1]
    assert decade_ticks(-6.2, 1.3, 4) == (2, [-6, -4, -2, 0], [-5, -3, -1, 1])


def test_an_axis_says_where_values_were_cut(qtbot) -> None:
    axis = PlainAxis("left")
    axis.set_decades(True, floor=-6.0)
    assert axis.tickStrings([-6.0, -5.0, 0.0], 1.0, 1.0) == ["≤ 1e-6", "1e-5", "1"]
    assert [len(level) for _, level in axis.tickValues(-6.3, 1.2, 400.0)] == [8]
    axis.set_decades(False)
    assert axis.tickStrings([0.0, 50.0], 1.0, 50.0) == ["0", "50"]
    assert len(axis.tickValues(0.0, 120.0, 300.0)) == 1


def test_plot_and_axis_do_not_change_places_for_ever(qtbot) -> None:
    axis = PlainAxis("left")
    plot = pg.PlotWidget(axisItems={"left": axis})
    qtbot.addWidget(plot)
    box = plot.getPlotItem().getViewBox()

    def ask(width: float, high: float) -> float:
        """Return the room for numbers, once a view to `high` has asked for some."""
        box.setYRange(0.0, high, padding=0.0)
        axis._updateMaxTextSize(width)
        return float(axis.textWidth)

    assert ask(60.0, 1.0) == 60.0
    assert ask(30.0, 1.2) == 30.0  # what is not needed is given back...
    assert ask(60.0, 1.0) == 60.0
    assert ask(30.0, 1.2) == 60.0  # ...once: the view that it leads to needs it
    assert ask(30.0, 7.0) == 30.0  # another view may have it


@pytest.mark.parametrize("points", (9.0, 14.0, 18.0))
def test_a_plot_at_one_scale_comes_to_rest(qtbot, points: float) -> None:
    axes = {"left": PlainAxis("left"), "bottom": PlainAxis("bottom")}
    plot = pg.PlotWidget(axisItems=axes)
    qtbot.addWidget(plot)
    font = QFont()
    font.setPointSizeF(points)
    style_plot(plot, plot.palette(), font)
    box = plot.getPlotItem().getViewBox()
    box.setAspectLocked(True)
    plot.show()
    layouts: list[int] = []
    box.sigResized.connect(lambda *_: layouts.append(1))
    for width in range(300, 700, 10):
        plot.resize(width, 480)
        box.setRange(xRange=(-1.2, 1.2), yRange=(-1.1, 1.1), padding=0.0)
        before = len(layouts)
        for _ in range(30):
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 2)
        assert len(layouts) - before < 12, width
