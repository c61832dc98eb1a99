"""Starting the window."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence

# Who imports a Qt binding later (pyqtgraph, vispy) must take this one.
os.environ["QT_API"] = "pyside6"
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from lieapp.gui.viewer.opengl import prepare_opengl
from lieapp.gui.work.garbage import GarbageCollection

__all__ = ["SWITCH_SECONDS", "make_application", "main"]

SWITCH_SECONDS = 0.0001


def make_application(arguments: Sequence[str] = ()) -> QApplication:
    """Return the application, made as the 3-D view needs it.

    Parameters
    ----------
    arguments : sequence of str, optional
        What Qt may read, such as ``-platform``.
    """
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    prepare_opengl()
    app = QApplication(["lieapp", *arguments])
    app.setApplicationName("LieApp")
    app.setOrganizationName("LieApp")
    app.setDesktopFileName("lieapp")
    return app


def main(files: Sequence[str] = (), *, run: bool = False, workbench: str = "align") -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    files : sequence of str, optional
        Structures to open: the first moves, the second stays.
    run : bool, optional
        Press the main button, Align once they are there.
    workbench : str, optional
        Which one to show: "align", "landscape" or "cryoem".

    Returns
    -------
    int
        Exit status.
    """
    # Nothing that is made at the start is ever garbage, and looking for garbage takes a tenth of the time.
    gc.disable()
    app = make_application()
    # Most calls into Qt give the interpreter to the compute thread and must wait this long to have it back: with the
    # default of 5 ms, or even 1 ms, a redraw of the plots takes longer than people call immediate.
    sys.setswitchinterval(SWITCH_SECONDS)
    from lieapp.gui.application.messages import MessageCenter
    from lieapp.gui.window.main_window import MainWindow

    messages = MessageCenter()
    messages.install()
    window = MainWindow(messages)
    window.show()
    _when_seen(window, lambda: window.start(list(files), run=run, workbench=workbench))
    try:
        return app.exec()
    finally:
        messages.uninstall()


def _when_seen(window: QWidget, work: Callable[[], None], patience: int = 200) -> None:
    """Call `work` once the window was painted: what it starts, such as loading torch, would delay that.

    Parameters
    ----------
    window : QWidget
    work : callable
    patience : int
        After how many looks, 10 ms apart, the work begins although nothing is seen, as on a minimised window.
    """
    handle = window.windowHandle()
    if patience <= 0 or (handle is not None and handle.isExposed()):
        GarbageCollection(window).start()
        QTimer.singleShot(0, window, work)
    else:
        QTimer.singleShot(10, window, lambda: _when_seen(window, work, patience - 1))
