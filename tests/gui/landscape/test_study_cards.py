"""What the tabs of studies show without a window around them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from lieapp.gui.landscape.basin_plot import BasinPlot
from lieapp.gui.landscape.sweep_panel import SweepPanel
from lieapp.landscapes.basins import NOT_ARRIVED, PENDING, BasinMap, BasinSpec
from lieapp.landscapes.catalog import SURFACES
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.sweep import SweepRange, SweepResult, SweepRun, SweepSpec
from lieapp.optimizers.settings import SGDSettings


def half_a_map() -> BasinMap:
    """Two rows of starts of which the upper one was not computed."""
    reached = np.array([[0, 0, NOT_ARRIVED], [PENDING, PENDING, PENDING]], dtype=np.int16)
    evaluations = np.where(reached == PENDING, np.nan, 12.0)
    points = SURFACES["himmelblau"].stationary_points
    x, y, ends = np.array([-1.0, 0.0, 1.0]), np.array([0.0, 1.0]), np.zeros((2, 3, 2))
    spec = BasinSpec(LandscapeJob(landscape="himmelblau"))
    return BasinMap(spec, {}, x, y, reached, evaluations, ends, points, 36.0, 0.1)


@pytest.mark.parametrize("costs", (False, True))
def test_starts_that_were_not_computed_have_no_colour(qtbot, costs: bool) -> None:
    plot = BasinPlot()
    qtbot.addWidget(plot)
    plot.set_start((0.2, 0.4))
    assert not plot.start.isVisible()  # there are no numbers along the axes yet
    plot.coloring.setCurrentIndex(int(costs))
    plot.show_map(half_a_map())
    opacity = plot.image.image[..., 3]
    assert (opacity[0] == 255).all() and (opacity[1] == 0).all()
    assert "□&nbsp;not&nbsp;computed" in plot.legend.text()
    assert plot.start.isVisible()
    plot.show_map(None)
    assert not plot.start.isVisible()


@pytest.fixture
def panel(qtbot) -> SweepPanel:
    made = SweepPanel()
    qtbot.addWidget(made)
    made.resize(400, 400)
    return made


def test_a_proposed_range_follows_the_recommended_value_and_a_typed_one_stays(panel: SweepPanel) -> None:
    panel.set_settings(SGDSettings, {"lr": 0.1})
    assert panel.setting.currentText() == "lr"
    assert float(panel.low.text()) < 0.1 < float(panel.high.text())
    panel.set_settings(SGDSettings, {"lr": 1e-4})
    assert float(panel.low.text()) < 1e-4 < float(panel.high.text()) < 0.1
    panel.low.setText("0.5")
    panel.set_settings(SGDSettings, {"lr": 0.1})
    assert panel.low.text() == "0.5"


def test_equal_results_are_not_drawn_over_a_span_of_rounding_errors(panel: SweepPanel, qtbot) -> None:
    spec = SweepSpec(LandscapeJob(landscape="saddle"), SweepRange("lr", 1e-3, 1e-1, 3, "log"), 2)
    values = (1e-3, 1e-2, 1e-1)
    runs = tuple(
        SweepRun("lr", value, seed, 9.0, 5.0, 9.0, -0.25, "converged", "minimum", 0.0)
        for value in values
        for seed in (0, 1)
    )
    panel.show()
    panel.show_result(SweepResult(spec, {}, values, runs))
    qtbot.waitUntil(lambda: panel.view_box.viewRange()[1][0] > 4.0, timeout=5000)
    low, high = panel.view_box.viewRange()[1]
    assert low < 5.0 < high and high - low > 1e-3


def test_words_about_a_study_are_whole_at_large_letters_too(panel: SweepPanel, qtbot) -> None:
    said = "DEO: 70 runs of at most 300 evaluations, 21 000 in all. Each starts 0.0033 beside the start."
    panel.show()
    for points in (9.0, 14.0):
        font = QFont(panel.font())
        font.setPointSizeF(points)
        panel.words.setFont(font)
        panel.resize(401 if panel.width() == 400 else 400, 500)
        panel.say(said)
        QApplication.processEvents()
        assert panel.words.heightForWidth(panel.words.width()) <= panel.words.height()
