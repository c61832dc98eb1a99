"""Where the scene is looked at from: a value of plain numbers, and what a hand does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Viewpoint", "principal_orientation", "rotation_vector", "trackball_rotation"]

_MARGIN = 1.08
_SMALLEST_HALF_HEIGHT = 0.5
_LARGEST_HALF_HEIGHT = 1.0e6


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """An orthographic or perspective view.

    Attributes
    ----------
    rotation : ndarray, shape=(3, 3)
        Scene to eye: rows are the directions right, up and towards the viewer.
    center : ndarray, shape=(3,)
        The point in Å that stays put when the view turns; it is drawn at `shift`.
    half_height : float
        Half of the visible height in Å, at the depth of the centre.
    scene_center, scene_radius : ndarray, shape=(3,), and float
        Sphere around what matters, in Å; the depth cue runs through it.
    clip_radius : float
        Radius about `scene_center` within which nothing may be cut off by the near and far planes.
    field_of_view : float
        Vertical angle in degrees; 0 is orthographic.
    """

    rotation: NDArray[np.float64]
    center: NDArray[np.float64]
    half_height: float = 30.0
    scene_center: NDArray[np.float64] | None = None
    scene_radius: float = 30.0
    clip_radius: float = 0.0
    field_of_view: float = 0.0

    @classmethod
    def fitting(
        cls,
        points: ArrayLike,
        *,
        aspect: float,
        rotation: NDArray[np.float64] | None = None,
        padding: float = 3.0,
        field_of_view: float = 0.0,
        also: ArrayLike = (),
        balls: Sequence[tuple[NDArray[np.float64], float]] = (),
    ) -> Viewpoint:
        """Return the view in which points fill the picture.

        Parameters
        ----------
        points : array_like, shape=(points, 3)
            Positions in Å.
        aspect : float
            Width over height of the picture.
        rotation : ndarray, shape=(3, 3), optional
            Keep this orientation; by default the longest axis lies across and the shortest in depth.
        padding : float
            Space in Å around the points, for what is drawn at them.
        field_of_view : float
            In degrees; 0 is orthographic.
        also : array_like, shape=(points, 3)
            Positions that must be seen as well, but have no say in the orientation.
        balls : sequence of (ndarray of shape (3,), float)
            Centres and radii in Å of what must be seen whichever way it turns; no say in the orientation either.
        """
        array = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        array = array[np.isfinite(array).all(axis=1)]
        if len(array) == 0:
            array = np.zeros((1, 3))
        turn = principal_orientation(array) if rotation is None else np.asarray(rotation, dtype=np.float64)
        array = np.concatenate([array, np.asarray(also, dtype=np.float64).reshape(-1, 3)])
        seen = array @ turn.T
        low, high = seen.min(axis=0) - padding, seen.max(axis=0) + padding
        low, high = (low + high) / 2 - (high - low) / 2 * _MARGIN, (low + high) / 2 + (high - low) / 2 * _MARGIN
        for place, reach in balls:
            # Only what happens to turn there touches the rim: no space around it.
            low, high = np.minimum(low, turn @ place - reach), np.maximum(high, turn @ place + reach)
        middle = (low + high) / 2
        half = (high - low) / 2
        half_height = max(half[1], half[0] / max(aspect, 1e-3))
        center = turn.T @ middle
        if field_of_view > 0:
            # Seen in perspective, what lies nearer is larger: make room for the nearest corner of the box.
            half_height += half[2] * np.tan(np.radians(field_of_view) / 2)
        radius = float(np.linalg.norm(array - center, axis=1).max() + padding)
        return cls(turn, center, float(half_height), center, radius, radius, field_of_view)

    @property
    def distance(self) -> float:
        """From the eye to the centre, in Å."""
        if self.field_of_view > 0:
            return self.half_height / float(np.tan(np.radians(self.field_of_view) / 2))
        return 4.0 * max(self.scene_radius, self.clip_radius, self.half_height)

    def view_matrix(self) -> NDArray[np.float64]:
        """Return scene to eye, shape (4, 4), columns acting on points as in ``x' = M x``."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation
        matrix[:3, 3] = -self.rotation @ self.center
        matrix[2, 3] -= self.distance
        return matrix

    def depth_range(self) -> tuple[float, float]:
        """Return the distances in Å from the eye to the front and to the back of the scene."""
        middle = self.center if self.scene_center is None else self.scene_center
        depth = self.distance - float(self.rotation[2] @ (middle - self.center))
        return depth - self.scene_radius, depth + self.scene_radius

    def projection_matrix(self, aspect: float) -> NDArray[np.float64]:
        """Return eye to clip coordinates, shape (4, 4).

        Near and far enclose the scene tightly: a generous range would make close surfaces flicker.
        """
        front, back = self.depth_range()
        slack = 0.05 * (back - front) + 1.0 + max(self.clip_radius - self.scene_radius, 0.0)
        near, far = front - slack, back + slack
        half_width = self.half_height * aspect
        matrix = np.zeros((4, 4))
        if self.field_of_view > 0:
            near = max(near, 0.02 * self.distance, 0.1)
            far = max(far, near + 1.0)
            matrix[0, 0] = self.distance / half_width
            matrix[1, 1] = self.distance / self.half_height
            matrix[2, 2] = -(far + near) / (far - near)
            matrix[2, 3] = -2 * far * near / (far - near)
            matrix[3, 2] = -1.0
        else:
            matrix[0, 0] = 1 / half_width
            matrix[1, 1] = 1 / self.half_height
            matrix[2, 2] = -2 / (far - near)
            matrix[2, 3] = -(far + near) / (far - near)
            matrix[3, 3] = 1.0
        return matrix

    def project(self, points: ArrayLike, size: tuple[float, float]) -> NDArray[np.float64]:
        """Return where points are drawn.

        Parameters
        ----------
        points : array_like, shape=(points, 3)
            Positions in Å.
        size : tuple of float
            Width and height of the picture.

        Returns
        -------
        screen : ndarray, shape=(points, 3)
            x to the right and y down in the unit of `size`, and the distance from the eye in Å.
        """
        array = np.asarray(points, dtype=np.float64)
        eye = (array - self.center) @ self.rotation.T
        depth = self.distance - eye[:, 2]
        scale = size[1] / 2 / self.half_height
        factor: NDArray[np.float64] | float = scale
        if self.field_of_view > 0:
            factor = scale * self.distance / np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        x = size[0] / 2 + eye[:, 0] * factor
        y = size[1] / 2 - eye[:, 1] * factor
        return np.stack([x, y, depth], axis=1)

    def angstrom_per_pixel(self, height: float) -> float:
        """Return the size of a pixel in Å at the depth of the centre."""
        return 2 * self.half_height / max(height, 1.0)

    def turned(self, rotation: NDArray[np.float64]) -> Viewpoint:
        """Return the view turned about its centre by a rotation in eye coordinates."""
        product = rotation @ self.rotation
        # Thousands of small turns must not drift away from a rotation.
        u, _, vt = np.linalg.svd(product)
        return replace(self, rotation=u @ vt)

    def panned(self, dx: float, dy: float, height: float) -> Viewpoint:
        """Return the view moved so that the scene follows the pointer by `dx`, `dy` pixels (y down)."""
        scale = self.angstrom_per_pixel(height)
        return replace(self, center=self.center - self.rotation.T @ np.array([dx * scale, -dy * scale, 0.0]))

    def zoomed(self, factor: float) -> Viewpoint:
        """Return the view enlarged `factor` times."""
        half = float(np.clip(self.half_height / factor, _SMALLEST_HALF_HEIGHT, _LARGEST_HALF_HEIGHT))
        return replace(self, half_height=half)

    def centered(self, point: ArrayLike) -> Viewpoint:
        """Return the view with another point in the middle of the picture."""
        return replace(self, center=np.asarray(point, dtype=np.float64).copy())

    def towards(self, other: Viewpoint, part: float) -> Viewpoint:
        """Return the view that lies a part of the way, 0 to 1, to another: turned evenly, enlarged evenly.

        At 1 it is `other` itself.
        """
        if part >= 1:
            return other
        turn = _part_of_turn(other.rotation @ self.rotation.T, part)
        zoom = (other.half_height / self.half_height) ** part
        # What is in the middle moves as the picture shrinks around it: towards a smaller view it goes early.
        ratio = other.half_height / self.half_height
        moved = part if abs(ratio - 1) < 1e-3 else (1 - ratio**-part) / (1 - 1 / ratio) if ratio < 1 else part
        center = self.center + float(np.clip(moved, 0, 1)) * (other.center - self.center)
        return replace(other, rotation=turn @ self.rotation, center=center, half_height=self.half_height * zoom)

    def along(self, axis: str) -> Viewpoint:
        """Return the view along ``"x"``, ``"y"`` or ``"z"`` of the scene, from the positive side.

        Raises
        ------
        ValueError
            If `axis` is none of the three.
        """
        rows = {
            "x": [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
            "y": [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
            "z": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        }
        if axis not in rows:
            raise ValueError(f"a view axis is x, y or z, not {axis!r}")
        return replace(self, rotation=np.array(rows[axis], dtype=np.float64))


def rotation_vector(rotation: ArrayLike) -> NDArray[np.float64]:
    """Return axis times angle in rad, 0 to pi, of a rotation, shape (3, 3)."""
    # Its quaternion is an eigenvector of a symmetric matrix (Bar-Itzhack), which no angle makes singular.
    m = np.asarray(rotation, dtype=np.float64)
    symmetric = np.zeros((4, 4))
    symmetric[:3, :3] = m + m.T - np.trace(m) * np.eye(3)
    symmetric[3, :3] = symmetric[:3, 3] = (m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1])
    symmetric[3, 3] = np.trace(m)
    quaternion = np.linalg.eigh(symmetric)[1][:, -1]
    quaternion = quaternion if quaternion[3] >= 0 else -quaternion
    sine = float(np.linalg.norm(quaternion[:3]))
    if sine < 1e-12:
        return np.zeros(3)
    result: NDArray[np.float64] = quaternion[:3] * (2 * float(np.arctan2(sine, quaternion[3])) / sine)
    return result


def _part_of_turn(rotation: NDArray[np.float64], part: float) -> NDArray[np.float64]:
    """Return the rotation about the same axis by a part of the angle, shape (3, 3)."""
    turn = rotation_vector(rotation)
    angle = float(np.linalg.norm(turn))
    return np.eye(3) if angle < 1e-12 else _about(turn / angle, part * angle)


def _about(axis: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    x, y, z = axis
    hat = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * hat + (1 - np.cos(angle)) * (hat @ hat)


def principal_orientation(points: ArrayLike) -> NDArray[np.float64]:
    """Return the rotation that shows a molecule broadside.

    The longest principal axis goes across, the second up and the shortest towards the viewer. Axes have no sign of
    their own: each points to the side of its longer tail, so that a structure turned in space gives the same picture.

    Parameters
    ----------
    points : array_like, shape=(points, 3)

    Returns
    -------
    rotation : ndarray, shape=(3, 3)
        Scene to eye, determinant +1; the identity where the points say nothing.
    """
    array = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    centered = array - array.mean(axis=0)
    covariance = centered.T @ centered
    if len(array) < 2 or not np.isfinite(covariance).all() or np.trace(covariance) < 1e-9:
        return np.eye(3)
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1].T.copy()
    for row in (0, 1):
        skewness = float(((centered @ axes[row]) ** 3).sum())
        if skewness < 0:
            axes[row] *= -1
    axes[2] = np.cross(axes[0], axes[1])
    return axes


def _on_trackball(x: float, y: float) -> NDArray[np.float64]:
    """Lift a point of the screen onto Bell's trackball: a sphere inside, a hyperbolic sheet outside."""
    squared = x * x + y * y
    z = np.sqrt(1 - squared) if squared < 0.5 else 0.5 / np.sqrt(squared)
    vector = np.array([x, y, z])
    return vector / np.linalg.norm(vector)


def trackball_rotation(
    before: tuple[float, float], after: tuple[float, float], size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the turn in eye coordinates when a pointer drags over the picture.

    In the middle the surface follows the pointer; near the rim the scene turns about the line of sight.

    Parameters
    ----------
    before, after : tuple of float
        Pointer in pixels, y down.
    size : tuple of float
        Width and height of the picture in pixels.

    Returns
    -------
    rotation : ndarray, shape=(3, 3)
    """
    scale = 2.0 / max(min(size), 1.0)
    ends = [_on_trackball((x - size[0] / 2) * scale, (size[1] / 2 - y) * scale) for x, y in (before, after)]
    axis = np.cross(ends[0], ends[1])
    sine = float(np.linalg.norm(axis))
    if sine < 1e-12:
        return np.eye(3)
    return _about(axis / sine, float(np.arctan2(sine, float(ends[0] @ ends[1]))))
