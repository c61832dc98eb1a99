"""Check the search for the lowest curvature against exact eigenvalues, and its price against a counter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.dimer import ROTATION_METHODS, Rotation, fourier_angle, rotate, rotations
from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.krylov import MAX_STEPS, Krylov
from lieapp.optimizers.lanczos import lanczos
from lieapp.optimizers.oracle import AutogradOracle, Costs, FiniteDifferenceOracle, Oracle, dot, norm
from lieapp.optimizers.presented import RestrictedOracle
from tests.optimizers.conftest import SLOW_PROPERTY, backward_closure, leaf, strict_saddle, wavy
from tests.optimizers.saddles import (
    SPECTRUM,
    autograd,
    differences,
    normal,
    quadratic,
    rotated,
    seeded,
    strict_saddle_100,
)

UNIT_COSTS = Costs(hvp=1.0)


@SLOW_PROPERTY
@given(st.integers(0, 10**6), st.integers(2, 30))
def test_the_lowest_eigenvalue_of_random_quadratics(seed: int, size: int) -> None:
    eigenvalues = normal(size, seed=seed) * 10.0
    x = normal(size, seed=seed + 1).requires_grad_()
    # Two lowest eigenvalues may lie 1 % apart, which the default tolerance would not tell.
    found = rotate(differences(quadratic(rotated(eigenvalues, seed)), x), budget=200.0, tolerance=1e-4)
    lowest = float(eigenvalues.min())
    assert found.curvature == pytest.approx(lowest, rel=0.01, abs=1e-3 * found.scale)
    assert float((eigenvalues - found.curvature).abs().min()) <= found.residual + 1e-5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("central", [False, True])
def test_the_strict_saddle_in_100_dimensions(seed: int, central: bool) -> None:
    x = (1e-4 * normal(100, seed=seed)).requires_grad_()
    found = rotate(differences(strict_saddle_100(seed), x, central=central), generator=seeded(seed))
    assert found.converged
    assert found.curvature == pytest.approx(-1.0, rel=0.01)
    assert found.evaluations <= 100


@pytest.mark.parametrize("method", ROTATION_METHODS)
def test_every_method_finds_the_lowest_curvature(method: str) -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    oracle = AutogradOracle(lambda: strict_saddle_100()(x), [x], costs=UNIT_COSTS)
    found = rotate(oracle, method=method, rate=0.3, budget=150, generator=seeded(1))  # type: ignore[arg-type]
    assert found.converged and found.curvature == pytest.approx(-1.0, rel=0.01)
    assert norm(found.direction) == pytest.approx(1.0, abs=1e-12)
    product = oracle.hvp(found.direction)
    assert dot(found.direction, product) == pytest.approx(found.curvature, abs=1e-9)
    torch.testing.assert_close(product, found.product, rtol=0, atol=1e-9)
    rest = [y - found.curvature * n for y, n in zip(product, found.direction, strict=True)]
    assert norm(rest) == pytest.approx(found.residual, abs=1e-9)


def test_locally_optimal_rotation_keeps_up_with_lanczos_and_the_plane_does_not() -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    oracle = AutogradOracle(lambda: strict_saddle_100()(x), [x], costs=UNIT_COSTS)
    curvature = {
        method: rotate(oracle, method=method, budget=20, tolerance=0.0, generator=seeded(2)).curvature
        for method in ("lor", "lanczos", "optimal-angle")
    }
    assert curvature["lanczos"] <= curvature["lor"] < curvature["lanczos"] + 0.01 < curvature["optimal-angle"]


@pytest.mark.parametrize("method", ROTATION_METHODS)
@pytest.mark.parametrize("by_differences", [False, True])
def test_the_sign_of_the_start_does_not_matter_to_a_single_bit(method: str, by_differences: bool) -> None:
    x = leaf(0.4, -0.3, 0.8, 1.1)
    oracle: Oracle = differences(wavy, x) if by_differences else autograd(wavy, x)
    start = normal(4, seed=3)
    one, other = (
        rotate(oracle, [factor * start], method=method, budget=12)  # type: ignore[arg-type]
        for factor in (1.0, -1.0)
    )
    assert torch.equal(one.direction[0], other.direction[0]) and one.curvature == other.curvature
    assert float(one.direction[0][one.direction[0].abs().argmax()]) > 0


@pytest.mark.parametrize("method", ROTATION_METHODS)
@pytest.mark.parametrize("budget", [1.0, 2.0, 5.0, 13.0, 40.0])
def test_reported_evaluations_are_those_counted(method: str, budget: float) -> None:
    x = normal(30, seed=5).requires_grad_()
    function = quadratic(rotated(normal(30, seed=6), 6))
    for inner in (AutogradOracle(lambda: function(x), [x]), differences(function, x)):
        oracle = CountingOracle(inner)
        oracle.gradient()
        spent = oracle.evaluations()
        if budget < oracle.costs.hvp:
            with pytest.raises(ValueError, match="one Hessian-vector product costs 2"):
                rotate(oracle, budget=budget, method=method)  # type: ignore[arg-type]
            continue
        found = rotate(oracle, budget=budget, tolerance=1e-12, method=method)  # type: ignore[arg-type]
        assert found.evaluations == oracle.evaluations() - spent <= budget
        assert found.products == oracle.counters["hvps"]


@pytest.mark.parametrize("method", ROTATION_METHODS)
def test_watching_changes_nothing(method: str) -> None:
    x = leaf(0.4, -0.3, 0.8, 1.1, 0.2)
    seen: list[Rotation] = list(rotations(differences(wavy, x), budget=8, method=method))  # type: ignore[arg-type]
    silent = rotate(differences(wavy, x), budget=8, method=method)  # type: ignore[arg-type]
    assert torch.equal(seen[-1].direction[0], silent.direction[0]) and seen[-1].curvature == silent.curvature
    counts = [rotation.products for rotation in seen]
    assert counts == sorted(set(counts)) and len(seen) >= 3
    if method in ("lor", "lanczos", "optimal-angle"):
        assert all(b.curvature <= a.curvature + 1e-6 for a, b in itertools.pairwise(seen))


def test_differences_agree_with_second_derivatives() -> None:
    x = leaf(0.4, -0.3, 0.8, 1.1)
    exact = rotate(autograd(wavy, x), budget=200, tolerance=1e-9)
    truth = float(torch.linalg.eigvalsh(torch.autograd.functional.hessian(wavy, x.detach()))[0])
    assert exact.curvature == pytest.approx(truth, abs=1e-12)
    for central, tolerance in ((False, 1e-6), (True, 1e-9)):
        found = rotate(differences(wavy, x, central=central), budget=200, tolerance=1e-7)
        assert found.curvature == pytest.approx(truth, abs=tolerance)
        assert abs(dot(found.direction, exact.direction)) == pytest.approx(1.0, abs=1e-9)
    y = x.detach().float().requires_grad_()
    single = rotate(differences(wavy, y), budget=100)
    assert single.curvature == pytest.approx(truth, rel=0.01) and single.direction[0].dtype == torch.float32


def test_parameters_and_gradients_are_untouched_also_by_an_exception() -> None:
    x = leaf(0.4, -0.3, 0.8)
    calls = 0

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise ArithmeticError("interrupted")
        return backward_closure(lambda: wavy(x), [x])()

    oracle = FiniteDifferenceOracle(closure, [x])
    oracle.gradient()
    grad = x.grad
    before, slope = x.detach().clone(), x.grad.clone()  # type: ignore[union-attr]
    with pytest.raises(ArithmeticError, match="interrupted"):
        rotate(oracle, budget=10)
    assert torch.equal(x, before) and x.grad is grad and torch.equal(grad, slope)


def test_an_eigenvector_that_is_not_the_lowest_does_not_hold_the_search() -> None:
    """On the ridge of x² - y² + y⁴ the direction of the ridge is an eigenvector to the last bit."""
    x = leaf(0.5, 0.0)
    found = rotate(autograd(strict_saddle, x), [torch.tensor([1.0, 0.0], dtype=torch.float64)], budget=10)
    assert found.curvature == pytest.approx(-2.0, abs=1e-12) and found.products == 2
    assert abs(float(found.direction[0][1])) == pytest.approx(1.0)


def test_one_parameter_and_linear_losses() -> None:
    x = leaf(0.3)
    found = rotate(autograd(lambda x: (x**4).sum(), x), budget=10)
    assert found.curvature == pytest.approx(12 * 0.09) and found.products == 1 and found.direction[0].item() == 1.0
    y = leaf(1.0, 2.0, 3.0)
    flat = rotate(autograd(lambda x: 3.0 * x.sum(), y), budget=10)
    assert flat.curvature == 0.0 and flat.residual == 0.0 and flat.relative_residual == 0.0


@pytest.mark.parametrize("method", ["lanczos", "lor", "optimal-angle"])
@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(torch.float64, 1e-200), (torch.float64, 1e200), (torch.float32, 1e-30), (torch.float32, 1e30)],
)
def test_losses_of_any_size_have_the_same_directions(method: str, dtype: torch.dtype, scale: float) -> None:
    curvatures = torch.linspace(-1.0, 5.0, 30, dtype=dtype)
    found = []
    for size in (1.0, scale):
        x = torch.full((30,), 0.1, dtype=dtype, requires_grad=True)
        loss = lambda x, size=size: 0.5 * (size * (curvatures * x)) @ x  # noqa: E731
        found.append(rotate(autograd(loss, x), budget=60, tolerance=1e-3, method=method))  # type: ignore[arg-type]
    usual, scaled = found
    assert scaled.converged == usual.converged and scaled.products == usual.products
    assert scaled.curvature / scale == pytest.approx(usual.curvature, rel=1e-4)
    assert scaled.residual / scale == pytest.approx(usual.residual, rel=1e-2)


def test_several_tensors_are_one_space() -> None:
    matrix = rotated(torch.linspace(-3.0, 4.0, 8).double(), 4)
    a, b = normal(2, 3, seed=1).requires_grad_(), normal(2, seed=2).requires_grad_()
    oracle = AutogradOracle(lambda: quadratic(matrix)(torch.cat((a.reshape(-1), b))), [a, b])
    found = rotate(oracle, budget=100, tolerance=1e-8)
    assert found.curvature == pytest.approx(-3.0, abs=1e-10)
    assert [x.shape for x in found.direction] == [a.shape, b.shape]
    assert norm(found.direction) == pytest.approx(1.0)
    block = rotate(RestrictedOracle(oracle, [b]), budget=100, tolerance=1e-8)
    assert block.curvature == pytest.approx(float(torch.linalg.eigvalsh(matrix[6:, 6:])[0]), abs=1e-10)
    with pytest.raises(RuntimeError, match="misses a parameter"):
        RestrictedOracle(oracle, [leaf(1.0)])


def test_a_gradient_that_is_no_number_ends_the_search() -> None:
    x = leaf(1.0, 1.0)
    found = rotate(autograd(lambda x: (x * math.nan).sum() ** 2, x), budget=50)
    assert math.isnan(found.curvature) and found.products <= 2 and not found.converged


@SLOW_PROPERTY
@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5), st.floats(0.05, 1.5))
def test_fourier_angle_is_the_lowest_of_the_plane(a0: float, a1: float, b1: float, trial: float) -> None:
    def curvature(angle: float) -> float:
        return 0.5 * a0 + a1 * math.cos(2 * angle) + b1 * math.sin(2 * angle)

    angle = fourier_angle(curvature(0.0), 2.0 * b1, curvature(trial), trial)
    assert -math.pi / 2 < angle <= math.pi / 2
    assert curvature(angle) == pytest.approx(0.5 * a0 - math.hypot(a1, b1), abs=1e-9)


def test_the_formula_holds_at_any_trial_angle_where_that_of_ase_does_not() -> None:
    a0, a1, b1 = 0.7, -1.3, 0.9
    curvature = [0.5 * a0 + a1 * math.cos(2 * t) + b1 * math.sin(2 * t) for t in (0.0, math.pi / 4, 0.2)]
    truth = fourier_angle(curvature[0], 2 * b1, curvature[1], math.pi / 4)
    assert fourier_angle(curvature[0], 2 * b1, curvature[2], 0.2) == pytest.approx(truth, abs=1e-12)

    def slope(angle: float) -> float:
        return -2 * a1 * math.sin(2 * angle) + 2 * b1 * math.cos(2 * angle)

    def by_slopes(trial: float, *, parentheses: bool) -> float:
        first, second = slope(0.0) * math.cos(2 * trial), slope(trial)
        return (
            (first - second) / (2 * math.sin(2 * trial)) if parentheses else first - second / (2 * math.sin(2 * trial))
        )

    assert by_slopes(math.pi / 4, parentheses=False) == pytest.approx(a1)  # right by luck: the cosine is zero
    assert by_slopes(0.2, parentheses=True) == pytest.approx(a1)
    assert abs(by_slopes(0.2, parentheses=False) - a1) > 0.1


@pytest.mark.parametrize("trial", [0.1, math.pi / 4, 1.2])
def test_optimal_angle_does_not_depend_on_the_trial_angle(trial: float) -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    oracle = AutogradOracle(lambda: strict_saddle_100()(x), [x], costs=UNIT_COSTS)
    found = rotate(oracle, method="optimal-angle", budget=15, trial_angle=trial, tolerance=0.0, generator=seeded(4))
    truth = rotate(oracle, method="optimal-angle", budget=15, tolerance=0.0, generator=seeded(4))
    assert found.curvature == pytest.approx(truth.curvature, abs=1e-9)


def test_fixed_steps_with_the_sign_as_transcribed_climb() -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    oracle = AutogradOracle(lambda: strict_saddle_100()(x), [x], costs=UNIT_COSTS)
    up = rotate(oracle, method="fixed", ascend=True, rate=0.3, budget=200, tolerance=0.0, generator=seeded(1))
    assert up.curvature == pytest.approx(5.0, rel=0.01)


def test_lanczos_finds_both_ends_of_a_spectrum() -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    oracle = autograd(strict_saddle_100(), x)
    operator = LinearOperator(
        (100, 100), matvec=lambda v: oracle.hvp([torch.from_numpy(v.reshape(-1).copy())])[0].numpy(), dtype=np.float64
    )
    start = normal(100, seed=9).numpy()
    low = eigsh(operator, k=1, which="SA", v0=start, return_eigenvectors=False)[0]
    high = eigsh(operator, k=1, which="LA", v0=start, return_eigenvectors=False)[0]
    spectrum = lanczos(oracle, steps=60, generator=seeded(7))
    assert spectrum.lowest == pytest.approx(low, abs=1e-8) and spectrum.highest == pytest.approx(high, abs=1e-8)
    assert spectrum.evaluations == 2 * spectrum.products == 120
    assert dot(spectrum.lowest_direction, oracle.hvp(spectrum.lowest_direction)) == pytest.approx(low, abs=1e-8)
    assert dot(spectrum.highest_direction, oracle.hvp(spectrum.highest_direction)) == pytest.approx(high, abs=1e-8)
    exact = rotate(oracle, method="lanczos", tolerance=1e-4, generator=seeded(7))
    assert exact.curvature == pytest.approx(low, abs=1e-6)


def test_probes_sample_the_density_of_eigenvalues() -> None:
    x = (1e-6 * normal(100)).requires_grad_()
    spectrum = lanczos(autograd(strict_saddle_100(), x), probes=30, steps=20, generator=seeded(2))
    assert spectrum.weights.sum() == pytest.approx(1.0) and (np.diff(spectrum.values) >= 0).all()
    assert spectrum.values @ spectrum.weights == pytest.approx(float(SPECTRUM.mean()), rel=0.05)
    assert spectrum.weights[spectrum.values < 0].sum() == pytest.approx(0.1, abs=0.03)


def test_lanczos_stops_where_the_space_is_complete() -> None:
    x = normal(3, seed=1).requires_grad_()
    spectrum = lanczos(autograd(quadratic(torch.eye(3).double()), x), steps=10)
    assert spectrum.products == 1 and spectrum.lowest == pytest.approx(1.0) == spectrum.highest
    small = lanczos(autograd(quadratic(rotated(torch.tensor([-1.0, 2.0, 5.0]).double())), x), steps=10)
    assert small.products == 3 and small.values == pytest.approx([-1.0, 2.0, 5.0], abs=1e-10)
    with pytest.raises(ValueError, match="Invalid probes or steps"):
        lanczos(autograd(wavy, x), probes=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0.5}, "Invalid budget"),
        ({"method": "newton"}, "Invalid method: 'newton', expected one of fixed, optimal-angle, lor, lanczos"),
        ({"tolerance": -1.0}, "Invalid tolerance"),
        ({"method": "fixed", "rate": -1.0}, "Invalid rate"),
        ({"method": "optimal-angle", "trial_angle": math.pi}, "Invalid trial_angle"),
        ({"direction": [torch.zeros(3, dtype=torch.float64)]}, "Invalid direction"),
    ],
)
def test_errors_are_clear(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rotate(differences(wavy, leaf(1.0, 2.0, 3.0)), **arguments)


def test_sums_are_in_float64() -> None:
    a, b = normal(200_001, seed=1).float(), normal(200_001, seed=2).float()
    space = FlatSpace([a])
    assert space.dot(a, b) == pytest.approx(float(a.double() @ b.double()), rel=1e-12)
    assert space.norm(a) == pytest.approx(float(a.double().norm()), rel=1e-12)
    basis = torch.stack((a, b))
    torch.testing.assert_close(space.rows_dot(basis, a), basis.double() @ a.double(), rtol=1e-12, atol=0)


def test_errors_of_differences_do_not_grow() -> None:
    """Products that are a little askew, as differences are: no value outside of the spectrum, and nearly the lowest."""
    size = 70_003
    spectrum = torch.cat([torch.linspace(-2.0, 2.0, size - 6), torch.tensor([60.0, 90.0, 150.0, 220.0, 300.0, 400.0])])
    x = torch.zeros(size, requires_grad=True)

    class Askew(AutogradOracle):
        hvp_by_differences = True

        def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
            product = spectrum * v[0]
            return [product + 2e-3 * product.roll(1) + 1e-3 * product.roll(-3)]

    oracle = Askew(lambda: (x * x).sum(), [x], costs=UNIT_COSTS)
    for seed in range(3):
        start = normal(size, seed=seed).float()
        start[-6:] *= 100.0  # as the gradient of a network: mostly along the steepest directions
        found = rotate(oracle, [start], budget=20.0, tolerance=0.0)
        assert -2.1 < found.curvature < -1.8
        assert dot(found.direction, [spectrum * found.direction[0]]) == pytest.approx(found.curvature, abs=0.1)


@pytest.mark.parametrize(("dtype", "accuracy"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
def test_many_numbers_take_the_short_recurrence_and_stay_orthogonal(dtype: torch.dtype, accuracy: float) -> None:
    """Above 65 536 numbers; twelve eigenvalues, so that Ritz values converge and vectors must be kept apart."""
    size = 70_003
    values = torch.tensor([-2.0, -1.0, *torch.linspace(0.5, 50.0, 10).tolist()], dtype=dtype)
    spectrum = values.repeat(size // 12 + 1)[:size]
    x = torch.ones(size, dtype=dtype, requires_grad=True)
    oracle = AutogradOracle(lambda: 0.5 * (spectrum * x * x).sum(), [x], costs=UNIT_COSTS)
    space = FlatSpace([x])
    krylov = Krylov(space, space.split(space.random(seeded(1))), 12)
    for step in range(12):
        krylov.extend([y.clone() for y in oracle.hvp(krylov.unit())], 1.0)
        if step < 11:
            basis = torch.stack(
                [u[0] / length for u, length in zip(krylov.basis, krylov.lengths, strict=True)]
            ).double()
            gram = basis @ basis.T
            assert float((gram - torch.eye(len(gram))).abs().max()) < math.sqrt(torch.finfo(dtype).eps)
    assert krylov.ritz()[0].tolist() == pytest.approx(values.tolist(), abs=50 * accuracy)
    # A start almost on an eigenvector leaves little of the first product.
    near = torch.where(spectrum == -2.0, 1.0, 0.0) + 1e-4 * space.random(seeded(2)) * math.sqrt(size)
    for start in (None, [near.to(dtype)]):
        found = rotate(oracle, start, budget=20, tolerance=1e-3, generator=seeded(3))
        assert found.converged and found.curvature == pytest.approx(-2.0, rel=1e-3)
        (n,), (y,) = found.direction, found.product
        assert norm([n]) == pytest.approx(1.0, abs=1e-6)
        torch.testing.assert_close(y, spectrum * n, rtol=0, atol=1e-4 * float(y.abs().max()))


def test_a_search_longer_than_its_memory_starts_over_from_the_best() -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    oracle = AutogradOracle(lambda: quadratic(rotated(torch.linspace(-1.0, 200.0, 100).double() ** 2))(x), [x])
    found = rotate(oracle, budget=400, tolerance=1e-6, generator=seeded(1))
    assert found.products > MAX_STEPS
    values = torch.linalg.eigvalsh(oracle.hessian())
    assert found.curvature == pytest.approx(float(values[0]), abs=1e-3 * float(values[-1]))


def test_holding_restores_once_and_products_are_the_same() -> None:
    x = leaf(0.4, -0.3, 0.8)
    v = [normal(3) / normal(3).norm()]
    oracle = differences(wavy, x)
    oracle.gradient()
    single = oracle.hvp(v)
    before, grad = x.detach().clone(), x.grad
    assert grad is not None
    slope = grad.clone()
    with oracle.holding():
        parts, factor = oracle.stream_hvp([3.0 * part for part in v], 3.0 * norm(v))
        streamed = [factor * norm(v) * part for part in parts]
        held = [oracle.hvp(v), streamed]
        assert not torch.equal(x, before)
    assert torch.equal(x, before) and x.grad is grad and torch.equal(grad, slope)
    assert torch.equal(held[0][0], single[0])
    torch.testing.assert_close(held[1], single, rtol=1e-6, atol=1e-6)
    parts, factor = oracle.stream_hvp(v, 1.0)  # restored before the parts are taken
    assert torch.equal(x, before) and x.grad is grad
    torch.testing.assert_close([factor * part for part in parts], single, rtol=1e-6, atol=1e-6)
    with pytest.raises(ArithmeticError), oracle.holding():
        oracle.hvp(v)
        raise ArithmeticError
    assert torch.equal(x, before) and x.grad is grad and torch.equal(grad, slope)


def attention_loss(x: Tensor) -> Callable[[], Tensor]:
    return lambda: torch.nn.functional.scaled_dot_product_attention(x, x, x).square().sum()


def test_attention_needs_the_plain_kernel_for_second_derivatives() -> None:
    x = normal(1, 2, 4, 8).requires_grad_()
    v = [torch.ones_like(x)]
    with pytest.raises(RuntimeError, match="not implemented"):
        AutogradOracle(attention_loss(x), [x]).hvp(v)
    exact = AutogradOracle(attention_loss(x), [x], math_attention=True)
    measured = FiniteDifferenceOracle(backward_closure(attention_loss(x), [x]), [x], central=True)
    torch.testing.assert_close(exact.hvp(v), measured.hvp(v), rtol=1e-6, atol=1e-6)
