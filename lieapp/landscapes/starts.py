"""Many runs without a recording: from every start of a grid, in one batch where the optimiser allows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.engine.control import RunControl
from lieapp.engine.devices import single_thread
from lieapp.engine.limits import Limits
from lieapp.engine.problem import Problem
from lieapp.engine.run import Run
from lieapp.engine.stepping import LearningRates
from lieapp.landscapes.basins import PENDING, BasinMap, BasinProgress, BasinSpec, identify
from lieapp.landscapes.formula import Formula
from lieapp.landscapes.models import PlanarModel
from lieapp.landscapes.problem import open_landscape
from lieapp.optimizers.registry import build_optimizer, settings_class

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from lieapp.landscapes.spec import LandscapeJob
    from lieapp.optimizers.oracle import Oracle
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = ["Ends", "Unobserved", "compute_basins", "open_unobserved", "run_batch", "run_singly"]

Array = NDArray[np.float64]
Stopped = Callable[[], bool]
Progress = Callable[[BasinProgress], object]
Tell = Callable[["Ends", float], object]
"""Told the ends so far and the share of the work."""

BATCH = 65_536
"""Most starts of one batch: a million would take memory without being faster."""

_KEPT_SHARE = 0.75  # of a batch that still moves: below, the rest is taken out
_TOLD_SECONDS = 0.1
_DRAWN_SECONDS = 1.0


@dataclass(eq=False)
class Ends:
    """Where starts ended.

    Attributes
    ----------
    positions : ndarray, shape=(starts, 2)
    arrived : ndarray, shape=(starts,), dtype=bool
        Whether the gradient vanishes there.
    evaluations : ndarray, shape=(starts,)
        Spent from each; NaN for those that were not computed.
    """

    positions: Array
    arrived: NDArray[np.bool_]
    evaluations: Array

    @classmethod
    def none_yet(cls, starts: int) -> Ends:
        """Return the ends of starts that were not computed."""
        return cls(np.full((starts, 2), np.nan), np.zeros(starts, dtype=bool), np.full(starts, np.nan))

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which starts have ended, shape ``(starts,)``."""
        ended: NDArray[np.bool_] = np.isfinite(self.evaluations)
        return ended


class Unobserved(Problem):
    """A problem of which only the loss is wanted: nothing is observed, which takes most of the time of a small run."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.name, self.metric = problem.name, problem.metric
        self.loss_scale, self.loss_ceiling = problem.loss_scale, problem.loss_ceiling
        self.fixed_loss, self.single_threaded = problem.fixed_loss, problem.single_threaded

    @property
    def oracle(self) -> Oracle:
        return self._problem.oracle

    def parameters(self) -> list[Tensor]:
        return self._problem.parameters()

    def after_step(self, optimizer: Optimizer) -> None:
        self._problem.after_step(optimizer)

    def state(self) -> dict[str, NDArray[Any]]:
        return self._problem.state()

    def state_dict(self) -> dict[str, Any]:
        return self._problem.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self._problem.load_state_dict(state)


class _Point(Problem):
    """A point on a surface, with nothing known about it."""

    fixed_loss = True

    def __init__(self, model: PlanarModel) -> None:
        self._model = model

    @property
    def oracle(self) -> Oracle:
        return self._model.oracle

    def parameters(self) -> list[Tensor]:
        return self._model.parameters

    def state(self) -> dict[str, NDArray[Any]]:
        return {"point": self._model.position()}


def open_unobserved(job: LandscapeJob, inputs: Any = None, control: RunControl | None = None) -> Run:
    """Return the run of a job, exactly as `lieapp.landscapes.problem.open_landscape` makes it, without observations.

    Parameters
    ----------
    job : LandscapeJob
    inputs : Text, optional
    control : RunControl, optional
    """
    problem, run = open_landscape(job, inputs)
    return Run(Unobserved(problem), run.optimizer, settings=run.settings, limits=job.limits, job=job, control=control)


def compute_basins(spec: BasinSpec, *, stopped: Stopped | None = None, progress: Progress | None = None) -> BasinMap:
    """Run an optimiser from every start of a grid.

    Parameters
    ----------
    spec : BasinSpec
    stopped : callable() -> bool, optional
        Asked before every step; once true, what has ended is kept and the rest is pending.
    progress : callable(BasinProgress), optional
        Told ten times a second, and once a second with the map so far.

    Returns
    -------
    BasinMap

    Raises
    ------
    OptimizerError
        If there is no such optimiser, or a setting is wrong.
    """
    settings = settings_class(spec.job.optimizer.name)().updated(spec.overrides())
    x, y = spec.axes()
    starts = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    begin = last = time.perf_counter()

    def draw(ends: Ends) -> BasinMap:
        reached, points = identify(spec.surface, ends.positions, ends.arrived)
        reached[~ends.done] = PENDING
        shape = (len(y), len(x))
        return BasinMap(
            spec,
            settings.model_dump(mode="json"),
            x,
            y,
            reached.reshape(shape),
            ends.evaluations.reshape(shape).copy(),
            ends.positions.reshape(*shape, 2).copy(),
            points,
            float(np.nansum(ends.evaluations)),
            time.perf_counter() - begin,
        )

    def tell(ends: Ends, fraction: float) -> None:
        nonlocal last
        now = time.perf_counter()
        drawn = now - last >= _DRAWN_SECONDS
        if progress is not None:
            spent, found = float(np.nansum(ends.evaluations)), draw(ends) if drawn else None
            progress(BasinProgress(fraction, int(ends.done.sum()), len(starts), spent, found))
        if drawn:
            last = time.perf_counter()

    work = run_batch if spec.elementwise else run_singly
    with single_thread():
        return draw(work(spec, settings, starts, stopped or (lambda: False), tell))


# -- one batch --------------------------------------------------------------------------------------------------------


def run_batch(spec: BasinSpec, settings: OptimizerSettings, starts: Array, stopped: Stopped, tell: Tell) -> Ends:
    """Run from all starts at once, one row of parameters each; for optimisers that are elementwise.

    Parameters
    ----------
    spec : BasinSpec
    settings : OptimizerSettings
    starts : ndarray, shape=(starts, 2)
    stopped, tell : callable

    Returns
    -------
    Ends
        As `run_singly` finds them, to rounding.
    """
    ends = Ends.none_yet(len(starts))
    teller = _Teller(tell)
    for first in range(0, len(starts), BATCH):
        part = slice(first, min(first + BATCH, len(starts)))
        batch = _Batch(spec.surface.function, settings, starts[part], spec.job.dtype)
        steps = int(np.ceil(spec.budget))
        for step in range(steps + 1):
            if stopped():
                return ends
            batch.look(ends, part.start, spec.gtol, step, last=step == steps)
            share = max(step / steps, 1.0 - len(batch.rows) / (part.stop - part.start))
            teller.tell(ends, (part.start + share * (part.stop - part.start)) / len(starts))
            if not len(batch.rows):
                break
            batch.step(step)
    teller.tell(ends, 1.0, always=True)
    return ends


class _Batch:
    """Starts that still move: parameters of shape ``(starts, 2)`` and the one optimiser that moves them."""

    def __init__(self, function: Formula, settings: OptimizerSettings, starts: Array, dtype: str) -> None:
        self._function = function
        self._leaf = torch.tensor(starts, dtype=getattr(torch, dtype), requires_grad=True)
        self._optimizer = build_optimizer(settings, [self._leaf])
        self._rates = LearningRates(self._optimizer, settings.schedule)
        self.rows = np.arange(len(starts))
        """Which start each row of the parameters is."""
        self._moving = np.ones(len(starts), dtype=bool)
        self._gradient = np.empty((len(starts), 2))

    def look(self, ends: Ends, shift: int, gtol: float, step: int, *, last: bool) -> None:
        """Evaluate gradients; write down who has arrived, is nowhere, or has spent its budget."""
        points = self._leaf.detach().numpy().astype(np.float64, copy=False)
        with np.errstate(all="ignore"):
            _, fx, fy = self._function.gradient(points[:, 0].copy(), points[:, 1].copy())
            self._gradient[:, 0], self._gradient[:, 1] = fx, fy
            length = np.hypot(self._gradient[:, 0], self._gradient[:, 1])
        arrived = length < gtol
        ended = self._moving & (arrived | ~np.isfinite(length) | last)
        if not ended.any():
            return
        rows = self.rows[ended] + shift
        ends.positions[rows] = np.where(np.isfinite(length[ended, None]), points[ended], np.nan)
        ends.arrived[rows] = arrived[ended]
        ends.evaluations[rows] = float(step)
        self._moving &= ~ended
        if self._moving.sum() < _KEPT_SHARE * len(self._moving):
            self._keep(self._moving)

    def step(self, step: int) -> None:
        """Move every row by one step of the optimiser."""
        self._rates.apply(step)
        self._leaf.grad = torch.from_numpy(self._gradient).to(self._leaf.dtype)
        self._optimizer.step()

    def _keep(self, moving: NDArray[np.bool_]) -> None:
        """Take out the rows that have ended, of the parameters and of what the optimiser remembers of them."""
        before, kept = self._leaf, torch.from_numpy(np.flatnonzero(moving))
        leaf = before.detach()[kept].requires_grad_()
        state = self._optimizer.state.pop(before, {})
        self._optimizer.state[leaf] = {
            name: value[kept] if isinstance(value, Tensor) and value.shape == before.shape else value
            for name, value in state.items()
        }
        self._optimizer.param_groups[0]["params"] = [leaf]
        self._leaf = leaf
        self.rows, self._gradient = self.rows[moving], self._gradient[moving]
        self._moving = np.ones(len(self.rows), dtype=bool)


# -- one by one -------------------------------------------------------------------------------------------------------


def run_singly(spec: BasinSpec, settings: OptimizerSettings, starts: Array, stopped: Stopped, tell: Tell) -> Ends:
    """Run from one start after the other, each with a problem and an optimiser of its own.

    Parameters and result are those of `run_batch`.
    """
    ends = Ends.none_yet(len(starts))
    teller = _Teller(tell)
    limits = Limits(
        steps=int(np.ceil(spec.budget)), evaluations=spec.budget, gtol=spec.gtol, ftol=0.0, divergence=False
    )
    dtype = getattr(torch, spec.job.dtype)
    for index, start in enumerate(starts):
        problem = _Point(PlanarModel(spec.surface.function, start.tolist(), torch.device("cpu"), dtype))
        generator = torch.Generator().manual_seed(spec.job.seed)
        optimizer = build_optimizer(settings, problem.parameters(), generator=generator)
        run = Run(problem, optimizer, settings=settings, limits=limits)
        for _ in run:
            if stopped():
                return ends
        assert run.outcome is not None
        last = run.recording.state(len(run.recording) - 1)["point"]
        row = run.recording.row(-1)
        arrived = run.outcome.kind == "converged"
        # A run that ends at no finite number keeps the frame before, which is where it left from.
        lost = run.outcome.kind in ("diverged", "failed")
        ends.positions[index] = np.nan if lost else last
        ends.arrived[index] = arrived
        ends.evaluations[index] = row["evaluations"]
        teller.tell(ends, (index + 1) / len(starts), always=index + 1 == len(starts))
    return ends


class _Teller:
    """Tells no more often than people can read."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._last = tell, 0.0

    def tell(self, ends: Ends, fraction: float, *, always: bool = False) -> None:
        now = time.perf_counter()
        if always or now - self._last >= _TOLD_SECONDS:
            self._last = now
            self._tell(ends, fraction)
