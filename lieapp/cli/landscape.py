"""``lieapp landscape``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lieapp.cli.app import Debug, Json, Out, Quiet, app, deliver_record, make_folder
from lieapp.cli.drawing import drawing_progress
from lieapp.cli.running import (
    complete_runs,
    exit_status,
    overrides_by_title,
    print_reports,
    stop_on_interrupt,
    tell_written,
    unique_names,
)

if TYPE_CHECKING:
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["landscape", "run_landscapes"]


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
    titles = unique_names(names)
    overrides = overrides_by_title(settings or [], names, titles)
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
    return run_landscapes(titles, jobs, as_json=as_json, out=out, quiet=quiet)


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
        make_folder(out)
    specs = [SweepSpec(job, parse_range(text, settings_class(job.optimizer.name)), seeds or SEEDS) for job in jobs]
    shown = not (quiet or as_json)
    control = RunControl()
    results = []
    with stop_on_interrupt(control):
        for title, spec in zip(titles, specs, strict=True):
            if shown:
                typer.echo(f"{title}: {sweep_cost(spec)}")
            with drawing_progress(shown=shown) as advance:

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
        tell_written(written, out)
    return 0 if all(result.complete for result in results) else 130


def _list_landscapes(*, as_json: bool, out: Path | None, quiet: bool) -> None:
    from lieapp.landscapes.listing import landscape_records, landscape_table

    deliver_record(landscape_records(), landscape_table(), "landscapes.json", as_json=as_json, out=out, quiet=quiet)


def run_landscapes(
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
        make_folder(out)
    runs = [open_job(job)[1] for job in jobs]
    complete_runs(titles, jobs, runs, shown=not (quiet or as_json), budget=budget)
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
        print_reports([result.report for result in results])
    elif not quiet:
        from lieapp.landscapes.caption import RaceEntry, race_caption
        from lieapp.landscapes.summary import summarise

        if told:
            entries = [RaceEntry(result.title, result.job, result.recording) for result in results]
            typer.echo(race_caption(entries))
        else:
            for result in results:
                typer.echo(summarise(result.title, result.report))
        tell_written(written, out)
    return exit_status(runs)
