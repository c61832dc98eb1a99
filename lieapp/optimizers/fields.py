"""One description of a setting for everybody: form, flag, documentation and check of a value.

A settings model declares each field with `setting`; `describe` gives the declarations back as `FieldSpec` values,
and `parse_value` turns what a person typed into a value of the field, or says what would be allowed.
"""

from __future__ import annotations

import math
import numbers
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

__all__ = [
    "FieldSpec",
    "FieldType",
    "Scale",
    "allowed_text",
    "describe",
    "fields_by_name",
    "parse_value",
    "setting",
    "show_value",
]

FieldType = Literal["float", "int", "bool", "choice", "floats", "text", "group"]
Scale = Literal["linear", "log"]

PARAMETER_UNIT = "parameter"
"""Unit of settings that are lengths in parameter space: `describe` replaces it by the problem's own unit."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class FieldSpec:
    """What a form, a flag and a documentation table need to know about one setting.

    Attributes
    ----------
    name : str
        Key of the setting inside its model.
    title : str
        What a label shows.
    type : {"float", "int", "bool", "choice", "floats", "text", "group"}
        ``floats`` is a tuple of numbers of the length of its default; ``group`` nests ``children``.
    default : object
        Default value; for a group, the default model.
    minimum, maximum : float or None
        Bounds, of every element for ``floats``; None where there is none or none is known.
    exclusive_minimum, exclusive_maximum : bool
        Whether the bound itself is excluded.
    scale : {"linear", "log"}
        How a slider or sweep should move.
    unit : str
        Unit shown after the value; empty for plain numbers.
    help : str
        One sentence.
    advanced : bool
        Whether a form hides it under "more".
    choices : tuple of str
        Allowed words of a ``choice``.
    children : tuple of FieldSpec
        Fields of a ``group``.
    optional : bool
        Whether ``none`` is allowed (for ``floats``: as an element).
    when : tuple or None
        ``(sibling, values)``: the field matters only while that sibling has one of the values.
    """

    name: str
    title: str
    type: FieldType
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    scale: Scale = "linear"
    unit: str = ""
    help: str = ""
    advanced: bool = False
    choices: tuple[str, ...] = ()
    children: tuple[FieldSpec, ...] = ()
    optional: bool = False
    when: tuple[str, tuple[str, ...]] | None = None


def setting(
    default: Any,
    *,
    help: str,
    title: str | None = None,
    unit: str = "",
    scale: Scale = "linear",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    advanced: bool = False,
    choices: Sequence[str] | None = None,
    when: tuple[str, Sequence[str]] | None = None,
) -> Any:
    """Declare one field of a settings model.

    Parameters
    ----------
    default : object
        Default value.
    help : str
        One sentence for tooltips, command line and documentation.
    title : str, optional
        Label; the name of the field with blanks for underscores when absent.
    unit : str, optional
        Unit; ``"parameter"`` stands for the unit of the problem's parameters.
    scale : {"linear", "log"}, optional
        Natural scale of the values.
    ge, gt, le, lt : float, optional
        Bounds: at least, above, at most, below. They hold for every element of a tuple.
    advanced : bool, optional
        Whether forms hide the field at first.
    choices : sequence of str, optional
        Allowed words; taken from the annotation when that is a ``Literal``.
    when : tuple, optional
        ``(sibling, values)`` for which the field matters.

    Returns
    -------
    object
        A pydantic field.
    """
    if (ge is not None and gt is not None) or (le is not None and lt is not None):
        raise ValueError("give one lower and one upper bound at most")
    extra: dict[str, Any] = {
        "title_text": title,
        "unit": unit,
        "scale": scale,
        "minimum": ge if gt is None else gt,
        "maximum": le if lt is None else lt,
        "exclusive_minimum": gt is not None,
        "exclusive_maximum": lt is not None,
        "advanced": advanced,
        "choices": tuple(choices) if choices is not None else (),
        "when": (when[0], tuple(when[1])) if when is not None else None,
    }
    return Field(default, description=help, json_schema_extra=extra, validate_default=False)


def describe(settings_class: type[BaseModel], *, parameter_unit: str = "") -> tuple[FieldSpec, ...]:
    """Return the fields of a settings model in the order of declaration, groups last.

    Parameters
    ----------
    settings_class : type
        A model whose fields were declared with `setting`.
    parameter_unit : str, optional
        Unit of the problem's parameters (such as ``"Å"``), shown for the learning rate and for radii.

    Returns
    -------
    tuple of FieldSpec
        One per field; groups carry their own fields as ``children``.
    """
    return tuple(_with_unit(spec, parameter_unit) for spec in _describe(settings_class))


def parse_value(spec: FieldSpec, value: Any) -> Any:
    """Turn a typed word or a Python value into a value of the field.

    Parameters
    ----------
    spec : FieldSpec
        The field; not a group.
    value : object
        A string as typed (``"1e-3"``, ``"0.9,0.999"``, ``"true"``, ``"none"``) or a value.

    Returns
    -------
    object
        A float, int, bool, str, tuple of floats, or None.

    Raises
    ------
    ValueError
        Saying what is allowed.
    """
    if isinstance(value, str):
        value = value.strip()
    if spec.optional and spec.type != "floats" and _is_none(value):
        return None
    try:
        return _PARSERS[spec.type](spec, value)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"expected {allowed_text(spec)}") from None


def allowed_text(spec: FieldSpec) -> str:
    """Return in words what values a field takes, such as ``a number above 0 and at most 10``."""
    if spec.type == "bool":
        text = "true or false"
    elif spec.type == "choice":
        text = "one of " + ", ".join(spec.choices)
    elif spec.type == "text":
        text = "a text"
    elif spec.type == "group":
        text = "a group; set one of " + ", ".join(f"{spec.name}.{child.name}" for child in spec.children)
    elif spec.type == "floats":
        bounds = range_text(spec)
        text = f"{len(spec.default)} numbers separated by commas" + (f", each {bounds}" if bounds else "")
    else:
        text = " ".join(filter(None, ("a number" if spec.type == "float" else "a whole number", range_text(spec))))
    return text + (" or none" if spec.optional else "")


def range_text(spec: FieldSpec) -> str:
    """Return the bounds of a field in words, such as ``above 0 and at most 10``; empty where there are none."""
    parts = []
    if spec.minimum is not None:
        parts.append(f"{'above' if spec.exclusive_minimum else 'at least'} {spec.minimum:g}")
    if spec.maximum is not None:
        parts.append(f"{'below' if spec.exclusive_maximum else 'at most'} {spec.maximum:g}")
    return " and ".join(parts)


def show_value(value: Any) -> str:
    """Return a value as a person would type it: ``0.9,0.999``, ``true``, ``1e-08``, ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)
        return text[:-2] if text.endswith(".0") else text
    if isinstance(value, (tuple, list)):
        return ",".join(show_value(item) for item in value)
    return str(value)


@cache
def fields_by_name(settings_class: type[BaseModel]) -> Mapping[str, FieldSpec]:
    """Return the fields of `describe` by their names."""
    return types.MappingProxyType({spec.name: spec for spec in _describe(settings_class)})


@cache
def _describe(settings_class: type[BaseModel]) -> tuple[FieldSpec, ...]:
    specs = [_spec(name, info) for name, info in settings_class.model_fields.items()]
    return tuple(sorted(specs, key=lambda spec: spec.type == "group"))


def _with_unit(spec: FieldSpec, parameter_unit: str) -> FieldSpec:
    unit = parameter_unit if spec.unit == PARAMETER_UNIT else spec.unit
    return replace(spec, unit=unit, children=tuple(_with_unit(child, parameter_unit) for child in spec.children))


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        default = None
    annotation, optional = _without_none(info.annotation)
    choices: tuple[str, ...] = tuple(extra.get("choices") or ())  # type: ignore[arg-type]
    children: tuple[FieldSpec, ...] = ()
    kind: FieldType
    if isinstance(default, BaseModel):
        # The default's own class, so that a field annotated with a base class shows what it holds.
        kind, children = "group", _describe(type(default))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        kind, children = "group", _describe(annotation)
    elif typing.get_origin(annotation) is Literal:
        kind, choices = "choice", choices or tuple(str(word) for word in typing.get_args(annotation))
    elif choices:
        kind = "choice"
    elif typing.get_origin(annotation) is tuple:
        kind = "floats"
        optional = any(type(None) in typing.get_args(item) for item in typing.get_args(annotation))
    elif annotation in (bool, int, float):
        kind = typing.cast(FieldType, annotation.__name__)
    elif annotation is str:
        kind = "text"
    else:
        raise TypeError(f"a setting cannot be of type {info.annotation!r} (field {name})")
    return FieldSpec(
        name=name,
        title=str(extra.get("title_text") or name.replace("_", " ")),
        type=kind,
        default=default,
        minimum=typing.cast("float | None", extra.get("minimum")),
        maximum=typing.cast("float | None", extra.get("maximum")),
        exclusive_minimum=bool(extra.get("exclusive_minimum")),
        exclusive_maximum=bool(extra.get("exclusive_maximum")),
        scale=typing.cast(Scale, extra.get("scale", "linear")),
        unit=str(extra.get("unit", "")),
        help=info.description or "",
        advanced=bool(extra.get("advanced")),
        choices=choices,
        children=children,
        optional=optional,
        when=typing.cast(Any, extra.get("when")),
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        others = [item for item in typing.get_args(annotation) if item is not type(None)]
        if len(others) == 1:
            return others[0], True
    return annotation, False


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.lower() == "none")


def _inside(spec: FieldSpec, value: float) -> bool:
    if spec.minimum is not None and (value < spec.minimum or (spec.exclusive_minimum and value == spec.minimum)):
        return False
    return not (
        spec.maximum is not None and (value > spec.maximum or (spec.exclusive_maximum and value == spec.maximum))
    )


def _number(value: Any) -> float:
    if isinstance(value, str):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError
    return float(value)


def _parse_float(spec: FieldSpec, value: Any) -> float:
    number = _number(value)
    if not math.isfinite(number) or not _inside(spec, number):
        raise ValueError
    return number


def _parse_int(spec: FieldSpec, value: Any) -> int:
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        number = int(value)
    else:
        real = _number(value)
        if not math.isfinite(real) or real != math.floor(real):
            raise ValueError
        number = int(real)
    if not _inside(spec, number):
        raise ValueError
    return number


def _parse_bool(spec: FieldSpec, value: Any) -> bool:
    if isinstance(value, str):
        word = value.lower()
        if word not in _TRUE | _FALSE:
            raise ValueError
        return word in _TRUE
    if type(value).__name__ not in ("bool", "bool_"):  # numpy's own is called bool or bool_ by its version
        raise TypeError
    return bool(value)


def _parse_choice(spec: FieldSpec, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    word = value.lower().replace("_", "-")
    for choice in spec.choices:
        if word == choice.lower().replace("_", "-"):
            return choice
    raise ValueError


def _parse_text(spec: FieldSpec, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _parse_floats(spec: FieldSpec, value: Any) -> tuple[float | None, ...]:
    if isinstance(value, str):
        value = value.strip("()[] ").split(",")
    if not isinstance(value, Sequence) or len(value) != len(spec.default):
        raise ValueError
    return tuple(None if spec.optional and _is_none(item) else _parse_float(spec, item) for item in value)


def _parse_group(spec: FieldSpec, value: Any) -> Any:
    raise ValueError


_PARSERS: dict[str, Any] = {
    "float": _parse_float,
    "int": _parse_int,
    "bool": _parse_bool,
    "choice": _parse_choice,
    "text": _parse_text,
    "floats": _parse_floats,
    "group": _parse_group,
}
