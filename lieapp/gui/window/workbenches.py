"""The workbenches of the window: one is shown, each is made when it is first shown, or before, while nobody waits."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from lieapp.gui.workbench.workbench import RunWorkbench

__all__ = ["Assembly", "Workbenches"]

Assembly = Generator[None, None, RunWorkbench]
"""Makes a workbench part by part, so that no part stops the window for long."""


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
        self._makers: dict[str, Callable[[], Assembly]] = {}
        self._takers: dict[str, Callable[[RunWorkbench], None]] = {}
        self._begun: dict[str, Assembly] = {}
        self._ahead: dict[str, RunWorkbench] = {}
        self._made: dict[str, RunWorkbench] = {}
        self.name = ""

    def add(self, name: str, make: Callable[[], Assembly], take: Callable[[RunWorkbench], None]) -> None:
        """Add a workbench; the first one is made and shown at once.

        Parameters
        ----------
        name : str
        make : callable() -> Assembly
        take : callable(RunWorkbench)
            Called before it is shown for the first time.
        """
        self._makers[name], self._takers[name] = make, take
        if len(self._makers) == 1:
            self.choose(name)

    def prepare(self, name: str) -> bool:
        """Make one more part of a workbench that may be wanted later; return whether more is to be made."""
        if name in self._made or name in self._ahead:
            return False
        if name not in self._begun:
            self._begun[name] = self._makers[name]()
        try:
            next(self._begun[name])
        except StopIteration as end:
            del self._begun[name]
            self._ahead[name] = end.value
            return False
        return True

    def choose(self, name: str) -> RunWorkbench:
        """Show a workbench and let it have the window's actions."""
        if name == self.name:
            return self._made[name]
        if name not in self._made:
            while self.prepare(name):
                pass
            workbench = self._ahead.pop(name)
            self._takers[name](workbench)
            self._made[name] = workbench
            self.addWidget(workbench)
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

    def whole(self) -> list[RunWorkbench]:
        """Return the workbenches that are whole, those made ahead too."""
        return [*self._made.values(), *self._ahead.values()]

    def __iter__(self) -> Iterator[tuple[str, RunWorkbench]]:
        """Iterate over the names and workbenches made so far."""
        return iter(self._made.items())
