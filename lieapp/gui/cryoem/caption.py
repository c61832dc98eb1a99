"""What a race of reconstructions has shown, in sentences whose figures come from the recordings. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lieapp.cryoem.resolution import resolution_words
from lieapp.gui.runs.entry import RunEntry

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines
    from lieapp.gui.cryoem.session import CryoemChoices, ParticleFacts

__all__ = ["ONE_PASS_WORDS", "opening_words", "reconstruction_caption"]

ONE_PASS_WORDS = (
    "Dashed: one pass over the images, divided by the weights. With known poses it needs no steps, and it fits less of "
    "the noise. Descent is for what has no such formula: unknown poses, moving parts, learned priors."
)
"""What stands beside the line of the one-pass reconstruction."""


_FIRST = (
    "A particle, and some of its 1000 noisy images, each from another, known side. Press Race: three methods put the "
    "particle together from them at equal cost. Then drag the time bar and watch the fine detail: plain SGD leaves it "
    "behind."
)
_LATER = (
    "Press Race: the entrants reconstruct from these images at equal cost. Let go of a slider and they run again; for "
    "another entrant choose an optimiser and a preconditioner, then Add to race."
)


def opening_words(choices: CryoemChoices, facts: ParticleFacts | None, *, as_opened: bool) -> str:
    """Return what is shown before a run, and what to do next.

    Parameters
    ----------
    choices : CryoemChoices
    facts : ParticleFacts or None
        Of the particles that are chosen.
    as_opened : bool
        Whether nothing was chosen yet.
    """
    if as_opened:
        return _FIRST
    if choices.simulated or facts is None:
        return _LATER
    halves = (
        "Two half sets are reconstructed side by side, so that their correlation (FSC) tells the resolution."
        if choices.half_sets
        else "Tick half maps under Start, prior, half maps for an FSC: particles have no truth to be compared with."
    )
    return (
        f"The first of {facts.images} particles, with the poses and shifts of their file; no orientation is searched. "
        "Press Run for one reconstruction by the method in the panel, or Race to compare the entrants at equal cost. "
        + halves
    )


def reconstruction_caption(entries: Sequence[RunEntry]) -> str:
    """Return what some finished runs on the same images have reached.

    Parameters
    ----------
    entries : sequence of RunEntry
        With at least one frame each.
    """
    if not entries:
        return ""
    lines = [_line(entry) for entry in entries]
    source = entries[0].inputs
    baselines: Baselines | None = getattr(source, "baselines", None)
    if baselines is not None and math.isfinite(baselines.one_pass.loss_gap):
        extent = baselines.box * baselines.pixel_size_angstrom
        lines.append(
            f"One pass: gap {baselines.one_pass.loss_gap:.2g}{_outer(baselines.one_pass.shell_error, extent)}."
        )
    return "\n".join(lines).replace("≤ ", "≤\N{NO-BREAK SPACE}").replace(" Å", "\N{NO-BREAK SPACE}Å")


def _line(entry: RunEntry) -> str:
    recording, last = entry.recording, entry.best
    parts = []
    gap = entry.last_known("loss_gap", last)
    if gap is not None:
        parts.append(f"gap {gap:.2g}")
    seen = recording.metadata["reconstruction"]
    box, pixel = seen["box"], seen["pixel_size_angstrom"]
    errors = recording.state(last, ("shell_error",))["shell_error"]
    words = ", ".join(parts) + _outer(np.asarray(errors, dtype=np.float64), box * pixel)
    resolution = entry.value("resolution_angstrom", last)
    if resolution is not None:
        words += f"; resolution {resolution_words(resolution, box, pixel)}"
    epochs = entry.value("epoch", last) or 0.0
    outcome = recording.outcome
    ended = f" {outcome.message}" if outcome is not None and outcome.kind in ("diverged", "failed") else ""
    return f"{entry.title} after {epochs:.3g} epochs: {words.lstrip(', ')}.{ended}"


def _outer(errors: np.ndarray, extent_angstrom: float) -> str:
    """Return the error of an inner and of an outer shell, in words."""
    shells = len(errors)
    outer, inner = shells - 2, max(1, shells // 4)
    if shells < 6 or not math.isfinite(float(errors[outer])):
        return ""
    places = " and ".join(f"{errors[shell]:.2f} at {extent_angstrom / shell:.0f} Å" for shell in (inner, outer))
    return f", error {places}"
