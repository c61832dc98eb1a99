"""What an optimiser pays: an oracle that counts, and remembers the last gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from lieapp.optimizers.oracle import Costs, Oracle, SavedParameters, ask_counting, hessian, hessian_diagonal, same_bits

__all__ = ["CountingOracle"]


@dataclass
class _Memo:
    parameters: list[Tensor]
    grads: list[Tensor]
    loss: Tensor
    charged: bool


class CountingOracle:
    """Counts what is asked of an oracle; the same gradient is not computed, nor paid for, twice.

    The gradient at bitwise unchanged parameters is remembered until `invalidate`, which must be called when the loss
    itself changes (new batch, new anchor). `observe` looks without paying; the optimiser that asks for the same
    gradient afterwards pays for it then. So a method of one gradient per step has paid k gradients after k steps,
    however often a run looked.

    Parameters
    ----------
    oracle : Oracle
        The oracle to ask.

    Attributes
    ----------
    counters : dict of str to float
        Charged ``gradients``, ``losses`` and ``hvps``. An exact Hessian, or its diagonal, counts as n products; a
        preconditioner as many as the oracle says that it took (its attribute ``products``, which may hold parts).
    """

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._memo: _Memo | None = None
        self.counters: dict[str, float] = {"gradients": 0, "losses": 0, "hvps": 0}

    @property
    def oracle(self) -> Oracle:
        """The oracle that is asked."""
        return self._oracle

    @property
    def parameters(self) -> list[Tensor]:
        """Leaf tensors of the loss."""
        return self._oracle.parameters

    @property
    def costs(self) -> Costs:
        """Prices of the answers."""
        return self._oracle.costs

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters)

    @property
    def paid(self) -> bool:
        """Whether the gradient at the present parameters is remembered and has been paid."""
        memo = self._valid_memo()
        return memo is not None and memo.charged

    def waive(self) -> None:
        """Charge nothing for the gradient that is remembered: it was paid before the counters were stored."""
        if self._memo is not None:
            self._memo.charged = True

    def evaluations(self) -> float:
        """Return what was charged, in units of one gradient."""
        return self.costs.evaluations(**self.counters)

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``; charged once per parameter value."""
        memo = self._gradient()
        self._charge(memo)
        return memo.loss.clone()

    def observe(self) -> Tensor:
        """Return the loss and set ``.grad`` without a charge, to look at a run without changing its price."""
        return self._gradient().loss.clone()

    def loss(self) -> Tensor:
        """Return the loss; free where the gradient at these parameters has been paid."""
        memo = self._valid_memo()
        if memo is None or not memo.charged:
            self.counters["losses"] += 1
        return self._oracle.loss() if memo is None else memo.loss.clone()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v``; one product."""
        self._prepare_products(1)
        return self._oracle.hvp(v)

    def hessian(self) -> Tensor:
        """Return the Hessian, shape ``(n, n)``; n products."""
        self._prepare_products(self.size)
        return hessian(self._oracle)

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the Hessian's diagonal, shaped like the parameters; n products."""
        self._prepare_products(self.size)
        return hessian_diagonal(self._oracle)

    def __getattr__(self, name: str) -> object:
        # What else the problem offers (a probe) is free and its own business.
        if name == "preconditioner":
            offered = getattr(self._oracle, name)
            return lambda: self._charged_products(offered)
        if name == "curvature_gradient":
            ask = getattr(self._oracle, name)
            return lambda: self._charged_gradient(ask)
        if name in ("probe", "hvp_by_differences", "products"):
            return getattr(self._oracle, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def invalidate(self) -> None:
        """Forget the gradient: the loss has changed although the parameters may not have."""
        self._memo = None
        forget = getattr(self._oracle, "invalidate", None)
        if forget is not None:
            forget()

    def state_dict(self) -> dict[str, float]:
        """Return the counters."""
        return dict(self.counters)

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Set the counters and forget the gradient."""
        self.counters = {name: state[name] for name in self.counters}
        self.invalidate()

    def _charged_gradient(self, ask: Callable[[], Tensor]) -> Tensor:
        self.counters["gradients"] += 1
        return ask()

    def _charged_products(self, offered: Callable[[], object]) -> object:
        """Ask for a preconditioner; products that the problem took for it (its ``products``) are charged."""
        answer, products = ask_counting(self._oracle, offered)
        self.counters["hvps"] += products
        return answer

    def _prepare_products(self, count: int) -> None:
        if getattr(self._oracle, "hvp_uses_gradient", False):
            memo = self._valid_memo()
            if memo is None:
                with SavedParameters(self.parameters):
                    memo = self._gradient()
            self._charge(memo)
        self.counters["hvps"] += count

    def _charge(self, memo: _Memo) -> None:
        if not memo.charged:
            memo.charged = True
            self.counters["gradients"] += 1

    def _valid_memo(self) -> _Memo | None:
        if self._memo is not None and same_bits(self._memo.parameters, self.parameters):
            return self._memo
        return None

    def _gradient(self) -> _Memo:
        memo = self._valid_memo()
        if memo is None:
            loss = self._oracle.gradient()
            grads = [p.grad.detach().clone() for p in self.parameters if p.grad is not None]
            memo = self._memo = _Memo([p.detach().clone() for p in self.parameters], grads, loss.detach(), False)
        else:
            # Copies: an optimiser may have changed the gradients in place.
            for p, grad in zip(self.parameters, memo.grads, strict=True):
                p.grad = grad.clone()
        return memo
