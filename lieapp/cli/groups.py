"""Options in groups: a dataclass declares options that belong together, and a command takes the whole group."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import Parameter
from typing import Any, get_type_hints

__all__ = ["given_options", "with_groups"]


def with_groups(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command one option for every field of the groups that it takes.

    Parameters
    ----------
    command : callable
        Parameters annotated with a dataclass are groups; each field is annotated as typer expects of an option, and
        has a default.

    Returns
    -------
    callable
        What typer registers: parameters in the order of the command's, the fields of a group in its place.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if is_dataclass(hint) and isinstance(hint, type)}
    parameters: list[Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            kinds = get_type_hints(groups[name], include_extras=True)
            parameters += [
                Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=kinds[field.name])
                for field in fields(groups[name])
            ]
        else:
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name]))

    @functools.wraps(command)
    def taking_options(**values: Any) -> int:
        filled = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        return command(**values, **filled)

    taking_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    taking_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taking_options


def given_options(*groups: Any) -> dict[str, Any]:
    """Return the options of some groups that were given, by name."""
    return {name: value for group in groups for name, value in vars(group).items() if value is not None}
