"""Running jobs from the command line: progress, interruption, exit status."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lieapp.engine.job import Job
    from lieapp.engine.run import Run

__all__ = ["complete_runs", "exit_status", "open_runs", "prints_aside", "stop_on_interrupt"]


def open_runs(jobs: Sequence[Job], inputs: Any = None) -> list[Run]:
    """Open jobs on the same inputs."""
    from lieapp.engine.job import open_job

    with prints_aside():
        return [open_job(job, inputs)[1] for job in jobs]


def prints_aside() -> AbstractContextManager[Any]:
    """Send what an optimiser of one's own prints to standard error: standard output is for results alone."""
    return redirect_stdout(sys.stderr)


def complete_runs(
    titles: Sequence[str],
    jobs: Sequence[Job],
    runs: Sequence[Run],
    *,
    shown: bool,
    debug: bool = False,
    budget: float | None = None,
) -> None:
    """Run to the end, several as a race at equal evaluations; Ctrl+C ends them and keeps what there is.

    With ``debug``, the traceback of what failed goes to standard error.
    """
    from lieapp.engine.control import RunControl
    from lieapp.engine.devices import single_thread
    from lieapp.engine.race import Entrant, Race

    control = RunControl()
    threads = single_thread() if all(run.problem.single_threaded for run in runs) else nullcontext()
    with threads, stop_on_interrupt(control), prints_aside(), _progress(titles, jobs, shown=shown) as advance:
        if len(runs) == 1:
            runs[0].share_control(control)
            for frame in runs[0]:
                advance(titles[0], frame.index, frame.loss)
            control.finish()
        else:
            entrants = [Entrant(title, run) for title, run in zip(titles, runs, strict=True)]
            limits = jobs[0].limits
            evaluations = budget or limits.evaluations or float(limits.steps)
            for entrant, frame in Race(entrants, evaluations, control=control):
                advance(entrant.name, frame.index, frame.loss)
    for title, run in zip(titles, runs, strict=True):
        if debug and run.outcome is not None and run.outcome.details:
            sys.stderr.write(f"{title}:\n{run.outcome.details}")


@contextmanager
def stop_on_interrupt(control: Any) -> Iterator[None]:
    """Let Ctrl+C end the run within one evaluation and keep its recording; a second one ends the program."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, previous)
        control.stop()

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def _progress(
    titles: Sequence[str], jobs: Sequence[Job], *, shown: bool
) -> Iterator[Callable[[str, int, float], None]]:
    """Offer a function that draws a bar per run, on terminals only."""
    if not shown or not sys.stderr.isatty():
        yield lambda name, step, loss: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("step {task.completed}, loss {task.fields[loss]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {
            title: bars.add_task(title, total=job.limits.steps, loss="")
            for title, job in zip(titles, jobs, strict=True)
        }
        yield lambda name, step, loss: bars.update(tasks[name], completed=step, loss=f"{loss:.6g}")


def exit_status(runs: Sequence[Run]) -> int:
    """Return the worst exit status of several runs."""
    return max(run.recording.outcome.exit_status for run in runs if run.recording.outcome is not None)
