"""Structures as arrays: reading, writing, fetching, selecting, pairing, secondary structure. numpy only."""

from importlib import import_module
from typing import Any

_LAZY = {
    "Atoms": "structure",
    "ChainMatch": "pairing",
    "FileFormat": "structure",
    "LeftOut": "pairing",
    "Pairing": "pairing",
    "Residues": "structure",
    "SourceFile": "structure",
    "Structure": "structure",
    "StructureError": "errors",
    "WrittenFile": "writing",
    "fetch_structure": "fetching",
    "identify_format": "reading",
    "is_entry_id": "fetching",
    "pair_structures": "pairing",
    "read_structure": "reading",
    "read_structures": "reading",
    "secondary_structure": "secondary",
    "select_residues": "selection",
    "write_structure": "writing",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
