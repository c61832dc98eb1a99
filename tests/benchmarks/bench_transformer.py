"""Optimisers on the character transformer, alone and with DEO around them, at equal evaluations.

Each method has what is recommended for it on a network, and DEO wraps exactly that, weight decay included. Text,
weights and batches of a seed are the same for all. Figures are validation losses in nats a character, on 64 windows.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from lieapp.engine.stepping import stepper
from lieapp.landscapes.recommended import recommended
from lieapp.landscapes.transformer import TransformerModel, shape_of
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.registry import build_optimizer, settings_class

BASES = ("sgd", "adam", "adamw", "sophia")

_found: list[dict[str, Any]] = []


@dataclass
class Run:
    """One run: where it ended, and what it met.

    Attributes
    ----------
    validation : float
        Loss when the budget was spent; ``halfway`` when half of it was.
    steps : int
    evaluations : float
    curvatures : list of float
        Of DEO's searches, on the batch of the search.
    escapes : int
        Steps that went along negative curvature.
    """

    validation: float = math.nan
    halfway: float = math.nan
    steps: int = 0
    evaluations: float = 0.0
    curvatures: list[float] = field(default_factory=list)
    escapes: int = 0


def build(base: str, mode: str | None, model: TransformerModel, seed: int) -> Optimizer:
    """Return a base optimiser, or DEO in a mode around the same."""
    generator = torch.Generator().manual_seed(seed)
    settings = settings_class(base)().updated(recommended(base, None))
    if mode is None:
        return build_optimizer(settings, model.parameters, generator=generator)
    return DEO(model.parameters, settings, mode=mode, generator=generator)


def train(name: str, base: str, mode: str | None, seed: int, budget: float) -> Run:
    """Train until a budget is spent."""
    model = TransformerModel(shape_of(name), None, None, seed, torch.device("cpu"), torch.float32)
    oracle = CountingOracle(model.oracle)
    optimizer = build(base, mode, model, seed)
    step, run = stepper(optimizer, oracle), Run()
    while oracle.evaluations() < budget:
        step()
        model.after_step()
        oracle.invalidate()
        run.steps += 1
        if isinstance(optimizer, DEO):
            if not run.curvatures or optimizer.curvature != run.curvatures[-1]:  # a search was made
                run.curvatures.append(optimizer.curvature)
            run.escapes += int(optimizer.observations()["escaping"])
        if math.isnan(run.halfway) and oracle.evaluations() >= 0.5 * budget:
            run.halfway = model.validation_loss()
    run.validation, run.evaluations = model.validation_loss(), oracle.evaluations()
    return run


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows."""
    sizes = [("transformer-tiny", 24.0, 1)] if quick else [("transformer-tiny", 500.0, 3), ("transformer", 80.0, 3)]
    rows = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, budget, seeds in sizes:
            for base in BASES[:2] if quick else BASES:
                rows += compare(name, base, budget, seeds)
    finally:
        torch.set_num_threads(threads)
    _found[:] = rows
    return rows


def text() -> str:
    """Return what the last run found, in a paragraph."""
    gains = {row["name"].split(" (")[0]: row["ratio"] - 1.0 for row in _found if row["ratio"] is not None}
    helped = [name for name, gain in gains.items() if gain < 0.0]
    return (
        f"At equal evaluations DEO ends lower than its base alone in {len(helped)} of {len(gains)} comparisons"
        f"{': ' + '; '.join(helped) if helped else ''}. Its losses are {min(gains.values()):+.1%} to "
        f"{max(gains.values()):+.1%} beside those of the base: a search costs evaluations, so that fewer steps are "
        "taken, and on a network nearly every search finds negative curvature. Spread over seeds stands in brackets; "
        "learning rates are those recommended, and were tuned for nobody.\n"
    )


def compare(name: str, base: str, budget: float, seeds: int) -> list[dict[str, Any]]:
    """Return the rows of one base: alone, and in DEO."""
    alone: list[Run] = []
    rows = []
    for mode in (None, "escape", "project"):
        runs = []
        for seed in range(seeds):
            runs.append(train(name, base, mode, seed, budget))
            if os.environ.get("LIEAPP_BENCH_VERBOSE"):
                print(name, base, mode, seed, runs[-1].validation, runs[-1].steps, flush=True)
        alone = alone or runs
        finals = [each.validation for each in runs]
        gain = np.mean([own.validation - base_.validation for own, base_ in zip(runs, alone, strict=True)])
        label = base if mode is None else f"DEO {mode} on {base}"
        title = f"{label}, {name}, {budget:g} evaluations, {len(runs)} seeds"
        rows.append(
            {
                "name": f"{title} ({min(finals):.3f} to {max(finals):.3f}; halfway "
                f"{np.mean([each.halfway for each in runs]):.3f}; {_story(runs)})",
                "value": float(np.mean(finals)),
                "unit": "nats",
                "peer": "" if mode is None else f"{base} alone ({gain:+.3f})",
                "ratio": None if mode is None else float(np.mean(finals) / np.mean([x.validation for x in alone])),
            }
        )
    return rows


def _story(runs: list[Run]) -> str:
    steps = f"{np.mean([each.steps for each in runs]):.0f} steps"
    found = [curvature for each in runs for curvature in each.curvatures]
    if not found:
        return steps
    negative = sum(curvature < 0.0 for curvature in found)
    escapes = np.mean([each.escapes for each in runs])
    return f"{steps}, {len(found)} searches, {negative} found C < 0, {escapes:.0f} escape steps a run"
