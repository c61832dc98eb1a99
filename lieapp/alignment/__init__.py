"""Problem one, superposing structures: what is asked, what is minimised, the exact answer, the Lie problem, the report.

Everything here but `problem` is free of torch. Names are imported when they are first used.
"""

from importlib import import_module
from typing import Any

__all__ = [
    "AlignInputs",
    "AlignJob",
    "AlignReport",
    "AlignmentError",
    "load_inputs",
    "make_objective",
    "prune_core",
    "report_align",
    "superpose",
    "superpose_robust",
]

_LAZY = {
    "AlignInputs": "inputs",
    "AlignJob": "spec",
    "AlignReport": "report",
    "AlignmentError": "errors",
    "load_inputs": "inputs",
    "make_objective": "objectives",
    "prune_core": "superposition",
    "report_align": "report",
    "superpose": "superposition",
    "superpose_robust": "superposition",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
