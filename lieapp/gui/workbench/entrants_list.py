"""Who waits for the race: one row each, with the line it will be drawn by, and a way out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from lieapp.gui.runs.session import Entry
from lieapp.gui.widgets.elided_label import ElidedLabel
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.workbench.runs_panel import Swatch
from lieapp.scene.lines import Dash

__all__ = ["EntrantsList"]


class EntrantsList(QWidget):
    """The entrants of a race.

    Signals
    -------
    removed(str)
        The user takes the entrant of this name out.
    """

    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.setAccessibleName("Entrants of the race")
        self.names: tuple[str, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.empty = QLabel("Nobody yet: choose an optimiser, then Add to race.")
        self.empty.setObjectName("caption")
        self.empty.setWordWrap(True)
        self._layout.addWidget(self.empty)
        self._rows: list[QWidget] = []

    def set_entrants(self, entrants: Sequence[Entry], lines: Sequence[tuple[str, Dash]]) -> None:
        """List entrants.

        Parameters
        ----------
        entrants : sequence of Entry
        lines : sequence of (str, tuple of float)
            Colour and dash of each.
        """
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._row(entrant, *line) for entrant, line in zip(entrants, lines, strict=True)]
        for row in self._rows:
            self._layout.addWidget(row)
        self.names = tuple(entrant.name for entrant in entrants)
        self.empty.setVisible(not entrants)
        self.setAccessibleDescription(", ".join(self.names))

    def _row(self, entrant: Entry, color: str, dash: Dash) -> QWidget:
        row = QWidget()
        row.setObjectName("plain")
        name = ElidedLabel(entrant.name)
        out = QToolButton()
        out.setObjectName("row")
        set_icon(out, "x")
        out.setToolTip("Take it out of the race")
        out.setAccessibleName(f"Take out of the race: {entrant.name}")
        out.setAutoRaise(True)
        out.setFixedSize(20, 22)
        out.clicked.connect(lambda: self.removed.emit(entrant.name))
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(Swatch(color, dash))
        layout.addWidget(name, 1)
        layout.addWidget(out)
        return row
