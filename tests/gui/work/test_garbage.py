"""Check that garbage is destroyed on the thread of the window, whoever made it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
from pytestqt.qtbot import QtBot

from lieapp.gui.work.garbage import GarbageCollection


class Ring:
    """An object that only a search for garbage destroys, and that tells on which thread it was."""

    destroyed_on: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self.destroyed_on.append(threading.get_ident())


@pytest.fixture
def rings() -> Iterator[list[int]]:
    Ring.destroyed_on.clear()
    yield Ring.destroyed_on
    Ring.destroyed_on.clear()


def made_elsewhere(count: int) -> None:
    thread = threading.Thread(target=lambda: [None for _ in range(count) if Ring() is None])
    thread.start()
    thread.join()


def test_what_another_thread_leaves_is_destroyed_on_this_one(qtbot: QtBot, rings: list[int]) -> None:
    assert not gc.isenabled(), "the fixture of all tests of the window collects"
    old: list[list[object]] = [[] for _ in range(20_000)]
    gc.collect(1)
    made_elsewhere(5000)
    assert not rings, "nobody looks while it is made"
    old.clear()  # now Python counts no new objects
    assert gc.get_count()[0] < 700
    qtbot.waitUntil(lambda: len(rings) == 5000)
    assert set(rings) == {threading.get_ident()}


def test_garbage_is_not_kept_with_what_stays(rings: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    collection = GarbageCollection()
    made_elsewhere(5000)
    monkeypatch.setattr("time.monotonic", lambda: 1e9)  # half a minute is over
    collection.look()
    assert len(rings) == 5000


def test_left_to_itself_python_destroys_on_any_thread(rings: list[int]) -> None:
    gc.enable()
    try:
        made_elsewhere(5000)
    finally:
        gc.disable()
    assert threading.get_ident() not in rings and rings, "else nobody needs this module"


def test_stopped_it_leaves_garbage_to_python(qtbot: QtBot) -> None:
    collection = GarbageCollection()
    collection.start()
    collection.stop()
    try:
        assert gc.isenabled()
    finally:
        gc.disable()
