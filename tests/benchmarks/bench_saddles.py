"""Who leaves a saddle, and at what price: the table of methods, every strict saddle, and walks up to saddles.

All figures are evaluations, counted by the oracle: a gradient is 1, and so is a product by difference of gradients; an
exact Hessian-vector product is 2. Methods that step by the gradient have the same step, 0.5 / largest curvature.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import os
import time
from dataclasses import replace
from typing import Any

import numpy as np

from tests.benchmarks.saddle_cases import Case, strict_saddles, table
from tests.benchmarks.saddle_race import (
    ENOUGH,
    ESCAPE,
    GD,
    METHODS,
    PERTURBED,
    PROJECT,
    Cell,
    Figure,
    Method,
    measure_all,
)
from tests.benchmarks.saddle_search import TOLERANCE, climb, climb_with_ase, places, start_of

SEEDS = 10

_written: list[str] = []


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; `text` then has the tables."""
    seeds, begin = (2 if quick else SEEDS), time.perf_counter()
    columns, saddles = table(), strict_saddles()
    methods: tuple[Method, ...] = METHODS
    if quick:
        columns = [replace(case, budget=60.0) for case in columns[:2]]
        saddles, methods = saddles[:1], (GD, PROJECT, ESCAPE)
    tell = print if os.environ.get("LIEAPP_BENCH_VERBOSE") else lambda line: None
    cells = measure_all(columns[:-1], methods, seeds, tell)
    # The valley takes ten thousand evaluations from every start, and much the same number.
    cells |= measure_all(columns[-1:], methods, ENOUGH, tell)
    cells |= measure_all(columns[-1:], (GD, PERTURBED, ESCAPE) if not quick else (GD,), seeds, tell)
    races = measure_all(saddles, (GD, PERTURBED, ESCAPE), seeds, tell)
    _written[:] = [
        _preface(seeds),
        _table(columns, methods, cells),
        _saddle_table(saddles, races),
    ]
    rows = _claims(columns, cells, saddles, races) + _climbs(seeds if not quick else 1, 1 if quick else None)
    _written.append(f"Whole run: {time.perf_counter() - begin:.0f} s.\n")
    return rows


def text() -> str:
    """Return the tables of the last run in Markdown."""
    return "\n".join(_written)


def _preface(seeds: int) -> str:
    return (
        f"Evaluations until f < f_saddle - 10 % of the depth below the saddle: median of {seeds} starts (10th-90th "
        "percentile). After a slash, where given: until f is within 0.1 % of the depth of the deepest minimum. "
        '"never": not within the budget of the column; where the first '
        f"{ENOUGH} starts never left, the others were not run. Of Rosenbrock's valley, which costs thousands, {ENOUGH} "
        "are run but for gradient descent, perturbed and DEO escape. Adam, Sophia, saddle-free Newton and L-BFGS have "
        "what is recommended for each landscape.\n"
    )


def _table(columns: list[Case], methods: tuple[Method, ...], cells: dict[tuple[str, str], Cell]) -> str:
    heads = ["method", *(f"{case.title} (budget {case.budget:g})" for case in columns)]
    lines = ["## Which methods leave which saddle", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for method in methods:
        parts = [method.title]
        for case in columns:
            cell = cells[case.name, method.title]
            both = math.isfinite(case.ended)
            parts.append(f"{cell.escaped.text()} / {cell.ended.text()}" if both else cell.escaped.text())
        lines.append("| " + " | ".join(parts) + " |")
    return "\n".join(lines) + "\n"


def _saddle_table(saddles: list[Case], cells: dict[tuple[str, str], Cell]) -> str:
    heads = ["saddle", GD.title, PERTURBED.title, ESCAPE.title, "escape is first"]
    lines = [
        "## Every strict saddle of every surface (one of those alike)",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
    ]
    for case in saddles:
        figures = [cells[case.name, method.title].escaped for method in (GD, PERTURBED, ESCAPE)]
        verdict = "yes" if _is_first(figures) else "**no**"
        lines.append("| " + " | ".join([case.title, *(figure.text() for figure in figures), verdict]) + " |")
    return "\n".join(lines) + "\n"


def _is_first(figures: list[Figure]) -> bool:
    *others, own = (figure.median for figure in figures)
    return own < min(others)


def _claims(
    columns: list[Case],
    cells: dict[tuple[str, str], Cell],
    saddles: list[Case],
    races: dict[tuple[str, str], Cell],
) -> list[dict[str, Any]]:
    """Return how many of the claims hold, with the figures of each."""
    rows = []
    for case in columns:
        own = cells[case.name, ESCAPE.title].escaped.median
        for method in (GD, PERTURBED):
            if (case.name, method.title) not in cells:
                continue
            other = cells[case.name, method.title].escaped.median
            limit = "ratio < 1.25" if case.name == "rosenbrock" else "ratio < 1"
            if math.isfinite(own):
                ratio = own / other  # 0 where the other never left
                peer = f"{method.title}, {other:.0f}" if math.isfinite(other) else f"{method.title}, never"
                rows.append(_row(f"DEO escape, {case.title}", own, "evaluations", peer, ratio, limit))
    won = sum(_is_first([races[c.name, m.title].escaped for m in (GD, PERTURBED, ESCAPE)]) for c in saddles)
    name = "strict saddles of surfaces that DEO escape leaves first"
    return [*rows, _row(name, float(won), "saddles", "all", won / len(saddles), "ratio = 1")]


def _climbs(seeds: int, most: int | None) -> list[dict[str, Any]]:
    """Return walks up to saddles: by the mode reflect, and by ASE's dimer where it is installed."""
    version = importlib.metadata.version("ase") if importlib.util.find_spec("ase") else ""
    rows = []
    for shape, minimum in places()[:most]:
        starts = [start_of(shape, minimum, seed) for seed in range(seeds)]
        ours = [climb(shape, start, seed=seed) for seed, start in enumerate(starts)]
        theirs = [climb_with_ase(shape, start, seed) for seed, start in enumerate(starts)] if version else []
        own, other = (_median([walk.evaluations for walk in walks if walk.found]) for walks in (ours, theirs))
        label = f"reflect, {shape.title} from beside minimum {minimum}, gradient below {TOLERANCE:g}"
        found = sum(walk.found for walk in ours)
        peer = f"ASE {version}'s dimer, {other:.0f} ({sum(w.found for w in theirs)} of {seeds})" if version else ""
        rows.append(
            _row(
                f"{label} (found {found} of {seeds})",
                own if math.isfinite(own) else 0.0,
                "evaluations",
                peer,
                own / other if version and other > 0.0 else None,
                "a saddle of index 1 found",
            )
        )
    return rows


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.inf


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None, limit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio, "limit": limit}
