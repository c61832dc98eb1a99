"""``lieapp optimizers`` and ``lieapp doctor``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lieapp.cli.app import app
from lieapp.cli.delivery import Delivery
from lieapp.cli.groups import with_groups

__all__ = ["doctor", "optimizers"]


@app.command()
@with_groups
def optimizers(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One optimiser, with all of its settings.")
    ] = None,
    *,
    delivery: Delivery,
) -> int:
    """List every optimiser and its settings, from the same specs as the forms."""
    from lieapp.optimizers.documentation import overview, plain_table, settings_record
    from lieapp.optimizers.settings import SETTINGS

    if name is None:
        record: Any = {key: settings_record(settings) for key, settings in SETTINGS.items()}
        text = overview()
    else:
        from lieapp.optimizers.registry import settings_class

        record = settings_record(settings_class(name))
        text = plain_table(settings_class(name)) + _recommendations(name)
    delivery.deliver_record(record, text, "optimizers.json")
    return 0


def _recommendations(name: str) -> str:
    """Say in which settings a run departs from the defaults of the table, unless told otherwise."""
    from lieapp.alignment.recommended import recommended
    from lieapp.optimizers.fields import show_value
    from lieapp.optimizers.names import normalised
    from lieapp.optimizers.settings import settings_for

    if normalised(name) in settings_for("cryoem").keys() - settings_for("align").keys():
        from lieapp.cryoem.recommended import recommended as for_reconstructions

        words = " ".join(f"{key}={show_value(value)}" for key, value in for_reconstructions(name).items())
        return f"\nlieapp cryoem takes, unless --set says otherwise (box 32, 10 batches an epoch):\n  {words}\n"
    settings = recommended(name)
    if not settings:
        return ""
    words = " ".join(f"{key}={show_value(value)}" for key, value in settings.items())
    return f"\nlieapp align takes, unless --set says otherwise (RMSD; others vary):\n  {words}\n"


@app.command()
@with_groups
def doctor(delivery: Delivery) -> int:
    """Show versions, OpenGL, torch devices, folders and missing system libraries."""
    from lieapp.doctor import examine

    findings = examine()
    lines = []
    for key, value in findings.items():
        if isinstance(value, Mapping):
            lines += [f"{key}:", *(f"  {inner}: {_plain(item)}" for inner, item in value.items())]
        elif key != "problems":
            lines.append(f"{key}: {_plain(value)}")
    problems = findings["problems"]
    lines += ["problems:", *(f"  {problem}" for problem in problems)] if problems else ["No problems found."]
    delivery.deliver_record(findings, "\n".join(lines) + "\n", "doctor.json")
    return 0


def _plain(value: object) -> str:
    if value is None:
        return "not installed"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"
