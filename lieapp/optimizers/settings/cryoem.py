"""Settings of the optimisers that are for maps of cryo-EM only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from lieapp.optimizers.fields import setting
from lieapp.optimizers.settings.base import OptimizerSettings, adam_betas, adam_eps, learning_rate

__all__ = ["ComplexAdamSettings", "PreconditionedSGDSettings"]


class PreconditionedSGDSettings(OptimizerSettings):
    """Gradient descent divided by a diagonal (Toader, Brubaker, Lederman, doi 10.1107/S205979832500511X)."""

    name: ClassVar[str] = "preconditioned-sgd"
    title: ClassVar[str] = "Preconditioned SGD"
    summary: ClassVar[str] = (
        "Gradient descent in which every parameter is divided by its curvature, as the problem knows or estimates it."
    )
    target: ClassVar[str] = "lieapp.optimizers.preconditioned_sgd:PreconditionedSGD"
    uses_oracle: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {"rule": "armijo", "armijo": 0.99, "growth": 1.2, "lr": 10.0},
    }
    problems: ClassVar[tuple[str, ...]] = ("cryoem",)
    elsewhere: ClassVar[str] = "without a preconditioner it is plain gradient descent, take sgd"

    lr: float = learning_rate(0.3, "Learning rate; the first rate that a search tries, or a share of the best one.")
    rule: Literal["decay", "armijo", "exact"] = setting(
        "decay",
        help="How far a step goes: lr under its schedule, the paper's search, or the best step on the batch times lr.",
    )
    armijo: float = setting(
        0.99,
        gt=0.0,
        lt=1.0,
        when=("rule", ("armijo",)),
        help="Share of the promised decrease that a step must keep: 0.99 allows 2 % of the best step.",
    )
    growth: float = setting(
        1.2, ge=1.0, le=100.0, when=("rule", ("armijo",)), help="Factor on the last rate before each search."
    )
    restart_interval: int = setting(
        0,
        ge=0,
        le=10**9,
        when=("rule", ("armijo",)),
        help="Steps after which a search starts at lr again; 0 for never.",
    )
    halvings: int = setting(
        40, ge=1, le=1000, advanced=True, when=("rule", ("armijo",)), help="Most halvings of the rate in one search."
    )


class ComplexAdamSettings(OptimizerSettings):
    """Adam with one second moment per complex coefficient."""

    name: ClassVar[str] = "complex-adam"
    title: ClassVar[str] = "Complex Adam"
    summary: ClassVar[str] = "Adam for complex coefficients: the size of a step does not depend on the phase."
    target: ClassVar[str] = "lieapp.optimizers.complex_adam:ComplexAdam"
    problems: ClassVar[tuple[str, ...]] = ("cryoem",)
    elsewhere: ClassVar[str] = "it is Adam for complex coefficients, take adam"

    lr: float = learning_rate(0.01, "Learning rate: about the distance that each coefficient moves in one step.")
    betas: tuple[float, float] = adam_betas("How long the gradient and its squared modulus are remembered.")
    eps: float = adam_eps()
