"""A push button for an action of the table: its words, its tooltip, and whether it can be pressed."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QWidget

__all__ = ["ActionButton"]


class ActionButton(QPushButton):
    """A button that follows an action, also when its words change with the workbench.

    Parameters
    ----------
    action : QAction
    """

    def __init__(self, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        self._words: tuple[str, str] | None = None
        self.clicked.connect(lambda _checked=False: action.trigger())
        action.changed.connect(self._follow)
        self._follow()

    def set_words(self, text: str, tip: str) -> None:
        """Show other words than the action's."""
        self._words = (text, tip)
        self._follow()

    def _follow(self) -> None:
        text, tip = self._words or (self._action.iconText(), self._action.toolTip())
        self.setText(text)
        self.setAccessibleName(self._action.iconText())
        self.setToolTip(tip)
        self.setEnabled(self._action.isEnabled())
