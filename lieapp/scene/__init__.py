"""What is drawn in 3-D, by vispy's gloo; no Qt. Names are loaded when they are asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lieapp.scene.camera import Viewpoint
    from lieapp.scene.colors import deviation_colors
    from lieapp.scene.errors import SceneError
    from lieapp.scene.headless import render_alignment
    from lieapp.scene.molecular_scene import Ghost, MolecularScene
    from lieapp.scene.picking import Hit

__all__ = ["Ghost", "Hit", "MolecularScene", "SceneError", "Viewpoint", "deviation_colors", "render_alignment"]

_HOMES = {
    "Ghost": "molecular_scene",
    "Hit": "picking",
    "MolecularScene": "molecular_scene",
    "SceneError": "errors",
    "Viewpoint": "camera",
    "deviation_colors": "colors",
    "render_alignment": "headless",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
