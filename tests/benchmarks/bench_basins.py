"""Basin maps: a grid of starts as one batch, beside one run after the other."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from lieapp.landscapes.basins import BasinSpec
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.starts import compute_basins, run_singly
from lieapp.optimizers.registry import settings_class
from tests.benchmarks.bench_superposition import row

_SINGLE = 12


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; a ratio is the time of the batch over that of single runs, taken from a few of its starts."""
    points = 40 if quick else 200
    rows = []
    for name, optimizer in (
        ("himmelblau", "sgd"),
        ("himmelblau", "adam"),
        ("muller-brown", "sgd"),
        ("muller-brown", "adam"),
    ):
        spec = BasinSpec(LandscapeJob(landscape=name).with_optimizer(optimizer), points)
        begin = time.perf_counter()
        found = compute_basins(spec)
        taken = time.perf_counter() - begin
        limit = "< 10 s" if name == "himmelblau" else ""
        ratio = taken / (_singly(spec) * points**2)
        title = f"basin map of {name}, {points} x {points}, {optimizer}"
        rows.append(row(title, taken, "s", "run by run", ratio, limit))
        rows.append(row(f"{title}: cost", found.total, "evaluations"))
    for optimizer in ("lbfgs", "deo"):
        spec = BasinSpec(LandscapeJob(landscape="himmelblau").with_optimizer(optimizer), 5 if quick else 15)
        found = compute_basins(spec)
        title = f"start of a basin map of himmelblau, {optimizer}"
        rows.append(row(title, 1e3 * found.seconds / spec.side**2, "ms"))
    return rows


def _singly(spec: BasinSpec) -> float:
    """Return the time of one run in seconds, the mean of a few starts of the grid."""
    settings = settings_class(spec.job.optimizer.name)().updated(spec.overrides())
    low, high = np.transpose(spec.surface.domain)
    starts = np.random.default_rng(0).uniform(low, high, (_SINGLE, 2))
    begin = time.perf_counter()
    run_singly(spec, settings, starts, lambda: False, lambda ends, fraction: None)
    return (time.perf_counter() - begin) / _SINGLE
