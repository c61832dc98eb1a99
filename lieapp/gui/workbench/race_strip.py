"""The strip under a picture: what the last race has shown, and what to look at next."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QFontMetricsF, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QWidget

from lieapp.gui.widgets.action_button import ActionButton
from lieapp.gui.widgets.scrolling import scrolled
from lieapp.gui.widgets.words import with_minus

__all__ = ["RaceStrip"]

_LINES, _FEW_LINES, _WIDE_LINES = 5.5, 3.5, 7.5  # the half line says that there is more
_NARROW, _WIDE = 70, 160  # letters: where so many fit into a line, a caption has few lines
_TALL = 36, 50  # lines of letters: in a column as high there is room for some, or many, lines


class RaceStrip(QFrame):
    """A caption, and buttons that lead on.

    Parameters
    ----------
    actions : sequence of QAction
        What to do next.
    lines : float, optional
        Of letters for a caption, where there is room for many.
    """

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None, *, lines: float = 10.5) -> None:
        super().__init__(parent)
        self._lines = lines
        self.setObjectName("card")
        self.setAccessibleName("What happened")
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.caption.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.caption.setAccessibleName("What the race has shown")
        self.caption.setToolTip("Every number is taken from the recordings")
        self.buttons: dict[str, ActionButton] = {}
        self._buttons = column = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        column.setSpacing(4)
        for action in actions:
            button = ActionButton(action)
            self.buttons[action.objectName()] = button
            column.addWidget(button)
        column.addStretch(1)
        self.scroll_area = scrolled(self.caption)
        self._parts = layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.scroll_area, 1)
        layout.addLayout(column)
        self._take_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._take_height()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "scroll_area"):
            self._take_height()
        super().changeEvent(event)

    def _take_height(self) -> None:
        """Keep one height: a picture above must not jump when a caption comes. Where there is no room beside it the
        buttons stand below the caption."""
        metrics = QFontMetricsF(self.caption.font())
        letters = self.width() / metrics.averageCharWidth()
        narrow = letters < _NARROW
        directions = QBoxLayout.Direction
        self._parts.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)
        needed = sum(button.sizeHint().width() + 8 for button in self.buttons.values())
        beside = narrow and needed <= self.width() - 16
        self._buttons.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        share = (self._column_height() / metrics.lineSpacing() - _TALL[0]) / (_TALL[1] - _TALL[0])
        most = self._lines if letters < _WIDE else _WIDE_LINES
        many = _LINES + (most - _LINES) * min(max(share, 0.0), 1.0)
        self.scroll_area.setFixedHeight(round((_FEW_LINES if narrow else many) * metrics.lineSpacing()))

    def _column_height(self) -> int:
        column = self.parentWidget()
        return 0 if column is None else column.height()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        column = self.parentWidget()
        if column is not None:
            column.installEventFilter(self)
        self._take_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self._take_height()
        return super().eventFilter(watched, event)

    def show_caption(self, text: str) -> None:
        """Show a caption from its beginning."""
        text = with_minus(text)
        if text != self.caption.text():
            self.caption.setText(text)
            self.scroll_area.verticalScrollBar().setValue(0)
