"""Two-dimensional slices of an objective over poses, and what lies on them.

A slice is a plane of twists at the best pose (R0, t0) of the objective: the pose at the coordinates (a, b) is reached
from there by the turn ``exp(w)`` about the mobile centroid and the shift ``u`` of that centroid,

    R = exp(w) R0,      centroid = centroid at the best pose + u,      (u, w) = a e1 + b e2.

So one value is shown for each pose of the plane, nothing is minimised over what is not shown, and the value at (0, 0)
is that of the best pose. On a plane of turns the centroid stays where the best pose has it. For the RMSD that is on
the target's centroid, which is the best place for **every** rotation: there the slice is the RMSD minimised over all
translations. For other objectives it is not.

A plane of turns is a disc: beyond a turn of 180° the same rotations come again, and opposite points of the rim are one
rotation. Along a turn about a unit axis n the squared RMSD is ``minimum² + 2 (1 - cos angle) (tr M - nᵀ M n)`` with a
symmetric M; the axes of M are `LossSurface.principal_axes`, and the other critical points of the RMSD lie half a turn
about them, on the rim.

A recorded path leaves the plane. What is drawn is the nearest point in twist coordinates; `Projection.distances` says
how far the pose itself is from the one drawn, as the root mean square displacement of the mobile structure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.loss_surface import Cancelled, LossSurface, Progress, rotation_exps, rotation_logs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AXIS_NAMES",
    "CRITICAL_TITLES",
    "AxisName",
    "Mark",
    "Projection",
    "Slice",
    "SliceAxis",
    "SlicePlane",
    "Waypoint",
    "axes_plane",
    "axis_title",
    "compute_slice",
    "partner_axes",
    "path_plane",
    "start_plane",
]

Array = NDArray[np.float64]
AxisName = Literal[
    "principal-1", "principal-2", "principal-3", "turn-x", "turn-y", "turn-z", "shift-x", "shift-y", "shift-z"
]
"""An axis of a slice: a half turn to a critical point of the RMSD, or one of the six twists about the centroid."""
Waypoint = Literal["saddle-1", "saddle-2", "maximum", "kabsch"]
"""What a plane leads through, besides the best pose and a start."""

AXIS_NAMES: tuple[AxisName, ...] = get_args(AxisName)
_AXIS_TITLES: dict[AxisName, str] = {
    "principal-1": "principal turn 1",
    "principal-2": "principal turn 2",
    "principal-3": "principal turn 3",
    "turn-x": "turn about x",
    "turn-y": "turn about y",
    "turn-z": "turn about z",
    "shift-x": "shift along x",
    "shift-y": "shift along y",
    "shift-z": "shift along z",
}
CRITICAL_TITLES = ("minimum", "saddle 1", "saddle 2", "maximum")
"""Names of the critical points of the RMSD, by the number of directions that lead down."""

_WAYPOINT_TITLES = {"saddle-1": "saddle 1", "saddle-2": "saddle 2", "maximum": "the maximum", "kabsch": "Kabsch"}
_WAYPOINTS_BY_INDEX = ("the minimum", "saddle 1", "saddle 2", "the maximum")
_POINTS = 201
_FEWEST_POINTS = 61
_KERNELS = 2e8  # of pairs at poses: some three seconds
_SAME_PLACE = 1e-6  # of the radius
_LEAST_ANGLE = 1e-4  # rad; a direction shorter than this is none


@dataclass(frozen=True, eq=False)
class SliceAxis:
    """One axis of a slice.

    Attributes
    ----------
    title : str
        For people, without unit.
    unit : str
        Of the coordinate: ``"°"`` or ``"Å"``.
    twist : ndarray, shape=(6,), dtype=float64
        Shift in Å and turn in rad for each unit of the coordinate.
    extent : float
        The coordinate up to which a slice is computed, either way.
    """

    title: str
    unit: str
    twist: Array
    extent: float

    @property
    def is_turn(self) -> bool:
        return bool(self.twist[3:].any())

    @property
    def label(self) -> str:
        """Title with unit, for the axis of a plot."""
        return f"{self.title} ({self.unit})"


@dataclass(frozen=True, eq=False)
class Projection:
    """Recorded poses as they are drawn on a plane.

    Attributes
    ----------
    coordinates : ndarray, shape=(poses, 2), dtype=float64
        Nearest points of the plane, in the units of its axes.
    distances : ndarray, shape=(poses,), dtype=float64
        Root mean square displacement of the mobile structure between each pose and the point drawn for it, in Å.
    continues : ndarray, shape=(poses,), dtype=bool
        Whether a line may be drawn from a pose to the next: not over the rim, where a path goes on at the other side.
    """

    coordinates: Array
    distances: Array
    continues: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Mark:
    """A pose that means something, seen from a plane.

    Attributes
    ----------
    title : str
        ``"minimum"``, ``"saddle 1"``, ``"saddle 2"``, ``"maximum"``, ``"best known"`` or ``"Kabsch"``.
    index : int or None
        Directions that lead down, where the pose is a critical point of what is shown.
    value : float
        The objective at the pose itself, as people read it.
    places : ndarray, shape=(1 or 2, 2), dtype=float64
        Coordinates; two at the rim, where opposite points are one rotation.
    distance : float
        How far the pose is from the plane in Å; 0 in it.
    """

    title: str
    index: int | None
    value: float
    places: Array
    distance: float

    @property
    def in_plane(self) -> bool:
        return self.distance == 0.0


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """A plane of poses through the best pose of a surface; see the module for its points.

    Attributes
    ----------
    surface : LossSurface
    title : str
        For people.
    axes : tuple of SliceAxis
        Horizontal and vertical; their twists are orthogonal.
    """

    surface: LossSurface
    title: str
    axes: tuple[SliceAxis, SliceAxis]

    @property
    def rim(self) -> float | None:
        """Radius at which poses repeat, in the unit of both axes; None unless both are turns."""
        return self.axes[0].extent if all(axis.is_turn for axis in self.axes) else None

    def poses(self, coordinates: ArrayLike) -> tuple[Array, Array]:
        """Return rotations, shape=(n, 3, 3), and translations, shape=(n, 3), of points, shape=(n, 2)."""
        rotations, shifts = self._centred(np.asarray(coordinates, dtype=np.float64))
        return rotations, self.surface.translations(rotations, shifts)

    def values(self, coordinates: ArrayLike) -> Array:
        """Return the objective at points, shape=(n, 2), as people read it."""
        values = self.surface.values(*self._centred(np.asarray(coordinates, dtype=np.float64)))
        assert values is not None
        return values

    def project(self, rotations: ArrayLike, translations: ArrayLike) -> Projection:
        """Return where poses ``x' = R x + t`` are drawn.

        Parameters
        ----------
        rotations : array_like, shape=(n, 3, 3)
        translations : array_like, shape=(n, 3)
            In Å. Poses that are not finite get coordinates that are not.
        """
        surface = self.surface
        r, t = np.asarray(rotations, dtype=np.float64), np.asarray(translations, dtype=np.float64)
        shifts = surface.shifts(r, t)
        twists = np.concatenate((shifts - self._best_shift, rotation_logs(r @ surface.best.rotation.T)), axis=1)
        basis = np.stack([axis.twist / (axis.twist @ axis.twist) for axis in self.axes], axis=1)
        coordinates = twists @ basis
        drawn, drawn_shifts = self._centred(coordinates)
        distances = surface.displacement(r, shifts, drawn, drawn_shifts)
        continues = np.zeros(len(r), dtype=bool)
        # A step over the rim turns the rotation vector round; no step of an optimiser is that long.
        continues[:-1] = np.linalg.norm(np.diff(twists[:, 3:], axis=0), axis=1) < math.pi
        return Projection(coordinates, distances, continues)

    def marks(self) -> tuple[Mark, ...]:
        """Return the poses that mean something, the best one first.

        For the RMSD these are its four critical points; for other objectives the best pose known, and Kabsch's.
        """
        surface = self.surface
        if surface.objective.name == "rmsd":
            return tuple(
                self._mark(point.rotation, point.translation, title, point.index)
                for point, title in zip(surface.critical_points, CRITICAL_TITLES, strict=True)
            )
        kabsch = surface.critical_points[0]
        best = surface.best
        return (
            self._mark(best.rotation, best.translation, "best known", 0),
            self._mark(kabsch.rotation, kabsch.translation, "Kabsch", None),
        )

    @property
    def _best_shift(self) -> Array:
        best = self.surface.best
        return self.surface.shifts(best.rotation, best.translation)

    def _centred(self, coordinates: Array) -> tuple[Array, Array]:
        twists = coordinates @ np.stack([axis.twist for axis in self.axes])
        rotations = rotation_exps(twists[:, 3:]) @ self.surface.best.rotation
        return rotations, twists[:, :3] + self._best_shift

    def _mark(self, rotation: Array, translation: Array, title: str, index: int | None) -> Mark:
        surface = self.surface
        value = surface.values(rotation[None], surface.shifts(rotation[None], translation[None]))
        assert value is not None
        projection = self.project(rotation[None], translation[None])
        places, distance = projection.coordinates, float(projection.distances[0])
        if distance <= _SAME_PLACE * max(surface.radius, 1.0):
            distance = 0.0
        rim = self.rim
        if rim is not None and distance == 0.0 and math.hypot(*places[0]) > rim * (1.0 - 1e-6):
            # Which of the two is found first is a matter of rounding.
            places = np.concatenate((places, -places))
            places = places[np.lexsort((places[:, 1], places[:, 0]))[::-1]]
        return Mark(title, index, float(value[0]), places, distance)


@dataclass(frozen=True, eq=False)
class Slice:
    """The values of an objective on a plane.

    Attributes
    ----------
    plane : SlicePlane
    x, y : ndarray, shape=(nx,) and (ny,), dtype=float64
        Grid in the units of the axes, ascending, with 0 in the middle.
    values : ndarray, shape=(ny, nx), dtype=float64
        As people read them: RMSD in Å, TM-score.
    marks : tuple of Mark
    """

    plane: SlicePlane
    x: Array
    y: Array
    values: Array
    marks: tuple[Mark, ...]

    @property
    def title(self) -> str:
        """What the values are, such as ``"RMSD"``."""
        return self.plane.surface.objective.title

    @property
    def unit(self) -> str:
        return self.plane.surface.objective.unit

    @property
    def maximised(self) -> bool:
        """Whether people want the value large."""
        return self.plane.surface.objective.maximised

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which grid points show a pose for the first time: those within the rim, shape=(ny, nx)."""
        rim = self.plane.rim
        if rim is None:
            return np.ones(self.values.shape, dtype=bool)
        return np.hypot(self.x, self.y[:, None]) <= rim * (1.0 + 1e-12)


def axis_title(name: AxisName, objective: str = "rmsd") -> str:
    """Return the title of an axis for people; for the RMSD, principal axes are named by where half a turn leads."""
    kind, which = name.split("-")
    if kind == "principal" and objective == "rmsd":
        return f"turn to {CRITICAL_TITLES[int(which)]}"
    return _AXIS_TITLES[name]


def partner_axes(name: AxisName) -> tuple[AxisName, ...]:
    """Return the axes that span a plane with another: turns of the same frame, and shifts."""
    if name not in AXIS_NAMES:
        raise AlignmentError(f"No axis is called {name!r}; there are {', '.join(AXIS_NAMES)}")
    own = name.split("-")[0]
    other_frame = {"principal": "turn", "turn": "principal"}.get(own, "")
    return tuple(other for other in AXIS_NAMES if other != name and other.split("-")[0] != other_frame)


def axes_plane(
    surface: LossSurface,
    first: AxisName,
    second: AxisName,
    *,
    turns_in: Literal["degrees", "angstrom"] = "degrees",
    reach: float | None = None,
) -> SlicePlane:
    """Return the plane of two axes through the best pose.

    Parameters
    ----------
    surface : LossSurface
    first, second : str
        Horizontal and vertical, of `AXIS_NAMES`; see `partner_axes`. x, y, z are those of the structure that stays.
    turns_in : {"degrees", "angstrom"}
        Unit of turns; in Å they are the path of an atom at the radius of gyration.
    reach : float, optional
        How far shifts are computed, in Å; the radius of gyration by default.

    Raises
    ------
    AlignmentError
        If there is no such axis, or the two are no pair.
    """
    if second not in partner_axes(first):
        raise AlignmentError(f"{first!r} and {second!r} span no plane; {first!r} goes with {partner_axes(first)}")
    axes = []
    for name in (first, second):
        kind, which = name.split("-")
        if kind == "shift":
            twist = np.zeros(6)
            twist["xyz".index(which)] = 1.0
            axes.append(
                SliceAxis(
                    axis_title(name, surface.objective.name), "Å", twist, surface.radius if reach is None else reach
                )
            )
        else:
            axis = surface.principal_axes[int(which) - 1] if kind == "principal" else np.eye(3)["xyz".index(which)]
            axes.append(_turn(surface, axis_title(name, surface.objective.name), axis, turns_in))
    return SlicePlane(surface, f"{axes[0].title}, {axes[1].title}", (axes[0], axes[1]))


def start_plane(surface: LossSurface, start: ArrayLike, through: Waypoint = "saddle-1") -> SlicePlane:
    """Return the plane of turns through the best pose, a start and a critical point of the RMSD.

    Parameters
    ----------
    surface : LossSurface
    start : array_like, shape=(3, 3)
        Rotation of the start.
    through : {"saddle-1", "saddle-2", "maximum", "kabsch"}
        What else lies in the plane; ``"kabsch"`` is the best pose of the RMSD, for other objectives.

    Notes
    -----
    Horizontal is the turn from the best pose to the start, vertical what the turn to the other pose has across it.
    Where one of them is no turn at all, or both are about one axis, a principal axis takes its place.
    """
    if through not in _WAYPOINT_TITLES:
        raise AlignmentError(f"No waypoint is called {through!r}; there are {', '.join(_WAYPOINT_TITLES)}")
    origin = surface.best.rotation
    if through == "kabsch":
        other = rotation_logs(surface.critical_points[0].rotation @ origin.T)
    else:
        index = ("saddle-1", "saddle-2", "maximum").index(through) + 1
        other = _towards(surface, index)
    goal = _WAYPOINT_TITLES[through]
    candidates = [("turn towards the start", rotation_logs(np.asarray(start, dtype=np.float64) @ origin.T))]
    candidates.append((f"turn across, towards {goal}", other))
    candidates += _fallbacks(surface)
    return _spanned(surface, f"start, {'minimum' if through != 'kabsch' else 'best'} and {goal}", candidates)


def path_plane(surface: LossSurface, rotations: ArrayLike) -> SlicePlane:
    """Return the plane of turns through the best pose to which a path keeps closest.

    Parameters
    ----------
    surface : LossSurface
    rotations : array_like, shape=(poses, 3, 3)
        Of the path; poses that are not finite are left out.

    Notes
    -----
    The two largest principal components of the rotation vectors about the best pose, not about their mean: the plane
    goes through the best pose. The first points to where the path begins.
    """
    array = np.asarray(rotations, dtype=np.float64).reshape(-1, 3, 3)
    array = array[np.isfinite(array).all((1, 2))]
    vectors = rotation_logs(array @ surface.best.rotation.T)
    candidates = []
    if len(vectors):
        _, _, components = np.linalg.svd(np.concatenate((vectors, np.zeros((3, 3)))), full_matrices=False)
        spreads = [float(np.abs(vectors @ component).max()) for component in components]
        for title, component, spread in zip(
            ("turn along the path", "turn across it"), components, spreads, strict=False
        ):
            sign = 1.0 if vectors[0] @ component >= 0.0 else -1.0
            candidates.append((title, sign * spread * component))
    candidates += _fallbacks(surface)
    return _spanned(surface, "plane of the path", candidates)


def compute_slice(
    plane: SlicePlane,
    *,
    points: int | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Slice | None:
    """Compute the objective on a grid over a plane.

    Parameters
    ----------
    plane : SlicePlane
    points : int, optional
        Grid points along each axis, made odd so that the origin is one of them. By default 201, or fewer (at least
        61) where an objective must be summed over many pairs.
    progress : callable, optional
        Called with the finished fraction now and then, on the thread that computes.
    cancelled : callable, optional
        Asked now and then.

    Returns
    -------
    Slice or None
        None if it was cancelled.
    """
    surface = plane.surface
    if points is None:
        affordable = _POINTS if surface.fixed_cost else int(math.sqrt(_KERNELS / surface.pairs))
        points = min(max(affordable, _FEWEST_POINTS), _POINTS)
    half = max(points // 2, 1)
    steps = np.arange(-half, half + 1) / half
    x, y = (axis.extent * steps for axis in plane.axes)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = surface.values(*plane._centred(grid), progress=progress, cancelled=cancelled)
    if values is None:
        return None
    return Slice(plane, x, y, values.reshape(len(y), len(x)), plane.marks())


def _turn(
    surface: LossSurface, title: str, axis: Array, turns_in: Literal["degrees", "angstrom"] = "degrees"
) -> SliceAxis:
    unit, per_rad = ("°", 180.0 / math.pi) if turns_in == "degrees" else ("Å", max(surface.radius, 1e-3))
    twist = np.concatenate((np.zeros(3), axis / (np.linalg.norm(axis) * per_rad)))
    return SliceAxis(title, unit, twist, math.pi * per_rad)


def _towards(surface: LossSurface, index: int) -> Array:
    """Return the turn from the best pose to a critical point of the RMSD, as a rotation vector."""
    if surface.objective.name == "rmsd":
        turn: Array = math.pi * surface.principal_axes[index - 1]
    else:
        turn = rotation_logs(surface.critical_points[index].rotation @ surface.best.rotation.T)
    return turn


def _fallbacks(surface: LossSurface) -> list[tuple[str, Array]]:
    return [(f"turn across, towards {_WAYPOINTS_BY_INDEX[k]}", _towards(surface, k)) for k in (1, 2, 3)]


def _spanned(surface: LossSurface, title: str, candidates: Sequence[tuple[str, Array]]) -> SlicePlane:
    """Return the plane of the first two rotation vectors that are not zero and not about one axis."""
    axes: list[SliceAxis] = []
    chosen: list[Array] = []
    for label, vector in candidates:
        across = vector - sum((unit * (unit @ vector) for unit in chosen), np.zeros(3))
        length = float(np.linalg.norm(across))
        if length < _LEAST_ANGLE:
            continue
        axes.append(_turn(surface, label if axes else label.replace("across, ", ""), across))
        chosen.append(across / length)
        if len(axes) == 2:
            return SlicePlane(surface, title, (axes[0], axes[1]))
    raise AlignmentError("The turns to be shown span no plane")
