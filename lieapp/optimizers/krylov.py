"""Lanczos: a small tridiagonal matrix that shows both ends of a large spectrum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from lieapp.optimizers.flat import MANY, FlatSpace
from lieapp.optimizers.inner_products import norm, products, products_and_square
from lieapp.optimizers.tensor_lists import combined, subtract_, subtracted

__all__ = ["MAX_STEPS", "Krylov"]

MAX_STEPS = 50
"""Most vectors that are kept; all of them stay in memory."""

_SAFE = (1e-9, 1e9)
"""Lengths of vectors whose products with one another neither overflow nor underflow."""


class _Rest:
    # What a product adds to the space: its part orthogonal to the basis. Of the last one only the length is of use,
    # unless the product of a Ritz vector is asked for; so the vector is made when needed, part by part.

    def __init__(self, product: list[Tensor], length: float, terms: list[tuple[float, Sequence[Tensor]]]) -> None:
        self.length = length
        self._product = product
        self._terms = terms

    def parts(self) -> Iterator[Tensor]:
        terms, self._terms = self._terms, []
        return subtracted(self._product, terms) if terms else iter(self._product)

    def vector(self) -> list[Tensor]:
        return list(self.parts())


class Krylov:
    """A Krylov space that grows by one product at a time.

    A new vector is orthogonal to all others, but for rounding, once it has been made orthogonal to the last two. What
    rounding leaves grows only as Ritz values converge (Paige, J. Inst. Maths Applics 18, 341, 1976), so vectors of
    many numbers are made orthogonal to all others only from where that could reach the root of the rounding unit;
    up to there the Ritz values do not suffer from it (Simon, Linear Algebra Appl. 61, 101, 1984). Differences of
    gradients are no symmetric products: with three terms their errors grow from step to step until Ritz values far
    outside of the spectrum appear, on networks within ten steps; so there every vector is made orthogonal to all.

    Vectors are kept as they come, with their lengths, for dividing them would be another pass through memory.

    Parameters
    ----------
    space : FlatSpace
    start : sequence of Tensor
        In the precision of the space; it is kept, not copied.
    steps : int
        Most products that will come.
    length : float, optional
        Of the start; of either sign.
    inexact : bool, optional
        Whether products have errors well above rounding.

    Attributes
    ----------
    basis : list of sequence of Tensor
        Orthogonal vectors, one for each product taken.
    lengths : list of float
        Theirs.
    length : float
        That of the vector whose product `extend` wants.
    invariant : bool
        Whether H leads no further, but for rounding.
    complete : bool
        Whether the space takes no more: it is invariant, or ``steps`` are done.
    scale : float
        Length of the longest product of a unit vector.
    """

    def __init__(
        self, space: FlatSpace, start: Sequence[Tensor], steps: int, length: float = 1.0, *, inexact: bool = False
    ) -> None:
        self._space = space
        self._limit = min(steps, space.size)
        self._unit = torch.finfo(space.dtype).eps
        self._whole = torch.zeros(self._limit, self._limit, dtype=torch.float64)
        self._small = space.size <= MANY
        self._inexact = inexact
        self._against_all = self._small or inexact
        self.basis: list[Sequence[Tensor]] = []
        self.lengths: list[float] = []
        self.length = length
        self.invariant = False
        self.complete = False
        self.scale = 0.0
        self._residual = math.nan
        self._rest = _Rest(list(start), length, [])
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

    def next(self) -> Iterator[Tensor]:
        """Return the vector whose product `extend` wants, part by part; to be taken to its end."""
        return self._rest.parts()

    def unit(self) -> list[Tensor]:
        """Return the same, divided by its length."""
        return [part / self.length for part in self.next()]

    def extend(self, product: Iterable[Tensor], factor: float) -> None:
        """Take H times the unit vector along `next`: ``factor`` times a product that may be overwritten."""
        last = self._residual if self.basis else 0.0
        index = self.steps
        vector = self._rest.vector()
        self.basis.append(vector)
        self.lengths.append(self.length)
        against_all, final = self._against_all, self.steps == self._limit
        taken, along, square = products_and_square(self.basis if against_all else [vector], product)
        square *= factor * factor
        known = self.lengths if against_all else self.lengths[-1:]
        shares = [factor * value / length for value, length in zip(along, known, strict=True)]
        self._whole[index, index] = shares[-1]
        if not against_all and index > 0:
            shares = [last, *shares]
        scale = math.sqrt(square) if 1e-300 < square < math.inf else factor * norm(taken)
        self.scale = max(self.scale, scale)
        left = square - sum(share * share for share in shares)
        beside = zip(shares, self.lengths[-len(shares) :], self.basis[-len(shares) :], strict=True)
        terms = [(share / (factor * length), u) for share, length, u in beside]
        once = self._inexact or not against_all  # half of the digits are more than inexact products have
        if left > 1e-2 * square and not self._small and (once or final):
            self._residual = math.sqrt(left)
        else:  # that difference is not exact enough
            subtract_(taken, terms)
            if self._small or not once or not left > 1e-6 * square:
                self.subtract_from(taken)
            self._residual, terms = factor * norm(taken), []
        self._rest = _Rest(taken, self._residual / factor, terms)
        if self._rest.length > 0.0 and not _SAFE[0] < self._rest.length < _SAFE[1]:
            self._rest = _Rest([part / self._rest.length for part in self._rest.parts()], 1.0, [])
        self.length = self._rest.length
        self.invariant = not self._residual > 1e2 * self._unit * scale
        self.complete = self.invariant or final
        self._solve()
        if self.steps > 1:
            closest = float(self.residuals(self._vectors).min())
            self._against_all |= not closest > 10.0 * math.sqrt(self._unit) * self.scale
        if not self.complete:
            self._whole[index, index + 1] = self._whole[index + 1, index] = self._residual

    def shares(self, vector: Sequence[Tensor]) -> Tensor:
        """Return the coefficients of a vector along the unit vectors of the basis, shape ``(steps,)``, in float64."""
        along = zip(products(self.basis, vector), self.lengths, strict=True)
        return torch.tensor([value / length for value, length in along], dtype=torch.float64)

    def subtract_from(self, vector: Sequence[Tensor]) -> None:
        """Leave of a vector its part orthogonal to the space, but for half of the digits of what is taken away."""
        shares = zip(self.shares(vector).tolist(), self.lengths, self.basis, strict=True)
        subtract_(vector, [(share / length, u) for share, length, u in shares])

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
        return self._residual * vectors[-1].abs()

    def lowest(self) -> tuple[float, float]:
        """Return the lowest Ritz value and its residual."""
        return float(self._values[0]), float(self.residuals(self._vectors)[0])

    def combine(self, factors: Tensor, out: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield the parts of the vector with these coefficients along the unit vectors of the basis, written to out."""
        return combined(_over(factors.tolist(), self.lengths), self.basis, out)

    def vector(self, factors: Tensor) -> Tensor:
        """Return that vector as one of the space."""
        joined = self._space.empty()
        for _ in self.combine(factors, self._space.split(joined)):
            pass
        return joined

    def product(self, factors: Tensor) -> Tensor:
        """Return H times that vector."""
        joined = self._space.empty()
        shares = [*(self.matrix @ factors).tolist(), self._residual * float(factors[-1])]
        vectors = [*self.basis, self._rest.vector()]
        for _ in combined(_over(shares, [*self.lengths, self.length]), vectors, self._space.split(joined)):
            pass
        return joined


def _over(shares: Sequence[float], lengths: Sequence[float]) -> list[float]:
    return [share / length if length != 0.0 else 0.0 for share, length in zip(shares, lengths, strict=True)]
