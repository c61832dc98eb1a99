"""``lieapp demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from lieapp.cli.align import run_alignments
from lieapp.cli.app import UsageError, app, has_display, open_window
from lieapp.cli.cryoem import run_reconstructions
from lieapp.cli.delivery import Delivery
from lieapp.cli.groups import with_groups
from lieapp.cli.landscape import run_landscapes

__all__ = ["demo"]


@app.command()
@with_groups
def demo(
    *,
    lab: Annotated[str, typer.Option(metavar="align|landscape|cryoem", help="Which workbench.")] = "align",
    headless: Annotated[
        bool, typer.Option("--headless", help="Without the window, also where there is a display.")
    ] = False,
    delivery: Delivery,
) -> int:
    """Run the bundled example: in the window where there is a display, else here."""
    from lieapp.alignment.commands import job_from_options
    from lieapp.paths import resource

    if lab not in ("align", "landscape", "cryoem"):
        raise UsageError(f"--lab {lab}: expected align, landscape or cryoem.")
    files = [str(resource(f"examples/hinge_{form}.pdb")) for form in ("open", "closed")]
    if not (headless or delivery.as_json or delivery.out is not None) and has_display():
        return open_window(files, run=True, workbench=lab)
    if lab == "landscape":
        return _demo_landscape(delivery)
    if lab == "cryoem":
        return _demo_cryoem(delivery)
    job = job_from_options(*files, optimizer="adam")
    return run_alignments(["adam"], [job], delivery)


def _demo_landscape(delivery: Delivery) -> int:
    """Race off the ridge of a saddle, and say what happened."""
    from lieapp.landscapes.spec import PRESETS, LandscapeJob

    preset = PRESETS[0]
    titles, jobs = zip(*preset.jobs(LandscapeJob()), strict=True)
    return run_landscapes(titles, jobs, delivery, budget=preset.evaluations, told=True)


def _demo_cryoem(delivery: Delivery) -> int:
    """Race plain against preconditioned gradient descent on simulated images."""
    from lieapp.cryoem.spec import PRESETS, CryoemJob

    preset = PRESETS[0]
    titles, jobs = zip(*preset.jobs(CryoemJob()), strict=True)
    return run_reconstructions(titles, jobs, delivery, budget=preset.evaluations)
