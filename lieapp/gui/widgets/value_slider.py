"""A slider over chosen values, with a label and the value beside it; it says when a value was settled on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider

__all__ = ["ValueSlider"]

_SETTLE_MILLISECONDS = 500  # keys and the wheel are never "released"


class ValueSlider(QSlider):
    """A horizontal slider over a list of values.

    Parameters
    ----------
    name : str
        Label and accessible name.
    values : sequence of float
        Ascending.
    words : callable(float) -> str
        How a value is written.
    tip : str

    Signals
    -------
    moved(float)
        The value under the handle, while it is moved.
    settled(float)
        The user let go of the handle, or has not touched the keys for a moment.
    """

    moved = Signal(float)
    settled = Signal(float)

    def __init__(self, name: str, values: Sequence[float], words: Callable[[float], str], tip: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.values = tuple(float(value) for value in values)
        self._words = words
        self._settled_at = -1
        self.label, self.text = QLabel(name), QLabel()
        self.label.setObjectName("fieldLabel")
        self.label.setBuddy(self)
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.text.setMinimumWidth(self.text.fontMetrics().horizontalAdvance("00 000"))
        self.setRange(0, len(self.values) - 1)
        self.setPageStep(max(1, len(self.values) // 5))
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.label.setToolTip(tip)
        self.text.setAccessibleName(f"{name}, value")
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._timer.timeout.connect(self._settle)
        self.valueChanged.connect(self._move)
        self.sliderReleased.connect(self._settle)
        self._show()

    def add_to(self, grid: QGridLayout) -> None:
        """Put label, slider and value into the next row of a grid of three columns."""
        row = grid.rowCount()
        for column, widget in enumerate((self.label, self, self.text)):
            grid.addWidget(widget, row, column)

    @property
    def chosen(self) -> float:
        """The value under the handle."""
        return self.values[self.value()]

    def show_value(self, value: float) -> None:
        """Put the handle at the nearest value without reporting it; the words show the value itself."""
        self.blockSignals(True)
        self.setValue(min(range(len(self.values)), key=lambda index: abs(self.values[index] - value)))
        self.blockSignals(False)
        self._settled_at = self.value()
        self._show(value)

    def set_row_visible(self, on: bool) -> None:
        """Show or hide slider, label and value."""
        for widget in (self.label, self, self.text):
            widget.setVisible(on)

    def _show(self, value: float | None = None) -> None:
        words = self._words(self.chosen if value is None else value)
        self.text.setText(words)
        self.setAccessibleDescription(words)

    def _move(self) -> None:
        self._show()
        self.moved.emit(self.chosen)
        if not self.isSliderDown():
            self._timer.start()

    def _settle(self) -> None:
        self._timer.stop()
        if self.value() != self._settled_at:
            self._settled_at = self.value()
            self.settled.emit(self.chosen)
