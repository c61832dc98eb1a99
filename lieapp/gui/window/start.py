"""What happens between the first sight of the window and its being ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QLineEdit

from lieapp.gui.work.worker import import_modules, warm_up

if TYPE_CHECKING:
    from lieapp.gui.window.main_window import MainWindow

__all__ = ["WindowStart"]

_OTHER_WORKBENCHES = (
    "lieapp.gui.landscape.workbench",
    "lieapp.gui.landscape.exports",
    "lieapp.gui.landscape.growth_plot",
    "lieapp.gui.landscape.studies",
    "lieapp.landscapes.truth",
    "lieapp.landscapes.caption",
    "lieapp.gui.cryoem.workbench",
)
"""What the window would import, and its user wait for, when another workbench is shown for the first time."""


_PREPARED = ("landscape", "cryoem")
"""Workbenches that are made ahead, in this order."""
_PREPARE_MILLISECONDS = 150
"""Between two parts of a workbench that is made ahead, so that a click in between is answered at once."""


class WindowStart(QObject):
    """Loads the first structures, wakes the compute thread, and presses the button of a demonstration.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._run_at_start = self._waiting_to_warm_up = False
        self._preparing = QTimer(self, interval=_PREPARE_MILLISECONDS)
        self._preparing.timeout.connect(self._prepare)

    def start(self, files: Sequence[str] = (), *, run: bool = False, workbench: str = "align") -> None:
        """Load the first structures and wake the compute thread; called when the window is visible.

        Parameters
        ----------
        files : sequence of str, optional
            Structures to open, what moves first; the bundled pair by default.
        run : bool, optional
            Press the main button, Align once the structures are there.
        workbench : str, optional
            Which one to show.
        """
        window = self._window
        self._run_at_start = run and workbench == "align"
        if files:
            window.controller.desk.open_files(list(files))
        else:
            window.opening.open_example()
        window.controller.desk.pairs_changed.connect(self._focus_align)
        # Loading torch would take half of the time that reading and pairing need.
        self._waiting_to_warm_up = True
        window.files.idle_changed.connect(lambda idle: QTimer.singleShot(0, self, self._warm_up))
        if window.files.idle:  # a map alone is not read by that thread
            QTimer.singleShot(0, self, self._warm_up)
        if workbench != "align":
            window.choose_workbench(workbench)
            if run:
                window.shown.panel.main_button.click()

    def _warm_up(self) -> None:
        """Load torch once the structures are there, or once it is known that they will not come."""
        window = self._window
        if self._waiting_to_warm_up and window.files.idle:
            self._waiting_to_warm_up = False
            window.compute.submit(warm_up, self._warmed, lambda error: window.messages.report(error, "Loading torch"))

    def _warmed(self, torch_version: str) -> None:
        window = self._window
        window.show_device(
            "CPU, 1 thread",
            "Alignments and surfaces are computed in float64 on the CPU with one thread, by torch "
            f"{torch_version}.\nDrawn by {window.workbench.viewer.opengl}.",
        )
        window.files.submit(
            lambda task: import_modules(task, _OTHER_WORKBENCHES),
            lambda nothing: self._preparing.start(),
            lambda error: window.messages.report(error, "Loading the other workbenches"),
        )

    def _prepare(self) -> None:
        """Make a part of the workbenches that may be shown next, while nothing runs."""
        window = self._window
        if window.turn.holder is not None:
            return
        # The first that is not whole yet gets a part, and the next one its turn when there is none.
        if not (window.isVisible() and any(window.workbenches.prepare(name) for name in _PREPARED)):
            self._preparing.stop()

    def _focus_align(self) -> None:
        """Put the keyboard on Align as soon as it can be pressed for the first time, and press it if asked to."""
        window = self._window
        if window.controller.session.inputs is None:
            return
        window.controller.desk.pairs_changed.disconnect(self._focus_align)
        if window.shown is window.workbench and not isinstance(window.focusWidget(), QLineEdit):
            window.workbench.panel.main_button.setFocus()
        if self._run_at_start:
            self._run_at_start = False
            window.actions_["align"].trigger()
