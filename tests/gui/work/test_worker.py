"""Threads behind the window."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from lieapp.gui.work.worker import Cancelled, Task, Worker


@pytest.fixture
def worker(qtbot) -> Iterator[Worker]:
    made = Worker("lieapp-test")
    yield made
    made.close()


def test_work_runs_elsewhere_and_its_result_comes_home(worker: Worker, qtbot) -> None:
    came: list[object] = []

    def work(task: Task) -> str:
        return threading.current_thread().name

    worker.submit(work, lambda name: came.extend((name, threading.current_thread())), came.append)
    qtbot.waitUntil(lambda: len(came) == 2)
    assert came == ["lieapp-test", threading.main_thread()]
    assert worker.idle


def test_a_failure_comes_home_and_the_thread_lives_on(worker: Worker, qtbot) -> None:
    failures: list[BaseException] = []
    results: list[object] = []
    worker.submit(lambda task: 1 / 0, results.append, failures.append)
    worker.submit(lambda task: 2, results.append, failures.append)
    qtbot.waitUntil(lambda: results == [2])
    assert isinstance(failures[0], ZeroDivisionError)


def test_even_an_exit_is_caught(worker: Worker, qtbot) -> None:
    failures: list[BaseException] = []
    worker.submit(lambda task: exit(3), failures.append, failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert isinstance(failures[0], SystemExit)


def test_progress_comes_in_order_before_the_result(worker: Worker, qtbot) -> None:
    came: list[object] = []

    def work(task: Task) -> str:
        for number in range(5):
            task.tell(number)
        return "end"

    worker.submit(work, came.append, came.append, came.append)
    qtbot.waitUntil(lambda: "end" in came)
    assert came == [0, 1, 2, 3, 4, "end"]


def test_a_cancelled_task_says_nothing(worker: Worker, qtbot) -> None:
    came: list[object] = []
    gate = threading.Event()

    def work(task: Task) -> str:
        gate.wait(5)
        task.tell("late")
        return "never"

    first = worker.submit(work, came.append, came.append, came.append)
    waiting = worker.submit(lambda task: "neither", came.append, came.append)
    first.cancel()
    waiting.cancel()
    gate.set()
    worker.submit(lambda task: "last", came.append, came.append)
    qtbot.waitUntil(lambda: "last" in came)
    assert came == ["last"]


def test_closing_cancels_and_ends_the_thread(qtbot) -> None:
    worker = Worker("lieapp-closing")

    def work(task: Task) -> None:
        while not task.cancelled():
            time.sleep(0.005)

    worker.submit(work, print, print)
    begin = time.perf_counter()
    assert worker.close(2.0)
    assert time.perf_counter() - begin < 1.0
    assert worker.submit(lambda task: 1, print, print).cancelled()


def test_closing_waits_for_what_must_be_done_whole_and_begins_nothing_more(
    qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker("lieapp-loading")
    inside, joined, gate = threading.Event(), threading.Event(), threading.Event()
    seen: list[str] = []

    def work(task: Task) -> None:
        with task.whole():
            inside.set()
            gate.wait(20)
            seen.append("whole")
        seen.append("went on")

    def open_gate() -> None:
        while not task.cancelled():
            time.sleep(0.001)
        joined.wait(0.2)  # a worker that did not wait would join its thread at once
        gate.set()

    join = worker._thread.join

    def watched_join(timeout: float | None = None) -> None:
        seen.append("join")
        joined.set()
        join(timeout)

    monkeypatch.setattr(worker._thread, "join", watched_join)
    task = worker.submit(work, seen.append, lambda error: seen.append(str(error)))
    waiting = worker.submit(lambda task: seen.append("begun"), print, print)
    assert inside.wait(20)
    opener = threading.Thread(target=open_gate)
    opener.start()
    assert worker.close(20.0)
    opener.join()
    qtbot.wait(1)
    assert seen == ["whole", "join"] and waiting.cancelled()


def test_a_cancelled_task_loads_nothing() -> None:
    task = Task(print, print, print)
    assert task.load("math").pi > 3.0
    with pytest.raises(Cancelled), task.whole():
        task.cancel()
    with pytest.raises(Cancelled):
        task.load("math")


def test_idleness_is_announced(worker: Worker, qtbot) -> None:
    seen: list[bool] = []
    worker.idle_changed.connect(seen.append)
    for _ in range(3):
        worker.submit(lambda task: None, lambda _: None, lambda _: None)
    qtbot.waitUntil(lambda: worker.idle)
    assert seen == [False, True]
