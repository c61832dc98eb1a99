"""What a reconstruction found, in numbers: the ``--json`` object, and the few lines that a person reads first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lieapp.cryoem.spec import DEFAULT_BOX, DEFAULT_IMAGES, CryoemJob
from lieapp.engine.recording import Recording
from lieapp.engine.reporting import finite_values, json_text
from lieapp.engine.stopping import counted

if TYPE_CHECKING:
    from lieapp.cryoem.inputs import CryoemInputs

__all__ = ["CryoemReport", "report_cryoem", "summarise"]

SCHEMA = 1

_FINAL_COLUMNS = ("gradients", "losses", "hvps", "evaluations", "seconds")


class CryoemReport(BaseModel):
    """The result of a reconstruction; its fields, in this order, are the ``--json`` object.

    Numbers that do not exist (errors where there is no minimiser, correlations where there is no truth) are NaN here
    and null in JSON. Lists hold one number for every shell, from frequency 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: int = Field(default=SCHEMA, alias="schema", description="Version of this object")
    outcome: str = Field(description="converged, limit, diverged, cancelled, failed; running while there is none")
    message: str = Field(description="The outcome as a sentence")
    steps: int
    gradients: float
    losses: float
    hvps: float = Field(description="Products, those of preconditioners included; one with a real volume counts half")
    evaluations: float = Field(description="Cost in gradients of a batch: gradients + c_hvp hvps + c_loss losses")
    seconds: float
    best_step: int = Field(description="Step of the lowest loss of a batch")
    optimizer: str
    settings: dict[str, Any] = Field(description="Resolved settings of the optimiser")
    device: str
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; numbers that are not finite become None."""
        record: dict[str, Any] = finite_values(self.model_dump(mode="python", by_alias=True))
        return record

    def to_json(self, indent: int | None = None) -> str:
        """Return the ``--json`` object as text; every number reads back to the same bits."""
        return json_text(self.to_dict(), indent)


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
    metadata, outcome = recording.metadata, recording.outcome
    reconstruction: dict[str, Any] = dict(metadata.get("reconstruction") or {})
    last = recording.row(-1) if len(recording) else {}
    counters: dict[str, Any] = {name: last.get(name, 0.0) for name in _FINAL_COLUMNS}
    if frame is None:
        frame = recording.best if outcome is not None and outcome.kind == "diverged" else -1
    row = recording.row(frame) if len(recording) else {}
    state = recording.state(frame) if len(recording) else {}
    return CryoemReport(
        schema=SCHEMA,
        outcome="running" if outcome is None else outcome.kind,
        message="The run has not ended." if outcome is None else outcome.message,
        steps=max(len(recording) - 1, 0),
        **counters,
        best_step=int(recording.row(recording.best)["step"]) if len(recording) else 0,
        optimizer=job.optimizer.name,
        settings=dict(metadata.get("settings") or {}),
        device=str(metadata.get("device") or job.device),
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


def summarise(title: str, report: CryoemReport) -> str:
    """Return a report in the few lines that a person reads first.

    Parameters
    ----------
    title : str
        Name of the run.
    report : CryoemReport
    """
    lines = [f"{title}: {report.message}"]
    what = f"{report.source}, {counted(report.images, 'image')} of {report.box} pixels"
    if math.isfinite(report.pixel_size_angstrom):
        what += f" of {report.pixel_size_angstrom:.3g} Å"
    lines.append(f"  images      {what}; {report.epochs:g} epochs of batches of {report.batch}")
    lines.append(f"  steps       {report.optimizer}, preconditioner {report.preconditioner}")
    if math.isfinite(report.loss_gap):
        lines.append(f"  loss gap    {report.loss_gap:.3g} above the exact minimiser (an empty map has loss 0.5)")
    if report.shell_error and math.isfinite(report.shell_error[-1]):
        shells = len(report.shell_error)
        places = sorted({2, shells // 2, shells - 2} & set(range(shells)))
        told = ", ".join(f"{report.shell_error[k]:.3f} at {_angstrom(report, k)}" for k in places)
        lines.append(f"  error       {told}, relative to the exact minimiser")
    if math.isfinite(report.resolution_angstrom):
        against = "0.5 against the truth" if _known(report.fsc_truth) else "0.143 between half maps"
        lines.append(f"  resolution  {report.resolution_angstrom:.2f} Å (correlation {against})")
    if math.isfinite(report.condition_number):
        lines.append(f"  condition   {report.condition_number:.0f}, largest over smallest curvature")
    lines.append(f"  cost        {counted(report.evaluations, 'evaluation')}, {report.seconds:.3f} s")
    return "\n".join(lines)


def _angstrom(report: CryoemReport, shell: int) -> str:
    if not math.isfinite(report.pixel_size_angstrom):
        return f"shell {shell}"
    return f"{report.box * report.pixel_size_angstrom / shell:.1f} Å"


def _known(values: tuple[float, ...]) -> bool:
    return bool(values) and any(map(math.isfinite, values))


def _numbers(values: Any) -> tuple[float, ...]:
    return () if values is None else tuple(float(each) for each in values)


def _last_known(recording: Recording, name: str, frame: int) -> float:
    """Return the last finite value of a column up to a frame: above box 32 the gap is not computed in every one."""
    if not len(recording) or name not in recording.columns:
        return math.nan
    values = recording.column(name)[: frame % len(recording) + 1]
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else math.nan
