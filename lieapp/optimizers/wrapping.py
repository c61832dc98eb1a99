"""Building the optimiser that another one wraps."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.registry import build_optimizer, settings_class
from lieapp.optimizers.settings import OptimizerSettings, WrappedSettings

__all__ = ["Base", "build_base"]

Base = str | OptimizerSettings | WrappedSettings | type[Optimizer] | Callable[..., Optimizer] | Optimizer
"""What may be wrapped: a name, settings, a class, a factory of parameters, or an optimiser that exists."""


def build_base(
    params: Any, base: Base, options: Mapping[str, Any], generator: torch.Generator | None = None
) -> Optimizer:
    """Return the optimiser to wrap.

    Parameters
    ----------
    params : iterable or None
        As for any torch optimiser; None, or the same tensors, where ``base`` is an optimiser already.
    base : str, settings, type, callable or Optimizer
    options : mapping
        Arguments of the class or factory, settings of a name.
    generator : torch.Generator, optional
        For bases that draw.

    Raises
    ------
    TypeError
        If ``base`` is none of these.
    ValueError
        If an existing optimiser holds other parameters or gets options, or the base cannot be wrapped.
    """
    if isinstance(base, Optimizer):
        _check_same(params, base, options)
        found = base
    elif isinstance(base, str):
        found = _by_settings(settings_class(base)().updated(options), params, generator)
    elif isinstance(base, WrappedSettings):
        name, overrides = base.choice()
        found = _by_settings(settings_class(name)().updated({**overrides, **options}), params, generator)
    elif isinstance(base, OptimizerSettings):
        found = _by_settings(base.updated(options), params, generator)
    elif callable(base):
        arguments = dict(options)
        if isinstance(base, type) and generator is not None and "generator" in inspect.signature(base).parameters:
            arguments.setdefault("generator", generator)
        found = base(params, **arguments)
        if not isinstance(found, Optimizer):
            raise TypeError(f"Invalid base: {base!r} made a {type(found).__name__}, not an optimiser")
    else:
        raise TypeError(f"Invalid base: {base!r} is no name, settings, class, factory or optimiser")
    _check_wrappable(found)
    return found


def _by_settings(settings: OptimizerSettings, params: Any, generator: torch.Generator | None) -> Optimizer:
    try:
        return build_optimizer(settings, params, generator=generator)
    except OptimizerError as error:
        if isinstance(error.__cause__, (ValueError, TypeError, RuntimeError)):
            raise error.__cause__ from None  # it names the value; who builds this wrapper adds the name
        raise


def _check_same(params: Any, base: Optimizer, options: Mapping[str, Any]) -> None:
    if options:
        raise ValueError(f"Invalid options: {', '.join(options)} cannot be given to an optimiser that exists")
    if params is None:
        return
    given = {id(p[1] if isinstance(p, tuple) else p) for p in _tensors(params)}
    if given != {id(p) for group in base.param_groups for p in group["params"]}:
        raise ValueError("Invalid base: it optimises other parameters than those given; pass params=None")


def _tensors(params: Any) -> list[Any]:
    entries = list(params)
    return [p for entry in entries for p in (_tensors(entry["params"]) if isinstance(entry, dict) else [entry])]


def _check_wrappable(base: Optimizer) -> None:
    name = type(base).__name__
    closure = inspect.signature(base.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise ValueError(f"Invalid base: {name} evaluates the closure itself, which would undo any change of gradient")
    if any(group.get("differentiable") for group in base.param_groups):
        raise ValueError("Invalid differentiable: a step that searches for curvature cannot be differentiated")
    if any(group.get("maximize") for group in base.param_groups):
        raise ValueError("Invalid maximize: negate the loss instead, so that its curvature is what is searched")
