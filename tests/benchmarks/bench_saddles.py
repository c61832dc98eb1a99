"""Who leaves a saddle, and at what price: the table of methods, every strict saddle, and walks up to saddles.

All figures are evaluations, counted by the oracle: a gradient is 1, and so is a product by difference of gradients; an
exact Hessian-vector product is 2. Methods that step by the gradient have the same step, 0.5 / largest curvature where
descent from the saddle can come.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import os
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.benchmarks.saddle_cases import Case, beside_with_the_step_of_the_saddle, strict_saddles, table
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
from tests.benchmarks.saddle_search import ROUGH, TOLERANCE, Climb, climb, climb_with_ase, places, start_of

SEEDS = 10
RACERS = (GD, PERTURBED, ESCAPE)

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
    cells |= measure_all(columns[-1:], methods, 1, tell)
    cells |= measure_all(columns[-1:], RACERS if not quick else (GD,), min(seeds, ENOUGH), tell)
    unstable = [] if quick else [beside_with_the_step_of_the_saddle()]
    races = measure_all([*saddles, *unstable], RACERS, seeds, tell)
    walks = climbs(seeds if not quick else 1, 1 if quick else None)
    claims = _claims(columns, cells, saddles, races)
    _written[:] = [
        summary(columns, cells, saddles, races, walks, claims),
        _preface(seeds),
        _table(columns, methods, cells),
        _saddle_table(saddles, races),
        *([_unstable_row(unstable[0], races)] if unstable else []),
        _walk_table(walks),
    ]
    rows = claims + [walk.row() for walk in walks]
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
        f"{ENOUGH} starts never left, the others were not run. Of Rosenbrock's valley, which costs thousands, one "
        f"start is run, and {ENOUGH} of gradient descent, perturbed and DEO escape. Adam, Sophia, saddle-free Newton "
        "and L-BFGS have what is recommended for each landscape.\n"
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
        figures = _figures(case, cells)
        verdict = "yes" if _is_first(figures) else "**no**"
        lines.append("| " + " | ".join([case.title, *(figure.text() for figure in figures), verdict]) + " |")
    return "\n".join(lines) + "\n"


def _figures(case: Case, cells: dict[tuple[str, str], Cell]) -> list[Figure]:
    return [cells[case.name, method.title].escaped for method in RACERS]


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
    won = sum(_is_first(_figures(case, races)) for case in saddles)
    name = "strict saddles of surfaces that DEO escape leaves first"
    return [*rows, _row(name, float(won), "saddles", "all", won / len(saddles), "ratio = 1")]


@dataclass(frozen=True)
class Walks:
    """Walks up to saddles from beside one minimum, by the mode reflect and by ASE's dimer where it is installed."""

    title: str
    own: list[Climb]
    peer: list[Climb]

    def medians(self, level: str) -> tuple[float, float]:
        """Return evaluations of those that found a saddle: ours and ASE's."""
        own, peer = (_median([getattr(walk, level) for walk in all_ if walk.found]) for all_ in (self.own, self.peer))
        return own, peer

    @property
    def found(self) -> tuple[int, int]:
        """How many found a saddle."""
        return sum(walk.found for walk in self.own), sum(walk.found for walk in self.peer)

    @property
    def ratio(self) -> float | None:
        """Evaluations over ASE's, from starts from which both found a saddle."""
        both = [
            (a.evaluations, b.evaluations) for a, b in zip(self.own, self.peer, strict=False) if a.found and b.found
        ]
        return _median([a for a, _ in both]) / _median([b for _, b in both]) if both else None

    def row(self) -> dict[str, Any]:
        """Return the row of the report."""
        (own, other), (found, theirs), of = self.medians("evaluations"), self.found, len(self.own)
        name = f"reflect, {self.title}, gradient below {TOLERANCE:g} (found {found} of {of})"
        peer = f"ASE {_ase()}'s dimer, {_number(other)} ({theirs} of {of})" if self.peer else ""
        return _row(name, own if math.isfinite(own) else 0.0, "evaluations", peer, self.ratio, "ratio < 1")


def climbs(seeds: int, most: int | None) -> list[Walks]:
    """Return walks up to saddles from all `places`, or the first ones."""
    found = []
    for shape, minimum in places()[:most]:
        starts = [start_of(shape, minimum, seed) for seed in range(seeds)]
        ours = [climb(shape, start, seed=seed) for seed, start in enumerate(starts)]
        theirs = [climb_with_ase(shape, start, seed) for seed, start in enumerate(starts)] if _ase() else []
        found.append(Walks(f"{shape.title} from beside minimum {minimum}", ours, theirs))
    return found


def _ase() -> str:
    return importlib.metadata.version("ase") if importlib.util.find_spec("ase") else ""


def _walk_table(walks: list[Walks]) -> str:
    heads = ["walks", "found", f"to {ROUGH:g}", f"to {TOLERANCE:g}"]
    heads += ["ASE: found", f"to {ROUGH:g}", f"to {TOLERANCE:g}", "ratio where both found"] if _ase() else []
    lines = [
        "## Walks up to saddles: DEO reflect, and ASE's dimer",
        "",
        "Evaluations until the gradient is below a bound: median of those that ended at a saddle of index 1. Both are "
        "charged every gradient, those of rotations and trial steps too, start at the same points, and take the same "
        "longest step.",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
    ]
    for walk in walks:
        (rough, their_rough), (fine, their_fine) = walk.medians("rough"), walk.medians("evaluations")
        parts = [walk.title, f"{walk.found[0]} of {len(walk.own)}", _number(rough), _number(fine)]
        if walk.peer:
            ratio = "-" if walk.ratio is None else f"{walk.ratio:.2f}"
            parts += [f"{walk.found[1]} of {len(walk.peer)}", _number(their_rough), _number(their_fine), ratio]
        lines.append("| " + " | ".join(parts) + " |")
    return "\n".join(lines) + "\n"


def _unstable_row(case: Case, races: dict[tuple[str, str], Cell]) -> str:
    figures = ", ".join(f"{method.title} {races[case.name, method.title].escaped.text()}" for method in RACERS)
    return f"{case.title}, which is unstable farther down, so that it proves nothing: {figures}.\n"


def summary(
    columns: list[Case],
    cells: dict[tuple[str, str], Cell],
    saddles: list[Case],
    races: dict[tuple[str, str], Cell],
    walks: list[Walks],
    claims: list[dict[str, Any]],
) -> str:
    """Return what the figures say, in sentences."""
    names = list(dict.fromkeys(title for name, title in cells if name == columns[0].name))
    lines = ["## What the figures say", ""]
    for case in columns:
        medians = {name: cells[case.name, name].escaped.median for name in names if (case.name, name) in cells}
        least = min(medians.values())
        if not math.isfinite(least):
            lines.append(f"- {case.title}: no method.")
            continue
        first = [name for name, value in medians.items() if value == least]
        own = medians.get(ESCAPE.title, math.inf)
        behind = "" if ESCAPE.title in first else f"; {ESCAPE.title} {_number(own)}"
        lines.append(f"- {case.title}: first {', '.join(first)} ({_number(least)}){behind}.")
    lost = [case.title for case in saddles if not _is_first(_figures(case, races))]
    lines.append(
        f"- Of {len(saddles)} strict saddles of surfaces, {ESCAPE.title} is the first of three to leave "
        f"{len(saddles) - len(lost)}{'; not ' + '; '.join(lost) if lost else ''}."
    )
    failed = [row["name"] + ": " + row["peer"] for row in claims if row["ratio"] is not None and not _holds(row)]
    lines.append(f"- Claims that fail: {'; '.join(failed) if failed else 'none'}.")
    if "L-BFGS" in names:
        never = [case.title for case in columns if not math.isfinite(cells[case.name, "L-BFGS"].escaped.median)]
        before = [
            case.title
            for case in columns
            if cells[case.name, "L-BFGS"].escaped.median < cells[case.name, ESCAPE.title].escaped.median
        ]
        lines.append(
            f"- L-BFGS, which makes no claim to leave saddles, never leaves: {'; '.join(never) or 'none'}; it is ahead "
            f"of {ESCAPE.title} on: {'; '.join(before) or 'none'}."
        )
    for walk in walks:
        (own, other), (found, theirs) = walk.medians("evaluations"), walk.found
        peer = f", ASE's dimer {theirs}{f' in {_number(other)}' if theirs else ''}" if walk.peer else ""
        lines.append(f"- {walk.title}: reflect finds {found} saddles of {len(walk.own)} in {_number(own)}{peer}.")
    return "\n".join(lines) + "\n"


def _holds(row: dict[str, Any]) -> bool:
    limit = row["limit"].removeprefix("ratio ")
    return row["ratio"] == 1.0 if limit == "= 1" else row["ratio"] < float(limit.removeprefix("< "))


def _number(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "never"


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.inf


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None, limit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio, "limit": limit}
