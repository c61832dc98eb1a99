"""What a race of reconstructions has shown, in sentences whose figures come from the recordings. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lieapp.gui.run_entry import RunEntry

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines

__all__ = ["ONE_PASS_WORDS", "reconstruction_caption"]

ONE_PASS_WORDS = (
    "Dashed: one pass over the images, divided by the weights. With known poses it needs no steps, and it fits less of "
    "the noise. Descent is for what has no such formula: unknown poses, moving parts, learned priors."
)
"""What stands beside the line of the one-pass reconstruction."""


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
        lines.append(f"One pass: gap {baselines.one_pass.loss_gap:.2g}{_outer(baselines.one_pass.shell_error)}.")
    return "\n".join(lines)


def _line(entry: RunEntry) -> str:
    recording, last = entry.recording, entry.best
    parts = []
    gap = entry.last_known("loss_gap", last)
    if gap is not None:
        parts.append(f"gap {gap:.2g}")
    words = ", ".join(parts) + _outer(np.asarray(recording.state(last)["shell_error"], dtype=np.float64))
    resolution = entry.value("resolution_angstrom", last)
    if resolution is not None:
        words += f"; {resolution:.1f} Å"
    epochs = entry.value("epoch", last) or 0.0
    outcome = recording.outcome
    ended = f" {outcome.message}" if outcome is not None and outcome.kind in ("diverged", "failed") else ""
    return f"{entry.title} after {epochs:.3g} epochs: {words.lstrip(', ')}.{ended}"


def _outer(errors: np.ndarray) -> str:
    """Return the error of the outer and of an inner shell, in words."""
    shells = len(errors)
    outer, inner = shells - 2, max(1, shells // 4)
    if shells < 6 or not math.isfinite(float(errors[outer])):
        return ""
    return f", error {errors[inner]:.2f} in shell {inner}, {errors[outer]:.2f} in shell {outer}"
