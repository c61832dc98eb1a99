"""What the reports of all jobs share: their first fields, values for JSON, lines for people. No torch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lieapp.engine.job import Job
from lieapp.engine.recording import Recording
from lieapp.engine.stopping import counted

__all__ = ["ReportPart", "RunReport", "cost_text", "finite_values", "json_text", "run_fields", "summary_text"]

SCHEMA = 1

_COUNTERS = ("gradients", "losses", "hvps", "evaluations", "seconds")


class ReportPart(BaseModel):
    """A frozen group of fields of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunReport(ReportPart):
    """The result of a run; its fields, in this order, are the ``--json`` object, and those of the problem follow.

    Numbers that do not exist are NaN here and null in JSON.
    """

    schema_: int = Field(default=SCHEMA, alias="schema", description="Version of this object")
    outcome: str = Field(description="converged, limit, diverged, cancelled, failed; running while there is none")
    message: str = Field(description="The outcome as a sentence")
    steps: int
    gradients: float
    losses: float
    hvps: float = Field(description="Hessian-vector products")
    evaluations: float = Field(description="Cost in gradients: gradients + c_hvp hvps + c_loss losses")
    seconds: float
    best_step: int = Field(description="Step of the lowest loss; of a walk to a saddle, of the least gradient norm")
    optimizer: str
    settings: dict[str, Any] = Field(description="Resolved settings of the optimiser")
    device: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; numbers that are not finite become None."""
        record: dict[str, Any] = finite_values(self.model_dump(mode="python", by_alias=True))
        return record

    def to_json(self, indent: int | None = None) -> str:
        """Return the ``--json`` object as text; every number reads back to the same bits."""
        return json_text(self.to_dict(), indent)


def run_fields(job: Job, recording: Recording) -> dict[str, Any]:
    """Return the fields of `RunReport`: what a recording says of the whole run, whatever its problem.

    Parameters
    ----------
    job : Job
    recording : Recording
        Finished or not; it may have no frame.
    """
    metadata, outcome = recording.metadata, recording.outcome
    last = recording.row(-1) if len(recording) else {}
    best = recording.row(recording.best).get("step", recording.best) if len(recording) else 0
    return {
        "schema": SCHEMA,
        "outcome": "running" if outcome is None else outcome.kind,
        "message": "The run has not ended." if outcome is None else outcome.message,
        "steps": max(len(recording) - 1, 0),
        **{name: last.get(name, 0.0) for name in _COUNTERS},
        "best_step": int(best),
        "optimizer": job.optimizer.name,
        "settings": dict(metadata.get("settings") or {}),
        "device": str(metadata.get("device") or job.device),
    }


def finite_values(value: Any) -> Any:
    """Return nested plain values in which numbers that are not finite are None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_values(item) for item in value]
    return value


def json_text(record: dict[str, Any], indent: int | None = None) -> str:
    """Return JSON in which every number reads back to the same bits."""
    return json.dumps(record, indent=indent, ensure_ascii=False, allow_nan=False)


def summary_text(title: str, report: RunReport, rows: Sequence[tuple[str, str]]) -> str:
    """Return the few lines of a report that a person reads first, without a last line break.

    Parameters
    ----------
    title : str
        Name of the run.
    report : RunReport
    rows : sequence of (str, str)
        What is told, after its name; a row without a name is a remark.
    """
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {text}" if name else f"  {text}" for name, text in rows]
    return "\n".join([f"{title}: {report.message}", *lines])


def cost_text(report: RunReport) -> str:
    """Return what a run took, such as ``12 evaluations, 0.035 s``."""
    return f"{counted(report.evaluations, 'evaluation')}, {report.seconds:.3f} s"
