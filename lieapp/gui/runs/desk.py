"""Starting and steering what computes: one run, or one race, on the worker that owns torch. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.session import Entry, RunSession
from lieapp.gui.work.worker import Task, Worker, drive_race, drive_run

if TYPE_CHECKING:
    from lieapp.engine.control import RunControl
    from lieapp.engine.job import Job
    from lieapp.engine.recording import Recording

__all__ = ["ActiveRun", "RunDesk", "Turn"]


@dataclass(eq=False)
class ActiveRun:
    """The run, or race, that is under way."""

    control: RunControl
    entries: list[RunEntry] = field(default_factory=list)
    race: bool = False
    stepping: bool = False
    task: Task | None = None


class Turn(QObject):
    """Whose turn it is to compute: one job at a time in a window, whatever its workbench.

    Attributes
    ----------
    holder : QObject or None
        Who lets something compute.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.holder: QObject | None = None

    def set_holder(self, desk: QObject | None) -> None:
        """Give the turn to a desk, or to nobody."""
        if desk is not self.holder:
            self.holder = desk
            self.changed.emit()


class RunDesk(QObject):
    """Lets one job at a time compute, and lists its recordings in the session.

    Parameters
    ----------
    session : RunSession
    compute : Worker
    turn : Turn, optional
        Shared by the desks of a window.

    Signals
    -------
    changed()
        Something began, was steered or ended.
    adopted(ActiveRun)
        Its recordings exist and are listed in the session.
    finished(ActiveRun)
        It came to its end; the entries hold their reports.
    failed(ActiveRun, Exception)
        It could not be opened, or broke off.
    """

    changed = Signal()
    adopted = Signal(object)
    finished = Signal(object)
    failed = Signal(object, object)

    def __init__(
        self, session: RunSession, compute: Worker, turn: Turn | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._active: ActiveRun | None = None
        self._session = session
        self._compute = compute
        self.turn = turn or Turn(self)
        self.turn.changed.connect(self.changed)

    @property
    def active(self) -> ActiveRun | None:
        """What is under way."""
        return self._active

    @property
    def free(self) -> bool:
        """Whether a job may begin: nothing is under way, here or in another workbench."""
        return self.turn.holder is None

    # -- beginning ------------------------------------------------------------------------------------------------

    def start(self, job: Job, inputs: Any, *, step: bool = False) -> bool:
        """Begin a run; with `step` it takes one step and waits. Return whether it began."""
        if not self.free:
            return False
        active = self._begin(stepping=step)
        if step:
            active.control.step_once()

        def came(recording: Recording) -> None:
            self._adopt(active, [self._session.add_run(job, recording, inputs)])

        active.task = self._compute.submit(
            lambda task: drive_run(task, job, inputs, active.control),
            lambda report: self._finish(active, [report]),
            lambda error: self._fail(active, error),
            came,
        )
        self.changed.emit()
        return True

    def start_race(self, entrants: Sequence[Entry], inputs: Any, evaluations: float) -> bool:
        """Begin a race to a budget of evaluations; return whether it began."""
        if not self.free or not entrants:
            return False
        active = self._begin(race=True)
        jobs = [(entrant.name, entrant.job) for entrant in entrants]

        def came(recordings: list[Recording]) -> None:
            # Earlier runs would be curves and ghosts among the entrants.
            for run in self._session.runs:
                run.visible = run.visible and run.pinned
            entries = [
                self._session.add_run(job, recording, inputs, title=name)
                for (name, job), recording in zip(jobs, recordings, strict=True)
            ]
            self._adopt(active, entries)

        active.task = self._compute.submit(
            lambda task: drive_race(task, jobs, inputs, active.control, evaluations),
            lambda reports: self._finish(active, reports),
            lambda error: self._fail(active, error),
            came,
        )
        self.changed.emit()
        return True

    # -- steering -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let the run take one more step."""
        if self.active is not None:
            self.active.control.step_once()
            self.changed.emit()

    def stop(self) -> None:
        """End what is under way; what it recorded is kept."""
        if self.active is not None:
            self.active.control.stop()
            if self.active.task is not None and not self.active.entries:
                self.active.task.cancel()
                self._end()
            self.changed.emit()

    def states(self) -> set[str]:
        """Return which of ``stop``, ``pause`` and ``step`` can be done to what is under way."""
        if self.active is None:
            return set()
        control = self.active.control
        held = set()
        if control.can("stop"):
            held.add("stop")
        if control.can("step_once"):
            held.add("step")
        if control.can("pause") or control.can("resume"):
            held.add("pause")
        return held

    @property
    def paused(self) -> bool:
        """Whether something is under way and held."""
        return self.active is not None and self.active.control.can("resume")

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _begin(self, *, race: bool = False, stepping: bool = False) -> ActiveRun:
        from lieapp.engine.control import RunControl

        self._active = ActiveRun(RunControl(), race=race, stepping=stepping)
        self.turn.set_holder(self)
        return self._active

    def _end(self) -> None:
        self._active = None
        self.turn.set_holder(None)

    def _adopt(self, active: ActiveRun, entries: list[RunEntry]) -> None:
        active.entries = entries
        for entry in entries:
            entry.control = active.control
        self.adopted.emit(active)

    def _finish(self, active: ActiveRun, reports: Sequence[Any]) -> None:
        for entry, report in zip(active.entries, reports, strict=True):
            entry.control, entry.report = None, report
        if self._active is active:
            self._end()
        self.finished.emit(active)

    def _fail(self, active: ActiveRun, error: BaseException) -> None:
        if self._active is active:
            self._end()
        for entry in active.entries:
            entry.control = None
        self.failed.emit(active, error)
