"""Start the window as the program does, note when it is seen, and close it: one JSON object on standard output.

``LIEAPP_STARTED`` holds the time of the start, as `time.time` gives it; the arguments are those of the program. With
``LIEAPP_CLOSE_AT_ONCE`` the window is closed while torch is still being loaded.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

AT_ONCE = bool(os.environ.get("LIEAPP_CLOSE_AT_ONCE"))
STARTED = float(os.environ.get("LIEAPP_STARTED") or time.time())

from lieapp.cli import main  # noqa: E402

HEAVY = ("torch", "Bio", "matplotlib", "scipy")


def watch(report: dict[str, Any]) -> object:
    """Note the first paint of the window, what follows, and close it."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    from lieapp.gui.app import make_application

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and isinstance(watched, QMainWindow):
                app.removeEventFilter(self)
                # After the paint, and what Qt does to bring it onto the screen.
                QTimer.singleShot(0, self, lambda: self.seen(watched))
            return False

        def seen(self, window: Any) -> None:
            report["visible"] = time.time() - STARTED
            report["processor"] = time.process_time()
            report["heavy"] = [name for name in HEAVY if name in sys.modules]
            handle = window.windowHandle()
            report["exposed"] = handle is not None and handle.isExposed()
            self.window = window
            self.timer = QTimer(self, interval=20)
            self.timer.timeout.connect(self.look)
            self.timer.start()

        def look(self) -> None:
            session = self.window.controller.session
            said = [message.text for message in self.window.messages.history]
            if session.inputs is not None:
                report.setdefault("paired", time.time() - STARTED)
            shown = session.inputs is not None or bool(said)
            warm = "torch" in sys.modules and not self.window.device_text.startswith("starting")
            done = shown and (AT_ONCE or (warm and not self.window.runs.running))
            if done or time.time() - STARTED > 60:
                report["ready"] = time.time() - STARTED
                report["messages"] = said
                report["pairs"] = 0 if session.inputs is None else len(session.inputs.pairing)
                report["runs"] = [run.outcome_text() for run in self.window.runs.runs]
                self.timer.stop()
                self.window.close()

    app = make_application()
    assert isinstance(app, QApplication)
    watcher = Watch()
    app.installEventFilter(watcher)
    return watcher


if __name__ == "__main__":
    found: dict[str, Any] = {}
    watcher = watch(found)
    status = main(sys.argv[1:])
    print(json.dumps({**found, "status": status}))
