"""Threads behind the window: work goes in, results come back on the window's own thread.

The window has two `Worker`s. One reads, pairs, fetches and writes files. The other is the only thread that ever
touches torch: it drives runs. It never reports single steps; views read the recording, which may be read while it
grows.
"""

from __future__ import annotations

import contextlib
import importlib
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from lieapp.engine.control import RunControl
    from lieapp.engine.job import Job
    from lieapp.engine.run import Run

__all__ = ["Cancelled", "LateInputs", "Task", "Worker", "drive_race", "drive_run", "import_modules", "warm_up"]


class Cancelled(Exception):
    """Raised within work whose result nobody waits for any more."""


@dataclass(eq=False)
class Task:
    """One piece of work under way.

    Attributes
    ----------
    work : callable
        Called with the task on the worker's thread; what it returns goes to `then`.
    then, failed : callable
        Called on the window's thread with the result, or with the exception. Neither is called once the task
        was cancelled.
    progress : callable or None
        Called on the window's thread with whatever the work hands to `tell`.
    """

    work: Callable[[Task], Any]
    then: Callable[[Any], None]
    failed: Callable[[BaseException], None]
    progress: Callable[[Any], None] | None = None
    _cancel: threading.Event = field(default_factory=threading.Event)
    _whole: threading.RLock = field(default_factory=threading.RLock)
    _tell: Callable[[Task, Any], None] | None = None

    def cancel(self) -> None:
        """Forget the result; the work may look at `cancelled` and stop early."""
        self._cancel.set()

    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancel.is_set()

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Do what cannot be given up half way but soon ends by itself; a worker that closes waits for its end.

        Raises
        ------
        Cancelled
            If the task was cancelled before: then it does not begin; or by its end: then what it was for does not.
        """
        with self._whole:
            if self.cancelled():
                raise Cancelled
            yield
        if self.cancelled():
            raise Cancelled

    def load(self, name: str) -> ModuleType:
        """Import a module, unless the task was cancelled.

        Half an import would leave a module that nobody can use, and that of torch takes seconds.

        Raises
        ------
        Cancelled
        """
        with self.whole():
            return importlib.import_module(name)

    def tell(self, value: Any) -> None:
        """Hand an intermediate value to `progress`, on the window's thread."""
        if self._tell is not None:
            self._tell(self, value)


class Worker(QObject):
    """One thread and a queue.

    Parameters
    ----------
    name : str
        Name of the thread.
    """

    _came = Signal(object, str, object)
    idle_changed = Signal(bool)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._closing = False
        self._waiting = 0
        self._tasks: set[Task] = set()
        self._whole = threading.RLock()
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way or waiting, as the window's thread knows."""
        return self._waiting == 0

    def submit(
        self,
        work: Callable[[Task], Any],
        then: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        progress: Callable[[Any], None] | None = None,
    ) -> Task:
        """Queue a piece of work; to be called on the window's thread.

        Returns
        -------
        Task
        """
        task = Task(work, then, failed, progress, _whole=self._whole)
        task._tell = lambda sender, value: self._emit(sender, "progress", value)
        if self._closing:
            task.cancel()
            return task
        self._tasks.add(task)
        self._waiting += 1
        if self._waiting == 1:
            self.idle_changed.emit(False)
        self._queue.put(task)
        return task

    def close(self, timeout: float = 2.0) -> bool:
        """Cancel everything and end the thread.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait, beside those that what must be done whole still takes, such as an import.

        Returns
        -------
        bool
            False if the thread did not end in time; it is a daemon and ends with the process.
        """
        self._closing = True
        for task in self._tasks:
            task.cancel()
        self._queue.put(None)
        # Whoever holds it goes on to its end; nothing that is cancelled takes it any more.
        with self._whole:
            pass
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            task = self._queue.get()
            if task is None:
                return
            if task.cancelled():
                self._emit(task, "done", None)
                continue
            try:
                result = task.work(task)
            except BaseException as error:  # everything goes to the window; the thread must live on
                self._emit(task, "failed", error)
            else:
                self._emit(task, "done", result)

    def _emit(self, task: Task, what: str, value: Any) -> None:
        # The window may be gone already while the last work ends.
        with contextlib.suppress(RuntimeError):
            self._came.emit(task, what, value)

    def _deliver(self, task: Task, what: str, value: Any) -> None:
        if what == "progress":
            if task.progress is not None and not task.cancelled():
                task.progress(value)
            return
        self._tasks.discard(task)
        self._waiting -= 1
        if self._waiting == 0:
            self.idle_changed.emit(True)
        if task.cancelled():
            return
        (task.then if what == "done" else task.failed)(value)


def warm_up(task: Task) -> str:
    """Import torch and compute once, so that the first run does not pay for it; return torch's version."""
    torch = task.load("torch")
    task.load("lieapp.engine.devices").single_thread()
    for module in ("lieapp.alignment.problem", "lieapp.optimizers.registry", "lieapp.engine.run"):
        task.load(module)
    # The first step of a torch optimiser imports more of torch than torch itself does.
    with task.whole():
        value = torch.ones(4, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([value])
        (value * value).sum().backward()
        optimizer.step()
    return str(torch.__version__)


def import_modules(task: Task, names: Sequence[str]) -> None:
    """Import modules, so that the window does not have to when they are first needed."""
    for name in names:
        task.load(name)


def _open(task: Task, job: Job, inputs: Any) -> Run:
    engine = task.load("lieapp.engine.job")
    # It imports the problem and the optimiser, and torch where nobody has before.
    with task.whole():
        _, run = engine.open_job(job, inputs)
    opened: Run = run
    return opened


class LateInputs(ABC):
    """What jobs work on, where making it is work for the thread that drives them: it is made with the first job.

    Attributes
    ----------
    stage : str
        What is being done, for people; empty before and after.
    """

    stage = ""

    @abstractmethod
    def get(self, task: Task) -> Any:
        """Return what `lieapp.engine.job.open_job` takes; made at the first call, on the thread that drives runs."""


def _made(task: Task, inputs: Any) -> Any:
    return inputs.get(task) if isinstance(inputs, LateInputs) else inputs


def drive_run(task: Task, job: Job, inputs: Any, control: RunControl) -> Any:
    """Open a job and run it to its end under the window's control; inputs may be `LateInputs`.

    The recording is handed to the task's progress as soon as it exists.

    Returns
    -------
    object or None
        None if the run ended before its first frame.
    """
    try:
        inputs = _made(task, inputs)
        run = _open(task, job, inputs)
        run.share_control(control)
        task.tell(run.recording)
        for _ in run:
            pass
    finally:
        control.finish()
    return _report(job, run, inputs)


def drive_race(
    task: Task,
    jobs: Sequence[tuple[str, Job]],
    inputs: Any,
    control: RunControl,
    evaluations: float,
) -> list[Any]:
    """Run several jobs against each other under one control.

    Returns
    -------
    list of object or None
        One for each entrant.
    """
    try:
        race_module = task.load("lieapp.engine.race")
        inputs = _made(task, inputs)
        runs = [_open(task, job, inputs) for _, job in jobs]
        entrants = [race_module.Entrant(name, run) for (name, _), run in zip(jobs, runs, strict=True)]
        race = race_module.Race(entrants, evaluations, control=control)
        task.tell([run.recording for run in runs])
        for _ in race:
            pass
    finally:
        control.finish()
    return [_report(job, run, inputs) for (_, job), run in zip(jobs, runs, strict=True)]


def _report(job: Job, run: Run, inputs: Any) -> Any:
    if len(run.recording) == 0:
        return None
    engine = importlib.import_module("lieapp.engine.job")
    return engine.report_job(job, run.recording, inputs)
