"""What a reconstruction found, in numbers: the ``--json`` object. No torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from lieapp.cryoem.spec import DEFAULT_BOX, DEFAULT_IMAGES, CryoemJob
from lieapp.engine.recording import Recording
from lieapp.engine.reporting import RunReport, run_fields

if TYPE_CHECKING:
    from lieapp.cryoem.inputs import CryoemInputs

__all__ = ["CryoemReport", "report_cryoem"]


class CryoemReport(RunReport):
    """The result of a reconstruction; its fields, in this order, are the ``--json`` object.

    Numbers that do not exist (errors where there is no minimiser, correlations where there is no truth) are NaN here
    and null in JSON. Lists hold one number for every shell, from frequency 0.
    """

    hvps: float = Field(description="Products, those of preconditioners included; one with a real volume counts half")
    evaluations: float = Field(description="Cost in gradients of a batch: gradients + c_hvp hvps + c_loss losses")
    best_step: int = Field(description="Step of the lowest loss of a batch; see RunReport for walks to a saddle")
    source: str = Field(description="Phantom or file")
    box: int = Field(description="Pixels along an edge")
    pixel_size_angstrom: float
    images: int
    epochs: float
    batch: int
    preconditioner: str
    loss_gap: float = Field(description="Loss over all images minus the least possible, an empty volume having 0.5")
    shell_error: tuple[float, ...] = Field(description="Error relative to the exact minimiser")
    fsc_truth: tuple[float, ...] = Field(description="Fourier shell correlation with the truth")
    fsc_half: tuple[float, ...] = Field(description="Fourier shell correlation between half maps; empty without them")
    condition_number: float = Field(
        description="Largest over smallest diagonal entry of the second derivative, up to two shells below the last"
    )
    resolution_angstrom: float = Field(description="Where the correlation falls to 0.5 (truth) or 0.143 (half maps)")


def report_cryoem(
    job: CryoemJob, recording: Recording, inputs: CryoemInputs | None = None, frame: int | None = None
) -> CryoemReport:
    """Return the report of a recording.

    Parameters
    ----------
    job : CryoemJob
    recording : Recording
        Finished or not.
    inputs : CryoemInputs, optional
        Not needed: what they tell is in the recording.
    frame : int, optional
        Frame that is reported. By default the last one, since losses of batches say little about which is the best;
        the best one of a run that diverged. Counters are always those of the whole run.

    Raises
    ------
    EngineError
        If there is no such frame.
    """
    outcome = recording.outcome
    reconstruction: dict[str, Any] = dict(recording.metadata.get("reconstruction") or {})
    if frame is None:
        frame = recording.best if outcome is not None and outcome.kind == "diverged" else -1
    row = recording.row(frame) if len(recording) else {}
    state = recording.state(frame) if len(recording) else {}
    return CryoemReport(
        **run_fields(job, recording),
        source=str(reconstruction.get("source", job.particles or job.phantom)),
        box=int(reconstruction.get("box", job.box or DEFAULT_BOX)),
        pixel_size_angstrom=float(reconstruction.get("pixel_size_angstrom", math.nan)),
        images=int(reconstruction.get("images", job.images or DEFAULT_IMAGES)),
        epochs=row.get("epoch", 0.0),
        batch=job.batch,
        preconditioner=job.preconditioner if job.optimizer.name == "preconditioned-sgd" else "none",
        loss_gap=_last_known(recording, "loss_gap", frame),
        shell_error=_numbers(state.get("shell_error")),
        fsc_truth=_numbers(state.get("fsc_truth")),
        fsc_half=_numbers(state.get("fsc_half")),
        condition_number=row.get("condition_number", math.nan),
        resolution_angstrom=row.get("resolution_angstrom", math.nan),
    )


def _numbers(values: Any) -> tuple[float, ...]:
    return () if values is None else tuple(float(each) for each in values)


def _last_known(recording: Recording, name: str, frame: int) -> float:
    """Return the last finite value of a column up to a frame: above box 32 the gap is not computed in every one."""
    if not len(recording) or name not in recording.columns:
        return math.nan
    values = recording.column(name)[: frame % len(recording) + 1]
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else math.nan
