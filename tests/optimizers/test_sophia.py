"""Check Sophia-H against its formula in plain numpy, and its manners as a torch optimiser."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.oracle import AutogradOracle
from lieapp.optimizers.sophia import SophiaH
from tests.optimizers.conftest import SLOW_PROPERTY, backward_closure, leaf, rosenbrock, wavy


def numpy_rosenbrock(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and Hessian diagonal of Rosenbrock's function in two dimensions, by hand."""
    a, b = x
    gradient = np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
    return gradient, np.array([2 - 400 * b + 1200 * a * a, 200.0])


@pytest.mark.parametrize(
    "given_settings",
    [
        {},
        {"lr": 0.01, "betas": (0.965, 0.99), "gamma": 0.04, "weight_decay": 0.1},
        {"update_interval": 3, "clip": 0.2},
        {"gamma": 5.0, "betas": (0.0, 0.0)},
    ],
)
def test_against_the_formula(given_settings: dict[str, Any]) -> None:
    full: dict[str, Any] = {
        "lr": 0.1, "betas": (0.9, 0.9), "gamma": 1.0, "clip": 1.0, "eps": 1e-12, "weight_decay": 0.0,
        "update_interval": 1, **given_settings,
    }  # fmt: skip
    x = leaf(-1.2, 1.0)
    oracle = AutogradOracle(lambda: rosenbrock(x), [x])
    optimizer = SophiaH([x], **given_settings)
    theta, m, h = np.array([-1.2, 1.0]), np.zeros(2), np.zeros(2)
    for step in range(60):
        g, d = numpy_rosenbrock(theta)
        m = full["betas"][0] * m + (1 - full["betas"][0]) * g
        if step % full["update_interval"] == 0:
            h = full["betas"][1] * h + (1 - full["betas"][1]) * d
        theta = theta - full["lr"] * full["weight_decay"] * theta
        theta = theta - full["lr"] * np.clip(
            m / np.maximum(full["gamma"] * h, full["eps"]), -full["clip"], full["clip"]
        )
        optimizer.step(oracle=oracle)
        np.testing.assert_allclose(x.detach().numpy(), theta, rtol=1e-8, atol=1e-10)


@SLOW_PROPERTY
@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=6), st.floats(-3, 3))
def test_convex_quadratics_are_solved(curvatures: list[float], start: float) -> None:
    d = torch.tensor(curvatures, dtype=torch.float64)
    x = torch.full_like(d, start, requires_grad=True)
    oracle = AutogradOracle(lambda: 0.5 * (d * x * x).sum(), [x])
    optimizer = SophiaH([x], lr=0.3)
    for _ in range(150):
        optimizer.step(oracle=oracle)
    assert float(x.detach().abs().max()) < 1e-3 * (1 + abs(start))


def test_a_hutchinson_probe_of_signs_is_exact_on_diagonal_hessians() -> None:
    d = torch.tensor([0.5, 2.0, 7.0], dtype=torch.float64)
    a, b = leaf(1.0, -2.0, 3.0), leaf(1.0, -2.0, 3.0)
    exact, random = SophiaH([a]), SophiaH([b], estimator="hutchinson")
    for _ in range(20):
        exact.step(oracle=AutogradOracle(lambda: 0.5 * (d * a * a).sum(), [a]))
        random.step(oracle=AutogradOracle(lambda: 0.5 * (d * b * b).sum(), [b]))
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("probe", ["rademacher", "normal"])
def test_the_mean_of_hutchinson_probes_is_the_diagonal(probe: str) -> None:
    x = leaf(0.4, -0.3, 0.8)
    oracle = AutogradOracle(lambda: wavy(x), [x])
    optimizer = SophiaH([x], lr=0.0, betas=(0.0, 0.999), estimator="hutchinson", probe=probe)
    truth = torch.autograd.functional.hessian(wavy, x.detach()).diagonal()
    for _ in range(1000):
        optimizer.step(oracle=oracle)
    torch.testing.assert_close(optimizer.state[x]["hessian"], truth * (1 - 0.999**1000), rtol=0.2, atol=0.2)


def test_a_closure_alone_is_enough() -> None:
    a, b = leaf(-1.2, 1.0), leaf(-1.2, 1.0)
    by_closure, by_oracle = SophiaH([a]), SophiaH([b])
    closure = backward_closure(lambda: rosenbrock(a), [a])
    for _ in range(30):
        first = by_closure.step(closure)
        second = by_oracle.step(oracle=AutogradOracle(lambda: rosenbrock(b), [b]))
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_the_oracle_goes_before_the_closure() -> None:
    x = leaf(1.0)

    def never() -> Tensor:
        raise AssertionError

    SophiaH([x]).step(never, oracle=AutogradOracle(lambda: (x**2).sum(), [x]))
    assert float(x.detach()) != 1.0


def test_what_a_step_costs() -> None:
    x = leaf(1.0, 2.0, 3.0)
    oracle = CountingOracle(AutogradOracle(lambda: wavy(x), [x]))
    SophiaH([x]).step(oracle=oracle)
    assert oracle.counters == {"gradients": 1, "losses": 0, "hvps": 3}
    cheap = SophiaH([x], estimator="hutchinson", update_interval=10)
    for _ in range(20):
        cheap.step(oracle=oracle)
    assert oracle.counters == {"gradients": 21, "losses": 0, "hvps": 5}


@pytest.mark.parametrize("estimator", ["exact", "hutchinson"])
@pytest.mark.parametrize("way", ["state_dict", "saved file", "deepcopy", "pickle"])
def test_continuation_is_bitwise(estimator: str, way: str) -> None:
    def run(optimizer: SophiaH, x: Tensor, steps: int) -> None:
        for _ in range(steps):
            optimizer.step(oracle=AutogradOracle(lambda: wavy(x), [x]))

    x = leaf(0.4, -0.3, 0.8)
    whole = SophiaH([x], estimator=estimator, update_interval=3, generator=torch.Generator().manual_seed(5))
    run(whole, x, 7)
    if way == "deepcopy":
        rest = copy.deepcopy(whole)
    elif way == "pickle":
        rest = pickle.loads(pickle.dumps(whole))
    else:
        y = x.detach().clone().requires_grad_()
        rest = SophiaH([y], estimator=estimator, update_interval=3)
        state = whole.state_dict()
        if way == "saved file":
            buffer = io.BytesIO()
            torch.save(state, buffer)
            buffer.seek(0)
            state = torch.load(buffer, weights_only=True)
        rest.load_state_dict(copy.deepcopy(state))  # torch shares the tensors of a state that it loads
    (y,) = rest.param_groups[0]["params"]
    run(whole, x, 8)
    run(rest, y, 8)
    assert y is not x and torch.equal(x, y)


def test_groups_keep_their_own_settings() -> None:
    a, b = leaf(1.0, 1.0), leaf(1.0)
    optimizer = SophiaH([{"params": [a], "lr": 0.5}, {"params": [b], "estimator": "hutchinson"}], lr=0.1)
    c = leaf(1.0)
    optimizer.add_param_group({"params": [c], "clip": 0.5})
    oracle = AutogradOracle(lambda: (a**2).sum() + (b**2).sum() + (c**2).sum(), [a, b, c])
    optimizer.step(oracle=oracle)
    assert (1 - a.detach()).tolist() == pytest.approx([0.5, 0.5])
    assert float(1 - b.detach()) == pytest.approx(0.1) and float(1 - c.detach()) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="Invalid clip"):
        optimizer.add_param_group({"params": [leaf(1.0)], "clip": 0.0})


def test_named_parameters_schedulers_and_hooks_of_torch_work() -> None:
    x = leaf(1.0, 2.0)
    optimizer = SophiaH([("x", x)])
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    called = []
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    optimizer.step(oracle=AutogradOracle(lambda: (x**2).sum(), [x]))
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.05 and called == [1]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["x"]


def test_maximize_climbs() -> None:
    a, b = leaf(0.3, 0.2), leaf(0.3, 0.2)
    up, down = SophiaH([a], maximize=True), SophiaH([b])
    for _ in range(10):
        up.step(oracle=AutogradOracle(lambda: torch.cos(a).sum(), [a]))
        down.step(oracle=AutogradOracle(lambda: -torch.cos(b).sum(), [b]))
    assert torch.equal(a, b)


def test_negative_curvature_falls_back_on_a_clipped_step_downhill() -> None:
    x = leaf(0.0, 0.1)
    SophiaH([x], lr=0.2).step(oracle=AutogradOracle(lambda: x[0] ** 2 - x[1] ** 2, [x]))
    assert x.tolist() == pytest.approx([0.0, 0.3])


def test_parameters_without_gradient_stay_and_foreign_ones_count_as_fixed() -> None:
    a, other = leaf(1.0), leaf(2.0)
    idle = torch.ones(1, dtype=torch.float64)
    optimizer = SophiaH([a, idle], estimator="hutchinson")
    optimizer.step(oracle=AutogradOracle(lambda: (a * other).sum() + (a**2).sum(), [a, other]))
    assert idle.item() == 1.0 and other.item() == 2.0
    assert float(optimizer.state[a]["hessian"]) == pytest.approx(0.2)  # (1 - 0.9) * 2, without the mixed term


@pytest.mark.parametrize("estimator", ["exact", "hutchinson"])
def test_parameters_without_gradient_stay_where_a_closure_is_asked(estimator: str) -> None:
    a, idle = leaf(1.0), leaf(1.0)
    optimizer = SophiaH([a, idle], estimator=estimator, weight_decay=0.1)
    for _ in range(3):
        optimizer.step(backward_closure(lambda: (a**2).sum(), [a, idle]))
    assert idle.item() == 1.0 and idle.grad is None and not optimizer.state.get(idle)
    assert a.item() < 0.8


def test_errors_are_clear() -> None:
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="closure or an oracle"):
        x.grad = torch.ones_like(x)
        SophiaH([x]).step()
    with pytest.raises(RuntimeError, match="misses a parameter"):
        other = leaf(1.0)
        SophiaH([x]).step(oracle=AutogradOracle(lambda: other.sum(), [other]))
    for bad in (
        {"lr": -1.0}, {"betas": (1.0, 0.9)}, {"betas": (0.9,)}, {"gamma": 0.0}, {"clip": -1.0}, {"eps": 0.0},
        {"weight_decay": -1.0}, {"update_interval": 0}, {"update_interval": 1.5}, {"estimator": "gnb"}, {"probe": "x"},
        {"lr": float("nan")},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"^Invalid "):
            SophiaH([x], **bad)  # type: ignore[arg-type]


def test_between_estimates_a_gradient_is_enough() -> None:
    x = leaf(1.0, 2.0)
    optimizer = SophiaH([x], update_interval=2)
    optimizer.step(oracle=AutogradOracle(lambda: (x**2).sum(), [x]))
    x.grad = 2 * x.detach()
    assert optimizer.step() is None


def test_unclipped_fraction() -> None:
    x = leaf(1e-3, 1.0)
    optimizer = SophiaH([x])
    assert np.isnan(optimizer.unclipped_fraction())
    optimizer.step(oracle=AutogradOracle(lambda: (x**2).sum() + 3 * x[1], [x]))
    assert optimizer.unclipped_fraction() == 0.5
