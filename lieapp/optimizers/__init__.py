"""Optimisers: their settings, the oracle they ask, the registry that builds them, and those that torch lacks.

Importing this package loads no torch: names below are resolved on first use.
"""

from importlib import import_module
from typing import Any

_LAZY = {
    "OptimizerError": "errors",
    "FieldSpec": "fields",
    "describe": "fields",
    "setting": "fields",
    "ScheduleSettings": "schedules",
    "SETTINGS": "settings",
    "AdamSettings": "settings",
    "AdamWSettings": "settings",
    "LBFGSSettings": "settings",
    "OptimizerSettings": "settings",
    "SGDSettings": "settings",
    "SaddleFreeNewtonSettings": "settings",
    "SophiaSettings": "settings",
    "summary_line": "settings",
    "markdown_table": "documentation",
    "plain_table": "documentation",
    "AutogradOracle": "oracle",
    "Costs": "oracle",
    "CountingOracle": "counting",
    "FiniteDifferenceOracle": "oracle",
    "Oracle": "oracle",
    "DEO": "deo",
    "DEOSettings": "settings",
    "PerturbedGD": "perturbed",
    "PerturbedSGDSettings": "settings",
    "Rotation": "dimer",
    "rotate": "dimer",
    "rotations": "dimer",
    "Spectrum": "lanczos",
    "lanczos": "lanczos",
    "available_optimizers": "registry",
    "build_optimizer": "registry",
    "settings_class": "registry",
    "step_optimizer": "registry",
    "SaddleFreeNewton": "saddle_free_newton",
    "SophiaH": "sophia",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
