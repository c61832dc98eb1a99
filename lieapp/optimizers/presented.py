"""Oracles between an optimiser that wraps another and what it asks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lieapp.optimizers import oracle as oracles
from lieapp.optimizers.oracle import Costs, Oracle

__all__ = ["PresentedOracle", "RestrictedOracle", "ShutOracle"]


class RestrictedOracle:
    """The block of an oracle's Hessian that belongs to some of its parameters; the others count as fixed.

    Parameters
    ----------
    oracle : Oracle
    parameters : sequence of Tensor
        Some of the oracle's.

    Raises
    ------
    RuntimeError
        If one of them is not the oracle's.
    """

    def __init__(self, oracle: Oracle, parameters: Sequence[Tensor]) -> None:
        self._oracle = oracle
        self.parameters = list(parameters)
        self.costs = oracle.costs
        places = {id(p): index for index, p in enumerate(oracle.parameters)}
        if not all(id(p) in places for p in self.parameters):
            raise RuntimeError("the oracle misses a parameter of the optimiser")
        self._places = [places[id(p)] for p in self.parameters]

    @property
    def hvp_by_differences(self) -> bool:
        """Whether products are differences of gradients."""
        return oracles.takes_differences(self._oracle)

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad`` of all parameters of the oracle."""
        return self._oracle.gradient()

    def loss(self) -> Tensor:
        """Return the loss."""
        return self._oracle.loss()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the block times ``v``."""
        whole = [torch.zeros_like(p) for p in self._oracle.parameters]
        for place, part in zip(self._places, v, strict=True):
            whole[place] = part
        product = self._oracle.hvp(whole)
        return [product[place] for place in self._places]


class ShutOracle:
    """An oracle whose Hessian is changed so that one direction is no longer its lowest: P H P + w t tᵀ, P = 1 - t tᵀ.

    Parameters
    ----------
    oracle : Oracle
    direction : sequence of Tensor
        Unit vector t.
    weight : float
        Curvature w to find along it, at least; w grows to twice the largest that is met across it, lest t be lowest.
    """

    def __init__(self, oracle: Oracle, direction: Sequence[Tensor], weight: float) -> None:
        self._oracle = oracle
        self._direction = list(direction)
        self._weight = weight
        self.parameters = list(oracle.parameters)
        self.costs = oracle.costs

    @property
    def hvp_by_differences(self) -> bool:
        """Whether products are differences of gradients."""
        return oracles.takes_differences(self._oracle)

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``."""
        return self._oracle.gradient()

    def loss(self) -> Tensor:
        """Return the loss."""
        return self._oracle.loss()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the changed Hessian times ``v``."""
        share = oracles.dot(v, self._direction)
        across = self.without([x.clone() for x in v])
        product = self.without([x.clone() for x in self._oracle.hvp(across)])
        length, stretched = oracles.norm(across), oracles.norm(product)
        if length > 0.1 * abs(share) and math.isfinite(stretched):
            self._weight = max(self._weight, 2.0 * stretched / length)
        return [x.add_(t.to(x), alpha=self._weight * share) for x, t in zip(product, self._direction, strict=True)]

    def without(self, v: list[Tensor]) -> list[Tensor]:
        """Take the direction out of a vector, in place."""
        share = oracles.dot(v, self._direction)
        return [x.add_(t.to(x), alpha=-share) for x, t in zip(v, self._direction, strict=True)]


class PresentedOracle:
    """An oracle whose loss and gradient are settled already; all else is asked of the true one.

    An optimiser that takes an oracle asks it for the gradient first, which would undo what a wrapper made of it.

    Attributes
    ----------
    evaluations : float
        Price of what was asked beyond the gradient.
    """

    def __init__(self, oracle: Oracle, loss: Tensor) -> None:
        self._oracle = oracle
        self._loss = loss
        self.parameters = list(oracle.parameters)
        self.evaluations = 0.0

    @property
    def costs(self) -> Costs:
        """Prices of the answers."""
        return self._oracle.costs

    def gradient(self) -> Tensor:
        """Return the loss; ``.grad`` stays as it was set."""
        return self._loss

    def loss(self) -> Tensor:
        """Return the loss."""
        return self._loss

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the true Hessian times ``v``."""
        self.evaluations += self.costs.hvp
        return self._oracle.hvp(v)

    def hessian(self) -> Tensor:
        """Return the true Hessian, shape ``(n, n)``."""
        self.evaluations += self._size * self.costs.hvp
        return oracles.hessian(self._oracle)

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the true Hessian's diagonal, shaped like the parameters."""
        self.evaluations += self._size * self.costs.hvp
        return oracles.hessian_diagonal(self._oracle)

    @property
    def _size(self) -> int:
        return sum(p.numel() for p in self.parameters)
