"""The deviations as a curve."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lieapp.gui.align.deviation_plot import CORE_CUTOFF, DeviationPlot
from lieapp.gui.widgets.theme import DARK, LIGHT, theme
from tests.gui.pointing import leave, move_mouse, pixel

VALUES = np.array([0.5, 1.0, 3.0, 8.0, 1.5, 0.2, 6.0, 2.0, 0.9, 4.0])
LABELS = [f"A:{number}" for number in range(1, 11)]


@pytest.fixture
def plot(qtbot: QtBot) -> DeviationPlot:
    theme().set_mode("light")
    made = DeviationPlot()
    qtbot.addWidget(made)
    made.resize(390, 320)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_the_curve_is_the_deviations_and_the_line_counts_the_close_ones(plot: DeviationPlot) -> None:
    plot.set_deviations(LABELS, VALUES)
    x, y = plot.curve.getOriginalDataset()
    np.testing.assert_array_equal(x, np.arange(1, 11))
    np.testing.assert_array_equal(y, VALUES)
    assert plot.hover.text().startswith(f"{np.count_nonzero(VALUES < CORE_CUTOFF)} of 10 pairs below 2 Å")
    assert plot.core.value() == CORE_CUTOFF


def test_the_pair_under_the_mouse_is_named_and_told_once(plot: DeviationPlot, qtbot: QtBot) -> None:
    plot.set_deviations(LABELS, VALUES)
    QApplication.processEvents()
    told: list[int] = []
    plot.pair_hovered.connect(told.append)
    place = pixel(plot, 4.2, 5.0)
    move_mouse(plot.plot.viewport(), place)
    move_mouse(plot.plot.viewport(), place + QPoint(1, 1))
    assert told == [3]
    assert plot.hover.text() == "A:4   8.00 Å"
    assert plot.mark.isVisible()
    assert plot.mark.value() == 4.0
    assert plot.crosshair.isVisible()
    assert plot.crosshair.text() == "A:4\ndistance to partner  8.00 Å"
    plot.set_deviations(LABELS, VALUES / 2)
    assert plot.crosshair.text().endswith("4.00 Å")
    leave(plot.plot.viewport())
    assert not plot.crosshair.isVisible()
    assert told == [3, -1]
    assert not plot.mark.isVisible()


def test_a_pair_that_another_view_points_at_stays_marked(plot: DeviationPlot) -> None:
    plot.set_deviations(LABELS, VALUES)
    plot.mark_pair(5)
    leave(plot.plot.viewport())
    assert plot.mark.isVisible() and plot.mark.value() == 6.0
    assert not plot.crosshair.isVisible()


def test_presentation_size_is_thick_large_and_light(plot: DeviationPlot) -> None:
    plot.set_deviations(LABELS, VALUES)
    theme().set_mode("dark")
    plot.set_presentation(True)
    QApplication.processEvents()
    assert plot.curve.opts["pen"].widthF() == 3 * plot.devicePixelRatioF()
    assert plot.left_axis.style["tickFont"].pointSizeF() >= 17
    assert plot.picture().toImage().pixelColor(2, 2).name().upper() == LIGHT.card
    plot.set_presentation(False)
    assert plot.curve.opts["pen"].widthF() == plot.devicePixelRatioF()
    assert plot.picture().toImage().pixelColor(2, 2).name().upper() == DARK.card
    theme().set_mode("light")


def test_other_values_of_the_same_pairs_keep_what_was_zoomed_and_another_pair_does_not(plot: DeviationPlot) -> None:
    plot.set_deviations(LABELS, VALUES)
    QApplication.processEvents()
    plot.plot.setRange(xRange=(2, 4), yRange=(0, 3), padding=0)
    before = plot.plot.viewRange()
    plot.set_deviations(LABELS, VALUES / 2)
    QApplication.processEvents()
    assert plot.plot.viewRange() == before
    plot.set_deviations([f"B:{n}" for n in range(50)], np.linspace(0, 9, 50))
    QApplication.processEvents()
    (left, right), (_, high) = plot.plot.viewRange()
    assert left <= 1
    assert right >= 50
    assert high >= 9


def test_no_pairs_are_no_curve(plot: DeviationPlot) -> None:
    plot.set_deviations(LABELS, VALUES)
    plot.mark_pair(9)
    plot.set_deviations([], np.empty(0))
    QApplication.processEvents()
    assert plot.curve.getOriginalDataset()[0] is None
    assert not plot.mark.isVisible()
    assert plot.hover.text() == " "


def test_thousands_of_pairs_are_drawn_quickly(plot: DeviationPlot, qtbot: QtBot) -> None:
    values = np.abs(np.random.default_rng(0).normal(3, 2, 58870))
    plot.set_deviations([""] * len(values), values)
    qtbot.waitUntil(lambda: len(plot.curve.getData()[0]) < 2500, timeout=2000)
    assert plot.plot.viewRange()[1][1] >= values.max()


def test_a_single_selected_pair_can_be_seen(plot: DeviationPlot) -> None:
    values = np.linspace(1.0, 5.0, 9)
    plot.set_deviations([f"A:ALA {number}" for number in range(1, 10)], values)
    for selected in ([4], [0], [8], [2, 3, 7]):
        plot.set_selected(np.isin(np.arange(9), selected))
        x, y = plot.chosen.getData()
        drawn = x[np.isfinite(y)]
        assert set(drawn) == {pair + 1 + half for pair in selected for half in (-0.5, 0.0, 0.5)}
        assert np.interp(np.array(selected) + 1.0, x, np.nan_to_num(y)) == pytest.approx(values[selected])
