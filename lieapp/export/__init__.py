"""Everything that leaves the program: transforms, moved structures, scripts, tables, figures."""

from importlib import import_module
from typing import Any

__all__ = ["AlignmentResult", "ExportError", "export_alignment"]

_LAZY = {
    "AlignmentResult": "lieapp.export.alignment_result",
    "ExportError": "lieapp.export.errors",
    "export_alignment": "lieapp.export.alignment_bundle",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
