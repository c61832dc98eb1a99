"""The oracle: what an optimiser may ask of a problem, whatever answers it.

An oracle is a pure function of its parameters (and of the current batch, where there is one). All inner products are
real dot products over all parameters together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from lieapp.optimizers.autograd_oracle import AutogradOracle, math_attention_only
from lieapp.optimizers.costs import Costs
from lieapp.optimizers.finite_differences import FiniteDifferenceOracle
from lieapp.optimizers.inner_products import dot, norm
from lieapp.optimizers.parameters import SavedParameters, basis_vectors, same_bits
from lieapp.optimizers.tensor_lists import rough_norm

__all__ = [
    "AutogradOracle",
    "Costs",
    "FiniteDifferenceOracle",
    "HasHessian",
    "HasHessianDiagonal",
    "Oracle",
    "SavedParameters",
    "ask_counting",
    "basis_vectors",
    "dot",
    "hessian",
    "hessian_diagonal",
    "math_attention_only",
    "norm",
    "resolution",
    "rough_norm",
    "same_bits",
    "takes_differences",
]


@runtime_checkable
class Oracle(Protocol):
    """What every oracle answers.

    An oracle may also offer ``hessian() -> Tensor (n, n)``, ``hessian_diagonal() -> list[Tensor]``,
    ``preconditioner()`` and ``probe()``; `hessian` and `hessian_diagonal` of this module fall back on products.
    One whose curvature is that of another batch offers ``curvature_gradient() -> loss``, the gradient of that, for
    products by differences.
    Where many products are cheaper in a row, it offers ``holding()``, a context for them, and ``stream_hvp(v, length)``
    (`FiniteDifferenceOracle`).
    An oracle whose products reuse the gradient at the present parameters says so by
    ``hvp_uses_gradient = True``, so that `CountingOracle` charges that gradient too.
    """

    @property
    def parameters(self) -> list[Tensor]:
        """Leaf tensors that the loss depends on."""
        ...

    @property
    def costs(self) -> Costs:
        """Price of the answers."""
        ...

    def gradient(self) -> Tensor:
        """Return the loss, shape ``()``, and set ``.grad`` of every parameter. Usable as a torch closure."""
        ...

    def loss(self) -> Tensor:
        """Return the loss, shape ``()``; gradients stay as they are."""
        ...

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v`` (one tensor per parameter); parameters and gradients stay as they are."""
        ...


@runtime_checkable
class HasHessian(Protocol):
    """An oracle that knows its Hessian."""

    def hessian(self) -> Tensor:
        """Return the Hessian, shape ``(n, n)``, over all parameters flattened and joined in order."""
        ...


@runtime_checkable
class HasHessianDiagonal(Protocol):
    """An oracle that knows the diagonal of its Hessian."""

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the diagonal, shaped like the parameters."""
        ...


def takes_differences(oracle: Oracle) -> bool:
    """Return whether an oracle's products are differences of gradients, with errors well above rounding."""
    return bool(getattr(oracle, "hvp_by_differences", False))


def resolution(oracle: Oracle) -> float:
    """Return the share of the highest curvature below which products tell nothing, not even a sign.

    Differences of gradients bend with the gradient; measured on networks and surfaces, see `FiniteDifferenceOracle`.
    """
    single = any(torch.finfo(p.dtype).eps > 1e-10 for p in oracle.parameters)
    if takes_differences(oracle):
        return 5e-3 if single else 1e-5
    return 1e-5 if single else 1e-11


def ask_counting(oracle: Oracle, ask: Callable[[], object]) -> tuple[object, float]:
    """Return the answer to a question, and the products that an oracle took for it, where it counts them itself.

    It does so by an attribute ``products``, which may hold parts.
    """
    before = float(getattr(oracle, "products", 0.0))
    answer = ask()
    return answer, float(getattr(oracle, "products", 0.0)) - before


def hessian(oracle: Oracle) -> Tensor:
    """Return the Hessian, shape ``(n, n)``: the oracle's own, else from one product per parameter, made symmetric."""
    if isinstance(oracle, HasHessian):
        return oracle.hessian()
    rows = [torch.cat([x.reshape(-1) for x in oracle.hvp(v)]) for v in basis_vectors(oracle.parameters)]
    matrix = torch.stack(rows)
    return 0.5 * (matrix + matrix.T)


def hessian_diagonal(oracle: Oracle) -> list[Tensor]:
    """Return the Hessian's diagonal, shaped like the parameters: the oracle's own, else one product per parameter."""
    if isinstance(oracle, HasHessianDiagonal):
        return oracle.hessian_diagonal()
    parameters = oracle.parameters
    entries = []
    for v in basis_vectors(parameters):
        entries.append(sum((x * y).sum() for x, y in zip(v, oracle.hvp(v), strict=True)))
    joined = torch.stack([torch.as_tensor(entry) for entry in entries])
    parts = torch.split(joined, [p.numel() for p in parameters])
    return [part.reshape(p.shape).to(p) for part, p in zip(parts, parameters, strict=True)]
