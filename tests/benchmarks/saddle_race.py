"""Evaluations that a method spends until it has left a saddle: the same step for all, everything counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lieapp.engine.devices import single_thread
from lieapp.engine.stepping import LearningRates, stepper
from lieapp.landscapes.models import build_model
from lieapp.landscapes.recommended import Scales, recommended
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.curvature_search import MAX_INTERVAL
from lieapp.optimizers.registry import build_optimizer, settings_class
from tests.benchmarks.saddle_cases import Case

ENOUGH = 3

STILL = 2 * MAX_INTERVAL
"""Steps without any move after which nothing will come: more than any search for curvature waits."""


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Attributes
    ----------
    title : str
    optimizer : str
    overrides : dict of str to Any
        Beside what is recommended for the landscape.
    base : str
        What DEO wraps.
    """

    title: str
    optimizer: str
    overrides: Mapping[str, Any]
    base: str = "sgd"

    def settings(self, rate: float, scales: Scales) -> Any:
        """Return the settings for a landscape; methods that step by the gradient have the given rate."""
        known = recommended(self.optimizer, scales, self.base)
        if self.optimizer in ("sgd", "perturbed-sgd"):
            known["lr"] = rate
        elif self.optimizer == "deo" and self.base == "sgd":
            known["base.lr"] = rate
        return settings_class(self.optimizer)().updated(known).updated(dict(self.overrides))


def _deo(title: str, base: str = "sgd", **overrides: Any) -> Method:
    return Method(title, "deo", overrides, base)


GD = Method("gradient descent", "sgd", {})
PERTURBED = Method("perturbed gradient descent", "perturbed-sgd", {})
ESCAPE = _deo("DEO escape (default)", mode="escape")
PROJECT = _deo("DEO project", mode="project")
REFLECT = _deo("DEO reflect", mode="reflect")
METHODS = (
    GD,
    PROJECT,
    _deo("DEO project, strength 0.5", mode="project", strength=0.5),
    _deo("DEO project, on refresh only", mode="project", apply="on-refresh", adaptive=False),
    _deo("DEO paper, as transcribed", mode="paper"),
    REFLECT,
    ESCAPE,
    _deo("DEO escape, Lanczos, exact products", mode="escape", method="lanczos", derivative="exact"),
    PERTURBED,
    Method("heavy ball, momentum 0.9", "sgd", {"momentum": 0.9}),
    Method("Adam", "adam", {}),
    _deo("DEO-Adam project", base="adam", mode="project"),
    _deo("DEO-Adam escape", base="adam", mode="escape"),
    Method("Sophia", "sophia", {}),
    Method("saddle-free Newton", "saddle-free-newton", {}),
    Method("L-BFGS", "lbfgs", {}),
)
"""Rows of the table."""


@dataclass(frozen=True)
class Spent:
    """What one run spent; infinite where it never came there within the case's budget."""

    escaped: float
    ended: float


def spend(case: Case, method: Method, seed: int) -> Spent:
    """Run until the case's levels are passed, or its budget is spent."""
    job = case.job(seed)
    model = build_model(job, torch.device("cpu"))
    oracle = CountingOracle(model.oracle)
    settings = method.settings(case.rate, case.scales)
    optimizer = build_optimizer(settings, model.parameters, generator=torch.Generator().manual_seed(seed))
    rates, step = LearningRates(optimizer, settings.schedule), stepper(optimizer, oracle)
    moves_anchor = job.landscape == "so3-alignment"
    escaped, ended, still = math.inf, math.inf, 0
    position = model.position()
    for count in range(int(case.budget)):
        rates.apply(count)
        step()
        model.after_step()
        if moves_anchor:
            oracle.invalidate()
        loss = float(oracle.observe())
        if math.isinf(escaped) and loss < case.escaped:
            escaped = oracle.evaluations()
        if loss < case.ended:
            ended = oracle.evaluations()
        known = math.isfinite(escaped) and (math.isnan(case.ended) or math.isfinite(ended))
        before, position = position, model.position()
        still = still + 1 if np.array_equal(before, position) and not moves_anchor else 0
        if known or not math.isfinite(loss) or oracle.evaluations() >= case.budget or still > STILL:
            break
    return Spent(escaped, ended)


@dataclass(frozen=True)
class Figure:
    """Evaluations of several seeds; ``median`` is infinite where half of them never came there."""

    median: float
    low: float
    high: float
    share: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Return median, 10th and 90th percentile, and the share that is finite."""
        found = np.sort(np.asarray(values, dtype=np.float64))
        # Percentiles that are some run's own value: one that never comes there cannot be averaged.
        low, middle, high = (float(np.quantile(found, q, method="nearest")) for q in (0.1, 0.5, 0.9))
        if len(found) % 2 == 0 and np.isfinite(found).all():
            middle = float(np.median(found))
        return cls(middle, low, high, float(np.isfinite(found).mean()))

    def text(self) -> str:
        """Return ``41 (38-52)``; "never" where no run came there, "(of 10: 4)" where few did."""
        if self.share == 0.0:
            return "never"
        middle = f"{self.median:.0f}" if math.isfinite(self.median) else "never"
        if self.low == self.high:
            return middle
        high = f"{self.high:.0f}" if math.isfinite(self.high) else "never"
        return f"{middle} ({self.low:.0f}-{high})"


@dataclass(frozen=True)
class Cell:
    """What a method spends on a case."""

    escaped: Figure
    ended: Figure


def measure(case: Case, method: Method, seeds: int = 10) -> Cell:
    """Run a method from several starts; where the first `ENOUGH` never leave, the others are not run."""
    found: list[Spent] = []
    with single_thread():
        for seed in range(seeds):
            found.append(spend(case, method, seed))
            if len(found) == ENOUGH and all(math.isinf(each.escaped) for each in found):
                break
    return Cell(Figure.of([each.escaped for each in found]), Figure.of([each.ended for each in found]))


def measure_all(
    cases: Sequence[Case],
    methods: Sequence[Method],
    seeds: int = 10,
    tell: Callable[[str], object] = lambda line: None,
) -> dict[tuple[str, str], Cell]:
    """Return the cell of every case and method, by their names."""
    cells = {}
    for case in cases:
        for method in methods:
            cell = cells[case.name, method.title] = measure(case, method, seeds)
            tell(f"{case.name} | {method.title} | {cell.escaped.text()} | {cell.ended.text()}")
    return cells
