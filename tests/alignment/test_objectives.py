"""Kernels, their derivatives, their values for people, d0 and weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import (
    GDT_TS_CUTOFFS,
    MSD,
    OBJECTIVE_NAMES,
    TM,
    GemanMcClure,
    Huber,
    Objective,
    SmoothGDT,
    d0_nucleic,
    d0_of,
    d0_protein,
    make_objective,
    normalised_weights,
)
from lieapp.alignment.scores import gdt_ts, rmsd_of, tm_score

KERNELS: list[Objective] = [MSD(), TM(5.4), TM(0.5, 0.7), SmoothGDT(), SmoothGDT(0.1, 0.9), Huber(2.5), GemanMcClure()]
IDS = ["msd", "tm", "tm-short", "gdt", "gdt-narrow", "huber", "geman-mcclure"]
DISTANCES = np.array([0.0, 0.3, 0.77, 1.3, 2.49, 2.51, 3.7, 6.1, 9.3, 24.0, 76.0, 1000.0])

kernels = pytest.mark.parametrize("objective", KERNELS, ids=IDS)


@kernels
def test_weight_and_curvature_are_the_derivatives(objective: Objective) -> None:
    d2 = torch.tensor(DISTANCES[1:] ** 2, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(objective.rho(d2).sum(), d2, create_graph=True)
    assert torch.allclose(first, objective.weight(d2), rtol=1e-10, atol=1e-15)
    if first.requires_grad:
        (second,) = torch.autograd.grad(first.sum(), d2, allow_unused=True)
        expected = torch.zeros_like(d2) if second is None else second
        assert torch.allclose(expected, objective.curvature(d2), rtol=1e-9, atol=1e-15)


@kernels
def test_same_kind_out_and_same_numbers(objective: Objective) -> None:
    d2 = DISTANCES**2
    for method in (objective.rho, objective.weight, objective.curvature):
        from_numpy, from_torch = method(d2), method(torch.tensor(d2))
        assert isinstance(from_numpy, np.ndarray)
        assert isinstance(from_torch, torch.Tensor)
        assert from_numpy.shape == d2.shape
        np.testing.assert_allclose(from_torch.numpy(), from_numpy, rtol=1e-13, atol=1e-300)
        assert method(d2.reshape(3, 4)).shape == (3, 4)


@kernels
def test_rho_starts_at_zero_and_grows(objective: Objective) -> None:
    d2 = np.linspace(0.0, 50.0, 500) ** 2
    rho, weight = objective.rho(d2), objective.weight(d2)
    assert rho[0] == 0.0
    assert (np.diff(rho) > 0.0).all()
    assert (weight >= 0.0).all()
    assert weight.max() < 1.5
    if objective.concave:
        assert weight[0] == pytest.approx(1.0)
        assert (np.diff(weight) <= 1e-15).all()
        assert (objective.curvature(d2) <= 0.0).all()


@kernels
def test_finite_at_every_distance(objective: Objective) -> None:
    d2 = torch.tensor([0.0, 1e-30, 1e-8, 1.0, 1e12], dtype=torch.float64, requires_grad=True)
    loss = objective.rho(d2).sum()
    (gradient,) = torch.autograd.grad(loss, d2)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
    assert torch.isfinite(objective.curvature(d2)).all()


@kernels
def test_value_for_people_and_back(objective: Objective) -> None:
    losses = np.array([1e-3, 0.1, 0.9])
    values = objective.value_for_people(losses)
    np.testing.assert_allclose(objective.loss_of(values), losses, rtol=1e-9)
    assert (np.diff(values) < 0.0).all() == objective.maximised
    assert isinstance(float(objective.value_for_people(0.3)), float)


@kernels
def test_follows_the_protocol(objective: Objective) -> None:
    assert isinstance(objective, Objective)
    assert objective.title
    assert hash(objective) == hash(objective)


@kernels
def test_ceiling_is_what_far_pairs_cost(objective: Objective) -> None:
    far = float(objective.rho(np.array([1e16]))[0])
    if math.isinf(objective.ceiling):
        assert far > 1e8
    else:
        assert far == pytest.approx(objective.ceiling, rel=1e-6)


def test_values_are_the_known_scores() -> None:
    rng = np.random.default_rng(1)
    d = np.abs(rng.normal(0.0, 4.0, 90))
    w = normalised_weights(None, 90)

    def value(name: str, **options: Any) -> float:
        objective = make_objective(name, length=120, residues=90, **options)
        return float(objective.value_for_people(w @ objective.rho(d**2)))

    assert value("rmsd") == pytest.approx(rmsd_of(d), rel=1e-14)
    assert value("tm") == pytest.approx(tm_score(d, length=120), rel=1e-13)
    assert value("huber", scale=1e9) == pytest.approx(rmsd_of(d), rel=1e-9)
    assert value("geman-mcclure", scale=3.0) == pytest.approx((d**2 / (d**2 + 9.0)).mean(), rel=1e-13)
    # The smooth GDT becomes the GDT as its steps sharpen, where no distance is near a cutoff.
    far = d[np.min(np.abs(d[:, None] - np.array(GDT_TS_CUTOFFS)), axis=1) > 0.3]
    sharp = SmoothGDT(0.05, len(far) / 120)
    smooth = sharp.value_for_people(sharp.rho(far**2).mean())
    assert smooth == pytest.approx(gdt_ts(far, length=120), abs=0.02)


def test_smooth_gdt_is_one_half_at_the_cutoff() -> None:
    objective = SmoothGDT(0.2, 1.0, (3.0,))
    assert objective.value_for_people(objective.rho(np.array([9.0])))[0] == pytest.approx(0.5)


def test_huber_is_twice_hubers_function() -> None:
    d = np.array([0.5, 2.0, 2.5, 7.0])
    delta = 2.0
    expected = np.where(d <= delta, d**2 / 2, delta * (d - delta / 2))
    np.testing.assert_allclose(Huber(delta).rho(d**2), 2 * expected, rtol=1e-14)


def test_hessian_at_a_good_fit_is_of_order_one() -> None:
    d2 = np.full(100, 1.0)
    for name in OBJECTIVE_NAMES:
        weight = make_objective(name, length=214).weight(d2)[0]
        assert 0.5 < weight < 1.5, name


@pytest.mark.parametrize(
    ("length", "d0"), [(5, 0.5), (21, 0.5), (22, 0.5720), (100, 3.6521), (214, 5.4395), (250, 5.8520)]
)
def test_d0_of_proteins(length: int, d0: float) -> None:
    assert d0_protein(length) == pytest.approx(d0, abs=1e-4)


@pytest.mark.parametrize(
    ("length", "d0"),
    [(3, 0.3), (11, 0.3), (12, 0.4), (15, 0.4), (16, 0.5), (19, 0.5), (20, 0.6), (23, 0.6), (24, 0.7), (29, 0.7)],
)
def test_d0_of_short_nucleic_acids(length: int, d0: float) -> None:
    assert d0_nucleic(length) == d0


def test_d0_of_long_nucleic_acids() -> None:
    assert d0_nucleic(30) == pytest.approx(0.6 * np.sqrt(29.5) - 2.5)
    assert d0_of(158, "nucleic") == pytest.approx(0.6 * np.sqrt(157.5) - 2.5)


@given(st.integers(1, 5000))
def test_d0_is_positive_and_never_shrinks(length: int) -> None:
    for rule in (d0_protein, d0_nucleic):
        assert 0.0 < rule(length) <= rule(length + 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "lddt"}, "lddt"),
        ({"name": "rmsd", "scale": 1.0}, "no scale"),
        ({"name": "tm", "scale": 0.0}, "positive"),
        ({"name": "tm", "polymer": "sugar"}, "sugar"),
        ({"name": "tm", "length": 0}, "length"),
        ({"name": "gdt", "scale": 0.5}, "0.25"),
        ({"name": "huber", "scale": -1.0}, "positive"),
        ({"name": "geman-mcclure", "scale": float("nan")}, "positive"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AlignmentError, match=message):
        make_objective(**{"length": 100, **options})


@given(st.lists(st.floats(0.0, 1e300), min_size=1, max_size=30).filter(lambda values: max(values) > 0.0))
def test_weights_add_up_to_one(values: list[float]) -> None:
    weights = normalised_weights(np.array(values), len(values))
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0.0).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -1.0], "Weight 1 is -1"),
        ([np.nan, 1.0], "Weight 0 is nan"),
        ([0.0, 0.0], "zero"),
        ([1.0], "Expected 2 weights"),
    ],
)
def test_bad_weights_are_named(weights: list[float], message: str) -> None:
    with pytest.raises(AlignmentError, match=message):
        normalised_weights(np.array(weights), 2)


def test_no_pairs() -> None:
    with pytest.raises(AlignmentError, match="no pairs"):
        normalised_weights(None, 0)
