"""The oracle: what an optimiser may ask of a problem, and two oracles around any torch closure.

An oracle is a pure function of its parameters (and of the current batch, where there is one). All inner products are
real dot products over all parameters together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

__all__ = [
    "AutogradOracle",
    "Costs",
    "FiniteDifferenceOracle",
    "HasHessian",
    "HasHessianDiagonal",
    "Oracle",
    "SavedParameters",
    "basis_vectors",
    "dot",
    "dot64",
    "hessian",
    "hessian_diagonal",
    "math_attention_only",
    "norm",
    "norm64",
    "rough_norm",
]


@dataclass(frozen=True)
class Costs:
    """Price of each question in units of one gradient.

    Attributes
    ----------
    gradient, loss, hvp : float
        Price of a loss with its gradient, of a loss alone, and of a Hessian-vector product.
    """

    gradient: float = 1.0
    loss: float = 1.0 / 3.0
    hvp: float = 2.0

    def evaluations(self, gradients: float, losses: float, hvps: float) -> float:
        """Return the price of that many questions."""
        return self.gradient * gradients + self.loss * losses + self.hvp * hvps


_DEFAULT_COSTS = Costs()

_CHUNK = 1 << 15


@runtime_checkable
class Oracle(Protocol):
    """What every oracle answers.

    An oracle may also offer ``hessian() -> Tensor (n, n)``, ``hessian_diagonal() -> list[Tensor]``,
    ``preconditioner()`` and ``probe()``; `hessian` and `hessian_diagonal` of this module fall back on products.
    Where many products are cheaper in a row, it offers ``holding()``, a context for them, and ``unit_hvp(v)`` for unit
    vectors (`FiniteDifferenceOracle`).
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


def dot(a: Iterable[Tensor], b: Iterable[Tensor]) -> float:
    """Return the real dot product of two lists of tensors, summed in float64."""
    return float(sum(dot64(x, y) for x, y in zip(a, b, strict=True)))


def norm(a: Sequence[Tensor]) -> float:
    """Return the Euclidean norm of a list of tensors, summed in float64."""
    return math.hypot(*(norm64(x) for x in a))


def rough_norm(a: Sequence[Tensor]) -> float:
    """Return the Euclidean norm of a list of tensors in their own precision, for where its digits do not matter."""
    length = math.hypot(*(float(torch.linalg.vector_norm(x.detach())) for x in a))
    return length if 0.0 < length < math.inf else norm(a)


def dot64(x: Tensor, y: Tensor) -> float:
    """Return the real dot product of two tensors of one shape, multiplied and summed in float64."""
    x, y = x.detach().reshape(-1), y.detach().reshape(-1)
    if x.numel() <= _CHUNK or x.device.type != "cpu" or x.dtype == y.dtype == torch.float64:
        return float(torch.dot(x.to(torch.float64), y.to(torch.float64)))
    # Converted piece by piece, what is multiplied stays in the cache.
    pieces = zip(x.split(_CHUNK), y.split(_CHUNK), strict=True)
    return float(sum(float(torch.dot(a.to(torch.float64), b.to(torch.float64))) for a, b in pieces))


def norm64(x: Tensor) -> float:
    """Return the Euclidean norm of a tensor, summed in float64."""
    if x.dtype == torch.float32 and x.device.type == "cpu":  # no square of these overflows in float64
        pieces = (piece.to(torch.float64) for piece in x.detach().reshape(-1).split(_CHUNK))
        return math.sqrt(sum(float(torch.dot(piece, piece)) for piece in pieces))
    length = float(torch.linalg.vector_norm(x.detach(), dtype=torch.float64))
    if 1e-150 < length < 1e150 or x.numel() == 0:
        return length
    # Squares overflow or underflow where the norm itself does not.
    x = x.detach().to(torch.float64)
    largest = float(x.abs().max())
    return largest * float(torch.linalg.vector_norm(x / largest)) if 0.0 < largest < math.inf else largest


def basis_vectors(parameters: Sequence[Tensor]) -> Iterable[list[Tensor]]:
    """Yield every unit vector of the joined parameter space; the tensors are reused from one to the next."""
    vectors = [torch.zeros_like(p) for p in parameters]
    for vector in vectors:
        flat = vector.view(-1) if vector.is_contiguous() else None
        for index in range(vector.numel()):
            if flat is None:
                place = tuple(int(i) for i in torch.unravel_index(torch.tensor(index), vector.shape))
                vector[place] = 1
                yield vectors
                vector[place] = 0
            else:
                flat[index] = 1
                yield vectors
                flat[index] = 0


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


class SavedParameters:
    """Parameters and gradients as they were, to be put back bit by bit.

    Works as a context: on leaving, also by an exception, both are restored; a ``.grad`` is the same tensor as before.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = list(parameters)
        self.values = [p.detach().clone() for p in self._parameters]
        self._grads = [p.grad for p in self._parameters]
        self._grad_values = [None if g is None else g.detach().clone() for g in self._grads]

    def __enter__(self) -> SavedParameters:
        return self

    def __exit__(self, *exception: object) -> None:
        self.restore()

    def gradients(self) -> list[Tensor]:
        """Return the values of the gradients, zero where there was none."""
        pairs = zip(self._parameters, self._grad_values, strict=True)
        return [torch.zeros_like(p) if value is None else value for p, value in pairs]

    def show_gradients(self) -> None:
        """Make ``.grad`` the same tensors as before, whatever is in them by now."""
        for p, grad in zip(self._parameters, self._grads, strict=True):
            p.grad = grad

    @torch.no_grad()
    def restore(self) -> None:
        """Put parameters and gradients back."""
        for p, value in zip(self._parameters, self.values, strict=True):
            p.copy_(value)
        for grad, grad_value in zip(self._grads, self._grad_values, strict=True):
            if grad is not None and grad_value is not None:
                grad.copy_(grad_value)
        self.show_gradients()


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
        self.parameters = _checked(parameters)
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
            rows = [
                torch.cat([x.reshape(-1) for x in self._differentiate(grads, v, retain_graph=True)])
                for v in basis_vectors(self.parameters)
            ]
        matrix = torch.stack(rows)
        return 0.5 * (matrix + matrix.T)

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


class FiniteDifferenceOracle:
    """Oracle of an ordinary torch closure; products come from differences of its gradient.

    The displaced points lie ``s (1 + |x| / sqrt(n))`` away, with ``x`` all n parameters joined and ``s`` the square
    root of the rounding unit of the coarsest parameter, or a fifth of its cube root (central). On a network of 800 000
    parameters in float32, whose gradient bends quickly, that leaves 0.2 % of the highest and 0.6 % of the lowest
    curvature as error; ten times as far, 2 % and 7 %. Parameters and gradients are restored bit by
    bit afterwards, also when the closure raises.

    Parameters
    ----------
    closure : callable
        As for ``torch.optim.Optimizer.step``: clears gradients, computes the loss, calls ``backward``, returns it.
        It must give the same answer at the same parameters.
    parameters : iterable of Tensor
        Leaf tensors of the loss.
    central : bool, optional
        Two gradients per product and an error of second order, instead of one gradient and first order.
    displacement : float, optional
        How far the displaced points lie, instead of the length above.
    costs : Costs, optional
        Prices; by default a product costs one gradient, or two when ``central``, and a loss one, for a closure
        always runs its backward pass.

    Raises
    ------
    ValueError
        If there is no parameter, or one that is no leaf or does not require a gradient.
    """

    def __init__(
        self,
        closure: Callable[[], Tensor],
        parameters: Iterable[Tensor],
        *,
        central: bool = False,
        displacement: float | None = None,
        costs: Costs | None = None,
    ) -> None:
        if displacement is not None and not 0.0 < displacement < math.inf:
            raise ValueError(f"Invalid displacement: {displacement}")
        self._closure = closure
        self.parameters = _checked(parameters)
        self.central = central
        self.displacement = displacement
        self.costs = costs if costs is not None else Costs(loss=1.0, hvp=2.0 if central else 1.0)
        self._base: tuple[list[Tensor], list[Tensor]] | None = None
        self._held: SavedParameters | None = None
        self._distance = math.nan
        unit = max(torch.finfo(p.dtype).eps for p in self.parameters)
        self._step = 0.2 * unit ** (1.0 / 3.0) if central else math.sqrt(unit)
        self._root = math.sqrt(sum(p.numel() for p in self.parameters))

    hvp_by_differences = True

    @property
    def hvp_uses_gradient(self) -> bool:
        """Whether a product reuses the gradient at the present parameters."""
        return not self.central

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``."""
        loss, grads = self._evaluate()
        if not self.central:
            self._base = ([p.detach().clone() for p in self.parameters], [grad.clone() for grad in grads])
        for p in self.parameters:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        return loss

    def loss(self) -> Tensor:
        """Return the loss."""
        with SavedParameters(self.parameters):
            return self._evaluate()[0]

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times ``v`` from one or two more gradients."""
        length = rough_norm(v)
        if not math.isfinite(length):
            return [torch.full_like(p, math.nan) for p in self.parameters]
        if length == 0.0:
            return [torch.zeros_like(p) for p in self.parameters]
        return self._product(v, length)

    def unit_hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the Hessian times a vector of unit length, which is not checked."""
        return self._product(v, 1.0)

    @contextmanager
    def holding(self, *, adopt: bool = False) -> Iterator[None]:
        """Return a context in which parameters and gradients stay displaced from one product to the next.

        They are put back once, on leaving, also by an exception. Nothing but products may be asked in between.

        Parameters
        ----------
        adopt : bool, optional
            As by `adopt_gradient`, without further copies.
        """
        if self._held is not None:
            yield
            return
        with SavedParameters(self.parameters) as saved:
            self._distance = self.displacement or self._step * (1.0 + rough_norm(saved.values) / self._root)
            self._held = saved
            try:
                if adopt and not self.central:
                    self._base = (saved.values, saved.gradients())
                elif not self.central and (self._base is None or not same_bits(self._base[0], saved.values)):
                    self._base = (saved.values, [grad.clone() for grad in self._evaluate()[1]])
                yield
            finally:
                self._held = None

    def adopt_gradient(self) -> None:
        """Take ``.grad`` as the gradient at the present parameters, which the caller has just computed."""
        if not self.central:
            saved = SavedParameters(self.parameters)
            self._base = (saved.values, saved.gradients())

    def invalidate(self) -> None:
        """Forget the gradient at the present parameters: the loss itself has changed."""
        self._base = None

    def _product(self, v: Sequence[Tensor], length: float) -> list[Tensor]:
        with self.holding():
            assert self._held is not None
            step = self._distance / length
            upper = self._displaced(self._held, v, step)
            if not self.central:
                assert self._base is not None
                return _differences(upper, self._base[1], 1.0 / step)
            # The closure may write to the same tensors again.
            upper = [grad.clone() for grad in upper]
            return _differences(upper, self._displaced(self._held, v, -step), 0.5 / step)

    def _displaced(self, saved: SavedParameters, v: Sequence[Tensor], step: float) -> list[Tensor]:
        """Return the gradient at a displaced point, in the closure's own tensors."""
        saved.show_gradients()
        with torch.no_grad():
            for p, value, direction in zip(self.parameters, saved.values, v, strict=True):
                torch.add(value, direction, alpha=step, out=p.data)
        return self._evaluate()[1]

    def _evaluate(self) -> tuple[Tensor, list[Tensor]]:
        with torch.enable_grad():
            loss = self._closure()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad.detach() for p in self.parameters]
        return torch.as_tensor(loss).detach(), grads


def _differences(a: Sequence[Tensor], b: Sequence[Tensor], factor: float) -> list[Tensor]:
    return [torch.sub(x, y).mul_(factor) for x, y in zip(a, b, strict=True)]


_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def same_bits(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    """Return whether two lists of real tensors agree bit by bit (unlike equality, for NaN and signed zeros too)."""
    return all(
        torch.equal(x.detach().view(_BITS[x.element_size()]), y.detach().view(_BITS[y.element_size()]))
        for x, y in zip(a, b, strict=True)
    )


def _checked(parameters: Iterable[Tensor]) -> list[Tensor]:
    checked = list(parameters)
    if not checked:
        raise ValueError("Invalid parameters: there is none")
    for index, p in enumerate(checked):
        if not p.is_leaf or not p.requires_grad or not p.is_floating_point():
            raise ValueError(f"Invalid parameter {index}: a real leaf tensor that requires a gradient is needed")
    return checked
