"""Check curvature from double backward and from differences against closed forms, and that nothing is left behind."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lieapp.optimizers.oracle import (
    AutogradOracle,
    Costs,
    FiniteDifferenceOracle,
    HasHessian,
    Oracle,
    SavedParameters,
    basis_vectors,
    dot,
    hessian,
    hessian_diagonal,
    norm,
    same_bits,
)
from tests.optimizers.conftest import PROPERTY, backward_closure, leaf, rosenbrock, wavy

FUNCTIONS: list[Callable[[Tensor], Tensor]] = [rosenbrock, wavy, lambda x: (x**2).sum(), lambda x: x.sum()]
points = st.lists(st.floats(-2, 2), min_size=3, max_size=3)


def truth(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return torch.autograd.functional.hessian(function, x.detach())


def finite(function: Callable[[Tensor], Tensor], x: Tensor, *, central: bool) -> FiniteDifferenceOracle:
    return FiniteDifferenceOracle(backward_closure(lambda: function(x) + 0 * x.sum(), [x]), [x], central=central)


@pytest.mark.parametrize("function", FUNCTIONS)
@PROPERTY
@given(point=points, direction=points)
def test_autograd_products_are_exact(function: Callable[[Tensor], Tensor], point: list, direction: list) -> None:
    x, v = leaf(*point), torch.tensor(direction, dtype=torch.float64)
    oracle = AutogradOracle(lambda: function(x), [x])
    expected = truth(function, x)
    torch.testing.assert_close(oracle.hvp([v])[0], expected @ v, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(oracle.hessian(), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(oracle.hessian_diagonal()[0], expected.diagonal(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("central", "tolerance"), [(False, 2e-5), (True, 2e-7)])
@PROPERTY
@given(point=points, direction=points)
def test_differences_agree_with_autograd(
    function: Callable[[Tensor], Tensor], central: bool, tolerance: float, point: list, direction: list
) -> None:
    x, v = leaf(*point), torch.tensor(direction, dtype=torch.float64)
    expected = truth(function, x) @ v
    product = finite(function, x, central=central).hvp([v])[0]
    scale = 1.0 + float(truth(function, x).norm() * v.norm())
    assert float((product - expected).norm()) <= tolerance * scale


@pytest.mark.parametrize("length", [1e-200, 1e-6, 1.0, 1e6, 1e200])
def test_differences_do_not_depend_on_the_length_of_the_direction(length: float) -> None:
    x = leaf(0.3, -0.2, 0.7)
    v = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64) * length
    product = finite(wavy, x, central=True).hvp([v])[0]
    torch.testing.assert_close(product / length, truth(wavy, x) @ (v / length), rtol=1e-7, atol=1e-7)


def test_single_precision_differences_use_its_own_step() -> None:
    x = leaf(0.3, -0.2, 0.7, dtype=torch.float32)
    v = torch.tensor([1.0, 2.0, -1.0])
    expected = truth(wavy, x) @ v
    assert float((finite(wavy, x, central=False).hvp([v])[0] - expected).norm() / expected.norm()) < 5e-3
    assert float((finite(wavy, x, central=True).hvp([v])[0] - expected).norm() / expected.norm()) < 2e-3


def test_zero_and_non_finite_directions() -> None:
    x = leaf(0.3, -0.2, 0.7)
    oracle = finite(wavy, x, central=False)
    assert float(oracle.hvp([torch.zeros(3, dtype=torch.float64)])[0].abs().max()) == 0.0
    assert bool(oracle.hvp([torch.tensor([math.nan, 0, 0], dtype=torch.float64)])[0].isnan().all())
    assert x.isfinite().all()


@pytest.mark.parametrize("kind", ["autograd", "one-sided", "central"])
def test_questions_leave_parameters_and_gradients_bitwise_alone(kind: str) -> None:
    x = leaf(0.3, -0.0, math.pi)
    oracle: Oracle = (
        AutogradOracle(lambda: wavy(x), [x]) if kind == "autograd" else finite(wavy, x, central=kind == "central")
    )
    x.grad = torch.tensor([1.5, math.nan, -0.0], dtype=torch.float64)
    grad, before, grad_before = x.grad, x.detach().clone(), x.grad.clone()
    oracle.hvp([torch.ones(3, dtype=torch.float64)])
    oracle.loss()
    hessian(oracle)
    hessian_diagonal(oracle)
    assert x.grad is grad and same_bits([x, x.grad], [before, grad_before])


def test_an_exception_inside_the_closure_restores_everything() -> None:
    x = leaf(0.5, 1.5)
    calls = 0

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise RuntimeError("no answer")
        x.grad = None
        loss = rosenbrock(x)
        loss.backward()
        return loss

    oracle = FiniteDifferenceOracle(closure, [x])
    oracle.gradient()
    before, grad = x.detach().clone(), x.grad.clone()
    with pytest.raises(RuntimeError, match="no answer"):
        oracle.hvp([torch.ones(2, dtype=torch.float64)])
    assert same_bits([x, x.grad], [before, grad])


def test_a_one_sided_product_reuses_the_known_gradient() -> None:
    x = leaf(0.5, 1.5)
    calls = 0

    def function() -> Tensor:
        nonlocal calls
        calls += 1
        return rosenbrock(x)

    oracle = FiniteDifferenceOracle(backward_closure(function, [x]), [x])
    oracle.gradient()
    oracle.hvp([torch.ones(2, dtype=torch.float64)])
    assert calls == 2
    oracle.invalidate()
    oracle.hvp([torch.ones(2, dtype=torch.float64)])
    assert calls == 4
    with torch.no_grad():
        x.add_(0.25)
    torch.testing.assert_close(
        oracle.hvp([torch.ones(2, dtype=torch.float64)])[0], truth(rosenbrock, x).sum(1), rtol=1e-5, atol=1e-4
    )


def test_several_parameters_of_any_shape_and_an_idle_one() -> None:
    a, b, idle = (
        torch.randn(s, generator=torch.Generator().manual_seed(1), dtype=torch.float64) for s in ((2, 3), (), (2,))
    )
    parameters = [p.requires_grad_() for p in (a, b, idle)]

    def function() -> Tensor:
        return torch.sin(a @ a.T).sum() * b + b**3

    exact = AutogradOracle(function, parameters)
    assert isinstance(exact, Oracle) and isinstance(exact, HasHessian)
    differences = FiniteDifferenceOracle(backward_closure(function, parameters), parameters, central=True)
    assert not isinstance(differences, HasHessian)
    matrix = hessian(exact)
    assert matrix.shape == (9, 9) and torch.equal(matrix, matrix.T) and not bool(matrix[7:].any())
    torch.testing.assert_close(hessian(differences), matrix, rtol=1e-7, atol=1e-7)
    diagonal = hessian_diagonal(differences)
    assert [d.shape for d in diagonal] == [p.shape for p in parameters]
    torch.testing.assert_close(torch.cat([d.reshape(-1) for d in diagonal]), matrix.diagonal(), rtol=1e-7, atol=1e-7)
    loss = exact.gradient()
    gradients = [p.grad.clone() for p in parameters]
    assert float(differences.gradient()) == float(loss) == float(exact.loss()) == float(differences.loss())
    for p, grad in zip(parameters, gradients, strict=True):
        torch.testing.assert_close(p.grad, grad)
    assert not loss.requires_grad


def test_a_constant_loss_has_no_gradient() -> None:
    x = leaf(1.0)
    oracle = AutogradOracle(lambda: torch.tensor(3.0), [x])
    assert float(oracle.gradient()) == 3.0
    assert float(x.grad) == 0.0 and float(oracle.hessian()) == 0.0


def test_answers_work_where_gradients_are_switched_off() -> None:
    x = leaf(0.5, 1.5)
    with torch.no_grad():
        exact = AutogradOracle(lambda: rosenbrock(x), [x]).hessian()
        near = hessian(finite(rosenbrock, x, central=True))
    torch.testing.assert_close(near, exact, rtol=1e-6, atol=1e-6)


def test_what_is_no_parameter_is_refused() -> None:
    for bad in ([], [torch.zeros(2)], [leaf(1.0) * 2], [torch.zeros(2, dtype=torch.complex64, requires_grad=True)]):
        with pytest.raises(ValueError, match="Invalid parameter"):
            AutogradOracle(lambda: torch.zeros(()), bad)
        with pytest.raises(ValueError, match="Invalid parameter"):
            FiniteDifferenceOracle(lambda: torch.zeros(()), bad)


def test_costs() -> None:
    assert Costs().evaluations(3, 3, 2) == pytest.approx(8.0)
    x = leaf(1.0)
    assert finite(wavy, x, central=False).costs == Costs(loss=1.0, hvp=1.0)
    assert finite(wavy, x, central=True).costs == Costs(loss=1.0, hvp=2.0)
    assert AutogradOracle(lambda: x.sum(), [x], costs=Costs(hvp=3.0)).costs.hvp == 3.0


def test_inner_products_neither_overflow_nor_lose_digits() -> None:
    assert norm([torch.tensor([3e200, 4e200], dtype=torch.float64)]) == pytest.approx(5e200)
    assert norm(
        [torch.tensor([3e-200], dtype=torch.float64), torch.tensor([4e-200], dtype=torch.float64)]
    ) == pytest.approx(5e-200)
    values = torch.tensor([1e4, 1.0, 1.0], dtype=torch.float32)
    assert dot([values, values[1:]], [values, values[1:]]) == 1e8 + 4


def test_unit_vectors_span_every_layout() -> None:
    parameters = [torch.zeros(3, 2).T, torch.zeros(())]
    joined = [torch.cat([v.reshape(-1) for v in vector]).clone() for vector in basis_vectors(parameters)]
    assert torch.equal(torch.stack(joined), torch.eye(7))


def test_saved_parameters_put_a_missing_gradient_back() -> None:
    x = leaf(1.0, 2.0)
    with SavedParameters([x]):
        x.grad = torch.ones_like(x)
        with torch.no_grad():
            x.zero_()
    assert x.grad is None and x.tolist() == [1.0, 2.0]


class _Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        assert float(grad.abs().sum()) >= 0.0  # a number of a batch of tensors there is not
        return 2.0 * x * grad


class _Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return 3.0 * _Square.apply(x) * grad


def test_hessian_of_many_rows_is_its_products_with_unit_vectors() -> None:
    generator = torch.Generator().manual_seed(3)
    first, second = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((9, 8), (5,)))
    for part in (first, second):
        part.requires_grad_()
    oracle = AutogradOracle(lambda: (first.sin() @ first.T).square().sum() * second.exp().sum(), [first, second])
    columns = []
    for index in range(77):
        flat = torch.zeros(77, dtype=torch.float64)
        flat[index] = 1.0
        columns.append(torch.cat([x.reshape(-1) for x in oracle.hvp([flat[:72].reshape(9, 8), flat[72:]])]))
    torch.testing.assert_close(oracle.hessian(), torch.stack(columns), rtol=1e-12, atol=1e-9)


def test_hessian_of_what_cannot_be_batched() -> None:
    x = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True)
    oracle = AutogradOracle(lambda: _Cube.apply(x).sum(), [x])
    assert torch.equal(oracle.hessian(), torch.diag(6.0 * x.detach()))
