"""Opens a large assembly and writes large pictures in a window of the program, and prints the times as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lieapp.gui.app import SWITCH_SECONDS, make_application

PATIENCE = 120.0


class Beats:
    """Gaps in a timer of 5 ms: how long the window did not answer."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._times: list[float] = []
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=5)
        self._timer.timeout.connect(lambda: self._times.append(time.perf_counter()))

    def start(self) -> None:
        self._times = [time.perf_counter()]
        self._timer.start()

    def longest(self) -> float:
        """Stop, and return the longest gap in milliseconds."""
        self._timer.stop()
        self._times.append(time.perf_counter())
        return 1e3 * max(after - before for before, after in zip(self._times, self._times[1:], strict=False))


def until(condition: Callable[[], object]) -> float:
    """Run the event loop until a condition holds; return the seconds that took."""
    from PySide6.QtWidgets import QApplication

    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() - begin > PATIENCE:
            raise TimeoutError("the window did not come so far")
        QApplication.processEvents()
        time.sleep(0.001)
    return time.perf_counter() - begin


def measure(window: Any, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    viewer, desk, export = window.workbench.viewer, window.controller.desk, window.export_desk
    until(lambda: viewer.available and window.files.idle)
    found: dict[str, float] = {}
    beats = Beats()
    beats.start()
    desk.open_files([str(options.file)])
    seconds = until(lambda: viewer.scene.structure("mobile") is not None)
    viewer.paint_times.clear()  # those before had nothing to draw
    found["first"] = 1e3 * (seconds + until(lambda: viewer.paint_times))
    found["first_gap"] = beats.longest()
    size = (options.width, options.height)
    target = folder / "picture.png"
    beats.start()
    export.picture(target, size, transparent=True)
    found["beside"] = 1e3 * until(lambda: not export.long.busy)
    found["beside_gap"] = beats.longest()
    assert target.is_file(), "no picture was written"
    begin = time.perf_counter()
    assert viewer.picture(size, transparent=True).width() == options.width
    found["by_window"] = 1e3 * (time.perf_counter() - begin)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="a structure")
    parser.add_argument("--width", type=int, default=3840)
    parser.add_argument("--height", type=int, default=2160)
    options = parser.parse_args()
    app = make_application()
    sys.setswitchinterval(SWITCH_SECONDS)
    from lieapp.gui.application.messages import MessageCenter
    from lieapp.gui.application.preferences import Preferences
    from lieapp.gui.window.main_window import MainWindow

    with tempfile.TemporaryDirectory() as name:
        window = MainWindow(MessageCenter(), Preferences(Path(name) / "window.ini"))
        window.resize(1440, 900)
        window.show()
        found = measure(window, options, Path(name))
        window.close()
    app.processEvents()
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
