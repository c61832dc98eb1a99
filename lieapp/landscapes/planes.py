"""A plane through a landscape of many parameters, to draw: its loss on a grid, and where points project to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.plane_keys import plane_key
from lieapp.landscapes.points import StationaryPoint
from lieapp.landscapes.problem import LandscapeProblem, open_landscape
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.stationary import Domain
from lieapp.landscapes.truth import SO3_SINGULAR_VALUES, so3_points
from lieapp.optimizers.oracle import hessian

__all__ = ["Plane", "curvature_plane", "plane_of"]

Array = NDArray[np.float64]

_GRID = 61
_MARGIN = 1.25
_BEYOND = 20  # lines of the grid at most, on each side beyond the domain, where little happens
_EDGE = 0.02  # of the domain, at least: what is drawn fades where nothing is known beyond
_NARROWEST_PANE, _WIDEST_PANE = 0.7, 2.0  # width over height of what a plane is to fill at one scale


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane with the loss on it.

    Attributes
    ----------
    x, y : ndarray, shape=(nx,) and (ny,)
        Grid: dense in the domain, coarse beyond it.
    values : ndarray, shape=(ny, nx)
    origin : ndarray, shape=(dimension,)
        What is at (0, 0).
    basis : ndarray, shape=(2, dimension)
        Orthonormal.
    domain : ((x0, x1), (y0, y1))
        The part of the plane that matters.
    start : (float, float)
        Where on the plane runs start.
    labels, short_labels : (str, str)
        Of the axes.
    points : tuple of StationaryPoint
        Those that lie in the plane, at their places on it.
    clip : float or None
        Value above which colours stay the same.
    periodic : bool
        Whether points are rotation vectors, of which opposite ends of a half turn are one rotation.
    """

    x: Array
    y: Array
    values: Array
    origin: Array
    basis: Array
    domain: Domain
    start: tuple[float, float]
    labels: tuple[str, str]
    short_labels: tuple[str, str]
    points: tuple[StationaryPoint, ...] = ()
    clip: float | None = None
    periodic: bool = False

    @property
    def extent(self) -> Domain:
        """The part of the plane with values."""
        return (float(self.x[0]), float(self.x[-1])), (float(self.y[0]), float(self.y[-1]))

    def value(self, x: Any, y: Any) -> Any:
        """Return the loss at arrays of x and y, interpolated between the points of the grid; NaN beside it."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        outside = _beside(x, self.x) | _beside(y, self.y)
        u, v = (np.interp(at, axis, np.arange(len(axis))) for at, axis in ((x, self.x), (y, self.y)))
        i = np.clip(u.astype(int), 0, len(self.x) - 2)
        j = np.clip(v.astype(int), 0, len(self.y) - 2)
        a, b = u - i, v - j
        f = self.values
        found = (1 - b) * ((1 - a) * f[j, i] + a * f[j, i + 1]) + b * ((1 - a) * f[j + 1, i] + a * f[j + 1, i + 1])
        return np.where(outside, np.nan, found)

    def project(self, points: Array) -> Array:
        """Return where points, shape=(points, dimension), lie on the plane, shape=(points, 2)."""
        if self.periodic:
            angle = np.linalg.norm(points, axis=1, keepdims=True)
            other = points * (1.0 - 2.0 * math.pi / np.maximum(angle, 1e-12))
            # Of the two vectors of one rotation, that on the side which is drawn.
            points = np.where(points @ self.basis[0][:, None] < -0.3, other, points)
        projected: Array = (points - self.origin) @ self.basis.T
        return projected


def curvature_plane(job: LandscapeJob, *, stopped: Callable[[], bool] = lambda: False) -> Plane:
    """Return the plane through the start of a job along its directions of lowest and of highest curvature.

    It reaches beyond its domain as far as panes of the usual shapes show it at one scale.

    Parameters
    ----------
    job : LandscapeJob
        Of a landscape of 3 to 128 parameters. On SO(3) the plane is one of rotation vectors, through the maximum, a
        saddle and the minimum.
    stopped : callable() -> bool, optional
        Asked between rows; once true, the plane is given up.

    Raises
    ------
    LandscapeError
        If the landscape is drawn itself, its Hessian is too large, or the plane was given up.
    """
    problem, _ = open_landscape(job)
    if job.landscape == "so3-alignment":
        return _rotation_plane(problem.model.position())
    if job.description.is_planar or not problem.is_small:
        raise LandscapeError(f"{job.description.title}: there is no plane of lowest and highest curvature to draw")
    problem.oracle.gradient()
    origin = problem.model.position()
    vectors = torch.linalg.eigh(hessian(problem.oracle).detach().to("cpu", torch.float64))[1].numpy()
    basis = np.stack([_signed(vectors[:, 0]), _signed(vectors[:, -1])])
    saddle = problem.truth.saddle
    reach = _MARGIN * (1.0 if saddle is None else saddle.reach)
    if saddle is not None and saddle.direction is not None:
        # The minima along this direction alone are nearer than the deepest one, which uses all directions.
        reach = min(reach, 2.0 * _turning_point(problem, origin, basis[0], reach))
    across = np.linspace(-reach, reach, _GRID)
    lowest = min(_loss(problem, origin + a * basis[0]) for a in across)
    first = _loss(problem, origin)
    # Across, the loss is far steeper: colours and height are for what happens along the lowest direction.
    clip = first + 4.0 * (first - lowest)
    height = _MARGIN * _climb(problem, origin, basis[1], reach, clip)
    domain = ((-reach, reach), (-height, height))
    across, up = _axes(domain)
    values = np.empty((len(up), len(across)))
    for row, b in zip(values, up, strict=True):
        if stopped():
            raise LandscapeError(f"{job.description.title}: the plane was given up")
        row[:] = [_loss(problem, origin + a * basis[0] + b * basis[1]) for a in across]
    points = _points_in_plane(problem, origin, basis, reach)
    labels = ("along the lowest curvature at the start", "along the highest curvature at the start")
    short = "lowest curvature", "highest curvature"
    return Plane(across, up, values, origin, basis, domain, (0.0, 0.0), labels, short, points, clip)


def plane_of(job: LandscapeJob) -> Plane:
    """Return the plane of a job as `curvature_plane` does, made once for all runs that share it."""
    key = plane_key(job)
    if key not in _KEPT:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = curvature_plane(job)
    return _KEPT[key]


_MOST_KEPT = 8
_KEPT: dict[tuple[Any, ...], Plane] = {}


def _axes(domain: Domain, beyond: int = _BEYOND) -> tuple[Array, Array]:
    """Return the lines of the grid, shape=(nx,) and (ny,), over a domain and over what panes show beside it."""
    (x0, x1), (y0, y1) = domain
    width, height = x1 - x0, y1 - y0
    sides = (
        max(0.5 * (_WIDEST_PANE * height - width), _EDGE * width),
        max(0.5 * (width / _NARROWEST_PANE - height), _EDGE * height),
    )
    x, y = (_axis(low, high, side, beyond) for (low, high), side in zip(domain, sides, strict=True))
    return x, y


def _axis(low: float, high: float, side: float, beyond: int) -> Array:
    inside = np.linspace(low, high, _GRID)
    lines = min(math.ceil(side / (inside[1] - inside[0])), beyond)
    before, after = np.linspace(low - side, low, lines + 1), np.linspace(high, high + side, lines + 1)
    return np.concatenate((before[:-1], inside, after[1:]))


def _beside(places: Array, axis: Array) -> Any:
    """Whether places, of any shape, lie beside an axis of the grid."""
    tiny = 1e-9 * (axis[-1] - axis[0])
    return (places < axis[0] - tiny) | (places > axis[-1] + tiny)


def _turning_point(problem: LandscapeProblem, origin: Array, direction: Array, reach: float) -> float:
    """Return how far along a direction the loss is lowest."""
    places = np.linspace(0.0, reach, 41)
    losses = [_loss(problem, origin + place * direction) for place in places]
    return float(max(places[int(np.argmin(losses))], places[1]))


def _climb(problem: LandscapeProblem, origin: Array, direction: Array, reach: float, level: float) -> float:
    """Return how far along a direction the loss passes a level, within a third of the reach and the reach."""
    places = np.linspace(reach / 3.0, reach, 21)
    above = [place for place in places if _loss(problem, origin + place * direction) > level]
    return float(above[0]) if above else reach


def _loss(problem: LandscapeProblem, position: Array) -> float:
    with torch.no_grad():
        rest = torch.as_tensor(position)
        for leaf in problem.parameters():
            leaf.copy_(rest[: leaf.numel()].reshape(leaf.shape))
            rest = rest[leaf.numel() :]
        return float(problem.oracle.loss())


def _points_in_plane(
    problem: LandscapeProblem, origin: Array, basis: Array, reach: float
) -> tuple[StationaryPoint, ...]:
    found = []
    for point in problem.truth.points:
        away = np.asarray(point.position) - origin
        place = basis @ away
        if np.linalg.norm(away - place @ basis) < 0.02 * reach:
            found.append(
                StationaryPoint(point.kind, point.index, tuple(place.tolist()), point.value, point.eigenvalues)
            )
    return tuple(found)


def _signed(vector: Array) -> Array:
    return vector * np.sign(vector[np.argmax(np.abs(vector))])


def _rotation_plane(start: Array) -> Plane:
    """Rotation vectors of which the first component is zero: loss ``Σ sᵢ (1 − cos θ)(1 − nᵢ²)``, θ n the vector."""
    s = np.array(SO3_SINGULAR_VALUES)
    domain = ((-0.3 * math.pi, 1.2 * math.pi), (-1.1 * math.pi, 1.1 * math.pi))
    across, up = _axes(domain, _GRID)  # a closed form costs nothing
    basis = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    a, b = np.meshgrid(across, up)
    vectors = a[..., None] * basis[0] + b[..., None] * basis[1]
    square = np.maximum((vectors**2).sum(axis=-1), 1e-300)
    shares = 1.0 - vectors**2 / square[..., None]
    values = (1.0 - np.cos(np.sqrt(square))) * (shares * s).sum(axis=-1)
    points = tuple(
        StationaryPoint(each.kind, each.index, tuple((basis @ each.position).tolist()), each.value, each.eigenvalues)
        for each in so3_points()
        if each.position[0] == 0.0
    )
    labels = ("rotation about the third axis (rad)", "rotation about the second axis (rad)")
    short = "third axis (rad)", "second axis (rad)"
    here = (0.0, 0.0)
    plane = Plane(across, up, values, np.zeros(3), basis, domain, here, labels, short, points, None, periodic=True)
    x, y = plane.project(start[None])[0].tolist()
    return replace(plane, start=(x, y))
