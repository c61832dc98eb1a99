"""From a name to settings, and from settings to an optimiser."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lieapp.optimizers.errors import OptimizerError, exit_words
from lieapp.optimizers.names import TORCH_CLASSES, UNUSABLE, normalised, unknown_optimizer
from lieapp.optimizers.oracle import Oracle
from lieapp.optimizers.settings import SETTINGS, OptimizerSettings
from lieapp.optimizers.signatures import accepts, form_of, is_optimizer, parameters_of

__all__ = [
    "accepts_oracle",
    "available_optimizers",
    "build_optimizer",
    "optimizer_class",
    "settings_class",
    "step_optimizer",
]


def available_optimizers() -> tuple[str, ...]:
    """Return the names that `settings_class` knows with this torch: the named optimisers first, then torch's others."""
    return (*SETTINGS, *sorted(_torch_classes()))


def settings_class(name: str) -> type[OptimizerSettings]:
    """Return the settings class of an optimiser.

    Parameters
    ----------
    name : str
        A named optimiser (``"adam"``), any class of ``torch.optim`` in lower case (``"rmsprop"``), or
        ``"package.module:Class"``.

    Returns
    -------
    type
        Subclass of `OptimizerSettings`; for classes without settings of their own, made from their signature.

    Raises
    ------
    OptimizerError
        If there is no such optimiser, or it can drive no problem here.
    """
    if ":" in name:
        cls = optimizer_class(name)
        _refuse_unusable(cls.__name__)
        return form_of(cls, name.strip())
    key = normalised(name)
    if key in SETTINGS:
        return SETTINGS[key]
    _refuse_unusable(key)
    classes = _torch_classes()
    if key in classes:
        return form_of(classes[key], key)
    if key in TORCH_CLASSES:
        raise OptimizerError(f"torch {torch.__version__} has no optimiser {TORCH_CLASSES[key]}; a newer one has")
    raise unknown_optimizer(name, available_optimizers())


def optimizer_class(target: str) -> type[Optimizer]:
    """Return the class that a ``"package.module:Class"`` names.

    Raises
    ------
    OptimizerError
        If the module cannot be imported, or has no such optimiser.
    """
    module_name, _, class_name = target.strip().partition(":")
    if module_name.endswith(".py"):
        meant = module_name.removesuffix(".py").replace("\\", "/").removeprefix("./").replace("/", ".")
        raise OptimizerError(f"optimiser {target!r}: expected a module, not a file: {meant}:{class_name}")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a foreign module does when imported is the user's to know
        cause = exit_words(error) or " ".join(str(error).split()) or type(error).__name__
        raise OptimizerError(f"optimiser {target!r}: cannot import {module_name!r}: {cause}") from error
    found: object = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
    if found is None:
        offered = sorted(key for key, value in vars(module).items() if is_optimizer(value))
        hint = f"; it has {', '.join(offered)}" if offered else ""
        raise OptimizerError(f"optimiser {target!r}: module {module_name!r} has no class {class_name!r}{hint}")
    if not is_optimizer(found):
        raise OptimizerError(f"optimiser {target!r}: {class_name!r} is not a subclass of torch.optim.Optimizer")
    assert isinstance(found, type)
    return found


def build_optimizer(
    settings: OptimizerSettings, parameters: Iterable[Tensor], *, generator: torch.Generator | None = None
) -> Optimizer:
    """Build the optimiser that settings describe.

    Parameters
    ----------
    settings : OptimizerSettings
        What to build; its schedule is the caller's to apply.
    parameters : iterable of Tensor
        Leaf tensors.
    generator : torch.Generator, optional
        Source of randomness, for classes that take one.

    Returns
    -------
    torch.optim.Optimizer

    Raises
    ------
    OptimizerError
        If the class refuses the settings or the parameters.
    """
    cls = optimizer_class(settings.target)
    values = list(parameters)
    _refuse_unusable(cls.__name__)
    if cls is getattr(torch.optim, "Muon", None):
        for index, p in enumerate(values):
            if p.ndim != 2:
                raise OptimizerError(
                    f"{settings.label()} works on matrices only, but parameter {index} has shape {tuple(p.shape)}; "
                    "take another optimiser"
                )
    arguments = settings.arguments()
    if generator is not None and accepts(cls.__init__, "generator"):
        arguments["generator"] = generator
    try:
        return cls(values, **arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        raise OptimizerError(f"{settings.label()}: {' '.join(str(error).split())}") from error
    except (Exception, SystemExit) as error:  # of a class that nobody here knows
        cause = exit_words(error) or " ".join(f"{type(error).__name__}: {error}".split())
        raise OptimizerError(f"{settings.label()}: cannot be built: {cause}") from error


def accepts_oracle(optimizer: Optimizer) -> bool:
    """Return whether the optimiser's step takes an ``oracle``."""
    return accepts(type(optimizer).step, "oracle")


def step_optimizer(optimizer: Optimizer, oracle: Oracle) -> Tensor:
    """Take one step, giving the optimiser what its ``step`` accepts: the oracle, a closure, or just a gradient.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        What steps.
    oracle : Oracle
        What it asks; its ``gradient`` is the closure.

    Returns
    -------
    Tensor
        The loss before the step, as the optimiser reports it.
    """
    step: Any = optimizer.step
    if accepts_oracle(optimizer):
        return torch.as_tensor(step(oracle.gradient, oracle=oracle))
    if _takes_closure(optimizer):
        return torch.as_tensor(step(oracle.gradient))
    loss = oracle.gradient()
    step()
    return loss


def _takes_closure(optimizer: Optimizer) -> bool:
    parameters = list(parameters_of(type(optimizer).step).values())[1:]
    return any(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL) for p in parameters)


def _torch_classes() -> dict[str, type[Optimizer]]:
    return {
        key.lower(): value
        for key, value in vars(torch.optim).items()
        if is_optimizer(value) and key.lower() not in UNUSABLE and key.lower() not in SETTINGS
    }


def _refuse_unusable(name: str) -> None:
    reason = UNUSABLE.get(name.lower())
    if reason is not None:
        raise OptimizerError(reason)
