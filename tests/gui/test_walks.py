"""Walks to saddles in the window: listed, replayed, told and compared by where they end, not by where they start."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from lieapp.engine.metric import Metric
from lieapp.engine.recording import Recording
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.runs.entry import RunEntry, winner_of
from lieapp.gui.widgets.words import with_minus
from lieapp.gui.window.main_window import MainWindow
from lieapp.landscapes.catalog import SURFACES

TIMEOUT = 60_000
REFLECT = {"mode": "reflect"}
MULLER_BROWN = SURFACES["muller-brown"]
BASIN_C = MULLER_BROWN.minima[2]
BESIDE_C = (BASIN_C.position[0] + 0.02, BASIN_C.position[1] - 0.03)


def entry(title: str, norms: list[float], losses: list[float], *, climbs: bool = True, last: bool = False) -> RunEntry:
    recording = Recording({"best_by": "gradient_norm"} if climbs else {})
    for frame, (norm, loss) in enumerate(zip(norms, losses, strict=True)):
        row = {"loss": loss, "gradient_norm": norm, "evaluations": float(frame)}
        recording.append(row, {"point": np.zeros(2)})
    metric = Metric("loss", "", "linear")
    return RunEntry(title, title, None, None, recording, "#000000", metric=metric, last_is_result=last)


def test_a_walk_does_not_compete_with_what_descends() -> None:
    walk, nearer = (
        entry("walk", [0.0, 5.0, 1e-3], [-80.0, -60.0, -40.0]),
        entry("b", [0.0, 5.0, 1e-9], [-8.0, 1.0, 2.0]),
    )
    descent = entry("descent", [3.0, 1.0, 0.1], [-20.0, -21.0, -22.0], climbs=False)
    assert walk.climbs and not descent.climbs
    assert (walk.best, walk.metric_value(), descent.metric_value()) == (2, -40.0, -22.0)
    assert winner_of([walk, descent, nearer]) is descent, "although the walk ends, and began, below it"
    assert winner_of([walk, nearer]) is nearer, "among walks the gradient counts"
    assert winner_of([]) is None
    assert not entry("batches", [0.0, 5.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0], last=True).climbs


@pytest.fixture
def bench(window: MainWindow, qtbot) -> LandscapeWorkbench:
    """The workbench on Müller-Brown, starting in basin C, with a walk and a descent for entrants."""
    window.resize(1600, 900)
    window.actions_["workbench_landscape"].trigger()
    made = window.landscape
    assert made is not None
    controller = made.controller
    controller.set_choices(replace(controller.choices, landscape="muller-brown", start=BESIDE_C))
    controller.clear_race()
    for optimizer, overrides in (("deo", REFLECT), ("deo", {"mode": "escape"})):
        controller.set_choices(replace(controller.choices, optimizer=optimizer, overrides=overrides))
        controller.add_to_race()
    qtbot.waitUntil(lambda: made.plot.picture is not None, timeout=TIMEOUT)
    return made


def run_of(bench: LandscapeWorkbench, qtbot, press) -> None:
    before = len(bench.controller.runs)
    press()
    qtbot.waitUntil(lambda: not bench.controller.running and len(bench.controller.runs) > before, timeout=TIMEOUT)
    bench.controller.skip()
    QApplication.processEvents()


def test_a_walk_from_basin_c_is_shown_at_its_saddle(bench: LandscapeWorkbench, window: MainWindow, qtbot) -> None:
    controller = bench.controller
    controller.set_choices(replace(controller.choices, optimizer="deo", overrides=REFLECT))
    run_of(bench, qtbot, controller.run)
    walk = controller.runs[0]
    assert walk.recording.outcome is not None and walk.recording.outcome.kind == "converged"
    point = controller.point()
    assert point is not None
    saddle = min(MULLER_BROWN.saddles, key=lambda each: float(np.hypot(*(np.subtract(each.position, point)))))
    np.testing.assert_allclose(point, saddle.position, atol=1e-7)
    assert controller.frame == walk.best > 0, "the replay does not go back to the start"
    assert walk.metric_value() == pytest.approx(saddle.value, abs=1e-8)
    assert walk.recording.row(0)["loss"] < -79.0 < saddle.value
    row = bench.runs._rows[walk.id]
    assert row.reached.text() == with_minus(f"{saddle.value:.3g}")
    assert "gradient is least" in row.toolTip()
    assert walk.report.best_step == walk.best
    run_of(bench, qtbot, controller.race)
    told = {line.split()[1]: line for line in bench.strip.caption.text().splitlines()[1:]}
    assert "walked towards a saddle for" in told["reflect"] and "below" not in told["reflect"]
    assert told["reflect"].endswith(with_minus(f"ends at the saddle of index 1, loss {saddle.value:.6g}."))
    assert told["escape"].endswith(with_minus(f"ends at the minimum, loss {BASIN_C.value:.6g}."))
    _, walking, falling = controller.runs
    assert winner_of([walking, falling]) is falling and controller.current is falling
    assert "least" not in bench.runs._rows[falling.id].toolTip()
    controller.select(walking)
    assert controller.frame == walking.best
    if "LIEAPP_PICTURES" in os.environ:
        qtbot.wait(500)
        window.grab().save(str(Path(os.environ["LIEAPP_PICTURES"]) / "walk.png"))
