"""The spectrum of a Hessian too large to write down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.krylov import Krylov
from lieapp.optimizers.oracle import Oracle, takes_differences

__all__ = ["Spectrum", "lanczos"]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What Lanczos knows of the eigenvalues.

    Attributes
    ----------
    values : ndarray, shape=(ritz,), dtype=float64
        Ritz values of all probes, ascending. Those at both ends are close to eigenvalues; those between sample them.
    weights : ndarray, shape=(ritz,), dtype=float64
        Share of the spectrum that each stands for, adding up to one: with ``values`` an estimate of the density of
        eigenvalues (stochastic Lanczos quadrature; Ghorbani, Krishnan and Xiao, arXiv:1901.10159).
    residuals : ndarray, shape=(ritz,), dtype=float64
        An eigenvalue lies within this distance of each value.
    lowest_direction, highest_direction : list of Tensor
        Unit Ritz vectors of both ends, in the shapes of the parameters.
    products : int
    evaluations : float
        Price of the products, in gradients.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    residuals: NDArray[np.float64]
    lowest_direction: list[Tensor]
    highest_direction: list[Tensor]
    products: int
    evaluations: float

    @property
    def lowest(self) -> float:
        """Lowest Ritz value: but for the errors of the products, never below the lowest eigenvalue."""
        return float(self.values[0])

    @property
    def highest(self) -> float:
        """Highest Ritz value: but for the errors of the products, never above the highest eigenvalue."""
        return float(self.values[-1])


def lanczos(oracle: Oracle, probes: int = 1, steps: int = 40, *, generator: torch.Generator | None = None) -> Spectrum:
    """Estimate the eigenvalues of the Hessian at the present parameters, best at both ends.

    Parameters
    ----------
    oracle : Oracle
        Asked for ``probes * steps`` products at most; for fewer where a Krylov space is complete.
    probes : int
        Random starts. One is enough for the ends, more smooth the density.
    steps : int
        Products of every probe. All vectors of a probe are kept, and orthogonalised against one another.
    generator : torch.Generator, optional
        Of the starts; a new one, seeded 0, if absent.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        If ``probes`` or ``steps`` is below 1.
    """
    if probes < 1 or steps < 1:
        raise ValueError(f"Invalid probes or steps: {probes}, {steps}")
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    space = FlatSpace(oracle.parameters)
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    lowest: tuple[float, Tensor] | None = None
    highest: tuple[float, Tensor] | None = None
    products = 0
    for _ in range(probes):
        inexact = takes_differences(oracle)
        krylov = Krylov(space, space.split(space.random(generator)), steps, inexact=inexact)
        while not krylov.complete:
            product = oracle.hvp(list(space.as_parameters(krylov.unit())))
            krylov.extend(space.in_precision(product, copy=True), 1.0)
        products += krylov.steps
        values, vectors = krylov.ritz()
        parts.append((values, vectors[0] ** 2 / probes, krylov.residuals(vectors)))
        if lowest is None or float(values[0]) < lowest[0]:
            lowest = float(values[0]), krylov.vector(vectors[:, 0])
        if highest is None or float(values[-1]) > highest[0]:
            highest = float(values[-1]), krylov.vector(vectors[:, -1])
    assert lowest is not None and highest is not None
    joined = [torch.cat(list(column)).numpy() for column in zip(*parts, strict=True)]
    order = np.argsort(joined[0])
    return Spectrum(
        joined[0][order],
        joined[1][order],
        joined[2][order],
        space.split(space.with_sign(lowest[1])),
        space.split(space.with_sign(highest[1])),
        products,
        products * float(oracle.costs.hvp),
    )
