"""LieApp: three optimisation problems of structural biology, live and truthful."""

from importlib import import_module
from typing import Any

__all__ = ["align", "landscape", "__version__"]

__version__ = "0.1.0"

_LAZY = {"align": "lieapp.api", "landscape": "lieapp.api"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
