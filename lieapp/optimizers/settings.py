"""The settings of every named optimiser: one frozen model each, read by forms, flags, documentation and sessions.

No torch here: a class is named by string and built by `lieapp.optimizers.registry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.fields import FieldSpec, describe, setting, show_value
from lieapp.optimizers.models import SettingsModel
from lieapp.optimizers.schedules import ScheduleSettings

__all__ = [
    "SETTINGS",
    "AdamSettings",
    "AdamWSettings",
    "ComplexAdamSettings",
    "DEOSettings",
    "FieldSpec",
    "LBFGSSettings",
    "OptimizerError",
    "OptimizerSettings",
    "PreconditionedSGDSettings",
    "PerturbedSGDSettings",
    "SGDSettings",
    "SaddleFreeNewtonSettings",
    "ScheduleSettings",
    "SophiaSettings",
    "WrappedSettings",
    "describe",
    "setting",
    "settings_for",
    "summary_line",
]

_LR_MAX = 1e6

_ADAM_FAMILY = ("adam", "adamw", "nadam", "radam", "adamax")


def _lr(default: float, help: str = "Learning rate: how far one step moves the parameters.") -> Any:
    return setting(default, gt=0.0, le=_LR_MAX, scale="log", unit="parameter", title="lr", help=help)


class OptimizerSettings(SettingsModel):
    """Base of the settings of one optimiser.

    Attributes
    ----------
    name : str
        Name on the command line.
    title : str
        Name in the window.
    summary : str
        One sentence on what it does.
    target : str
        Class that is built, as ``"module:Class"``.
    elementwise : bool
        Whether each parameter moves by its own gradient alone, so that many starts may run as one batch.
    uses_oracle : bool
        Whether a step asks for more than gradients.
    fixed : mapping
        Constructor arguments that are no setting.
    presets : mapping
        Named sets of overrides worth knowing, such as the values of a paper.
    problems : tuple of str
        Kinds of jobs that it is for, such as ``("cryoem",)``; for all where it is empty.
    elsewhere : str
        Why not for others, and what to take there.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    target: ClassVar[str] = ""
    elementwise: ClassVar[bool] = False
    uses_oracle: ClassVar[bool] = False
    fixed: ClassVar[Mapping[str, Any]] = {}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    problems: ClassVar[tuple[str, ...]] = ()
    elsewhere: ClassVar[str] = ""

    schedule: ScheduleSettings = Field(
        default_factory=ScheduleSettings, description="How the learning rate changes from step to step."
    )

    @classmethod
    def label(cls) -> str:
        """Return the optimiser's name, for error messages."""
        return cls.name or cls.__name__

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the optimiser's constructor; the schedule is not among them."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "schedule"}
        return {**values, **self.fixed}


class AdamSettings(OptimizerSettings):
    """Adam (Kingma and Ba, arXiv:1412.6980), as torch computes it."""

    name: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    summary: ClassVar[str] = "Momentum divided by the recent size of each parameter's gradient: steps of about lr."
    target: ClassVar[str] = "torch.optim:Adam"
    elementwise: ClassVar[bool] = True

    lr: float = _lr(0.01, "Learning rate: about the distance that each parameter moves in one step.")
    betas: tuple[float, float] = setting(
        (0.9, 0.999), ge=0.0, lt=1.0, help="How long the gradient and its square are remembered: 0.9 is about 10 steps."
    )
    eps: float = setting(
        1e-8, gt=0.0, le=1.0, scale="log", advanced=True, help="Keeps the division finite where gradients vanish."
    )
    weight_decay: float = setting(
        0.0, ge=0.0, le=1e3, scale="log", advanced=True, help="L2 penalty added to the gradient; 0 for a pose."
    )
    amsgrad: bool = setting(
        False, advanced=True, help="Divide by the largest mean square seen so far, so that step sizes never grow back."
    )


class SGDSettings(OptimizerSettings):
    """Gradient descent, with optional heavy-ball or Nesterov momentum, as torch computes it."""

    name: ClassVar[str] = "sgd"
    title: ClassVar[str] = "SGD"
    summary: ClassVar[str] = "Plain gradient descent: every step is lr times the gradient, optionally with momentum."
    target: ClassVar[str] = "torch.optim:SGD"
    elementwise: ClassVar[bool] = True

    lr: float = _lr(0.1, "Learning rate; stable while it is below 2 divided by the largest curvature.")
    momentum: float = setting(
        0.0, ge=0.0, lt=1.0, help="Share of the previous step kept in this one: 0 is plain descent, 0.9 a heavy ball."
    )
    dampening: float = setting(
        0.0, ge=0.0, le=1.0, advanced=True, help="Share of the new gradient that the momentum leaves out."
    )
    nesterov: bool = setting(
        False, help="Look ahead along the momentum; needs momentum above 0 and dampening 0.", title="Nesterov"
    )
    weight_decay: float = setting(
        0.0, ge=0.0, le=1e3, scale="log", advanced=True, help="L2 penalty added to the gradient; 0 for a pose."
    )

    @model_validator(mode="after")
    def _check_nesterov(self) -> Self:
        if self.nesterov and (self.momentum == 0.0 or self.dampening != 0.0):
            raise ValueError("nesterov = true: needs momentum above 0 and dampening 0")
        return self


class AdamWSettings(OptimizerSettings):
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101), as torch computes it, with no decay by default."""

    name: ClassVar[str] = "adamw"
    title: ClassVar[str] = "AdamW"
    summary: ClassVar[str] = "Adam with a decay of the parameters apart from the gradient; without decay it is Adam."
    target: ClassVar[str] = "torch.optim:AdamW"
    elementwise: ClassVar[bool] = True

    lr: float = _lr(0.01, "Learning rate: about the distance that each parameter moves in one step.")
    betas: tuple[float, float] = setting(
        (0.9, 0.999), ge=0.0, lt=1.0, help="How long the gradient and its square are remembered: 0.9 is about 10 steps."
    )
    eps: float = setting(
        1e-8, gt=0.0, le=1.0, scale="log", advanced=True, help="Keeps the division finite where gradients vanish."
    )
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
    amsgrad: bool = setting(
        False, advanced=True, help="Divide by the largest mean square seen so far, so that step sizes never grow back."
    )


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
        le=_LR_MAX,
        scale="log",
        title="lr",
        help="Fraction of momentum over curvature that a step takes; no parameter moves farther than lr times clip.",
    )
    clip: float = setting(
        1.0, gt=0.0, le=_LR_MAX, scale="log", unit="parameter", help="Largest ratio of momentum to curvature used."
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
        le=_LR_MAX,
        scale="log",
        title="lr",
        help="Step that the line search tries first; 1 is the full quasi-Newton step.",
    )
    history_size: int = setting(10, ge=1, le=1000, title="history", help="How many past steps shape the curvature.")


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
        1.0, gt=0.0, le=_LR_MAX, scale="log", unit="parameter", help="Longest step that is taken."
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


class WrappedSettings(SettingsModel):
    """The optimiser inside another one: a name, and those of its settings that matter for it."""

    name: Literal["sgd", "adam", "adamw", "sophia", "rmsprop", "nadam", "radam", "adamax"] = setting(
        "sgd", title="base", help="The optimiser that takes the ordinary step."
    )
    lr: float = _lr(0.1, "Learning rate of the base: how far one of its steps moves the parameters.")
    momentum: float = setting(
        0.0,
        ge=0.0,
        lt=1.0,
        when=("name", ("sgd", "rmsprop")),
        help="Share of the previous step kept in this one: 0 is plain descent, 0.9 a heavy ball.",
    )
    betas: tuple[float, float] = setting(
        (0.9, 0.999),
        ge=0.0,
        lt=1.0,
        when=("name", _ADAM_FAMILY),
        help="How long the gradient and its square are remembered: 0.9 is about 10 steps.",
    )
    memories: tuple[float, float] = setting(
        (0.9, 0.9),
        ge=0.0,
        lt=1.0,
        when=("name", ("sophia",)),
        help="How long Sophia remembers the gradient and the Hessian's diagonal.",
    )
    clip: float = setting(
        1.0,
        gt=0.0,
        le=_LR_MAX,
        scale="log",
        unit="parameter",
        when=("name", ("sophia",)),
        help="Largest ratio of momentum to curvature that Sophia uses.",
    )
    estimator: Literal["exact", "hutchinson"] = setting(
        "exact",
        advanced=True,
        when=("name", ("sophia",)),
        help="Sophia's diagonal exactly (one product per parameter) or from one random probe.",
    )
    update_interval: int = setting(
        1,
        ge=1,
        le=10**6,
        scale="log",
        advanced=True,
        when=("name", ("sophia",)),
        help="Steps between two estimates of Sophia's diagonal.",
    )
    weight_decay: float = setting(
        0.0,
        ge=0.0,
        le=1e3,
        scale="log",
        advanced=True,
        help="Shrinks the parameters each step (sgd, adam, rmsprop: an L2 penalty added to the gradient).",
    )

    @classmethod
    def label(cls) -> str:
        """Return the name that error messages use."""
        return "base"

    def choice(self) -> tuple[str, dict[str, Any]]:
        """Return the optimiser's name and the values that matter for it, by its own names."""
        values: dict[str, Any] = {}
        for spec in describe(type(self)):
            if spec.name != "name" and (spec.when is None or self.name in spec.when[1]):
                values["betas" if spec.name == "memories" else spec.name] = getattr(self, spec.name)
        return self.name, values


_USING_N = ("project", "reflect", "escape")


class DEOSettings(OptimizerSettings):
    """Dimer-enhanced optimisation (arXiv:2507.19968) around another optimiser, and what is needed to escape saddles."""

    name: ClassVar[str] = "deo"
    title: ClassVar[str] = "DEO"
    summary: ClassVar[str] = (
        "Finds the direction of lowest curvature with a dimer. Escape steps along it where it is negative; project, "
        "as published, removes the gradient along it, which holds a run at a saddle."
    )
    target: ClassVar[str] = "lieapp.optimizers.deo:DEO"
    uses_oracle: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper, as transcribed": {"mode": "paper", "dimer_length": 0.006, "rotation_rate": 0.1, "interval": 10},
        "published code": {"mode": "paper", "strength": 5.0, "dimer_length": 0.006, "scope": "per-layer"},
    }

    mode: Literal["escape", "project", "reflect", "paper", "off"] = setting(
        "escape",
        help="What the direction N of lowest curvature is for: escape leaves saddles along it, project takes the "
        "gradient along it away and stalls there, reflect climbs to saddles; paper is as transcribed, off the base.",
    )
    base: WrappedSettings = Field(default_factory=WrappedSettings, description="The optimiser that is wrapped.")
    strength: float = setting(
        1.0,
        ge=0.0,
        le=100.0,
        when=("mode", ("project", "paper")),
        help="Share of the gradient along N that is removed. An unstable coordinate grows by 1 + lr (1 - strength) |C| "
        "a step: at 1 not at all.",
    )
    trust_radius: float = setting(
        0.1, gt=0.0, le=_LR_MAX, scale="log", unit="parameter", when=("mode", ("escape",)), help="Longest escape step."
    )
    interval: float = setting(
        10.0, ge=1.0, le=1e9, scale="log", when=("mode", (*_USING_N, "paper")), help="Steps between two searches for N."
    )
    adaptive: bool = setting(
        True,
        when=("mode", _USING_N),
        help="Double the interval, up to 160, while N shows nothing new; start over when the gradient falls tenfold.",
    )
    rotations: int = setting(
        5,
        ge=0,
        le=50,
        when=("mode", _USING_N),
        help="Most rotations of one search; each costs one evaluation, and the search itself one.",
    )
    method: Literal["lanczos", "lor", "optimal-angle", "fixed"] = setting(
        "lanczos",
        title="rotation",
        advanced=True,
        when=("mode", _USING_N),
        help="Lanczos, which keeps a vector for every rotation, locally optimal rotation, which keeps three, optimal "
        "angle in a plane, or a fixed step.",
    )
    tolerance: float = setting(
        0.05,
        gt=0.0,
        le=1.0,
        scale="log",
        advanced=True,
        when=("mode", _USING_N),
        help="A search ends at this relative residual of the curvature.",
    )
    derivative: Literal["one-sided", "central", "exact"] = setting(
        "one-sided",
        advanced=True,
        help="Products from one more gradient, from two, or from second derivatives (cost 2).",
    )
    dimer_length: float | None = setting(
        None,
        gt=0.0,
        le=_LR_MAX,
        scale="log",
        unit="parameter",
        advanced=True,
        help="Distance of the two points; none fits it to the precision (0.006 in mode paper).",
    )
    rotation_rate: float = setting(
        0.1, ge=0.0, le=_LR_MAX, scale="log", advanced=True, help="Step of a fixed rotation (method fixed, mode paper)."
    )
    apply: Literal["every-step", "on-refresh"] = setting(
        "every-step", advanced=True, help="Use N in every step, or only in those that have just searched for it."
    )
    scope: Literal["global", "per-layer"] = setting(
        "global",
        advanced=True,
        help="One direction over all parameters, or one for every parameter tensor (as many searches).",
    )
    kick: float = setting(
        0.01,
        gt=0.0,
        le=1.0,
        scale="log",
        advanced=True,
        when=("mode", ("escape",)),
        help="Shortest escape step, in trust radii: what leaves a point without a gradient.",
    )


class PerturbedSGDSettings(OptimizerSettings):
    """Perturbed gradient descent (Jin et al., arXiv:1703.00887): a random push where the slope is small."""

    name: ClassVar[str] = "perturbed-sgd"
    title: ClassVar[str] = "Perturbed SGD"
    summary: ClassVar[str] = "Gradient descent with a random push where the gradient is small, which leaves saddles."
    target: ClassVar[str] = "lieapp.optimizers.perturbed:PerturbedGD"

    lr: float = _lr(0.1, "Learning rate; stable while it is below 2 divided by the largest curvature.")
    radius: float = setting(
        0.01, gt=0.0, le=_LR_MAX, scale="log", unit="parameter", help="Longest push; uniform in the ball."
    )
    gradient_threshold: float = setting(
        1e-3, gt=0.0, le=_LR_MAX, scale="log", help="A push comes where the gradient is no longer than this."
    )
    interval: int = setting(
        50, ge=1, le=10**6, scale="log", help="Steps after a push before its success is judged and another may come."
    )
    decrease: float = setting(
        1e-6,
        ge=0.0,
        le=_LR_MAX,
        scale="log",
        advanced=True,
        help="Fall of the loss by which a push has succeeded; else the parameters return to where it began.",
    )


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

    lr: float = _lr(0.3, "Learning rate; the first rate that a search tries, or a share of the best one.")
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

    lr: float = _lr(0.01, "Learning rate: about the distance that each coefficient moves in one step.")
    betas: tuple[float, float] = setting(
        (0.9, 0.999), ge=0.0, lt=1.0, help="How long the gradient and its squared modulus are remembered."
    )
    eps: float = setting(
        1e-8, gt=0.0, le=1.0, scale="log", advanced=True, help="Keeps the division finite where gradients vanish."
    )


SETTINGS: dict[str, type[OptimizerSettings]] = {
    cls.name: cls
    for cls in (
        AdamSettings,
        SGDSettings,
        AdamWSettings,
        SophiaSettings,
        LBFGSSettings,
        SaddleFreeNewtonSettings,
        DEOSettings,
        PerturbedSGDSettings,
        PreconditionedSGDSettings,
        ComplexAdamSettings,
    )
}
"""The named optimisers in the order that menus show them."""


def settings_for(kind: str) -> dict[str, type[OptimizerSettings]]:
    """Return the named optimisers that are for a kind of job, in the order of menus.

    Parameters
    ----------
    kind : str
        ``align``, ``landscape`` or ``cryoem``.
    """
    return {name: cls for name, cls in SETTINGS.items() if not cls.problems or kind in cls.problems}


def summary_line(settings: OptimizerSettings, unit: str = "") -> str:
    """Return one line for a row or a button, such as ``Adam lr 1 Å``.

    Parameters
    ----------
    settings : OptimizerSettings
        What to summarise.
    unit : str, optional
        Unit of the problem's parameters.

    Returns
    -------
    str
        Title, learning rate, and whatever differs from the defaults.
    """
    parts = [f"{settings.title}"]
    differing: list[str] = []
    for spec in describe(type(settings), parameter_unit=unit):
        value = getattr(settings, spec.name)
        if spec.name == "lr":
            parts.append(f"lr {_brief(value)}{' ' + spec.unit if spec.unit else ''}")
        elif spec.type == "group":
            if isinstance(value, WrappedSettings):
                parts.append(f"on {_base_line(value, spec)}")
            elif isinstance(value, ScheduleSettings) and value.kind != "constant":
                differing.append(value.kind)
        elif value != spec.default:
            differing.append(spec.title if value is True else f"{spec.title} {_brief(value)}")
    return ", ".join([" ".join(parts), *differing])


def _base_line(base: WrappedSettings, spec: FieldSpec) -> str:
    unit = next(child.unit for child in spec.children if child.name == "lr")
    title = SETTINGS[base.name].title if base.name in SETTINGS else base.name
    return f"{title} lr {_brief(base.lr)}{' ' + unit if unit else ''}"


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list)):
        return ",".join(_brief(item) for item in value)
    return show_value(value)
