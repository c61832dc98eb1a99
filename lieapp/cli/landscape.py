"""``lieapp landscape``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lieapp.cli.app import EXIT_STATUS, UsageError, app
from lieapp.cli.delivery import Delivery, file_stem
from lieapp.cli.drawing import FilmOptions, drawing_progress, film_results
from lieapp.cli.groups import given_options, with_groups
from lieapp.cli.options import Budget, Computing, Entrants, Tolerances
from lieapp.cli.running import complete_runs, exit_status, open_runs, prints_aside, stop_on_interrupt

if TYPE_CHECKING:
    from lieapp.export.landscape_movie import FilmRequest
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["LandscapeOptions", "landscape", "run_landscapes"]


@dataclass(frozen=True)
class LandscapeOptions:
    """What is descended, and from where."""

    formula: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A function of x and y instead of NAME: 'x^2 - y^2 + y^4'.")
    ] = None
    domain: Annotated[
        str | None, typer.Option(metavar="X0,X1,Y0,Y1", help="Part of the plane that is drawn and searched.")
    ] = None
    start: Annotated[str | None, typer.Option(metavar="X,Y", help="Where to start; a landscape has its own.")] = None
    offset: Annotated[
        float | None, typer.Option(metavar="X", help="Distance of a random start from the saddle; not on surfaces.")
    ] = None
    text: Annotated[str | None, typer.Option(metavar="FILE", help="Text that the transformer learns.")] = None
    curvature_batch: Annotated[
        str | None, typer.Option(metavar="training|fixed", help="Text whose curvature is taken (transformer).")
    ] = None


@app.command(epilog=EXIT_STATUS)
@with_groups
def landscape(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Surface or model; --list names them.", show_default=False)
    ] = None,
    *,
    show_list: Annotated[bool, typer.Option("--list", help="List every landscape and what it teaches.")] = False,
    surface: LandscapeOptions,
    entrants: Entrants,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Run every optimiser with N seeds (1; of a sweep 10)."),
    ] = None,
    displacement: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0.0,
            help="Distance of the start of each of several seeds from START, on surfaces (0.001 of the diagonal).",
        ),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar="KEY=LOW:HIGH:COUNT[:linear]", help="Run over a range of one setting: lr=1e-4:1:7."),
    ] = None,
    budget: Budget,
    tolerances: Tolerances,
    computing: Computing,
    drawing: FilmOptions,
    delivery: Delivery,
) -> int:
    """Run optimisers on a surface or a small model, beside its known stationary points."""
    from lieapp.landscapes.commands import job_from_options
    from lieapp.landscapes.listing import landscape_records, landscape_table
    from lieapp.landscapes.sweep_spec import distance_of_starts, start_of_seed

    if show_list:
        delivery.deliver_record(landscape_records(), landscape_table(), "landscapes.json")
        return 0
    options = given_options(surface, budget, tolerances, computing)
    titles, jobs = entrants.jobs(
        lambda optimizer, settings: job_from_options(name, optimizer=optimizer, set=settings, **options),
        default="adam",
    )
    if sweep is not None:
        if drawing.movie is not None:
            raise UsageError("--movie films runs, and a sweep has too many: leave out --sweep or --movie.")
        return _sweep_landscape(sweep, titles, jobs, seeds, displacement, delivery)
    seeds = seeds or 1
    if displacement is not None and (seeds == 1 or not jobs[0].description.is_planar):
        raise UsageError(
            "--displacement sets the starts of several --seeds on a surface apart: add them, or leave it out."
        )
    if seeds > 1:
        distance = distance_of_starts(jobs[0], seeds, displacement)
        if delivery.shown and jobs[0].description.is_planar:
            typer.echo(_starts_words(jobs[0], seeds, distance))
        titles = [
            f"{title} seed {job.seed + shift}"
            for title, job in zip(titles, jobs, strict=True)
            for shift in range(seeds)
        ]
        jobs = [
            job.changed(seed=seed, start=start_of_seed(job, seed, distance))
            for job in jobs
            for seed in range(job.seed, job.seed + seeds)
        ]
    return run_landscapes(titles, jobs, delivery, film=drawing.request(jobs))


def _starts_words(job: LandscapeJob, seeds: int, distance: float) -> str:
    """Say where several seeds start on a surface."""
    x, y = job.start or job.surface.start
    if distance == 0.0:
        return f"All {seeds} seeds start at ({x:g}, {y:g}): runs differ only where an optimiser draws random numbers."
    return f"Each of {seeds} seeds starts {distance:.3g} from ({x:g}, {y:g}), in a direction of its own."


def _sweep_landscape(
    text: str,
    titles: Sequence[str],
    jobs: Sequence[LandscapeJob],
    seeds: int | None,
    displacement: float | None,
    delivery: Delivery,
) -> int:
    """Run every optimiser over a range of one setting and write one table a sweep; Ctrl+C keeps what is done."""
    from lieapp.engine.control import RunControl
    from lieapp.landscapes.study_summary import summarise_sweep, sweep_cost
    from lieapp.landscapes.sweep import SEEDS, SweepProgress, SweepSpec, check_sweep, parse_range, run_sweep
    from lieapp.optimizers.registry import settings_class

    delivery.make_folder()
    with prints_aside():
        specs = [
            SweepSpec(job, parse_range(text, settings_class(job.optimizer.name)), seeds or SEEDS, displacement)
            for job in jobs
        ]
        for spec in specs:
            check_sweep(spec)
    control = RunControl()
    results = []
    with stop_on_interrupt(control):
        for title, spec in zip(titles, specs, strict=True):
            if delivery.shown:
                typer.echo(f"{title}: {sweep_cost(spec)}")
                if spec.seeds > 1 and spec.job.description.is_planar:
                    typer.echo(_starts_words(spec.job, spec.seeds, spec.distance))
            with prints_aside(), drawing_progress(shown=delivery.shown) as advance:

                def tell(progress: SweepProgress, name: str = title, advance: Any = advance) -> None:
                    advance(name, progress.done / progress.runs)

                results.append(run_sweep(spec, control=control, progress=tell))
    records = [result.to_dict() for result in results]
    if len(records) > 1:
        records = [{"title": title, **record} for title, record in zip(titles, records, strict=True)]
    written: list[Path] = []
    try:
        if delivery.out is not None:
            from lieapp.export.landscape_studies import write_sweep

            for title, result in zip(titles, results, strict=True):
                stem = "sweep" if len(results) == 1 else f"sweep-{file_stem(title)}"
                written += write_sweep(result, delivery.out, stem)
    finally:  # what was found is told, also where files could not be written
        delivery.deliver_results(records, lambda: map(summarise_sweep, titles, results), written, plural="sweeps")
    return 0 if all(result.complete for result in results) else 130


def run_landscapes(
    titles: Sequence[str],
    jobs: Sequence[LandscapeJob],
    delivery: Delivery,
    *,
    budget: float | None = None,
    told: bool = False,
    film: FilmRequest | None = None,
) -> int:
    """Run jobs on one landscape and deliver them; ``told`` prints what happened instead of one report a run."""
    from lieapp.engine.job import report_job
    from lieapp.export.landscape_figures import LandscapeResult
    from lieapp.landscapes.caption import RaceEntry, race_caption
    from lieapp.landscapes.summary import summarise

    folders = delivery.folders(titles)
    runs = open_runs(jobs)
    complete_runs(titles, jobs, runs, shown=delivery.shown, debug=delivery.debug, budget=budget)
    results = [
        LandscapeResult(title, job, run.recording, report_job(job, run.recording))
        for title, job, run in zip(titles, jobs, runs, strict=True)
    ]

    def summaries() -> list[str]:
        if told:
            return [race_caption([RaceEntry(result.title, result.job, result.recording) for result in results])]
        return [summarise(result.title, result.report) for result in results]

    written: list[Path] = []
    try:
        if delivery.out is not None:
            from lieapp.export.landscape_bundle import export_landscape, export_landscape_race
            from lieapp.landscapes.planes import plane_of

            for folder, result in zip(folders, results, strict=True):
                written += export_landscape(folder, result, plane_of=plane_of)
            if len(results) > 1:
                written += export_landscape_race(delivery.out, results, plane_of=plane_of)
        if film is not None:
            written += film_results(film, results, shown=delivery.shown)
    finally:  # what was found is told, also where files could not be written
        delivery.deliver_reports(titles, [result.report for result in results], summaries, written)
    return exit_status(runs)
