"""How the learning rate changes from step to step."""

from __future__ import annotations

import math
from typing import Literal

from lieapp.optimizers.fields import setting
from lieapp.optimizers.settings_model import SettingsModel

__all__ = ["ScheduleKind", "ScheduleSettings"]

ScheduleKind = Literal["constant", "cosine", "inverse-time", "warm-up", "warm-up-cosine"]

_COSINE = ("cosine", "warm-up-cosine")
_WARM = ("warm-up", "warm-up-cosine")


class ScheduleSettings(SettingsModel):
    """A factor on the learning rate, as a function of the number of steps taken."""

    kind: ScheduleKind = setting(
        "constant",
        help="How the learning rate changes: constant, cosine decay, 1/(1+ck), linear warm-up, or warm-up then cosine.",
    )
    steps: int = setting(
        1000, ge=1, le=10**9, scale="log", when=("kind", _COSINE), help="Step at which the cosine reaches its end."
    )
    final: float = setting(
        0.0, ge=0.0, le=1.0, when=("kind", _COSINE), help="Fraction of the learning rate left at the end of the cosine."
    )
    decay: float = setting(
        0.01, ge=0.0, le=1e6, scale="log", when=("kind", ("inverse-time",)), help="The c of 1/(1+ck) at step k."
    )
    warmup_steps: int = setting(
        10, ge=1, le=10**9, scale="log", when=("kind", _WARM), help="Steps in which the rate rises linearly to full."
    )

    def factor(self, step: int) -> float:
        """Return what the learning rate is multiplied by in one step.

        Parameters
        ----------
        step : int
            Number of steps taken before: 0 for the first.

        Returns
        -------
        float
            Between 0 and 1.
        """
        if step < 0:
            raise ValueError(f"Invalid step: {step}")
        if self.kind == "inverse-time":
            return 1.0 / (1.0 + self.decay * step)
        if self.kind == "warm-up":
            return min(1.0, (step + 1) / self.warmup_steps)
        if self.kind == "cosine":
            return self._cosine(step / self.steps)
        if self.kind == "warm-up-cosine":
            if step < self.warmup_steps:
                return (step + 1) / self.warmup_steps
            # A horizon inside the warm-up leaves nothing to decay over: the cosine is then at its end.
            rest = self.steps - self.warmup_steps
            return self._cosine((step - self.warmup_steps) / rest if rest > 0 else 1.0)
        return 1.0

    def _cosine(self, progress: float) -> float:
        return self.final + (1.0 - self.final) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))
