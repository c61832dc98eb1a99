"""``lieapp align``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lieapp.cli.app import EXIT_STATUS, app
from lieapp.cli.delivery import Delivery
from lieapp.cli.drawing import DrawingOptions, draw_results
from lieapp.cli.groups import given_options, with_groups
from lieapp.cli.options import Budget, Computing, Entrants, Tolerances
from lieapp.cli.running import complete_runs, exit_status, open_runs

if TYPE_CHECKING:
    from lieapp.alignment.spec import AlignJob
    from lieapp.export.drawings import DrawingRequest

__all__ = ["AlignmentOptions", "align", "run_alignments"]


@dataclass(frozen=True)
class AlignmentOptions:
    """What is paired, what is minimised, and from where."""

    mobile_chain: Annotated[str | None, typer.Option(metavar="A[,B]", help="Chains of MOBILE.")] = None
    target_chain: Annotated[str | None, typer.Option(metavar="A[,B]", help="Chains of TARGET.")] = None
    mobile_model: Annotated[int | None, typer.Option(metavar="N", help="Model number of MOBILE.")] = None
    target_model: Annotated[int | None, typer.Option(metavar="N", help="Model number of TARGET.")] = None
    pairing: Annotated[str | None, typer.Option(metavar="auto|sequence|number", help="How residues are paired.")] = None
    atoms: Annotated[str | None, typer.Option(metavar="ca|backbone|heavy", help="Atoms that are paired.")] = None
    fit: Annotated[str | None, typer.Option(metavar="SEL", help="Residues of MOBILE that drive the fit.")] = None
    report: Annotated[str | None, typer.Option(metavar="SEL", help="Residues of MOBILE that scores are over.")] = None
    objective: Annotated[
        str | None, typer.Option(metavar="rmsd|tm|gdt|huber|geman-mcclure", help="What is minimised.")
    ] = None
    objective_scale: Annotated[
        float | None, typer.Option(metavar="X", help="d0, delta or sigma in Å; relative width of the steps for gdt.")
    ] = None
    weights: Annotated[
        str | None, typer.Option(metavar="equal|occupancy|b-factor|plddt", help="How much each pair counts.")
    ] = None
    parametrisation: Annotated[
        str | None, typer.Option(metavar="local|se3|so3xr3", help="Coordinates of the pose.")
    ] = None
    pivot: Annotated[str | None, typer.Option(metavar="centroid|origin", help="Centre of the rotation.")] = None
    start: Annotated[str | None, typer.Option(metavar="identity|centroids|random", help="First pose.")] = None
    start_pose: Annotated[
        str | None, typer.Option(metavar="16 NUMBERS", help="First pose by hand: a 4x4 matrix, row-major, by commas.")
    ] = None


@app.command(epilog=EXIT_STATUS)
@with_groups
def align(
    mobile: Annotated[
        str, typer.Argument(metavar="MOBILE", help="Structure that moves: a file, or an id with --fetch.")
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Structure that stays.")],
    *,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="MOBILE and TARGET are entry ids: 4AKE, AF-P69441-F1.")
    ] = False,
    alignment: AlignmentOptions,
    entrants: Entrants,
    budget: Budget,
    tolerances: Tolerances,
    computing: Computing,
    drawing: DrawingOptions,
    delivery: Delivery,
) -> int:
    """Superpose MOBILE onto TARGET by gradient descent on se(3), beside the exact answer."""
    from lieapp.alignment.commands import job_from_options

    drawings = drawing.request()
    if fetch:
        mobile, target = (str(_fetched(entry, silent=not delivery.shown)) for entry in (mobile, target))
    options = given_options(alignment, budget, tolerances, computing)
    titles, jobs = entrants.jobs(
        lambda name, settings: job_from_options(mobile, target, optimizer=name, set=settings, **options),
        default="adam",
    )
    return run_alignments(titles, jobs, delivery, drawings)


def _fetched(entry: str, *, silent: bool) -> Path:
    from lieapp.structures.fetching import fetch_structure

    if silent or not sys.stderr.isatty():
        return fetch_structure(entry)
    from rich.console import Console

    with Console(stderr=True).status(f"Fetching {entry} ..."):
        return fetch_structure(entry)


def run_alignments(
    titles: Sequence[str], jobs: Sequence[AlignJob], delivery: Delivery, drawings: DrawingRequest | None = None
) -> int:
    """Run jobs on one pair of structures, several as a race, and deliver them; returns the exit status."""
    from lieapp.alignment.inputs import load_inputs
    from lieapp.alignment.summary import summarise
    from lieapp.engine.job import report_job
    from lieapp.export.alignment_result import AlignmentResult

    folders = delivery.folders(titles)
    inputs = load_inputs(jobs[0])
    runs = open_runs(jobs, inputs)
    complete_runs(titles, jobs, runs, shown=delivery.shown, debug=delivery.debug)
    reports = [report_job(job, run.recording, inputs) for job, run in zip(jobs, runs, strict=True)]
    results = [
        AlignmentResult(job, inputs, run.recording, report, run.recording.best)
        for job, run, report in zip(jobs, runs, reports, strict=True)
    ]
    written: list[Path] = []
    try:
        if delivery.out is not None:
            from lieapp.export.alignment_bundle import export_alignment, export_race

            for folder, result in zip(folders, results, strict=True):
                written += export_alignment(folder, result.job, inputs, result.recording, result.report)
            if len(results) > 1:
                written += export_race(delivery.out, results, titles)
        if drawings is not None:
            written += draw_results(drawings, results, titles, shown=delivery.shown)
    finally:  # what was found is told, also where files could not be written
        delivery.deliver_reports(titles, reports, lambda: map(summarise, titles, reports), written)
    return exit_status(runs)
