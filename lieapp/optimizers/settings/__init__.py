"""The settings of every named optimiser: one frozen model each, read by forms, flags, documentation and sessions.

No torch here: a class is named by string and built by `lieapp.optimizers.registry`.
"""

from lieapp.optimizers.settings.base import OptimizerSettings
from lieapp.optimizers.settings.catalog import SETTINGS, settings_for
from lieapp.optimizers.settings.cryoem import ComplexAdamSettings, PreconditionedSGDSettings
from lieapp.optimizers.settings.deo import DEOSettings, WrappedSettings
from lieapp.optimizers.settings.first_order import AdamSettings, AdamWSettings, PerturbedSGDSettings, SGDSettings
from lieapp.optimizers.settings.second_order import LBFGSSettings, SaddleFreeNewtonSettings, SophiaSettings
from lieapp.optimizers.settings.summary import summary_line

__all__ = [
    "SETTINGS",
    "AdamSettings",
    "AdamWSettings",
    "ComplexAdamSettings",
    "DEOSettings",
    "LBFGSSettings",
    "OptimizerSettings",
    "PerturbedSGDSettings",
    "PreconditionedSGDSettings",
    "SGDSettings",
    "SaddleFreeNewtonSettings",
    "SophiaSettings",
    "WrappedSettings",
    "settings_for",
    "summary_line",
]
