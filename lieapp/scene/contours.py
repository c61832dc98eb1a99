"""Contours of maps in the coordinates of the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.maps import DensityMap
from lieapp.scene.isosurface import Isosurface, isosurface

__all__ = ["map_contour"]


def map_contour(
    density: DensityMap,
    level: float,
    *,
    stride: int = 1,
    lines: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> Isosurface | None:
    """Return the contour of a map, closed where the map ends.

    Parameters
    ----------
    density : DensityMap
    level : float
    stride : int, optional
        Take only every so manieth grid point along each axis, for a quick look.
    lines : bool, optional
        Find the lines of a mesh as well.
    cancelled : callable() -> bool, optional
        Asked now and then.

    Returns
    -------
    Isosurface or None
        In Å, x, y, z; None if it was cancelled.

    Raises
    ------
    SceneError
        If the map has fewer than two points along an axis, or the level is not finite.
    """
    step = max(min(stride, min(density.values.shape) // 2), 1)
    spacing = np.array(density.spacing_angstrom[::-1]) * step
    contour = isosurface(
        density.values[::step, ::step, ::step],
        level,
        spacing=spacing,
        origin=density.origin_angstrom[::-1],
        closed=True,
        lines=lines,
        cancelled=cancelled,
    )
    if contour is None:
        return None
    # From z, y, x to x, y, z: a mirror, which turns the triangles inside out unless their order is reversed.
    return Isosurface(
        _reversed(contour.vertices), _reversed(contour.normals), _reversed(contour.triangles), contour.lines
    )


def _reversed(columns: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(columns[:, ::-1])
