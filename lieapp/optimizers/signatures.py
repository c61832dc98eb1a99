"""A settings form for any torch optimiser, made from the signature of its constructor."""

from __future__ import annotations

import functools
import inspect
import math
import re
import types
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from pydantic import create_model
from torch.optim import Optimizer

from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.fields import setting
from lieapp.optimizers.settings import OptimizerSettings

__all__ = ["SignatureSettings", "argument_help", "form_of"]

# How a class computes, not what; and the engine only ever minimises.
_LEFT_OUT = frozenset({"foreach", "fused", "capturable", "differentiable", "maximize", "generator"})

_LOG_NAMES = frozenset({"lr", "eps", "weight_decay"})


class SignatureSettings(OptimizerSettings):
    """Settings read off a signature: defaults are the class's own, bounds are known to nobody but the class.

    Attributes
    ----------
    argument_names : mapping of str to str
        Constructor argument of each field whose name had to differ.
    whole : frozenset of str
        Fields whose default is a whole number of unknown type: a whole value is passed on as an int.
    required : frozenset of str
        Fields for which the class has no default.
    """

    argument_names: ClassVar[Mapping[str, str]] = {}
    whole: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the constructor.

        Raises
        ------
        OptimizerError
            If the class wants a value for which there is no default, and none was set.
        """
        result: dict[str, Any] = {}
        for name in type(self).model_fields:
            if name == "schedule":
                continue
            value = getattr(self, name)
            if value is None and name in self.required:
                raise OptimizerError(f"{self.label()}: {name} has no default; set it")
            if name in self.whole and value == math.floor(value):
                value = int(value)
            result[self.argument_names.get(name, name)] = value
        return result


def form_of(cls: type[Optimizer], name: str) -> type[OptimizerSettings]:
    """Return a settings class for an optimiser class.

    Parameters
    ----------
    cls : type
        The optimiser.
    name : str
        Name that it is asked for by.

    Returns
    -------
    type
        A subclass of `SignatureSettings`. Switches of implementation (``foreach``, ``fused``, ``capturable``,
        ``differentiable``), ``maximize``, ``generator`` and whatever has no number, switch or word as its value are
        left out and keep the class's defaults. The same class and name give the same form.
    """
    key = (cls, name)
    if key not in _FORMS:
        _FORMS[key] = _make_form(cls, name)
    return _FORMS[key]


_FORMS: dict[tuple[type, str], type[OptimizerSettings]] = {}


def _make_form(cls: type[Optimizer], name: str) -> type[OptimizerSettings]:
    fields: dict[str, Any] = {}
    argument_names: dict[str, str] = {}
    whole: set[str] = set()
    required: set[str] = set()
    helps = argument_help(cls)
    parameters = list(inspect.signature(cls).parameters.values())
    for parameter in parameters[1:]:  # the first is what is optimised
        if parameter.name in _LEFT_OUT or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        read = _read(parameter)
        if read is None:
            continue
        annotation, default = read
        field = _field_name(parameter.name)
        if field != parameter.name:
            argument_names[field] = parameter.name
        if parameter.default is inspect.Parameter.empty:
            required.add(field)
        if type(parameter.default) is int and annotation is float and parameter.annotation is parameter.empty:
            whole.add(field)
        if annotation is float and default is not None:
            default = float(default)
        fields[field] = (
            annotation,
            setting(
                default,
                title=parameter.name.replace("_", " "),
                scale="log" if parameter.name in _LOG_NAMES else "linear",
                help=helps.get(parameter.name, f"Argument {parameter.name} of {cls.__name__}."),
            ),
        )
    body: dict[str, Any] = {
        "name": name,
        "title": cls.__name__,
        "summary": _summary(cls),
        "target": name if ":" in name else f"{cls.__module__}:{cls.__qualname__}",
        "uses_oracle": "oracle" in inspect.signature(cls.step).parameters,
        "argument_names": types.MappingProxyType(argument_names),
        "whole": frozenset(whole),
        "required": frozenset(required),
    }
    model = create_model(f"{cls.__name__}Settings", __base__=SignatureSettings, __module__=__name__, **fields)
    for key, value in body.items():
        setattr(model, key, value)
    return model


def argument_help(cls: type) -> dict[str, str]:
    """Return one sentence per argument from a docstring in torch's style, where it has them."""
    found: dict[str, str] = {}
    pattern = re.compile(r"^\s+(\w+)\s*\(([^\n]*)\)\s*:\s*((?:.|\n)*?)(?=\n\s*\n|\n\s+\w+\s*\([^\n]*\)\s*:|\Z)", re.M)
    for match in pattern.finditer(inspect.getdoc(cls) or ""):
        text = re.sub(r"\s*\(default:[^)]*\)?\)?", "", " ".join(match[3].split())).strip(" .,")
        text = re.sub(r":\w+:`~?([^`]*)`", r"\1", text).replace("`", "")
        if text and match[1] not in found:
            found[match[1]] = text[0].upper() + text[1:] + "."
    return found


def _summary(cls: type) -> str:
    # Its own words: what a base class says of itself is not about this one.
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    first = " ".join(text.split("\n\n")[0].split()) if text else ""
    if not first or first.startswith(".."):
        return f"{cls.__name__} of {cls.__module__}."
    return re.sub(r":\w+:`~?([^`]*)`", r"\1", first)[:200]


def _field_name(name: str) -> str:
    # A field may neither hide an attribute of its model nor start with an underscore.
    name = name.lstrip("_") or "value"
    while name == "schedule" or hasattr(SignatureSettings, name):
        name += "_"
    return name


def _read(parameter: inspect.Parameter) -> tuple[Any, Any] | None:
    """Return annotation and default of a field, or None where a form has nothing to offer."""
    text = "" if parameter.annotation is parameter.empty else _annotation_text(parameter.annotation)
    default = parameter.default
    if default is parameter.empty or type(default).__module__ == "torch.optim.optimizer":  # its "required" mark
        return _read_required(parameter.name, text)
    if isinstance(default, bool):
        return bool, default
    if isinstance(default, (int, float)):
        if not math.isfinite(default):
            return None
        whole = type(default) is int and re.search(r"\bint\b", text) and "float" not in text
        return (int if whole else float), default
    if isinstance(default, str):
        return str, default
    if isinstance(default, (tuple, list)) and default:
        return _read_floats(default)
    if default is None:
        for word, kind in (("float", float | None), ("int", int | None), ("bool", bool | None), ("str", str | None)):
            if re.search(rf"\b{word}\b", text):
                return kind, None
    return None


def _read_required(name: str, text: str) -> tuple[Any, Any] | None:
    if name == "lr":
        return float, 1e-3
    for word, kind in (("float", float | None), ("int", int | None), ("bool", bool | None), ("str", str | None)):
        if re.search(rf"\b{word}\b", text):
            return kind, None
    return float | None, None


def _read_floats(default: tuple[Any, ...] | list[Any]) -> tuple[Any, Any] | None:
    if not all(item is None or (isinstance(item, (int, float)) and not isinstance(item, bool)) for item in default):
        return None
    item = float | None if None in default else float
    return tuple[(item,) * len(default)], tuple(None if x is None else float(x) for x in default)  # type: ignore[misc]


def _annotation_text(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


@functools.lru_cache(maxsize=256)
def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function; looked up once, since steps of optimisers are asked in every step."""
    return inspect.signature(function).parameters


def accepts(function: Callable[..., Any], argument: str) -> bool:
    """Return whether a function takes an argument of that name."""
    return argument in parameters_of(function)


def is_optimizer(cls: object) -> bool:
    """Return whether something is a class of torch optimisers that can be built."""
    return isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer) and cls is not torch.optim.Optimizer
