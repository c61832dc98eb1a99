"""Check that answers are kept, that nothing is done twice, and that only the newest request counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from lieapp.gui.plots.paths import nearest_path
from lieapp.gui.work.kept_work import KeptWork
from lieapp.gui.work.worker import Task, Worker

TIMEOUT = 5000


@pytest.fixture
def worker(qtbot) -> Iterator[Worker]:
    made = Worker("kept-work")
    yield made
    made.close()


def answering(answer: object, asked: list[object]) -> Callable[[], Callable[[Task], object]]:
    def prepare() -> Callable[[Task], object]:
        asked.append(answer)
        return lambda task: answer

    return prepare


def test_the_latest_answers_are_kept(worker: Worker, qtbot) -> None:
    work, asked = KeptWork(worker, kept=2), []
    for number in (1, 2, 3):
        with qtbot.waitSignal(work.done, timeout=TIMEOUT) as done:
            assert work.ask(number, answering(str(number), asked)) is None
            assert work.busy
        assert done.args == [number, str(number)]
    assert work.answers == ["2", "3"] and not work.busy
    assert work.ask(2, answering("again", asked)) == "2" and work.answers == ["3", "2"]
    assert asked == ["1", "2", "3"]
    work.forget()
    assert work.answers == []


def test_only_the_newest_request_is_told(worker: Worker, qtbot) -> None:
    work, asked, told, go = KeptWork(worker, kept=2), [], [], threading.Event()
    work.done.connect(lambda key, answer: told.append(key))
    work.ask("slow", lambda: lambda task: go.wait(5.0))
    work.ask("slow", answering("the same", asked))
    assert asked == []
    with qtbot.waitSignal(work.done, timeout=TIMEOUT):
        work.ask("new", answering("new", asked))
        go.set()
    qtbot.wait(50)
    assert told == ["new"]


def test_failures_are_told_and_can_be_tried_again(worker: Worker, qtbot) -> None:
    work, asked = KeptWork(worker, kept=2), []

    def fail(task: Task) -> object:
        raise ValueError("no such plane")

    with qtbot.waitSignal(work.failed, timeout=TIMEOUT) as failed:
        work.ask("plane", lambda: fail)
    assert str(failed.args[0]) == "no such plane"
    with qtbot.waitSignal(work.done, timeout=TIMEOUT):
        work.ask("plane", answering("plane", asked))


class Line:
    def __init__(self, *rows: tuple[float, float]) -> None:
        self.coordinates = np.array(rows, dtype=np.float64).reshape(-1, 2)


def test_the_nearest_path_is_found_in_pixels() -> None:
    flat, empty = Line((0.0, 0.0), (np.nan, np.nan), (1.0, 0.0)), Line()
    steep = Line((0.0, 1.0), (0.0, 2.0))
    lines = (flat, empty, steep)
    assert nearest_path(lines, (0.9, 0.0), (0.1, 0.1), 5.0) == (flat, 2)
    assert nearest_path(lines, (0.0, 1.6), (0.1, 0.1), 5.0) == (steep, 1)
    assert nearest_path(lines, (0.5, 0.0), (0.1, 0.1), 5.0) is None  # as far as the limit
    assert nearest_path(lines, (0.6, 0.8), (0.1, 10.0), 5.0) == (flat, 2)  # pixels need not be square
