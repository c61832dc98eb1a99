"""Several contours side by side, each in its own part of one canvas, all seen from one viewpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vispy import gloo

from lieapp.scene.body import Level
from lieapp.scene.camera import Viewpoint
from lieapp.scene.density import DENSITY_COLOR, DensityBody
from lieapp.scene.frame import Frame
from lieapp.scene.isosurface import Isosurface
from lieapp.scene.molecular_scene import MolecularScene
from lieapp.scene.painter import Density, Painter, Picture, Slot
from lieapp.scene.views import SLOTS

__all__ = ["MapGridScene", "Tile", "tile_places"]

_TILT_DEGREES = 20.0
_SLACK = 1.06


@dataclass(frozen=True)
class Tile:
    """Where one contour is drawn, in shares of the picture: left, top, width and height."""

    left: float
    top: float
    width: float
    height: float

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return left, top, width and height in a picture of a size."""
        left, right = round(self.left * size[0]), round((self.left + self.width) * size[0])
        top, bottom = round(self.top * size[1]), round((self.top + self.height) * size[1])
        return left, top, max(right - left, 1), max(bottom - top, 1)


def tile_places(count: int, aspect: float) -> list[Tile]:
    """Return where so many square pictures are largest side by side.

    Parameters
    ----------
    count : int
    aspect : float
        Width over height of the whole.
    """
    if count < 1:
        return []
    columns = max(range(1, count + 1), key=lambda c: (min(aspect / c, 1.0 / -(-count // c)), -c))
    rows = -(-count // columns)
    return [Tile(k % columns / columns, k // columns / rows, 1.0 / columns, 1.0 / rows) for k in range(count)]


class MapGridScene(MolecularScene):
    """Contours of maps that are compared; what `MolecularScene` shows of structures stays empty.

    The viewpoint is that of the whole canvas: a tile shows the part of it that a canvas of its own size would, so a
    drag moves every map by as many pixels as the pointer.
    """

    def __init__(self, canvas: Any, **options: Any) -> None:
        super().__init__(canvas, **options)
        self._contours: list[DensityBody | None] = []
        self._radius = 10.0
        turn = np.radians(_TILT_DEGREES)
        across = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # z is up
        tilt = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
        self._viewpoint = Viewpoint(tilt @ across, np.zeros(3))
        self._filling = self._viewpoint.half_height

    # What is shown -----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many contours stand side by side."""
        return len(self._contours)

    def set_count(self, count: int) -> None:
        """Make room for so many contours; those that stay keep their places."""
        if count != self.count:
            self._contours = (self._contours + [None] * count)[:count]
            self._changed()

    def set_extent(self, radius_angstrom: float) -> None:
        """Set the radius in Å of the sphere around the origin that holds every map, and show all of it."""
        self._radius = radius_angstrom
        self.viewpoint = self.fitting_viewpoint(reorient=False)

    def set_contour(
        self, place: int, contour: Isosurface | None, color: str | ArrayLike = DENSITY_COLOR, opacity: float = 1.0
    ) -> None:
        """Show a contour at a place, or nothing.

        Parameters
        ----------
        place : int
        contour : Isosurface or None
            In Å about the origin.
        color : str or array_like
        opacity : float
        """
        shown = contour is not None and len(contour.triangles) > 0
        before = self._contours[place]
        if not shown and before is None:
            return
        self._contours[place] = DensityBody(contour, color, opacity) if contour is not None and shown else None
        self._changed()

    def contour(self, place: int) -> DensityBody | None:
        """Return the contour at a place as it is drawn."""
        return self._contours[place]

    def tiles(self) -> list[Tile]:
        """Return where the contours are."""
        width, height = self.size
        return tile_places(self.count, width / height)

    # Views ---------------------------------------------------------------------------------------------------------

    def fitting_viewpoint(
        self, slots: Sequence[Slot] = SLOTS, *, reorient: bool = True, room_to_turn: bool = False
    ) -> Viewpoint:
        """Return the view in which every map fills its tile; the orientation stays."""
        self._filling = self._filling_half_height()
        return replace(self._viewpoint, center=np.zeros(3), half_height=self._filling)

    def _filling_half_height(self) -> float:
        width, height = self.size
        tiles = self.tiles() or [Tile(0.0, 0.0, 1.0, 1.0)]
        edge = min(tiles[0].width * width, tiles[0].height * height)
        return _SLACK * self._radius * height / max(edge, 1.0)

    def _extent(self) -> tuple[NDArray[np.float64], float, float]:
        return np.zeros(3), self._radius, self._radius

    # Drawing -------------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw into the canvas now; maps that filled it fill it in another shape, too, unless someone has zoomed."""
        if self._viewpoint.half_height == self._filling != self._filling_half_height():
            self.viewpoint = self.fitting_viewpoint()
        super().draw()

    def _paint(
        self, frame: Frame, level: Level, *, only: str | None = None, exact: bool = False, clear_alpha: float = 1.0
    ) -> None:
        if self._painter is None:
            self._painter = Painter()
        width, height = frame.size
        logical = self.size
        gloo.set_viewport(0, 0, width, height)
        gloo.set_color_mask(True, True, True, True)
        gloo.set_depth_mask(True)
        gloo.clear(color=(*frame.background, clear_alpha), depth=True)
        gloo.set_state(scissor_test=True)
        try:
            for tile, body in zip(tile_places(self.count, logical[0] / logical[1]), self._contours, strict=True):
                left, top, wide, high = tile.pixels((width, height))
                origin = (left, height - top - high)
                view = replace(frame.viewpoint, half_height=frame.viewpoint.half_height * high / height)
                gloo.set_scissor(*origin, wide, high)
                self._painter.draw(
                    replace(frame, viewpoint=view, size=(wide, high)),
                    Picture({}, densities=() if body is None else (Density(body, np.eye(4)),)),
                    level=level,
                    triangles=self.triangles,
                    clear_alpha=clear_alpha,
                    origin=origin,
                )
        finally:
            gloo.set_state(scissor_test=False)
