"""Check DEO: what mathematics says of every mode, that it is its base where it must be, and what it pays."""

from __future__ import annotations

import copy
import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lieapp.optimizers import curvature_search
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.oracle import AutogradOracle, FiniteDifferenceOracle, dot, norm
from lieapp.optimizers.registry import build_optimizer, settings_class, step_optimizer
from lieapp.optimizers.saddle_free_newton import SaddleFreeNewton
from lieapp.optimizers.settings import DEOSettings, SGDSettings
from lieapp.optimizers.sophia import SophiaH
from tests.optimizers.conftest import backward_closure, leaf, rosenbrock, strict_saddle, wavy
from tests.optimizers.saddles import autograd, normal, seeded, strict_saddle_100

BASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}),
    "adam": (torch.optim.Adam, {"lr": 0.02}),
    "adamw": (torch.optim.AdamW, {"lr": 0.02, "weight_decay": 0.1}),
    "sophia": (SophiaH, {"lr": 0.1, "estimator": "hutchinson"}),
}

ALL_BASES = pytest.mark.parametrize("base", BASES)


def closure_of(function: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], Tensor]:
    return backward_closure(lambda: function(x), [x])


def deo(x: Tensor, **settings: Any) -> DEO:
    settings = {"base": torch.optim.SGD, "lr": 0.1, **settings}
    return DEO([x], **settings)


# What the modes do


@pytest.mark.parametrize("strength", [0.0, 0.5, 0.9, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_growth_of_the_unstable_coordinate(strength: float, rate: float) -> None:
    """1 + eta (1 - alpha) |lambda| a step, lambda = -2."""
    x = leaf(0.3, 1e-6)
    optimizer = deo(x, lr=rate, mode="project", strength=strength, interval=1, derivative="exact")
    oracle = autograd(strict_saddle, x)
    optimizer.step(oracle=oracle)  # N is exact from here on
    for _ in range(5):
        before = float(x.detach()[1])
        optimizer.step(oracle=oracle)
        assert float(x.detach()[1]) / before == pytest.approx(1 + rate * (1 - strength) * 2, abs=1e-6)


def test_projecting_freezes_and_escaping_leaves() -> None:
    heights = {}
    for mode in ("project", "escape", "reflect", "off"):
        x = leaf(0.5, 1e-4)
        optimizer, closure = deo(x, mode=mode), closure_of(strict_saddle, x)
        for _ in range(40):
            optimizer.step(closure)
        heights[mode] = float(strict_saddle(x.detach()))
    assert heights["escape"] == pytest.approx(-0.25, abs=1e-6)
    assert -0.1 < heights["off"] < 0.0
    assert heights["project"] == pytest.approx(0.0, abs=1e-6) and heights["reflect"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("start", [(0.5, 0.0), (0.0, 0.0)])
def test_escape_leaves_the_ridge_and_the_very_saddle(start: tuple[float, float]) -> None:
    x = leaf(*start)
    optimizer, closure = deo(x), closure_of(strict_saddle, x)
    assert optimizer.leaves_stationary_points and not deo(leaf(1.0), mode="project").leaves_stationary_points
    optimizer.step(closure)
    assert optimizer.observations()["escaping"] == 1.0
    for _ in range(40):
        optimizer.step(closure)
    assert float(strict_saddle(x.detach())) == pytest.approx(-0.25, abs=1e-6)
    assert optimizer.observations()["escaping"] == 0.0 and optimizer.curvature > 0


def test_escape_steps_after_the_base_and_apart_from_it() -> None:
    for base, options in BASES.values():
        x, y = leaf(0.3, 0.02), leaf(0.3, 0.02)
        optimizer = DEO([x], base, trust_radius=0.05, **options)
        plain = base([y], **options)
        optimizer.step(closure_of(strict_saddle, x))
        plain.step(closure_of(strict_saddle, y))
        # |g.N| / |C| = 0.02 (1 - 2 y²) / (1 - 6 y²), a step along the second axis
        slope, curvature = -2 * 0.02 + 4 * 0.02**3, -2 + 12 * 0.02**2
        expected = y.detach() + torch.tensor([0.0, slope / curvature], dtype=torch.float64)
        torch.testing.assert_close(x.detach(), expected, rtol=0, atol=1e-6)


def test_escape_steps_are_within_their_bounds() -> None:
    for height, length in ((1e-9, 0.01 * 0.2), (0.05, 0.05), (0.4, 0.2)):
        x = leaf(0.0, height)
        optimizer = deo(x, lr=1e-12, trust_radius=0.2)
        optimizer.step(closure_of(lambda x: x[0] ** 2 - x[1] ** 2, x))
        assert float(x.detach()[1]) - height == pytest.approx(length, rel=1e-5)


def test_no_escape_where_the_curvature_is_positive_or_noise() -> None:
    for dtype in (torch.float64, torch.float32):
        x = torch.tensor([0.4, 0.3], dtype=dtype, requires_grad=True)
        optimizer = deo(x, lr=0.01)
        for _ in range(30):
            optimizer.step(closure_of(lambda x: 100 * x[0] ** 2 + 1e-9 * x[1], x))
            assert optimizer.observations()["escaping"] == 0.0


def test_all_ten_modes_of_the_strict_saddle_are_left() -> None:
    function = strict_saddle_100()
    x = (1e-4 * normal(100)).requires_grad_()
    optimizer, closure = deo(x), closure_of(function, x)
    for _ in range(700):
        optimizer.step(closure)
    assert float(function(x.detach())) == pytest.approx(-0.9625, abs=1e-4)


@pytest.mark.parametrize(
    ("dtype", "derivative", "highest"),
    [
        (torch.float64, "exact", 1e6),
        (torch.float64, "one-sided", 1e4),
        (torch.float32, "exact", 1e4),
        (torch.float32, "one-sided", 1e2),
    ],
)
def test_small_negative_curvatures_are_escaped_along(dtype: torch.dtype, derivative: str, highest: float) -> None:
    curvatures = torch.cat((torch.tensor([highest]), torch.linspace(1.0, 10.0, 18), torch.tensor([-1.0]))).to(dtype)
    axes = torch.linalg.qr(normal(20, 20))[0].to(dtype)
    x = (axes @ torch.full((20,), 1e-3, dtype=dtype)).requires_grad_()
    oracle = autograd(lambda x: 0.5 * (curvatures * (axes.T @ x) ** 2).sum() + 0.25 * (axes.T @ x)[-1] ** 4, x)
    deo = DEO([x], lr=1.0 / highest, derivative=derivative)
    for _ in range(100):
        deo.step(oracle=oracle)
    assert abs(float(axes[:, -1] @ x.detach())) > 0.5


def test_reflect_climbs_out_of_a_minimum_to_a_saddle() -> None:
    """(x² - 1)² + y²: from beside the minimum at x = 1 to the saddle at 0."""
    x = leaf(0.95, 0.1)
    optimizer = deo(x, mode="reflect", lr=0.02, interval=2)
    # The lowest curvature must lie along x for the dimer to climb there.
    closure = closure_of(lambda x: (x[0] ** 2 - 1) ** 2 + 10 * x[1] ** 2, x)
    for _ in range(600):
        optimizer.step(closure)
    assert x.detach().tolist() == pytest.approx([0.0, 0.0], abs=1e-8)
    assert optimizer.curvature == pytest.approx(-4.0, rel=1e-4)


def test_paper_turns_to_the_highest_curvature_and_hardly() -> None:
    """As transcribed: the sign seeks the highest curvature, and a force not divided by the distance barely turns N."""
    x = leaf(0.1, 0.1)
    function = lambda x: 25 * x[0] ** 2 - x[1] ** 2 + x[1] ** 4  # noqa: E731
    slow = deo(x, lr=0.0, mode="paper", interval=1)
    closure = closure_of(function, x)
    slow.step(closure)
    n = slow.direction
    assert n is not None
    first = slow.curvature
    for _ in range(40):
        slow.step(closure)
    assert 0.0 <= slow.curvature - first < 2.5  # of the 50 to the top
    quick = deo(x, lr=0.0, mode="paper", interval=1, rotation_rate=2.0)
    for _ in range(100):
        quick.step(closure)
    assert quick.curvature == pytest.approx(50.0, rel=1e-3)
    assert slow.evaluations == 41 + 41 and quick.evaluations == 200  # a gradient and a product each


def test_one_step_of_paper_against_the_formula() -> None:
    x = leaf(0.3, 0.2, -0.4)
    optimizer = deo(x, mode="paper", strength=0.7, lr=0.05, rotation_rate=0.5, dimer_length=0.01)
    theta = x.detach().clone()
    closure = closure_of(wavy, x)
    optimizer.step(closure)
    start = torch.randn(3, generator=seeded(0), dtype=torch.float64)
    n = start / start.norm()
    n = n if n[n.abs().argmax()] > 0 else -n

    def gradient(at: Tensor) -> Tensor:
        point = at.clone().requires_grad_()
        return torch.autograd.grad(wavy(point), point)[0]

    g, g2 = gradient(theta), gradient(theta + 0.01 * n)
    force = (g2 - g) - ((g2 - g) @ n) * n
    turned = (n + 0.5 * force) / (n + 0.5 * force).norm()
    torch.testing.assert_close(optimizer.direction, [turned], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(x.detach(), theta - 0.05 * (g - 0.7 * (g @ turned) * turned), rtol=1e-9, atol=1e-12)


# Where it must be its base


@ALL_BASES
@pytest.mark.parametrize(
    "settings",
    [{"mode": "off"}, {"mode": "project", "strength": 0.0}, {"mode": "escape", "interval": math.inf}],
    ids=["off", "strength 0", "interval inf"],
)
@pytest.mark.parametrize("by_oracle", [False, True])
def test_it_is_its_base_to_the_last_bit(base: str, settings: dict[str, Any], by_oracle: bool) -> None:
    cls, options = BASES[base]
    x, y = leaf(-1.2, 1.0, 0.7), leaf(-1.2, 1.0, 0.7)
    generators = {"generator": seeded(3)} if base == "sophia" else {}
    plain = cls([y], **options, **generators)
    wrapped = DEO([x], cls, **settings, **options, generator=seeded(3))
    for _ in range(40):
        if by_oracle:
            step_optimizer(wrapped, AutogradOracle(lambda: rosenbrock(x), [x]))
            step_optimizer(plain, AutogradOracle(lambda: rosenbrock(y), [y]))
        else:
            first, second = wrapped.step(closure_of(rosenbrock, x)), plain.step(closure_of(rosenbrock, y))
            assert first == second
        assert torch.equal(x, y)


def test_off_needs_no_closure_and_pays_what_the_base_pays() -> None:
    x = leaf(1.0, 2.0)
    optimizer = deo(x, mode="off")
    x.grad = torch.ones_like(x)
    assert optimizer.step() is None and x.tolist() == [0.9, 1.9]
    sophia = DEO([x], SophiaH, mode="off")
    oracle = autograd(rosenbrock, x)
    for _ in range(3):
        sophia.step(oracle=oracle)
    assert sophia.evaluations == oracle.evaluations() == 3 + 3 * 2 * 2


@pytest.mark.parametrize("base", [SophiaH, SaddleFreeNewton])
@pytest.mark.parametrize("mode", ["off", "escape", "project", "paper"])
def test_closures_that_the_base_calls_are_reported(base: Any, mode: str) -> None:
    x, calls = leaf(0.4, -0.3, 0.8, 0.1), 0
    inner = closure_of(wavy, x)

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        return inner()

    optimizer = DEO([x], base, mode=mode, interval=3)
    for _ in range(7):
        optimizer.step(closure)
        assert optimizer.evaluations == calls
    assert calls > 7


# What it pays


@ALL_BASES
@pytest.mark.parametrize("mode", ["escape", "project", "reflect", "paper"])
@pytest.mark.parametrize("derivative", ["one-sided", "central", "exact"])
def test_evaluations_reported_are_those_counted(base: str, mode: str, derivative: str) -> None:
    cls, options = BASES[base]
    x = leaf(0.4, -0.3, 0.8, 0.1)
    oracle = autograd(wavy, x)
    optimizer = DEO([x], cls, mode=mode, derivative=derivative, interval=3, **options)
    for _ in range(14):
        optimizer.step(oracle=oracle)
        assert optimizer.evaluations == oracle.evaluations()
    assert oracle.evaluations() > 14


def test_closures_called_are_those_reported() -> None:
    x, calls = leaf(0.5, 1e-3), 0
    inner = closure_of(strict_saddle, x)

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        return inner()

    optimizer = deo(x)
    for _ in range(60):
        optimizer.step(closure)
    assert calls == optimizer.evaluations


def test_the_interval_grows_while_nothing_is_found_and_starts_over() -> None:
    d = torch.linspace(1.0, 1.001, 5, dtype=torch.float64)
    x = torch.full_like(d, 1.0, requires_grad=True)
    oracle = autograd(lambda x: 0.5 * (d * x * x).sum(), x)
    optimizer = deo(x, lr=1e-6)
    searched = []
    for step in range(700):
        paid = oracle.counters["gradients"]
        optimizer.step(oracle=oracle)
        if oracle.counters["gradients"] - paid > 1:
            searched.append(step)
    gaps = np.diff(searched).tolist()
    assert gaps[:5] == [20, 40, 80, 160, 160] or gaps[:5] == [10, 20, 40, 80, 160], gaps
    with torch.no_grad():
        x.mul_(0.05)  # the gradient has fallen tenfold
    paid = optimizer.evaluations
    for _ in range(11):
        optimizer.step(oracle=oracle)
    assert optimizer.evaluations > paid + 11
    steady = deo(x, lr=1e-6, adaptive=False, interval=7)
    paid = steady.evaluations
    for _ in range(70):
        steady.step(oracle=oracle)
    assert steady.evaluations == 70 + 10 * 2


def noisy(x: Tensor, depth: float) -> tuple[Callable[[], Tensor], Callable[[], None]]:
    """Return ½|x|² whose every batch bends down by ``depth`` along a direction of its own, and a call for the next."""
    generator = seeded(1)
    batch = torch.empty_like(x)

    def draw() -> None:
        batch.copy_(torch.randn(len(x), generator=generator, dtype=x.dtype))
        batch.div_(batch.norm())

    draw()
    return closure_of(lambda x: 0.5 * (x @ x) - 0.5 * (1.0 + depth) * (batch @ (x - 1.0)) ** 2, x), draw


def test_negative_curvature_of_batches_is_not_searched_for_again_and_again() -> None:
    """Every batch bends down somewhere, their mean does not: escapes along it gain nothing on the next batch."""
    x = torch.full((60,), 1.3, dtype=torch.float64, requires_grad=True)
    closure, draw = noisy(x, 2.0)
    optimizer = deo(x, lr=0.02)
    found = []
    for _ in range(2000):
        optimizer.step(closure)
        found.append(optimizer.curvature)
        draw()
    assert max(found) < -0.5  # on its own batch every search was right
    assert optimizer.evaluations <= 1.1 * 2000


def test_searches_that_pay_come_often() -> None:
    """A row of saddles, one below the other: K stays short as long as escapes gain more than descent."""
    x = (1e-4 * normal(100)).requires_grad_()
    optimizer, closure = deo(x), closure_of(strict_saddle_100(), x)
    longest, reached = 0.0, math.inf
    while reached > -0.9 and optimizer.evaluations < 500:
        reached = float(optimizer.step(closure) or 0.0)
        longest = max(longest, optimizer.state_dict()["deo"]["interval"])
    assert reached <= -0.9 and longest <= 20.0


def test_what_escapes_gained_is_measured_by_slopes() -> None:
    x = leaf(0.0, 0.05)
    optimizer = deo(x, lr=1e-12, trust_radius=0.2)
    closure = closure_of(lambda x: x[0] ** 2 - x[1] ** 2, x)
    optimizer.step(closure)
    before = float(-(0.05**2))
    for _ in range(3):
        loss = optimizer.step(closure)
        assert loss is not None
        block = optimizer.state_dict()["deo"]["blocks"][0]
        assert block["gain"] == pytest.approx(before - float(loss), rel=1e-5)


def test_a_flat_direction_is_no_place_to_begin_the_next_search() -> None:
    """Along y nothing changes at all; a search from there would not see that z bends down."""
    x = leaf(1.0, 0.3, 0.0)
    optimizer = deo(x, lr=1e-3, interval=1, adaptive=False, rotations=2)
    optimizer.step(closure_of(lambda x: x[0] ** 2 + 0.0 * x[1], x))
    assert optimizer.curvature == pytest.approx(0.0, abs=1e-6)
    optimizer.step(closure_of(lambda x: x[0] ** 2 - 0.1 * (x[2] - 1.0) ** 2 + 0.0 * x[1], x))
    assert optimizer.curvature < -0.19


def test_one_search_costs_at_most_a_product_and_one_for_each_rotation() -> None:
    x = (1e-4 * normal(100)).requires_grad_()
    optimizer = deo(x, rotations=3)
    optimizer.step(closure_of(strict_saddle_100(), x))
    assert optimizer.evaluations == 1 + 4


@pytest.mark.parametrize("adaptive", [False, True])
def test_slopes_that_no_step_needs_are_taken_when_looked_at(adaptive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over many numbers; steps and what is seen are those of an optimiser that takes every slope."""
    weights = torch.linspace(0.5, 2.0, 70_003)
    weights[0] = -1.0

    def function(x: Tensor) -> Tensor:
        return (weights * x**2 / 2 + x**4 / 4).sum()

    taken: list[int] = []
    paths = []
    for many in (1 << 16, 1 << 30):
        x = (1e-3 * normal(70_003).float()).requires_grad_()
        optimizer = deo(x, lr=0.1, adaptive=adaptive, trust_radius=1.0)
        monkeypatch.setattr(curvature_search, "MANY", many)
        path = []
        for _ in range(25):
            optimizer.step(closure_of(function, x))
            taken.append(not math.isnan(optimizer._search.memory.alignment))
            path.append((x.detach().clone(), optimizer.observations(), optimizer.evaluations))
        paths.append(path)
    assert 1 <= sum(taken[:25]) < 20 and all(taken[25:])
    for one, other in zip(*paths, strict=True):
        assert torch.equal(one[0], other[0]) and one[2] == other[2]
        assert one[1] == pytest.approx(other[1], rel=1e-6, nan_ok=True)


def test_many_numbers_are_looked_at_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient falls a hundredfold in 60 steps: noticed by two looks, five steps apart, though nothing was due."""
    looks: list[int] = []
    measure = curvature_search.rough_norm
    monkeypatch.setattr(curvature_search, "rough_norm", lambda grads: looks.append(1) or measure(grads))
    x = torch.ones(70_000).requires_grad_()
    optimizer = deo(x, lr=0.075, interval=100.0)
    intervals = []
    for _ in range(60):
        optimizer.step(closure_of(lambda x: 0.5 * x.square().sum(), x))
        intervals.append(optimizer._search.memory.interval)
    assert intervals[0] == 160.0 and intervals[-1] == 100.0
    fallen = math.log(10.0) / -math.log(1.0 - 0.075)
    assert fallen + 5 <= intervals.index(100.0) <= fallen + 10
    assert 1 <= len(looks) <= 13


# What it leaves alone


@pytest.mark.parametrize("mode", ["escape", "project", "reflect", "paper"])
def test_gradients_are_those_of_the_parameters_before_the_step(mode: str) -> None:
    x = leaf(0.4, -0.3, 0.8)
    optimizer = deo(x, mode=mode, interval=1)
    for _ in range(4):
        at = x.detach().clone().requires_grad_()
        expected = torch.autograd.grad(wavy(at), at)[0]
        optimizer.step(closure_of(wavy, x))
        assert x.grad is not None and torch.equal(x.grad, expected)


@pytest.mark.parametrize("base", ["sgd", "sophia"])
@pytest.mark.parametrize("call", range(1, 8))
def test_an_exception_in_a_search_leaves_parameters_gradients_and_n(base: str, call: int) -> None:
    cls, options = BASES[base]
    x = leaf(0.4, -0.3, 0.8, 0.2)
    optimizer = DEO([x], cls, interval=1, **options)
    inner, calls, armed = closure_of(wavy, x), 0, False

    def closure() -> Tensor:
        nonlocal calls
        calls += armed
        if armed and calls == call:
            raise KeyboardInterrupt
        return inner()

    optimizer.step(closure)
    before, n, curvature = x.detach().clone(), copy.deepcopy(optimizer.direction), optimizer.curvature
    armed = True
    try:
        optimizer.step(closure)
    except KeyboardInterrupt:
        assert torch.equal(x, before)
        if call > 1:  # the gradient there was has been cleared by the closure
            assert x.grad is not None
            at = before.clone().requires_grad_()
            assert torch.equal(x.grad, torch.autograd.grad(wavy(at), at)[0])
        if optimizer.curvature == curvature:
            assert all(torch.equal(a, b) for a, b in zip(optimizer.direction or [], n or [], strict=True))
    else:
        assert calls < call  # fewer evaluations than that
    optimizer.step(inner)


def test_the_closure_may_differentiate_under_no_grad() -> None:
    x = leaf(0.5, 0.1)
    with torch.no_grad():
        deo(x).step(closure_of(strict_saddle, x))
    assert x.detach().tolist() != [0.5, 0.1]


# Direction


def test_the_direction_is_the_eigenvector_and_observations_say_so() -> None:
    x = leaf(0.4, -0.3, 0.8)
    optimizer = deo(x, interval=1, rotations=20, tolerance=1e-6, mode="project", lr=1e-3)
    assert optimizer.direction is None and math.isnan(optimizer.curvature)
    assert all(math.isnan(optimizer.observations()[key]) for key in ("curvature", "residual", "alignment"))
    at = x.detach().clone().requires_grad_()
    optimizer.step(closure_of(wavy, x))
    values, vectors = torch.linalg.eigh(torch.autograd.functional.hessian(wavy, at))
    n = optimizer.direction
    assert n is not None and norm(n) == pytest.approx(1.0)
    assert abs(dot(n, [vectors[:, 0]])) == pytest.approx(1.0, abs=1e-9)
    seen = optimizer.observations()
    assert seen["curvature"] == optimizer.curvature == pytest.approx(float(values[0]), abs=1e-6)
    g = torch.autograd.grad(wavy(at), at)[0]
    assert seen["alignment"] == pytest.approx(abs(dot([g], n)) / norm([g]))
    assert set(seen) == {"curvature", "residual", "alignment", "turn_degrees", "escaping"}
    optimizer.step(closure_of(wavy, x))
    turned = math.degrees(math.acos(min(1.0, abs(dot(n, optimizer.direction or [])))))
    assert optimizer.observations()["turn_degrees"] == pytest.approx(turned, abs=1e-6)


def test_the_sign_of_n_does_not_matter() -> None:
    runs = []
    for sign in (1.0, -1.0):
        for mode in ("escape", "project", "reflect", "paper"):
            x = leaf(0.4, -0.3, 0.8)
            optimizer, closure = deo(x, mode=mode, interval=3), closure_of(wavy, x)
            optimizer.step(closure)
            state = optimizer.state_dict()
            block = state["deo"]["blocks"][0]
            block["direction"] = [sign * n for n in block["direction"]]
            block["slope"] *= sign
            optimizer.load_state_dict(state)
            for _ in range(10):
                optimizer.step(closure)
            runs.append(x.detach().clone())
    for one, other in zip(runs[:4], runs[4:], strict=True):
        assert torch.equal(one, other)


def test_per_layer_directions_are_those_of_the_diagonal_blocks() -> None:
    a, b = leaf(0.4, -0.3), leaf(0.8, 0.1)
    function = lambda: wavy(torch.cat((a, b)))  # noqa: E731
    optimizer = DEO([a, b], lr=1e-3, scope="per-layer", mode="project", rotations=20, tolerance=1e-6)
    hessian = torch.autograd.functional.hessian(wavy, torch.cat((a, b)).detach())
    optimizer.step(backward_closure(function, [a, b]))
    assert optimizer.direction is not None
    lowest = []
    for n, block in zip(optimizer.direction, (hessian[:2, :2], hessian[2:, 2:]), strict=True):
        values, vectors = torch.linalg.eigh(block)
        assert abs(float(n @ vectors[:, 0])) == pytest.approx(1.0, abs=1e-6)
        lowest.append(float(values[0]))
    assert optimizer.curvature == pytest.approx(min(lowest), abs=1e-5)
    x = leaf(0.5)
    y = leaf(0.0)
    both = DEO([x, y], lr=0.1, scope="per-layer")
    for _ in range(60):
        both.step(backward_closure(lambda: x[0] ** 2 - y[0] ** 2 + y[0] ** 4, [x, y]))
    assert abs(float(y.detach())) == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_use_on_refresh_only() -> None:
    x, y = leaf(0.5, 1e-3), leaf(0.5, 1e-3)
    optimizer = deo(x, mode="project", apply="on-refresh", adaptive=False, interval=4, derivative="exact")
    plain = torch.optim.SGD([y], lr=0.1)
    oracle = autograd(strict_saddle, x)
    growth = []
    for step in range(12):
        before = float(x.detach()[1])
        optimizer.step(oracle=oracle)
        growth.append(float(x.detach()[1]) / before)
        plain.step(closure_of(strict_saddle, y))
        expected = 1.0 if step % 4 == 0 else 1.2
        assert growth[-1] == pytest.approx(expected, abs=1e-4)


# Manners


@ALL_BASES
@pytest.mark.parametrize("way", ["state_dict", "saved file", "deepcopy", "pickle"])
@pytest.mark.parametrize("mode", ["escape", "project", "reflect"])
def test_continuation_is_bitwise(base: str, way: str, mode: str) -> None:
    cls, options = BASES[base]

    def run(optimizer: DEO, x: Tensor, steps: int) -> None:
        for _ in range(steps):
            optimizer.step(oracle=AutogradOracle(lambda: wavy(x), [x]))

    x = leaf(0.4, -0.3, 0.8)
    whole = DEO([x], cls, mode=mode, interval=4, generator=seeded(5), **options)
    run(whole, x, 6)
    if way == "deepcopy":
        rest = copy.deepcopy(whole)
    elif way == "pickle":
        rest = pickle.loads(pickle.dumps(whole))
    else:
        y = x.detach().clone().requires_grad_()
        rest = DEO([y], cls, **options)
        state = whole.state_dict()
        if way == "saved file":
            buffer = io.BytesIO()
            torch.save(state, buffer)
            buffer.seek(0)
            state = torch.load(buffer, weights_only=True)
        rest.load_state_dict(copy.deepcopy(state))
    (y,) = rest.param_groups[0]["params"]
    assert rest.param_groups is rest.base.param_groups and rest.state is rest.base.state
    run(whole, x, 9)
    run(rest, y, 9)
    assert y is not x and torch.equal(x, y)
    assert whole.evaluations == rest.evaluations and whole.observations() == rest.observations()


def test_a_state_of_the_base_alone_is_taken() -> None:
    x, y = leaf(1.0, 2.0), leaf(1.0, 2.0)
    adam = torch.optim.Adam([x], lr=0.3)
    adam.step(closure_of(rosenbrock, x))
    wrapped = DEO([y], torch.optim.Adam)
    wrapped.step(closure_of(rosenbrock, y))
    wrapped.load_state_dict(adam.state_dict())
    assert wrapped.direction is None and wrapped.param_groups[0]["lr"] == 0.3
    torch.testing.assert_close(wrapped.state[y]["exp_avg"], adam.state[x]["exp_avg"])


def test_states_that_do_not_fit_are_refused() -> None:
    x, y = leaf(1.0, 2.0), leaf(1.0, 2.0, 3.0)
    saved = deo(x)
    saved.step(closure_of(rosenbrock, x))
    with pytest.raises(ValueError, match=r"direction of shapes \[\(2,\)\], the parameters \[\(3,\)\]"):
        deo(y).load_state_dict(saved.state_dict())
    with pytest.raises(ValueError, match="parameter group"):
        DEO([{"params": [x]}, {"params": [y]}]).load_state_dict(saved.state_dict())


def test_states_change_their_precision_with_the_parameters() -> None:
    x = leaf(0.4, -0.3, 0.8)
    saved = deo(x)
    saved.step(closure_of(wavy, x))
    y = x.detach().float().requires_grad_()
    loaded = deo(y)
    loaded.load_state_dict(saved.state_dict())
    assert loaded.direction is not None and loaded.direction[0].dtype == torch.float32
    loaded.step(closure_of(wavy, y))
    assert y.dtype == torch.float32 and bool(torch.isfinite(y).all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_low_precision_escapes_too(dtype: torch.dtype) -> None:
    x = torch.tensor([0.5, 0.0], dtype=dtype, requires_grad=True)
    optimizer, closure = deo(x), closure_of(strict_saddle, x)
    for _ in range(60):
        optimizer.step(closure)
    assert x.dtype == dtype and float(strict_saddle(x.detach().double())) < -0.2


def test_groups_added_later_take_part() -> None:
    x, y = leaf(0.5), leaf(0.0)
    optimizer = DEO([x], lr=0.1)
    closure = backward_closure(lambda: x[0] ** 2 - y[0] ** 2 + y[0] ** 4, [x, y])
    optimizer.step(closure)
    optimizer.add_param_group({"params": [y], "lr": 0.05})
    assert [group["lr"] for group in optimizer.base.param_groups] == [0.1, 0.05]
    for _ in range(120):
        optimizer.step(closure)
    assert abs(float(y.detach())) == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_directions_belong_to_the_parameters_that_they_were_found_for() -> None:
    a, b, c = (leaf(0.5, 0.1), leaf(0.3, 0.2), leaf(0.2, 0.4))
    a.requires_grad_(False)

    def closure() -> Tensor:
        return backward_closure(
            lambda: strict_saddle(b) + 2.0 * strict_saddle(c) + (strict_saddle(a) if a.requires_grad else 0.0),
            [p for p in (a, b, c) if p.requires_grad],
        )()

    deo = DEO([a, b, c], lr=0.01, interval=100, adaptive=False, mode="project")
    deo.step(closure)
    found = [x.clone() for x in deo.direction or []]
    deo.step(closure)
    assert all(torch.equal(x, y) for x, y in zip(found, deo.direction or [], strict=True))
    a.requires_grad_(True)
    c.requires_grad_(False)  # as many parameters of the same shapes as before, but others
    evaluations = deo.evaluations
    deo.step(closure)
    assert deo.evaluations > evaluations + 1.0
    c.requires_grad_(True)
    deo.step(closure)  # the same two and one more behind them
    assert deo.direction is not None and len(deo.direction) == 3 and not bool(deo.direction[2].any())


def test_hooks_schedulers_names_and_zero_grad_work() -> None:
    x = leaf(1.0, 2.0)
    optimizer = DEO([("x", x)], torch.optim.Adam, lr=0.1)
    called = []
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    optimizer.base.register_step_post_hook(lambda *_: called.append("base"))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    optimizer.step(closure_of(rosenbrock, x))
    scheduler.step()
    assert called == ["before", "base", "after"] and optimizer.base.param_groups[0]["lr"] == 0.05
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["x"]
    optimizer.zero_grad()
    assert x.grad is None and "Adam" in type(optimizer.base).__name__


@pytest.mark.parametrize("flag", ["foreach", "fused"])
def test_flags_reach_the_base(flag: str) -> None:
    x, y = leaf(0.4, -0.3, 0.8), leaf(0.4, -0.3, 0.8)
    fast = DEO([x], torch.optim.Adam, lr=0.02, **{flag: True})
    slow = DEO([y], torch.optim.Adam, lr=0.02)
    assert fast.base.param_groups[0][flag] is True
    for _ in range(10):
        fast.step(closure_of(wavy, x))
        slow.step(closure_of(wavy, y))
    torch.testing.assert_close(x, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "base",
    [
        "adam",
        torch.optim.Adam,
        lambda params: torch.optim.Adam(params),
        settings_class("adam")(),
        DEOSettings().updated({"base.name": "adam"}).base,
    ],
    ids=["name", "class", "factory", "settings", "group"],
)
def test_a_base_may_be_given_in_many_ways(base: Any) -> None:
    assert type(DEO([leaf(1.0)], base).base) is torch.optim.Adam


def test_an_optimiser_that_exists_is_wrapped() -> None:
    x = leaf(1.0)
    adam = torch.optim.Adam([x])
    assert DEO(None, adam).base is adam and DEO([x], adam).base is adam
    with pytest.raises(ValueError, match="other parameters than those given"):
        DEO([leaf(1.0)], adam)
    with pytest.raises(ValueError, match="lr cannot be given to an optimiser that exists"):
        DEO(None, adam, lr=0.1)
    with pytest.raises(TypeError, match="made a int, not an optimiser"):
        DEO([x], lambda params: 3)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="is no name, settings, class"):
        DEO([x], 3)  # type: ignore[arg-type]


def test_errors_are_clear() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"DEO needs a closure .*GradScaler"):
        deo(x).step()
    with pytest.raises(RuntimeError, match="exact products needs an oracle"):
        deo(x, derivative="exact").step(closure_of(rosenbrock, x))
    with pytest.raises(ValueError, match="LBFGS evaluates the closure itself"):
        DEO([x], torch.optim.LBFGS)
    with pytest.raises(ValueError, match="Invalid maximize"):
        DEO([x], torch.optim.SGD, lr=0.1, maximize=True)
    with pytest.raises(ValueError, match="Invalid differentiable"):
        DEO([x], torch.optim.SGD, lr=0.1, differentiable=True)
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        DEO([x], torch.optim.SGD, lr=-1.0)
    z = torch.ones(2, dtype=torch.complex128, requires_grad=True)
    with pytest.raises(RuntimeError, match="complex"):
        deo(z).step(backward_closure(lambda: (z.abs() ** 2).sum(), [z]))
    table = torch.nn.Embedding(3, 2, sparse=True, _weight=torch.ones(3, 2))
    with pytest.raises(RuntimeError, match="sparse"):
        DEO(table.parameters()).step(backward_closure(lambda: table(torch.tensor([1])).sum(), list(table.parameters())))
    for bad in (
        {"mode": "climb"}, {"method": "x"}, {"derivative": "x"}, {"apply": "x"}, {"scope": "x"}, {"strength": -1.0},
        {"interval": 0.5}, {"rotations": 1.5}, {"rotations": -1}, {"tolerance": 0.0}, {"trust_radius": 0.0},
        {"rotation_rate": -1.0}, {"kick": 0.0}, {"kick": 2.0}, {"dimer_length": 0.0}, {"strength": math.nan},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"^Invalid "):
            deo(x, **bad)


def test_parameters_without_gradient_stay() -> None:
    x, idle, frozen = leaf(0.5, 0.0), leaf(1.0), torch.ones(1, dtype=torch.float64)
    optimizer = DEO([x, idle, frozen], torch.optim.AdamW, lr=0.05, weight_decay=0.1)
    for _ in range(30):
        optimizer.step(closure_of(strict_saddle, x))
    assert idle.item() == 1.0 and frozen.item() == 1.0 and idle.grad is None
    assert float(strict_saddle(x.detach())) < -0.2
    lonely = DEO([idle], lr=0.1)
    lonely.step(closure_of(strict_saddle, x))
    assert idle.item() == 1.0 and lonely.direction is None


@pytest.mark.parametrize("mode", ["escape", "project", "reflect", "paper", "off"])
@pytest.mark.parametrize("scope", ["global", "per-layer"])
def test_tensors_without_numbers_are_no_part_of_n(mode: str, scope: str) -> None:
    x, empty, y = leaf(0.5, 1e-3), leaf(), leaf(0.5, 1e-3)
    options: dict[str, Any] = {"lr": 0.1, "mode": mode, "scope": scope, "translation": "base"}
    optimizer, plain = DEO([empty, x], **options), DEO([y], **options)
    for _ in range(12):
        optimizer.step(backward_closure(lambda: strict_saddle(x) + empty.sum(), [empty, x]))
        plain.step(closure_of(strict_saddle, y))
    assert torch.equal(x, y)
    optimizer.load_state_dict(optimizer.state_dict())
    lonely = DEO([empty], lr=0.1, mode=mode)
    lonely.step(backward_closure(lambda: empty.sum(), [empty]))
    assert lonely.direction is None


def test_gradients_that_are_no_numbers_pass_to_the_base() -> None:
    x = leaf(1.0, 1.0)
    optimizer = deo(x)
    optimizer.step(closure_of(lambda x: x.sum() * math.nan, x))
    assert bool(torch.isnan(x).all()) and optimizer.direction is None


def test_an_oracle_of_more_parameters_counts_the_others_as_fixed() -> None:
    x, other = leaf(0.5, 0.0), leaf(2.0)
    for derivative in ("exact", "one-sided"):
        optimizer = deo(x, derivative=derivative)
        optimizer.step(oracle=AutogradOracle(lambda: strict_saddle(x) - 5.0 * (other**2).sum(), [x, other]))
        assert optimizer.curvature == pytest.approx(-2.0, abs=1e-2) and other.item() == 2.0
    with pytest.raises(RuntimeError, match="misses a parameter"):
        deo(x, derivative="exact").step(oracle=AutogradOracle(lambda: (other**2).sum(), [other]))


def test_settings_build_it() -> None:
    x = leaf(0.5, 0.0)
    settings = settings_class("deo")().updated({"base.name": "adam", "base.lr": "0.02", "mode": "project"})
    built = build_optimizer(settings, [x], generator=seeded(4))
    assert isinstance(built, DEO) and built.options["mode"] == "project"
    assert type(built.base) is torch.optim.Adam and built.param_groups[0]["lr"] == 0.02
    oracle = CountingOracle(FiniteDifferenceOracle(closure_of(strict_saddle, x), [x]))
    step_optimizer(built, oracle)
    assert built.evaluations == oracle.evaluations() > 1
    assert isinstance(DEO([x], SGDSettings(lr=0.3)).base, torch.optim.SGD)
