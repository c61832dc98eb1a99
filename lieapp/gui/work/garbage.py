"""Python's search for garbage, on the window's thread only."""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

__all__ = ["GarbageCollection"]

_LOOK_MS = 100
_OLDER_EVERY = 10
_ALL_SECONDS = 30.0
_ALL_SHARE = 1e-3
"""Share of the time that looking through all objects may take."""


class GarbageCollection(QObject):
    """Collects garbage from the event loop, instead of wherever an object happens to be made.

    Left to itself, Python looks for garbage on any thread. Qt objects in a cycle, such as the plot items of a run that
    was deleted, are then destroyed on a thread that does not own them while the window's thread sends them events, and
    the program crashes. Looking through all objects also holds up the window, 0.2 s with torch: so what is there half
    a minute after the start, modules and widgets that stay, is left out from then on, and where it still takes long it
    is done more seldom.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._looks, self._settled = 0, False
        self._next_of_all = time.monotonic() + _ALL_SECONDS
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Take over from Python; what is there by now is no garbage."""
        gc.disable()
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.enable()

    def look(self) -> None:
        """Collect what is new, now and then what is older, and seldom all."""
        # Python's count of new objects would not tell whether there are any: old ones that go are taken off it.
        self._looks += 1
        begin = time.monotonic()
        if begin >= self._next_of_all:
            if self._settled:
                gc.collect()
            else:
                gc.collect(1)
                gc.freeze()
                self._settled = True
            now = time.monotonic()
            self._next_of_all = now + max(_ALL_SECONDS, (now - begin) / _ALL_SHARE)
        else:
            gc.collect(1 if self._looks % _OLDER_EVERY == 0 else 0)
