"""Problem two, saddle points: surfaces in the plane, losses of many parameters, what curvature does to an optimiser.

Surfaces, formulas, jobs and captions are free of torch. Names are imported when they are first used.
"""

from importlib import import_module
from typing import Any

__all__ = [
    "LANDSCAPES",
    "SURFACES",
    "Formula",
    "LandscapeError",
    "LandscapeJob",
    "StationaryPoint",
    "Surface",
    "find_stationary_points",
    "parse_formula",
]

_LAZY = {
    "LANDSCAPES": "catalog",
    "SURFACES": "catalog",
    "Formula": "formula",
    "LandscapeError": "errors",
    "LandscapeJob": "spec",
    "StationaryPoint": "points",
    "Surface": "catalog",
    "find_stationary_points": "stationary",
    "parse_formula": "formula",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
