"""What happened in a race, in sentences whose every number comes from the recordings. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lieapp.engine.recording import Recording
from lieapp.engine.stopping import counted
from lieapp.landscapes.growth import NOISE_SHARE, measure_growth
from lieapp.landscapes.points import noun_of
from lieapp.landscapes.report import escaped_at
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.truth import NearestPoint, ReferenceSaddle, Truth, truth_of

__all__ = ["RaceEntry", "race_caption"]

_AT_REST = 0.02  # of the way from the saddle to the nearest minimum: so near counts as there
_GROWS = "×"


@dataclass(frozen=True, eq=False)
class RaceEntry:
    """One run of a race.

    Attributes
    ----------
    name : str
        As the legend shows it.
    job : LandscapeJob
    recording : Recording
        With one frame at least.
    """

    name: str
    job: LandscapeJob
    recording: Recording


def race_caption(entries: Sequence[RaceEntry]) -> str:
    """Return what happened, one sentence or two for every entrant, those that left the saddle first.

    Of a walk to a saddle it is not said that, or whether, it left one.

    Parameters
    ----------
    entries : sequence of RaceEntry
        Of one landscape. Of entrants without a frame it is said how they ended.

    Returns
    -------
    str
        Lines without a last line break; empty if there is nothing to tell.
    """
    shown = [entry for entry in entries if len(entry.recording)]
    stillborn = [
        f"{entry.name}: {entry.recording.outcome.message}"
        for entry in entries
        if not len(entry.recording) and entry.recording.outcome is not None
    ]
    if not shown:
        return "\n".join(stillborn)
    told = []
    for place, entry in enumerate(shown):
        truth = _truth(entry)
        left = math.nan if _climbs(entry) else escaped_at(entry.recording, truth)
        told.append((left if math.isfinite(left) else math.inf, place, f"{entry.name} {_story(entry, truth, left)}"))
    sentences = [sentence for _, _, sentence in sorted(told)]
    legend = f"; {_GROWS} is the growth of the unstable coordinate" if _GROWS in "".join(sentences) else ""
    return "\n".join([f"{_opening(shown)}{legend}:", *sentences, *stillborn])


def _truth(entry: RaceEntry) -> Truth:
    point = entry.recording.state(0).get("point")
    return truth_of(entry.job, None if point is None else tuple(point.tolist()))


def _opening(entries: Sequence[RaceEntry]) -> str:
    first = entries[0]
    most = max(entry.recording.row(-1)["evaluations"] for entry in entries)
    title = first.job.title
    point = first.recording.state(0).get("point")
    start = f" from {_place(point.tolist())}" if point is not None and point.size <= 3 else ""
    return f"{title}{start}, up to {counted(most, 'evaluation')}"


def _story(entry: RaceEntry, truth: Truth, left: float) -> str:
    row = entry.recording.row(-1)
    parts = []
    if _climbs(entry) and row.get("step", 0.0) > 0.0:
        parts.append(f"walked towards a saddle for {counted(row['evaluations'], 'evaluation')}")
    elif truth.saddle is not None:
        noun = noun_of(truth.saddle.point.kind)
        near = _starts_near(entry, truth.saddle)
        if row.get("step", 0.0) == 0.0:
            parts.append("did not move")
        elif left == 0.0:
            parts.append(f"started below the {noun}")
        elif math.isfinite(left):
            parts.append(f"{'left' if near else 'fell below'} the {noun} after {counted(left, 'evaluation')}")
        else:
            verb = "leave" if near else "fall below"
            parts.append(f"did not {verb} the {noun} in {counted(row['evaluations'], 'evaluation')}")
    growth = _growth(entry, truth)
    if parts and growth.startswith(_GROWS):
        parts[0], growth = f"{parts[0]}, {growth}", ""
    parts += [growth, _end(entry, truth)]
    return "; ".join(part for part in parts if part) + "."


def _climbs(entry: RaceEntry) -> bool:
    return entry.recording.best_by == "gradient_norm"


def _starts_near(entry: RaceEntry, saddle: ReferenceSaddle) -> bool:
    """Whether a run starts no farther from its saddle than the nearest minimum: else it has none to leave."""
    start = entry.recording.state(0).get("point")
    position = saddle.point.position
    if start is None or start.size != len(position):
        return True
    return float(np.linalg.norm(start - np.asarray(position))) <= saddle.reach


def _growth(entry: RaceEntry, truth: Truth) -> str:
    growth = measure_growth(entry.recording, truth)
    if growth is None or growth.steps < 2:
        if growth is None:
            return ""
        largest = float(np.abs(entry.recording.column("unstable_coordinate")).max())
        if largest == 0.0:
            return "its unstable coordinate stayed exactly 0"
        reach = 1.0 if truth.saddle is None else truth.saddle.reach
        return "its unstable coordinate stayed 0 to rounding" if largest < NOISE_SHARE * reach else ""
    text = f"{_GROWS} {growth.observed:.4f} a step"
    return text if math.isnan(growth.predicted) else f"{text} (theory: {growth.predicted:.4f})"


def _end(entry: RaceEntry, truth: Truth) -> str:
    recording = entry.recording
    row = recording.row(-1)
    outcome = recording.outcome
    loss = f"loss {row['loss']:.6g}"
    if outcome is not None and outcome.kind == "failed":
        # Only the message knows why; what follows its first sentence is on the frame that was kept.
        return outcome.message.split(". ", 1)[0].rstrip(".").replace("Failed", "failed", 1)
    if outcome is not None and outcome.kind == "diverged":
        return f"{outcome.kind}, {loss}"
    state = recording.state(len(recording) - 1)
    nearest = truth.nearest(state["point"], row["loss"]) if "point" in state else None
    verb = "ends" if outcome is None or outcome.kind == "converged" else "is"
    if nearest is None:
        return f"{verb} at {loss}"
    reach = 1.0 if truth.saddle is None else truth.saddle.reach
    if nearest.distance is None or nearest.distance <= _AT_REST * reach:
        return f"{verb} at the {_kind(nearest)}, {loss}"
    return f"{verb} {nearest.distance:.3g} from the {_kind(nearest)}, {loss}"


def _kind(nearest: NearestPoint) -> str:
    if nearest.kind in ("minimum", "maximum") or nearest.index is None:
        return noun_of(nearest.kind)
    return f"{noun_of(nearest.kind)} of index {nearest.index}"


def _place(numbers: Sequence[float]) -> str:
    return f"({', '.join(f'{number:g}' for number in numbers)})"
