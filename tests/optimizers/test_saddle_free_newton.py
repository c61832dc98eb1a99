"""Check the trust-region step against its optimality conditions, and that saddles repel."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.oracle import AutogradOracle
from lieapp.optimizers.saddle_free_newton import MAX_PARAMETERS, SaddleFreeNewton, trust_region_step
from tests.optimizers.conftest import PROPERTY, SLOW_PROPERTY, backward_closure, leaf, rosenbrock, strict_saddle, wavy

sizes = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-9)


@PROPERTY
@given(
    st.lists(st.tuples(sizes, st.floats(0, 1e6)), min_size=1, max_size=6),
    st.floats(1e-6, 1e6),
)
def test_steps_meet_the_optimality_conditions(pairs: list[tuple[float, float]], radius: float) -> None:
    g = torch.tensor([a for a, _ in pairs], dtype=torch.float64)
    scales = torch.tensor([b for _, b in pairs], dtype=torch.float64)
    step, decrease = trust_region_step(g, scales, radius)
    length = float(step.norm())
    assert bool(step.isfinite().all()) and length <= radius * (1 + 1e-9)
    assert decrease >= 0.0
    moving = g != 0
    if not bool(moving.any()):
        assert length == 0.0
        return
    # (scales + shift) step = -g with one shift >= 0, positive only on the boundary.
    shifts = (-g[moving] / step[moving]) - scales[moving]
    size = float(scales.max()) + float(g.norm()) / radius
    assert float(shifts.min()) >= -1e-6 * size
    assert float(shifts.max() - shifts.min()) <= 1e-6 * size
    if length < radius * (1 - 1e-6):
        assert float(shifts.abs().max()) <= 1e-6 * size


@PROPERTY
@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=6), st.floats(-0.4, 0.4))
def test_convex_quadratics_take_one_step(curvatures: list[float], start: float) -> None:
    d = torch.tensor(curvatures, dtype=torch.float64)
    x = torch.full_like(d, start, requires_grad=True)
    SaddleFreeNewton([x], damping=0.0).step(oracle=AutogradOracle(lambda: 0.5 * (d * x * x).sum(), [x]))
    assert float(x.detach().abs().max()) < 1e-12


@pytest.mark.parametrize("adaptive", [False, True])
def test_rosenbrock(adaptive: bool) -> None:
    x = leaf(-1.2, 1.0)
    oracle = CountingOracle(AutogradOracle(lambda: rosenbrock(x), [x]))
    optimizer = SaddleFreeNewton([x], adaptive=adaptive)
    for _ in range(25):
        optimizer.step(oracle=oracle)
    torch.testing.assert_close(x.detach(), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-10)
    assert oracle.counters["hvps"] == 50


@SLOW_PROPERTY
@given(st.floats(0, 2 * math.pi), st.floats(-8, -1))
def test_saddles_repel(angle: float, exponent: float) -> None:
    r = 10.0**exponent
    x = leaf(r * math.cos(angle), r * math.sin(angle))
    optimizer = SaddleFreeNewton([x])
    for _ in range(40):
        optimizer.step(oracle=AutogradOracle(lambda: strict_saddle(x), [x]))
    assert float(strict_saddle(x.detach())) == pytest.approx(-0.25, abs=1e-9)


def test_newton_itself_would_be_caught() -> None:
    x = leaf(0.01, 0.02)
    h = torch.autograd.functional.hessian(strict_saddle, x.detach())
    g = torch.autograd.functional.jacobian(strict_saddle, x.detach())
    assert float((x.detach() - torch.linalg.solve(h, g)).norm()) < 1e-4


def test_a_kick_leaves_the_exact_saddle_and_nothing_else_is_kicked() -> None:
    x = leaf(0.0, 0.0)
    still = SaddleFreeNewton([x], kick=0.0)
    still.step(oracle=AutogradOracle(lambda: strict_saddle(x), [x]))
    assert x.tolist() == [0.0, 0.0]
    kicked = SaddleFreeNewton([x], trust_radius=0.5)
    kicked.step(oracle=AutogradOracle(lambda: strict_saddle(x), [x]))
    assert x.tolist() == [0.0, 5e-4]
    for _ in range(30):
        kicked.step(oracle=AutogradOracle(lambda: strict_saddle(x), [x]))
    assert float(strict_saddle(x.detach())) == pytest.approx(-0.25, abs=1e-12)
    low = leaf(0.0, 0.0)
    SaddleFreeNewton([low]).step(oracle=AutogradOracle(lambda: (low**2).sum(), [low]))
    assert low.tolist() == [0.0, 0.0]


def test_one_hundred_dimensions_with_ten_negative_curvatures() -> None:
    generator = torch.Generator().manual_seed(3)
    d = torch.cat([-torch.linspace(0.1, 1, 10), torch.linspace(0.1, 1, 90)]).to(torch.float64)
    q = torch.linalg.qr(torch.randn(100, 100, generator=generator, dtype=torch.float64))[0]
    x = (1e-4 * torch.randn(100, generator=generator, dtype=torch.float64)).requires_grad_()

    def function() -> torch.Tensor:
        y = q @ x
        return 0.5 * (d * y * y).sum() + 0.25 * (y**4).sum()

    oracle = AutogradOracle(function, [x])
    optimizer = SaddleFreeNewton([x])
    for _ in range(60):
        loss = optimizer.step(oracle=oracle)
    assert float(loss) == pytest.approx(float(-0.25 * (d[:10] ** 2).sum()), abs=1e-10)


def test_no_step_is_longer_than_the_radius() -> None:
    x = leaf(30.0, -40.0, 10.0)
    optimizer = SaddleFreeNewton([x], trust_radius=0.7)
    for _ in range(20):
        before = x.detach().clone()
        optimizer.step(oracle=AutogradOracle(lambda: (x**2).sum(), [x]))
        assert float((x.detach() - before).norm()) <= 0.7 * (1 + 1e-12)


def test_the_radius_shrinks_where_the_model_fails_and_grows_back() -> None:
    x = leaf(3.0)
    optimizer = SaddleFreeNewton([x], trust_radius=10.0, damping=0.0)
    radii = []
    for _ in range(30):
        optimizer.step(oracle=AutogradOracle(lambda: torch.sqrt(1 + x**2).sum(), [x]))
        radii.append(optimizer.state[x]["radius"])
    assert min(radii) < 10.0
    assert abs(float(x.detach())) < 1e-12  # plain Newton overshoots for ever from |x| > 1


def test_a_closure_alone_is_enough_and_leaves_the_last_gradient() -> None:
    a, b = leaf(0.4, -0.3, 0.8), leaf(0.4, -0.3, 0.8)
    by_closure, by_oracle = SaddleFreeNewton([a]), SaddleFreeNewton([b])
    for _ in range(3):
        first = by_closure.step(backward_closure(lambda: wavy(a), [a]))
        second = by_oracle.step(oracle=AutogradOracle(lambda: wavy(b), [b]))
        torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(a.detach(), b.detach(), rtol=1e-5, atol=1e-6)


def test_continuation_is_bitwise() -> None:
    x = leaf(-1.2, 1.0)
    whole = SaddleFreeNewton([x])

    def run(optimizer: SaddleFreeNewton, p: torch.Tensor) -> None:
        for _ in range(4):
            optimizer.step(oracle=AutogradOracle(lambda: rosenbrock(p), [p]))

    run(whole, x)
    y = x.detach().clone().requires_grad_()
    rest = SaddleFreeNewton([y])
    rest.load_state_dict(copy.deepcopy(whole.state_dict()))
    run(whole, x)
    run(rest, y)
    assert torch.equal(x, y)


def test_single_precision_and_several_shapes() -> None:
    a = torch.full((2, 2), 3.0, requires_grad=True)
    b = torch.tensor(2.0, requires_grad=True)
    fixed = torch.ones(2)
    optimizer = SaddleFreeNewton([a, fixed, b], trust_radius=5.0)
    oracle = AutogradOracle(lambda: (a**2).sum() + (b - a.mean()) ** 2, [b, a])
    for _ in range(5):
        optimizer.step(oracle=oracle)
    assert a.dtype == torch.float32 and float(a.detach().abs().max()) < 1e-5 and abs(float(b.detach())) < 1e-5
    assert fixed.tolist() == [1.0, 1.0]


def test_a_non_finite_hessian_shows_in_the_parameters() -> None:
    x = leaf(0.0, 1.0)
    SaddleFreeNewton([x]).step(oracle=AutogradOracle(lambda: torch.sqrt(x[0]) + x[1] ** 2, [x]))
    assert bool(x.isnan().all())


def test_errors_are_clear() -> None:
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="closure or an oracle"):
        SaddleFreeNewton([x]).step()
    with pytest.raises(ValueError, match=f"5000 numbers.*{MAX_PARAMETERS} at most"):
        SaddleFreeNewton([torch.zeros(5000, requires_grad=True)])
    with pytest.raises(ValueError, match="per-parameter options"):
        SaddleFreeNewton([{"params": [x]}, {"params": [leaf(1.0)]}])
    with pytest.raises(RuntimeError, match="misses a parameter"):
        other = leaf(1.0)
        SaddleFreeNewton([x]).step(oracle=AutogradOracle(lambda: other.sum(), [other]))
    for bad in ({"lr": -1.0}, {"trust_radius": 0.0}, {"damping": -1.0}, {"kick": -1.0}, {"trust_radius": math.nan}):
        with pytest.raises(ValueError, match=r"^Invalid "):
            SaddleFreeNewton([x], **bad)
