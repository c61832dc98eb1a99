"""A search for the direction of lowest curvature: what it has found, and what every method of turning needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.inner_products import square_and_range
from lieapp.optimizers.oracle import Oracle, resolution, takes_differences
from lieapp.optimizers.tensor_lists import combined, rough_norm

__all__ = ["RECOMPUTE_AFTER", "Rotation", "Search", "curvature_along", "same"]

RANDOM_SHARE = 0.1

RECOMPUTE_AFTER = 10
"""Rotations after which HN, carried along, is computed anew: differences leave errors that add up."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """A direction and what is known about the curvature along it.

    Attributes
    ----------
    direction : list of Tensor
        Unit vector N over all parameters together, in their shapes; its largest component is positive.
    curvature : float
        C = N·HN.
    residual : float
        \\|HN - CN\\|: an eigenvalue lies within this distance of C.
    scale : float
        Length of the longest Hv met for a unit v: a lower bound of the largest \\|eigenvalue\\|.
    products : int
        Hessian-vector products computed.
    evaluations : float
        Their price, in gradients. The gradient at the point itself, which one-sided differences share with whoever
        has computed it, is not in it.
    resolution : float
        Share of ``scale`` below which a curvature is none: a zero has no relative error.
    converged : bool
        Whether the relative residual is within the tolerance.
    """

    direction: list[Tensor]
    curvature: float
    residual: float
    scale: float
    products: int
    evaluations: float
    resolution: float
    converged: bool
    _product: Callable[[], list[Tensor]] = field(repr=False)

    @cached_property
    def product(self) -> list[Tensor]:
        """HN, put together when first asked for."""
        return self._product()

    @property
    def relative_residual(self) -> float:
        """Residual over the curvature, or over the least one that products can tell, where that is larger."""
        return self.residual / max(abs(self.curvature), self.resolution * self.scale, 1e-300)


class Search:
    """What all methods share: the space, the oracle's products and their price."""

    def __init__(
        self,
        oracle: Oracle,
        direction: Sequence[Tensor] | None,
        budget: float,
        tolerance: float,
        generator: torch.Generator | None,
    ) -> None:
        self._oracle = oracle
        self._price = float(oracle.costs.hvp)
        self._allowed = math.floor(budget / self._price + 1e-9)
        if self._allowed < 1:
            raise ValueError(f"Invalid budget: {budget}, but one Hessian-vector product costs {self._price:g}")
        if not tolerance >= 0.0:
            raise ValueError(f"Invalid tolerance: {tolerance}")
        self.space = FlatSpace(oracle.parameters)
        self._generator = generator
        # A guess looks at the gradient, which a search displaces.
        self._begin = self.space.split(self._guess()) if direction is None else self.space.shaped(direction)
        self.tolerance = tolerance
        self.by_differences = takes_differences(oracle)
        self._resolution = resolution(oracle)
        self.products = 0
        self.scale = 0.0

    @property
    def left(self) -> int:
        """Number of products that the budget still allows."""
        return self._allowed - self.products

    def start(self) -> Tensor:
        """Return the unit vector to begin with.

        Raises
        ------
        ValueError
            If the given direction has no length.
        """
        return self.space.with_sign(self.space.unit(self.space.flatten(self._begin)))

    def start_as_given(self) -> tuple[list[Tensor], float]:
        """Return a vector to begin with, as it was given where that can be, and its length: negative to turn it round.

        Raises
        ------
        ValueError
            If the given direction has no length.
        """
        square, low, high = square_and_range(self._begin)
        if low != -high and 1e-6 < square < 1e6:
            return self._begin, math.copysign(math.sqrt(square), low + high)
        return self.space.split(self.start()), 1.0

    def product(self, v: Tensor) -> Tensor:
        """Return H v for a unit v."""
        parts, factor = self.stream(self.space.split(v), 1.0)
        return self.space.flatten([part.mul_(factor) for part in parts])

    def stream(self, v: Iterable[Tensor], length: float) -> tuple[Iterable[Tensor], float]:
        """Return parts w, which may be overwritten, and a factor f: ``H v / length = f w``."""
        self.products += 1
        stream = getattr(self._oracle, "stream_hvp", None)
        if stream is not None:
            parts, factor = stream(self.space.as_parameters(v), length)
            return self.space.in_precision(parts), factor
        unit = list(v) if length == 1.0 else [part / length for part in v]
        return self.space.in_precision(self._oracle.hvp(list(self.space.as_parameters(unit))), copy=True), 1.0

    def random(self) -> Tensor:
        """Return a random unit vector."""
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(0)
        return self.space.random(self._generator)

    def _guess(self) -> Tensor:
        """Return a direction to begin with, of any length, see `rotate`."""
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._oracle.parameters]
        gradient = list(self.space.in_precision(grads))
        length = rough_norm(gradient)
        start = self.random()
        if 0.0 < length < math.inf:
            parts = self.space.split(start)
            for _ in combined([RANDOM_SHARE, 1.0 / length], [parts, gradient], parts):
                pass
        return start

    def settled(self, curvature: float, residual: float) -> bool:
        """Return whether the relative residual is within the tolerance."""
        return residual <= self.tolerance * max(abs(curvature), self._resolution * self.scale)

    def rotation(
        self,
        n: Tensor | list[Tensor],
        y: Callable[[], Tensor],
        curvature: float,
        residual: float,
        sign: float = 1.0,
    ) -> Rotation:
        """Return what is known about a unit vector, joined of either sign or in parts, with product ``sign * y``."""
        if isinstance(n, Tensor):
            oriented = self.space.with_sign(n)
            sign = 1.0 if oriented is n else -1.0
            n = self.space.split(oriented)
        return Rotation(
            direction=n,
            curvature=curvature,
            residual=residual,
            scale=self.scale,
            products=self.products,
            evaluations=self.products * self._price,
            resolution=self._resolution,
            converged=self.settled(curvature, residual),
            _product=lambda: self.space.split(sign * y()),
        )


def curvature_along(search: Search, n: Tensor, y: Tensor) -> tuple[float, Tensor, float]:
    """Return N·HN, HN - CN and the length of that."""
    curvature = search.space.dot(n, y)
    residual = torch.add(y, n, alpha=-curvature)
    length = search.space.norm(residual)
    search.scale = max(search.scale, math.hypot(curvature, length))  # the length of HN
    return curvature, residual, length


def same(y: Tensor) -> Tensor:
    """Return y."""
    return y
