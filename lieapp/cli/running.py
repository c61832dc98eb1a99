"""Running jobs from the command line: progress, interruption, reports."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from lieapp.cli.app import UsageError

if TYPE_CHECKING:
    from lieapp.engine.job import Job
    from lieapp.engine.run import Run

__all__ = [
    "complete_runs",
    "exit_status",
    "overrides_by_title",
    "print_reports",
    "stop_on_interrupt",
    "tell_written",
    "unique_names",
]


def complete_runs(
    titles: Sequence[str], jobs: Sequence[Job], runs: Sequence[Run], *, shown: bool, budget: float | None = None
) -> None:
    """Run to the end, several as a race at equal evaluations; Ctrl+C ends them and keeps what there is."""
    from lieapp.engine.control import RunControl
    from lieapp.engine.devices import single_thread
    from lieapp.engine.race import Entrant, Race

    control = RunControl()
    threads = single_thread() if all(run.problem.single_threaded for run in runs) else nullcontext()
    with threads, stop_on_interrupt(control), _progress(titles, jobs, shown=shown) as advance:
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


def print_reports(reports: Sequence[Any]) -> None:
    """Print the JSON object of a run, or of all runs of a race."""
    objects = [json.loads(report.to_json()) for report in reports]
    whole = objects[0] if len(objects) == 1 else {"schema": 1, "runs": objects}
    sys.stdout.write(json.dumps(whole, ensure_ascii=False) + "\n")


def tell_written(written: Sequence[Path], out: Path | None) -> None:
    """Say how many files lie where."""
    from lieapp.engine.stopping import counted

    if written:
        typer.echo(f"Written: {counted(len(written), 'file')} to {_places(written, out)}")


def _places(files: Sequence[Path], folder: Path | None) -> str:
    """Say where files are: the folder of results, single files, and folders of many."""
    beside = [path for path in files if folder is None or not path.is_relative_to(folder)]
    many = [path.parent for path in beside]
    places = [path if many.count(path.parent) < 3 else path.parent for path in beside]
    return " and ".join(dict.fromkeys(str(place) for place in ([folder] if folder is not None else []) + places))


def unique_names(names: Sequence[str]) -> list[str]:
    """Number names that occur more than once: adam, adam-2."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return unique


def overrides_by_title(
    settings: Sequence[str], names: Sequence[str], titles: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Split ``[NAME.]KEY=VALUE`` words; returns the settings of every entrant by its title.

    A first part that is an optimiser of this run restricts the setting to it; that is the title of one entrant, such
    as ``adam-2``, to that one, and more strongly.
    """
    found: dict[str, dict[str, str]] = {title: {} for title in titles}
    own: dict[str, dict[str, str]] = {title: {} for title in titles}
    for word in settings:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set {word}: expected KEY=VALUE, such as lr=0.5.")
        # The longest first: the name of a class has dots of its own.
        for first in sorted({*names, *titles}, key=len, reverse=True):
            rest = key.strip().removeprefix(f"{first}.")
            if rest == key.strip() or not rest:
                continue
            if first in names:
                for name, title in zip(names, titles, strict=True):
                    if name == first:
                        found[title][rest] = value.strip()
            else:
                own[first][rest] = value.strip()
            break
        else:
            for title in titles:
                found[title][key.strip()] = value.strip()
    return {title: {**found[title], **own[title]} for title in titles}
