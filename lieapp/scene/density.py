"""Contours of density as they are drawn: sheets or meshes of lines, whose looks change without a new upload."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vispy import gloo

from lieapp.scene.colors import rgba
from lieapp.scene.isosurface import Isosurface
from lieapp.scene.surface import Surface
from lieapp.scene.sweep import Mesh

__all__ = ["DENSITY_COLOR", "DENSITY_OPACITY", "DENSITY_STYLES", "DensityBody", "DensityStyle"]

DensityStyle = Literal["surface", "mesh"]
DENSITY_STYLES: tuple[DensityStyle, ...] = ("surface", "mesh")
DENSITY_COLOR = "#5B8DB8"
DENSITY_OPACITY = 0.45


class DensityBody:
    """A contour in the scene.

    Parameters
    ----------
    contour : Isosurface
        With at least one triangle.
    color : str or array_like
    opacity : float
    style : {"surface", "mesh"}

    Attributes
    ----------
    corners : ndarray, shape=(2, 3)
        Of its bounding box, in the coordinates of the map.
    hull : ndarray, shape=(points, 3)
        The outermost vertices, in the coordinates of the map: a view that holds them holds the contour.
    surface : Surface
    """

    def __init__(
        self,
        contour: Isosurface,
        color: str | ArrayLike = DENSITY_COLOR,
        opacity: float = DENSITY_OPACITY,
        style: DensityStyle = "surface",
    ) -> None:
        self.contour = contour
        self.color = rgba(color)
        self.opacity = opacity
        self.style: DensityStyle = style
        points = contour.vertices
        self.corners = np.stack([points.min(axis=0), points.max(axis=0)]).astype(np.float64)
        owner = np.zeros(len(points), dtype=np.int64)
        self.surface = Surface(Mesh(points, contour.normals, contour.triangles, owner), self.color[None])
        self._lines: gloo.IndexBuffer | None = None

    @cached_property
    def hull(self) -> NDArray[np.float64]:
        points = self.contour.vertices
        outermost = np.unique(np.argmax(points @ _directions(128).T, axis=0))
        return points[outermost].astype(np.float64)

    @property
    def lines(self) -> gloo.IndexBuffer | None:
        """Pairs of vertices to be joined; None for a sheet."""
        if self.style != "mesh" or not len(self.contour.lines):
            return None
        if self._lines is None:
            self._lines = gloo.IndexBuffer(self.contour.lines)
        return self._lines

    def set_look(self, color: str | ArrayLike, opacity: float, style: DensityStyle) -> None:
        """Change colour, opacity and style; at most colours and lines are uploaded."""
        wanted: NDArray[np.float32] = rgba(color)
        if not np.array_equal(wanted, self.color):
            self.color = wanted
            self.surface.set_colors(wanted[None])
        self.opacity, self.style = opacity, style


@cache
def _directions(count: int) -> NDArray[np.float32]:
    """Return unit vectors spread evenly over the sphere, on Fibonacci's spiral, shape (count, 3)."""
    number = np.arange(count) + 0.5
    height = 1.0 - 2.0 * number / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * number
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1).astype(np.float32)
