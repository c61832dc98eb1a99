"""One line about what the pointer is on, in the corner of the 3-D view, whichever view the pointer is over."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QWidget

from lieapp.gui.align.selection_model import SelectionModel

__all__ = ["Readout"]

_MARGIN = 8


class Readout(QLabel):
    """The line of `SelectionModel.describe`, at the lower left of a widget.

    Parameters
    ----------
    model : SelectionModel
    place : QWidget
        The widget it lies on.
    """

    def __init__(self, model: SelectionModel, place: QWidget) -> None:
        super().__init__(place)
        self.setObjectName("readout")
        self.setAccessibleName("Residue under the pointer, or what is selected")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._model = model
        self._place = place
        place.installEventFilter(self)
        model.text_changed.connect(self.show_text)
        self.hide()

    def show_text(self) -> None:
        """Show what there is to say, or nothing."""
        text = self._model.describe()
        if text == self.text():
            return
        self.setText(text)
        self.setVisible(bool(text))
        self._move()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._move()
        return super().eventFilter(watched, event)

    def _move(self) -> None:
        if self.text():
            self.adjustSize()
            self.resize(min(self.width(), self._place.width() - 2 * _MARGIN), self.height())
            self.move(_MARGIN, self._place.height() - self.height() - _MARGIN)
            self.raise_()
