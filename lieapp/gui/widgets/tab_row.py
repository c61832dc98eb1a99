"""A row of quiet tabs with a line under the chosen one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QSizePolicy, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from lieapp.gui.widgets.marking import mark

__all__ = ["TabPages", "TabRow"]

_MANY = 4
_CROWDED_MARGIN = 4  # pixels around the words of a tab, at least


class TabRow(QWidget):
    """Tabs without pages.

    Signals
    -------
    chosen(int)
    """

    chosen = Signal(int)

    def __init__(self, name: str, *, stretch: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.setAccessibleName(name)
        self._stretch = stretch
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._columns = 0
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._group.idClicked.connect(self.chosen)

    def add(self, title: str, tip: str, *, enabled: bool = True) -> QToolButton:
        """Add a tab."""
        button = QToolButton()
        button.setObjectName("tab")
        button.setText(title)
        button.setToolTip(tip)
        button.setAccessibleName(title)
        button.setCheckable(True)
        button.setEnabled(enabled)
        button.setCursor(Qt.CursorShape.PointingHandCursor if enabled else Qt.CursorShape.ArrowCursor)
        if self._stretch:
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        number = len(self._group.buttons())
        self._group.addButton(button, number)
        self._layout.addWidget(button, 0, number)
        self._columns = number + 1
        if self._stretch and number >= _MANY:
            self._crowd()
        if number == 0:
            button.setChecked(True)
        return button

    def _crowd(self) -> None:
        """Let many tabs share a narrow column by the length of their words."""
        for place, button in enumerate(self._group.buttons()):
            if mark(button, "crowded", True):
                button.updateGeometry()  # else the layout keeps the width of before
            self._layout.setColumnStretch(place, len(button.text()) + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._stretch:
            self._wrap()

    def _wrap(self) -> None:
        """Put the tabs into two rows where their words do not fit into one."""
        buttons = self._group.buttons()
        longest = max((button.sizeHint().width() for button in buttons), default=0)
        if self._columns == len(buttons) and len(buttons) * longest > self.width():
            self._crowd()
        words = sum(button.fontMetrics().horizontalAdvance(button.text()) + _CROWDED_MARGIN for button in buttons)
        columns = len(buttons) if words <= self.width() else (len(buttons) + 1) // 2
        if columns == self._columns:
            return
        self._columns = columns
        for place, button in enumerate(buttons):
            self._layout.addWidget(button, place // columns, place % columns)
            longest = max(len(other.text()) for other in buttons[place % columns :: columns])
            self._layout.setColumnStretch(place, longest + 2 if place < columns else 0)
        self.updateGeometry()

    def choose(self, index: int) -> None:
        """Choose a tab without reporting it."""
        self._group.button(index).setChecked(True)


class TabPages(QWidget):
    """Tabs with pages.

    Signals
    -------
    page_made(QWidget)
        A page that was added by its maker is shown for the first time.
    """

    page_made = Signal(QWidget)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.row = TabRow(name, stretch=True)
        self.stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.row)
        layout.addWidget(self.stack, 1)
        self.row.chosen.connect(self._show)
        self._makers: dict[int, Callable[[], QWidget]] = {}
        self._places: dict[int, QWidget] = {}

    def add(self, title: str, tip: str, page: QWidget | Callable[[], QWidget]) -> None:
        """Add a page, or what makes it when it is first shown."""
        self.row.add(title, tip)
        if isinstance(page, QWidget):
            self.stack.addWidget(page)
        else:
            place = QWidget()
            index = self.stack.addWidget(place)
            self._makers[index], self._places[index] = page, place

    def show_page(self, index: int) -> None:
        """Show a page."""
        self.row.choose(index)
        self._show(index)

    def make_pages(self) -> None:
        """Make the pages whose makers were not called yet."""
        for index in list(self._makers):
            self._make(index)

    def _make(self, index: int) -> None:
        make = self._makers.pop(index, None)
        if make is not None:
            place = self._places.pop(index)
            page = make()
            self.stack.insertWidget(index, page)
            self.stack.removeWidget(place)
            place.deleteLater()
            self.page_made.emit(page)

    def _show(self, index: int) -> None:
        self._make(index)
        self.stack.setCurrentIndex(index)
