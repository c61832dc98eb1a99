"""A part of a panel that can be closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from lieapp.gui.widgets.icons import set_icon

__all__ = ["Section"]


class Section(QWidget):
    """A part that opens and closes under a quiet button.

    Parameters
    ----------
    title, tip : str
        Of the button.

    Attributes
    ----------
    body : QWidget
        What opens; laid out by the owner.

    Signals
    -------
    toggled(bool)
    """

    toggled = Signal(bool)

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.button = QToolButton()
        self.button.setObjectName("more")
        self.button.setText(title)
        self.button.setToolTip(tip)
        self.button.setAccessibleName(title)
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.body = QWidget()
        self.body.setObjectName("plain")
        self.body.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.body)
        self.button.toggled.connect(self._toggle)
        set_icon(self.button, "chevron-right")

    @property
    def open(self) -> bool:
        """Whether the part is shown."""
        return self.button.isChecked()

    def set_open(self, on: bool) -> None:
        """Open or close it."""
        self.button.setChecked(on)

    def _toggle(self, on: bool) -> None:
        self.body.setVisible(on)
        set_icon(self.button, "chevron-down" if on else "chevron-right")
        self.toggled.emit(on)
