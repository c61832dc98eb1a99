"""Landscapes as problems: oracles against automatic differentiation, known spectra, runs that do not diverge."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from lieapp.engine.job import open_job
from lieapp.engine.run import BASE_COLUMNS
from lieapp.landscapes.commands import job_from_options
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.problem import DIMER_COLUMNS, LandscapeProblem, open_landscape
from lieapp.landscapes.so3_alignment import frame_points
from lieapp.landscapes.spec import SURFACES
from lieapp.landscapes.truth import SO3_SINGULAR_VALUES, StrictSaddle, learning_plateaus, so3_points, truth_of
from lieapp.lie import so3
from lieapp.optimizers.oracle import AutogradOracle, hessian, hessian_diagonal
from lieapp.optimizers.settings import settings_for

SMALL = ["strict-saddle-100", "matrix-factorisation", "deep-linear", "so3-alignment"]


def opened(name: str | None = None, **options: object) -> LandscapeProblem:
    return open_landscape(job_from_options(name, **options))[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["muller-brown", *SMALL])
def test_products_hessian_and_diagonal_agree_with_differences(name: str) -> None:
    problem = opened(name, seed=2, offset=None if name == "muller-brown" else 0.3)
    oracle, leaves = problem.oracle, problem.parameters()
    matrix = hessian(oracle)
    diagonal = torch.cat([part.reshape(-1) for part in hessian_diagonal(oracle)])
    torch.testing.assert_close(diagonal, matrix.diagonal(), rtol=1e-9, atol=1e-9)
    generator = torch.Generator().manual_seed(1)
    v = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in leaves]
    flat = torch.cat([part.reshape(-1) for part in v])
    product = torch.cat([part.reshape(-1) for part in oracle.hvp(v)])
    torch.testing.assert_close(product, matrix @ flat, rtol=1e-9, atol=1e-9)
    step, gradients = 1e-5, []
    start = [p.detach().clone() for p in leaves]
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for p, value, part in zip(leaves, start, v, strict=True):
                p.copy_(value + sign * step * part)
        loss = oracle.gradient()
        assert float(loss) == float(oracle.loss())
        gradients.append(torch.cat([p.grad.reshape(-1) for p in leaves if p.grad is not None]))
    difference = (gradients[0] - gradients[1]) / (2.0 * step)
    scale = float(product.abs().max())
    torch.testing.assert_close(product, difference, rtol=1e-5, atol=1e-5 * scale)


def test_planar_oracle_is_that_of_automatic_differentiation() -> None:
    for name, shape in SURFACES.items():
        problem = opened(name)
        (leaf,) = problem.parameters()
        copy = leaf.detach().clone().requires_grad_()
        function = shape.function
        auto = AutogradOracle(lambda f=function, p=copy: f.value(p[0], p[1]), [copy])
        assert float(problem.oracle.gradient()) == pytest.approx(float(auto.gradient()), rel=1e-13)
        torch.testing.assert_close(leaf.grad, copy.grad, rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(hessian(problem.oracle), auto.hessian(), rtol=1e-10, atol=1e-10)


def test_strict_saddle_has_the_stated_spectrum_and_depth() -> None:
    problem = opened("strict-saddle-100", seed=5)
    truth = problem.truth
    assert isinstance(truth, StrictSaddle)
    np.testing.assert_allclose(truth.rotation @ truth.rotation.T, np.eye(100), atol=1e-13)
    (leaf,) = problem.parameters()
    assert float(torch.linalg.vector_norm(leaf.detach())) == pytest.approx(1e-4)
    with torch.no_grad():
        leaf.zero_()
    values = torch.linalg.eigvalsh(hessian(problem.oracle)).numpy()
    np.testing.assert_allclose(values, np.sort(truth.spectrum), atol=1e-12)
    assert (values < 0.0).sum() == 10
    wells = np.where(truth.negative, np.sqrt(np.abs(truth.spectrum)), 0.0)
    with torch.no_grad():
        leaf.copy_(torch.from_numpy(truth.rotation @ wells))
    assert float(problem.oracle.gradient()) == pytest.approx(-0.9625, abs=1e-12)
    assert float(torch.linalg.vector_norm(leaf.grad)) < 1e-12
    nearest = truth.nearest(leaf.detach().numpy(), -0.9625)
    assert (nearest.kind, nearest.index) == ("minimum", 0)
    assert nearest.loss == pytest.approx(-0.9625)
    # All but the lowest mode settled: the next saddle, where a projected dimer parks.
    frozen = wells * (truth.spectrum > -1.0)
    nearest = truth.nearest(truth.rotation @ frozen, 0.0)
    assert (nearest.kind, nearest.index) == ("saddle", 1)
    assert nearest.loss == pytest.approx(-0.7125)
    assert nearest.distance == pytest.approx(0.0, abs=1e-12)


def test_factorisations_have_the_stated_plateaus() -> None:
    assert learning_plateaus() == (3.75, 1.75, 0.625, 0.125, 0.0)
    for name, lowest in (("matrix-factorisation", -2.0), ("deep-linear", 0.0)):
        problem = opened(name)
        with torch.no_grad():
            for leaf in problem.parameters():
                leaf.zero_()
        assert float(problem.oracle.gradient()) == 3.75
        values = torch.linalg.eigvalsh(hessian(problem.oracle)).numpy()
        assert problem.truth.saddle is not None
        np.testing.assert_allclose(values, problem.truth.saddle.point.eigenvalues, atol=1e-12)
        assert values[0] == pytest.approx(lowest, abs=1e-12)


def test_rotations_have_four_critical_points_of_index_0_to_3() -> None:
    points = so3_points()
    assert [point.index for point in points] == [0, 1, 2, 3]
    assert [point.kind for point in points] == ["minimum", "saddle", "saddle", "maximum"]
    x = frame_points()
    np.testing.assert_allclose(2.0 / 6.0 * x.T @ x, np.diag(SO3_SINGULAR_VALUES), atol=1e-12)
    for point in points:
        problem = opened("so3-alignment", start=point.position)
        assert float(problem.oracle.gradient()) == pytest.approx(point.value, abs=1e-12)
        (leaf,) = problem.parameters()
        assert float(torch.linalg.vector_norm(leaf.grad)) < 1e-12
        values = torch.linalg.eigvalsh(hessian(problem.oracle)).numpy()
        np.testing.assert_allclose(values, point.eigenvalues, atol=1e-12)
        assert point.index == int((values < 0.0).sum())
    nearest = truth_of(job_from_options("so3-alignment")).nearest((0.0, 0.0, -math.pi + 0.01), 0.0)
    assert nearest is not None and nearest.distance == pytest.approx(0.01, abs=1e-12)


def test_rotation_is_reanchored_and_stays_a_rotation() -> None:
    problem, run = open_landscape(job_from_options("so3-alignment", optimizer="sgd", seed=1))
    assert run.complete().kind == "converged"
    assert not problem.parameters()[0].detach().any()
    final = run.recording.state(len(run.recording) - 1)
    rotation = torch.from_numpy(final["rotation"].copy())
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-14)
    np.testing.assert_allclose(so3.exp(torch.from_numpy(final["point"].copy())), final["rotation"], atol=1e-12)
    assert np.linalg.norm(final["point"]) < 1e-6


def test_frames_hold_what_is_promised() -> None:
    job = job_from_options("saddle", optimizer="deo", steps=12)
    recording = _run(job)
    assert recording.columns == (
        *BASE_COLUMNS,
        *("x", "y", "lowest_curvature", "highest_curvature", "gradient_alignment", "unstable_coordinate"),
        *DIMER_COLUMNS,
    )
    assert recording.state_keys == ("point", "direction")
    table = recording.table()
    points = recording.states("point")
    np.testing.assert_array_equal(points, np.column_stack((table["x"], table["y"])))
    np.testing.assert_allclose(table["unstable_coordinate"], table["y"], atol=1e-12)
    np.testing.assert_allclose(
        table["lowest_curvature"], np.minimum(2.0, 12.0 * table["y"] ** 2 - 2.0), rtol=1e-12, atol=1e-12
    )
    directions = recording.states("direction")
    assert np.isnan(directions[0]).all() and math.isnan(table["dimer_curvature"][0])
    np.testing.assert_allclose(np.linalg.norm(directions[1:], axis=1), 1.0, rtol=1e-12)
    assert np.isfinite(table["dimer_curvature"][1:]).all()
    plain = _run(job_from_options("saddle", optimizer="sgd", steps=3))
    assert plain.columns == recording.columns, "all entrants of a race have the same columns"
    assert np.isnan(plain.column("dimer_curvature")).all()
    assert np.isnan(plain.states("direction")).all()


def test_same_job_gives_the_same_recording_bit_by_bit() -> None:
    for name, optimizer in itertools.product(("himmelblau", "strict-saddle-100"), ("deo", "perturbed-sgd")):
        job = job_from_options(name, optimizer=optimizer, seed=3, steps=30)
        one, two = _run(job), _run(job)
        for column in set(one.columns) - {"seconds"}:
            assert one.column(column).tobytes() == two.column(column).tobytes()
    starts = {tuple(_run(job_from_options("deep-linear", seed=seed, steps=0)).state(0)["point"]) for seed in range(3)}
    assert len(starts) == 3


@pytest.mark.parametrize("name", SURFACES)
def test_no_optimiser_diverges_at_recommended_settings(name: str) -> None:
    kinds = {}
    for optimizer in settings_for("landscape"):
        job = job_from_options(name, optimizer=optimizer, steps=300, evaluations=400)
        recording = _run(job)
        assert recording.outcome is not None
        kinds[optimizer] = recording.outcome.kind
        assert recording.column("loss").min() < recording.column("loss")[0]
    assert set(kinds.values()) <= {"converged", "limit"}, kinds


def test_no_descent_diverges_from_elsewhere_on_the_domain() -> None:
    generator = np.random.default_rng(0)
    for name, shape in SURFACES.items():
        (x0, x1), (y0, y1) = shape.domain
        for place in generator.random((2, 2)):
            start = (x0 + place[0] * (x1 - x0), y0 + place[1] * (y1 - y0))
            for optimizer in ("sgd", "adam", "deo"):
                recording = _run(job_from_options(name, optimizer=optimizer, start=start, steps=30))
                assert recording.outcome is not None
                assert recording.outcome.kind in ("converged", "limit"), (name, start, recording.outcome.message)


@pytest.mark.parametrize("name", [name for name in SMALL if name != "deep-linear"])  # its exact Hessians take long
def test_high_dimensional_landscapes_are_solved(name: str) -> None:
    recording = _run(job_from_options(name, optimizer="deo", seed=1))
    assert recording.outcome is not None and recording.outcome.kind == "converged"
    truth = truth_of(job_from_options(name, seed=1))
    assert recording.column("loss")[-1] == pytest.approx(truth.deepest, abs=1e-6)


def test_advice_names_the_rate() -> None:
    for settings, words in (({"optimizer": "sgd", "set": {"lr": 9.0}}, "Try lr 0.08"),):
        outcome = _run(job_from_options("saddle", **settings)).outcome
        assert outcome is not None and outcome.kind == "diverged" and words in outcome.message
    outcome = _run(job_from_options("saddle", optimizer="deo", set={"base.lr": 9.0})).outcome
    assert outcome is not None and outcome.kind == "diverged" and "Try base.lr 0.08" in outcome.message


def test_whole_hessian_of_a_network_is_refused() -> None:
    with pytest.raises(LandscapeError, match="whole Hessian"):
        open_landscape(job_from_options("transformer-tiny", optimizer="saddle-free-newton"))


def _run(job):  # type: ignore[no-untyped-def]
    run = open_job(job)[1]
    run.complete()
    return run.recording
