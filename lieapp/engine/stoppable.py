"""The oracle that a run gives to its optimiser: it counts, and it lets a stop through within one evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from lieapp.engine.control import RunControl
from lieapp.optimizers import oracle as oracles
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.oracle import HasHessian, HasHessianDiagonal, Oracle

__all__ = ["RunStopped", "StoppableOracle"]


class RunStopped(BaseException):
    """Raised out of an evaluation when a stop was asked for; no ``except Exception`` of an optimiser catches it."""


class StoppableOracle(CountingOracle):
    """A counting oracle that raises `RunStopped` before an evaluation once its control is stopping.

    Attributes
    ----------
    control : RunControl or None
    """

    def __init__(self, oracle: Oracle, control: RunControl | None = None) -> None:
        super().__init__(oracle)
        self.control = control

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``; charged once per parameter value."""
        self._check()
        return super().gradient()

    def loss(self) -> Tensor:
        """Return the loss; free where the gradient at these parameters has been paid."""
        self._check()
        return super().loss()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v``; one product."""
        self._check()
        return super().hvp(v)

    def hessian(self) -> Tensor:
        """Return the Hessian, shape ``(n, n)``; n products, between which a stop acts unless the oracle has its own."""
        self._check()
        if isinstance(self.oracle, HasHessian):
            return super().hessian()
        return oracles.hessian(_Products(self))

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the Hessian's diagonal; n products, between which a stop acts unless the oracle has its own."""
        self._check()
        if isinstance(self.oracle, HasHessianDiagonal):
            return super().hessian_diagonal()
        return oracles.hessian_diagonal(_Products(self))

    def _check(self) -> None:
        if self.control is not None and self.control.stopping:
            raise RunStopped


class _Products:
    """Only the products of an oracle, so that a Hessian is composed of charged ones."""

    def __init__(self, oracle: StoppableOracle) -> None:
        self.parameters = oracle.parameters
        self.costs = oracle.costs
        self.gradient = oracle.gradient
        self.loss = oracle.loss
        self.hvp = oracle.hvp
