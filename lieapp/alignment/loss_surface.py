"""An objective at many poses at once, as fast as arrays allow: what slices and maps of the loss are computed with.

Poses come as stacks of rotations and translations, ``x' = R x + t`` on the coordinates as given; values are as people
read them (RMSD in Å, TM-score). The MSD needs six numbers of each structure whatever their size; every other kernel
is summed over the pairs, in pieces that stay in the processor's cache. numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import Objective, normalised_weights
from lieapp.alignment.superposition import CriticalPoint, Superposition, critical_points, superpose_robust

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs

__all__ = ["LossSurface", "rotation_exps", "rotation_logs"]

Array = NDArray[np.float64]
Progress = Callable[[float], None]
Cancelled = Callable[[], bool]

_CACHED_NUMBERS = 40_000  # residuals of a piece; larger ones fall out of the cache and take twice as long
_POSES_AT_ONCE = 4_000  # of the MSD
_SMALL_SQUARE = 1e-8  # below it the first neglected term is of order 1e-18


class LossSurface:
    """An objective of one pair of structures, as a function of the pose.

    Parameters
    ----------
    objective : Objective
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Positions in Å.
    weights : ndarray, shape=(pairs,), dtype=float64, optional
        Non-negative; equal ones by default.
    best : tuple of ndarray, shapes (3, 3) and (3,), optional
        The best pose known; searched for by `superpose_robust` if missing.

    Attributes
    ----------
    objective : Objective
    mobile_center, target_center : ndarray, shape=(3,), dtype=float64
        Weighted centroids in Å.
    radius : float
        Weighted radius of gyration of the mobile structure in Å.
    best : Superposition
        The best pose of the objective, with its RMSD.
    """

    def __init__(
        self,
        objective: Objective,
        mobile: Array,
        target: Array,
        weights: Array | None = None,
        *,
        best: tuple[Array, Array] | None = None,
    ) -> None:
        mobile, target = np.asarray(mobile, dtype=np.float64), np.asarray(target, dtype=np.float64)
        if mobile.ndim != 2 or mobile.shape[1] != 3 or mobile.shape != target.shape:
            raise AlignmentError(f"Expected two arrays of shape (pairs, 3), but got {mobile.shape} and {target.shape}")
        self.objective = objective
        self._weights = w = normalised_weights(weights, len(mobile))
        self._points = mobile, target
        self.mobile_center, self.target_center = w @ mobile, w @ target
        self._x, self._y = mobile - self.mobile_center, target - self.target_center
        root = np.sqrt(w)[:, None]
        both = np.concatenate((self._x, self._y), axis=1) * root
        # sum w |R x - y|² = |R a - b|² for every R: a sum of squares, so no digits are lost where structures agree.
        factor = np.asarray(np.linalg.qr(both, mode="r"))
        self._a = np.ascontiguousarray(factor[:, :3].T)
        self._b = np.ascontiguousarray(factor[:, 3:].T)
        self.radius = float(np.linalg.norm(self._a))
        if best is None:
            found = superpose_robust(objective, mobile, target, w)
            best = found.rotation, found.translation
        rotation, translation = (np.asarray(part, dtype=np.float64) for part in best)
        self.best = Superposition(rotation, translation, math.nan)
        rmsd = math.sqrt(float(self._msd(rotation[None], self.shifts(rotation[None], translation[None]))[0]))
        self.best = Superposition(rotation, translation, rmsd)

    @classmethod
    def of_inputs(cls, inputs: AlignInputs, objective: Objective) -> LossSurface:
        """Return the surface of an objective over the pairs that drive the fit."""
        reference = inputs.reference(objective)
        return cls(
            objective,
            inputs.fit_mobile,
            inputs.fit_target,
            inputs.fit_weights,
            best=(reference.rotation, reference.translation),
        )

    @property
    def pairs(self) -> int:
        """Pairs that drive the fit."""
        return len(self._x)

    @property
    def fixed_cost(self) -> bool:
        """True where a value costs the same for any number of pairs."""
        return self.objective.name == "rmsd"

    @cached_property
    def critical_points(self) -> tuple[CriticalPoint, CriticalPoint, CriticalPoint, CriticalPoint]:
        """The stationary poses of the RMSD, whatever the objective; see `superposition.critical_points`."""
        return critical_points(*self._points, self._weights)

    @cached_property
    def principal_axes(self) -> Array:
        """Axes, in rows, shape=(3, 3), about which half a turn leads from the best RMSD to its other critical points.

        Row k - 1 leads to the critical point of index k.

        Notes
        -----
        With the covariance ``U S Vᵀ`` the critical rotations are ``V D Uᵀ``; relative to the minimum they are
        ``V D Vᵀ``: half turns about the columns of V.
        """
        minimum, *others = self.critical_points
        axes = [_half_turn_axis(point.rotation @ minimum.rotation.T) for point in others]
        # Rounding, and equal singular values, may leave them a hair from orthogonal.
        u, _, vt = np.linalg.svd(np.array(axes))
        orthonormal: Array = u @ vt
        return orthonormal

    def shifts(self, rotations: Array, translations: Array) -> Array:
        """Return where poses put the mobile centroid relative to the target's, shape=(poses, 3), in Å."""
        moved: Array = rotations @ self.mobile_center + translations - self.target_center
        return moved

    def translations(self, rotations: Array, shifts: Array) -> Array:
        """Return the translations, shape=(poses, 3), of poses that put the centroid there; inverse of `shifts`."""
        back: Array = shifts + self.target_center - rotations @ self.mobile_center
        return back

    def displacement(self, rotations: Array, shifts: Array, others: Array, other_shifts: Array) -> Array:
        """Return how far apart poses put the mobile structure: root mean square over its pairs, shape=(poses,), Å."""
        turned = (rotations - others) @ self._a
        moved = shifts - other_shifts
        result: Array = np.sqrt((turned * turned).sum((-2, -1)) + (moved * moved).sum(-1))
        return result

    def values(
        self,
        rotations: Array,
        shifts: Array,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Array | None:
        """Return the objective at poses, as people read it.

        Parameters
        ----------
        rotations : ndarray, shape=(poses, 3, 3), dtype=float64
        shifts : ndarray, shape=(poses, 3), dtype=float64
            Of the centroids, see `shifts`.
        progress : callable, optional
            Called with the finished fraction now and then.
        cancelled : callable, optional
            Asked now and then.

        Returns
        -------
        ndarray, shape=(poses,), dtype=float64, or None
            None if it was cancelled.
        """
        count = len(rotations)
        losses = np.empty(count)
        at_once = _POSES_AT_ONCE if self.fixed_cost else max(1, _CACHED_NUMBERS // self.pairs)
        report_every = max(1, count // at_once // 50)
        for number, start in enumerate(range(0, count, at_once)):
            if cancelled is not None and cancelled():
                return None
            part = slice(start, start + at_once)
            losses[part] = (self._msd if self.fixed_cost else self._sums)(rotations[part], shifts[part])
            if progress is not None and number % report_every == 0:
                progress(min(start + at_once, count) / count)
        if progress is not None:
            progress(1.0)
        values: Array = np.asarray(self.objective.value_for_people(losses))
        return values

    def _msd(self, rotations: Array, shifts: Array) -> Array:
        # One flat product instead of thousands of 3x3 ones.
        residual = (rotations.reshape(-1, 3) @ self._a).reshape(len(rotations), -1)
        residual -= self._b.reshape(-1)
        loss: Array = np.einsum("ij,ij->i", residual, residual) + np.einsum("ij,ij->i", shifts, shifts)
        return loss

    def _sums(self, rotations: Array, shifts: Array) -> Array:
        total = np.zeros((len(rotations), 1))
        # Few poses of many pairs: the pairs are taken in pieces as well.
        step = max(1, _CACHED_NUMBERS // len(rotations))
        for start in range(0, self.pairs, step):
            part = slice(start, start + step)
            x, y, w = self._x[part].T, self._y[part].T, self._weights[part, None]
            d2: Array | None = None
            for axis in range(3):
                residual = rotations[:, axis, :] @ x
                residual += shifts[:, axis, None]
                residual -= y[axis]
                residual *= residual
                d2 = residual if d2 is None else np.add(d2, residual, out=d2)
            assert d2 is not None
            total += self.objective.rho(d2) @ w
        return total[:, 0]


def rotation_exps(vectors: Array) -> Array:
    """Return the rotation matrices, shape=(..., 3, 3), of rotation vectors, shape=(..., 3), in rad (Rodrigues)."""
    w = np.asarray(vectors, dtype=np.float64)
    x, y, z = np.moveaxis(w, -1, 0)
    square = x * x + y * y + z * z
    angle = np.sqrt(square)
    small = square < _SMALL_SQUARE
    safe = np.where(small, 1.0, angle)
    half = np.sin(0.5 * safe) / (0.5 * safe)
    a = np.where(small, 1.0 - square / 6.0, np.sin(safe) / safe)
    b = np.where(small, 0.5 - square / 24.0, 0.5 * half * half)
    matrix = np.empty((*w.shape[:-1], 3, 3))
    for axis, component in enumerate((x, y, z)):
        matrix[..., axis, axis] = 1.0 - b * (square - component * component)
    for row, column, product, other in ((0, 1, x * y, z), (2, 0, z * x, y), (1, 2, y * z, x)):
        matrix[..., row, column] = b * product - a * other
        matrix[..., column, row] = b * product + a * other
    return matrix


def rotation_logs(rotations: Array) -> Array:
    """Return the rotation vectors, shape=(..., 3), in rad, of rotations, shape=(..., 3, 3); no longer than pi.

    Notes
    -----
    By quaternions, each from its largest component, as in `lieapp.alignment.rigid`.
    """
    r = np.asarray(rotations, dtype=np.float64)
    d0, d1, d2 = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    a, b, c = r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]
    p, q, s = r[..., 0, 1] + r[..., 1, 0], r[..., 0, 2] + r[..., 2, 0], r[..., 1, 2] + r[..., 2, 1]
    # Rows of 4 q qᵀ: the one with the largest diagonal is the quaternion times its largest component.
    outer = np.stack(
        [
            np.stack([1 + d0 + d1 + d2, a, b, c], -1),
            np.stack([a, 1 + d0 - d1 - d2, p, q], -1),
            np.stack([b, p, 1 - d0 + d1 - d2, s], -1),
            np.stack([c, q, s, 1 - d0 - d1 + d2], -1),
        ],
        -2,
    )
    largest = np.diagonal(outer, axis1=-2, axis2=-1).argmax(-1)
    quaternion = np.take_along_axis(outer, largest[..., None, None], -2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    quaternion = np.where(quaternion[..., :1] < 0.0, -quaternion, quaternion)
    real, vector = quaternion[..., :1], quaternion[..., 1:]
    sine = np.linalg.norm(vector, axis=-1, keepdims=True)
    small = sine < 1e-8
    factor = np.where(small, 2.0, 2.0 * np.arctan2(sine, real) / np.where(small, 1.0, sine))
    logs: Array = factor * vector
    return logs


def _half_turn_axis(rotation: Array) -> Array:
    """Return the axis of a rotation by 180°, from ``R + I = 2 n nᵀ``; its largest component is positive."""
    outer = rotation + rotation.T + 2.0 * np.eye(3)
    column: Array = outer[:, int(np.diagonal(outer).argmax())]
    return column / np.linalg.norm(column)
