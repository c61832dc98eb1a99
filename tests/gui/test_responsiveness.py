"""The window answers while an optimiser runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer

from lieapp.gui.app import SWITCH_SECONDS
from lieapp.gui.main_window import MainWindow
from lieapp.optimizers.settings import SETTINGS

Heartbeat = Callable[[float], NDArray[np.float64]]


@pytest.fixture(autouse=True)
def switch_interval() -> Iterator[None]:
    """As the program sets it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def heartbeat(qtbot) -> Heartbeat:
    """Return how late each beat of a 10 ms timer was, in ms."""

    def beat(seconds: float) -> NDArray[np.float64]:
        times: list[float] = []
        timer = QTimer(timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda: times.append(time.perf_counter()))
        timer.start(10)
        qtbot.wait(int(1000 * seconds))
        timer.stop()
        return np.maximum(1000 * np.diff(times) - 10, 0.0)

    return beat


def endless(window: MainWindow, optimizer: str) -> None:
    """Start a run that does not end by itself soon."""
    choices = window.controller.session.choices
    from dataclasses import replace

    window.controller.set_choices(replace(choices, optimizer=optimizer, overrides={}, steps=10_000_000))
    job = window.controller.session.job()
    limits = job.limits.model_copy(update={"gtol": 0.0, "ftol": 0.0, "divergence": False})
    inputs = window.controller.session.inputs
    assert inputs is not None
    window.controller._start(job.model_copy(update={"limits": limits}), inputs, step=False)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", SETTINGS)
def test_the_heart_beats_while_an_optimiser_runs(
    paired: MainWindow, qtbot, heartbeat: Heartbeat, optimizer: str
) -> None:
    qtbot.waitUntil(lambda: paired.compute.idle, timeout=60_000)
    paired.workbench.viewer.hide()
    endless(paired, optimizer)
    qtbot.waitUntil(lambda: paired.controller.frames > 5, timeout=60_000)
    qtbot.wait(500)
    late = heartbeat(3.0)
    frames = paired.controller.frames
    paired.controller.stop()
    qtbot.waitUntil(lambda: not paired.controller.running, timeout=10_000)
    print(f"{optimizer}: p50 {np.median(late):.1f} p99 {np.quantile(late, 0.99):.1f} max {late.max():.1f} ms; {frames}")
    assert np.quantile(late, 0.99) < 40
    assert late.max() < 100


@pytest.mark.slow
def test_stop_acts_at_once(paired: MainWindow, qtbot) -> None:
    endless(paired, "adam")
    qtbot.waitUntil(lambda: paired.controller.frames > 5, timeout=60_000)
    begin = time.perf_counter()
    paired.actions_["stop"].trigger()
    qtbot.waitUntil(lambda: not paired.controller.running, timeout=10_000)
    assert time.perf_counter() - begin < 0.5
