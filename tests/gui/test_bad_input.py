"""Files that cannot be used: dropped, opened, into either slot; one message each, and nothing else changes."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lieapp.gui.application.messages import Message
from lieapp.gui.window.main_window import MainWindow
from lieapp.paths import resource

TIMEOUT = 20_000
Finish = Callable[[MainWindow], None]


def _structure() -> bytes:
    return resource("examples/hinge_open.pdb").read_bytes()


def _waters() -> bytes:
    lines = [
        f"HETATM{n:5d}  O   HOH A{n:4d}    {n:8.3f}{0.0:8.3f}{0.0:8.3f}  1.00 10.00           O" for n in range(1, 9)
    ]
    return ("\n".join(lines) + "\nEND\n").encode()


BAD: dict[str, Callable[[], bytes]] = {
    "empty.pdb": lambda: b"",
    "blank.cif": lambda: b"\n\n\n",
    "truncated.pdb": lambda: _structure()[:20],
    "truncated.cif": lambda: b"data_X\nloop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.Cartn_x\nATOM 1\n",
    "cut.pdb.gz": lambda: gzip.compress(_structure())[:400],
    "binary.pdb": lambda: bytes(range(256)) * 64,
    "binary.bcif": lambda: bytes(range(255, -1, -1)) * 16,
    "no_atoms.pdb": lambda: b"HEADER    NOTHING\nTITLE     NO ATOMS\nEND\n",
    "hetatm_only.pdb": _waters,
    "pictures.png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(64),
    "notes.txt": lambda: b"Dear diary, today I aligned two structures.\n",
    "text_as.bcif": lambda: b"data_X\n_entry.id X\n",
    "garbage.cif.gz": lambda: gzip.compress(os.urandom(2000)),
    "no_gzip.pdb.gz": lambda: b"this is no gzip file at all",
    "absurd.bcif": lambda: b"\xdf\xff\xff\xff\xff" + b"\xdd\xff\xff\xff\xff" * 8,
}
KINDS = [*BAD, "missing.pdb", "directory.pdb", "unreadable.pdb"]


@pytest.fixture
def bad_file(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        if name in BAD:
            path.write_bytes(BAD[name]())
        elif name == "directory.pdb":
            path.mkdir()
        elif name == "unreadable.pdb":
            path.write_bytes(_structure())
            path.chmod(0)
            if os.access(path, os.R_OK):
                # The superuser may read everything; a link to itself nobody can.
                path.unlink()
                path.symlink_to(path)
        return path

    return make


def drop(widget: QWidget, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPointF(widget.rect().center())
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    # Qt only sends these events for drags of its own, so the handlers are called.
    enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, data, buttons, modifiers)
    widget.dragEnterEvent(enter)
    assert enter.isAccepted()
    widget.dropEvent(QDropEvent(place, Qt.DropAction.CopyAction, data, buttons, modifiers))


def state(window: MainWindow) -> tuple[object, ...]:
    session = window.controller.session
    return (
        dict(session.slots),
        session.inputs,
        session.choices,
        session.problem,
        list(session.runs),
        session.current,
        window.controller.frame,
        window.workbench.panel.form.overrides(),
        window.preferences.recent_files(),
        {name: card.name.full_text for name, card in window.workbench.panel.slots.items()},
        {name: card.info.full_text for name, card in window.workbench.panel.slots.items()},
        window.workbench.strip.rmsd.number.text(),
        window.actions_["align"].isEnabled(),
    )


@pytest.fixture
def worked(paired: MainWindow, finish: Finish) -> MainWindow:
    """A window in which something is set and a run is listed."""
    paired.controller.run()
    finish(paired)
    paired.controller.skip()
    paired.controller.show_frame(3)
    QApplication.processEvents()
    return paired


def test_every_bad_file_is_one_message_and_changes_nothing(
    worked: MainWindow, messages: list[Message], bad_file: Callable[[str], Path], qtbot: QtBot
) -> None:
    """In one window, one after the other, so that none leaves a trace for the next."""
    before = state(worked)
    desk, slot = worked.controller.desk, worked.workbench.panel.slots["target"]
    for number, name in enumerate(KINDS):
        messages.clear()
        path = bad_file(name)
        ways: tuple[Callable[[], None], ...] = (
            lambda path=path: desk.open_files([path]),  # type: ignore[misc]
            lambda path=path: drop(worked, path),  # type: ignore[misc]
            lambda path=path: drop(slot, path),  # type: ignore[misc]
        )
        ways[number % len(ways)]()
        qtbot.waitUntil(lambda: bool(messages) and not desk.loading, timeout=TIMEOUT)
        qtbot.wait(20)
        assert len(messages) == 1, (name, [message.text for message in messages])
        message = messages[0]
        assert message.level == "error", name
        assert name in message.text, (name, message.text)
        assert "\n" not in message.text, name
        assert "Traceback" not in message.text, name
        assert "inside the program" not in message.text, (name, message.text)
        assert worked.message_bar.isVisible()
        assert worked.message_bar.text.text() == message.text
        assert state(worked) == before, name


def test_one_bad_file_of_two_leaves_both_slots(
    worked: MainWindow, messages: list[Message], bad_file: Callable[[str], Path], hinge, qtbot: QtBot
) -> None:
    before = state(worked)
    drop(worked, hinge[1], bad_file("binary.pdb"))
    qtbot.waitUntil(lambda: bool(messages) and not worked.controller.desk.loading, timeout=TIMEOUT)
    assert len(messages) == 1
    assert "binary.pdb" in messages[0].text
    assert state(worked) == before


def test_a_bad_file_does_not_disturb_a_run(
    paired: MainWindow, messages: list[Message], bad_file: Callable[[str], Path], finish: Finish, qtbot: QtBot
) -> None:
    from dataclasses import replace

    controller = paired.controller
    controller.set_choices(replace(controller.session.choices, optimizer="sgd", overrides={"lr": 1e-4}, steps=3000))
    controller.run()
    qtbot.waitUntil(lambda: controller.frames > 3, timeout=TIMEOUT)
    drop(paired, bad_file("empty.pdb"))
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    controller.stop()
    finish(paired)
    assert [message.level for message in messages] == ["error"]
    assert len(controller.session.runs) == 1
    assert controller.session.runs[0].report is not None


def test_nothing_and_too_much_are_refused(worked: MainWindow, messages: list[Message], hinge, qtbot: QtBot) -> None:
    before = state(worked)
    drop(worked, *hinge, hinge[0])
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert [message.level for message in messages] == ["warning"]
    assert state(worked) == before
