"""Runs: a job becomes a problem, driven by an optimiser inside a run that writes a recording.

Importing this package loads no torch: names below are resolved on first use.
"""

from importlib import import_module
from typing import Any

_LAZY = {
    "EngineError": "errors",
    "Limits": "limits",
    "Outcome": "outcome",
    "OutcomeKind": "outcome",
    "RunControl": "control",
    "RunState": "control",
    "Recording": "recording",
    "Job": "job",
    "OptimizerChoice": "job",
    "job_from_json": "job",
    "job_to_json": "job",
    "open_job": "job",
    "report_job": "job",
    "resume_job": "job",
    "Metric": "metric",
    "Problem": "problem",
    "Frame": "run",
    "Run": "run",
    "Entrant": "race",
    "Race": "race",
    "Checkpoint": "checkpoint",
    "resolve_device": "devices",
    "single_thread": "devices",
    "synchronize": "devices",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
