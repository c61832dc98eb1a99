"""The workbenches of the window: one is shown, each is made when it is shown for the first time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from lieapp.gui.run_workbench import RunWorkbench

__all__ = ["Workbenches"]


class Workbenches(QStackedWidget):
    """A stack of workbenches by name. What runs in one goes on while another is shown.

    Signals
    -------
    changed(str)
        Another workbench is shown.
    """

    changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._makers: dict[str, Callable[[], RunWorkbench]] = {}
        self._made: dict[str, RunWorkbench] = {}
        self.name = ""

    def add(self, name: str, make: Callable[[], RunWorkbench]) -> None:
        """Add a workbench; the first one is made and shown at once."""
        self._makers[name] = make
        if len(self._makers) == 1:
            self.choose(name)

    def choose(self, name: str) -> RunWorkbench:
        """Show a workbench and let it have the window's actions."""
        if name == self.name:
            return self._made[name]
        if name not in self._made:
            self._made[name] = self._makers[name]()
            self.addWidget(self._made[name])
        for other, workbench in self._made.items():
            workbench.set_active(other == name)
        self.name = name
        self.setCurrentWidget(self._made[name])
        self.changed.emit(name)
        return self._made[name]

    @property
    def shown(self) -> RunWorkbench:
        """The workbench that is shown."""
        return self._made[self.name]

    def __iter__(self) -> Iterator[tuple[str, RunWorkbench]]:
        """Iterate over the names and workbenches made so far."""
        return iter(self._made.items())
