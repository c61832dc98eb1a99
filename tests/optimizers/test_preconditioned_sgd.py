"""Preconditioned SGD and complex Adam on quadratics whose answers can be written down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from lieapp.optimizers.complex_adam import ComplexAdam
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.oracle import Costs
from lieapp.optimizers.preconditioned_sgd import PreconditionedSGD
from lieapp.optimizers.registry import build_optimizer, settings_class


class Quadratic:
    """``½ Σ c x²`` with a preconditioner that the problem knows, and says what it took."""

    hvp_uses_gradient = False

    def __init__(self, curvatures: Sequence[float], *, known: bool = True) -> None:
        self._c = torch.tensor(curvatures, dtype=torch.float64)
        self.leaf = torch.linspace(1.0, 2.0, len(curvatures), dtype=torch.float64).requires_grad_()
        self.parameters = [self.leaf]
        self.costs = Costs()
        self.products = 0.0
        if not known:
            self.preconditioner = lambda: None  # type: ignore[method-assign]

    def gradient(self) -> Tensor:
        self.leaf.grad = self._c * self.leaf.detach()
        return self.loss()

    def loss(self) -> Tensor:
        return 0.5 * (self._c * self.leaf.detach() ** 2).sum()

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        return [self._c * v[0]]

    def preconditioner(self) -> list[Tensor] | None:
        self.products += 0.5
        return [self._c]


STEEP = (100.0, 1.0, 0.01)


def test_one_step_of_one_solves_what_is_diagonal() -> None:
    problem = Quadratic(STEEP)
    optimizer = PreconditionedSGD(problem.parameters, lr=1.0)
    loss = optimizer.step(problem.gradient, oracle=problem)
    assert loss is not None
    assert float(loss) > 50.0
    assert problem.leaf.abs().max() < 1e-15


def test_without_a_preconditioner_it_is_gradient_descent() -> None:
    known, plain = Quadratic(STEEP, known=False), Quadratic(STEEP)
    descent = torch.optim.SGD(plain.parameters, lr=0.005)
    optimizer = PreconditionedSGD(known.parameters, lr=0.005)
    for _ in range(5):
        optimizer.step(known.gradient, oracle=known)
        descent.step(plain.gradient)
    assert torch.equal(known.leaf, plain.leaf)
    closure = Quadratic(STEEP)
    optimizer = PreconditionedSGD(closure.parameters, lr=0.005)
    for _ in range(5):
        optimizer.step(closure.gradient)
    assert torch.equal(closure.leaf, plain.leaf)


def test_best_step_on_the_batch() -> None:
    problem = Quadratic(STEEP, known=False)
    optimizer = PreconditionedSGD(problem.parameters, lr=1.0, rule="exact")
    losses = []
    for _ in range(5):
        losses.append(float(optimizer.step(problem.gradient, oracle=problem)))  # type: ignore[arg-type]
        # No shorter or longer step along the gradient is better.
        gradient = problem.leaf.grad
        assert gradient is not None
        before, best = problem.leaf.detach().clone(), float(problem.loss())
        for change in (-1e-4, 1e-4):
            with torch.no_grad():
                problem.leaf.copy_(before + change * gradient)
            assert float(problem.loss()) >= best
        with torch.no_grad():
            problem.leaf.copy_(before)
    assert losses == sorted(losses, reverse=True)
    with pytest.raises(RuntimeError, match="oracle"):
        optimizer.step(problem.gradient)


@pytest.mark.parametrize("c", [0.99, 0.5])
def test_search_keeps_the_promised_decrease(c: float) -> None:
    problem = Quadratic(STEEP)
    optimizer = PreconditionedSGD(problem.parameters, lr=10.0, rule="armijo", armijo=c, restart_interval=3)
    rates = []
    for _ in range(6):
        before, start = problem.leaf.detach().clone(), float(problem.loss())
        optimizer.step(problem.gradient, oracle=problem)
        rate = optimizer.param_groups[0]["rate"]
        rates.append(rate)
        assert problem.leaf.grad is not None
        direction = problem.leaf.grad / torch.tensor(STEEP, dtype=torch.float64)
        slope = float(problem.leaf.grad @ direction)
        assert torch.allclose(problem.leaf.detach(), before - rate * direction)
        assert float(problem.loss()) <= start - c * rate * slope * (1.0 - 1e-9)
        assert rate <= 2.0 * (1.0 - c) * (1.0 + 1e-9)  # on a quadratic whose curvatures are one
    # The search begins at lr again after three steps; from there on lr is halved.
    for first in (rates[0], rates[3]):
        assert math.log2(10.0 / first) == pytest.approx(round(math.log2(10.0 / first)))
    assert math.log2(rates[1] / rates[0] / 1.2) == pytest.approx(round(math.log2(rates[1] / rates[0] / 1.2)))


def test_search_leaves_parameters_alone_when_it_is_interrupted() -> None:
    problem = Quadratic(STEEP)
    before = problem.leaf.detach().clone()
    optimizer = PreconditionedSGD(problem.parameters, lr=10.0, rule="armijo")
    problem.loss = lambda: (_ for _ in ()).throw(KeyboardInterrupt())  # type: ignore[method-assign]
    problem.gradient = lambda: torch.tensor(1.0)  # type: ignore[method-assign]
    problem.leaf.grad = problem.leaf.detach().clone()
    with pytest.raises(KeyboardInterrupt):
        optimizer.step(oracle=problem)
    assert torch.equal(problem.leaf, before)


def test_products_of_a_preconditioner_are_charged() -> None:
    counting = CountingOracle(Quadratic(STEEP))
    optimizer = PreconditionedSGD(counting.parameters, lr=0.5)
    for _ in range(3):
        optimizer.step(counting.gradient, oracle=counting)
        counting.invalidate()
    assert counting.counters == {"gradients": 3, "losses": 0, "hvps": 1.5}
    assert counting.evaluations() == 6.0
    restored = CountingOracle(Quadratic(STEEP))
    restored.load_state_dict(counting.state_dict())
    assert restored.evaluations() == 6.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": -1.0},
        {"rule": "guess"},
        {"armijo": 1.0},
        {"growth": 0.5},
        {"restart_interval": -1},
        {"halvings": 0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        PreconditionedSGD([torch.zeros(2, requires_grad=True)], **wrong)


def test_settings_build_them() -> None:
    leaf = torch.zeros((3, 2), requires_grad=True)
    sgd = build_optimizer(settings_class("preconditioned-sgd")().updated({"rule": "armijo", "lr": 2.0}), [leaf])
    assert isinstance(sgd, PreconditionedSGD)
    assert sgd.defaults["armijo"] == 0.99
    adam = build_optimizer(settings_class("complex-adam")().updated({"betas": (0.8, 0.9)}), [leaf])
    assert isinstance(adam, ComplexAdam)


# -- complex Adam -----------------------------------------------------------------------------------------------------


def test_first_step_has_the_length_of_the_rate_whatever_the_phase() -> None:
    angles = torch.linspace(0.0, 6.0, 20, dtype=torch.float64)
    leaf = torch.zeros((20, 2), dtype=torch.float64, requires_grad=True)
    leaf.grad = torch.stack((angles.cos(), angles.sin()), -1) * torch.linspace(0.1, 5.0, 20)[:, None]
    ComplexAdam([leaf], lr=0.3).step()
    assert torch.allclose(leaf.detach(), -0.3 * torch.stack((angles.cos(), angles.sin()), -1), atol=1e-6)


def test_turning_the_plane_turns_the_path() -> None:
    turn = torch.tensor([[math.cos(1.0), -math.sin(1.0)], [math.sin(1.0), math.cos(1.0)]], dtype=torch.float64)
    gradients = torch.randn((10, 6, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    plain, turned = (torch.zeros((6, 2), dtype=torch.float64, requires_grad=True) for _ in range(2))
    first, second = ComplexAdam([plain]), ComplexAdam([turned])
    for gradient in gradients:
        plain.grad, turned.grad = gradient.clone(), gradient @ turn.T
        first.step()
        second.step()
    assert torch.allclose(plain.detach() @ turn.T, turned.detach(), atol=1e-14)


def test_other_shapes_are_as_in_adam() -> None:
    gradients = torch.randn((10, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    own, peer = (torch.zeros(5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    first, second = ComplexAdam([own], lr=0.02), torch.optim.Adam([peer], lr=0.02)
    for gradient in gradients:
        own.grad, peer.grad = gradient.clone(), gradient.clone()
        first.step()
        second.step()
    assert torch.allclose(own, peer, atol=1e-14)


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"betas": (1.0, 0.9)}, {"betas": (0.9,)}, {"eps": 0.0}])
def test_settings_of_complex_adam(wrong: dict) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        ComplexAdam([torch.zeros(2, requires_grad=True)], **wrong)


@pytest.mark.parametrize("rule", ["decay", "exact", "armijo"])
def test_inside_deo_switched_off_it_is_itself_to_the_last_bit(rule: str) -> None:
    """A line search asks for losses away from the start of the step, and must not be told that of the start."""
    finals, spent = [], []
    for wrap in (False, True):
        problem = Quadratic(STEEP)
        counted = CountingOracle(problem)
        options = {"lr": 0.3, "rule": rule}
        optimizer: DEO | PreconditionedSGD
        if wrap:
            optimizer = DEO(problem.parameters, PreconditionedSGD, mode="off", **options)
        else:
            optimizer = PreconditionedSGD(problem.parameters, **options)
        for _ in range(6):
            optimizer.step(oracle=counted)
        finals.append(problem.leaf.detach().clone())
        spent.append(counted.evaluations())
    assert torch.equal(*finals) and spent[0] == spent[1] == pytest.approx(optimizer.evaluations, abs=1e-9)
