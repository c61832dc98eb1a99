"""A strip for work that takes its time: what is being done, how far it is, and a way to end it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

__all__ = ["ProgressStrip"]


class ProgressStrip(QFrame):
    """Shows the progress of one piece of work.

    Signals
    -------
    cancelled()
        The user wants the work to end.
    """

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self.setAccessibleName("Work in progress")
        self.text = QLabel()
        self.text.setAccessibleName("What is being done")
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.button = QPushButton("Cancel")
        self.button.setToolTip("End it; nothing is left behind")
        self.button.clicked.connect(self._cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.setSpacing(12)
        layout.addWidget(self.text)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self.button)
        self.hide()

    def begin(self, text: str, *, known: bool = True) -> None:
        """Show the strip; without `known` progress its bar only moves."""
        self.bar.setRange(0, 100 if known else 0)
        self.text.setText(text)
        self.bar.setValue(0)
        self.button.setEnabled(True)
        self.show()

    def show_fraction(self, fraction: float) -> None:
        """Show how far the work is, from 0 to 1."""
        self.bar.setValue(round(100 * fraction))

    def end(self) -> None:
        """Hide the strip."""
        self.hide()

    def _cancel(self) -> None:
        self.button.setEnabled(False)
        self.text.setText(f"{self.text.text()} Ending…")
        self.cancelled.emit()
