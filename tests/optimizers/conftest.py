"""Small problems with known answers."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import torch
from hypothesis import settings
from torch import Tensor

PROPERTY = settings(deadline=None, max_examples=40)
"""For every property: time limits of single examples fail on a busy machine."""

SLOW_PROPERTY = settings(deadline=None, max_examples=15)


def rosenbrock(x: Tensor) -> Tensor:
    """Return Rosenbrock's function in any dimension."""
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def wavy(x: Tensor) -> Tensor:
    """Return a function whose Hessian is dense and changes sign."""
    return torch.sin(x[0] * x[1]) + (x**4).sum() / 4 - x[0] * x[1] * x[2] + torch.cosh(x[-1] * 0.3) * x[0]


def strict_saddle(x: Tensor) -> Tensor:
    """Return x² - y² + y⁴: a saddle at 0, minima -1/4 at y = ±1/sqrt(2)."""
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4


def leaf(*values: float, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return a parameter."""
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def backward_closure(function: Callable[[], Tensor], parameters: list[Tensor]) -> Callable[[], Tensor]:
    """Return a closure as torch optimisers want it."""

    def closure() -> Tensor:
        for p in parameters:
            p.grad = None
        loss = function()
        loss.backward()
        return loss

    return closure


@pytest.fixture(autouse=True)
def global_randomness_untouched() -> object:
    """Fail any test in which an optimiser draws from the global generator."""
    torch.set_num_threads(1)
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "the global generator was used"


@pytest.fixture
def foreign_module() -> object:
    """Return an importable module of this test's own, removed afterwards."""
    import types

    module = types.ModuleType("lieapp_test_foreign")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]
