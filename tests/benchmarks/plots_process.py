"""Redraws the progress plot, alone and beside the 3-D view, in a window of its own, and prints the times as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lieapp.gui.app import SWITCH_SECONDS, make_application

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from lieapp.gui.plots.plots import ProgressPlots
    from lieapp.gui.runs.entry import RunEntry
    from lieapp.gui.viewer.viewer import MoleculeViewer

RACERS = ("adam", "sgd", "lbfgs", "saddle-free-newton")


def long_run(frames: int, *, finished: bool) -> RunEntry:
    """Return a run whose gap falls with much noise."""
    from lieapp.engine.outcome import Outcome
    from lieapp.engine.recording import Recording
    from lieapp.gui.runs.entry import RunEntry

    recording = Recording({})
    extend(recording, frames)
    if finished:
        recording.finish(Outcome(kind="limit", message="The limit of steps."))
    return RunEntry(f"long-{finished}", "a long run", None, None, recording, "#0072B2")


def extend(recording: Any, frames: int) -> None:
    """Append frames to a recording."""
    start = len(recording)
    noise = np.random.default_rng(start).standard_normal(frames).tolist()
    for index, each in enumerate(noise, start):
        gap = 10.0 ** (-index / 200_000 + 0.5 * each)
        recording.append({"step": index, "evaluations": index, "seconds": 1e-4 * index, "gap": gap, "loss": gap}, {})


def median_of(times: list[float]) -> float:
    return float(np.median(times))


class Stopwatch:
    """Times what is done to a plot up to the end of the paints that it asked for."""

    def __init__(self, app: QApplication) -> None:
        self._app = app

    def settle(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._app.processEvents()
            time.sleep(0.002)

    def time(self, change: Callable[[], object], repeats: int) -> list[float]:
        """Return milliseconds."""
        times = []
        for _ in range(repeats):
            self.settle(0.03)
            begin = time.perf_counter()
            change()
            self._app.processEvents()
            times.append(1000 * (time.perf_counter() - begin))
        return times


def redraws(watch: Stopwatch, plots: ProgressPlots, frames: int, repeats: int) -> dict[str, float]:
    found = {}
    run = long_run(frames, finished=False)
    plots.set_runs([run])
    watch.settle(0.3)
    viewport = plots.plot.viewport()

    def dirty() -> None:
        # Nothing that was kept: the points are chosen anew and the curve is painted anew.
        curve = plots._curves[run.id]
        curve._drawn = ()
        curve._thin()
        viewport.repaint()

    def append() -> None:
        extend(run.recording, 100)
        begin = time.perf_counter()
        plots.refresh()
        watch._app.processEvents()
        appended.append(1000 * (time.perf_counter() - begin))

    appended: list[float] = []
    found["as they are"] = median_of(watch.time(dirty, repeats))
    watch.time(append, repeats)
    found["after 100 more"] = median_of(appended)
    plots.plot.setRange(xRange=(0.3 * frames, 0.7 * frames))
    found["moved"] = median_of(watch.time(lambda: plots.view_box.translateBy(x=0.001 * frames), repeats))
    scales = iter([0.9, 1.1] * repeats)
    found["zoomed"] = median_of(watch.time(lambda: plots.view_box.scaleBy((next(scales), 1.0)), repeats))
    plots.set_runs([])
    return found


def moves(watch: Stopwatch, plots: ProgressPlots, runs: list[RunEntry], repeats: int) -> dict[str, float]:
    from PySide6.QtCore import QPoint

    from tests.gui.pointing import move_mouse

    found = {}
    for name, shown in (("a race of 4", runs), ("a long run", [long_run(100_000, finished=True)])):
        plots.set_runs(shown)
        plots.follow()
        watch.settle(0.3)
        area, places = plots.area, iter(np.linspace(0.05, 0.95, 2 * repeats))
        told: list[float] = []

        def move(area: Any = area, places: Any = places, told: list[float] = told) -> None:
            share = float(next(places))
            place = QPoint(round(area.left() + share * area.width()), round(area.top() + 0.6 * area.height()))
            begin = time.perf_counter()
            move_mouse(plots.plot.viewport(), place)
            told.append(1000 * (time.perf_counter() - begin))

        whole = watch.time(move, repeats)
        assert plots.crosshair.isVisible()
        found[f"{name}: told"], found[f"{name}: told and painted"] = median_of(told), median_of(whole)
    return found


def rates(
    watch: Stopwatch, viewer: MoleculeViewer, plots: ProgressPlots, runs: list[RunEntry], seconds: float
) -> tuple[dict[str, float], dict[str, float], float]:
    """Count paints of the moving structure, with plots that rest and with plots that are redrawn ten times a second."""
    from PySide6.QtCore import Qt, QTimer

    from lieapp.engine.recording import Recording
    from lieapp.gui.runs.entry import RunEntry

    growing: list[RunEntry] = []
    moved = redrawn = 0

    def move() -> None:
        nonlocal moved
        moved += 1
        matrix = np.eye(4)
        matrix[0, 3] = 5.0 * np.sin(0.1 * moved)
        viewer.scene.set_pose("mobile", matrix)

    def redraw() -> None:
        nonlocal redrawn
        for run, whole in zip(growing, runs, strict=True):
            row = whole.recording.row(redrawn % len(whole.recording))
            run.recording.append(row | {"evaluations": redrawn}, {})
        plots.refresh()
        plots.set_cursor(growing[0], redrawn)
        redrawn += 1

    # As the replay does: more poses than can be painted.
    pose_timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=16)
    pose_timer.timeout.connect(move)
    plot_timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=100)
    plot_timer.timeout.connect(redraw)
    found, simplified, plot_rate = {}, {}, 0.0
    for name in ("paused", "live"):
        growing[:] = [
            RunEntry(f"{name}-{run.id}", run.title, None, None, Recording({}), run.color, run.dash) for run in runs
        ]
        plots.set_runs(growing if name == "live" else runs)
        pose_timer.start()
        watch.settle(min(seconds, 0.7))
        redrawn = 0
        if name == "live":
            redraw()
            plot_timer.start()
        begin = time.perf_counter()
        # The best of three: what else the machine does would count otherwise.
        counts = []
        for _ in range(3):
            viewer.paint_times.clear()
            start = time.perf_counter()
            watch.settle(seconds / 3)
            counts.append(len(viewer.paint_times) / (time.perf_counter() - start))
        # A busy machine makes the view leave things out, which would flatter the figure.
        simplified[name] = float(viewer.scene.hurried)
        found[name], plot_rate = max(counts), redrawn / (time.perf_counter() - begin)
        pose_timer.stop()
        plot_timer.stop()
    return found, simplified, plot_rate


def measure(options: argparse.Namespace) -> dict[str, Any]:
    app = make_application()
    from PySide6.QtWidgets import QHBoxLayout, QWidget

    import lieapp
    from lieapp.alignment.quantities import ALIGN_QUANTITIES
    from lieapp.gui.align.session import AlignSession
    from lieapp.gui.plots.plots import ProgressPlots
    from lieapp.gui.viewer.viewer import MoleculeViewer

    sys.setswitchinterval(SWITCH_SECONDS)
    session = AlignSession()
    runs = []
    for name in RACERS:
        result = lieapp.align(options.mobile, options.target, optimizer=name)
        runs.append(session.add_run(result.job, result.recording, result.inputs))
    inputs = runs[0].inputs
    window = QWidget()
    viewer, plots = MoleculeViewer(), ProgressPlots(ALIGN_QUANTITIES)
    viewer.setFixedSize(800, 600)
    plots.setFixedSize(400, 390)  # with the choices above it
    layout = QHBoxLayout(window)
    layout.addWidget(viewer)
    layout.addWidget(plots)
    window.show()
    watch = Stopwatch(app)
    viewer.scene.set_structure("mobile", inputs.mobile, drawn=inputs.mobile.residues.chain == "A")
    viewer.scene.set_structure("target", inputs.target, drawn=inputs.target.residues.chain == "A")
    viewer.fit()
    watch.settle(0.5)
    found: dict[str, Any] = {"renderer": str(viewer.opengl), "load": os.getloadavg()[0]}
    found["plot"] = [plots.plot.width(), plots.plot.height()]
    found["rates"], found["simplified"], found["plot_rate"] = rates(watch, viewer, plots, runs, options.seconds)
    viewer.hide()
    found["redraws"] = redraws(watch, plots, options.frames, options.repeats)
    found["moves"] = moves(watch, plots, runs, options.repeats)
    viewer.shut_down()
    window.close()
    watch.settle(0.1)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mobile", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    print(json.dumps(measure(options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
