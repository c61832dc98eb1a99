"""Moves the scrub bar of a long recording in a window of its own, and prints what each move took as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from lieapp.gui.app import SWITCH_SECONDS, make_application


def long_recording(inputs: Any, frames: int) -> Any:
    """Return a recording of so many poses on the way to Kabsch's, with the columns of a run."""
    from lieapp.alignment.rigid import pose_matrix, twist_exp, twist_log
    from lieapp.engine.outcome import Outcome
    from lieapp.engine.recording import Recording

    twist = twist_log(pose_matrix(inputs.kabsch.rotation, inputs.kabsch.translation))
    recording = Recording({})
    rng = np.random.default_rng(1)
    for index, part in enumerate(np.linspace(0.0, 1.0, frames)):
        pose = twist_exp(part * twist)
        gap = 30.0 * float(np.exp(-12.0 * part)) * (1 + 0.05 * float(rng.standard_normal()))
        row = {
            "step": index,
            "loss": 50.0 + gap,
            "gradient_norm": gap,
            "gradients": index,
            "losses": 0.0,
            "hvps": 0.0,
            "evaluations": index,
            "seconds": 1e-4 * index,
            "learning_rate": 1.0,
            "rmsd": 7.0 + gap,
            "gap": gap,
            "angle_degrees": 122.0 * part,
        }
        recording.append(row, {"rotation": pose[None, :3, :3], "translation": pose[None, :3, 3]})
    recording.finish(Outcome(kind="limit", message="The limit of steps."))
    return recording


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mobile", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--moves", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options, Path(folder))))
    return 0


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    app = make_application()
    from lieapp.gui.application.messages import MessageCenter
    from lieapp.gui.application.preferences import Preferences
    from lieapp.gui.window.main_window import MainWindow

    sys.setswitchinterval(SWITCH_SECONDS)
    window = MainWindow(MessageCenter(), Preferences(folder / "window.ini"))
    window.resize(1440, 900)
    window.show()
    controller, workbench = window.controller, window.workbench
    controller.desk.open_files([options.mobile, options.target], remember=False)

    def settle(seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            app.processEvents()
            time.sleep(0.002)

    while controller.session.inputs is None:
        settle(0.05)
    inputs = controller.session.inputs
    entry = controller.session.add_run(controller.session.job(), long_recording(inputs, options.frames), inputs)
    controller.select(entry)
    window.actions_["sequences"].setChecked(True)
    found: dict[str, Any] = {"renderer": str(workbench.viewer.opengl), "load": os.getloadavg()[0]}
    frames = np.random.default_rng(2).integers(0, options.frames, options.moves).tolist()
    for shown in (True, False):
        workbench.viewer.setVisible(shown)
        for page, name in enumerate(("progress", "deviation", "slice")):
            workbench.tabs.row._group.button(page).click()
            settle(2.0 if name == "slice" else 0.7)
            times = []
            for frame in frames:
                begin = time.perf_counter()
                workbench.run_bar.slider.setValue(frame)
                handled = time.perf_counter()
                app.processEvents()
                times.append((1000 * (handled - begin), 1000 * (time.perf_counter() - begin)))
                settle(0.03)
            handling, whole = np.array(times).T
            found[f"{name}, 3-D {'shown' if shown else 'hidden'}"] = {
                "handled": float(np.median(handling)),
                "median": float(np.median(whole)),
                "p95": float(np.quantile(whole, 0.95)),
            }
    window.close()
    settle(0.1)
    return found


if __name__ == "__main__":
    sys.exit(main())
