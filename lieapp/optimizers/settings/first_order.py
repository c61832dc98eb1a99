"""Settings of the optimisers that ask for gradients only: gradient descent and the family of Adam."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import model_validator

from lieapp.optimizers.fields import setting
from lieapp.optimizers.settings.base import LARGEST, OptimizerSettings, adam_betas, adam_eps, heavy_ball, learning_rate

__all__ = ["AdamSettings", "AdamWSettings", "PerturbedSGDSettings", "SGDSettings"]


def _l2_penalty() -> Any:
    return setting(
        0.0, ge=0.0, le=1e3, scale="log", advanced=True, help="L2 penalty added to the gradient; 0 for a pose."
    )


def _amsgrad() -> Any:
    return setting(
        False, advanced=True, help="Divide by the largest mean square seen so far, so that step sizes never grow back."
    )


class SGDSettings(OptimizerSettings):
    """Gradient descent, with optional heavy-ball or Nesterov momentum, as torch computes it."""

    name: ClassVar[str] = "sgd"
    title: ClassVar[str] = "SGD"
    summary: ClassVar[str] = "Plain gradient descent: every step is lr times the gradient, optionally with momentum."
    target: ClassVar[str] = "torch.optim:SGD"
    elementwise: ClassVar[bool] = True

    lr: float = learning_rate(0.1, "Learning rate; stable while it is below 2 divided by the largest curvature.")
    momentum: float = heavy_ball()
    dampening: float = setting(
        0.0, ge=0.0, le=1.0, advanced=True, help="Share of the new gradient that the momentum leaves out."
    )
    nesterov: bool = setting(
        False, help="Look ahead along the momentum; needs momentum above 0 and dampening 0.", title="Nesterov"
    )
    weight_decay: float = _l2_penalty()

    @model_validator(mode="after")
    def _check_nesterov(self) -> Self:
        if self.nesterov and (self.momentum == 0.0 or self.dampening != 0.0):
            raise ValueError("nesterov = true: needs momentum above 0 and dampening 0")
        return self


class PerturbedSGDSettings(OptimizerSettings):
    """Perturbed gradient descent (Jin et al., arXiv:1703.00887): a random push where the slope is small."""

    name: ClassVar[str] = "perturbed-sgd"
    title: ClassVar[str] = "Perturbed SGD"
    summary: ClassVar[str] = "Gradient descent with a random push where the gradient is small, which leaves saddles."
    target: ClassVar[str] = "lieapp.optimizers.perturbed:PerturbedGD"

    lr: float = learning_rate(0.1, "Learning rate; stable while it is below 2 divided by the largest curvature.")
    radius: float = setting(
        0.01, gt=0.0, le=LARGEST, scale="log", unit="parameter", help="Longest push; uniform in the ball."
    )
    gradient_threshold: float = setting(
        1e-3, gt=0.0, le=LARGEST, scale="log", help="A push comes where the gradient is no longer than this."
    )
    interval: int = setting(
        50, ge=1, le=10**6, scale="log", help="Steps after a push before its success is judged and another may come."
    )
    decrease: float = setting(
        1e-6,
        ge=0.0,
        le=LARGEST,
        scale="log",
        advanced=True,
        help="Fall of the loss by which a push has succeeded; else the parameters return to where it began.",
    )


class AdamSettings(OptimizerSettings):
    """Adam (Kingma and Ba, arXiv:1412.6980), as torch computes it."""

    name: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    summary: ClassVar[str] = "Momentum divided by the recent size of each parameter's gradient: steps of about lr."
    target: ClassVar[str] = "torch.optim:Adam"
    elementwise: ClassVar[bool] = True

    lr: float = learning_rate(0.01, "Learning rate: about the distance that each parameter moves in one step.")
    betas: tuple[float, float] = adam_betas()
    eps: float = adam_eps()
    weight_decay: float = _l2_penalty()
    amsgrad: bool = _amsgrad()


class AdamWSettings(OptimizerSettings):
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101), as torch computes it, with no decay by default."""

    name: ClassVar[str] = "adamw"
    title: ClassVar[str] = "AdamW"
    summary: ClassVar[str] = "Adam with a decay of the parameters apart from the gradient; without decay it is Adam."
    target: ClassVar[str] = "torch.optim:AdamW"
    elementwise: ClassVar[bool] = True

    lr: float = learning_rate(0.01, "Learning rate: about the distance that each parameter moves in one step.")
    betas: tuple[float, float] = adam_betas()
    eps: float = adam_eps()
    weight_decay: float = setting(
        0.0,
        ge=0.0,
        le=1e3,
        scale="log",
        help=(
            "Shrinks the parameters each step. It pulls a pose back towards its start: on an uncentred 6-vector 0.01 "
            "gave an answer wrong by 8 Å, so it is 0 here (torch's own default is 0.01)."
        ),
    )
    amsgrad: bool = _amsgrad()
