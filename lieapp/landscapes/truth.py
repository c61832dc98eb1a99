"""What is known about a landscape beforehand: its saddle, its depth, the stationary point nearest to a place. No torch.

Plots and reports show these beside a run; nothing that decides consults them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.landscapes.catalog import Surface
from lieapp.landscapes.points import StationaryPoint, classify

if TYPE_CHECKING:
    from lieapp.landscapes.spec import LandscapeJob

__all__ = [
    "ESCAPE_SHARE",
    "SO3_SINGULAR_VALUES",
    "TARGET_SINGULAR_VALUES",
    "NearestPoint",
    "ReferenceSaddle",
    "StrictSaddle",
    "Truth",
    "learning_plateaus",
    "so3_points",
    "truth_of",
]

Array = NDArray[np.float64]

ESCAPE_SHARE = 0.1
"""A run has left a saddle once its loss is below it by this share of the depth of the deepest minimum."""

TARGET_SINGULAR_VALUES = (2.0, 1.5, 1.0, 0.5)
"""Of what matrix factorisations and deep linear networks are to learn."""

SO3_SINGULAR_VALUES = (3.0, 2.0, 1.0)
"""Of the correlation matrix of the alignment loss on SO(3)."""


@dataclass(frozen=True)
class NearestPoint:
    """The stationary point nearest to a place.

    Attributes
    ----------
    kind : str
    index : int or None
        None where it is not known.
    distance : float or None
        None where points are compared by their loss, because they fill whole surfaces.
    loss : float
        At the stationary point.
    """

    kind: str
    index: int | None
    distance: float | None
    loss: float


@dataclass(frozen=True, eq=False)
class ReferenceSaddle:
    """The saddle that a run starts near to, or falls from.

    Attributes
    ----------
    point : StationaryPoint
    deepest : float
        Value of the deepest minimum known.
    direction : ndarray, shape=(n,), or None
        Unit eigenvector of the lowest eigenvalue; None where that is not negative, or belongs to several directions.
    reach : float
        Distance from the saddle to the nearest minimum.
    """

    point: StationaryPoint
    deepest: float
    direction: Array | None
    reach: float

    @property
    def escape_level(self) -> float:
        """The loss below which a run has left the saddle."""
        return self.point.value - ESCAPE_SHARE * (self.point.value - self.deepest)


class Truth:
    """What is known about a landscape; this base knows nothing.

    Attributes
    ----------
    saddle : ReferenceSaddle or None
    deepest : float or None
        Value of the deepest minimum.
    points : tuple of StationaryPoint
        Those that can be listed.
    """

    saddle: ReferenceSaddle | None = None
    deepest: float | None = None
    points: tuple[StationaryPoint, ...] = ()

    def nearest(self, position: ArrayLike, loss: float) -> NearestPoint | None:
        """Return the stationary point nearest to a position, or to a loss where positions do not tell."""
        return None

    def unstable_coordinate(self, position: ArrayLike) -> float:
        """Return the displacement from the reference saddle along its direction of lowest curvature."""
        if self.saddle is None or self.saddle.direction is None:
            return math.nan
        return float(self.saddle.direction @ (np.asarray(position) - np.asarray(self.saddle.point.position)))


class PlanarTruth(Truth):
    """The listed points of a surface.

    Parameters
    ----------
    shape : Surface
    start : (float, float)
        The reference saddle is the one nearest to it from which a lower minimum is known.
    """

    def __init__(self, shape: Surface, start: tuple[float, ...]) -> None:
        self.points = shape.stationary_points
        minima = shape.minima
        self.deepest = minima[0].value if minima else None
        if self.deepest is None:
            return
        lower = [point for point in shape.saddles if point.value > self.deepest]
        if not lower:
            return
        point = min(lower, key=lambda each: math.dist(each.position, start))
        direction = None
        if point.eigenvalues[0] < 0.0 and point.kind == "saddle":
            xx, xy, yy = (float(part) for part in shape.hessian(*point.position))
            direction = _signed(np.linalg.eigh([[xx, xy], [xy, yy]])[1][:, 0])
        reach = min(math.dist(point.position, minimum.position) for minimum in minima)
        self.saddle = ReferenceSaddle(point, self.deepest, direction, reach)

    def nearest(self, position: ArrayLike, loss: float) -> NearestPoint | None:
        """Return the listed point at the smallest distance."""
        if not self.points:
            return None
        place = np.asarray(position, dtype=np.float64)
        point = min(self.points, key=lambda each: float(np.linalg.norm(place - each.position)))
        distance = float(np.linalg.norm(place - point.position))
        return NearestPoint(point.kind, point.index, distance, point.value)


class StrictSaddle(Truth):
    """½ zᵀΛz + ¼ Σ zᵢ⁴ over the negative directions, z = Qᵀx: ten negative eigenvalues, ninety positive ones.

    Parameters
    ----------
    seed : int
        Of the random orthogonal matrix Q.

    Attributes
    ----------
    spectrum : ndarray, shape=(100,)
        Λ: minus ``linspace(0.1, 1, 10)``, then ``linspace(0.1, 5, 90)``.
    rotation : ndarray, shape=(100, 100)
        Q.
    """

    def __init__(self, seed: int) -> None:
        self.spectrum = np.concatenate((-np.linspace(0.1, 1.0, 10), np.linspace(0.1, 5.0, 90)))
        self.negative = self.spectrum < 0.0
        normal = np.random.Generator(np.random.PCG64(seed)).standard_normal((100, 100))
        q, r = np.linalg.qr(normal)
        self.rotation: Array = q * np.sign(np.diag(r))
        self.deepest = float(-0.25 * (self.spectrum[self.negative] ** 2).sum())
        origin = classify((0.0,) * 100, 0.0, self.spectrum.tolist())
        lowest = int(np.argmin(self.spectrum))
        reach = float(np.sqrt(-self.spectrum[self.negative].sum()))
        self.saddle = ReferenceSaddle(origin, self.deepest, self.rotation[:, lowest], reach)
        self.points = (origin,)

    def nearest(self, position: ArrayLike, loss: float) -> NearestPoint:
        """Return the nearest of the 3¹⁰ stationary points: every negative coordinate is 0 or ±√|λ|."""
        z = self.rotation.T @ np.asarray(position, dtype=np.float64)
        wells = np.sqrt(np.abs(self.spectrum))
        settled = self.negative & (np.abs(z) > 0.5 * wells)
        target = np.where(settled, np.sign(z) * wells, 0.0)
        index = int((self.negative & ~settled).sum())
        loss = float(-0.25 * (self.spectrum[settled] ** 2).sum())
        kind = "minimum" if index == 0 else "saddle"
        return NearestPoint(kind, index, float(np.linalg.norm(z - target)), loss)


class FactorisationTruth(Truth):
    """½|W_L..W₁ − T|² with T = diag(2, 1.5, 1, 0.5): the origin, and plateaus where some values are learned.

    Parameters
    ----------
    layers : int
    """

    def __init__(self, layers: int) -> None:
        size = len(TARGET_SINGULAR_VALUES)
        dimension = layers * size * size
        # Two layers: the Hessian at the origin couples W1 and W2 by -T. More layers: it is zero.
        values = np.repeat(TARGET_SINGULAR_VALUES, size) if layers == 2 else np.zeros(dimension // 2)
        eigenvalues = np.concatenate((-values, values))
        self.plateaus = learning_plateaus()
        origin = classify((0.0,) * dimension, self.plateaus[0], eigenvalues.tolist())
        self.deepest = 0.0
        reach = math.sqrt(layers * sum(value ** (2.0 / layers) for value in TARGET_SINGULAR_VALUES))
        self.saddle = ReferenceSaddle(origin, 0.0, None, reach)
        self.points = (origin,)

    def nearest(self, position: ArrayLike, loss: float) -> NearestPoint:
        """Return the plateau whose loss is nearest; its points fill a surface, so there is no distance."""
        level = min(self.plateaus, key=lambda each: abs(each - loss))
        if level == 0.0:
            return NearestPoint("minimum", 0, None, 0.0)
        if level == self.plateaus[0] and self.saddle is not None:
            origin = self.saddle.point
            return NearestPoint(origin.kind, origin.index, float(np.linalg.norm(position)), level)
        return NearestPoint("saddle", None, None, level)


class SO3Truth(Truth):
    """tr M − tr RM on SO(3), M = diag(3, 2, 1): the identity and three half turns.

    Parameters
    ----------
    start : ndarray, shape=(3,), optional
        Rotation vector that the run starts from.
    """

    def __init__(self, start: ArrayLike) -> None:
        self.points = so3_points()
        self.deepest = 0.0
        unstable = [point for point in self.points if point.index > 0]
        point = min(unstable, key=lambda each: _angle(start, each.position))
        self.saddle = ReferenceSaddle(point, 0.0, None, math.pi)

    def nearest(self, position: ArrayLike, loss: float) -> NearestPoint:
        """Return the critical rotation at the smallest angle, in rad."""
        point = min(self.points, key=lambda each: _angle(position, each.position))
        return NearestPoint(point.kind, point.index, _angle(position, point.position), point.value)


def so3_points() -> tuple[StationaryPoint, ...]:
    """Return the critical points of ``tr M − tr RM``, M = diag(s): R = diag(d), eigenvalues ``dᵢsᵢ + dⱼsⱼ``."""
    s = np.array(SO3_SINGULAR_VALUES)
    found = []
    for axis in (None, 0, 1, 2):
        d = np.ones(3) if axis is None else np.where(np.arange(3) == axis, 1.0, -1.0)
        position = tuple(0.0 if axis is None or place != axis else math.pi for place in range(3))
        pairs = [d[i] * s[i] + d[j] * s[j] for i, j in ((0, 1), (0, 2), (1, 2))]
        found.append(classify(position, float(s.sum() - d @ s), pairs))
    return tuple(sorted(found, key=lambda point: point.value))


def learning_plateaus() -> tuple[float, ...]:
    """Return the losses ``½ Σ sᵢ²`` over the values not yet learned, the largest ones being learned first."""
    squares = [0.5 * value * value for value in TARGET_SINGULAR_VALUES]
    return tuple(float(sum(squares[learned:])) for learned in range(len(squares) + 1))


def truth_of(job: LandscapeJob, start: tuple[float, ...] | None = None) -> Truth:
    """Return what is known about a job's landscape.

    Parameters
    ----------
    job : LandscapeJob
    start : tuple of float, optional
        Where the run starts, if it is known better than the job says.
    """
    if job.description.is_planar:
        return _planar_truth(job.surface, tuple(start or job.start or job.surface.start))
    if job.landscape == "strict-saddle-100":
        return _strict_saddle(job.seed)
    if job.landscape == "matrix-factorisation":
        return FactorisationTruth(2)
    if job.landscape == "deep-linear":
        return FactorisationTruth(3)
    if job.landscape == "so3-alignment":
        return SO3Truth(start or job.start or so3_points()[-1].position)
    return Truth()


@lru_cache(maxsize=64)
def _planar_truth(shape: Surface, start: tuple[float, ...]) -> Truth:
    return PlanarTruth(shape, start)


@lru_cache(maxsize=8)
def _strict_saddle(seed: int) -> StrictSaddle:
    return StrictSaddle(seed)


def _signed(vector: Array) -> Array:
    """Return an eigenvector whose largest component is positive: its sign is nobody's to know."""
    return vector * np.sign(vector[np.argmax(np.abs(vector))])


def _angle(a: ArrayLike, b: ArrayLike) -> float:
    """Return the angle in rad between two rotations given as rotation vectors."""
    (ca, va), (cb, vb) = _quaternion(a), _quaternion(b)
    return 2.0 * math.atan2(float(np.linalg.norm(ca * vb - cb * va - np.cross(va, vb))), abs(ca * cb + float(va @ vb)))


def _quaternion(vector: ArrayLike) -> tuple[float, Array]:
    w = np.asarray(vector, dtype=np.float64)
    angle = float(np.linalg.norm(w))
    return math.cos(0.5 * angle), 0.5 * w * float(np.sinc(0.5 * angle / math.pi))
