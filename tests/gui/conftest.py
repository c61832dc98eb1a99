"""Fixtures of the window: an application made as the program makes it, one window a test, nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lieapp.gui.viewer.opengl import prepare_opengl

prepare_opengl()

from lieapp.gui.application.messages import Message, MessageCenter  # noqa: E402
from lieapp.gui.application.preferences import Preferences  # noqa: E402
from lieapp.gui.widgets.theme import theme  # noqa: E402
from lieapp.gui.window.main_window import MainWindow  # noqa: E402
from lieapp.gui.work.garbage import GarbageCollection  # noqa: E402
from lieapp.paths import resource  # noqa: E402

TIMEOUT = 60_000


@pytest.fixture(scope="session", autouse=True)
def garbage(qapp) -> Iterator[None]:
    """Collect garbage as the program does: on the thread of the window."""
    collection = GarbageCollection()
    collection.start()
    yield
    collection.stop()


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Fail a test that leaves a worker behind."""
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("lieapp-")]
    assert not left, f"threads left behind: {left}"


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(tmp_path / "window.ini")


@pytest.fixture
def message_center() -> Iterator[MessageCenter]:
    center = MessageCenter()
    yield center
    center.uninstall()


@pytest.fixture
def messages(message_center: MessageCenter) -> list[Message]:
    """What was said to the user."""
    said: list[Message] = []
    message_center.posted.connect(said.append)
    return said


@pytest.fixture
def window(qtbot, message_center: MessageCenter, preferences: Preferences) -> Iterator[MainWindow]:
    """A visible window of 1280x720 with nothing loaded."""
    theme().set_mode("light")
    made = MainWindow(message_center, preferences)
    made.resize(1280, 720)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def hinge() -> tuple[Path, Path]:
    """Files of the bundled pair: what moves, what stays."""
    return resource("examples/hinge_open.pdb"), resource("examples/hinge_closed.pdb")


@pytest.fixture
def paired(window: MainWindow, hinge: tuple[Path, Path], qtbot) -> MainWindow:
    """The window with the bundled pair."""
    window.controller.desk.open_pair(*hinge)
    qtbot.waitUntil(lambda: window.controller.session.inputs is not None, timeout=TIMEOUT)
    return window


@pytest.fixture
def finish(qtbot) -> Callable[[MainWindow], None]:
    """Wait until no run is under way."""

    def wait(window: MainWindow) -> None:
        qtbot.waitUntil(
            lambda: not window.controller.running and window.controller.session.current is not None, timeout=TIMEOUT
        )

    return wait
