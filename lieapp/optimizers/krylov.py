"""Lanczos: a small tridiagonal matrix that shows both ends of a large spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.oracle import norm
from lieapp.optimizers.tensor_lists import combine, dots, product_and_square, subtract_

__all__ = ["MAX_STEPS", "Krylov"]

MAX_STEPS = 50
"""Most vectors that are kept; all of them stay in memory."""

_SMALL = 1 << 16


class _Rest:
    # What a product adds to the space: its part orthogonal to the basis. Of the last one only the length is of use,
    # unless the product of a Ritz vector is asked for; so the vector is made when needed.

    def __init__(self, product: list[Tensor], length: float, terms: list[tuple[float, Sequence[Tensor]]]) -> None:
        self.length = length
        self._product = product
        self._terms: list[tuple[float, Sequence[Tensor]]] | None = terms

    def vector(self) -> list[Tensor]:
        if self._terms is not None:
            subtract_(self._product, self._terms, 1.0 / self.length if self.length > 0.0 else 1.0)
            self._terms = None
        return self._product


class Krylov:
    """A Krylov space that grows by one product at a time.

    A new vector is orthogonal to all others, but for rounding, once it has been made orthogonal to the last two. What
    rounding leaves grows only as Ritz values converge (Paige, J. Inst. Maths Applics 18, 341, 1976), so vectors of
    many numbers are made orthogonal to all others only from where that could reach the root of the rounding unit;
    up to there the Ritz values do not suffer from it (Simon, Linear Algebra Appl. 61, 101, 1984).

    Parameters
    ----------
    space : FlatSpace
    start : sequence of Tensor
        Unit vector, in the precision of the space.
    steps : int
        Most products that will come.

    Attributes
    ----------
    basis : list of sequence of Tensor
        Orthonormal vectors, one for each product taken.
    next : sequence of Tensor
        The vector whose product `extend` wants.
    invariant : bool
        Whether H leads no further, but for rounding.
    complete : bool
        Whether the space takes no more: it is invariant, or ``steps`` are done.
    scale : float
        Length of the longest product.
    """

    def __init__(self, space: FlatSpace, start: Sequence[Tensor], steps: int) -> None:
        self._space = space
        self._limit = min(steps, space.size)
        self._unit = torch.finfo(space.dtype).eps
        self._whole = torch.zeros(self._limit, self._limit, dtype=torch.float64)
        self._small = space.size <= _SMALL
        self._against_all = self._small
        self.basis: list[Sequence[Tensor]] = []
        self.next = start
        self.invariant = False
        self.complete = False
        self.scale = 0.0
        self._rest = _Rest(list(start), math.nan, [])
        self._values = torch.empty(0, dtype=torch.float64)
        self._vectors = torch.empty(0, 0, dtype=torch.float64)

    @property
    def steps(self) -> int:
        """Number of products taken."""
        return len(self.basis)

    @property
    def matrix(self) -> Tensor:
        """The projected Hessian, shape ``(steps, steps)``, in float64."""
        return self._whole[: self.steps, : self.steps]

    def extend(self, product: list[Tensor]) -> None:
        """Take H times `next`; its tensors may be overwritten."""
        last = self._rest.length if self.basis else 0.0
        index = self.steps
        self.basis.append(self.next)
        diagonal, square = product_and_square(self.next, product)
        self._whole[index, index] = diagonal
        scale = math.sqrt(square) if 1e-300 < square < math.inf else norm(product)
        self.scale = max(self.scale, scale)
        left = square - diagonal * diagonal - last * last
        final = self.steps == self._limit
        terms = list(zip((diagonal, last), self.basis[:-3:-1], strict=False))
        if left > 1e-2 * square and not self._small and (final or not self._against_all):
            length = math.sqrt(left)
            self._rest = _Rest(product, length, terms)
        elif left > 1e-6 * square and not self._against_all:  # that difference is not exact enough
            subtract_(product, terms)
            length = norm(product)
            self._rest = _Rest(product, length, [])
        else:
            self._rest = _Rest(product, length := self._subtract_all(product), [])
        self.invariant = not length > 1e2 * self._unit * scale
        self.complete = self.invariant or final
        self._solve()
        if self.steps > 1:
            closest = float(self.residuals(self._vectors).min())
            self._against_all |= not closest > 10.0 * math.sqrt(self._unit) * self.scale
        if not self.complete:
            self._whole[index, index + 1] = self._whole[index + 1, index] = length
            self.next = self._rest.vector()

    def _subtract_all(self, product: list[Tensor]) -> float:
        """Leave of a product its part orthogonal to all others; return the length of that."""
        for _ in range(2):  # once loses half of the digits
            subtract_(product, list(zip(dots(self.basis, product).tolist(), self.basis, strict=True)))
        return norm(product)

    def _solve(self) -> None:
        matrix = self.matrix
        if not bool(torch.isfinite(matrix).all()):
            self._values = torch.full((self.steps,), math.nan, dtype=torch.float64)
            self._vectors = torch.eye(self.steps, dtype=torch.float64)
        else:
            self._values, self._vectors = torch.linalg.eigh(matrix)

    def ritz(self) -> tuple[Tensor, Tensor]:
        """Return Ritz values, shape ``(steps,)``, ascending, and their vectors in the basis, as columns, in float64."""
        return self._values, self._vectors

    def residuals(self, vectors: Tensor) -> Tensor:
        """Return the lengths of H v - value v for Ritz vectors given in the basis."""
        return self._rest.length * vectors[-1].abs()

    def lowest(self) -> tuple[float, float]:
        """Return the lowest Ritz value and its residual."""
        return float(self._values[0]), float(self.residuals(self._vectors)[0])

    def vector(self, factors: Tensor) -> Tensor:
        """Return the vector with these coefficients in the basis, as one of the space."""
        return self._combined(factors.tolist(), self.basis)

    def product(self, factors: Tensor) -> Tensor:
        """Return H times the vector with these coefficients."""
        vectors = [*self.basis, self._rest.vector()]
        return self._combined([*(self.matrix @ factors).tolist(), self._rest.length * float(factors[-1])], vectors)

    def _combined(self, factors: Sequence[float], vectors: Sequence[Sequence[Tensor]]) -> Tensor:
        joined = torch.empty(self._space.size, dtype=self._space.dtype, device=self._space.device)
        combine(factors, vectors, self._space.split(joined))
        return joined
