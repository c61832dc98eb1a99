"""Which optimisers have a name here, in what order, and for which problems."""

from __future__ import annotations

from lieapp.optimizers.settings.base import OptimizerSettings
from lieapp.optimizers.settings.cryoem import ComplexAdamSettings, PreconditionedSGDSettings
from lieapp.optimizers.settings.deo import DEOSettings
from lieapp.optimizers.settings.first_order import AdamSettings, AdamWSettings, PerturbedSGDSettings, SGDSettings
from lieapp.optimizers.settings.second_order import LBFGSSettings, SaddleFreeNewtonSettings, SophiaSettings

__all__ = ["SETTINGS", "settings_for"]

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
