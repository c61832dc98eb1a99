"""Check perturbed gradient descent: it is descent where the gradient is large, and leaves saddles by its pushes."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lieapp.optimizers.perturbed import PerturbedGD
from tests.optimizers.conftest import backward_closure, leaf, rosenbrock, strict_saddle
from tests.optimizers.saddles import autograd, seeded


def test_it_is_descent_while_the_gradient_is_large() -> None:
    x, y = leaf(-1.2, 1.0), leaf(-1.2, 1.0)
    ours, plain = PerturbedGD([x], lr=1e-3), torch.optim.SGD([y], lr=1e-3)
    for _ in range(50):
        ours.step(backward_closure(lambda: rosenbrock(x), [x]))
        plain.step(backward_closure(lambda: rosenbrock(y), [y]))
        assert torch.equal(x, y)


@pytest.mark.parametrize("start", [(0.5, 0.0), (0.0, 0.0)])
def test_a_push_leaves_the_ridge(start: tuple[float, float]) -> None:
    x = leaf(*start)
    optimizer = PerturbedGD([x])
    oracle = autograd(strict_saddle, x)
    for _ in range(150):
        optimizer.step(oracle.gradient)
    assert float(strict_saddle(x.detach())) == pytest.approx(-0.25, abs=1e-9)
    pushes = oracle.counters["gradients"] - 150
    assert 1 <= pushes <= 3  # each costs one gradient more


def test_a_push_is_uniform_in_the_ball() -> None:
    lengths, seen = [], []
    for seed in range(200):
        x = leaf(0.0, 0.0, 0.0)
        optimizer = PerturbedGD([x], lr=0.0, radius=0.5, generator=seeded(seed))
        optimizer.step(backward_closure(lambda x=x: (x**2).sum(), [x]))
        lengths.append(float(x.detach().norm()))
        seen.append(x.detach())
    assert max(lengths) <= 0.5
    # The cube of the length, over that of the radius, is uniform; the mean of the push is zero.
    assert sum((r / 0.5) ** 3 for r in lengths) / 200 == pytest.approx(0.5, abs=0.06)
    assert float(torch.stack(seen).mean(0).norm()) < 0.05


def test_parameters_without_a_gradient_are_not_pushed() -> None:
    x, idle, empty = leaf(0.0, 0.0), leaf(1.0), leaf()
    optimizer = PerturbedGD([x, idle, empty], lr=0.1)
    for _ in range(60):
        optimizer.step(backward_closure(lambda: strict_saddle(x), [x, idle, empty]))
    assert idle.item() == 1.0 and float(strict_saddle(x.detach())) < -0.2
    nothing = PerturbedGD([empty], lr=0.1)
    nothing.step(backward_closure(lambda: empty.sum(), [empty]))


def test_at_a_minimum_the_push_is_taken_back_and_none_follows() -> None:
    x = leaf(1e-6, 0.0)
    optimizer = PerturbedGD([x], interval=10, lr=0.01)
    closure = backward_closure(lambda: (x**2).sum(), [x])
    at = []
    for _ in range(60):
        optimizer.step(closure)
        at.append(float(x.detach().norm()))
    assert max(at) > 1e-4 and at[-1] < 1e-6


def test_continuation_is_bitwise() -> None:
    def run(optimizer: PerturbedGD, x: Tensor, steps: int) -> None:
        for _ in range(steps):
            optimizer.step(backward_closure(lambda: strict_saddle(x), [x]))

    x = leaf(0.5, 0.0)
    whole = PerturbedGD([x], interval=20, generator=seeded(4))
    run(whole, x, 40)
    y = x.detach().clone().requires_grad_()
    loaded = PerturbedGD([y])
    loaded.load_state_dict(copy.deepcopy(whole.state_dict()))
    twin = copy.deepcopy(whole)
    (z,) = twin.param_groups[0]["params"]
    for optimizer, p in ((whole, x), (loaded, y), (twin, z)):
        run(optimizer, p, 60)
    assert torch.equal(x, y) and torch.equal(x, z)


@pytest.mark.parametrize(
    "bad", [{"lr": -1.0}, {"radius": math.inf}, {"gradient_threshold": -1.0}, {"decrease": -1.0}, {"interval": 0}]
)
def test_errors_are_clear(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^Invalid "):
        PerturbedGD([leaf(1.0)], **bad)
    with pytest.raises(ValueError, match="does not support per-parameter options"):
        PerturbedGD([{"params": [leaf(1.0)]}, {"params": [leaf(2.0)]}])
    with pytest.raises(RuntimeError, match="no parameter that requires a gradient"):
        PerturbedGD([torch.ones(1)]).step(lambda: torch.ones(()))
