"""Functions with known curvature, and how tests drive optimisers on them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.oracle import AutogradOracle, FiniteDifferenceOracle
from tests.optimizers.conftest import backward_closure

SPECTRUM = torch.cat((-torch.linspace(0.1, 1.0, 10), torch.linspace(0.1, 5.0, 90))).double()
"""Eigenvalues of the 100-dimensional strict saddle at 0."""


def seeded(seed: int) -> torch.Generator:
    """Return a generator of this test's own."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Return normal deviates in float64."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def rotated(eigenvalues: Tensor, seed: int = 0) -> Tensor:
    """Return a symmetric matrix with these eigenvalues and random eigenvectors."""
    q = torch.linalg.qr(normal(len(eigenvalues), len(eigenvalues), seed=seed))[0]
    return q @ torch.diag(eigenvalues) @ q.T


def quadratic(matrix: Tensor) -> Callable[[Tensor], Tensor]:
    """Return ½ xᵀ H x."""
    return lambda x: 0.5 * (x @ (matrix @ x))


def strict_saddle_100(seed: int = 0) -> Callable[[Tensor], Tensor]:
    """Return ½ zᵀ L z + ¼ Σ z⁴ over the ten negative modes, z = Qᵀ x."""
    q = torch.linalg.qr(normal(100, 100, seed=seed))[0]

    def function(x: Tensor) -> Tensor:
        z = q.T @ x
        return 0.5 * (SPECTRUM * z * z).sum() + 0.25 * (z[:10] ** 4).sum()

    return function


def autograd(function: Callable[[Tensor], Tensor], x: Tensor) -> CountingOracle:
    """Return an exact oracle that counts."""
    return CountingOracle(AutogradOracle(lambda: function(x), [x]))


def differences(function: Callable[[Tensor], Tensor], x: Tensor, *, central: bool = False) -> FiniteDifferenceOracle:
    """Return an oracle by differences."""
    return FiniteDifferenceOracle(backward_closure(lambda: function(x), [x]), [x], central=central)
