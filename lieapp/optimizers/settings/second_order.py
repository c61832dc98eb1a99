"""Settings of the optimisers that use curvature: L-BFGS, Sophia, saddle-free Newton."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from lieapp.optimizers.fields import setting
from lieapp.optimizers.settings.base import LARGEST, OptimizerSettings

__all__ = ["LBFGSSettings", "SaddleFreeNewtonSettings", "SophiaSettings"]


class LBFGSSettings(OptimizerSettings):
    """L-BFGS with the strong Wolfe line search of torch, one quasi-Newton step at a time.

    One iteration per step, so that frames and evaluations mean the same as for other optimisers; 26 evaluations at
    most, since with fewer torch's line search stalls. Its own stopping rules are off: the run has them.
    """

    name: ClassVar[str] = "lbfgs"
    title: ClassVar[str] = "L-BFGS"
    summary: ClassVar[str] = "Quasi-Newton steps from remembered gradients, with a line search (several evaluations)."
    target: ClassVar[str] = "torch.optim:LBFGS"
    fixed: ClassVar[Mapping[str, Any]] = {
        "max_iter": 1,
        "max_eval": 26,
        "line_search_fn": "strong_wolfe",
        "tolerance_grad": 0.0,
        # Near the answer torch compares the slope with this number: its own 1e-9 freezes the run at |g| of 3e-5.
        "tolerance_change": 1e-18,
    }

    lr: float = setting(
        1.0,
        gt=0.0,
        le=LARGEST,
        scale="log",
        title="lr",
        help="Step that the line search tries first; 1 is the full quasi-Newton step.",
    )
    history_size: int = setting(10, ge=1, le=1000, title="history", help="How many past steps shape the curvature.")


class SophiaSettings(OptimizerSettings):
    """Sophia-H (Liu et al., arXiv:2305.14342): momentum divided by a running Hessian diagonal, clipped.

    The defaults suit a deterministic problem of few parameters: exact diagonal in every step, equal memories, so that
    their missing bias corrections cancel. ``presets`` holds the values of the paper and of its published code.
    """

    name: ClassVar[str] = "sophia"
    title: ClassVar[str] = "Sophia-H"
    summary: ClassVar[str] = (
        "Momentum divided by the Hessian's diagonal, each coordinate clipped. On six parameters it adds nothing over "
        "gradient descent or Newton; it is here to reproduce the paper."
    )
    target: ClassVar[str] = "lieapp.optimizers.sophia:SophiaH"
    uses_oracle: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {
            "lr": 1e-4,
            "betas": (0.96, 0.99),
            "gamma": 0.01,
            "estimator": "hutchinson",
            "probe": "normal",
            "update_interval": 10,
            "weight_decay": 0.2,
        },
        "published code": {
            "lr": 1e-4,
            "betas": (0.965, 0.99),
            "gamma": 0.04,
            "estimator": "hutchinson",
            "probe": "normal",
            "update_interval": 10,
            "weight_decay": 0.1,
        },
    }

    lr: float = setting(
        0.1,
        gt=0.0,
        le=LARGEST,
        scale="log",
        title="lr",
        help="Fraction of momentum over curvature that a step takes; no parameter moves farther than lr times clip.",
    )
    clip: float = setting(
        1.0, gt=0.0, le=LARGEST, scale="log", unit="parameter", help="Largest ratio of momentum to curvature used."
    )
    betas: tuple[float, float] = setting(
        (0.9, 0.9), ge=0.0, lt=1.0, help="How long the gradient and the Hessian's diagonal are remembered."
    )
    gamma: float = setting(
        1.0, gt=0.0, le=1e3, scale="log", help="Scale of the curvature: larger means smaller, less clipped steps."
    )
    estimator: Literal["exact", "hutchinson"] = setting(
        "exact", help="Hessian's diagonal exactly (one product per parameter) or from one random probe (Hutchinson)."
    )
    probe: Literal["rademacher", "normal"] = setting(
        "rademacher",
        advanced=True,
        when=("estimator", ("hutchinson",)),
        help="Random signs (least variance) or normal deviates (as the paper).",
    )
    update_interval: int = setting(
        1, ge=1, le=10**6, scale="log", help="Steps between two estimates of the diagonal; the paper takes 10."
    )
    eps: float = setting(
        1e-12, gt=0.0, le=1.0, scale="log", advanced=True, help="Smallest curvature divided by: below it steps clip."
    )
    weight_decay: float = setting(
        0.0,
        ge=0.0,
        le=1e3,
        scale="log",
        advanced=True,
        help="Shrinks the parameters each step; it pulls a pose back towards its start, so it is 0 here.",
    )


class SaddleFreeNewtonSettings(OptimizerSettings):
    """Newton with absolute curvatures inside a trust region (Dauphin et al., arXiv:1406.2572)."""

    name: ClassVar[str] = "saddle-free-newton"
    title: ClassVar[str] = "Saddle-free Newton"
    summary: ClassVar[str] = (
        "Newton's step with the Hessian's eigenvalues made positive: repelled by saddles, few steps, exact Hessian."
    )
    target: ClassVar[str] = "lieapp.optimizers.saddle_free_newton:SaddleFreeNewton"
    problems: ClassVar[tuple[str, ...]] = ("align", "landscape")
    elsewhere: ClassVar[str] = "a volume has too many numbers for its dense Hessian, take lbfgs or preconditioned-sgd"
    uses_oracle: ClassVar[bool] = True

    lr: float = setting(
        1.0, gt=0.0, le=2.0, title="lr", help="Fraction of the Newton step that is taken; 1 is all of it."
    )
    trust_radius: float = setting(
        1.0, gt=0.0, le=LARGEST, scale="log", unit="parameter", help="Longest step that is taken."
    )
    damping: float = setting(
        1e-8, ge=0.0, le=1e6, scale="log", help="Added to every absolute curvature, so that flat directions stay safe."
    )
    adaptive: bool = setting(
        True, help="Shrink the radius when the loss falls less than the model promised, and let it grow back."
    )
    kick: float = setting(
        1e-3,
        ge=0.0,
        le=1.0,
        scale="log",
        advanced=True,
        help="Step, in trust radii, along the lowest curvature where the gradient vanishes at a saddle; 0 for none.",
    )
