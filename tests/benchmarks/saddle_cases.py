"""Where the races beside saddles start, and when a saddle has been left."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from lieapp.landscapes.catalog import SURFACES, Surface
from lieapp.landscapes.points import StationaryPoint
from lieapp.landscapes.recommended import Scales, scales_of
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.truth import ESCAPE_SHARE, so3_points, truth_of

OFFSET = 1e-4
"""Distance of a start from a strict saddle."""

FAR_OFFSET = 0.05
"""The same for a degenerate saddle: from 1e-4 gradient descent takes some 1e5 evaluations, being hardly pushed."""

SHARE_OF_THE_END = 1e-3
_LONG = 1e6
TURN = math.pi / 6.0
_ROTATED = (
    f"({math.cos(TURN)!r}*x + {math.sin(TURN)!r}*y)^2 - ({math.cos(TURN)!r}*y - {math.sin(TURN)!r}*x)^2"
    f" + ({math.cos(TURN)!r}*y - {math.sin(TURN)!r}*x)^4"
)


@dataclass(frozen=True)
class Case:
    """A landscape, where runs on it start, and the losses that they are to fall below.

    Attributes
    ----------
    name, title : str
    job : callable(int) -> LandscapeJob
        With the start of that seed.
    escaped : float
        The saddle has been left below this loss: 10 % of the depth below it.
    ended : float
        The end has been reached below this loss: within 0.1 % of the depth of the deepest minimum. NaN if not asked.
    scales : Scales
        0.5 over its curvature is the step of gradient descent.
    strict : bool
        Whether the saddle has a negative eigenvalue, and the start is not held on its ridge.
    budget : float
        Evaluations after which a run that has not left counts as one that never does.
    """

    name: str
    title: str
    job: Callable[[int], LandscapeJob]
    escaped: float
    ended: float
    scales: Scales
    strict: bool
    budget: float

    @property
    def rate(self) -> float:
        """The step of gradient descent, 0.5 / largest curvature."""
        return 0.5 / self.scales.curvature


def planar_start(position: tuple[float, ...], offset: float, seed: int) -> tuple[float, float]:
    """Return a point at a distance from another one, in a direction drawn with the seed."""
    angle = float(np.random.default_rng(seed).uniform(0.0, 2.0 * math.pi))
    return position[0] + offset * math.cos(angle), position[1] + offset * math.sin(angle)


@lru_cache(maxsize=256)
def depth(shape: Surface, point: StationaryPoint) -> float:
    """Return how far it goes down from a saddle: on the side where descent ends higher.

    Descent is followed as a flow, for a valley may be too narrow and too long for steps: one of Beale's falls to 7.3
    on its way to infinity.
    """
    deepest = shape.minima[0].value
    if point.kind == "degenerate":
        return point.value - deepest
    values, vectors = np.linalg.eigh(_matrix(shape, point.position))
    lowest, rest, ends = vectors[:, 0], 1e-6 * float(np.abs(values).max()), []

    def at_rest(t: float, x: NDArray[np.float64]) -> float:
        # Ackley's deepest minimum is a cusp, where no gradient vanishes.
        above = float(shape.value(*x)) - deepest - 1e-9 * (point.value - deepest)
        return min(above, math.hypot(*(float(part) for part in shape.gradient(*x))) - rest)

    at_rest.terminal = True  # type: ignore[attr-defined]
    for side in (-1e-2, 1e-2):
        flow = solve_ivp(
            lambda t, x: -np.array(shape.gradient(*x), dtype=np.float64),
            (0.0, _LONG),
            np.asarray(point.position) + side * lowest,
            method="LSODA",
            events=at_rest,
            jac=lambda t, x: -_matrix(shape, x),
            rtol=1e-6,
            atol=1e-8,
        )
        ends.append(float(shape.value(*flow.y[:, -1])))
    return point.value - max(ends)


def _matrix(shape: Surface, position: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    xx, xy, yy = (float(part) for part in shape.hessian(*position))
    return np.array([[xx, xy], [xy, yy]])


def beside(shape: Surface, point: StationaryPoint, budget: float = 1000.0) -> Case:
    """Return the case of starts beside a saddle of a surface."""
    strict = point.eigenvalues[0] < 0.0
    offset = OFFSET if strict else FAR_OFFSET
    fall = depth(shape, point)
    place = ", ".join(f"{x:.3g}" for x in point.position)
    return Case(
        f"{shape.name} ({place})",
        f"{shape.title}, ({place}), {offset:g} away",
        lambda seed: LandscapeJob(landscape=shape.name, start=planar_start(point.position, offset, seed), seed=seed),
        point.value - ESCAPE_SHARE * fall,
        math.nan,
        Scales(_curvature(shape.name, point.position), shape.size),
        strict,
        budget,
    )


def strict_saddles() -> list[Case]:
    """Return the cases of all strict saddles of all surfaces; of those alike by symmetry, one."""
    found: dict[tuple[str, float, float], tuple[Surface, StationaryPoint]] = {}
    for shape in SURFACES.values():
        for point in shape.saddles:
            if point.kind == "saddle" and math.isfinite(point.eigenvalues[0]):
                alike = (shape.name, round(point.value, 4), round(point.eigenvalues[0], 3))
                found.setdefault(alike, (shape, point))
    return [beside(shape, point) for shape, point in found.values()]


def beside_with_the_step_of_the_saddle() -> Case:
    """Return the case of Beale's lower saddle with half of 1 / curvature at the saddle itself as the step.

    That is what a method without an eye for what comes would take, and unstable farther down the valley.
    """
    shape = SURFACES["beale"]
    point = min(shape.saddles, key=lambda each: each.value)
    case = beside(shape, point)
    return replace(
        case,
        name=f"{case.name}, unstable",
        title=f"{case.title}, step 0.5 / curvature at the saddle alone",
        scales=Scales(max(abs(value) for value in point.eigenvalues), shape.size),
    )


def high_dimensional(name: str, offset: float, strict: bool, *, to_the_end: bool) -> Case:
    """Return the case of starts beside the saddle of a loss of many parameters."""
    job = LandscapeJob(landscape=name, offset=offset)
    truth = truth_of(job)
    assert truth.saddle is not None and truth.deepest is not None
    scales = scales_of(name)
    assert scales is not None
    fall = truth.saddle.point.value - truth.deepest
    return Case(
        name,
        f"{job.description.title}, {offset:g} away",
        lambda seed: job.changed(seed=seed),
        truth.saddle.escape_level,
        truth.deepest + SHARE_OF_THE_END * fall if to_the_end else math.nan,
        scales,
        strict,
        2000.0,
    )


def turned(index: int) -> Case:
    """Return the case of rotations 1e-4 rad beside the critical one of an index."""
    point = next(each for each in so3_points() if each.index == index)
    axis = int(np.argmax(point.position))

    def job(seed: int) -> LandscapeJob:
        # Beside a half turn about an axis: the same axis a little aside, and an angle a little off.
        aside = np.random.default_rng(seed).standard_normal(3)
        aside *= OFFSET / np.linalg.norm(aside)
        vector = np.asarray(point.position) + aside * np.where(np.arange(3) == axis, 1.0, 0.5 * math.pi)
        return LandscapeJob(landscape="so3-alignment", start=tuple(vector.tolist()), seed=seed)

    scales = scales_of("so3-alignment")
    assert scales is not None
    return Case(
        f"so3 index {index}",
        f"Alignment on SO(3), index {index}, 1e-4 rad away",
        job,
        (1.0 - ESCAPE_SHARE) * point.value,
        math.nan,
        scales,
        True,
        1000.0,
    )


def ridge(*, rotated: bool = False) -> Case:
    """Return the case of a start exactly on the ridge of x² - y² + y⁴, along an axis or at 30°."""
    shape = SURFACES["saddle"]
    start, formula, name = (0.5, 0.0), None, "saddle"
    if rotated:
        start, formula, name = (0.5 * math.cos(TURN), 0.5 * math.sin(TURN)), _ROTATED, "formula"
    return Case(
        "ridge, 30°" if rotated else "ridge",
        f"{shape.title}, exactly on the ridge{' turned by 30°' if rotated else ''}",
        lambda seed: LandscapeJob(
            landscape=name, formula=formula, domain=shape.domain if rotated else None, start=start, seed=seed
        ),
        -ESCAPE_SHARE * 0.25,
        math.nan,
        Scales(_curvature("saddle", (0.0, 0.0)), shape.size),
        False,
        1000.0,
    )


def valley(budget: float = 20_000.0) -> Case:
    """Return the case of Rosenbrock's valley, from starts about (-1.2, 1): nothing to escape from."""
    shape, begin = SURFACES["rosenbrock"], (-1.2, 1.0)
    xx, xy, yy = (float(part) for part in shape.hessian(*begin))
    return Case(
        "rosenbrock",
        "Rosenbrock, 0.1 about (-1.2, 1), to the minimum",
        lambda seed: LandscapeJob(landscape="rosenbrock", start=planar_start(begin, 0.1, seed), seed=seed),
        SHARE_OF_THE_END * float(shape.value(*begin)),
        math.nan,
        Scales(float(np.linalg.eigvalsh([[xx, xy], [xy, yy]])[1]), shape.size),
        False,
        budget,
    )


def table() -> list[Case]:
    """Return the columns of the table of methods."""
    surfaces = {name: SURFACES[name] for name in ("saddle", "monkey-saddle", "flat-saddle", "muller-brown")}
    second = max(surfaces["muller-brown"].saddles, key=lambda point: point.value)
    return [
        beside(surfaces["saddle"], surfaces["saddle"].saddles[0]),
        ridge(),
        ridge(rotated=True),
        beside(surfaces["muller-brown"], second),
        high_dimensional("strict-saddle-100", OFFSET, True, to_the_end=True),
        high_dimensional("matrix-factorisation", OFFSET, True, to_the_end=True),
        turned(1),
        turned(2),
        beside(surfaces["monkey-saddle"], surfaces["monkey-saddle"].saddles[0]),
        beside(surfaces["flat-saddle"], surfaces["flat-saddle"].saddles[0], 4000.0),
        high_dimensional("deep-linear", 0.5, False, to_the_end=True),
        valley(),
    ]


def _curvature(name: str, start: tuple[float, ...]) -> float:
    scales = scales_of(name, start=tuple(start))
    assert scales is not None
    return scales.curvature
