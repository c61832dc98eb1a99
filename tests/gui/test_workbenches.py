"""Workbenches are made part by part before anybody waits for them, and whole where somebody does."""

from __future__ import annotations

import time

from lieapp.gui.main_window import MainWindow


def test_a_workbench_is_made_ahead_part_by_part(window: MainWindow, qtbot) -> None:
    actions = window.actions_._actions
    states = {name: action.isEnabled() for name, action in actions.items()}
    took = []
    more = True
    while more:
        begin = time.thread_time()
        more = window.workbenches.prepare("landscape")
        took.append(time.thread_time() - begin)
        qtbot.wait(1)
    assert len(took) > 5 and max(took) < 0.6 * sum(took)
    # Nothing of it is seen, and nothing listens to it.
    assert window.landscape is None and [name for name, _ in window.workbenches] == ["align"]
    assert states == {name: action.isEnabled() for name, action in actions.items()}
    assert not window.workbenches.prepare("landscape")
    window.actions_["workbench_landscape"].trigger()
    made = window.landscape
    assert made is not None and made.isVisible() and made.active and not window.workbench.active
    assert window.focusWidget() is made.panel.main_button
    qtbot.waitUntil(lambda: made.plot.picture is not None, timeout=60_000)


def test_a_workbench_half_made_is_finished_when_it_is_wanted(window: MainWindow) -> None:
    for _ in range(3):
        assert window.workbenches.prepare("landscape")
    window.actions_["workbench_landscape"].trigger()
    assert window.landscape is not None and window.landscape.isVisible() and window.shown is window.landscape
    assert not window.workbenches.prepare("landscape")
