"""Six numbers for a rigid motion, in the ways one may choose them.

A parametrisation turns six parameters ``(u, p)``, translation first, into a pose, and derivatives with respect to the
pose into derivatives with respect to the parameters. With the rotation vector ``w = p / unit``, ``E = exp(w)`` and
``V`` the left Jacobian of SO(3), the three kinds are

===========  ===========================  =========================================  ============================
kind         rotation                     translation                                parameters of the start
===========  ===========================  =========================================  ============================
``local``    ``E R0``                     ``t0 + V u`` (centroid), ``E t0 + V u``    zero; (R0, t0) is the anchor
``se3``      ``E``                        ``V u``: the paper's coupled 6-vector      logarithm of the pose
``so3xr3``   ``E``                        ``u``                                      logarithm, translation
===========  ===========================  =========================================  ============================

``local`` is re-anchored after each step: the motion made so far goes into (R0, t0) and the parameters return to zero,
where the Jacobian of the exponential is the identity and nothing is singular anywhere on SO(3). It multiplies the
pose by ``Exp(u, w)`` from the left: about the mobile centroid where that now is, or about the origin of the file.

The pivot decides coordinates and units together. ``centroid``: both structures are taken about their centroids, and
an angle is measured as the path it moves an atom at the radius of gyration, so that all six parameters are in Å and
the Hessian is of order one (condition number 2.5 on adenylate kinase). ``origin``: raw coordinates of the files and
angles in rad, to teach what that costs (condition number 76 843).

Everything is exact at any parameter value. It is done in Python floats and small numpy arrays, since a step must not
cost more than it computes: the same algebra through `lieapp.lie` takes some forty times longer for one pose. The
tests hold the two together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.rigid import rotation_exp, rotation_log, twist_log

__all__ = ["ParametrisationKind", "Parametrisation", "Pivot", "SplitPose"]

ParametrisationKind = Literal["local", "se3", "so3xr3"]
Pivot = Literal["centroid", "origin"]

Array = NDArray[np.float64]

_IDENTITY = np.eye(3)
_ZERO = np.zeros(3)
_SERIES_BELOW = 1.0  # of the squared angle; values and two derivatives are exact to rounding on both sides
_TERMS = 12
_B = tuple((-1.0) ** k / factorial(2 * k + 2) for k in range(_TERMS))
_C = tuple((-1.0) ** k / factorial(2 * k + 3) for k in range(_TERMS))


def _differentiate(series: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(k * coefficient for k, coefficient in enumerate(series))[1:]


_B1, _C1 = _differentiate(_B), _differentiate(_C)
_B2, _C2 = _differentiate(_B1), _differentiate(_C1)


@dataclass(frozen=True, eq=False)
class SplitPose:
    """A pose with its translation split by how it turns.

    A point x of the mobile structure (about its frame's origin) goes to ``R x + arm + shift``; a turn of the
    parametrisation by a small vector a moves it by ``a × (R x + arm)``.

    Attributes
    ----------
    rotation : ndarray, shape=(3, 3), dtype=float64
    arm, shift : ndarray, shape=(3,), dtype=float64
        In Å.
    """

    rotation: Array
    arm: Array
    shift: Array

    @property
    def translation(self) -> Array:
        """Translation between the frames, shape=(3,), in Å."""
        return self.arm + self.shift


class Parametrisation:
    """Six parameters of one rigid body.

    Parameters
    ----------
    kind : {"local", "se3", "so3xr3"}
    pivot : {"centroid", "origin"}
    mobile_center, target_center : ndarray, shape=(3,), dtype=float64
        Weighted centroids in Å.
    radius : float
        Weighted radius of gyration of the mobile structure in Å.

    Attributes
    ----------
    unit : float
        Length of parameter for each rad of turn: the radius of gyration, or 1 for the raw origin.
    mobile_origin, target_origin : ndarray, shape=(3,), dtype=float64
        Origins of the two frames in file coordinates.
    """

    def __init__(
        self, kind: ParametrisationKind, pivot: Pivot, mobile_center: Array, target_center: Array, radius: float
    ) -> None:
        centred = pivot == "centroid"
        self.kind: ParametrisationKind = kind
        self.pivot: Pivot = pivot
        self.unit = (radius if radius > 0.0 else 1.0) if centred else 1.0
        self.mobile_origin = mobile_center if centred else _ZERO
        self.target_origin = target_center if centred else _ZERO
        self._coupled = kind != "so3xr3"
        self._rotation = _IDENTITY
        self._arm = _ZERO
        self._shift = _ZERO

    def start(self, rotation: Array, translation: Array) -> Array:
        """Return the parameters of a pose ``x' = R x + t`` of file coordinates; ``local`` takes it as its anchor.

        Parameters
        ----------
        rotation : ndarray, shape=(3, 3), dtype=float64
        translation : ndarray, shape=(3,), dtype=float64

        Returns
        -------
        ndarray, shape=(6,), dtype=float64
        """
        between = translation + rotation @ self.mobile_origin - self.target_origin
        if self.kind == "local":
            self._set_anchor(rotation, between)
            return np.zeros(6)
        if self.kind == "se3":
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = rotation, between
            twist = twist_log(matrix)
        else:
            twist = np.concatenate((between, rotation_log(rotation)))
        twist[3:] *= self.unit
        return twist

    def split(self, parameters: Sequence[float]) -> SplitPose:
        """Return the pose between the frames at some parameters.

        Parameters
        ----------
        parameters : sequence of float, length 6

        Returns
        -------
        SplitPose
            Full of NaN where a parameter is not finite.
        """
        u0, u1, u2, w0, w1, w2 = self._twist(parameters)
        x = w0 * w0 + w1 * w1 + w2 * w2
        if x == 0.0:
            turn: Array = _IDENTITY
            moved = np.array((u0, u1, u2))
        elif math.isfinite(x):
            turn = rotation_exp((w0, w1, w2))
            moved = np.array((u0, u1, u2))
            if self._coupled:
                b, c, *_ = _coefficients(x, 0)
                moved = _combination((w0, w1, w2), b, c) @ moved
        else:
            turn, moved = np.full((3, 3), math.nan), np.full(3, math.nan)
        if self.kind != "local":
            return SplitPose(turn, _ZERO, moved)
        if x == 0.0:
            return SplitPose(self._rotation, self._arm, self._shift + moved)
        return SplitPose(turn @ self._rotation, turn @ self._arm, self._shift + moved)

    def pose(self, parameters: Sequence[float]) -> tuple[Array, Array]:
        """Return rotation, shape=(3, 3), and translation, shape=(3,), of ``x' = R x + t`` in file coordinates."""
        split = self.split(parameters)
        return split.rotation, self.target_origin + split.translation - split.rotation @ self.mobile_origin

    def gradient(self, parameters: Sequence[float], force: Array, torque: Array) -> Array:
        """Return the gradient in the parameters.

        Parameters
        ----------
        parameters : sequence of float, length 6
        force : ndarray, shape=(3,), dtype=float64
            Gradient of the loss in `SplitPose.shift`.
        torque : ndarray, shape=(3,), dtype=float64
            Gradient of the loss in a small turn, see `SplitPose`.

        Returns
        -------
        ndarray, shape=(6,), dtype=float64
        """
        u, w = self._halves(parameters)
        x = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
        result = np.empty(6)
        if not math.isfinite(x):
            result.fill(math.nan)
            return result
        if x == 0.0:
            result[:3], result[3:] = force, torque
            if self._coupled and any(u):
                result[3:] += 0.5 * np.array(_cross(u, force.tolist()))
        else:
            b, c, b1, c1, *_ = _coefficients(x, 1)
            jacobian = _combination(w, b, c)
            result[3:] = torque @ jacobian
            result[:3] = force
            if self._coupled:
                result[:3] = force @ jacobian
                if any(u):
                    result[3:] += _coupling_gradient(u, w, force.tolist(), x, b, c, b1, c1)
        result[3:] /= self.unit
        return result

    def hessian(self, parameters: Sequence[float], force: Array, torque: Array, local: Array) -> Array:
        """Return the Hessian in the parameters.

        Parameters
        ----------
        parameters, force, torque
            As for `gradient`.
        local : ndarray, shape=(6, 6), dtype=float64
            Second derivatives along ``shift`` and along two turns one after the other: the change by a turn ``a_j``
            followed by ``a_i`` is ``a_iᵀ local a_j``. Its rotational block need not be symmetric.

        Returns
        -------
        ndarray, shape=(6, 6), dtype=float64
            Symmetric.
        """
        u, w = self._halves(parameters)
        x = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
        if not math.isfinite(x):
            return np.full((6, 6), math.nan)
        f, g = force.tolist(), torque.tolist()
        b, c, b1, c1, b2, c2 = _coefficients(x, 2)
        jacobian = _combination(w, b, c)
        first = np.zeros((6, 6))
        first[3:, 3:] = jacobian
        first[:3, :3] = jacobian if self._coupled else _IDENTITY
        minus = (-w[0], -w[1], -w[2])
        extra = np.zeros((6, 6))
        extra[3:, 3:] = -_derivative(g, minus, x, b, c, b1, c1)
        if self._coupled:
            first[:3, 3:] = _derivative(u, w, x, b, c, b1, c1)
            extra[:3, 3:] = -_derivative(f, minus, x, b, c, b1, c1)
            extra[3:, :3] = extra[:3, 3:].T
            extra[3:, 3:] += _coupling_hessian(u, w, f, x, c, b1, c1, b2, c2)
        result = first.T @ local @ first + extra
        result = 0.5 * (result + result.T)
        result[3:] /= self.unit
        result[:, 3:] /= self.unit
        return result

    def reanchor(self, parameters: Sequence[float]) -> bool:
        """Take the motion of the parameters into the anchor; the caller sets them to zero if this returns True.

        Returns
        -------
        bool
            False for the global kinds, and where the pose is not finite.
        """
        if self.kind != "local":
            return False
        split = self.split(parameters)
        rotation = split.rotation
        if not (np.isfinite(rotation).all() and np.isfinite(split.translation).all()):
            return False
        # One Newton step towards the nearest rotation: rounding never accumulates.
        rotation = rotation @ (1.5 * _IDENTITY - 0.5 * (rotation.T @ rotation))
        self._set_anchor(rotation, split.translation)
        return True

    def state_dict(self) -> dict[str, Array]:
        """Return the anchor: what the parameters alone do not say."""
        return {"rotation": self._rotation.copy(), "translation": self._arm + self._shift}

    def load_state_dict(self, state: dict[str, Array]) -> None:
        """Take an anchor back."""
        self._set_anchor(
            np.array(state["rotation"], dtype=np.float64), np.array(state["translation"], dtype=np.float64)
        )

    def _set_anchor(self, rotation: Array, translation: Array) -> None:
        self._rotation = rotation
        if self.pivot == "centroid":
            self._arm, self._shift = _ZERO, translation
        else:
            self._arm, self._shift = translation, _ZERO

    def _twist(self, parameters: Sequence[float]) -> tuple[float, float, float, float, float, float]:
        u0, u1, u2, p0, p1, p2 = parameters
        unit = self.unit
        return u0, u1, u2, p0 / unit, p1 / unit, p2 / unit

    def _halves(self, parameters: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        twist = self._twist(parameters)
        return twist[:3], twist[3:]


def _horner(series: tuple[float, ...], x: float) -> float:
    result = 0.0
    for coefficient in reversed(series):
        result = result * x + coefficient
    return result


def _coefficients(x: float, order: int) -> tuple[float, float, float, float, float, float]:
    """Return b, c, b', c', b'', c'' in x = θ² (see `lieapp.lie._coefficients`), derivatives up to an order."""
    if x == 0.0:
        return _B[0], _C[0], _B1[0], _C1[0], _B2[0], _C2[0]
    b1 = c1 = b2 = c2 = 0.0
    if x < _SERIES_BELOW:
        b, c = _horner(_B, x), _horner(_C, x)
        if order >= 1:
            b1, c1 = _horner(_B1, x), _horner(_C1, x)
        if order >= 2:
            b2, c2 = _horner(_B2, x), _horner(_C2, x)
        return b, c, b1, c1, b2, c2
    theta = math.sqrt(x)
    sine, half = math.sin(theta), math.sin(0.5 * theta)
    a, b, c = sine / theta, 2.0 * half * half / x, (theta - sine) / (theta * x)
    if order >= 1:
        b1, c1 = (a - 2.0 * b) / (2.0 * x), (b - 3.0 * c) / (2.0 * x)
    if order >= 2:
        b2, c2 = (0.5 * (c - b) - 4.0 * b1) / (2.0 * x), (b1 - 5.0 * c1) / (2.0 * x)
    return b, c, b1, c1, b2, c2


def _combination(w: Sequence[float], first: float, second: float) -> Array:
    """Return I + first K + second K² with K = hat(w)."""
    x, y, z = w
    xx, yy, zz = x * x, y * y, z * z
    xy, yz, zx = second * x * y, second * y * z, second * z * x
    x, y, z = first * x, first * y, first * z
    return np.array(
        (
            (1.0 - second * (yy + zz), xy - z, zx + y),
            (xy + z, 1.0 - second * (zz + xx), yz - x),
            (zx - y, yz + x, 1.0 - second * (xx + yy)),
        )
    )


def _cross(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _derivative(u: Sequence[float], w: Sequence[float], x: float, b: float, c: float, b1: float, c1: float) -> Array:
    """Return the derivative of V(w) u in w, shape=(3, 3)."""
    wu = _cross(w, u)
    wwu = _cross(w, wu)
    along = _dot(w, u)
    wa, ua = np.array(w), np.array(u)
    hat = np.array(((0.0, -u[2], u[1]), (u[2], 0.0, -u[0]), (-u[1], u[0], 0.0)))
    slope = 2.0 * (b1 * np.array(wu) + c1 * np.array(wwu)) - 2.0 * c * ua
    return -b * hat + np.outer(slope, wa) + c * (along * _IDENTITY + np.outer(wa, ua))


def _coupling_gradient(
    u: Sequence[float],
    w: Sequence[float],
    g: Sequence[float],
    x: float,
    b: float,
    c: float,
    b1: float,
    c1: float,
) -> Array:
    """Return the gradient in w of ``g · V(w) u``."""
    p = _cross(u, g)
    gw, uw, gu = _dot(g, w), _dot(u, w), _dot(g, u)
    radial = 2.0 * (b1 * _dot(w, p) + c1 * (gw * uw - x * gu)) - 2.0 * c * gu
    return np.array([radial * w[k] + b * p[k] + c * (g[k] * uw + u[k] * gw) for k in range(3)])


def _coupling_hessian(
    u: Sequence[float],
    w: Sequence[float],
    g: Sequence[float],
    x: float,
    c: float,
    b1: float,
    c1: float,
    b2: float,
    c2: float,
) -> Array:
    """Return the Hessian in w of ``g · V(w) u``."""
    p = np.array(_cross(u, g))
    wa, ua, ga = np.array(w), np.array(u), np.array(g)
    gw, uw, gu = _dot(g, w), _dot(u, w), _dot(g, u)
    wp, q = _dot(w, p.tolist()), gw * uw - x * gu
    slope = 2.0 * b1 * p + 2.0 * c1 * (ga * uw + ua * gw - 2.0 * gu * wa)
    mixed = np.outer(wa, slope) + c * np.outer(ga, ua)
    result: Array = 4.0 * (b2 * wp + c2 * q) * np.outer(wa, wa) + mixed + mixed.T
    result += (2.0 * (b1 * wp + c1 * q) - 2.0 * c * gu) * _IDENTITY
    return result
