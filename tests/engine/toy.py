"""Small problems with known answers, for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from lieapp.engine.job import Job
from lieapp.engine.problem import Metric, Problem
from lieapp.engine.recording import Recording
from lieapp.engine.run import Run
from lieapp.optimizers.oracle import AutogradOracle
from lieapp.optimizers.registry import build_optimizer, settings_class


class ToyProblem(Problem):
    """Any torch function of a point."""

    name = "toy"
    metric = Metric("distance", "Å", "log")

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        start: list[float],
        minimum: list[float] | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.point = torch.tensor(start, dtype=dtype, device=device, requires_grad=True)
        self.minimum = torch.tensor(minimum or [0.0] * len(start), dtype=dtype, device=device)
        self.function = function
        self.evaluated = 0
        self._oracle = AutogradOracle(self._loss, [self.point])

    def _loss(self) -> Tensor:
        self.evaluated += 1
        return self.function(self.point)

    def parameters(self) -> list[Tensor]:
        return [self.point]

    @property
    def oracle(self) -> AutogradOracle:
        return self._oracle

    def state(self) -> dict[str, np.ndarray]:
        return {"point": self.point.detach().cpu().numpy()}  # a view: recordings copy

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        return {"distance": float(torch.linalg.vector_norm(self.point.detach() - self.minimum))}

    def reference(self) -> dict[str, float]:
        return {"distance": 0.0}

    def suggestion(self, kind: str) -> str:
        return "Try a smaller lr." if kind == "diverged" else ""


def quadratic(start: tuple[float, ...] = (3.0, -2.0), curvatures: tuple[float, ...] = (1.0, 0.1)) -> ToyProblem:
    """½ Σ c x² + 1: gradient norm and loss known in closed form."""
    scale = torch.tensor(curvatures, dtype=torch.float64)
    return ToyProblem(lambda x: 0.5 * (scale * x * x).sum() + 1.0, list(start))


def rosenbrock(start: tuple[float, ...] = (-1.2, 1.0)) -> ToyProblem:
    return ToyProblem(lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, list(start), [1.0] * len(start))


class NoisyProblem(ToyProblem):
    """A quadratic whose centre jumps from batch to batch: loss and gradient change in `after_step`."""

    def __init__(self, seed: int = 0) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.centre = torch.zeros(3, dtype=torch.float64)
        self.batch = 0
        super().__init__(lambda x: ((x - self.centre) ** 2).sum() + 1.0, [2.0, 1.0, -1.0])

    def after_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.centre = 0.3 * torch.randn(3, generator=self.generator, dtype=torch.float64)
        self.batch += 1

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state(), "centre": self.centre, "batch": self.batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["generator"])
        self.centre = state["centre"]
        self.batch = state["batch"]


class AnchoredProblem(ToyProblem):
    """A quadratic in displacements from an anchor that moves to the point after every step."""

    def __init__(self) -> None:
        self.anchor = torch.tensor([3.0, -2.0], dtype=torch.float64)
        scale = torch.tensor([1.0, 0.1], dtype=torch.float64)
        super().__init__(lambda x: 0.5 * (scale * (self.anchor + x) ** 2).sum() + 1.0, [0.0, 0.0])

    def after_step(self, optimizer: torch.optim.Optimizer) -> None:
        with torch.no_grad():
            self.anchor = self.anchor + self.point.detach()
            self.point.zero_()

    def state(self) -> dict[str, np.ndarray]:
        return {"point": (self.anchor + self.point.detach()).numpy()}

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        return {"distance": float(torch.linalg.vector_norm(self.anchor))}

    def state_dict(self) -> dict[str, Any]:
        return {"anchor": self.anchor}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.anchor = state["anchor"]


def toy_run(
    problem: Problem, optimizer: str = "sgd", overrides: Mapping[str, object] | None = None, **keywords: Any
) -> Run:
    """Build a run of a named optimiser."""
    settings = settings_class(optimizer)().updated(overrides or {})
    generator = torch.Generator().manual_seed(5)
    built = build_optimizer(settings, problem.parameters(), generator=generator)
    return Run(problem, built, settings=settings, **keywords)


class ToyJob(Job):
    kind: ClassVar[str] = "toy"
    opener: ClassVar[str] = "tests.engine.toy:open_toy"
    reporter: ClassVar[str] = "tests.engine.toy:report_toy"

    start: tuple[float, float] = (3.0, -2.0)


def open_toy(job: ToyJob, inputs: object = None) -> tuple[Problem, Run]:
    problem = quadratic(job.start)
    return problem, toy_run(problem, job.optimizer.name, job.optimizer.overrides, limits=job.limits, job=job)


def report_toy(job: ToyJob, recording: Recording, inputs: object = None) -> dict[str, object]:
    return {"kind": job.kind, "steps": len(recording) - 1, "inputs": inputs}
