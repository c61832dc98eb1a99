"""The model that every group of settings derives from: frozen, strict about names, forgiving about strings."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.fields import FieldSpec, allowed_text, fields_by_name, parse_value

__all__ = ["SettingsModel"]


class SettingsModel(BaseModel):
    """A frozen group of settings whose values may be given as typed strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), use_attribute_docstrings=False)

    @field_validator("*", mode="before")
    @classmethod
    def _parse(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        spec = fields_by_name(cls)[info.field_name]
        return value if spec.type == "group" else parse_value(spec, value)

    @classmethod
    def label(cls) -> str:
        """Return the name that error messages use."""
        return cls.__name__

    def updated(self, overrides: Mapping[str, object]) -> Self:
        """Return a copy with some settings changed.

        Parameters
        ----------
        overrides : mapping of str to object
            Keys may nest by dots (``"schedule.kind"``) or by mappings, and may use hyphens for underscores; values
            may be strings as typed (``"1e-3"``, ``"0.9,0.999"``, ``"true"``).

        Returns
        -------
        SettingsModel
            Of the same class.

        Raises
        ------
        OptimizerError
            Naming key, value, what is allowed, and for an unknown key the nearest existing one.
        """
        return self._updated(overrides, self.label(), "")

    def _updated(self, overrides: Mapping[str, object], label: str, prefix: str) -> Self:
        specs = fields_by_name(type(self))
        values = {name: getattr(self, name) for name in specs}
        for raw_key, value in overrides.items():
            head, _, rest = str(raw_key).strip().partition(".")
            name = head.strip().replace("-", "_")
            if name not in specs:
                raise OptimizerError(_unknown(label, prefix, str(raw_key), name, specs))
            spec, path = specs[name], f"{prefix}{name}"
            if spec.type == "group":
                values[name] = self._updated_group(spec, values[name], rest, value, label, path)
            elif rest:
                raise OptimizerError(f"{label}: {path} is a single value and has no setting {_short(rest)}")
            else:
                try:
                    values[name] = parse_value(spec, value)
                except ValueError as error:
                    raise OptimizerError(f"{label}: {path} = {_short(value)}: {error}") from None
        try:
            return type(self)(**values)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            message = str(details["msg"]).removeprefix("Value error, ")
            raise OptimizerError(f"{label}: {prefix.rstrip('.') + ': ' if prefix else ''}{message}") from None

    @staticmethod
    def _updated_group(spec: FieldSpec, current: SettingsModel, rest: str, value: object, label: str, path: str) -> Any:
        if rest:
            return current._updated({rest: value}, label, f"{path}.")
        if isinstance(value, type(current)):
            return value
        if isinstance(value, Mapping):
            return current._updated(value, label, f"{path}.")
        raise OptimizerError(f"{label}: {path} = {_short(value)}: it is {allowed_text(spec)}")


def _unknown(label: str, prefix: str, key: str, name: str, specs: Mapping[str, FieldSpec]) -> str:
    # The same name in a group, such as base.lr for lr, is surely nearer than one that has letters in common.
    close = [path for path in _paths(specs) if path.rpartition(".")[2] == name][:1]
    close = close or (difflib.get_close_matches(name, specs, n=1, cutoff=0.0) if specs else [])
    hint = f"; nearest: {prefix}{close[0]}" if close else ""
    return f"{label} has no setting {_short(prefix + key)}{hint} (it has {', '.join(prefix + name for name in specs)})"


def _paths(specs: Mapping[str, FieldSpec]) -> list[str]:
    """Return the names of all settings, those in groups with dots."""
    found: list[str] = []
    for name, spec in specs.items():
        inner = _paths({child.name: child for child in spec.children})
        found += [f"{name}.{path}" for path in inner] if inner else [name]
    return found


def _short(value: object) -> str:
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # an integer too long to print
        text = f"a {type(value).__name__}"
    text = " ".join(text.split()) if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= 60 else text[:57] + "..."
