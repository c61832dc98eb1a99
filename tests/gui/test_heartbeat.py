"""The window answers while any optimiser runs on real structures, with and without 3-D.

The limits are those of a machine with nothing else to do. On a busy one, the time in which the program was not let to
run is taken off, and the processor time that the window's thread needs is limited instead.
"""

from __future__ import annotations

import os
import time

import pytest

from lieapp.gui.window.main_window import MainWindow
from lieapp.optimizers.settings import settings_for
from tests.benchmarks.bench_heartbeat import pulse
from tests.gui.pulse import endless_run

pytestmark = [pytest.mark.gl, pytest.mark.shared_data]

QUIET = 0.5
"""Load per processor below which the clock may be believed."""


def quiet(load: float) -> bool:
    return load < QUIET * (os.cpu_count() or 1)


def check_lateness(name: str, figures: dict[str, float], *, clock: bool, longest: float | None) -> None:
    print(name, {key: round(value, 2) for key, value in figures.items()})
    assert figures["steps"] > 20, name
    assert figures["own_p99"] < 40, name
    if longest is not None:
        assert figures["own_max"] < longest, name
    if clock:
        assert figures["p99"] < 40, name
        if longest is not None:
            assert figures["max"] < longest, name


def test_the_heart_beats_without_3d() -> None:
    """Three that load the interpreter most differently; the slow test takes all."""
    found = pulse(0.6, view=False, optimizers=("adam", "lbfgs", "saddle-free-newton"))
    for name, figures in found["pulse"].items():
        check_lateness(name, figures, clock=False, longest=100.0)
        # Software OpenGL that works for a hidden view would take the processor from everything else.
        assert figures["drawing_share"] < 0.05, name
        assert figures["processor_share"] < 0.7, name


def test_the_heart_beats_with_3d() -> None:
    found = pulse(0.8, view=True, optimizers=("sophia",))
    assert found["available"]
    for name, figures in found["pulse"].items():
        check_lateness(name, figures, clock=False, longest=None)
        assert figures["paints"] >= 2, name
        assert figures["paint_own_max"] < 100, name
        assert figures["paint_share"] < 0.6, name


def test_the_heart_beats_while_six_race() -> None:
    found = pulse(1.5, view=True, landscapes=("saddle",))
    for name, figures in found["pulse"].items():
        check_lateness(name, figures, clock=quiet(found["load"]), longest=100.0)
        # Drawing takes turns and is measured, so this holds on slow machines as well.
        assert figures["processor_share"] < 0.6, name


@pytest.mark.slow
@pytest.mark.parametrize("turn", (False, True), ids=("replay", "turning"))
@pytest.mark.parametrize("view", (False, True), ids=("hidden", "shown"))
def test_the_limits_over_a_long_run(view: bool, turn: bool) -> None:
    found = pulse(5.0, view=view, turn=turn)
    assert set(found["pulse"]) == set(settings_for("align"))
    clock = quiet(found["load"])
    for name, figures in found["pulse"].items():
        check_lateness(name, figures, clock=clock, longest=None if view else 100.0)
        if view:
            assert figures["paint_own_max"] < 100, name
            assert figures["paint_share"] < 0.6, name
            if clock:
                assert figures["paint_max"] < 100, name


@pytest.mark.slow
def test_stop_acts_at_once(paired: MainWindow, qtbot) -> None:
    endless_run(paired, "adam")
    qtbot.waitUntil(lambda: paired.controller.frames > 5, timeout=60_000)
    begin = time.perf_counter()
    paired.actions_["stop"].trigger()
    qtbot.waitUntil(lambda: not paired.controller.running, timeout=10_000)
    assert time.perf_counter() - begin < 0.5
