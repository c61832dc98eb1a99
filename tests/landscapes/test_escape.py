"""Check who leaves which saddle, in evaluations, as the committed report tells for more methods and starts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lieapp.api import landscape
from lieapp.landscapes.catalog import SURFACES, Surface
from lieapp.landscapes.models import PlanarModel
from lieapp.landscapes.recommended import planar_scales
from lieapp.landscapes.truth import truth_of
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.oracle import norm
from tests.benchmarks import saddle_search
from tests.benchmarks.saddle_cases import Case, beside, high_dimensional, ridge, strict_saddles, table, turned, valley
from tests.benchmarks.saddle_race import ESCAPE, GD, PERTURBED, PROJECT, REFLECT, Figure, Method, measure, spend

MULLER_BROWN = SURFACES["muller-brown"]


def median(case: Case, method: Method, seeds: int = 3) -> float:
    return measure(case, method, seeds).escaped.median


def high() -> list[Case]:
    return [
        high_dimensional("strict-saddle-100", 1e-4, True, to_the_end=False),
        high_dimensional("matrix-factorisation", 1e-4, True, to_the_end=False),
        turned(1),
        turned(2),
    ]


@pytest.mark.parametrize("case", [*strict_saddles(), *high()], ids=lambda case: case.name)
def test_escape_leaves_strict_saddles_first(case: Case) -> None:
    own, others = median(case, ESCAPE), [median(case, method) for method in (GD, PERTURBED)]
    assert own < min(others)
    assert own <= (30 if math.isfinite(min(others)) else 200)


@pytest.mark.parametrize("rotated", [False, True])
def test_escape_leaves_the_ridge_before_perturbed_descent(rotated: bool) -> None:
    case = ridge(rotated=rotated)
    assert median(case, ESCAPE) < 20 < median(case, PERTURBED) < 200
    # Along an axis nothing ever disturbs plain descent; at an angle rounding does, in the end.
    assert (median(case, GD, 1) == math.inf) is not rotated


@pytest.mark.parametrize("method", [PROJECT, REFLECT], ids=lambda method: method.title)
def test_projecting_and_reflecting_do_not_leave(method: Method) -> None:
    for case in (
        beside(SURFACES["saddle"], SURFACES["saddle"].saddles[0], 300.0),
        beside(MULLER_BROWN, MULLER_BROWN.saddles[1], 300.0),
        ridge(),
    ):
        assert spend(case, GD, 0).escaped < 300 or case.name == "ridge"
        assert spend(case, method, 0).escaped == math.inf


def test_growth_predicts_what_descent_spends() -> None:
    """From c beside x² - y² + y⁴ the coordinate grows by 1 + 2 eta a step, a little less as y⁴ matters."""
    case = beside(SURFACES["saddle"], SURFACES["saddle"].saddles[0])
    start = case.job(0).start
    assert start is not None
    left = math.sqrt(0.5 - math.sqrt(0.25 - 0.025))  # -y² + y⁴ = -0.025
    predicted = math.log(left / abs(start[1])) / math.log1p(2.0 * case.rate)
    assert predicted <= spend(case, GD, 0).escaped <= 1.05 * predicted + 1


def test_nothing_is_lost_in_a_valley_without_saddles() -> None:
    case = valley()
    assert median(case, ESCAPE, 1) <= 1.25 * median(case, GD, 1) < math.inf


@pytest.mark.parametrize("seed", range(3))
def test_reflect_climbs_from_basin_c_to_a_saddle(seed: int) -> None:
    start = saddle_search.start_of(MULLER_BROWN, 2, seed)
    found = saddle_search.climb(MULLER_BROWN, start, seed=seed)
    assert found.found and found.index == 1
    assert math.hypot(*MULLER_BROWN.gradient(*found.position)) < 1e-8
    assert min(math.dist(found.position, p.position) for p in MULLER_BROWN.saddles) < 1e-8


@pytest.mark.parametrize(("shape", "minimum"), saddle_search.places(), ids=lambda value: getattr(value, "name", value))
def test_reflect_finds_a_saddle_from_beside_every_minimum_and_says_so(shape: Surface, minimum: int) -> None:
    spent = []
    for seed in range(4):
        found = saddle_search.climb(shape, saddle_search.start_of(shape, minimum, seed), seed=seed)
        assert found.found
        spent.append(found.evaluations)
        settings = {"mode": "reflect"}
        report = landscape(shape.name, optimizer="deo", settings=settings, start=found.start, steps=300).report
        assert report.outcome == "converged" and report.nearest_stationary_point is not None
        assert report.nearest_stationary_point.index == 1 and report.nearest_stationary_point.distance < 1e-6
    assert np.median(spent) < 100


def test_a_walk_without_a_saddle_says_that_it_found_none() -> None:
    report = landscape("rosenbrock", optimizer="deo", settings={"mode": "reflect"}, steps=200).report
    assert report.outcome == "limit" and report.gradient_norm > 1e-3


def test_walks_end_superlinearly() -> None:
    model = PlanarModel(MULLER_BROWN.function, (0.0, 0.5), torch.device("cpu"), torch.float64)
    optimizer = DEO(model.parameters, mode="reflect", trust_radius=0.1)
    sizes = [math.inf]
    while sizes[-1] > 1e-8:
        optimizer.step(oracle=model.oracle)
        model.oracle.gradient()
        sizes.append(norm([p.grad for p in model.parameters if p.grad is not None]))
        assert len(sizes) < 40
    assert all(after < 0.1 * before for before, after in zip(sizes[-4:], sizes[-3:], strict=False))


@pytest.mark.peer("ase")
def test_the_dimer_of_ase_finds_the_same_saddle() -> None:
    pytest.importorskip("ase", reason="peer: ASE is not installed")
    start = saddle_search.start_of(MULLER_BROWN, 2, 0)
    theirs, ours = saddle_search.climb_with_ase(MULLER_BROWN, start), saddle_search.climb(MULLER_BROWN, start)
    assert theirs.found and ours.found
    assert math.dist(theirs.position, ours.position) < 1e-8


def test_steps_are_stable_where_descent_from_a_saddle_can_come() -> None:
    """A grid misses the valley below Beale's lower saddle, which is narrower than its cells."""
    shape = SURFACES["beale"]
    x, y = shape.saddles[0].position if shape.saddles[0].value < 12.0 else shape.saddles[1].position
    known = planar_scales("beale", start=(x, y)).curvature
    for _ in range(20_000):  # downhill as far as the domain goes
        gx, gy = (float(part) for part in shape.gradient(x, y))
        xx, xy, yy = (float(part) for part in shape.hessian(x, y))
        largest = float(np.linalg.eigvalsh([[xx, xy], [xy, yy]])[1])
        assert largest <= 1.05 * known
        x, y = x - gx / largest - 1e-4 * xy / largest, y - gy / largest - 1e-4
        if y < shape.domain[1][0]:
            break
    assert y < shape.domain[1][0] and largest > 0.9 * known


def test_levels_of_the_cases() -> None:
    cases = {case.name: case for case in table()}
    assert cases["saddle (0, 0)"].escaped == pytest.approx(-0.025, abs=1e-9)
    assert cases["ridge"].escaped == -0.025
    # From the higher saddle of Müller-Brown it goes to A, and to C, which lies higher.
    assert cases["muller-brown (-0.822, 0.624)"].escaped == pytest.approx(
        -40.66484 - 0.1 * (80.76782 - 40.66484), abs=1e-4
    )
    assert cases["strict-saddle-100"].escaped == pytest.approx(-0.09625)
    for case in cases.values():
        job = case.job(4)
        assert job == case.job(4)
        saddle = truth_of(job).saddle
        if case.strict and job.description.is_planar and saddle is not None and job.start is not None:
            assert math.dist(job.start, saddle.point.position) == pytest.approx(1e-4)


def test_figures_of_runs_that_never_leave() -> None:
    assert Figure.of([3.0, 5.0, math.inf]) == Figure(5.0, 3.0, math.inf, pytest.approx(2 / 3))
    assert Figure.of([1.0, 2.0]).median == 1.5
    assert Figure.of([math.inf] * 3).text() == "never" and Figure.of([7.0] * 3).text() == "7"
    assert Figure.of(list(np.arange(11.0))).text() == "5 (1-9)"
