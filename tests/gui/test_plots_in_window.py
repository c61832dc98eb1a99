"""The plots as part of the window: in step with the Runs panel, reached from the menus."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lieapp.gui.window.main_window import MainWindow

Finish = Callable[[MainWindow], None]


@pytest.fixture
def raced(paired: MainWindow, finish: Finish) -> MainWindow:
    """The window after two runs of the bundled pair."""
    for _ in range(2):
        paired.actions_["align"].trigger()
        finish(paired)
    paired.controller.skip()
    return paired


def test_the_eyes_and_the_legend_are_in_step(raced: MainWindow, qtbot: QtBot) -> None:
    workbench = raced.workbench
    first = raced.controller.session.runs[0]
    entry, row = workbench.plots.legend._entries[first.id], workbench.runs._rows[first.id]
    assert workbench.plots.legend.isVisible()
    qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    assert not first.visible and not row.eye.isChecked() and not workbench.plots._curves[first.id].isVisible()
    row.eye.click()
    assert first.visible and entry.isChecked() and workbench.plots._curves[first.id].isVisible()


def test_the_menus_reach_legend_size_and_picture(raced: MainWindow) -> None:
    workbench, actions = raced.workbench, raced.actions_
    assert actions["plot_legend"].isChecked()
    actions["plot_legend"].trigger()
    assert not workbench.plots.legend.isVisible()
    workbench.plots.legend_action.trigger()  # the menu of the plot
    assert workbench.plots.legend.isVisible() and actions["plot_legend"].isChecked()
    actions["plots_large"].trigger()
    assert workbench.plots.presentation and workbench.deviation.presentation
    workbench.deviation.presentation_action.trigger()
    assert not workbench.plots.presentation and not actions["plots_large"].isChecked()
    for plot in (workbench.plots, workbench.deviation):
        workbench.tabs.stack.setCurrentWidget(plot)
        QApplication.processEvents()
        actions["copy_plot"].trigger()
        assert QApplication.clipboard().image().width() == 2 * plot.plot.width()
