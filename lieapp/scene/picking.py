"""Which residue lies under a point of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lieapp.scene.body import Body
from lieapp.scene.camera import Viewpoint
from lieapp.scene.painter import Slot

__all__ = ["Hit", "pick_residue"]

_PIXELS = 14.0
_ANGSTROM = 1.9


@dataclass(frozen=True)
class Hit:
    """What lies under the pointer.

    Attributes
    ----------
    slot : {"mobile", "target"}
    residue : int
        Index into the residues of that structure.
    label : str
        Structure and residue for people, such as ``"4AKE A:LYS 50"``.
    position : tuple of float
        Where its guide atom is drawn, in Å of the scene.
    """

    slot: Slot
    residue: int
    label: str
    position: tuple[float, float, float]


def pick_residue(
    bodies: Mapping[Slot, Body], viewpoint: Viewpoint, size: tuple[int, int], x: float, y: float
) -> Hit | None:
    """Return the residue whose guide atom is drawn nearest to a point, or None.

    Parameters
    ----------
    bodies : mapping of slot to Body
    viewpoint : Viewpoint
    size : tuple of int
        Width and height of the picture in logical pixels.
    x, y : float
        Logical pixels, y down. Of those within reach the nearest to the viewer wins, unless the pointer is clearly
        closer to one behind it.
    """
    best: tuple[float, Hit] | None = None
    pixel = viewpoint.angstrom_per_pixel(size[1])
    reach = max(_PIXELS, _ANGSTROM / pixel)
    for slot, body in bodies.items():
        trace = body.geometry.trace
        placed = body.place(trace.points)
        screen = viewpoint.project(placed, size)
        off = np.hypot(screen[:, 0] - x, screen[:, 1] - y)
        near = np.flatnonzero((off < reach) & (screen[:, 2] > 0))
        if not len(near):
            continue
        score = screen[near, 2] + 3 * off[near] * pixel
        winner = near[np.argmin(score)]
        if best is None or score.min() < best[0]:
            residue = int(trace.residues[winner])
            label = f"{body.structure.name} {body.structure.residues.label(residue)}"
            a, b, c = (float(value) for value in placed[winner])
            best = (float(score.min()), Hit(slot, residue, label, (a, b, c)))
    return best[1] if best else None
