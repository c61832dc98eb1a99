"""Basin maps and sweeps in words: what they will cost, before; what they found, after. No torch."""

from __future__ import annotations

import math

from lieapp.engine.stopping import counted
from lieapp.landscapes.basins import BasinMap, BasinSpec
from lieapp.landscapes.sweep import MEASURES, Band, SweepResult, SweepSpec

__all__ = [
    "basin_cost",
    "band_text",
    "missing_word",
    "summarise_basins",
    "summarise_sweep",
    "sweep_cost",
    "time_left",
]


def basin_cost(spec: BasinSpec) -> str:
    """Return what a map will cost at most."""
    how = "in one batch" if spec.elementwise else "one after the other"
    starts = f"{spec.side} × {spec.side} starts {how}"
    return f"{starts}, at most {spec.budget:g} evaluations each: {_grouped(spec.most_evaluations)}"


def sweep_cost(spec: SweepSpec) -> str:
    """Return what a sweep will do and cost at most."""
    low, high = f"{spec.range.low:g}", f"{spec.range.high:g}"
    values = f"{counted(spec.range.count, 'value')} of {spec.range.key} from {low} to {high}"
    return (
        f"{values}, {counted(spec.seeds, 'seed')} each: {_grouped(spec.runs)} runs of at most {spec.budget:g} "
        f"evaluations, {_grouped(spec.most_evaluations)} in all"
    )


def summarise_basins(found: BasinMap) -> str:
    """Return what a map found, in one line."""
    parts = [f"{found.describe(which)}: {found.count(which)}" for which in found.kinds()]
    return f"{'; '.join(parts)}. {_grouped(found.total)} evaluations, {found.seconds:.1f} s"


def summarise_sweep(title: str, found: SweepResult) -> str:
    """Return medians and bands of a sweep as a table, and what it cost.

    Parameters
    ----------
    title : str
        Of the optimiser.
    found : SweepResult

    Returns
    -------
    str
        Lines without a last line break.
    """
    spec = found.spec
    lines = [f"{title}: {spec.range.key}, median of {counted(spec.seeds, 'run')} (10-90 %)"]
    columns = {name: {band.value: band for band in found.bands(name)} for name in MEASURES}
    rows = [["value", *MEASURES.values()]]
    for value in found.values:
        if value in columns["loss"]:
            rows.append([f"{value:g}", *(band_text(columns[name][value], missing_word(name)) for name in MEASURES)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines += ["  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in rows]
    if not found.complete:
        lines.append(f"Stopped after {len(found.runs)} of {len(found.values) * spec.seeds} runs.")
    failed = sum(run.outcome == "failed" for run in found.runs)
    if failed:
        lines.append(f"{failed} of {counted(len(found.runs), 'run')} failed: one of them without the sweep says why.")
    lines.append(
        f"{counted(len(found.runs), 'run')}, {counted(found.evaluations, 'evaluation')}, {found.seconds:.1f} s"
    )
    return "\n".join(lines)


_KNOWN_SECONDS = 1.0  # before, the first runs of anything are slow


def missing_word(measure: str) -> str:
    """Return what is said of runs without a number of one of `MEASURES`: a loss is missing where a run diverged."""
    return "diverged" if measure == "loss" else "never"


def band_text(band: Band, missing: str = "never") -> str:
    """Return a median with its band, and how many runs came there if not all did.

    Parameters
    ----------
    band : Band
    missing : str, optional
        What is said of runs that did not come there.
    """
    if band.reached == 0:
        return f"{missing} (0/{band.runs})"
    if math.isinf(band.median):
        return f"{missing} for {band.runs - band.reached} of {band.runs}"
    share = "" if band.reached == band.runs else f" {band.reached}/{band.runs}"
    low, high = (f"{end:.4g}" if math.isfinite(end) else missing for end in (band.low, band.high))
    return f"{band.median:.4g} ({low} to {high}){share}"


def time_left(fraction: float, seconds: float) -> str:
    """Return how long a study will still take, roughly, as people say it; empty while nobody can know.

    Parameters
    ----------
    fraction : float
        Share of the work that is done, from 0 to 1.
    seconds : float
        What that took.
    """
    if fraction <= 0.0 or seconds < _KNOWN_SECONDS:
        return ""
    left = seconds / fraction * (1.0 - fraction)
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if left >= 1.5 * size:
            return f"about {left / size:.0f} {unit} left"
    return f"about {max(left, 1.0):.0f} s left"


def _grouped(number: float) -> str:
    return f"{number:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
