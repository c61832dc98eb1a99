"""Basin maps: which stationary point an optimiser reaches from every start of a grid, and at what cost. No torch.

What is asked for is a `BasinSpec`, what was found a `BasinMap`; `lieapp.landscapes.starts.compute_basins` leads from
one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.landscapes.catalog import Surface
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.points import StationaryPoint, classify
from lieapp.landscapes.recommended import recommended, scales_of
from lieapp.landscapes.spec import LandscapeJob
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS

__all__ = [
    "LEFT",
    "NOT_ARRIVED",
    "PENDING",
    "BasinMap",
    "BasinProgress",
    "BasinSpec",
    "identify",
    "is_elementwise",
]

Array = NDArray[np.float64]

NOT_ARRIVED = -1
"""The budget was spent on the way."""
LEFT = -2
"""It ended beside the domain, or at no finite number."""
PENDING = -3
"""Not computed: the map was cancelled before."""

DEFAULT_POINTS = {True: 151, False: 21}
"""Starts along a side, for optimisers that run as one batch and for those that do not."""
DEFAULT_EVALUATIONS = {True: 3000.0, False: 500.0}
GTOL = 1e-5
"""A start has arrived where the gradient norm is below: near enough to tell stationary points apart."""

_NEAR = 0.01  # of the diagonal of the domain
_MOST_FOUND = 30
_GRID = 60


def is_elementwise(optimizer: str) -> bool:
    """Return whether an optimiser moves every parameter by its own gradient alone: many starts run as one batch."""
    settings = SETTINGS.get(normalised(optimizer))
    return settings is not None and settings.elementwise


@dataclass(frozen=True)
class BasinSpec:
    """What a basin map is asked for.

    Attributes
    ----------
    job : LandscapeJob
        Of a surface; landscape, optimiser with its overrides, seed and precision count, its start and limits do not.
    points : int or None
        Starts along each side of the domain; None for a number that the optimiser can afford.
    evaluations : float or None
        Budget of each start; None for a number that the optimiser can afford.
    gtol : float
        Gradient norm below which a start has arrived.
    """

    job: LandscapeJob
    points: int | None = None
    evaluations: float | None = None
    gtol: float = GTOL

    def __post_init__(self) -> None:
        if not self.job.description.is_planar:
            raise LandscapeError(f"{self.job.title}: a basin map needs a surface over x and y")
        if self.points is not None and not 2 <= self.points <= 2000:
            raise LandscapeError(f"a basin map of {self.points} starts along a side: expected 2 to 2000")
        if self.evaluations is not None and not self.evaluations > 0.0:
            raise LandscapeError(f"a basin map of {self.evaluations:g} evaluations a start: expected more than 0")

    @property
    def elementwise(self) -> bool:
        """Whether all starts run as one batch."""
        return is_elementwise(self.job.optimizer.name)

    @property
    def side(self) -> int:
        """Starts along each side."""
        return DEFAULT_POINTS[self.elementwise] if self.points is None else self.points

    @property
    def budget(self) -> float:
        """Evaluations of each start at most."""
        return DEFAULT_EVALUATIONS[self.elementwise] if self.evaluations is None else self.evaluations

    @property
    def most_evaluations(self) -> float:
        """Evaluations of the whole map at most."""
        return self.side**2 * self.budget

    @cached_property
    def surface(self) -> Surface:
        """What the starts are spread over."""
        return self.job.surface

    def axes(self) -> tuple[Array, Array]:
        """Return x and y of the starts, shape ``(side,)`` each; the first and the last lie on the domain's edge."""
        # Written so that a symmetric domain has symmetric starts to the last bit, and an odd number the middle itself.
        up = np.arange(self.side)
        x, y = ((up[::-1] * low + up * high) / (self.side - 1) for low, high in self.surface.domain)
        return x, y

    def overrides(self) -> dict[str, Any]:
        """Return the settings of the optimiser in which it differs from its defaults: the same for all starts.

        Notes
        -----
        Recommended is what suits the highest start whose value colours still tell apart, so that no start below it
        overshoots; a start above the clip of a surface may be thrown out, and the map then says so.
        """
        choice, job = self.job.optimizer, self.job
        scales = scales_of(job.landscape, job.formula, job.domain, self._highest())
        base = choice.overrides.get("base.name", "sgd")
        return {**recommended(choice.name, scales, str(base)), **choice.overrides}

    def _highest(self) -> tuple[float, float]:
        shape = self.surface
        (x0, x1), (y0, y1) = shape.domain
        x, y = np.meshgrid(np.linspace(x0, x1, _GRID), np.linspace(y0, y1, _GRID))
        with np.errstate(all="ignore"):
            values = np.broadcast_to(np.asarray(shape.value(x, y), dtype=np.float64), x.shape)
        shown = np.isfinite(values) & (values <= (np.inf if shape.clip is None else shape.clip))
        if not shown.any():
            return shape.start
        place = np.unravel_index(int(np.argmax(np.where(shown, values, -np.inf))), x.shape)
        return float(x[place]), float(y[place])


@dataclass(frozen=True)
class BasinProgress:
    """How far a map has come.

    Attributes
    ----------
    fraction : float
        Of the work, from 0 to 1; an estimate.
    ended, starts : int
    evaluations : float
        Spent so far.
    found : BasinMap or None
        The map as far as it has come; told more seldom than the rest, None in between.
    """

    fraction: float
    ended: int
    starts: int
    evaluations: float
    found: BasinMap | None = None


@dataclass(frozen=True, eq=False)
class BasinMap:
    """Where every start of a grid ended.

    Attributes
    ----------
    spec : BasinSpec
    settings : dict
        Of the optimiser, all of them.
    x, y : ndarray, shape=(nx,) and (ny,)
        Starts.
    reached : ndarray, shape=(ny, nx), dtype=int16
        Place in ``points``, or `NOT_ARRIVED`, `LEFT`, `PENDING`.
    evaluations : ndarray, shape=(ny, nx)
        Spent from each start; NaN where it is pending.
    ends : ndarray, shape=(ny, nx, 2)
        Where each start ended; NaN where that is no finite number, or pending.
    points : tuple of StationaryPoint
        Those of the surface, then those that were found besides.
    total : float
        Evaluations of all starts.
    seconds : float
        Computing time.
    """

    spec: BasinSpec
    settings: dict[str, Any]
    x: Array
    y: Array
    reached: NDArray[np.int16]
    evaluations: Array
    ends: Array
    points: tuple[StationaryPoint, ...]
    total: float
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every start has ended."""
        return not bool((self.reached == PENDING).any())

    def count(self, which: int) -> int:
        """Return the number of starts that ended so; ``which`` is a value of ``reached``."""
        return int((self.reached == which).sum())

    def kinds(self) -> list[int]:
        """Return the values of ``reached`` that occur: points in their order, then the other ends."""
        found = set(np.unique(self.reached).tolist())
        return [*sorted(each for each in found if each >= 0), *sorted((e for e in found if e < 0), reverse=True)]

    def describe(self, which: int) -> str:
        """Return in words what a value of ``reached`` stands for."""
        words = {NOT_ARRIVED: "did not arrive", LEFT: "left the domain", PENDING: "not computed"}
        if which in words:
            return words[which]
        point = self.points[which]
        x, y = point.position
        return f"{point.title} ({x:.4g}, {y:.4g})".replace("-", "−")


def identify(
    surface: Surface, ends: Array, arrived: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], tuple[StationaryPoint, ...]]:
    """Return at which stationary point each end lies.

    Parameters
    ----------
    surface : Surface
    ends : ndarray, shape=(starts, 2)
    arrived : ndarray, shape=(starts,), dtype=bool
        Whether the gradient vanishes there.

    Returns
    -------
    reached : ndarray, shape=(starts,), dtype=int16
        Places in ``points``; `LEFT` beside the domain, `NOT_ARRIVED` where the gradient does not vanish.
    points : tuple of StationaryPoint
        Those of the surface that are listed, then those met besides, classified by their Hessian.
    """
    (x0, x1), (y0, y1) = surface.domain
    near = _NEAR * surface.size
    finite = np.isfinite(ends).all(axis=1)
    inside = finite & (ends[:, 0] >= x0) & (ends[:, 0] <= x1) & (ends[:, 1] >= y0) & (ends[:, 1] <= y1)
    reached = np.where(inside, NOT_ARRIVED, LEFT).astype(np.int16)
    points = list(surface.stationary_points)
    open_ = finite & arrived
    if points:
        away = np.stack([_distance(ends, point.position) for point in points])
        closest = np.argmin(np.where(np.isnan(away), np.inf, away), axis=0)
        known = open_ & (away[closest, np.arange(len(ends))] < near)
        reached[known] = closest[known]
    rest = open_ & inside & (reached < 0)
    while rest.any() and len(points) < len(surface.stationary_points) + _MOST_FOUND:
        place = ends[int(np.argmax(rest))]
        same = rest & (_distance(ends, place) < near)
        reached[same] = len(points)
        points.append(_classified(surface, np.median(ends[same], axis=0)))
        rest &= ~same
    return reached, tuple(points)


def _distance(ends: Array, place: Any) -> Array:
    with np.errstate(all="ignore"):
        found: Array = np.hypot(ends[:, 0] - place[0], ends[:, 1] - place[1])
    return found


def _classified(surface: Surface, place: Array) -> StationaryPoint:
    x, y = (float(part) for part in place)
    xx, xy, yy = (float(part) for part in surface.hessian(x, y))
    eigenvalues = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
    zero = 1e-6 * max(float(np.abs(eigenvalues).max()), 1e-12)
    return classify((x, y), float(surface.value(x, y)), eigenvalues.tolist(), zero)
