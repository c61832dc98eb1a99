"""What the tabs of studies share: a button that starts and stops, progress, what it costs, a plot to export."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.gui.plots.card import PlotCard
from lieapp.gui.widgets.icons import set_icon

__all__ = ["StudyCard", "choice_box"]

_NARROW = 46  # letters in a line: what is said takes three of such lines


def choice_box(name: str, tip: str, entries: dict[str, Any]) -> QComboBox:
    """Return a combobox of titles with their values."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    for title, value in entries.items():
        box.addItem(title, value)
    return box


class StudyCard(PlotCard):
    """A study: what to compute, the button, the plot, and words about it.

    Parameters
    ----------
    name : str
        What the plot shows, for screen readers.
    verb : str
        What the button says while nothing is computed.
    tip : str
        What pressing it does.

    Attributes
    ----------
    button : QPushButton
    words : QLabel
        What it will cost or has found; while the pointer is on the plot, what is there.

    Signals
    -------
    wanted()
        The user wants the study computed.
    stop_wanted()
    export_wanted()
    """

    wanted = Signal()
    stop_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, name: str, verb: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._verb, self._tip = verb, tip
        self._running = False
        self.found: Any = None
        """What was computed last."""
        self.button = QPushButton(verb)
        self.button.setToolTip(tip)
        self.button.setAccessibleName(verb)
        self.button.clicked.connect(self._press)
        self.export_button = QToolButton()
        self.export_button.setObjectName("barButton")
        self.export_button.setAccessibleName("Export")
        self.export_button.setToolTip("Write the figure (SVG, PDF, PNG) or its numbers (CSV)")
        self.export_button.setIconSize(QSize(16, 16))
        set_icon(self.export_button, "upload")
        self.export_button.setEnabled(False)
        self.export_button.clicked.connect(self.export_wanted)
        self.export_action = QAction("&Export…", self)
        self.export_action.setToolTip(self.export_button.toolTip())
        self.export_action.setStatusTip(self.export_button.toolTip())
        self.export_action.setEnabled(False)
        self.export_action.triggered.connect(self.export_wanted)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.hide()
        self._said = ""
        self.words = QLabel(" ")
        self.words.setObjectName("caption")
        self.words.setWordWrap(True)
        self.words.setAccessibleName("What it costs or found, or what the pointer is on")
        self.words.setContentsMargins(8, 0, 8, 0)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def _lay_out_rows(
        self,
        *above: QHBoxLayout,
        inline: tuple[QWidget, ...] = (),
        below: tuple[QWidget, ...] = (),
        beside: tuple[QWidget, ...] = (),
    ) -> None:
        """Put rows of controls, the one of the button, the words and the plot below one another."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        for row in above:
            layout.addLayout(row)
        buttons = self.row(self.button, *inline)
        if not inline:
            buttons.addStretch(1)
        buttons.addWidget(self.export_button)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.words)
        plot = QHBoxLayout()
        plot.setSpacing(2)
        plot.addWidget(self.plot, 1)
        for widget in beside:
            plot.addWidget(widget)
        layout.addLayout(plot, 1)
        for widget in below:
            layout.addWidget(widget)
        self._ready = True
        self.set_has_data(self.found is not None)
        self.restyle()

    @staticmethod
    def row(*widgets: QWidget) -> QHBoxLayout:
        """Return a row of controls."""
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(8)
        for widget in widgets:
            row.addWidget(widget)
        return row

    # -- words ----------------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Say what the study costs, or found."""
        self._said = text
        self.words.setText(text or " ")
        self.words.setToolTip(text)

    # -- states ---------------------------------------------------------------------------------------------------

    def show_running(self, *, running: bool, possible: bool, why: str = "") -> None:
        """Show whether the study is computed now, or could be; `why` says why it could not."""
        self._running = running
        self.button.setText("Stop" if running else self._verb)
        self.button.setToolTip("End it and keep what is there" if running else why or self._tip)
        self.button.setEnabled(running or possible)
        self.bar.setVisible(running)

    def show_fraction(self, fraction: float) -> None:
        """Show how far it is, from 0 to 1."""
        self.bar.setValue(round(1000 * fraction))

    def set_found(self, found: Any) -> None:
        """Keep what was computed, for the export."""
        self.found = found
        self.export_button.setEnabled(found is not None)
        self.export_action.setEnabled(found is not None)
        self.set_has_data(found is not None)

    def menu_actions(self) -> list[QAction]:
        return [*super().menu_actions(), self.export_action]

    def point_at(self, mouse: QPointF) -> None:
        place = self.view_box.mapSceneToView(self.plot.mapToScene(mouse.toPoint()))
        self.words.setText(self.describe(float(place.x()), float(place.y())) or self._said or " ")

    def clear_pointing(self) -> None:
        super().clear_pointing()
        self.words.setText(self._said or " ")

    def restyle(self) -> None:
        super().restyle()
        self._take_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._take_height()

    def _take_height(self) -> None:
        """Give the words one height, or the plot would jump under the pointer."""
        metrics = QFontMetricsF(self.words.font())
        narrow = self.words.width() < _NARROW * metrics.averageCharWidth()
        self.words.setFixedHeight(round((3.2 if narrow else 2.2) * metrics.lineSpacing()))

    def describe(self, x: float, y: float) -> str:
        """Return what is to be said about a place of the plot."""
        return ""

    def _press(self) -> None:
        (self.stop_wanted if self._running else self.wanted).emit()
