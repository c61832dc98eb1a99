"""Basin maps: the batch does what single runs do, and maps have the symmetry of their surface."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from lieapp.export.errors import ExportError
from lieapp.export.landscape_studies import basin_colors, basin_letters, write_study
from lieapp.landscapes import starts
from lieapp.landscapes.basins import LEFT, NOT_ARRIVED, PENDING, BasinMap, BasinProgress, BasinSpec
from lieapp.landscapes.catalog import SURFACES
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.starts import compute_basins, run_batch, run_singly
from lieapp.landscapes.study_summary import basin_cost, summarise_basins
from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.registry import settings_class


def spec_of(name: str, optimizer: str = "sgd", points: int | None = 21, **options: object) -> BasinSpec:
    overrides = options.pop("overrides", {})
    assert isinstance(overrides, dict)
    job = LandscapeJob(landscape=name, **options).with_optimizer(optimizer, overrides)  # type: ignore[arg-type]
    return BasinSpec(job, points)


@pytest.fixture(scope="module")
def himmelblau() -> BasinMap:
    return compute_basins(spec_of("himmelblau", "adam", 31))


@pytest.mark.parametrize(
    ("optimizer", "overrides"),
    [
        ("sgd", {}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("adam", {}),
        ("adam", {"amsgrad": True}),
        ("adamw", {"weight_decay": 0.01, "schedule.kind": "cosine", "schedule.steps": 300}),
    ],
)
@pytest.mark.parametrize("name", ["himmelblau", "muller-brown"])
def test_batch_gives_the_answers_of_single_runs(name: str, optimizer: str, overrides: dict[str, object]) -> None:
    spec = spec_of(name, optimizer, overrides=overrides)
    assert spec.elementwise
    settings = settings_class(optimizer)().updated(spec.overrides())
    (x0, x1), (y0, y1) = spec.surface.domain
    # Starts from all over the domain, of which some end much sooner than others.
    places = np.random.default_rng(3).uniform((x0, y0), (x1, y1), (5, 2))
    places[0] = spec.surface.minima[0].position
    spec = BasinSpec(spec.job, 2, evaluations=350.0)
    together = run_batch(spec, settings, places, lambda: False, lambda ends, fraction: None)
    apart = run_singly(spec, settings, places, lambda: False, lambda ends, fraction: None)
    assert together.arrived.tolist() == apart.arrived.tolist()
    assert together.evaluations.tolist() == apart.evaluations.tolist()
    np.testing.assert_allclose(together.positions, apart.positions, rtol=0.0, atol=1e-9)


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compute_basins(spec_of("muller-brown", "sgd", 12))
    monkeypatch.setattr(starts, "BATCH", 50)
    parts = compute_basins(spec_of("muller-brown", "sgd", 12))
    assert (whole.reached == parts.reached).all()
    np.testing.assert_allclose(whole.ends, parts.ends, rtol=0.0, atol=1e-9)
    assert (whole.evaluations == parts.evaluations).all()


@pytest.mark.parametrize("name", [surface.name for surface in SURFACES.values() if surface.name != "ackley"])
def test_minima_map_to_themselves(name: str) -> None:
    spec = spec_of(name, "adam")
    settings = settings_class("adam")().updated(spec.overrides())
    minima = np.array([point.position for point in spec.surface.minima])
    ends = run_batch(spec, settings, minima, lambda: False, lambda ends, fraction: None)
    assert ends.arrived.all()
    # Listed to eight or more digits, steep ones of which leave a gradient to be followed for a few steps.
    assert np.abs(ends.positions - minima).max() < 1e-4


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs", "saddle-free-newton"])
@pytest.mark.parametrize(("name", "axis"), [("double-well", 1), ("saddle", 0)])
def test_map_has_the_symmetry_of_its_surface(name: str, axis: int, optimizer: str) -> None:
    found = compute_basins(spec_of(name, optimizer, 15 if optimizer in ("sgd", "adam") else 5))
    assert found.complete
    coordinate = 0 if axis == 1 else 1
    ends = found.ends[..., coordinate]
    mirrored = np.flip(ends, axis=axis)
    starts_ = (found.x if coordinate == 0 else found.y)[np.indices(ends.shape)[1 - coordinate]]
    off = np.abs(starts_) > 1e-9  # on the line of symmetry itself a sign is anybody's
    np.testing.assert_allclose(ends[off], -mirrored[off], atol=1e-5)
    # Of two wells, descent in small steps stays in the one where it starts.
    if optimizer == "sgd":
        assert (np.sign(ends[off]) == np.sign(starts_[off])).all()


def test_ridge_leads_to_the_saddle() -> None:
    found = compute_basins(spec_of("double-well", "sgd", 15))
    middle = found.reached[:, 7]
    assert {found.points[which].kind for which in middle.tolist()} == {"saddle"}


def test_deo_leaves_the_ridge_that_descent_stays_on() -> None:
    found = compute_basins(spec_of("saddle", "deo", 3))
    assert found.complete
    kinds = {found.points[which].kind for which in found.reached.ravel().tolist() if which >= 0}
    assert kinds == {"minimum"}
    assert (found.evaluations > 0).all()
    assert found.total == found.evaluations.sum()


def test_every_minimum_of_himmelblau_is_reached(himmelblau: BasinMap) -> None:
    reached = [which for which in himmelblau.kinds() if which >= 0]
    assert [himmelblau.points[which].kind for which in reached] == ["minimum"] * 4
    for which in reached:
        ends = himmelblau.ends[himmelblau.reached == which]
        assert np.abs(ends - himmelblau.points[which].position).max() < 1e-5
    assert sum(himmelblau.count(which) for which in himmelblau.kinds()) == 31 * 31
    assert himmelblau.settings["lr"] > 0.0


def test_unknown_points_are_found_and_classified() -> None:
    job = LandscapeJob(landscape="formula", formula="sin(x)*sin(y)", domain=((-3.0, 3.0), (-3.0, 3.0)))
    found = compute_basins(BasinSpec(job.with_optimizer("sgd"), 14))
    minima = [found.points[which] for which in found.kinds() if which >= 0 and found.points[which].kind == "minimum"]
    assert sorted(np.sign(point.position).tolist() for point in minima) == [[-1.0, 1.0], [1.0, -1.0]]
    assert all(abs(point.value + 1.0) < 1e-9 for point in minima)


def test_ends_beside_the_domain_and_on_the_way_are_told_apart() -> None:
    falling = LandscapeJob(landscape="formula", formula="x + y^2").with_optimizer("sgd")
    found = compute_basins(BasinSpec(falling, 4, evaluations=200.0))
    assert (found.reached == LEFT).all()
    slow = compute_basins(spec_of("rosenbrock", "sgd", 4))
    assert slow.count(NOT_ARRIVED) > 0
    thrown = compute_basins(spec_of("beale", "sgd", 5, overrides={"lr": 1.0}))
    assert thrown.count(LEFT) > 0
    assert np.isnan(thrown.ends[thrown.reached == LEFT]).any()


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_cancelling_keeps_what_has_ended(optimizer: str) -> None:
    told: list[BasinProgress] = []
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 300

    found = compute_basins(spec_of("himmelblau", optimizer, 9), stopped=stopped, progress=told.append)
    assert asked == 301
    assert not found.complete
    assert 0 < found.count(PENDING) < 81
    assert np.isnan(found.evaluations[found.reached == PENDING]).all()
    assert found.describe(PENDING) == "not computed"
    assert all(0.0 <= each.fraction <= 1.0 and each.starts == 81 for each in told)


def test_global_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    compute_basins(spec_of("saddle", "perturbed-sgd", 3))
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_cannot_be_mapped_is_refused() -> None:
    with pytest.raises(LandscapeError, match="surface over x and y"):
        spec_of("strict-saddle-100")
    with pytest.raises(LandscapeError, match="2 to 2000"):
        spec_of("saddle", points=1)
    with pytest.raises(OptimizerError, match="lrr"):
        compute_basins(spec_of("saddle", overrides={"lrr": 1.0}))


def test_cost_is_stated_beforehand(himmelblau: BasinMap) -> None:
    assert "31 × 31 starts in one batch, at most 3000" in basin_cost(himmelblau.spec)
    assert "one after the other" in basin_cost(spec_of("saddle", "deo", None))
    assert himmelblau.total <= himmelblau.spec.most_evaluations
    assert f"{himmelblau.count(0)}" in summarise_basins(himmelblau)


def test_table_and_figures(himmelblau: BasinMap, tmp_path: Path) -> None:
    (table,) = write_study(himmelblau, tmp_path / "basins.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 31 * 31
    first = rows[0]
    assert (float(first["x"]), float(first["y"])) == (himmelblau.x[0], himmelblau.y[0])
    assert float(first["end_x"]) == himmelblau.ends[0, 0, 0]
    assert {row["kind"] for row in rows} <= {"minimum", "saddle", "maximum", "did not arrive"}
    for name, look in (("points.svg", {}), ("costs.png", {"costs": True})):
        (figure,) = write_study(himmelblau, tmp_path / name, **look)
        assert figure.stat().st_size > 5000
    letters, colors = basin_letters(himmelblau), basin_colors(himmelblau)
    assert "A: minimum" in (tmp_path / "points.svg").read_text(encoding="utf-8")
    assert len(set(letters.values())) == len(letters)
    assert len({colors[which] for which in himmelblau.kinds()}) == len(himmelblau.kinds())
    with pytest.raises(ExportError, match="svg"):
        write_study(himmelblau, tmp_path / "basins.xyz")
