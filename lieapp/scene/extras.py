"""What a scene shows beside its structures: densities, ghosts, lines between partners, the axis of a motion."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.colors import rgba
from lieapp.scene.density import DENSITY_COLOR, DENSITY_OPACITY, DensityBody, DensityStyle
from lieapp.scene.isosurface import Isosurface
from lieapp.scene.painter import Ghost, Slot
from lieapp.scene.screw import helix_arrow, helix_path
from lieapp.scene.segments import Segments
from lieapp.scene.snapshot import ScrewAxis
from lieapp.scene.surface import Surface
from lieapp.scene.views import SceneViews

__all__ = ["SceneExtras"]

_SCREW = "#E69F00"


class SceneExtras(SceneViews):
    """The part of a scene that goes with its structures."""

    def __init__(self) -> None:
        self._densities: dict[Slot, DensityBody] = {}
        self._ghosts: tuple[Ghost, ...] = ()
        self._pair_lines: Segments | None = None
        self._axis: Segments | None = None
        self._screw: Surface | None = None
        self._pair_points: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._screw_axis: ScrewAxis | None = None
        self._context_visible = True

    def set_density(
        self,
        slot: Slot,
        contour: Isosurface | None,
        color: str | ArrayLike = DENSITY_COLOR,
        *,
        opacity: float = DENSITY_OPACITY,
        style: DensityStyle = "surface",
    ) -> None:
        """Show a contour of a map, which follows the pose of its slot.

        Parameters
        ----------
        slot : {"mobile", "target"}
        contour : Isosurface or None
            In Å and the coordinates of the file; None removes it.
        color : str or array_like
        opacity : float
        style : {"surface", "mesh"}
        """
        previous = self._densities.pop(slot, None)
        if contour is not None and len(contour.triangles):
            self._densities[slot] = DensityBody(contour, color, opacity, style)
        if previous is not None or slot in self._densities:
            self._changed()

    def set_density_look(
        self,
        slot: Slot,
        color: str | ArrayLike = DENSITY_COLOR,
        *,
        opacity: float = DENSITY_OPACITY,
        style: DensityStyle = "surface",
    ) -> None:
        """Change how the contour of a slot is drawn, if there is one; see `set_density`."""
        if slot in self._densities:
            self._densities[slot].set_look(color, opacity, style)
            self._changed()

    def set_context_visible(self, on: bool) -> None:
        """Show or hide the chains that are not drawn in full."""
        self._context_visible = on
        self._changed()

    def set_ghosts(self, ghosts: Iterable[Ghost]) -> None:
        """Show pale copies at other poses, such as those of racing optimisers."""
        self._ghosts = tuple(ghosts)
        self._changed()

    def set_pair_lines(
        self, on: bool, mobile_points: ArrayLike | None = None, target_points: ArrayLike | None = None
    ) -> None:
        """Show lines between partners.

        Parameters
        ----------
        on : bool
        mobile_points, target_points : array_like, shape=(pairs, 3), optional
            In the coordinates of the files; the lines follow the poses.
        """
        self._pair_lines = self._pair_points = None
        if on and mobile_points is not None and target_points is not None:
            starts, ends = (np.asarray(points, dtype=np.float64) for points in (mobile_points, target_points))
            if len(starts):
                self._pair_points = (starts, ends)
                self._pair_lines = Segments(starts, ends, color="#8A8F98", width=1.2)
        self._changed()

    def set_screw_axis(
        self,
        point: ArrayLike | None,
        direction: ArrayLike | None = None,
        *,
        angle: float = 0.0,
        translation: float = 0.0,
        start: ArrayLike | None = None,
    ) -> None:
        """Show the line about which the current transform turns, and the way it takes; None hides them.

        Parameters
        ----------
        point, direction : array_like, shape=(3,), or None
            The axis in Å of the scene.
        angle, translation : float
            Turn in rad about the direction and shift in Å along it: an arrow shows them from `start` on.
        start : array_like, shape=(3,), optional
            Such as the centroid of the mobile before the transform. Without it only the axis is drawn.
        """
        self._axis = self._screw = self._screw_axis = None
        if point is not None and direction is not None:
            unit = np.asarray(direction, dtype=np.float64)
            unit = unit / np.linalg.norm(unit)
            foot = np.asarray(point, dtype=np.float64)
            center, radius, _ = self._extent()
            # The line passes by the molecules, wherever on it the given point lies.
            middle = foot + float((center - foot) @ unit) * unit
            reach = unit * 1.15 * max(radius, 10.0)
            begin = None if start is None else np.asarray(start, dtype=np.float64)
            self._screw_axis = ScrewAxis(foot, unit, angle, translation, begin)
            if start is not None:
                path = helix_path(foot, unit, angle, translation, start)
                arrow = helix_arrow(path)
                if len(arrow.faces):
                    self._screw = Surface(arrow, rgba(_SCREW)[None])
            self._axis = Segments((middle - reach)[None], (middle + reach)[None], color=_SCREW, width=2.0, dash=4.0)
        self._changed()

    @property
    def context_visible(self) -> bool:
        """Whether the chains that are not drawn in full are seen."""
        return self._context_visible

    @property
    def ghosts(self) -> tuple[Ghost, ...]:
        """The pale copies."""
        return self._ghosts

    @property
    def pair_points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """What the lines between partners join, in the coordinates of the files."""
        return self._pair_points

    @property
    def screw_axis(self) -> ScrewAxis | None:
        """The axis that is shown."""
        return self._screw_axis

    def density(self, slot: Slot) -> DensityBody | None:
        """Return the contour of a slot as it is drawn."""
        return self._densities.get(slot)
