"""Words under a plot that give way where the plot would become too small."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QWidget

__all__ = ["SpareCaption"]

_MOST = 0.42  # share of the card that words may take
_LEAST = 156  # pixels that they must leave: the smallest plot


class SpareCaption(QLabel):
    """A wrapped caption, shown while it takes a small part of its card; the tooltip of the card holds its words.

    Parameters
    ----------
    card : QWidget
        In whose layout it lies.
    name : str
        For screen readers.
    """

    def __init__(self, card: QWidget, name: str) -> None:
        super().__init__()
        self._card = card
        self._words = ""
        self.setObjectName("caption")
        self.setWordWrap(True)
        self.setContentsMargins(8, 0, 8, 4)
        self.setAccessibleName(name)
        self.hide()
        card.installEventFilter(self)

    @property
    def words(self) -> str:
        """What it says, shown or not."""
        return self._words

    def show_words(self, words: str) -> None:
        """Say something, or nothing."""
        if words != self._words:
            self._words = words
            self.setText(words)
            self._card.setToolTip(words)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FontChange):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        # Before the first layout the card has no size worth looking at.
        needed, height = self.heightForWidth(max(self._card.width(), 1)), self._card.height()
        self.setVisible(bool(self._words) and needed <= min(_MOST * height, height - _LEAST))
