"""Gradient descent divided by a diagonal that the problem knows or estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lieapp.optimizers.oracle import Oracle, dot

__all__ = ["PreconditionedSGD"]

_RULES = ("decay", "armijo", "exact")


class PreconditionedSGD(Optimizer):
    r"""Stochastic gradient descent with a diagonal preconditioner.

    A step is :math:`x \leftarrow x - \eta\, D^{-1} g`, with g the gradient of the batch and D what
    ``oracle.preconditioner()`` returns; without one, D is 1. Rules for the rate:

    ``decay``
        The learning rate as it is, under its schedule. A rate that does not fall keeps a floor of noise.
    ``armijo``
        That of Toader, Brubaker and Lederman, doi 10.1107/S205979832500511X: the last rate times ``growth``, halved
        until :math:`f(x - \eta p) \le f(x) - c\, \eta\, g^T p` with :math:`p = D^{-1} g` on the same batch, and reset
        to ``lr`` every ``restart_interval`` steps. On a quadratic ``c`` of 0.99 allows 2 % of the step that is best
        along p: it averages the noise of batches, and takes many steps.
    ``exact``
        The rate that is best along p on the batch, :math:`g^T p / p^T H p`, times ``lr`` under its schedule.

    Parameters
    ----------
    params : iterable
        Parameters, named parameters or groups, as for any torch optimiser; real and dense.
    lr : float
        Learning rate; the first one tried under ``armijo``, a share of the best one under ``exact``.
    rule : {"decay", "armijo", "exact"}
    armijo : float
        The c above, 0 to 1.
    growth : float
        Factor on the rate before each search.
    restart_interval : int
        Steps after which the search starts at ``lr`` again; 0 for never.
    halvings : int
        Most halvings in a step.

    Raises
    ------
    ValueError
        For a setting out of range.
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float = 0.3,
        rule: str = "decay",
        armijo: float = 0.99,
        growth: float = 1.2,
        restart_interval: int = 0,
        halvings: int = 40,
    ) -> None:
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if rule not in _RULES:
            raise ValueError(f"Invalid rule: {rule!r}, expected one of {_RULES}")
        if not 0.0 < armijo < 1.0:
            raise ValueError(f"Invalid armijo value: {armijo}")
        if not growth >= 1.0:
            raise ValueError(f"Invalid growth value: {growth}")
        if restart_interval < 0:
            raise ValueError(f"Invalid restart_interval value: {restart_interval}")
        if halvings < 1:
            raise ValueError(f"Invalid halvings value: {halvings}")
        defaults = {
            "lr": lr,
            "rule": rule,
            "armijo": armijo,
            "growth": growth,
            "restart_interval": restart_interval,
            "halvings": halvings,
            "rate": None,  # of the last search
            "steps": 0,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("PreconditionedSGD takes one group of parameters")

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], Tensor] | None = None, *, oracle: Oracle | None = None
    ) -> Tensor | None:
        """Take one step.

        Parameters
        ----------
        closure : callable, optional
            As for any torch optimiser. Without an oracle there is no preconditioner.
        oracle : Oracle, optional
            Asked for the gradient and, where it has them, the preconditioner and products.

        Returns
        -------
        Tensor
            The loss before the step; None without closure and oracle.

        Raises
        ------
        RuntimeError
            If the rule is ``exact`` without an oracle, or ``armijo`` without an oracle and a closure.
        """
        group = self.param_groups[0]
        loss: Tensor | None = None
        if oracle is not None:
            loss = oracle.gradient()
        elif closure is not None:
            with torch.enable_grad():
                loss = closure()
        parameters = [p for p in group["params"] if p.grad is not None]
        gradients = [p.grad.clone() for p in parameters]
        direction = self._direction(parameters, gradients, oracle)
        rate = self._rate(group, parameters, gradients, direction, loss, closure, oracle)
        if rate is not None:
            for p, d in zip(parameters, direction, strict=True):
                p.sub_(d, alpha=rate)
        group["steps"] += 1
        return loss

    def _direction(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], oracle: Oracle | None
    ) -> list[Tensor]:
        offered: Any = getattr(oracle, "preconditioner", None)
        diagonal = None if offered is None else offered()
        if diagonal is None:
            return list(gradients)
        known = {id(p): d for p, d in zip(oracle.parameters, diagonal, strict=True)} if oracle is not None else {}
        return [g / known[id(p)] if id(p) in known else g for p, g in zip(parameters, gradients, strict=True)]

    def _rate(
        self,
        group: dict[str, Any],
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        direction: Sequence[Tensor],
        loss: Tensor | None,
        closure: Callable[[], Tensor] | None,
        oracle: Oracle | None,
    ) -> float | None:
        """Return the step that remains to be taken."""
        if group["rule"] == "decay":
            return float(group["lr"])
        slope = dot(gradients, direction)
        if not slope > 0.0:
            return 0.0 if slope == slope else float(group["lr"])
        if group["rule"] == "exact":
            if oracle is None:
                raise RuntimeError("The rule 'exact' needs an oracle for its products")
            moved = {id(p): d for p, d in zip(parameters, direction, strict=True)}
            vectors = [moved.get(id(p), torch.zeros_like(p)) for p in oracle.parameters]
            curved = dot(vectors, oracle.hvp(vectors))
            return float(group["lr"]) * slope / curved if curved > 0.0 else float(group["lr"])
        return self._search(group, parameters, direction, slope, loss, closure, oracle)

    def _search(
        self,
        group: dict[str, Any],
        parameters: Sequence[Tensor],
        direction: Sequence[Tensor],
        slope: float,
        loss: Tensor | None,
        closure: Callable[[], Tensor] | None,
        oracle: Oracle | None,
    ) -> float:
        if loss is None or (oracle is None and closure is None):
            raise RuntimeError("The rule 'armijo' needs an oracle or a closure")
        interval = group["restart_interval"]
        if group["rate"] is None or (interval and group["steps"] % interval == 0):
            group["rate"] = float(group["lr"]) / group["growth"]
        rate, first = group["rate"] * group["growth"], float(loss)
        before = [p.clone() for p in parameters]
        try:
            for _ in range(group["halvings"]):
                for p, old, d in zip(parameters, before, direction, strict=True):
                    p.copy_(old).sub_(d, alpha=rate)
                if self._value(closure, oracle) <= first - group["armijo"] * rate * slope:
                    break
                rate *= 0.5
        finally:
            for p, old in zip(parameters, before, strict=True):
                p.copy_(old)
        group["rate"] = rate
        return float(rate)

    @staticmethod
    def _value(closure: Callable[[], Tensor] | None, oracle: Oracle | None) -> float:
        if oracle is not None:
            return float(oracle.loss())
        assert closure is not None
        with torch.enable_grad():
            return float(closure())
