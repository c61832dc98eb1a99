"""A surface over x and y as an oracle: value, gradient and Hessian in closed form at every point."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lieapp.landscapes.formula import Formula
from lieapp.optimizers.oracle import Costs

__all__ = ["PlanarOracle"]


class PlanarOracle:
    """What an optimiser may ask of a formula; see `lieapp.optimizers.oracle.Oracle`.

    Parameters
    ----------
    function : Formula
    leaf : Tensor, shape=(2,), dtype=float32 or float64
        The point. Everything is computed in float64 whatever its type.

    Notes
    -----
    Derivatives are exact; a Hessian-vector product is charged as two gradients, what it costs by automatic
    differentiation, so that a surface teaches the prices of a real problem.
    """

    hvp_uses_gradient = False

    def __init__(self, function: Formula, leaf: Tensor) -> None:
        self._function = function
        self._leaf = leaf
        self.parameters = [leaf]
        self.costs = Costs()

    def gradient(self) -> Tensor:
        """Return the loss, shape ``()``, and set ``.grad``."""
        value, fx, fy = self._function.gradient(*self._point())
        self._leaf.grad = self._wrap((fx, fy))
        return torch.tensor(float(value), dtype=torch.float64)

    def loss(self) -> Tensor:
        """Return the loss, shape ``()``."""
        return torch.tensor(float(self._function.value(*self._point())), dtype=torch.float64)

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v``."""
        xx, xy, yy = self.second()
        a, b = v[0].detach().to("cpu", torch.float64).tolist()
        return [self._wrap((xx * a + xy * b, xy * a + yy * b))]

    def hessian(self) -> Tensor:
        """Return the Hessian, shape ``(2, 2)``."""
        xx, xy, yy = self.second()
        return self._wrap(((xx, xy), (xy, yy)))

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the diagonal of the Hessian, shape ``(2,)``."""
        xx, _, yy = self.second()
        return [self._wrap((xx, yy))]

    def second(self) -> tuple[float, float, float]:
        """Return the second derivatives ``f_xx, f_xy, f_yy``."""
        _, _, _, xx, xy, yy = self._function.derivatives(*self._point())
        return float(xx), float(xy), float(yy)

    def _point(self) -> tuple[float, float]:
        x, y = self._leaf.detach().tolist()
        return x, y

    def _wrap(self, values: object) -> Tensor:
        return torch.tensor(values, dtype=self._leaf.dtype, device=self._leaf.device)
