"""Check what is charged: each gradient once, looking never, curvature by products."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.oracle import AutogradOracle, FiniteDifferenceOracle, Oracle, same_bits
from tests.optimizers.conftest import backward_closure, leaf, rosenbrock


class Problem:
    """Rosenbrock's function that counts how often it is computed."""

    def __init__(self) -> None:
        self.x = leaf(-1.2, 1.0)
        self.computed = 0
        self.oracle = CountingOracle(AutogradOracle(self._function, [self.x]))

    def _function(self) -> Tensor:
        self.computed += 1
        return rosenbrock(self.x)

    def move(self) -> None:
        with torch.no_grad():
            self.x.add_(0.1)


@pytest.fixture
def problem() -> Problem:
    return Problem()


def test_it_is_an_oracle(problem: Problem) -> None:
    assert isinstance(problem.oracle, Oracle)
    assert problem.oracle.parameters == [problem.x] and problem.oracle.size == 2
    assert not hasattr(problem.oracle, "preconditioner")


def test_the_same_gradient_is_computed_and_charged_once(problem: Problem) -> None:
    first = problem.oracle.gradient()
    grad = problem.x.grad.clone()
    problem.x.grad.zero_()  # as an optimiser may
    assert float(problem.oracle.gradient()) == float(first)
    assert torch.equal(problem.x.grad, grad)
    assert problem.oracle.counters == {"gradients": 1, "losses": 0, "hvps": 0} and problem.computed == 1
    problem.move()
    problem.oracle.gradient()
    assert problem.oracle.counters["gradients"] == 2


def test_looking_is_free_until_the_optimiser_asks(problem: Problem) -> None:
    for _ in range(3):
        problem.oracle.observe()
    assert problem.oracle.evaluations() == 0.0 and problem.computed == 1
    problem.oracle.gradient()
    problem.oracle.observe()
    assert problem.oracle.evaluations() == 1.0 and problem.computed == 1


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_evaluations_equal_steps_for_methods_of_one_gradient(
    problem: Problem, optimizer: type[torch.optim.Optimizer]
) -> None:
    stepper = optimizer([problem.x], lr=1e-3)  # type: ignore[call-arg]
    for step in range(10):
        problem.oracle.observe()
        assert problem.oracle.evaluations() == step
        stepper.step(problem.oracle.gradient)
    assert problem.computed == 10


def test_bits_decide_not_equality(problem: Problem) -> None:
    problem.oracle.gradient()
    with torch.no_grad():
        problem.x.mul_(1 + 2**-52)
    problem.oracle.gradient()
    assert problem.computed == 2
    with torch.no_grad():
        problem.x.fill_(math.nan)
    problem.oracle.gradient()
    problem.oracle.gradient()
    assert problem.computed == 3
    assert not same_bits([torch.tensor([0.0])], [torch.tensor([-0.0])])


def test_invalidate_forgets(problem: Problem) -> None:
    problem.oracle.gradient()
    problem.oracle.invalidate()
    problem.oracle.gradient()
    assert problem.oracle.counters["gradients"] == 2 and problem.computed == 2


def test_a_loss_is_free_only_where_the_gradient_was_paid(problem: Problem) -> None:
    alone = problem.oracle.loss()
    assert problem.oracle.counters["losses"] == 1
    problem.oracle.observe()
    assert float(problem.oracle.loss()) == float(alone)
    assert problem.oracle.counters["losses"] == 2
    problem.oracle.gradient()
    problem.oracle.loss()
    assert problem.oracle.counters == {"gradients": 1, "losses": 2, "hvps": 0}


def test_curvature_is_charged_by_products(problem: Problem) -> None:
    problem.oracle.hvp([torch.ones(2, dtype=torch.float64)])
    assert problem.oracle.counters == {"gradients": 0, "losses": 0, "hvps": 1}
    problem.oracle.hessian()
    problem.oracle.hessian_diagonal()
    assert problem.oracle.counters["hvps"] == 5
    assert problem.oracle.evaluations() == 10.0


def test_a_difference_pays_for_the_gradient_that_it_needs() -> None:
    x = leaf(-1.2, 1.0)
    calls = 0

    def function() -> Tensor:
        nonlocal calls
        calls += 1
        return rosenbrock(x)

    oracle = CountingOracle(FiniteDifferenceOracle(backward_closure(function, [x]), [x]))
    marker = x.grad = torch.tensor([7.0, 8.0], dtype=torch.float64)
    oracle.hvp([torch.ones(2, dtype=torch.float64)])
    assert x.grad is marker and marker.tolist() == [7.0, 8.0]
    assert oracle.evaluations() == calls == 2
    oracle.hvp([torch.ones(2, dtype=torch.float64)])
    oracle.gradient()
    assert oracle.evaluations() == calls == 3
    oracle.hessian()
    assert oracle.evaluations() == calls == 5
    oracle.invalidate()
    oracle.hvp([torch.ones(2, dtype=torch.float64)])
    assert oracle.evaluations() == calls == 7


def test_counters_survive_a_checkpoint(problem: Problem) -> None:
    problem.oracle.gradient()
    problem.oracle.hvp([torch.ones(2, dtype=torch.float64)])
    other = Problem()
    other.oracle.load_state_dict(problem.oracle.state_dict())
    assert other.oracle.counters == problem.oracle.counters
    other.oracle.gradient()
    assert other.oracle.counters["gradients"] == 2


def test_other_gifts_of_the_problem_pass_through() -> None:
    class Rich(AutogradOracle):
        def preconditioner(self) -> str:
            return "own"

    x = leaf(1.0)
    oracle = CountingOracle(Rich(lambda: x.sum(), [x]))
    assert oracle.preconditioner() == "own"  # type: ignore[operator]
    with pytest.raises(AttributeError, match="nothing"):
        oracle.nothing  # noqa: B018
