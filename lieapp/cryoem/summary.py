"""A report in the few lines that a person reads first. No torch."""

from __future__ import annotations

import math

from lieapp.cryoem.report import CryoemReport
from lieapp.cryoem.resolution import resolution_words
from lieapp.cryoem.spec import steps_per_epoch
from lieapp.engine.reporting import cost_text, summary_text
from lieapp.engine.stopping import counted

__all__ = ["summarise"]


def summarise(title: str, report: CryoemReport) -> str:
    """Return a report as text.

    Parameters
    ----------
    title : str
        Name of the run.
    report : CryoemReport

    Returns
    -------
    str
        Lines without a last line break.
    """
    what = f"{report.source}, {counted(report.images, 'image')} of {report.box} pixels"
    if math.isfinite(report.pixel_size_angstrom):
        what += f" of {report.pixel_size_angstrom:.3g} Å"
    rows = [
        ("images", f"{what}; {_passes(report)}"),
        ("steps", f"{report.optimizer}, preconditioner {report.preconditioner}"),
    ]
    if math.isfinite(report.loss_gap):
        rows.append(("loss gap", f"{report.loss_gap:.3g} above the exact minimiser (an empty map has loss 0.5)"))
    if report.shell_error and math.isfinite(report.shell_error[-1]):
        shells = len(report.shell_error)
        places = sorted({2, shells // 2, shells - 2} & set(range(shells)))
        told = ", ".join(f"{report.shell_error[k]:.3f} at {_angstrom(report, k)}" for k in places)
        rows.append(("error", f"{told}, relative to the exact minimiser"))
    if math.isfinite(report.resolution_angstrom):
        resolution = resolution_words(report.resolution_angstrom, report.box, report.pixel_size_angstrom, digits=2)
        against = "0.5 against the truth" if _known(report.fsc_truth) else "0.143 between half maps"
        rows.append(("resolution", f"{resolution} (correlation {against})"))
    if math.isfinite(report.condition_number):
        rows.append(("condition", f"{report.condition_number:.0f}, largest over smallest curvature"))
    return summary_text(title, report, [*rows, ("cost", cost_text(report))])


def _passes(report: CryoemReport) -> str:
    epochs = f"{report.epochs:g} {'epoch' if report.epochs == 1.0 else 'epochs'}"
    steps = steps_per_epoch(report.images, report.batch)
    if steps == 1:
        return f"{epochs} of all images at once"
    return f"{epochs} of {steps} batches of {-(-report.images // steps)}"


def _angstrom(report: CryoemReport, shell: int) -> str:
    if not math.isfinite(report.pixel_size_angstrom):
        return f"shell {shell}"
    return f"{report.box * report.pixel_size_angstrom / shell:.1f} Å"


def _known(values: tuple[float, ...]) -> bool:
    return bool(values) and any(map(math.isfinite, values))
