"""``lieapp cryoem``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lieapp.cli.app import Debug, Json, Out, Quiet, UsageError, app, make_folder
from lieapp.cli.running import complete_runs, exit_status, overrides_by_title, print_reports, tell_written, unique_names

if TYPE_CHECKING:
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.checkpoint import Checkpoint

__all__ = ["cryoem", "run_reconstructions"]

_CHECKPOINT = "checkpoint.pt"


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
    titles = unique_names(names)
    overrides = overrides_by_title(settings or [], names, titles)
    jobs = [
        job_from_options(optimizer=name, set=overrides[title], **given)
        for name, title in zip(names, titles, strict=True)
    ]
    return run_reconstructions(titles, jobs, **deliver)


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
    return run_reconstructions([job.optimizer.name], [job], going_on=(path, checkpoint), **deliver)


def run_reconstructions(
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
        make_folder(folder)
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
    complete_runs(titles, bounded, runs, shown=not (quiet or as_json), budget=budget)
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
        print_reports(reports)
    elif not quiet:
        for title, report in zip(titles, reports, strict=True):
            typer.echo(summarise(title, report))
        tell_written(written, out)
    return exit_status(runs)
