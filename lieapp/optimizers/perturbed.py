"""Perturbed gradient descent: a random push wherever the gradient is small."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.oracle import norm
from lieapp.optimizers.seeded import SeededOptimizer

__all__ = ["PerturbedGD"]


class PerturbedGD(SeededOptimizer):
    r"""Gradient descent that leaves saddles by a random push.

    Where :math:`|g| \le` ``gradient_threshold`` and no push came within the last ``interval`` steps, the parameters
    are first moved by a vector drawn uniformly from the ball of ``radius``; then, as always, by :math:`-\eta g`. If
    ``interval`` steps after a push the loss lies not below what it was by at least ``decrease``, there was no strict
    saddle: the parameters return to where they were, and no push comes until the gradient has been large again (Jin,
    Ge, Netrapalli, Kakade and Jordan, "How to escape saddle points efficiently", arXiv:1703.00887, algorithm 1, which
    ends there).

    Parameters
    ----------
    params : iterable
        Parameters, as for any torch optimiser; real, dense, one group. Those without a gradient are left alone.
    lr : float
    radius : float
        Longest push.
    gradient_threshold : float
    interval : int
    decrease : float
    generator : torch.Generator, optional
        Source of the pushes; an own one, seeded 0, when absent. Its state is part of `state_dict`.

    Raises
    ------
    ValueError
        For a setting out of range, or several groups.
    """

    leaves_stationary_points = True

    def __init__(
        self,
        params: Any,
        *,
        lr: float = 0.1,
        radius: float = 0.01,
        gradient_threshold: float = 1e-3,
        interval: int = 50,
        decrease: float = 1e-6,
        generator: torch.Generator | None = None,
    ) -> None:
        for name, value, low in (
            ("learning rate", lr, 0.0),
            ("radius", radius, 0.0),
            ("gradient_threshold", gradient_threshold, 0.0),
            ("decrease", decrease, 0.0),
            ("interval", interval, 1.0),
        ):
            if not low <= value < math.inf:
                raise ValueError(f"Invalid {name}: {value}")
        defaults = {
            "lr": lr,
            "radius": radius,
            "gradient_threshold": gradient_threshold,
            "interval": interval,
            "decrease": decrease,
        }
        self._generator = generator if generator is not None else torch.Generator().manual_seed(0)
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("Invalid params: PerturbedGD does not support per-parameter options")

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Take one step; in the one that pushes, the closure is called again at the pushed parameters.

        Parameters
        ----------
        closure : callable
            As for any torch optimiser: clears gradients, computes the loss, calls ``backward``, returns it.

        Returns
        -------
        Tensor
            The loss before the step.
        """
        group = self.param_groups[0]
        own = [p for p in group["params"] if p.requires_grad]
        if not own:
            raise RuntimeError("PerturbedGD has no parameter that requires a gradient")
        state = self.state[own[0]]
        if not state:
            state.update(since=-1, rested=False, before=math.nan, origin=None)
        with torch.enable_grad():
            loss = torch.as_tensor(closure()).detach()
        length = norm([p.grad for p in own if p.grad is not None])
        if state["since"] >= 0:
            state["since"] += 1
            if state["since"] >= group["interval"]:
                if not float(loss) < state["before"] - group["decrease"]:
                    self._return(own, state)
                    return loss
                state.update(since=-1, origin=None)
        small = length <= group["gradient_threshold"]
        if not small:
            state["rested"] = False
        elif state["since"] < 0 and not state["rested"]:
            state.update(since=0, before=float(loss), origin=[p.detach().clone() for p in own])
            moving = [p for p in own if p.grad is not None and p.numel()]
            for p, push in zip(moving, self._push(moving, group["radius"]) if moving else [], strict=True):
                p.add_(push)
            with torch.enable_grad():
                closure()
        for p in own:
            if p.grad is not None:
                p.add_(p.grad, alpha=-float(group["lr"]))
        return loss

    @staticmethod
    def _return(own: list[Tensor], state: dict[str, Any]) -> None:
        for p, value in zip(own, state["origin"], strict=True):
            p.copy_(value)
        state.update(since=-1, rested=True, origin=None)

    def _push(self, own: list[Tensor], radius: float) -> list[Tensor]:
        space = FlatSpace(own)
        uniform = float(torch.rand((), generator=self._generator, dtype=torch.float64))
        length = radius * uniform ** (1.0 / space.size)
        return space.split_as_parameters(length * space.random(self._generator))
