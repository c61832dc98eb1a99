"""``lieapp align``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lieapp.cli.app import Debug, Json, Out, Quiet, app, make_folder
from lieapp.cli.drawing import draw_results, request_drawings
from lieapp.cli.running import complete_runs, exit_status, overrides_by_title, print_reports, tell_written, unique_names

if TYPE_CHECKING:
    from lieapp.alignment.spec import AlignJob
    from lieapp.export.drawings import DrawingRequest

__all__ = ["align", "run_alignments"]


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

    drawings = request_drawings(render, movie, turntable, size=size, style=style, transparent=transparent)
    if fetch:
        mobile, target = (str(_fetched(entry, quiet or as_json)) for entry in (mobile, target))
    names = optimizer or ["adam"]
    titles = unique_names(names)
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
    overrides = overrides_by_title(settings or [], names, titles)
    jobs = [
        job_from_options(mobile, target, optimizer=name, set=overrides[title], **given)
        for name, title in zip(names, titles, strict=True)
    ]
    return run_alignments(titles, jobs, as_json=as_json, out=out, quiet=quiet, drawings=drawings)


def _fetched(entry: str, silent: bool) -> Path:
    from lieapp.structures.fetching import fetch_structure

    if silent or not sys.stderr.isatty():
        return fetch_structure(entry)
    from rich.console import Console

    with Console(stderr=True).status(f"Fetching {entry} ..."):
        return fetch_structure(entry)


def run_alignments(
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
        make_folder(out)
    inputs = load_inputs(jobs[0])
    runs = [open_job(job, inputs)[1] for job in jobs]
    shown = not (quiet or as_json)
    complete_runs(titles, jobs, runs, shown=shown)
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
        written += draw_results(drawings, results, titles, shown=shown)
    if as_json:
        print_reports(reports)
    elif not quiet:
        from lieapp.alignment.summary import summarise

        for title, report in zip(titles, reports, strict=True):
            typer.echo(summarise(title, report))
        tell_written(written, out)
    return exit_status(runs)
