"""Adam for complex coefficients: one second moment for each, so that steps do not depend on the phase."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["ComplexAdam"]


class ComplexAdam(Optimizer):
    r"""Adam with one second moment per complex coefficient.

    Real and imaginary part lie along the last axis of real parameters, where that has length 2 (`torch.view_as_real`);
    every other number is a coefficient of its own, as in Adam. With gradient g of a coefficient,

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \quad
        v \leftarrow \beta_2 v + (1 - \beta_2) |g|^2, \\
        x &\leftarrow x - \eta\, \hat m / (\sqrt{\hat v} + \epsilon)

    with the bias corrections of Kingma and Ba, arXiv:1412.6980. Adam with a moment for each component turns every
    step towards the diagonals of the complex plane.

    Parameters
    ----------
    params : iterable
        Real parameters; of shape (..., 2) where they hold complex numbers.
    lr : float
        Learning rate: about the distance that a coefficient moves in one step.
    betas : (float, float)
        Memories of the gradient and of its squared modulus.
    eps : float
        Added to the root.

    Raises
    ------
    ValueError
        For a setting out of range.
    """

    def __init__(
        self, params: Any, *, lr: float = 0.01, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"Invalid betas: {betas}")
        if not eps > 0.0:
            raise ValueError(f"Invalid eps value: {eps}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """Take one step; return the loss that ``closure`` computed."""
        loss: Tensor | None = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, group)
        return loss

    def _update(self, p: Tensor, group: dict[str, Any]) -> None:
        assert p.grad is not None
        state = self.state[p]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(p)
            state["exp_avg_sq"] = torch.zeros_like(p[..., :1] if _holds_pairs(p) else p)
        first, second = group["betas"]
        state["step"] += 1
        count = int(state["step"])
        state["exp_avg"].lerp_(p.grad, 1.0 - first)
        squares = p.grad.square()
        state["exp_avg_sq"].mul_(second).add_(
            squares.sum(-1, keepdim=True) if _holds_pairs(p) else squares, alpha=1 - second
        )
        root = (state["exp_avg_sq"] / (1.0 - second**count)).sqrt_().add_(group["eps"])
        p.sub_(state["exp_avg"] / root, alpha=group["lr"] / (1.0 - math.pow(first, count)))


def _holds_pairs(p: Tensor) -> bool:
    return p.ndim > 0 and p.shape[-1] == 2
