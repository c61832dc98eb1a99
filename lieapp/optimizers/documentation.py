"""The settings of an optimiser as text or data: a table for a terminal, one for a page, a record for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from lieapp.optimizers.fields import FieldSpec, describe, range_text, show_value
from lieapp.optimizers.names import TORCH_CLASSES
from lieapp.optimizers.settings import SETTINGS, OptimizerSettings

__all__ = ["markdown_table", "overview", "plain_table", "settings_record"]

_HEADER = ("setting", "default", "allowed", "help")


def markdown_table(settings_class: type[OptimizerSettings], *, parameter_unit: str = "") -> str:
    """Return the settings of an optimiser as a Markdown table.

    Parameters
    ----------
    settings_class : type
        What to document.
    parameter_unit : str, optional
        Unit of the problem's parameters.

    Returns
    -------
    str
        Title, summary and one row per setting, groups by dotted names.
    """
    rows: list[tuple[str, ...]] = [_HEADER, ("---",) * 4]
    rows += [tuple(cell.replace("|", "\\|") for cell in row) for row in _rows(settings_class, parameter_unit)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"### {settings_class.title} (`{settings_class.name}`)\n\n{settings_class.summary}\n\n{table}\n"


def plain_table(settings_class: type[OptimizerSettings], *, parameter_unit: str = "", width: int = 100) -> str:
    """Return the settings of an optimiser as plain text.

    Parameters
    ----------
    settings_class : type
        What to document.
    parameter_unit : str, optional
        Unit of the problem's parameters.
    width : int, optional
        Columns of the terminal; the help is wrapped to it.

    Returns
    -------
    str
        Title, summary, one row per setting, and the presets.
    """
    rows = list(_rows(settings_class, parameter_unit))
    widths = [max(len(row[i]) for row in [_HEADER, *rows]) for i in range(2)]
    indent = " " * (sum(widths) + 4)
    lines = [f"{settings_class.title} ({settings_class.name})", *textwrap.wrap(settings_class.summary, width), ""]
    for name, default, allowed, help_text in rows:
        text = f"{help_text} [{allowed}]" if allowed else help_text
        head = f"{name:<{widths[0]}}  {default:<{widths[1]}}  "
        lines += textwrap.wrap(text, max(width, len(indent) + 30), initial_indent=head, subsequent_indent=indent)
    for preset, overrides in settings_class.presets.items():
        values = " ".join(f"{key}={show_value(value)}" for key, value in overrides.items())
        lines += [
            "",
            f"as in the {preset}:",
            *textwrap.wrap(values, width, initial_indent="  ", subsequent_indent="  "),
        ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def overview(*, width: int = 100) -> str:
    """Return one entry per optimiser as plain text; no torch is loaded for it."""
    column = max(map(len, SETTINGS)) + 2
    lines = []
    for name, cls in SETTINGS.items():
        summary = f"{cls.summary} For {' and '.join(cls.problems)} only." if cls.problems else cls.summary
        lines += textwrap.wrap(summary, width, initial_indent=f"{name:<{column}}", subsequent_indent=" " * column)
    others = ", ".join(TORCH_CLASSES)
    lines += ["", *textwrap.wrap(f"Also any optimiser of torch ({others}), or package.module:Class.", width)]
    return "\n".join(lines) + "\n"


def settings_record(settings_class: type[OptimizerSettings], *, parameter_unit: str = "") -> dict[str, Any]:
    """Return an optimiser and its settings as plain values that JSON can hold.

    Parameters
    ----------
    settings_class : type
        What to document.
    parameter_unit : str, optional
        Unit of the problem's parameters.

    Returns
    -------
    dict
        ``name``, ``title``, ``summary``, ``target``, ``problems`` (none for all), ``presets``, and ``settings``: one
        dict per setting by dotted key, with the attributes of `FieldSpec` that are not empty.
    """
    settings: dict[str, dict[str, Any]] = {}
    for name, spec in _flat(describe(settings_class, parameter_unit=parameter_unit)):
        record: dict[str, Any] = {"title": spec.title, "type": spec.type, "default": _plain(spec.default)}
        for key in ("minimum", "maximum", "unit", "choices", "when", "optional", "advanced"):
            value = getattr(spec, key)
            if value is not None and value is not False and value not in ("", ()):
                record[key] = _plain(value)
        for key in ("minimum", "maximum"):
            if getattr(spec, f"exclusive_{key}"):
                record[f"exclusive_{key}"] = True
        settings[name] = {**record, "scale": spec.scale, "help": spec.help}
    return {
        "name": settings_class.name,
        "title": settings_class.title,
        "summary": settings_class.summary,
        "target": settings_class.target,
        "problems": list(settings_class.problems),
        "presets": {
            preset: {key: _plain(value) for key, value in overrides.items()}
            for preset, overrides in settings_class.presets.items()
        },
        "settings": settings,
    }


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def _rows(settings_class: type[OptimizerSettings], parameter_unit: str) -> Iterator[tuple[str, ...]]:
    for name, spec in _flat(describe(settings_class, parameter_unit=parameter_unit)):
        default = show_value(spec.default) + (f" {spec.unit}" if spec.unit else "")
        allowed = ", ".join(spec.choices) if spec.choices else range_text(spec)
        yield name, default, allowed, spec.help


def _flat(specs: tuple[FieldSpec, ...], prefix: str = "") -> Iterator[tuple[str, FieldSpec]]:
    for spec in specs:
        if spec.type == "group":
            yield from _flat(spec.children, f"{prefix}{spec.name}.")
        else:
            yield prefix + spec.name, spec
