"""Oracles between an optimiser that wraps another and what it asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lieapp.optimizers import oracle as oracles
from lieapp.optimizers.oracle import Costs, Oracle

__all__ = ["PresentedOracle", "RestrictedOracle", "ShutOracle"]


class _OfAnother:
    """An oracle that answers as another does, except for its products."""

    def __init__(self, oracle: Oracle, parameters: Sequence[Tensor]) -> None:
        self._oracle = oracle
        self.parameters = list(parameters)
        self.costs = oracle.costs

    @property
    def hvp_by_differences(self) -> bool:
        """Whether products are differences of gradients."""
        return oracles.takes_differences(self._oracle)

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad`` of all parameters of the other oracle."""
        return self._oracle.gradient()

    def loss(self) -> Tensor:
        """Return the loss."""
        return self._oracle.loss()


class RestrictedOracle(_OfAnother):
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
        super().__init__(oracle, parameters)
        places = {id(p): index for index, p in enumerate(oracle.parameters)}
        if not all(id(p) in places for p in self.parameters):
            raise RuntimeError("the oracle misses a parameter of the optimiser")
        self._places = [places[id(p)] for p in self.parameters]

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the block times ``v``."""
        whole = [torch.zeros_like(p) for p in self._oracle.parameters]
        for place, part in zip(self._places, v, strict=True):
            whole[place] = part
        product = self._oracle.hvp(whole)
        return [product[place] for place in self._places]


class ShutOracle(_OfAnother):
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
        super().__init__(oracle, oracle.parameters)
        self._direction = list(direction)
        self._weight = weight

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the changed Hessian times ``v``."""
        share = oracles.dot(v, self._direction)
        across = self._moved([x.clone() for x in v], -share)
        product = self.without([x.clone() for x in self._oracle.hvp(across)])
        length, stretched = oracles.norm(across), oracles.norm(product)
        if length > 0.1 * abs(share) and math.isfinite(stretched):
            self._weight = max(self._weight, 2.0 * stretched / length)
        return self._moved(product, self._weight * share)

    def without(self, v: list[Tensor]) -> list[Tensor]:
        """Take the direction out of a vector, in place."""
        return self._moved(v, -oracles.dot(v, self._direction))

    def _moved(self, v: list[Tensor], share: float) -> list[Tensor]:
        """Add the direction times a share to a vector, in place."""
        return [x.add_(t.to(x), alpha=share) for x, t in zip(v, self._direction, strict=True)]


class PresentedOracle:
    """An oracle whose gradient is settled already; all else is asked of the true one.

    An optimiser that takes an oracle asks it for the gradient first, which would undo what a wrapper made of it. Losses
    are those at the present parameters: a line search asks for them away from where the step began.

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
        """Return the loss at the present parameters."""
        self.evaluations += self.costs.loss
        return self._oracle.loss()

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

    def __getattr__(self, name: str) -> object:
        if name == "preconditioner":
            offered = getattr(self._oracle, name)
            return lambda: self._charged_products(offered)
        if name == "probe":
            return getattr(self._oracle, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _charged_products(self, offered: Callable[[], object]) -> object:
        answer, products = oracles.ask_counting(self._oracle, offered)
        self.evaluations += self.costs.hvp * products
        return answer

    @property
    def _size(self) -> int:
        return sum(p.numel() for p in self.parameters)
