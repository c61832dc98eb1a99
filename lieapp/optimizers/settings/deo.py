"""Settings of dimer-enhanced optimisation, and of the optimiser that it wraps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lieapp.optimizers.fields import describe, setting
from lieapp.optimizers.settings.base import LARGEST, OptimizerSettings, adam_betas, heavy_ball, learning_rate
from lieapp.optimizers.settings_model import SettingsModel

__all__ = ["DEOSettings", "WrappedSettings"]

_ADAM_FAMILY = ("adam", "adamw", "nadam", "radam", "adamax")
_USING_N = ("project", "reflect", "escape")


class WrappedSettings(SettingsModel):
    """The optimiser inside another one: a name, and those of its settings that matter for it."""

    name: Literal["sgd", "adam", "adamw", "sophia", "rmsprop", "nadam", "radam", "adamax"] = setting(
        "sgd", title="base", help="The optimiser that takes the ordinary step."
    )
    lr: float = learning_rate(0.1, "Learning rate of the base: how far one of its steps moves the parameters.")
    momentum: float = heavy_ball(when=("name", ("sgd", "rmsprop")))
    betas: tuple[float, float] = adam_betas(when=("name", _ADAM_FAMILY))
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
        le=LARGEST,
        scale="log",
        unit="parameter",
        when=("name", ("sophia",)),
        help="Largest ratio of momentum to curvature that Sophia uses.",
    )
    gamma: float = setting(
        1.0,
        gt=0.0,
        le=1e3,
        scale="log",
        advanced=True,
        when=("name", ("sophia",)),
        help="Scale of Sophia's curvature: larger means smaller, less clipped steps.",
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
    translation: Literal["lbfgs", "base"] = setting(
        "lbfgs",
        when=("mode", ("reflect",)),
        help="How reflect steps: uphill along N by the curvature and downhill across it by L-BFGS, turning round where "
        "no saddle lies ahead; or by the base along the reflected gradient.",
    )
    trust_radius: float = setting(
        0.1,
        gt=0.0,
        le=LARGEST,
        scale="log",
        unit="parameter",
        when=("mode", ("escape", "reflect")),
        help="Longest escape step, longest step to a saddle.",
    )
    interval: float = setting(
        10.0, ge=1.0, le=1e9, scale="log", when=("mode", (*_USING_N, "paper")), help="Steps between two searches for N."
    )
    adaptive: bool = setting(
        True,
        when=("mode", _USING_N),
        help="Double the interval, up to 160, while N shows nothing new or escapes gain less than the base would for "
        "the price of a search; start over when the gradient falls tenfold. In reflect, begin with 1 and double up to "
        "4 while N hardly turns.",
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
        le=LARGEST,
        scale="log",
        unit="parameter",
        advanced=True,
        help="Distance of the two points; none fits it to the precision (0.006 in mode paper).",
    )
    rotation_rate: float = setting(
        0.1, ge=0.0, le=LARGEST, scale="log", advanced=True, help="Step of a fixed rotation (method fixed, mode paper)."
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
