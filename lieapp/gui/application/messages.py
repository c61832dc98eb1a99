"""Messages to the user: one place that takes them, one bar that shows them.

A message says what happened, why, and keeps the details for those who want to report it. Errors that the program
raises on purpose (`LieAppError`) are shown as they are; all others are called what they are, a fault of the program.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.errors import LieAppError
from lieapp.gui.widgets.icons import icon, set_icon
from lieapp.gui.widgets.theme import theme

__all__ = ["MessageCenter", "Level", "Message", "MessageBar", "error_message"]

logger = logging.getLogger(__name__)

Level = Literal["info", "success", "warning", "error"]

_ICONS: dict[Level, str] = {
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "error": "circle-alert",
}
_SUCCESS_MILLISECONDS = 8000


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes
    ----------
    text : str
        What happened and why, in one or two sentences.
    level : {"info", "success", "warning", "error"}
    details : str
        Everything else, such as a traceback; shown on demand and copied with the text.
    action : tuple of (str, callable) or None
        One thing to do about it.
    still : callable() -> bool or None
        Whether it is still so; a message that is not true any more goes by itself.
    """

    text: str
    level: Level = "info"
    details: str = ""
    action: tuple[str, Callable[[], object]] | None = None
    still: Callable[[], bool] | None = None

    @property
    def report(self) -> str:
        """Text and details, as the copy button gives them."""
        return f"{self.text}\n\n{self.details}".rstrip() + "\n"


def error_message(error: BaseException, doing: str = "") -> Message:
    """Turn an exception into a message.

    Parameters
    ----------
    error : BaseException
    doing : str, optional
        What was attempted, such as ``"Reading 4ake.pdb"``.
    """
    details = "".join(traceback.format_exception(error))
    if isinstance(error, LieAppError):
        return Message(str(error), "error", details)
    if isinstance(error, MemoryError):
        return Message(f"{doing or 'The operation'} needs more memory than there is.", "error", details)
    what = f"{doing} failed" if doing else "Something went wrong inside the program"
    return Message(f"{what}: {type(error).__name__}: {error}. Nothing was lost.", "error", details)


class MessageCenter(QObject):
    """Takes messages from any thread and gives them to the window.

    Signals
    -------
    posted(Message)
        Emitted on the thread of the window.
    """

    posted = Signal(object)
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history: list[Message] = []
        self._arrived.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._previous_hook: Callable[..., object] | None = None
        self._previous_thread_hook: Callable[..., object] | None = None

    def post(self, message: Message) -> None:
        """Show a message; may be called from any thread."""
        if message.level == "error":
            logger.error("%s", message.text)
            logger.debug("%s", message.report)
        self._arrived.emit(message)

    def report(self, error: BaseException, doing: str = "") -> None:
        """Show an exception; may be called from any thread."""
        self.post(error_message(error, doing))

    def install(self) -> None:
        """Catch every exception that nobody else did, on any thread."""
        self._previous_hook, self._previous_thread_hook = sys.excepthook, threading.excepthook
        sys.excepthook = self._hook
        threading.excepthook = lambda arguments: self._hook(
            arguments.exc_type, arguments.exc_value, arguments.exc_traceback
        )

    def uninstall(self) -> None:
        """Give the hooks back."""
        if self._previous_hook is not None:
            sys.excepthook = self._previous_hook
        if self._previous_thread_hook is not None:
            threading.excepthook = self._previous_thread_hook
        self._previous_hook = self._previous_thread_hook = None

    def _hook(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        self.report(error or kind())

    def _show(self, message: Message) -> None:
        self.history.append(message)
        del self.history[:-50]
        self.posted.emit(message)


class MessageBar(QFrame):
    """Shows one message above the workbench until it is closed or replaced."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self.setAccessibleName("Message")
        self.message: Message | None = None
        self._symbol = QLabel()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setAccessibleName("Message text")
        self.text.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.action = QPushButton("Do it")
        self.action.setToolTip("Do this now")
        self.details_button = QPushButton("Details")
        self.details_button.setCheckable(True)
        self.details_button.setToolTip("Show everything that is known about it")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("Copy the message and its details")
        self.close_button = QToolButton()
        self.close_button.setToolTip("Close this message")
        self.close_button.setAccessibleName("Close this message")
        set_icon(self.close_button, "x")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFixedHeight(140)
        self.details.setAccessibleName("Details of the message")
        self.details.setToolTip("Details, to be copied into a report")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._symbol)
        row.addWidget(self.text, 1)
        for button in (self.action, self.details_button, self.copy_button, self.close_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.details)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self.action.clicked.connect(self._act)
        self.details_button.toggled.connect(self.details.setVisible)
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.dismiss)
        theme().changed.connect(self._restyle)
        self.hide()

    def show_message(self, message: Message) -> None:
        """Show a message instead of the present one."""
        self.message = message
        self.setProperty("level", message.level)
        self._restyle()
        self.text.setText(message.text)
        self.action.setVisible(message.action is not None)
        if message.action is not None:
            self.action.setText(message.action[0])
        self.details_button.setVisible(bool(message.details))
        self.details_button.setChecked(False)
        self.copy_button.setVisible(message.level in ("error", "warning"))
        self.details.setPlainText(message.details)
        self.details.hide()
        self.show()
        self._timer.stop()
        if message.level == "success":
            self._timer.start(_SUCCESS_MILLISECONDS)

    def review(self) -> None:
        """Close the bar if what it says is not true any more."""
        if self.message is not None and self.message.still is not None and not self.message.still():
            self.dismiss()

    def dismiss(self) -> None:
        """Close the bar."""
        self.message = None
        self._timer.stop()
        self.hide()

    def _act(self) -> None:
        if self.message is not None and self.message.action is not None:
            callback = self.message.action[1]
            self.dismiss()
            callback()

    def _copy(self) -> None:
        if self.message is not None:
            QGuiApplication.clipboard().setText(self.message.report)

    def _restyle(self) -> None:
        level: Level = self.message.level if self.message is not None else "info"
        tokens = theme().tokens
        color = {
            "info": tokens.accent,
            "success": tokens.success,
            "warning": tokens.warning,
            "error": tokens.error,
        }[level]
        self._symbol.setPixmap(icon(_ICONS[level], color).pixmap(18, 18))
        self.style().unpolish(self)
        self.style().polish(self)
