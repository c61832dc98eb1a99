"""What a recording tells about the run that made it."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lieapp import __version__
from lieapp.engine.job import job_to_json

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from lieapp.engine.job import Job
    from lieapp.engine.limits import Limits
    from lieapp.engine.problem import Problem
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = ["run_metadata"]


def run_metadata(
    problem: Problem, optimizer: Optimizer, settings: OptimizerSettings | None, limits: Limits, job: Job | None
) -> dict[str, Any]:
    """Return job, resolved settings, limits, device, costs and versions as plain values for JSON."""
    parameter = problem.parameters()[0]
    costs = problem.oracle.costs
    metric = problem.metric
    return {
        "job": None if job is None else json.loads(job_to_json(job)),
        "problem": problem.name,
        "best_by": "gradient_norm" if getattr(optimizer, "climbs", False) else "loss",
        "metric": {"name": metric.name, "unit": metric.unit, "scale": metric.scale},
        "reference": dict(problem.reference()),
        "optimizer": type(optimizer).__name__ if settings is None else type(settings).name,
        "settings": None if settings is None else settings.model_dump(mode="json"),
        "limits": limits.model_dump(mode="json"),
        "device": str(parameter.device),
        "dtype": str(parameter.dtype).removeprefix("torch."),
        "costs": {"gradient": costs.gradient, "loss": costs.loss, "hvp": costs.hvp},
        "versions": {
            "lieapp": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
