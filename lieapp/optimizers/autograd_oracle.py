"""The oracle of a loss that torch can differentiate twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from lieapp.optimizers.costs import Costs
from lieapp.optimizers.parameters import basis_vectors, checked_leaves

__all__ = ["AutogradOracle", "math_attention_only"]

_DEFAULT_COSTS = Costs()
_ROWS_AT_ONCE = 64  # of a Hessian: each takes as much memory as a gradient with its graph


def math_attention_only() -> AbstractContextManager[None]:
    """Return a context in which attention takes torch's plain kernel, which can be differentiated twice.

    Without it a Hessian-vector product through ``scaled_dot_product_attention`` ends with "derivative for
    ... flash_attention_for_cpu_backward is not implemented".
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    context: AbstractContextManager[None] = sdpa_kernel(SDPBackend.MATH)
    return context


class AutogradOracle:
    """Oracle of a loss that torch can differentiate twice.

    Parameters
    ----------
    closure : callable
        Returns the loss, shape ``()``, with its graph; it must not call ``backward``.
    parameters : iterable of Tensor
        Leaf tensors of the loss; those that the loss does not depend on have zero gradient.
    costs : Costs, optional
        Prices; a product by double backward costs about two gradients.
    math_attention : bool, optional
        Differentiate twice with torch's plain attention kernel: its fused kernels have no second derivative.

    Raises
    ------
    ValueError
        If there is no parameter, or one that is no leaf or does not require a gradient.
    """

    hvp_uses_gradient = False

    def __init__(
        self,
        closure: Callable[[], Tensor],
        parameters: Iterable[Tensor],
        *,
        costs: Costs = _DEFAULT_COSTS,
        math_attention: bool = False,
    ) -> None:
        self._closure = closure
        self.parameters = checked_leaves(parameters)
        self.costs = costs
        self._twice = math_attention_only if math_attention else nullcontext

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``."""
        with torch.enable_grad():
            loss = self._closure()
            grads = self._grads(loss, create_graph=False)
        for p, grad in zip(self.parameters, grads, strict=True):
            p.grad = grad
        return loss.detach()

    def loss(self) -> Tensor:
        """Return the loss."""
        with torch.no_grad():
            return self._closure().detach()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v`` by differentiating the gradient."""
        with torch.enable_grad(), self._twice():
            grads = self._grads(self._closure(), create_graph=True)
            return self._differentiate(grads, v, retain_graph=False)

    def hessian(self) -> Tensor:
        """Return the exact Hessian, shape ``(n, n)``, made symmetric."""
        with torch.enable_grad(), self._twice():
            grads = self._grads(self._closure(), create_graph=True)
            try:
                matrix = self._rows_at_once(grads)
            except RuntimeError:  # not everything that torch differentiates twice can be batched
                matrix = self._rows_one_by_one(grads)
        return 0.5 * (matrix + matrix.T)

    def _rows_at_once(self, grads: Sequence[Tensor]) -> Tensor:
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        if not flat.requires_grad:
            return torch.zeros(len(flat), len(flat), dtype=flat.dtype, device=flat.device)
        blocks = []
        for unit in torch.eye(len(flat), dtype=flat.dtype, device=flat.device).split(_ROWS_AT_ONCE):
            rows = torch.autograd.grad(
                flat, self.parameters, unit, retain_graph=True, is_grads_batched=True, materialize_grads=True
            )
            blocks.append(torch.cat([x.detach().reshape(len(unit), -1) for x in rows], dim=1))
        return torch.cat(blocks)

    def _rows_one_by_one(self, grads: Sequence[Tensor]) -> Tensor:
        rows = [self._differentiate(grads, v, retain_graph=True) for v in basis_vectors(self.parameters)]
        return torch.stack([torch.cat([x.reshape(-1) for x in row]) for row in rows])

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the exact diagonal of the Hessian, shaped like the parameters."""
        diagonal = [torch.zeros_like(p) for p in self.parameters]
        with torch.enable_grad(), self._twice():
            grads = self._grads(self._closure(), create_graph=True)
            for v in basis_vectors(self.parameters):
                product = self._differentiate(grads, v, retain_graph=True)
                for entry, x, y in zip(diagonal, v, product, strict=True):
                    entry.add_(x * y)
        return diagonal

    def _grads(self, loss: Tensor, *, create_graph: bool) -> tuple[Tensor, ...]:
        if not loss.requires_grad:
            return tuple(torch.zeros_like(p) for p in self.parameters)
        return torch.autograd.grad(loss, self.parameters, create_graph=create_graph, materialize_grads=True)

    def _differentiate(self, grads: Sequence[Tensor], v: Sequence[Tensor], *, retain_graph: bool) -> list[Tensor]:
        # Gradients that are constants (of linear losses) have no graph, and a zero Hessian.
        live = [(grad, vector) for grad, vector in zip(grads, v, strict=True) if grad.requires_grad]
        if not live:
            return [torch.zeros_like(p) for p in self.parameters]
        outputs, vectors = zip(*live, strict=True)
        product = torch.autograd.grad(
            outputs, self.parameters, grad_outputs=vectors, retain_graph=retain_graph, materialize_grads=True
        )
        return [x.detach() for x in product]
