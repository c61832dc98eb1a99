"""What the settings of all optimisers have in common: the base model, and fields that several declare alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from lieapp.optimizers.fields import setting
from lieapp.optimizers.schedules import ScheduleSettings
from lieapp.optimizers.settings_model import SettingsModel

__all__ = ["LARGEST", "Condition", "OptimizerSettings", "adam_betas", "adam_eps", "heavy_ball", "learning_rate"]

LARGEST = 1e6
"""Upper bound of settings that have none of their own: past it lies a slip of the pen."""

Condition = tuple[str, Sequence[str]]
"""Another setting and those of its values under which a setting matters."""


def learning_rate(default: float, help: str = "Learning rate: how far one step moves the parameters.") -> Any:
    """Declare the learning rate of an optimiser whose steps have the unit of the parameters."""
    return setting(default, gt=0.0, le=LARGEST, scale="log", unit="parameter", title="lr", help=help)


def heavy_ball(when: Condition | None = None) -> Any:
    """Declare the momentum of gradient descent."""
    return setting(
        0.0,
        ge=0.0,
        lt=1.0,
        when=when,
        help="Share of the previous step kept in this one: 0 is plain descent, 0.9 a heavy ball.",
    )


def adam_betas(
    help: str = "How long the gradient and its square are remembered: 0.9 is about 10 steps.",
    when: Condition | None = None,
) -> Any:
    """Declare the decay rates of Adam's two moments."""
    return setting((0.9, 0.999), ge=0.0, lt=1.0, when=when, help=help)


def adam_eps() -> Any:
    """Declare what Adam adds to the square root of its second moment."""
    return setting(
        1e-8, gt=0.0, le=1.0, scale="log", advanced=True, help="Keeps the division finite where gradients vanish."
    )


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
