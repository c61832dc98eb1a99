"""Messages to the user."""

from __future__ import annotations

import sys
import threading

import pytest
from PySide6.QtGui import QGuiApplication

from lieapp.gui.application.messages import Message, MessageBar, MessageCenter, error_message
from lieapp.structures.errors import StructureError


@pytest.fixture
def bar(qtbot) -> MessageBar:
    made = MessageBar()
    qtbot.addWidget(made)
    return made


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_intended_error_is_shown_as_it_is() -> None:
    message = error_message(raised(StructureError("a.pdb: line 3 is cut off")), "Reading a.pdb")
    assert message.text == "a.pdb: line 3 is cut off"
    assert "StructureError" in message.details


def test_a_fault_of_the_program_is_called_so() -> None:
    message = error_message(raised(KeyError("x")), "Reading a.pdb")
    assert "Reading a.pdb failed" in message.text and "KeyError" in message.text
    assert "test_messages.py" in message.details


def test_messages_from_other_threads_arrive_on_this_one(message_center: MessageCenter, qtbot) -> None:
    seen: list[object] = []
    message_center.posted.connect(lambda message: seen.append((message.text, threading.current_thread())))
    thread = threading.Thread(target=lambda: message_center.post(Message("hello")))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("hello", threading.main_thread())]


def test_the_hook_takes_what_nobody_caught(message_center: MessageCenter, messages: list[Message], qtbot) -> None:
    before = sys.excepthook
    message_center.install()
    error = raised(ValueError("lost"))
    sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    message_center.uninstall()
    assert sys.excepthook is before
    qtbot.waitUntil(lambda: len(messages) == 2)
    assert "lost" in messages[0].text and "ZeroDivisionError" in messages[1].text


def test_the_bar_shows_details_and_copies_everything(bar: MessageBar) -> None:
    bar.show_message(Message("It broke.", "error", "line 1\nline 2"))
    assert bar.isVisible() and bar.text.text() == "It broke."
    assert not bar.details.isVisible()
    bar.details_button.click()
    assert bar.details.isVisible() and bar.details.toPlainText() == "line 1\nline 2"
    bar.copy_button.click()
    assert QGuiApplication.clipboard().text() == "It broke.\n\nline 1\nline 2\n"
    bar.close_button.click()
    assert not bar.isVisible()


def test_the_action_of_a_message_is_done_once_and_closes_it(bar: MessageBar) -> None:
    done: list[int] = []
    bar.show_message(Message("Diverged.", "warning", action=("Show the best pose", lambda: done.append(1))))
    assert bar.action.text() == "Show the best pose"
    bar.action.click()
    assert done == [1] and not bar.isVisible()
    bar.show_message(Message("Done."))
    assert not bar.action.isVisible() and not bar.details_button.isVisible()
