"""The strip at the bottom: a thin ribbon of the deviation, which opens to both sequences."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QWidget

from lieapp.gui.align.deviation_ribbon import DeviationRibbon
from lieapp.gui.align.selection_model import SelectionModel
from lieapp.gui.align.sequence_panel import SequencePanel
from lieapp.gui.widgets.icons import set_icon

__all__ = ["SequenceCard"]


class SequenceCard(QFrame):
    """Ribbon, its opener, and the sequences below it.

    Parameters
    ----------
    model : SelectionModel
    opener : QAction
        The action that opens and closes the sequences.
    """

    def __init__(self, model: SelectionModel, opener: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Sequences")
        self._opener = opener
        self.ribbon = DeviationRibbon()
        self.panel = SequencePanel(model)
        self.panel.hide()
        self.button = QToolButton()
        self.button.setAccessibleName("Show the sequences")
        self.button.setIconSize(QSize(14, 14))
        self.button.setFixedWidth(22)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(opener.trigger)
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 0, 2, 0)
        layout.setSpacing(0)
        layout.addWidget(self.button, 0, 0)
        layout.addWidget(self.ribbon, 0, 1)
        layout.addWidget(self.panel, 1, 0, 1, 2)
        self.set_open(False)

    @property
    def open(self) -> bool:
        """Whether the sequences are shown."""
        return not self.panel.isHidden()

    def set_open(self, on: bool) -> None:
        """Show or hide the sequences."""
        self.panel.setVisible(on)
        set_icon(self.button, "chevron-down" if on else "chevron-right")
        self.button.setToolTip(f"{'Hide' if on else 'Show'} both sequences ({self._opener.shortcut().toString()})")
