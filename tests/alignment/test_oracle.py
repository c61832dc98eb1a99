"""The closed forms against autograd over all pairs, through lieapp.lie."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from lieapp.alignment.objectives import make_objective
from lieapp.alignment.oracle import AlignOracle, MSDModel, PairModel
from lieapp.alignment.parametrisation import Parametrisation
from lieapp.alignment.superposition import superpose
from lieapp.lie import se3, so3
from lieapp.optimizers.oracle import AutogradOracle, Oracle

OBJECTIVES = ("rmsd", "tm", "gdt", "huber", "geman-mcclure")
CASES = list(itertools.product(("local", "se3", "so3xr3"), ("centroid", "origin")))


def cloud(pairs: int = 40, seed: int = 0, noise: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mobile = rng.normal(size=(pairs, 3)) * (14, 9, 5) + (20, -7, 11)
    turn = so3.random_rotations(1, generator=torch.Generator().manual_seed(seed))[0].numpy()
    target = mobile @ turn.T + noise * rng.normal(size=(pairs, 3)) + (3, 12, -9)
    weights = rng.uniform(0.1, 1, size=pairs)
    return mobile, target, weights / weights.sum()


def build(name: str, kind: str, pivot: str, mobile, target, weights, device="cpu") -> AlignOracle:
    msd = MSDModel(mobile, target, weights)
    parametrisation = Parametrisation(kind, pivot, msd.mobile_center, msd.target_center, msd.radius)
    msd.set_origins(parametrisation.mobile_origin, parametrisation.target_origin)
    leaf = torch.tensor(parametrisation.start(np.eye(3), np.zeros(3)), dtype=torch.float64).view(1, 6)
    model = msd
    if name != "rmsd":
        objective = make_objective(name, length=len(mobile))
        origins = parametrisation.mobile_origin, parametrisation.target_origin
        model = PairModel(objective, mobile, target, weights, *origins, device=torch.device(device))
    return AlignOracle(model, parametrisation, leaf.requires_grad_())


def autograd_twin(oracle: AlignOracle, name: str, mobile, target, weights) -> AutogradOracle:
    """The same loss, written with lieapp.lie over all pairs."""
    parametrisation = oracle._parametrisation
    x = torch.from_numpy(mobile - parametrisation.mobile_origin)
    y = torch.from_numpy(target - parametrisation.target_origin)
    w, objective = torch.from_numpy(weights), make_objective(name, length=len(mobile))
    anchor = {key: torch.from_numpy(value) for key, value in parametrisation.state_dict().items()}
    leaf = oracle.parameters[0]

    def loss() -> Tensor:
        u, turn = leaf[0, :3], leaf[0, 3:] / parametrisation.unit
        if parametrisation.kind == "so3xr3":
            pose = se3.from_rotation_translation(so3.exp(turn), u)
        elif parametrisation.kind == "se3":
            pose = se3.exp(torch.cat((u, turn)))
        else:
            origin = anchor["translation"] if parametrisation.pivot == "centroid" else torch.zeros(3).double()
            back = se3.from_rotation_translation(anchor["rotation"], anchor["translation"] - origin)
            pose = se3.exp(torch.cat((u, turn))) @ back
            pose = se3.from_rotation_translation(pose[:3, :3], pose[:3, 3] + origin)
        return w @ objective.rho((se3.act(pose, x) - y).square().sum(-1))

    return AutogradOracle(loss, [leaf])


def assert_agree(oracle: AlignOracle, twin: AutogradOracle, tolerance: float = 1e-11) -> None:
    leaf = oracle.parameters[0]
    loss, gradient = oracle.gradient(), leaf.grad.clone()
    truth, exact = twin.gradient(), leaf.grad.clone()
    assert loss.item() == pytest.approx(truth.item(), rel=1e-12)
    assert oracle.loss().item() == pytest.approx(loss.item(), rel=1e-14)
    torch.testing.assert_close(gradient, exact, atol=tolerance * float(exact.abs().max()), rtol=0)
    hessian, second = oracle.hessian(), twin.hessian()
    torch.testing.assert_close(hessian, second, atol=tolerance * float(second.abs().max()), rtol=0)
    v = torch.linspace(-1, 2, 6, dtype=torch.float64).view(1, 6)
    torch.testing.assert_close(oracle.hvp([v])[0], (hessian @ v[0]).view(1, 6))
    torch.testing.assert_close(oracle.hessian_diagonal()[0][0], hessian.diagonal())


@pytest.mark.parametrize("theta", [0.0, 1e-6, 0.7, 1.3, 3.1])
@pytest.mark.parametrize(("kind", "pivot"), CASES)
def test_msd_is_exact_at_any_parameter_value(kind: str, pivot: str, theta: float) -> None:
    data = cloud()
    oracle = build("rmsd", kind, pivot, *data)
    rng = np.random.default_rng(3)
    axis = rng.normal(size=3)
    with torch.no_grad():
        oracle.parameters[0][0, :3] += torch.from_numpy(2 * rng.normal(size=3))
        turn = theta * oracle._parametrisation.unit * axis / np.linalg.norm(axis)
        oracle.parameters[0][0, 3:] = torch.from_numpy(turn)
    assert_agree(oracle, autograd_twin(oracle, "rmsd", *data))


@pytest.mark.parametrize(("kind", "pivot"), CASES)
@pytest.mark.parametrize("name", OBJECTIVES[1:])
def test_robust_objectives_are_exact(name: str, kind: str, pivot: str) -> None:
    data = cloud(seed=1)
    oracle = build(name, kind, pivot, *data)
    parametrisation = oracle._parametrisation
    best = superpose(*data)
    with torch.no_grad():
        # Near the fit, where robust losses have something to say.
        turn = so3.exp(torch.tensor([0.1, -0.2, 0.1]).double()).numpy()
        rotation = turn @ best.rotation
        start = parametrisation.start(
            rotation, best.rotation @ data[0].mean(0) - rotation @ data[0].mean(0) + best.translation + 0.5
        )
        oracle.parameters[0].copy_(torch.from_numpy(start).view(1, 6))
        oracle.parameters[0] += 0.01 * torch.linspace(-1, 1, 6).double()
    assert_agree(oracle, autograd_twin(oracle, name, *data), 1e-10)


def test_pairs_and_statistics_agree() -> None:
    data = cloud(seed=2)
    statistics = build("rmsd", "local", "origin", *data)
    parametrisation = statistics._parametrisation
    pairs = AlignOracle(
        PairModel(
            make_objective("rmsd", length=40), *data, parametrisation.mobile_origin, parametrisation.target_origin
        ),
        parametrisation,
        statistics.parameters[0],
    )
    assert pairs.loss().item() == pytest.approx(statistics.loss().item(), rel=1e-13)
    torch.testing.assert_close(pairs.hessian(), statistics.hessian(), rtol=1e-12, atol=1e-9)


def test_it_is_an_oracle() -> None:
    assert isinstance(build("rmsd", "local", "centroid", *cloud()), Oracle)


def test_identical_structures_have_a_loss_that_is_zero_to_the_last_bit() -> None:
    mobile, _, weights = cloud()
    oracle = build("rmsd", "local", "centroid", mobile, mobile, weights)
    assert 0 <= oracle.gradient().item() < 1e-26
    assert oracle.parameters[0].grad.abs().max() < 1e-12
    # Translation curvatures are 2; those of the rotation are below 2 in units of the radius of gyration.
    curvatures = torch.linalg.eigvalsh(oracle.hessian())
    assert (curvatures > 0.1).all() and (curvatures <= 2 + 1e-12).all()


def test_an_offset_of_a_kilometre_costs_no_digits() -> None:
    mobile, target, weights = cloud(noise=0.01)
    near = build("rmsd", "local", "centroid", mobile, target, weights)
    far = build("rmsd", "local", "centroid", mobile, target + 1e6, weights)
    far._parametrisation.start(np.eye(3), np.full(3, 1e6))
    assert far.loss().item() == pytest.approx(near.loss().item(), rel=1e-9)


@pytest.mark.parametrize("pairs", [1, 2, 3, 5])
def test_few_pairs(pairs: int) -> None:
    data = cloud(pairs=pairs)
    oracle = build("rmsd", "local", "centroid", *data)
    assert_agree(oracle, autograd_twin(oracle, "rmsd", *data), 1e-10)


@pytest.mark.parametrize("flat", [1, 2])
def test_coplanar_and_collinear_pairs(flat: int) -> None:
    mobile, target, weights = cloud()
    mobile[:, :flat] = 1.0
    oracle = build("rmsd", "local", "centroid", mobile, target, weights)
    assert_agree(oracle, autograd_twin(oracle, "rmsd", mobile, target, weights))


def test_pairs_without_weight_do_not_count() -> None:
    mobile, target, weights = cloud()
    weights[:10] = 0
    weights /= weights.sum()
    wild = target.copy()
    wild[:10] += 1e3
    first, second = (build("rmsd", "local", "centroid", mobile, t, weights) for t in (target, wild))
    assert second.loss().item() == pytest.approx(first.loss().item(), rel=1e-13)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e180])
def test_values_beyond_all_bounds_are_not_finite_and_raise_nothing(name: str, bad: float) -> None:
    oracle = build(name, "local", "centroid", *cloud())
    with torch.no_grad():
        oracle.parameters[0][0, 4] = bad
    assert not np.isfinite(oracle.gradient().item())
    assert not torch.isfinite(oracle.parameters[0].grad).any()
    assert not np.isfinite(oracle.loss().item())


def test_single_precision_parameters_get_double_precision_sums() -> None:
    data = cloud()
    double = build("rmsd", "local", "centroid", *data)
    leaf = double.parameters[0].detach().float().requires_grad_()
    single = AlignOracle(double._model, double._parametrisation, leaf)
    assert single.gradient().item() == double.gradient().item()
    assert leaf.grad.dtype == torch.float32 and single.hessian().dtype == torch.float32


@pytest.mark.parametrize("name", OBJECTIVES[1:])
def test_points_on_a_device_are_torch_tensors(name: str) -> None:
    """The path that other devices take, walked on the CPU."""
    data = cloud(seed=4)
    oracle = build(name, "local", "centroid", *data)
    moved = build(name, "local", "centroid", *data)
    model = moved._model
    model._place = (torch.device("cpu"), torch.float64)
    model._x, model._y, model._w = (torch.from_numpy(np.array(a)) for a in (model._x, model._y, model._w))
    assert moved.gradient().item() == pytest.approx(oracle.gradient().item(), rel=1e-13)
    torch.testing.assert_close(moved.parameters[0].grad, oracle.parameters[0].grad, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(moved.hessian(), oracle.hessian(), rtol=1e-10, atol=1e-12)
