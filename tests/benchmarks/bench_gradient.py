"""One gradient of the Lie problem at 214 and 58 870 atoms, against autograd through lieapp.lie; a default run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.objectives import make_objective
from lieapp.alignment.problem import AlignProblem, open_align
from lieapp.engine.devices import single_thread
from lieapp.lie import se3
from lieapp.optimizers.oracle import AutogradOracle
from lieapp.structures.reading import read_structure
from tests.conftest import shared_data

Points = NDArray[np.float64]


def interleaved(calls: Sequence[Callable[[], object]], repeats: int, batch: int = 1) -> list[float]:
    """Return the time of each call in seconds: the least mean of a batch, batches taken in turn.

    The least, since these are costs of tens of microseconds, which anything else on the machine only adds to.
    """
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, taken in zip(calls, times, strict=True):
            call()  # what ran before has emptied the caches
            begin = time.perf_counter()
            for _ in range(batch):
                call()
            taken.append((time.perf_counter() - begin) / batch)
    return [min(taken) for taken in times]


def autograd_gradient(mobile: Points, target: Points) -> Callable[[], object]:
    """Return a call of the MSD's gradient by autograd over all pairs, as the paper's method does it."""
    x, y = torch.from_numpy(mobile - mobile.mean(0)), torch.from_numpy(target - target.mean(0))
    leaf = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    return AutogradOracle(lambda: (se3.act(se3.exp(leaf), x) - y).square().sum(-1).mean(), [leaf]).gradient


def moved(problem: AlignProblem) -> AlignProblem:
    """Take the parameters off zero, where everything is easiest."""
    with torch.no_grad():
        problem.parameters()[0] += torch.linspace(-1, 2, 6).double()
    return problem


def row(name: str, value: float, unit: str, peer: str = "", ratio: float | None = None, limit: str = "") -> dict:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio, "limit": limit}


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; one thread throughout."""
    folder = shared_data()
    assert folder is not None, "needs the real structures"
    job = job_from_options(
        *(str(folder / "structures/adk" / file) for file in ("4AKE.pdb", "1AKE.pdb")),
        mobile_chain="A",
        target_chain="A",
    )
    with single_thread():
        inputs = load_inputs(job)
        rows = gradients(inputs, folder / "structures", quick)
        for optimizer in ("adam", "sgd", "sophia", "lbfgs", "saddle-free-newton"):
            rows += runs(job.with_optimizer(optimizer), inputs, 2 if quick else 15)
    return rows


def gradients(inputs: AlignInputs, folder: Path, quick: bool) -> list[dict[str, Any]]:
    small = np.array(inputs.fit_mobile), np.array(inputs.fit_target)
    large = read_structure(folder / "diverse/1aon.pdb.gz").coordinates[0]
    large = large, large[:, [1, 2, 0]] + np.random.default_rng(0).normal(0.0, 1.0, large.shape)
    here, there = moved(AlignProblem(*small)), moved(AlignProblem(*large))
    paper = moved(AlignProblem(*small, parametrisation="se3", pivot="origin"))
    robust = moved(AlignProblem(*small, objective=make_objective("tm", length=214)))
    repeats, batch = (2, 3) if quick else (50, 20)
    own, own_large, own_paper, tm, hessian, peer = interleaved(
        [
            here.oracle.gradient,
            there.oracle.gradient,
            paper.oracle.gradient,
            robust.oracle.gradient,
            here.oracle.hessian,
            autograd_gradient(*small),
        ],
        repeats,
        batch,
    )
    (peer_large,) = interleaved([autograd_gradient(*large)], 2 if quick else 15)
    autograd = "autograd over all pairs"
    return [
        row("MSD gradient, local, 214 CA", own * 1e3, "ms", autograd, own / peer, "< 0.3 ms"),
        row(
            "MSD gradient, local, 58 870 atoms",
            own_large * 1e3,
            "ms",
            "214 CA",
            own_large / own,
            "< 0.3 ms, ratio < 1.3",
        ),
        row("the same", own_large * 1e3, "ms", autograd, own_large / peer_large),
        row("MSD gradient, se3 about the origin, 214 CA", own_paper * 1e3, "ms", autograd, own_paper / peer),
        row("MSD Hessian, local, 214 CA", hessian * 1e3, "ms"),
        row("TM gradient, local, 214 CA", tm * 1e3, "ms"),
    ]


def runs(job: Any, inputs: AlignInputs, repeats: int) -> list[dict[str, Any]]:
    frames = 0

    def whole() -> None:
        nonlocal frames
        _, run = open_align(job, inputs)
        run.complete()
        frames = len(run.recording)

    (taken,) = interleaved([whole], repeats)
    limit = "< 150 ms" if job.optimizer.name == "adam" else ""
    name = job.optimizer.name
    return [
        row(f"whole run, {name}, 214 CA ({frames} frames)", taken * 1e3, "ms", limit=limit),
        row(
            f"frame of {name}, recording included",
            taken / frames * 1e3,
            "ms",
            limit="< 0.6 ms" if name == "adam" else "",
        ),
    ]
