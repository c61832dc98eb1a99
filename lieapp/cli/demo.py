"""``lieapp demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lieapp.cli.align import run_alignments
from lieapp.cli.app import Debug, Json, Out, Quiet, UsageError, app, has_display, open_window
from lieapp.cli.cryoem import run_reconstructions
from lieapp.cli.landscape import run_landscapes

__all__ = ["demo"]


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
        return open_window(files, run=True, workbench=lab)
    if lab == "landscape":
        return _demo_landscape(as_json=as_json, out=out, quiet=quiet)
    if lab == "cryoem":
        return _demo_cryoem(as_json=as_json, out=out, quiet=quiet)
    job = job_from_options(*files, optimizer="adam")
    return run_alignments(["adam"], [job], as_json=as_json, out=out, quiet=quiet)


def _demo_landscape(*, as_json: bool, out: Path | None, quiet: bool) -> int:
    """Race off the ridge of a saddle, and say what happened."""
    from lieapp.landscapes.spec import PRESETS, LandscapeJob

    preset = PRESETS[0]
    titles, jobs = zip(*preset.jobs(LandscapeJob()), strict=True)
    return run_landscapes(titles, jobs, as_json=as_json, out=out, quiet=quiet, budget=preset.evaluations, told=True)


def _demo_cryoem(*, as_json: bool, out: Path | None, quiet: bool) -> int:
    """Race plain against preconditioned gradient descent on simulated images."""
    from lieapp.cryoem.spec import PRESETS, CryoemJob

    preset = PRESETS[0]
    titles, jobs = zip(*preset.jobs(CryoemJob()), strict=True)
    return run_reconstructions(titles, jobs, as_json=as_json, out=out, quiet=quiet, budget=preset.evaluations)
