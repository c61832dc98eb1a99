"""The command line: the same jobs without a window.

A first word that is no command is a file to open in the window. Heavy packages are imported by the command that needs
them, so ``--help`` answers at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lieapp import __version__
from lieapp.errors import LieAppError

if TYPE_CHECKING:
    from lieapp.alignment.spec import AlignJob
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.checkpoint import Checkpoint
    from lieapp.engine.job import Job
    from lieapp.engine.run import Run
    from lieapp.export.drawings import DrawingRequest
    from lieapp.export.result import AlignmentResult
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["app", "main"]

EXIT_WRONG_USE = 2

_CHECKPOINT = "checkpoint.pt"

# Newer versions of typer carry click inside, older ones import it: this is the base of its errors in either.
ClickError: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="lieapp",
    help="Three optimisation problems of structural biology, live and truthful. Without a command: the window.",
    epilog="'lieapp FILE ...' opens files in the window.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write every result into this folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no progress and no summary.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")]


class UsageError(LieAppError):
    """The command line itself is wrong."""


# -- align --------------------------------------------------------------------------------------------------------


@app.command(epilog="Exit status: 0 converged or limit, 1 diverged or failed, 2 wrong use or input, 130 interrupted.")
def align(
    mobile: Annotated[
        str, typer.Argument(metavar="MOBILE", help="Structure that moves: a file, or an id with --fetch.")
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Structure that stays.")],
    fetch: Annotated[
        bool, typer.Option("--fetch", help="MOBILE and TARGET are entry ids: 4AKE, AF-P69441-F1.")
    ] = False,
    mobile_chain: Annotated[str | None, typer.Option(metavar="A[,B]", help="Chains of MOBILE.")] = None,
    target_chain: Annotated[str | None, typer.Option(metavar="A[,B]", help="Chains of TARGET.")] = None,
    mobile_model: Annotated[int | None, typer.Option(metavar="N", help="Model number of MOBILE.")] = None,
    target_model: Annotated[int | None, typer.Option(metavar="N", help="Model number of TARGET.")] = None,
    pairing: Annotated[
        str | None, typer.Option(metavar="auto|sequence|number", help="How residues are paired.")
    ] = None,
    atoms: Annotated[str | None, typer.Option(metavar="ca|backbone|heavy", help="Atoms that are paired.")] = None,
    fit: Annotated[str | None, typer.Option(metavar="SEL", help="Residues of MOBILE that drive the fit.")] = None,
    report: Annotated[str | None, typer.Option(metavar="SEL", help="Residues of MOBILE that scores are over.")] = None,
    objective: Annotated[
        str | None, typer.Option(metavar="rmsd|tm|gdt|huber|geman-mcclure", help="What is minimised.")
    ] = None,
    objective_scale: Annotated[
        float | None, typer.Option(metavar="X", help="d0, delta or sigma in Å; relative width of the steps for gdt.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="equal|occupancy|b-factor|plddt", help="How much each pair counts.")
    ] = None,
    parametrisation: Annotated[
        str | None, typer.Option(metavar="local|se3|so3xr3", help="Coordinates of the pose.")
    ] = None,
    pivot: Annotated[str | None, typer.Option(metavar="centroid|origin", help="Centre of the rotation.")] = None,
    start: Annotated[str | None, typer.Option(metavar="identity|centroids|random", help="First pose.")] = None,
    start_pose: Annotated[
        str | None, typer.Option(metavar="16 NUMBERS", help="First pose by hand: a 4x4 matrix, row-major, by commas.")
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option("--optimizer", metavar="NAME", help="Optimiser; repeat it for a race.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="[NAME.]KEY=VALUE", help="One setting of the optimiser.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Most steps.")] = None,
    evaluations: Annotated[float | None, typer.Option(metavar="N", help="Budget in gradient evaluations.")] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Budget in seconds of computing.")] = None,
    gtol: Annotated[float | None, typer.Option(metavar="X", help="Converged below this scaled gradient norm.")] = None,
    ftol: Annotated[float | None, typer.Option(metavar="X", help="Converged below this relative improvement.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of every random number.")] = None,
    device: Annotated[str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = None,
    dtype: Annotated[str | None, typer.Option(metavar="float64|float32", help="Precision of the parameters.")] = None,
    render: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the superposition, or the race, into this file.")
    ] = None,
    movie: Annotated[
        Path | None, typer.Option(metavar="MP4|GIF|DIR", help="Film the run, pose by pose; DIR gets PNG files.")
    ] = None,
    turntable: Annotated[
        Path | None, typer.Option(metavar="MP4|GIF|DIR", help="Film one turn of the superposition.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels of what is drawn: 1200x900, films 800x600; up to 4K.")
    ] = None,
    style: Annotated[str, typer.Option(metavar="ribbon|tube|spheres", help="How molecules are drawn.")] = "ribbon",
    transparent: Annotated[
        bool, typer.Option("--transparent", help="No background in what is drawn (PNG files only).")
    ] = False,
    as_json: Json = False,
    out: Out = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Superpose MOBILE onto TARGET by gradient descent on se(3), beside the exact answer."""
    from lieapp.alignment.commands import job_from_options

    drawings = _drawings(render, movie, turntable, size=size, style=style, transparent=transparent)
    if fetch:
        mobile, target = (str(_fetched(entry, quiet or as_json)) for entry in (mobile, target))
    names = optimizer or ["adam"]
    titles = _unique(names)
    options: dict[str, Any] = {
        "mobile_chain": mobile_chain,
        "target_chain": target_chain,
        "mobile_model": mobile_model,
        "target_model": target_model,
        "pairing": pairing,
        "atoms": atoms,
        "fit": fit,
        "report": report,
        "objective": objective,
        "objective_scale": objective_scale,
        "weights": weights,
        "parametrisation": parametrisation,
        "pivot": pivot,
        "start": start,
        "start_pose": start_pose,
        "steps": steps,
        "evaluations": evaluations,
        "seconds": seconds,
        "gtol": gtol,
        "ftol": ftol,
        "seed": seed,
        "device": device,
        "dtype": dtype,
    }
    given = {key: value for key, value in options.items() if value is not None}
    overrides = _overrides(settings or [], names, titles)
    jobs = [
        job_from_options(mobile, target, optimizer=name, set=overrides[title], **given)
        for name, title in zip(names, titles, strict=True)
    ]
    return _run_alignments(titles, jobs, as_json=as_json, out=out, quiet=quiet, drawings=drawings)


def _overrides(settings: Sequence[str], names: Sequence[str], titles: Sequence[str]) -> dict[str, dict[str, str]]:
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


def _fetched(entry: str, silent: bool) -> Path:
    from lieapp.structures.fetching import fetch_structure

    if silent or not sys.stderr.isatty():
        return fetch_structure(entry)
    from rich.console import Console

    with Console(stderr=True).status(f"Fetching {entry} ..."):
        return fetch_structure(entry)


def _run_alignments(
    titles: Sequence[str],
    jobs: Sequence[AlignJob],
    *,
    as_json: bool,
    out: Path | None,
    quiet: bool,
    drawings: DrawingRequest | None = None,
) -> int:
    from lieapp.alignment.inputs import load_inputs
    from lieapp.engine.job import open_job, report_job
    from lieapp.export.result import AlignmentResult

    if out is not None:
        _make_folder(out)
    inputs = load_inputs(jobs[0])
    runs = [open_job(job, inputs)[1] for job in jobs]
    shown = not (quiet or as_json)
    _complete(titles, jobs, runs, shown=shown)
    reports = [report_job(job, run.recording, inputs) for job, run in zip(jobs, runs, strict=True)]
    results = [
        AlignmentResult(job, inputs, run.recording, report, run.recording.best)
        for job, run, report in zip(jobs, runs, reports, strict=True)
    ]
    written: list[Path] = []
    if out is not None:
        from lieapp.export.bundle import export_alignment, export_race

        for title, job, run, report in zip(titles, jobs, runs, reports, strict=True):
            # A colon, as in package.module:Class, is no part of a name on every system.
            folder = out if len(jobs) == 1 else out / title.replace(":", ".")
            written += export_alignment(folder, job, inputs, run.recording, report)
        if len(jobs) > 1:
            written += export_race(out, results, titles)
    if drawings is not None:
        written += _draw(drawings, results, titles, shown=shown)
    if as_json:
        _print_reports(reports)
    elif not quiet:
        from lieapp.alignment.summary import summarise

        for title, report in zip(titles, reports, strict=True):
            typer.echo(summarise(title, report))
        _tell_written(written, out)
    return _exit_status(runs)


def _complete(
    titles: Sequence[str], jobs: Sequence[Job], runs: Sequence[Run], *, shown: bool, budget: float | None = None
) -> None:
    """Run to the end, several as a race at equal evaluations; Ctrl+C ends them and keeps what there is."""
    from lieapp.engine.control import RunControl
    from lieapp.engine.devices import single_thread
    from lieapp.engine.race import Entrant, Race

    control = RunControl()
    threads = single_thread() if all(run.problem.single_threaded for run in runs) else nullcontext()
    with threads, _stop_on_interrupt(control), _progress(titles, jobs, shown=shown) as advance:
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


def _print_reports(reports: Sequence[Any]) -> None:
    objects = [json.loads(report.to_json()) for report in reports]
    whole = objects[0] if len(objects) == 1 else {"schema": 1, "runs": objects}
    sys.stdout.write(json.dumps(whole, ensure_ascii=False) + "\n")


def _tell_written(written: Sequence[Path], out: Path | None) -> None:
    from lieapp.engine.stopping import counted

    if written:
        typer.echo(f"Written: {counted(len(written), 'file')} to {_places(written, out)}")


def _exit_status(runs: Sequence[Run]) -> int:
    return max(run.recording.outcome.exit_status for run in runs if run.recording.outcome is not None)


def _unique(names: Sequence[str]) -> list[str]:
    """Number names that occur more than once: adam, adam-2."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return unique


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):  # before computing, not after
        raise UsageError(f"{folder}: cannot be written to.")


def _drawings(
    picture: Path | None,
    movie: Path | None,
    turntable: Path | None,
    *,
    size: str | None,
    style: str,
    transparent: bool,
) -> DrawingRequest | None:
    """Check what is to be drawn, before anything is computed."""
    if picture is movie is turntable is None:
        return None
    from lieapp.export.drawings import DrawingRequest, parse_size
    from lieapp.export.movie import MovieLook

    look = MovieLook(style=style, transparent=transparent)
    if size is None:
        request = DrawingRequest(picture, movie, turntable, look, picture_size=(1200, 900))
    else:
        request = DrawingRequest(picture, movie, turntable, replace(look, size=parse_size(size)))
    request.check()
    return request


def _draw(
    drawings: DrawingRequest, results: Sequence[AlignmentResult], titles: Sequence[str], *, shown: bool
) -> list[Path]:
    """Draw the best pose and the run, or the race; a machine that cannot draw says so once and loses nothing else."""
    from lieapp.export.quantities import curves_of
    from lieapp.scene.errors import SceneError

    curves = [curve for curve in curves_of(results, titles) if len(curve.result.recording)]
    if not curves:
        _complain("nothing is drawn: the run has no frame.")
        return []
    written: list[Path] = []
    try:
        with _drawing_progress(shown=shown) as progress:
            written.extend(drawings.write(curves, progress))
    except SceneError as error:
        _complain(str(error))
    return written


@contextmanager
def _drawing_progress(*, shown: bool) -> Iterator[Callable[[str, float], None]]:
    """Offer a function that draws a bar per file, on terminals only."""
    if not shown or not sys.stderr.isatty():
        yield lambda name, fraction: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, fraction: float) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=1.0)
            bars.update(tasks[name], completed=fraction)

        yield tell


def _places(files: Sequence[Path], folder: Path | None) -> str:
    """Say where files are: the folder of results, single files, and folders of many."""
    beside = [path for path in files if folder is None or not path.is_relative_to(folder)]
    many = [path.parent for path in beside]
    places = [path if many.count(path.parent) < 3 else path.parent for path in beside]
    return " and ".join(dict.fromkeys(str(place) for place in ([folder] if folder is not None else []) + places))


@contextmanager
def _stop_on_interrupt(control: Any) -> Iterator[None]:
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


# -- landscape ----------------------------------------------------------------------------------------------------


@app.command(epilog="Exit status: 0 converged or limit, 1 diverged or failed, 2 wrong use or input, 130 interrupted.")
def landscape(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Surface or model; --list names them.", show_default=False)
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List every landscape and what it teaches.")] = False,
    formula: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A function of x and y instead of NAME: 'x^2 - y^2 + y^4'.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="X0,X1,Y0,Y1", help="Part of the plane that is drawn and searched.")
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="X,Y", help="Where to start; a landscape has its own.")] = None,
    offset: Annotated[
        float | None, typer.Option(metavar="X", help="Distance of a random start from the saddle (many dimensions).")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="FILE", help="Text that the transformer learns.")] = None,
    curvature_batch: Annotated[
        str | None, typer.Option(metavar="training|fixed", help="Text whose curvature is taken (transformer).")
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option("--optimizer", metavar="NAME", help="Optimiser; repeat it for a race.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="[NAME.]KEY=VALUE", help="One setting of the optimiser.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Run every optimiser with N seeds (1; of a sweep 10)."),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar="KEY=LOW:HIGH:COUNT[:linear]", help="Run over a range of one setting: lr=1e-4:1:7."),
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Most steps.")] = None,
    evaluations: Annotated[float | None, typer.Option(metavar="N", help="Budget in gradient evaluations.")] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Budget in seconds of computing.")] = None,
    gtol: Annotated[float | None, typer.Option(metavar="X", help="Converged below this gradient norm.")] = None,
    ftol: Annotated[float | None, typer.Option(metavar="X", help="Converged below this relative improvement.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of every random number.")] = None,
    device: Annotated[str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = None,
    dtype: Annotated[str | None, typer.Option(metavar="float64|float32", help="Precision of the parameters.")] = None,
    as_json: Json = False,
    out: Out = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Run optimisers on a surface or a small model, beside its known stationary points."""
    from lieapp.landscapes.commands import job_from_options

    if show_list:
        _list_landscapes(as_json=as_json, out=out, quiet=quiet)
        return 0
    options: dict[str, Any] = {
        "formula": formula,
        "domain": domain,
        "start": start,
        "offset": offset,
        "text": text,
        "curvature_batch": curvature_batch,
        "steps": steps,
        "evaluations": evaluations,
        "seconds": seconds,
        "gtol": gtol,
        "ftol": ftol,
        "seed": seed,
        "device": device,
        "dtype": dtype,
    }
    names = optimizer or ["adam"]
    titles = _unique(names)
    overrides = _overrides(settings or [], names, titles)
    jobs = [
        job_from_options(name, optimizer=each, set=overrides[title], **options)
        for each, title in zip(names, titles, strict=True)
    ]
    if sweep is not None:
        return _sweep_landscape(sweep, titles, jobs, seeds, as_json=as_json, out=out, quiet=quiet)
    seeds = seeds or 1
    if seeds > 1:
        titles = [
            f"{title} seed {job.seed + shift}"
            for title, job in zip(titles, jobs, strict=True)
            for shift in range(seeds)
        ]
        jobs = [job.changed(seed=job.seed + shift) for job in jobs for shift in range(seeds)]
    return _run_landscapes(titles, jobs, as_json=as_json, out=out, quiet=quiet)


def _sweep_landscape(
    text: str,
    titles: Sequence[str],
    jobs: Sequence[LandscapeJob],
    seeds: int | None,
    *,
    as_json: bool,
    out: Path | None,
    quiet: bool,
) -> int:
    """Run every optimiser over a range of one setting and write one table a sweep; Ctrl+C keeps what is done."""
    from lieapp.engine.control import RunControl
    from lieapp.landscapes.study_summary import summarise_sweep, sweep_cost
    from lieapp.landscapes.sweep import SEEDS, SweepProgress, SweepSpec, parse_range, run_sweep
    from lieapp.optimizers.registry import settings_class

    if out is not None:
        _make_folder(out)
    specs = [SweepSpec(job, parse_range(text, settings_class(job.optimizer.name)), seeds or SEEDS) for job in jobs]
    shown = not (quiet or as_json)
    control = RunControl()
    results = []
    with _stop_on_interrupt(control):
        for title, spec in zip(titles, specs, strict=True):
            if shown:
                typer.echo(f"{title}: {sweep_cost(spec)}")
            with _drawing_progress(shown=shown) as advance:

                def tell(progress: SweepProgress, name: str = title, advance: Any = advance) -> None:
                    advance(name, progress.done / progress.runs)

                results.append(run_sweep(spec, control=control, progress=tell))
    written: list[Path] = []
    if out is not None:
        from lieapp.export.landscape_studies import write_sweep

        for title, result in zip(titles, results, strict=True):
            stem = "sweep" if len(results) == 1 else f"sweep-{title.replace(':', '.')}"
            written += write_sweep(result, out, stem)
    if as_json:
        objects = [result.to_dict() for result in results]
        whole = objects[0] if len(objects) == 1 else {"schema": 1, "sweeps": objects}
        sys.stdout.write(json.dumps(whole, ensure_ascii=False) + "\n")
    elif not quiet:
        for title, result in zip(titles, results, strict=True):
            typer.echo(summarise_sweep(title, result))
        _tell_written(written, out)
    return 0 if all(result.complete for result in results) else 130


def _list_landscapes(*, as_json: bool, out: Path | None, quiet: bool) -> None:
    from lieapp.landscapes.listing import landscape_records, landscape_table

    _deliver(landscape_records(), landscape_table(), "landscapes.json", as_json=as_json, out=out, quiet=quiet)


def _run_landscapes(
    titles: Sequence[str],
    jobs: Sequence[LandscapeJob],
    *,
    as_json: bool,
    out: Path | None,
    quiet: bool,
    budget: float | None = None,
    told: bool = False,
) -> int:
    """Run jobs on one landscape and deliver them; ``told`` prints what happened instead of one report a run."""
    from lieapp.engine.job import open_job, report_job
    from lieapp.export.landscape_figures import LandscapeResult

    if out is not None:
        _make_folder(out)
    runs = [open_job(job)[1] for job in jobs]
    _complete(titles, jobs, runs, shown=not (quiet or as_json), budget=budget)
    results = [
        LandscapeResult(title, job, run.recording, report_job(job, run.recording))
        for title, job, run in zip(titles, jobs, runs, strict=True)
    ]
    written: list[Path] = []
    if out is not None:
        from lieapp.export.landscape_bundle import export_landscape, export_landscape_race

        for result in results:
            folder = out if len(jobs) == 1 else out / result.title.replace(":", ".").replace(" ", "-")
            written += export_landscape(folder, result)
        if len(results) > 1:
            written += export_landscape_race(out, results)
    if as_json:
        _print_reports([result.report for result in results])
    elif not quiet:
        from lieapp.landscapes.caption import RaceEntry, race_caption
        from lieapp.landscapes.summary import summarise

        if told:
            entries = [RaceEntry(result.title, result.job, result.recording) for result in results]
            typer.echo(race_caption(entries))
        else:
            for result in results:
                typer.echo(summarise(result.title, result.report))
        _tell_written(written, out)
    return _exit_status(runs)


# -- cryoem -------------------------------------------------------------------------------------------------------


@app.command(epilog="Exit status: 0 converged or limit, 1 diverged or failed, 2 wrong use or input, 130 interrupted.")
def cryoem(
    phantom: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="What to simulate: barrel, bundle, globule, map, structure.")
    ] = None,
    particles: Annotated[
        str | None, typer.Option(metavar="STAR|CS", help="Particles with poses instead of a simulation.")
    ] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Read image stacks outside the folder of the particle file.")
    ] = False,
    box: Annotated[int | None, typer.Option(metavar="N", help="Pixels along an edge.")] = None,
    pixel_size: Annotated[float | None, typer.Option(metavar="X", help="Pixel size in Å.")] = None,
    images: Annotated[int | None, typer.Option(metavar="N", help="Number of images.")] = None,
    snr: Annotated[float | None, typer.Option(metavar="X", help="Signal-to-noise ratio of a pixel.")] = None,
    views: Annotated[str | None, typer.Option(metavar="uniform|preferred", help="Directions of view.")] = None,
    view_fraction: Annotated[float | None, typer.Option(metavar="X", help="Share of the preferred views.")] = None,
    view_spread: Annotated[float | None, typer.Option(metavar="X", help="Their spread in degrees.")] = None,
    shift: Annotated[float | None, typer.Option(metavar="X", help="Standard deviation of shifts in pixels.")] = None,
    ctf: Annotated[bool | None, typer.Option("--ctf/--no-ctf", help="With the contrast transfer function.")] = None,
    defocus: Annotated[str | None, typer.Option(metavar="LOW,HIGH", help="Simulated defocus in Å.")] = None,
    voltage: Annotated[float | None, typer.Option(metavar="X", help="Of the simulated microscope in kV.")] = None,
    spherical_aberration: Annotated[float | None, typer.Option(metavar="X", help="Of its lens in mm.")] = None,
    amplitude_contrast: Annotated[float | None, typer.Option(metavar="X", help="Of simulated images.")] = None,
    sharpening: Annotated[
        float | None, typer.Option(metavar="X", help="Makes the phantom's shells equal: 0 not at all, 1 fully.")
    ] = None,
    interpolation: Annotated[
        str | None, typer.Option(metavar="trilinear|nearest", help="How slices read the volume.")
    ] = None,
    preconditioner: Annotated[
        str | None, typer.Option(metavar="none|exact|row-sum|hutchinson", help="What the gradient is divided by.")
    ] = None,
    hutchinson_start: Annotated[
        str | None, typer.Option(metavar="row-sum|shells|ones", help="First value of Hutchinson's estimate.")
    ] = None,
    hutchinson_memory: Annotated[float | None, typer.Option(metavar="X", help="Memory of the estimate.")] = None,
    clamp: Annotated[
        float | None, typer.Option(metavar="X", help="Least preconditioner, as a share of its shell's mean.")
    ] = None,
    prior: Annotated[str | None, typer.Option(metavar="none|wiener", help="Damps what is hardly seen.")] = None,
    start: Annotated[str | None, typer.Option(metavar="noise|zero|one-pass", help="First volume.")] = None,
    epochs: Annotated[float | None, typer.Option(metavar="X", help="Passes over all images.")] = None,
    batch: Annotated[int | None, typer.Option(metavar="N", help="Images of a batch, which is a step.")] = None,
    half_sets: Annotated[
        bool | None, typer.Option("--half-sets/--no-half-sets", help="Two half maps, and their correlation.")
    ] = None,
    write_particles: Annotated[
        bool, typer.Option("--write-particles", help="With --out: the images as STAR file and stack, too.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on from the checkpoint.pt that a run with --out left.")
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option("--optimizer", metavar="NAME", help="Optimiser; repeat it for a race.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="[NAME.]KEY=VALUE", help="One setting of the optimiser.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Most steps.")] = None,
    evaluations: Annotated[float | None, typer.Option(metavar="N", help="Budget in gradients of a batch.")] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Budget in seconds of computing.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of every random number.")] = None,
    device: Annotated[str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = None,
    dtype: Annotated[str | None, typer.Option(metavar="float64|float32", help="Precision of the parameters.")] = None,
    as_json: Json = False,
    out: Out = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Reconstruct a map from simulated or read particles, beside the exact minimiser."""
    from lieapp.cryoem.commands import job_from_options

    options: dict[str, Any] = {
        "phantom": phantom,
        "particles": particles,
        "allow_outside": allow_outside or None,
        "box": box,
        "pixel_size": pixel_size,
        "images": images,
        "snr": snr,
        "views": views,
        "view_fraction": view_fraction,
        "view_spread": view_spread,
        "shift": shift,
        "ctf": ctf,
        "defocus": defocus,
        "voltage": voltage,
        "spherical_aberration": spherical_aberration,
        "amplitude_contrast": amplitude_contrast,
        "sharpening": sharpening,
        "interpolation": interpolation,
        "preconditioner": preconditioner,
        "hutchinson_start": hutchinson_start,
        "hutchinson_memory": hutchinson_memory,
        "clamp": clamp,
        "prior": prior,
        "start": start,
        "epochs": epochs,
        "batch": batch,
        "half_sets": half_sets,
        "steps": steps,
        "evaluations": evaluations,
        "seconds": seconds,
        "seed": seed,
        "device": device,
        "dtype": dtype,
    }
    given = {key: value for key, value in options.items() if value is not None}
    if write_particles and out is None:
        raise UsageError("--write-particles needs --out, the folder to write them into.")
    deliver: dict[str, Any] = {"as_json": as_json, "out": out, "quiet": quiet, "with_particles": write_particles}
    if resume is not None:
        return _resume_reconstruction(resume, given, bool(optimizer or settings), **deliver)
    names = optimizer or ["preconditioned-sgd"]
    titles = _unique(names)
    overrides = _overrides(settings or [], names, titles)
    jobs = [
        job_from_options(optimizer=name, set=overrides[title], **given)
        for name, title in zip(names, titles, strict=True)
    ]
    return _run_reconstructions(titles, jobs, **deliver)


def _resume_reconstruction(path: Path, given: Mapping[str, Any], changed: bool, **deliver: Any) -> int:
    """Go on with the job of a checkpoint, for more epochs where that is asked."""
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.checkpoint import Checkpoint
    from lieapp.engine.job import job_from_json

    others = set(given) - {"epochs", "steps", "evaluations", "seconds", "device"}
    if others or changed:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(others)) or "--optimizer and --set"
        raise UsageError(f"--resume goes on with the job of {path}: {named} cannot change it.")
    path = path / _CHECKPOINT if path.is_dir() else path
    checkpoint = Checkpoint.load(path)
    job = job_from_json(json.dumps(checkpoint.metadata.get("job")))
    if not isinstance(job, CryoemJob):
        raise UsageError(f"{path}: is the checkpoint of another kind of run.")
    limits = {name: given[name] for name in ("steps", "evaluations", "seconds") if name in given}
    fields = {name: given[name] for name in ("epochs", "device") if name in given}
    job = job.changed(**fields, limits=job.limits.model_copy(update=limits))
    return _run_reconstructions([job.optimizer.name], [job], going_on=(path, checkpoint), **deliver)


def _run_reconstructions(
    titles: Sequence[str],
    jobs: Sequence[CryoemJob],
    *,
    as_json: bool,
    out: Path | None,
    quiet: bool,
    with_particles: bool = False,
    budget: float | None = None,
    going_on: tuple[Path, Checkpoint] | None = None,
) -> int:
    from lieapp.cryoem.inputs import load_inputs
    from lieapp.cryoem.report import summarise
    from lieapp.engine.job import open_job, report_job

    folders = [out / title.replace(":", ".").replace(" ", "-") if len(jobs) > 1 else out for title in titles if out]
    for folder in folders:
        _make_folder(folder)
    inputs = load_inputs(jobs[0])
    runs = [open_job(job, inputs)[1] for job in jobs]
    if going_on is not None:
        file, checkpoint = going_on
        runs[0].restore(checkpoint)
        runs[0].keep_checkpoint(file)
    for run, folder in zip(runs, folders, strict=False):
        run.keep_checkpoint(folder / _CHECKPOINT)
    # Epochs are the limit, which only the problem knows in steps; a race ends when the first has had its own.
    bounded = [job.changed(limits=run.limits) for job, run in zip(jobs, runs, strict=True)]
    if budget is None:
        budget = jobs[0].limits.evaluations or float(min(run.limits.steps for run in runs))
    _complete(titles, bounded, runs, shown=not (quiet or as_json), budget=budget)
    reports = [report_job(job, run.recording, inputs) for job, run in zip(jobs, runs, strict=True)]
    written: list[Path] = []
    if out is not None:
        from lieapp.cryoem.baselines import measure_baselines
        from lieapp.export.cryoem_bundle import Reconstruction, export_reconstructions

        results = [
            Reconstruction(title, job, run.recording, report)
            for title, job, run, report in zip(titles, jobs, runs, reports, strict=True)
        ]
        written = export_reconstructions(
            out,
            results,
            folders,
            baselines=measure_baselines(jobs[0], inputs),
            particles=inputs.particles if with_particles else None,
        )
    if as_json:
        _print_reports(reports)
    elif not quiet:
        for title, report in zip(titles, reports, strict=True):
            typer.echo(summarise(title, report))
        _tell_written(written, out)
    return _exit_status(runs)


# -- demo, optimizers, doctor -------------------------------------------------------------------------------------


@app.command()
def demo(
    lab: Annotated[str, typer.Option(metavar="align|landscape|cryoem", help="Which workbench.")] = "align",
    headless: Annotated[
        bool, typer.Option("--headless", help="Without the window, also where there is a display.")
    ] = False,
    as_json: Json = False,
    out: Out = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Run the bundled example: in the window where there is a display, else here."""
    from lieapp.alignment.commands import job_from_options
    from lieapp.paths import resource

    if lab not in ("align", "landscape", "cryoem"):
        raise UsageError(f"--lab {lab}: expected align, landscape or cryoem.")
    files = [str(resource(f"examples/hinge_{form}.pdb")) for form in ("open", "closed")]
    if not (headless or as_json or out is not None) and has_display():
        return _open_window(files, run=True, workbench=lab)
    if lab == "landscape":
        return _demo_landscape(as_json=as_json, out=out, quiet=quiet)
    if lab == "cryoem":
        return _demo_cryoem(as_json=as_json, out=out, quiet=quiet)
    job = job_from_options(*files, optimizer="adam")
    return _run_alignments(["adam"], [job], as_json=as_json, out=out, quiet=quiet)


def _demo_landscape(*, as_json: bool, out: Path | None, quiet: bool) -> int:
    """Race off the ridge of a saddle, and say what happened."""
    from lieapp.landscapes.spec import PRESETS, LandscapeJob

    preset = PRESETS[0]
    titles, jobs = zip(*preset.jobs(LandscapeJob()), strict=True)
    return _run_landscapes(titles, jobs, as_json=as_json, out=out, quiet=quiet, budget=preset.evaluations, told=True)


def _demo_cryoem(*, as_json: bool, out: Path | None, quiet: bool) -> int:
    """Race plain against preconditioned gradient descent on simulated images."""
    from lieapp.cryoem.spec import PRESETS, CryoemJob

    preset = PRESETS[0]
    titles, jobs = zip(*preset.jobs(CryoemJob()), strict=True)
    return _run_reconstructions(titles, jobs, as_json=as_json, out=out, quiet=quiet, budget=preset.evaluations)


@app.command()
def optimizers(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One optimiser, with all of its settings.")
    ] = None,
    as_json: Json = False,
    out: Out = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """List every optimiser and its settings, from the same specs as the forms."""
    from lieapp.optimizers.documentation import overview, plain_table, settings_record
    from lieapp.optimizers.settings import SETTINGS

    if name is None:
        record: Any = {key: settings_record(settings) for key, settings in SETTINGS.items()}
        text = overview()
    else:
        from lieapp.optimizers.registry import settings_class

        record = settings_record(settings_class(name))
        text = plain_table(settings_class(name)) + _recommendations(name)
    _deliver(record, text, "optimizers.json", as_json=as_json, out=out, quiet=quiet)
    return 0


def _recommendations(name: str) -> str:
    """Say in which settings a run departs from the defaults of the table, unless told otherwise."""
    from lieapp.alignment.recommended import recommended
    from lieapp.optimizers.fields import show_value
    from lieapp.optimizers.names import normalised
    from lieapp.optimizers.settings import settings_for

    if normalised(name) in settings_for("cryoem").keys() - settings_for("align").keys():
        from lieapp.cryoem.recommended import recommended as for_reconstructions

        words = " ".join(f"{key}={show_value(value)}" for key, value in for_reconstructions(name).items())
        return f"\nlieapp cryoem takes, unless --set says otherwise (box 32, 10 batches an epoch):\n  {words}\n"
    settings = recommended(name)
    if not settings:
        return ""
    words = " ".join(f"{key}={show_value(value)}" for key, value in settings.items())
    return f"\nlieapp align takes, unless --set says otherwise (RMSD; others vary):\n  {words}\n"


@app.command()
def doctor(as_json: Json = False, out: Out = None, quiet: Quiet = False, debug: Debug = False) -> int:
    """Show versions, OpenGL, torch devices, folders and missing system libraries."""
    from lieapp.doctor import examine

    findings = examine()
    lines = []
    for key, value in findings.items():
        if isinstance(value, Mapping):
            lines += [f"{key}:", *(f"  {inner}: {_plain(item)}" for inner, item in value.items())]
        elif key != "problems":
            lines.append(f"{key}: {_plain(value)}")
    problems = findings["problems"]
    lines += ["problems:", *(f"  {problem}" for problem in problems)] if problems else ["No problems found."]
    _deliver(findings, "\n".join(lines) + "\n", "doctor.json", as_json=as_json, out=out, quiet=quiet)
    return 0


def _plain(value: object) -> str:
    if value is None:
        return "not installed"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"


def _deliver(record: Any, text: str, name: str, *, as_json: bool, out: Path | None, quiet: bool) -> None:
    serial = json.dumps(record, ensure_ascii=False)
    if out is not None:
        _make_folder(out)
        (out / name).write_text(serial + "\n", encoding="utf-8")
    if as_json:
        sys.stdout.write(serial + "\n")
    elif not quiet:
        sys.stdout.write(text)


# -- the door -----------------------------------------------------------------------------------------------------


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        typer.echo(__version__)
        raise typer.Exit


def has_display() -> bool:
    """Return whether a window can open here."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _open_window(files: Sequence[str], *, run: bool = False, workbench: str = "align") -> int:
    if not has_display():
        raise UsageError("There is no display, so the window cannot open. 'lieapp align' works without one.")
    from lieapp.gui.app import main as open_window

    return open_window(list(files), run=run, workbench=workbench)


def _complain(message: str) -> None:
    sys.stderr.write("lieapp: " + " ".join(message.split()) + "\n")


def _call(arguments: Sequence[str]) -> int:
    words = [word for word in arguments if not word.startswith("-")]
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    if not arguments:
        return _open_window([])
    if not arguments[0].startswith("-") and arguments[0] not in commands:
        for word in words:
            if not Path(word).exists():
                raise UsageError(f"{word}: no such file, and no command of that name ({', '.join(sorted(commands))}).")
        return _open_window(words)
    status = app(args=list(arguments), prog_name="lieapp", standalone_mode=False)
    return status if isinstance(status, int) else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in arguments
    try:
        return _call(arguments)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except (LieAppError, ClickError) as error:
        if debug:
            traceback.print_exc()
        _complain(str(getattr(error, "format_message", error.__str__)()))
        return EXIT_WRONG_USE
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        _complain(f"{type(error).__name__}: {error}. This is a defect of lieapp; --debug shows where.")
        return 1


if __name__ == "__main__":
    sys.exit(main())
