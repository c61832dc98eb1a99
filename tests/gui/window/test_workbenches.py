"""Workbenches are made part by part before anybody waits for them, and whole where somebody does."""

from __future__ import annotations

import importlib
import threading
import time
from types import SimpleNamespace

import pytest

from lieapp.gui.window.main_window import MainWindow


def prepare(window: MainWindow, name: str, qtbot) -> list[float]:
    """Make all of a workbench ahead; return what each part took, in seconds of this thread."""
    took = []
    more = True
    while more:
        begin = time.thread_time()
        more = window.workbenches.prepare(name)
        took.append(time.thread_time() - begin)
        qtbot.wait(1)
    return took


def workers() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("lieapp-"))


@pytest.mark.parametrize("name", ["landscape", "cryoem"])
def test_a_workbench_is_made_ahead_part_by_part(window: MainWindow, qtbot, name: str) -> None:
    states = {key: action.isEnabled() for key, action in window.actions_._actions.items()}
    before = workers()
    took = prepare(window, name, qtbot)
    assert len(took) > 5 and max(took) < 0.6 * sum(took)
    # Nothing of it is seen, nothing listens to it, and it has begun nothing.
    assert getattr(window, name) is None and [each for each, _ in window.workbenches] == ["align"]
    assert states == {key: action.isEnabled() for key, action in window.actions_._actions.items()}
    assert workers() == before
    assert not window.workbenches.prepare(name)
    window.actions_[f"workbench_{name}"].trigger()
    made = getattr(window, name)
    assert made is not None and made.isVisible() and made.active and not window.workbench.active
    assert window.focusWidget() is made.panel.main_button


def test_a_landscape_made_ahead_is_drawn(window: MainWindow, qtbot) -> None:
    prepare(window, "landscape", qtbot)
    window.actions_["workbench_landscape"].trigger()
    made = window.landscape
    assert made is not None
    qtbot.waitUntil(lambda: made.plot.picture is not None, timeout=60_000)


def test_what_was_made_ahead_and_never_shown_is_shut_down(window: MainWindow, qtbot) -> None:
    prepare(window, "cryoem", qtbot)
    (ahead,) = [each for each in window.workbenches.whole() if each is not window.workbench]
    assert window.cryoem is None and not ahead.isVisible()
    # Whatever it had begun by then would have to end with the window.
    ahead.controller.ask_preview()
    assert "lieapp-previews" in workers()
    window.close()
    assert workers() == []


def test_the_window_makes_both_others_ahead(window: MainWindow, qtbot) -> None:
    window._start._preparing.setInterval(0)
    window._start._preparing.start()
    qtbot.waitUntil(lambda: len(window.workbenches.whole()) == 3, timeout=60_000)
    qtbot.waitUntil(lambda: not window._start._preparing.isActive(), timeout=60_000)
    assert window.landscape is None and window.cryoem is None and window.shown is window.workbench


def test_the_window_waits_for_what_a_plane_has_to_import_and_makes_no_plane(
    window: MainWindow, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, joined, gate = threading.Event(), threading.Event(), threading.Event()
    seen: list[str] = []
    real = importlib.import_module

    def slow_import(name: str, package: str | None = None) -> object:
        if name != "lieapp.landscapes.planes":
            return real(name, package)
        inside.set()
        gate.wait(30)
        seen.append("imported")
        return SimpleNamespace(curvature_plane=lambda *_, **__: seen.append("computed"))

    def open_gate() -> None:
        while not window.compute._closing:
            time.sleep(0.001)
        joined.wait(0.2)  # a window that did not wait would join the thread at once
        gate.set()

    join = window.compute._thread.join

    def watched_join(timeout: float | None = None) -> None:
        seen.append("join")
        joined.set()
        join(timeout)

    window.actions_["workbench_landscape"].trigger()
    assert window.landscape is not None
    monkeypatch.setattr(importlib, "import_module", slow_import)
    monkeypatch.setattr(window.compute._thread, "join", watched_join)
    window.landscape.panel.landscape.chosen.emit("strict-saddle-100")
    assert inside.wait(30)
    opener = threading.Thread(target=open_gate)
    opener.start()
    window.close()
    opener.join()
    assert seen == ["imported", "join"] and workers() == [] and not window.isVisible()


def test_a_workbench_half_made_is_finished_when_it_is_wanted(window: MainWindow) -> None:
    for _ in range(3):
        assert window.workbenches.prepare("landscape")
    window.actions_["workbench_landscape"].trigger()
    assert window.landscape is not None and window.landscape.isVisible() and window.shown is window.landscape
    assert not window.workbenches.prepare("landscape")
