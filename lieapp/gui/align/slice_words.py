"""What is said about a slice: its marks, the poses of runs, and the places on it. No widgets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lieapp.gui.align.session import pose_of
from lieapp.gui.align.slice_track import Track

if TYPE_CHECKING:
    from lieapp.alignment.slice import Mark, Slice

__all__ = [
    "EXPLANATION",
    "caption_text",
    "description_text",
    "is_drawn",
    "mark_label",
    "mark_sign",
    "mark_text",
    "place_text",
    "position_text",
    "value_text",
]

EXPLANATION = (
    "Every point is one pose: from the best pose, a turn about the mobile centroid and a shift of it, as the axes say. "
    "Nothing is minimised over what is not shown; on turns, the centroid stays where the best pose has it. "
    "The rim is half a turn: opposite points of it are the same rotation. Paths leave the plane: they are drawn at "
    "the nearest point, and fade with the distance between the two poses (RMS displacement of the mobile structure)."
)

_NEAR_RADII = 0.5  # marks farther from the plane than this are named below, not drawn
_IN_PLANE = 0.05  # Å
_SHORT = {
    "minimum": "min",
    "saddle 1": "saddle",
    "saddle 2": "saddle",
    "maximum": "max",
    "best known": "best",
    "Kabsch": "Kabsch",
}


def is_drawn(found: Slice, mark: Mark) -> bool:
    """Return whether a mark is near enough to the plane, and within it, to be drawn."""
    within = all(abs(mark.places[0][k]) <= 1.01 * found.plane.axes[k].extent for k in (0, 1))
    return within and mark.distance <= _NEAR_RADII * found.plane.surface.radius


def mark_sign(mark: Mark) -> str:
    """Return the letter in the disc of a mark: the index of a critical point, else its initial."""
    return mark.title[:1] if mark.index is None else str(mark.index)


def mark_label(found: Slice, mark: Mark) -> str:
    """Return what stands beside a mark, such as ``min 1.08 Å``."""
    return f"{_SHORT[mark.title]} {value_text(found, mark.value)}"


def mark_text(found: Slice, mark: Mark) -> str:
    """Return all that there is to say about a mark."""
    place = "" if mark.in_plane else f", {mark.distance:.1f} Å out of the plane"
    return f"{mark_sign(mark)}: {mark.title}, {value_text(found, mark.value)}{place}"


def value_text(found: Slice, value: float) -> str:
    """Return a value of the objective with its unit."""
    return f"{_number(found, value)} {found.unit}".rstrip()


def position_text(found: Slice, track: Track, row: int) -> str:
    """Return where a run was in a row of its path, with the objective at the pose itself."""
    title = f"{track.run.title}, step {track.frames[row]}"
    if not np.isfinite(track.coordinates[row]).all():
        return f"{title}: not finite"
    out = float(track.distances[row])
    where = "in the plane" if out < _IN_PLANE else f"{out:.1f} Å out of the plane"
    return f"{title}: {found.title} {value_text(found, _value_of(found, track, row))}, {where}"


def place_text(found: Slice, x: float, y: float) -> str:
    """Return what is at a place of the slice, in units of its axes."""
    rim = found.plane.rim
    beyond = [abs(value) > axis.extent for value, axis in zip((x, y), found.plane.axes, strict=True)]
    if (rim is not None and math.hypot(x, y) > rim) or any(beyond):
        return "" if rim is None else "Beyond half a turn the same rotations come again."
    value = float(found.plane.values(np.array([[x, y]]))[0])
    where = ", ".join(
        f"{axis.title.partition(',')[0]} {number:.1f} {axis.unit}".replace(" °", "°")
        for number, axis in zip((x, y), found.plane.axes, strict=True)
    )
    return f"{found.title} {value_text(found, value)}\n{where}"


def caption_text(found: Slice, track: Track | None, row: int) -> str:
    """Return the lines below a slice: where the current run is, and which marks lie off the plane."""
    lines = [] if track is None or row < 0 else [position_text(found, track, row)]
    away = [mark for mark in found.marks if not is_drawn(found, mark)]
    if away:
        words = [f"{_SHORT[mark.title]} {_number(found, mark.value)}" for mark in away]
        lines.append(f"Off this plane: {', '.join(words)} {found.unit}".rstrip())
    return "\n".join(lines or ["Runs are drawn here as they go."])


def description_text(found: Slice) -> str:
    """Return the slice in words, for screen readers."""
    marks = "; ".join(mark_text(found, mark) for mark in found.marks)
    axes = " and ".join(axis.label for axis in found.plane.axes)
    return f"{found.title} over {axes}. {marks}. {EXPLANATION}"


def _number(found: Slice, value: float) -> str:
    return f"{value:.2f}" if found.unit else f"{value:.3f}"


def _value_of(found: Slice, track: Track, row: int) -> float:
    """Return the objective at the pose itself, not at the point drawn for it."""
    pose = pose_of(track.run, int(track.frames[row]))
    surface = found.plane.surface
    value = surface.values(pose[None, :3, :3], surface.shifts(pose[None, :3, :3], pose[None, :3, 3]))
    assert value is not None
    return float(value[0])
