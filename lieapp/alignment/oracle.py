"""Loss, gradient and Hessian of an alignment in closed form, exact at every parameter value.

Derivatives are taken first with respect to the pose: a shift and a small turn of the moved points, which need only a
few sums over the pairs. `lieapp.alignment.parametrisation` then carries them to the six parameters.

With moved points ``z`` about the point that turns, residuals ``r`` and pulls ``p = 2 w rho'(|r|²)``, the sums are::

    force  = sum p r                          gradient in the shift
    torque = sum z × p r                      gradient in a turn
    T      = sum p r zᵀ                       torque again, and second derivatives of the turn
    local  = [[sum p I,          -hat(sum p z)                     ],
              [its transpose,    tr(S) I - S + Tᵀ - tr(T) I        ]]  +  sum 4 w rho'' n nᵀ

with ``S = sum p z zᵀ`` and ``n = (r, z × r)``.

For the MSD the sums over the pairs do not depend on the pose but through 6 points: with centred coordinates in the
columns of ``[X Y]`` (pairs by 6, rows times the root of the weight) and its triangular factor ``[A B]`` (6 by 6),
``sum w |R x - y|² = |A Rᵀ - B|²`` for every R. So a step costs the same for 214 and for 58 870 pairs. The usual
``tr XX + tr YY - 2 tr RC`` has the same cost, but where structures agree it is a difference of large numbers, good to
1e-7 Å in the RMSD; the sum of squares is good to 1e-14 Å.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.alignment.objectives import Objective
from lieapp.alignment.parametrisation import Parametrisation, SplitPose
from lieapp.optimizers.oracle import Costs

__all__ = ["AlignOracle", "LocalModel", "MSDModel", "PairModel", "PoseModel"]

Array = NDArray[np.float64]

_IDENTITY = np.eye(3)


@dataclass(frozen=True, eq=False)
class LocalModel:
    """A loss and its derivatives with respect to a pose.

    Attributes
    ----------
    loss : float
        In Å².
    force, torque : ndarray, shape=(3,), dtype=float64
        Gradient in a shift (Å) and in a small turn (Å²).
    hessian : ndarray, shape=(6, 6), dtype=float64, or None
        Second derivatives, see `Parametrisation.hessian`.
    """

    loss: float
    force: Array
    torque: Array
    hessian: Array | None = None


class PoseModel(Protocol):
    """A loss of a pose."""

    def loss(self, pose: SplitPose) -> float:
        """Return the loss in Å²."""
        ...

    def local(self, pose: SplitPose, *, second: bool = False) -> LocalModel:
        """Return the loss with its first, or first and second, derivatives."""
        ...


class MSDModel:
    """The mean squared deviation, from sufficient statistics: no cost depends on the number of pairs.

    Parameters
    ----------
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Coordinates in Å.
    weights : ndarray, shape=(pairs,), dtype=float64
        Non-negative, adding up to one.

    Attributes
    ----------
    mobile_center, target_center : ndarray, shape=(3,), dtype=float64
        Weighted centroids in file coordinates.
    radius : float
        Weighted radius of gyration of the mobile structure in Å.
    """

    def __init__(self, mobile: Array, target: Array, weights: Array) -> None:
        self.mobile_center, x = _centred(mobile, weights)
        self.target_center, y = _centred(target, weights)
        root = np.sqrt(weights)[:, None]
        factor: Any = np.linalg.qr(np.concatenate((x, y), axis=1) * root, mode="r")
        self._a = np.ascontiguousarray(factor[:, :3].T)
        self._b = np.ascontiguousarray(factor[:, 3:].T)
        self.radius = float(np.linalg.norm(self._a))
        self._p, self._q = self.mobile_center, self.target_center

    def set_origins(self, mobile_origin: Array, target_origin: Array) -> None:
        """Say between which frames poses act, shape=(3,) each, in Å; the origins of the files by default."""
        self._p = self.mobile_center - mobile_origin
        self._q = self.target_center - target_origin

    def loss(self, pose: SplitPose) -> float:
        residual = pose.rotation @ self._a
        residual -= self._b
        offset = pose.rotation @ self._p + pose.arm + pose.shift - self._q
        return float(np.vdot(residual, residual)) + float(offset @ offset)

    def local(self, pose: SplitPose, *, second: bool = False) -> LocalModel:
        z = pose.rotation @ self._a
        r = z - self._b
        center = pose.rotation @ self._p + pose.arm
        offset = center + pose.shift - self._q
        loss = float(np.vdot(r, r)) + float(offset @ offset)
        moment = r @ z.T + offset[:, None] * center
        moment *= 2.0
        force, torque = 2.0 * offset, _torque(moment)
        if not second:
            return LocalModel(loss, force, torque)
        spread = 2.0 * (z @ z.T + np.outer(center, center))
        return LocalModel(loss, force, torque, _assemble(2.0, 2.0 * center, spread, moment))


class PairModel:
    """Any objective, from one pass over the pairs.

    Parameters
    ----------
    objective : Objective
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Coordinates in Å.
    weights : ndarray, shape=(pairs,), dtype=float64
        Non-negative, adding up to one.
    mobile_origin, target_origin : ndarray, shape=(3,), dtype=float64
        Origins of the frames between which poses act.
    device : torch.device
        Where the points lie. On the CPU they are numpy arrays, which small sizes make faster.
    dtype : torch.dtype
        Precision of the points elsewhere than on the CPU, where it is always float64.
    """

    def __init__(
        self,
        objective: Objective,
        mobile: Array,
        target: Array,
        weights: Array,
        mobile_origin: Array,
        target_origin: Array,
        *,
        device: torch.device = torch.device("cpu"),  # noqa: B008
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self._objective = objective
        self._place = None if device.type == "cpu" else (device, dtype)
        self._x = self._put(np.ascontiguousarray((mobile - mobile_origin).T))
        self._y = self._put(np.ascontiguousarray((target - target_origin).T))
        self._w = self._put(weights)

    def loss(self, pose: SplitPose) -> float:
        _, _, d2 = self._residuals(pose)
        return float(self._w @ self._objective.rho(d2))

    def local(self, pose: SplitPose, *, second: bool = False) -> LocalModel:
        z, r, d2 = self._residuals(pose)
        loss = float(self._w @ self._objective.rho(d2))
        pull = (2.0 * self._w) * self._objective.weight(d2)
        pulled = pull * r
        force, moment = self._get(pulled.sum(1)), self._get(pulled @ z.T)
        torque = _torque(moment)
        if not second:
            return LocalModel(loss, force, torque)
        pulled_z = pull * z
        local = _assemble(float(pull.sum()), self._get(pulled_z.sum(1)), self._get(pulled_z @ z.T), moment)
        # The change of the pulls with distance, through n = (r, z × r).
        bend = (4.0 * self._w) * self._objective.curvature(d2)
        turned = (z[1] * r[2] - z[2] * r[1], z[2] * r[0] - z[0] * r[2], z[0] * r[1] - z[1] * r[0])
        n = self._stack((r[0], r[1], r[2], *turned))
        return LocalModel(loss, force, torque, local + self._get((bend * n) @ n.T))

    def _residuals(self, pose: SplitPose) -> tuple[Any, Any, Any]:
        z = self._put(pose.rotation) @ self._x
        if pose.arm.any():
            z = z + self._put(pose.arm)[:, None]
        r = z + self._put(pose.shift)[:, None]
        r -= self._y
        return z, r, (r * r).sum(0)

    def _put(self, array: Array) -> Any:
        if self._place is None:
            return array
        device, dtype = self._place
        return torch.as_tensor(array, dtype=dtype, device=device)

    def _get(self, array: Any) -> Array:
        return array if self._place is None else array.cpu().numpy().astype(np.float64)

    def _stack(self, rows: Sequence[Any]) -> Any:
        return np.stack(rows) if self._place is None else torch.stack(tuple(rows))


class AlignOracle:
    """What an optimiser may ask of an alignment; see `lieapp.optimizers.oracle.Oracle`.

    Parameters
    ----------
    model : PoseModel
        Loss of a pose.
    parametrisation : Parametrisation
        Poses of parameters.
    leaf : Tensor, shape=(1, 6), dtype=float32 or float64
        The parameters: bodies by six numbers, translation first. Everything is computed in float64 whatever its type.
    """

    hvp_uses_gradient = False

    def __init__(self, model: PoseModel, parametrisation: Parametrisation, leaf: Tensor) -> None:
        self._model = model
        self._parametrisation = parametrisation
        self._leaf = leaf
        self.parameters = [leaf]
        self.costs = Costs()

    def gradient(self) -> Tensor:
        """Return the loss in Å², shape ``()``, and set ``.grad``."""
        values = self._values()
        with np.errstate(all="ignore"):
            local = self._model.local(self._parametrisation.split(values))
            gradient = self._parametrisation.gradient(values, local.force, local.torque)
        self._leaf.grad = self._wrap(gradient).view(self._leaf.shape)
        return torch.tensor(local.loss, dtype=torch.float64)

    def loss(self) -> Tensor:
        """Return the loss in Å², shape ``()``."""
        with np.errstate(all="ignore"):
            return torch.tensor(self._model.loss(self._parametrisation.split(self._values())), dtype=torch.float64)

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v``, which has the shapes of the parameters."""
        direction = v[0].detach().reshape(-1).cpu().numpy().astype(np.float64)
        return [self._wrap(self._hessian() @ direction).view(self._leaf.shape)]

    def hessian(self) -> Tensor:
        """Return the Hessian, shape ``(6, 6)``."""
        return self._wrap(self._hessian())

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the diagonal of the Hessian, shape ``(1, 6)``."""
        return [self._wrap(self._hessian().diagonal().copy()).view(self._leaf.shape)]

    def _hessian(self) -> Array:
        values = self._values()
        with np.errstate(all="ignore"):
            local = self._model.local(self._parametrisation.split(values), second=True)
            assert local.hessian is not None
            return self._parametrisation.hessian(values, local.force, local.torque, local.hessian)

    def _values(self) -> list[float]:
        values: list[float] = self._leaf.detach().view(-1).tolist()
        return values

    def _wrap(self, array: Array) -> Tensor:
        return torch.from_numpy(array).to(self._leaf)


def _centred(points: Array, weights: Array) -> tuple[Array, Array]:
    """Return the weighted centroid and the points about it."""
    center = weights @ points
    centred = points - center
    # A second pass: far from the origin the first centroid is only as good as the coordinates are large.
    rest = weights @ centred
    return center + rest, centred - rest


def _torque(moment: Array) -> Array:
    """Return ``sum z × p r`` from ``sum p r zᵀ``."""
    m = moment.tolist()
    return np.array((m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]))


def _assemble(total: float, first: Array, spread: Array, moment: Array) -> Array:
    """Return the second derivatives from sums of pulls times 1, z, z zᵀ and r zᵀ."""
    local = np.empty((6, 6))
    local[:3, :3] = total * _IDENTITY
    x, y, z = first.tolist()
    local[3:, :3] = ((0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0))
    local[:3, 3:] = local[3:, :3].T
    local[3:, 3:] = (np.trace(spread) - np.trace(moment)) * _IDENTITY - spread + moment.T
    return local
