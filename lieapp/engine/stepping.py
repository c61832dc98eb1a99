"""How a run drives an optimiser: what its ``step`` is given, and its learning rates under a schedule."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import Optimizer

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.errors import OptimizerError, exit_words
from lieapp.optimizers.registry import accepts_oracle

if TYPE_CHECKING:
    from lieapp.optimizers.schedules import ScheduleSettings

__all__ = ["LearningRates", "stepper"]


def stepper(optimizer: Optimizer, oracle: CountingOracle) -> Callable[[], object]:
    """Return a call that takes one step, giving the optimiser the oracle, a closure, or just a gradient.

    What its ``step`` takes is looked up here, once, and not in every step. Every step pays for a gradient at least,
    unless the optimiser chooses among the oracle's answers itself. A step that would end the program is a failure, an
    `OptimizerError`.
    """
    take = _step_of(optimizer, oracle)

    def guarded() -> object:
        try:
            return take()
        except SystemExit as error:
            raise OptimizerError(f"{type(optimizer).__qualname__} {exit_words(error)}") from error

    return guarded


def _step_of(optimizer: Optimizer, oracle: CountingOracle) -> Callable[[], object]:
    step: Any = optimizer.step
    if accepts_oracle(optimizer):
        return lambda: step(oracle.gradient, oracle=oracle)
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    if any(parameter.kind in positional for parameter in inspect.signature(step).parameters.values()):

        def with_closure() -> None:
            paid = oracle.evaluations()
            step(oracle.gradient)
            if oracle.evaluations() == paid:
                # It took the gradients that lie in the parameters and left the closure alone: they cost the same.
                oracle.counters["gradients"] += 1

        return with_closure

    def without_closure() -> None:
        oracle.gradient()
        step()

    return without_closure


class LearningRates:
    """The learning rates of an optimiser's groups: base rates times the factor of a schedule.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its present rates are the base rates.
    schedule : ScheduleSettings, optional
        None, or a constant one, leaves the rates alone.

    Attributes
    ----------
    base : list of float or None
        One for every group; None where a group has no rate.
    """

    def __init__(self, optimizer: Optimizer, schedule: ScheduleSettings | None) -> None:
        self._optimizer = optimizer
        self._schedule = schedule if schedule is not None and schedule.kind != "constant" else None
        rates = (group.get("lr") for group in optimizer.param_groups)
        self.base: list[float | None] = [None if rate is None else float(rate) for rate in rates]

    def apply(self, step: int) -> None:
        """Set the rates of one step; 0 is the first."""
        if self._schedule is None:
            return
        factor = self._schedule.factor(step)
        for group, base in zip(self._optimizer.param_groups, self.base, strict=True):
            if base is None:
                continue
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(base * factor)
            else:
                group["lr"] = base * factor

    def first(self, step: int) -> float:
        """Return the rate of the first group in one step; NaN if it has none."""
        base = self.base[0]
        if base is None:
            return math.nan
        if self._schedule is None:
            return float(self._optimizer.param_groups[0]["lr"])  # an optimiser may adapt it by itself
        return base * self._schedule.factor(step)
