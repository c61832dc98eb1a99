"""``lieapp cryoem``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lieapp.cli.app import EXIT_STATUS, UsageError, app
from lieapp.cli.delivery import Delivery
from lieapp.cli.groups import given_options, with_groups
from lieapp.cli.options import Budget, Computing, Entrants
from lieapp.cli.running import complete_runs, exit_status, open_runs

if TYPE_CHECKING:
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.checkpoint import Checkpoint

__all__ = ["BatchBudget", "ReconstructionOptions", "cryoem", "run_reconstructions"]

_CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class ReconstructionOptions:
    """What the images show, and how a map is fitted to them."""

    phantom: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="What to simulate: barrel, bundle, globule, map, structure.")
    ] = None
    particles: Annotated[
        str | None, typer.Option(metavar="STAR|CS", help="Particles with poses instead of a simulation.")
    ] = None
    allow_outside: Annotated[
        bool | None, typer.Option("--allow-outside", help="Read image stacks outside the folder of the particle file.")
    ] = None
    box: Annotated[int | None, typer.Option(metavar="N", help="Pixels along an edge.")] = None
    pixel_size: Annotated[float | None, typer.Option(metavar="X", help="Pixel size in Å.")] = None
    images: Annotated[int | None, typer.Option(metavar="N", help="Number of images.")] = None
    snr: Annotated[float | None, typer.Option(metavar="X", help="Signal-to-noise ratio of a pixel.")] = None
    views: Annotated[str | None, typer.Option(metavar="uniform|preferred", help="Directions of view.")] = None
    view_fraction: Annotated[float | None, typer.Option(metavar="X", help="Share of the preferred views.")] = None
    view_spread: Annotated[float | None, typer.Option(metavar="X", help="Their spread in degrees.")] = None
    shift: Annotated[float | None, typer.Option(metavar="X", help="Standard deviation of shifts in pixels.")] = None
    ctf: Annotated[bool | None, typer.Option("--ctf/--no-ctf", help="With the contrast transfer function.")] = None
    defocus: Annotated[str | None, typer.Option(metavar="LOW,HIGH", help="Simulated defocus in Å.")] = None
    voltage: Annotated[float | None, typer.Option(metavar="X", help="Of the simulated microscope in kV.")] = None
    spherical_aberration: Annotated[float | None, typer.Option(metavar="X", help="Of its lens in mm.")] = None
    amplitude_contrast: Annotated[float | None, typer.Option(metavar="X", help="Of simulated images.")] = None
    sharpening: Annotated[
        float | None, typer.Option(metavar="X", help="Makes the phantom's shells equal: 0 not at all, 1 fully.")
    ] = None
    interpolation: Annotated[
        str | None, typer.Option(metavar="trilinear|nearest", help="How slices read the volume.")
    ] = None
    preconditioner: Annotated[
        str | None, typer.Option(metavar="none|exact|row-sum|hutchinson", help="What the gradient is divided by.")
    ] = None
    hutchinson_start: Annotated[
        str | None, typer.Option(metavar="row-sum|shells|ones", help="First value of Hutchinson's estimate.")
    ] = None
    hutchinson_memory: Annotated[float | None, typer.Option(metavar="X", help="Memory of the estimate.")] = None
    clamp: Annotated[
        float | None, typer.Option(metavar="X", help="Least preconditioner, as a share of its shell's mean.")
    ] = None
    prior: Annotated[
        str | None,
        typer.Option(metavar="none|wiener", help="Damps what is hardly seen: wiener for --particles, else none."),
    ] = None
    start: Annotated[str | None, typer.Option(metavar="noise|zero|one-pass", help="First volume.")] = None
    epochs: Annotated[float | None, typer.Option(metavar="X", help="Passes over all images.")] = None
    batch: Annotated[int | None, typer.Option(metavar="N", help="Images of a batch, which is a step.")] = None
    half_sets: Annotated[
        bool | None,
        typer.Option(
            "--half-sets/--no-half-sets",
            help="Two half maps, and their correlation: for --particles where they allow it, else not.",
        ),
    ] = None


@dataclass(frozen=True)
class BatchBudget(Budget):
    """How long a reconstruction may take."""

    evaluations: Annotated[float | None, typer.Option(metavar="N", help="Budget in gradients of a batch.")] = None


@app.command(epilog=EXIT_STATUS)
@with_groups
def cryoem(
    *,
    reconstruction: ReconstructionOptions,
    write_particles: Annotated[
        bool, typer.Option("--write-particles", help="With --out: the images as STAR file and stack, too.")
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Go on from the checkpoint.pt, or the folder, that --out left; races, too."),
    ] = None,
    entrants: Entrants,
    budget: BatchBudget,
    computing: Computing,
    delivery: Delivery,
) -> int:
    """Reconstruct a map from simulated or read particles, beside the exact minimiser."""
    from lieapp.cryoem.commands import idle_options, job_from_options

    options = given_options(reconstruction, budget, computing)
    if write_particles and delivery.out is None:
        raise UsageError("--write-particles needs --out, the folder to write them into.")
    if resume is not None:
        changed = entrants != Entrants()
        return _resume_reconstruction(resume, options, delivery, changed=changed, with_particles=write_particles)
    titles, jobs = entrants.jobs(
        lambda name, settings: job_from_options(optimizer=name, set=settings, **options), default="preconditioned-sgd"
    )
    idle = idle_options(jobs, options)
    if idle:
        raise UsageError(
            f"--{idle[0].replace('_', '-')} belongs to --optimizer preconditioned-sgd, which is not in the run "
            f"({', '.join(titles)}): add that, or leave the option out."
        )
    return run_reconstructions(titles, jobs, delivery, with_particles=write_particles)


def _resume_reconstruction(
    path: Path, given: Mapping[str, Any], delivery: Delivery, *, changed: bool, with_particles: bool
) -> int:
    """Go on with the job of a checkpoint, for more epochs where that is asked."""
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.checkpoint import Checkpoint
    from lieapp.engine.job import job_from_json

    others = set(given) - {"epochs", "steps", "evaluations", "seconds", "device"}
    if others or changed:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(others)) or "--optimizer and --set"
        raise UsageError(f"--resume goes on with the job of {path}: {named} cannot change it.")
    files = _checkpoints(path)
    checkpoints = [Checkpoint.load(file) for file in files]
    limits = {name: given[name] for name in ("steps", "evaluations", "seconds") if name in given}
    fields = {name: given[name] for name in ("epochs", "device") if name in given}
    jobs: list[CryoemJob] = []
    for file, checkpoint in zip(files, checkpoints, strict=True):
        job = job_from_json(json.dumps(checkpoint.metadata.get("job")))
        if not isinstance(job, CryoemJob):
            raise UsageError(f"{file}: is the checkpoint of another kind of run.")
        jobs.append(job.changed(**fields, limits=job.limits.model_copy(update=limits)))
        if _without_method(jobs[-1]) != _without_method(jobs[0]):
            raise UsageError(f"{path}: holds runs on different images, which cannot race: name one {_CHECKPOINT}.")
    titles = [jobs[0].optimizer.name] if len(files) == 1 else [file.parent.name for file in files]
    going_on = list(zip(files, checkpoints, strict=True))
    return run_reconstructions(titles, jobs, delivery, with_particles=with_particles, going_on=going_on)


def _checkpoints(path: Path) -> list[Path]:
    """Return the checkpoint of a run, or those of all entrants of a race, whose folders lie in that of the race."""
    if not path.is_dir():
        return [path]
    own = path / _CHECKPOINT
    return [own] if own.exists() else sorted(path.glob(f"*/{_CHECKPOINT}")) or [own]


def _without_method(job: CryoemJob) -> dict[str, Any]:
    """Return what the entrants of a race have in common."""
    return job.model_dump(
        exclude={"optimizer", "preconditioner", "hutchinson_start", "hutchinson_memory", "clamp", "start"}
    )


def run_reconstructions(
    titles: Sequence[str],
    jobs: Sequence[CryoemJob],
    delivery: Delivery,
    *,
    with_particles: bool = False,
    budget: float | None = None,
    going_on: Sequence[tuple[Path, Checkpoint]] = (),
) -> int:
    """Run jobs on the same images, several as a race, and deliver them; returns the exit status.

    Parameters
    ----------
    titles : sequence of str
    jobs : sequence of CryoemJob
    delivery : Delivery
    with_particles : bool, optional
        Write the images, too.
    budget : float, optional
        Evaluations of each run of a race.
    going_on : sequence of tuple of Path and Checkpoint, optional
        Where every run goes on from.
    """
    from lieapp.cryoem.inputs import load_inputs
    from lieapp.cryoem.summary import summarise
    from lieapp.engine.job import report_job

    folders = delivery.folders(titles, going_on=[file for file, _ in going_on])
    inputs = load_inputs(jobs[0])
    runs = open_runs(jobs, inputs)
    for run, (file, checkpoint) in zip(runs, going_on, strict=False):
        run.restore(checkpoint)
        run.keep_checkpoint(file)
    for run, folder in zip(runs, folders, strict=False):
        run.keep_checkpoint(folder / _CHECKPOINT)
    # Epochs are the limit, which only the problem knows in steps; a race ends when the first has had its own.
    bounded = [job.changed(limits=run.limits) for job, run in zip(jobs, runs, strict=True)]
    if budget is None:
        budget = jobs[0].limits.evaluations or float(min(run.limits.steps for run in runs))
    complete_runs(titles, bounded, runs, shown=delivery.shown, debug=delivery.debug, budget=budget)
    reports = [report_job(job, run.recording, inputs) for job, run in zip(jobs, runs, strict=True)]
    written: list[Path] = []
    try:
        if delivery.out is not None:
            from lieapp.cryoem.baselines import measure_baselines
            from lieapp.export.cryoem_bundle import Reconstruction, export_reconstructions

            results = [
                Reconstruction(title, job, run.recording, report)
                for title, job, run, report in zip(titles, jobs, runs, reports, strict=True)
            ]
            written = export_reconstructions(
                delivery.out,
                results,
                folders,
                baselines=measure_baselines(jobs[0], inputs),
                particles=inputs.particles if with_particles else None,
            )
    finally:  # what was found is told, also where files could not be written
        delivery.deliver_reports(titles, reports, lambda: map(summarise, titles, reports), written)
    return exit_status(runs)
