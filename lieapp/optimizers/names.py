"""Names of the optimisers, without torch: what a menu lists and how a misspelt name is answered."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.settings import SETTINGS

__all__ = [
    "TORCH_CLASSES",
    "UNUSABLE",
    "check_suits",
    "known_names",
    "name_of",
    "normalised",
    "title_of",
    "unknown_optimizer",
]

TORCH_CLASSES: dict[str, str] = {
    name.lower(): name
    for name in ("Adadelta", "Adafactor", "Adagrad", "Adamax", "ASGD", "Muon", "NAdam", "RAdam", "RMSprop", "Rprop")
}
"""Classes of ``torch.optim`` that are no named optimiser, by lower-case name; an older torch may lack some."""

UNUSABLE: dict[str, str] = {
    "sparseadam": "sparseadam takes sparse gradients only, and every problem here has dense ones; take adam",
}
"""Classes of ``torch.optim`` that can drive no problem here, with the reason."""


def known_names() -> tuple[str, ...]:
    """Return the names of all optimisers: the named ones first, in the order of menus, then those of torch."""
    return (*SETTINGS, *TORCH_CLASSES)


def normalised(name: str) -> str:
    """Return a name as it is looked up: lower case, hyphens for underscores and blanks."""
    return "-".join(name.strip().lower().replace("_", " ").replace("-", " ").split())


def name_of(optimizer: object) -> str:
    """Return the name of an optimiser that may be given as a class, too.

    Parameters
    ----------
    optimizer : str or type
        A name is returned as it is; a class gets the name by which its settings are known, or else
        ``"package.module:Class"``.

    Raises
    ------
    OptimizerError
        If it is something else, such as an optimiser that was built already, or a class that no name leads to.
    """
    if isinstance(optimizer, str):
        return optimizer
    if not isinstance(optimizer, type):
        raise OptimizerError(
            f"optimiser of type {type(optimizer).__name__}: expected a name, such as 'sgd', or a class, such as "
            "torch.optim.SGD; its parameters are those of the problem"
        )
    module, name = optimizer.__module__, optimizer.__qualname__
    if "<locals>" in name:
        raise OptimizerError(f"optimiser {name}: a class inside a function has no name to be found by; move it out")
    if f"{module}.".startswith("torch.optim."):
        module = "torch.optim"
        if name.lower() in TORCH_CLASSES:
            return name.lower()
    target = f"{module}:{name}"
    return next((key for key, settings in SETTINGS.items() if settings.target == target), target)


def title_of(name: str) -> str:
    """Return what a menu shows for a name; a name of a class elsewhere is its own title."""
    key = normalised(name)
    if key in SETTINGS:
        return SETTINGS[key].title
    return TORCH_CLASSES.get(key, name.strip())


def check_suits(name: str, kind: str) -> None:
    """Refuse a named optimiser that is for other problems.

    Parameters
    ----------
    name : str
    kind : str
        ``align``, ``landscape`` or ``cryoem``.

    Raises
    ------
    OptimizerError
        If it is; the message says what it is for and what to take instead.
    """
    settings = SETTINGS.get(normalised(name))
    if settings is not None and settings.problems and kind not in settings.problems:
        raise OptimizerError(
            f"optimiser {settings.name} is for {' and '.join(settings.problems)} only, not for {kind}: "
            f"{settings.elsewhere}"
        )


def unknown_optimizer(name: str, names: Iterable[str] | None = None) -> OptimizerError:
    """Return the error for a name that nothing answers to, with the nearest names."""
    choices = list(known_names() if names is None else names)
    close = difflib.get_close_matches(normalised(name), choices, n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return OptimizerError(
        f"there is no optimiser {name[:60]!r}{hint} (names: {', '.join(choices)}, or package.module:Class)"
    )
