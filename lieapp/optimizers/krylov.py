"""Lanczos with full reorthogonalisation: a small tridiagonal matrix that shows both ends of a large spectrum."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace

__all__ = ["MAX_STEPS", "Krylov"]

MAX_STEPS = 50
"""Most vectors that are kept; all of them stay in memory."""


class Krylov:
    """A Krylov space that grows by one product at a time.

    Parameters
    ----------
    space : FlatSpace
    start : Tensor, shape=(size,)
        Unit vector.
    steps : int
        Most products that will come.

    Attributes
    ----------
    next : Tensor, shape=(size,)
        The vector whose product `extend` wants.
    complete : bool
        Whether the space takes no more: it is invariant, or ``steps`` are done.
    scale : float
        Length of the longest product.
    """

    def __init__(self, space: FlatSpace, start: Tensor, steps: int) -> None:
        self._space = space
        self._limit = min(steps, space.size)
        self._basis = torch.empty(self._limit, space.size, dtype=space.dtype, device=start.device)
        self._diagonal: list[float] = []
        self._offdiagonal: list[float] = []
        self.next = start
        self.complete = False
        self.scale = 0.0
        self._rest: tuple[Tensor, float] = (start, math.nan)

    @property
    def steps(self) -> int:
        """Number of products taken."""
        return len(self._diagonal)

    def extend(self, product: Tensor) -> None:
        """Take H times `next`."""
        index = self.steps
        self._basis[index] = self.next
        self._diagonal.append(self._space.dot(self.next, product))
        known = self._basis[: index + 1]
        rest, scale = product, self._space.norm(product)
        self.scale = max(self.scale, scale)
        for _ in range(2):  # once loses half of the digits
            rest = rest - self._space.rows_dot(known, rest).to(rest.dtype) @ known
        length = self._space.norm(rest)
        self._rest = (rest / length if length > 0.0 else rest, length)
        invariant = not length > 1e2 * torch.finfo(rest.dtype).eps * scale
        self.complete = invariant or index + 1 == self._limit
        if not self.complete:
            self._offdiagonal.append(length)
            self.next = self._rest[0]

    def ritz(self) -> tuple[Tensor, Tensor]:
        """Return Ritz values, shape ``(steps,)``, ascending, and their vectors in the basis, as columns, in float64."""
        matrix = torch.diag(torch.tensor(self._diagonal, dtype=torch.float64))
        off = torch.tensor(self._offdiagonal[: self.steps - 1], dtype=torch.float64)
        matrix = matrix + torch.diag(off, 1) + torch.diag(off, -1)
        if not bool(torch.isfinite(matrix).all()):
            return torch.full((self.steps,), math.nan, dtype=torch.float64), torch.eye(self.steps, dtype=torch.float64)
        values, vectors = torch.linalg.eigh(matrix)
        return values, vectors

    def residuals(self, vectors: Tensor) -> Tensor:
        """Return the lengths of H v - value v for Ritz vectors given in the basis."""
        return self._rest[1] * vectors[-1].abs()

    def lowest(self) -> tuple[float, float]:
        """Return the lowest Ritz value and its residual."""
        values, vectors = self.ritz()
        return float(values[0]), float(self.residuals(vectors)[0])

    def vector(self, coefficients: Tensor) -> Tensor:
        """Return the vector with these coefficients in the basis."""
        return coefficients.to(self._basis) @ self._basis[: self.steps]

    def lowest_vector(self) -> tuple[Tensor, Tensor]:
        """Return the lowest Ritz vector and its product with H."""
        values, vectors = self.ritz()
        lowest = vectors[:, 0]
        n = self.vector(lowest)
        y = float(values[0]) * n + (self._rest[1] * float(lowest[-1])) * self._rest[0]
        scale = 1.0 / self._space.norm(n)
        return n * scale, y * scale
