"""Where a scene is looked at from, and what lies under a point of its picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vispy import app

from lieapp.scene.body import Body
from lieapp.scene.camera import Viewpoint
from lieapp.scene.density import DensityBody
from lieapp.scene.painter import Ghost, Slot
from lieapp.scene.picking import Hit, pick_residue

__all__ = ["SLOTS", "SceneViews", "residue_flags"]

SLOTS: tuple[Slot, Slot] = ("mobile", "target")
_PERSPECTIVE = 30.0


def residue_flags(body: Body, residues: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Return flags of the residues of a body, or raise ValueError if there is not one a residue."""
    if residues is None:
        return None
    mask = np.asarray(residues, dtype=bool)
    if mask.shape != (len(body.structure.residues),):
        raise ValueError(f"{body.structure.name} has {len(body.structure.residues)} residues; flags have {mask.shape}")
    return mask.copy()


class SceneViews(ABC):
    """The part of a scene that knows its view: fitting, centring and picking."""

    canvas: app.Canvas
    _bodies: dict[Slot, Body]
    _densities: dict[Slot, DensityBody]
    _ghosts: tuple[Ghost, ...]
    _viewpoint: Viewpoint

    def pose(self, slot: Slot) -> NDArray[np.float64]:
        """Return the pose of a slot, shape (4, 4); the identity for an empty one."""
        body = self._bodies.get(slot)
        return body.matrix.copy() if body else np.eye(4)

    @abstractmethod
    def _changed(self) -> None:
        """Take note that the picture is out of date."""

    @property
    def viewpoint(self) -> Viewpoint:
        """The view; set it to turn, move or zoom."""
        return self._viewpoint

    @viewpoint.setter
    def viewpoint(self, value: Viewpoint) -> None:
        self._viewpoint = value
        self._changed()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in logical pixels."""
        width, height = self.canvas.size
        return max(int(width), 1), max(int(height), 1)

    def points(self, slot: Slot) -> NDArray[np.float64]:
        """Return what a view of a slot should hold, at its pose, shape (points, 3) in Å."""
        body = self._bodies.get(slot)
        return body.place(body.geometry.extent) if body else np.zeros((0, 3))

    def fitting_viewpoint(
        self, slots: Sequence[Slot] = SLOTS, *, reorient: bool = True, room_to_turn: bool = False
    ) -> Viewpoint:
        """Return the view that structures fill; see `fit_view`."""
        clouds = {slot: cloud for slot in slots if len(cloud := self.points(slot))}
        beside = np.concatenate([np.zeros((0, 3)), *(self._beside(slot) for slot in slots)])
        if not clouds and not len(beside):
            return self._viewpoint
        balls = []
        if room_to_turn and "mobile" in clouds and len(clouds) > 1:
            middle = clouds["mobile"].mean(axis=0)
            balls.append((middle, float(np.linalg.norm(clouds["mobile"] - middle, axis=1).max())))
        width, height = self.size
        return Viewpoint.fitting(
            np.concatenate(list(clouds.values())) if clouds else beside,
            aspect=width / height,
            rotation=None if reorient else self._viewpoint.rotation,
            field_of_view=self._viewpoint.field_of_view,
            also=beside,
            balls=balls,
        )

    def fit_view(self, slots: Sequence[Slot] = SLOTS, *, reorient: bool = True, room_to_turn: bool = True) -> None:
        """Let structures fill the picture.

        Parameters
        ----------
        slots : sequence of {"mobile", "target"}
            What must be seen.
        reorient : bool
            Turn to the broadside view; else keep the orientation.
        room_to_turn : bool
            With two structures: keep the mobile in the picture whichever way it turns about its centroid.
        """
        self.viewpoint = self.fitting_viewpoint(slots, reorient=reorient, room_to_turn=room_to_turn)

    def viewpoint_on(self, slot: Slot, residues: ArrayLike | None = None, *, zoom: bool = True) -> Viewpoint:
        """Return the view with residues in its middle, or the present one if none of them is drawn.

        Parameters
        ----------
        slot : {"mobile", "target"}
        residues : array_like, shape=(residues,), dtype=bool, optional
            All by default.
        zoom : bool
            Let them fill the picture, with something of what is around them.
        """
        body = self._bodies.get(slot)
        if body is None:
            return self._viewpoint
        trace = body.geometry.trace
        mask = residue_flags(body, residues)
        chosen = trace.points if mask is None else trace.points[mask[trace.residues]]
        if not len(chosen):
            return self._viewpoint
        placed = body.place(chosen)
        if not zoom:
            return self._viewpoint.centered((placed.min(axis=0) + placed.max(axis=0)) / 2)
        width, height = self.size
        view = Viewpoint.fitting(
            placed,
            aspect=width / height,
            rotation=self._viewpoint.rotation,
            padding=8.0,
            field_of_view=self._viewpoint.field_of_view,
        )
        return replace(self._viewpoint, center=view.center, half_height=view.half_height)

    def _beside(self, slot: Slot) -> NDArray[np.float64]:
        """Return where small molecules and the rim of a density are."""
        body = self._bodies.get(slot)
        points = np.zeros((0, 3)) if body is None else body.place(body.geometry.ligands.bonded)
        if slot in self._densities:
            matrix = self.pose(slot)
            points = np.concatenate([points, self._densities[slot].hull @ matrix[:3, :3].T + matrix[:3, 3]])
        return points

    def viewpoint_along(self, axis: str) -> Viewpoint:
        """Return the view along ``"x"``, ``"y"`` or ``"z"`` of the scene that structures fill.

        Raises
        ------
        ValueError
            If `axis` is none of the three.
        """
        present, self._viewpoint = self._viewpoint, self._viewpoint.along(axis)
        try:
            return self.fitting_viewpoint(reorient=False)
        finally:
            self._viewpoint = present

    def set_perspective(self, on: bool) -> None:
        """Change between orthographic and perspective view."""
        self.viewpoint = replace(self._viewpoint, field_of_view=_PERSPECTIVE if on else 0.0)

    def pick(self, x: float, y: float) -> Hit | None:
        """Return the residue whose guide atom is drawn nearest to a point, or None.

        Parameters
        ----------
        x, y : float
            Logical pixels, y down. Of those within reach the nearest to the viewer wins, unless the pointer is clearly
            closer to one behind it.
        """
        return pick_residue(self._bodies, self._viewpoint, self.size, x, y)

    def pick_point(self, x: float, y: float) -> NDArray[np.float64] | None:
        """Return the position in Å of what `pick` finds, shape (3,)."""
        hit = self.pick(x, y)
        return None if hit is None else np.array(hit.position)

    def _extent(self) -> tuple[NDArray[np.float64], float, float]:
        """Return a sphere around all that is drawn in full, and the radius that holds the rest as well."""
        spheres = []
        for slot, body in self._bodies.items():
            matrices = [body.matrix, *(ghost.matrix for ghost in self._ghosts if ghost.slot == slot)]
            spheres += [(matrix[:3, :3] @ body.center + matrix[:3, 3], body.radius, body.reach) for matrix in matrices]
        for slot, density in self._densities.items():
            corners = density.corners
            matrix, reach = self.pose(slot), float(np.linalg.norm(corners[1] - corners[0])) / 2
            spheres.append((matrix[:3, :3] @ corners.mean(axis=0) + matrix[:3, 3], reach, reach))
        if not spheres:
            return np.zeros(3), 10.0, 10.0
        centers = np.array([center for center, _, _ in spheres])
        radii, reaches = (np.array([sphere[k] for sphere in spheres]) for k in (1, 2))
        middle = ((centers - radii[:, None]).min(axis=0) + (centers + radii[:, None]).max(axis=0)) / 2
        off = np.linalg.norm(centers - middle, axis=1)
        return middle, float((off + radii).max()) + 3.0, float((off + reaches).max()) + 3.0
