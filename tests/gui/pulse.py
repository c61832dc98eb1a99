"""The pulse of the window: how late a 10 ms timer of the window's thread beats while an optimiser runs.

On a busy machine, or one that is given a share of its processors, most lateness is time in which the threads of the
program could run but were not let. Linux counts that time for every thread, so it is known and can be taken off:
``own`` figures are without it. They are a lower bound (the two threads may have waited for nothing that the other did),
so the shares of processor time are given as well, which other work does not change.

Run as a program it measures every named optimiser in one window on real files and prints one JSON object:
``python -m tests.gui.pulse MOBILE TARGET --seconds 3 --view on --optimizers adam sgd``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_NUM_THREADS", "1")

from lieapp.gui.app import make_application

BEAT_MILLISECONDS = 10
PAINTS = 3
"""So many are waited for on a busy machine where the 3-D view is seen: fewer say nothing about its share of time."""


@dataclass
class Pulse:
    """What was measured; all times in ms.

    Attributes
    ----------
    late : ndarray, shape=(beats,)
        Lateness of every beat.
    painting : ndarray, shape=(beats,)
        How much of the time before the beat 3-D paints took.
    waiting : ndarray, shape=(beats,)
        How much of that time the window's and the compute thread waited for a processor, outside of 3-D paints.
    paints, paints_waiting : ndarray, shape=(paints,)
        What each paint of the window with a 3-D picture took, with everything that Qt does for it, and how much of it
        the threads that draw waited for a processor.
    share : float
        Share of the thread's time that these paints took, from the begin of the first to that of the last.
    processor, drawing : float
        Processor time per time: of the window's thread, and of the threads of software OpenGL.
    steps : int
        Steps that the optimiser took meanwhile.
    """

    late: NDArray[np.float64]
    painting: NDArray[np.float64]
    waiting: NDArray[np.float64]
    paints: NDArray[np.float64]
    paints_waiting: NDArray[np.float64]
    share: float
    processor: float
    drawing: float
    steps: int

    def figures(self) -> dict[str, float]:
        """Return the figures that the limits are about, lateness always without 3-D paints."""
        late = np.maximum(self.late - self.painting, 0.0)
        own = np.maximum(late - self.waiting, 0.0)
        paints = self.paints if len(self.paints) else np.zeros(1)
        paints_own = np.maximum(self.paints - self.paints_waiting, 0.0) if len(self.paints) else np.zeros(1)
        return {
            "median": float(np.median(late)),
            "p99": float(np.quantile(late, 0.99)),
            "max": float(late.max()),
            "own_p99": float(np.quantile(own, 0.99)),
            "own_max": float(own.max()),
            "paint_median": float(np.median(paints)),
            "paint_max": float(paints.max()),
            "paint_own_max": float(paints_own.max()),
            "paint_share": self.share,
            "processor_share": self.processor,
            "drawing_share": self.drawing,
            "paints": len(self.paints),
            "steps": self.steps,
        }


def scheduled(threads: Iterable[int]) -> tuple[float, float]:
    """Return how long threads of this process have run and waited for a processor so far, in ms; 0 if nobody counts."""
    ran = waited = 0
    for thread in threads:
        try:
            numbers = Path(f"/proc/self/task/{thread}/schedstat").read_text().split()
            ran, waited = ran + int(numbers[0]), waited + int(numbers[1])
        except (OSError, IndexError):
            continue
    return ran / 1e6, waited / 1e6


def waited(threads: Iterable[int]) -> float:
    """Return how long threads of this process have waited for a processor so far, in ms."""
    return scheduled(threads)[1]


def drawing_threads() -> list[int]:
    """Return the threads of software OpenGL."""
    found = []
    for task in Path("/proc/self/task").glob("*"):
        try:
            if task.joinpath("comm").read_text().startswith("llvmpipe"):
                found.append(int(task.name))
        except OSError:
            continue
    return found


def main_window_class() -> Any:
    """Return a `MainWindow` that notes what its paints took."""
    from PySide6.QtCore import QEvent

    from lieapp.gui.window.main_window import MainWindow

    class TimedWindow(MainWindow):
        paints: list[tuple[float, float, float]]
        drawing: list[int]

        def event(self, event: QEvent) -> bool:
            if event.type() != QEvent.Type.UpdateRequest or not hasattr(self, "paints"):
                return bool(super().event(event))
            times = self.workbench.viewer.paint_times
            times.append(-1.0)
            before, start = waited(self.drawing), time.perf_counter()
            result = bool(super().event(event))
            if times[-1] >= 0:
                self.paints.append((start, time.perf_counter(), waited(self.drawing) - before))
            if -1.0 in times:
                times.remove(-1.0)
            return result

    return TimedWindow


def endless_run(window: Any, optimizer: str) -> None:
    """Start a run that does not end by itself."""
    controller = window.controller
    choices = replace(controller.session.choices, optimizer=optimizer, overrides={}, steps=10_000_000)
    controller.set_choices(choices)
    job = controller.session.job()
    limits = job.limits.model_copy(update={"gtol": 0.0, "ftol": 0.0, "divergence": False})
    controller.computing.start(job.model_copy(update={"limits": limits}), controller.session.inputs, step=False)


RACERS = ("sgd", "adam", "adamw", "sophia", "deo", "saddle-free-newton")
"""Entrants of the race whose pulse is measured."""


def endless_race(window: Any, landscape: str) -> None:
    """Let six optimisers race on a landscape, without an end."""
    controller = window.landscape.controller
    changes: dict[str, Any] = {"landscape": landscape, "start": None, "overrides": {}}
    if landscape == controller.choices.landscape:
        changes["start"] = controller.choices.start
    jobs = [controller.session.job(optimizer=name, **changes) for name in RACERS]
    limits = jobs[0].limits.model_copy(update={"gtol": 0.0, "ftol": 0.0, "divergence": False})
    from lieapp.gui.runs.session import Entry

    entries = [Entry(job.optimizer.name, job.model_copy(update={"limits": limits})) for job in jobs]
    controller.computing.start_race(entries, None, 1e9)


def measure(
    window: Any,
    optimizer: str,
    seconds: float,
    wait: Callable[[float], None],
    *,
    turn: bool,
    landscape: str = "",
) -> Pulse:
    """Run an optimiser and count the beats of the window's thread.

    Parameters
    ----------
    window : TimedWindow
        With a pair loaded and nothing running.
    optimizer : str
        In the Align workbench.
    seconds : float
    wait : callable(float)
        Runs the event loop for that many seconds.
    turn : bool
        Whether to turn the view with every beat, which asks for more paints than a replay does.
    landscape : str, optional
        Let `RACERS` race on it in the Landscape workbench instead.
    """
    from PySide6.QtCore import Qt, QTimer

    window.choose_workbench("landscape" if landscape else "align")
    controller = window.runs
    if landscape:
        endless_race(window, landscape)
    else:
        endless_run(window, optimizer)
    deadline = time.perf_counter() + 30
    while controller.frames < 6:
        assert time.perf_counter() < deadline, f"{optimizer} does not start"
        wait(0.02)
    wait(0.2)
    controller.show_latest()
    beats: list[tuple[float, float]] = []
    threads = (threading.get_native_id(), window.compute._thread.native_id)
    timer = QTimer(timerType=Qt.TimerType.PreciseTimer)

    def beat() -> None:
        beats.append((time.perf_counter(), waited(threads)))
        if turn:
            window.workbench.viewer.navigator.turn(0.5, 0.0)

    timer.timeout.connect(beat)
    before = controller.frames
    drawers = drawing_threads()
    window.drawing = [threads[0], *drawers]
    window.paints = []
    ran, drew, began = time.thread_time(), scheduled(drawers)[0], time.perf_counter()
    timer.start(BEAT_MILLISECONDS)
    wait(seconds)
    latest = began + max(seconds, 15.0)
    while window.workbench.viewer.isVisible() and len(window.paints) < PAINTS and time.perf_counter() < latest:
        wait(0.1)
    timer.stop()
    elapsed = time.perf_counter() - began
    shares = (time.thread_time() - ran) / elapsed, (scheduled(drawers)[0] - drew) / (1000 * elapsed)
    paints, steps = list(window.paints), controller.frames - before
    controller.stop()
    while controller.running:
        wait(0.02)
    controller.clear_runs()
    wait(0.1)
    return _pulse(np.array(beats), np.array(paints).reshape(-1, 3), shares, steps)


def _pulse(beats: NDArray[np.float64], paints: NDArray[np.float64], shares: tuple[float, float], steps: int) -> Pulse:
    times, waits = beats.T
    late = np.maximum(1000 * np.diff(times) - BEAT_MILLISECONDS, 0.0)
    painting, waiting = np.zeros(len(late)), np.diff(waits)
    for start, end, paint_waited in paints:
        overlap = np.maximum(np.minimum(end, times[1:]) - np.maximum(start, times[:-1]), 0.0)
        painting += 1000 * overlap
        # What was waited for within a paint is taken off with the paint, not twice.
        waiting -= np.where(overlap > 0, paint_waited * overlap / max(end - start, 1e-9), 0.0)
    took = paints[:, 1] - paints[:, 0]
    # Every paint with the pause after it: one that the end of the measurement cuts off says nothing about shares.
    share = float(took[:-1].sum() / (paints[-1, 0] - paints[0, 0])) if len(paints) > 1 else 0.0
    return Pulse(late, painting, np.maximum(waiting, 0.0), 1000 * took, paints[:, 2], share, *shares, steps)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mobile", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--view", choices=("on", "off"), default="off")
    parser.add_argument("--turn", action="store_true")
    parser.add_argument("--optimizers", nargs="+", default=[])
    parser.add_argument("--landscapes", nargs="+", default=[], help="a race of six on each of them instead")
    options = parser.parse_args()
    app = make_application()
    from lieapp.gui.app import SWITCH_SECONDS
    from lieapp.gui.application.messages import MessageCenter
    from lieapp.gui.application.preferences import Preferences
    from lieapp.gui.work.garbage import GarbageCollection
    from lieapp.optimizers.settings import settings_for

    sys.setswitchinterval(SWITCH_SECONDS)
    GarbageCollection(app).start()

    def wait(seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    with tempfile.TemporaryDirectory() as folder:
        message_center = MessageCenter()
        said: list[str] = []
        message_center.posted.connect(lambda message: said.append(message.text))
        window = main_window_class()(message_center, Preferences(Path(folder) / "window.ini"))
        window.resize(1280, 720)
        window.show()
        wait(0.3)
        window.start([str(options.mobile), str(options.target)])
        deadline = time.perf_counter() + 120
        while window.controller.session.inputs is None or not window.compute.idle:
            assert time.perf_counter() < deadline, f"no pair: {said}"
            wait(0.05)
        viewer = window.workbench.viewer
        viewer.setVisible(options.view == "on")
        wait(1.0)
        if options.landscapes:
            window.choose_workbench("landscape")
            wait(1.0)
            pulses = {
                name: measure(window, "", options.seconds, wait, turn=False, landscape=name)
                for name in options.landscapes
            }
        else:
            pulses = {
                name: measure(window, name, options.seconds, wait, turn=options.turn)
                for name in options.optimizers or settings_for("align")
            }
        found = {name: pulse.figures() for name, pulse in pulses.items()}
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        print(json.dumps({"load": load, "renderer": str(viewer.opengl), "available": viewer.available, "pulse": found}))
        window.close()
        wait(0.1)
    app.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
