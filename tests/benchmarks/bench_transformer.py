"""Optimisers on the character transformer, alone and with DEO around them, at equal evaluations.

Each method has what is recommended for it on a network, and DEO wraps exactly that, weight decay included. Text,
weights and batches of a seed are the same for all. Figures are validation losses in nats a character, on 64 windows.

The full size takes some half an hour of processor time. ``LIEAPP_BENCH_ROWS=FILE`` keeps every run in a file as it ends
and takes from it those that are there, so that a report may be made in parts; ``LIEAPP_BENCH_PROCESSES=2`` shares the
runs out to that many processes.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from lieapp.engine.devices import single_thread
from lieapp.engine.stepping import stepper
from lieapp.landscapes.recommended import recommended
from lieapp.landscapes.transformer import TransformerModel, shape_of
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.registry import build_optimizer, settings_class

BASES = ("sgd", "adam", "adamw", "sophia")
MODES = ("", "escape", "project")
VARIANTS = (("sgd", "paper"), ("adam", "paper"), ("adam", "escape, fixed batch"))
"""Further rows, beside the same bases."""

_found: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Task:
    """One run: network, evaluations, base optimiser, DEO's mode around it ("" for none), seed."""

    network: str
    budget: float
    base: str
    mode: str
    seed: int


@dataclass
class Run:
    """Where a run ended, and what it met.

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


def build(base: str, mode: str, model: TransformerModel, seed: int) -> Optimizer:
    """Return a base optimiser, or DEO in a mode around the same, as recommended for networks."""
    generator = torch.Generator().manual_seed(seed)
    if not mode:
        settings = settings_class(base)().updated(recommended(base, None))
    else:
        known = {**recommended("deo", None, base), "mode": mode.partition(",")[0]}
        if mode == "paper":
            known["interval"] = 10.0  # as published
        settings = settings_class("deo")().updated(known)
    return build_optimizer(settings, model.parameters, generator=generator)


def train(task: Task) -> Run:
    """Train until a budget is spent."""
    with single_thread():
        fixed = task.mode.endswith("fixed batch")
        cpu = torch.device("cpu")
        model = TransformerModel(shape_of(task.network), None, None, task.seed, cpu, torch.float32, fixed=fixed)
        oracle = CountingOracle(model.oracle)
        optimizer = build(task.base, task.mode, model, task.seed)
        step, run = stepper(optimizer, oracle), Run()
        while oracle.evaluations() < task.budget:
            step()
            model.after_step()
            oracle.invalidate()
            run.steps += 1
            if isinstance(optimizer, DEO):
                if not run.curvatures or optimizer.curvature != run.curvatures[-1]:  # a search was made
                    run.curvatures.append(optimizer.curvature)
                run.escapes += int(optimizer.observations()["escaping"])
            if math.isnan(run.halfway) and oracle.evaluations() >= 0.5 * task.budget:
                run.halfway = model.validation_loss()
        run.validation, run.evaluations = model.validation_loss(), oracle.evaluations()
    return run


def tasks(quick: bool) -> list[Task]:
    """Return all runs, the quick network first."""
    sizes = [("transformer-tiny", 24.0, 1)] if quick else [("transformer-tiny", 2000.0, 3), ("transformer", 500.0, 3)]
    pairs = [(base, mode) for base in (BASES[:2] if quick else BASES) for mode in MODES]
    further = () if quick else (*VARIANTS, ("perturbed-sgd", ""))
    return [
        Task(network, budget, base, mode, seed)
        for network, budget, seeds in sizes
        for base, mode in (*pairs, *further)
        for seed in range(seeds)
    ]


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows."""
    wanted = tasks(quick)
    runs = dict(results(wanted, None if quick else os.environ.get("LIEAPP_BENCH_ROWS")))
    groups: dict[tuple[str, float, str, str], list[Run]] = {}
    for task in wanted:
        groups.setdefault((task.network, task.budget, task.base, task.mode), []).append(runs[task])
    _found[:] = [
        _row(network, budget, base, mode, found, groups.get((network, budget, base.removeprefix("perturbed-"), ""), []))
        for (network, budget, base, mode), found in groups.items()
    ]
    return _found


def results(wanted: list[Task], place: str | None) -> Iterator[tuple[Task, Run]]:
    """Yield every run as it ends; those kept in a file come first."""
    file = None if place is None else Path(place)
    lines = file.read_text(encoding="utf-8").splitlines() if file is not None and file.exists() else []
    kept = {Task(**entry["task"]): Run(**entry["run"]) for entry in map(json.loads, lines)}
    yield from ((task, kept[task]) for task in wanted if task in kept)
    missing = [task for task in wanted if task not in kept]
    processes = int(os.environ.get("LIEAPP_BENCH_PROCESSES", "1"))
    for task, found in _parallel(missing, processes) if processes > 1 else ((task, train(task)) for task in missing):
        if file is not None:
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"task": asdict(task), "run": asdict(found)}) + "\n")
        if os.environ.get("LIEAPP_BENCH_VERBOSE"):
            print(task, found.validation, found.steps, flush=True)
        yield task, found


def _parallel(wanted: list[Task], processes: int) -> Iterator[tuple[Task, Run]]:
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(train, task): task for task in wanted}
        try:
            for each in as_completed(waiting):
                yield waiting[each], each.result()
        finally:  # interrupted, only the runs under way are waited for
            pool.shutdown(cancel_futures=True)


def text() -> str:
    """Return what the last run found, in a paragraph."""
    rows = [row for row in _found if row["ratio"] is not None and not row["name"].startswith("perturbed")]
    better = [_short(row) for row in rows if row["verdict"] == "better"]
    worse = [_short(row) for row in rows if row["verdict"] == "worse"]
    ratios = [row["ratio"] - 1.0 for row in rows]
    prices = [row["price"] for row in rows if row["mode"] == "escape"]
    return (
        f"At equal evaluations DEO ends beyond the spread over seeds below its base in {len(better)} of {len(rows)} "
        f"comparisons{': ' + '; '.join(better) if better else ''}, and beyond it above its base in {len(worse)}"
        f"{': ' + '; '.join(worse) if worse else ''}; elsewhere the losses of the seeds overlap, and nothing can be "
        f"said. Mean losses are {min(ratios):+.1%} to {max(ratios):+.1%} beside those of the base. A step of DEO "
        f"escape costs {min(prices):.2f} to {max(prices):.2f} times a step of its base. Losses of the seeds stand in "
        "brackets; learning rates are those recommended, and were tuned for nobody.\n"
    )


def _short(row: dict[str, Any]) -> str:
    return str(row["name"].split(" (")[0])


def _row(network: str, budget: float, base: str, mode: str, runs: list[Run], alone: list[Run]) -> dict[str, Any]:
    finals, others = ([each.validation for each in group] for group in (runs, alone))
    compared, several = runs is not alone, len(runs) > 1
    label = f"DEO {mode} on {base}" if mode else base
    below, above = max(finals) < min(others), min(finals) > max(others)
    verdict = "one seed" if not several else "better" if below else "worse" if above else "within the spread"
    gain = np.mean(finals) - np.mean(others)
    peer = base.removeprefix("perturbed-")
    story = f"halfway {np.mean([each.halfway for each in runs]):.3f}; {_story(runs)}"
    return {
        "name": f"{label}, {network}, {budget:g} evaluations, {len(runs)} seeds ({min(finals):.3f} to "
        f"{max(finals):.3f}; {story})",
        "value": float(np.mean(finals)),
        "unit": "nats",
        "peer": f"{peer} alone ({gain:+.3f}, {verdict})" if compared else "",
        "ratio": float(np.mean(finals) / np.mean(others)) if compared else None,
        "verdict": verdict,
        "mode": mode,
        "price": _price(runs) / _price(alone),
    }


def _price(runs: list[Run]) -> float:
    return sum(each.evaluations for each in runs) / sum(each.steps for each in runs)


def _story(runs: list[Run]) -> str:
    steps = f"{np.mean([each.steps for each in runs]):.0f} steps"
    found = [curvature for each in runs for curvature in each.curvatures]
    if not found:
        return steps
    negative = sum(curvature < 0.0 for curvature in found)
    escapes = np.mean([each.escapes for each in runs])
    return f"{steps}, {len(found)} searches, {negative} found C < 0, {escapes:.0f} escape steps a run"
