"""Rotations and rigid motions: SO(3) and SE(3) in torch, batched on leading axes.

Every function is pure, takes and returns tensors of float32 or float64 on any device, and may be differentiated
twice. Twists are ``(v, w)``: translation first, rotation vector in rad. Poses act as ``x' = R x + t``.
"""

from importlib import import_module
from typing import Any

__all__ = ["se3", "so3"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
