"""One line that says which optimiser is set how."""

from __future__ import annotations

from typing import Any

from lieapp.optimizers.fields import FieldSpec, describe, show_value
from lieapp.optimizers.schedules import ScheduleSettings
from lieapp.optimizers.settings.base import OptimizerSettings
from lieapp.optimizers.settings.catalog import SETTINGS
from lieapp.optimizers.settings.deo import WrappedSettings

__all__ = ["summary_line"]


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
