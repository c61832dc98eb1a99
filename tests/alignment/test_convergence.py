"""Every named optimiser on real structures, at its recommended settings: does it reach the known answer?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.problem import AlignProblem, open_align
from lieapp.alignment.rigid import pose_matrix, random_rotations
from lieapp.alignment.spec import PRESETS, AlignJob, recommended
from lieapp.alignment.superposition import superpose
from lieapp.engine.race import Entrant, Race
from lieapp.engine.run import Run
from lieapp.optimizers.registry import build_optimizer
from lieapp.optimizers.settings import settings_for
from lieapp.structures.reading import read_structure

pytestmark = pytest.mark.shared_data

NAMED = tuple(settings_for("align"))
STARTS = [("identity", 0), ("centroids", 0), *(("random", seed) for seed in range(20))]
KABSCH, TM = 7.130700, 0.684185


class Pair:
    """Two chains, read once."""

    def __init__(self, mobile: Path, mobile_chain: str, target: Path, target_chain: str) -> None:
        self.job = job_from_options(str(mobile), str(target), mobile_chain=mobile_chain, target_chain=target_chain)
        self.inputs: AlignInputs = load_inputs(self.job)

    def run(self, optimizer: str, overrides: dict | None = None, **changes) -> tuple[AlignProblem, Run]:
        job: AlignJob = self.job.with_optimizer(optimizer, overrides).changed(**changes)
        problem, run = open_align(job, self.inputs)
        run.complete()
        return problem, run


@pytest.fixture(scope="module")
def adk(structures_dir: Path) -> Pair:
    return Pair(structures_dir / "adk/4AKE.pdb", "A", structures_dir / "adk/1AKE.pdb", "A")


def final(run: Run) -> dict[str, float]:
    return run.recording.row(run.recording.best)


@pytest.mark.parametrize("optimizer", NAMED)
def test_every_optimizer_reaches_kabsch_from_everywhere(adk: Pair, optimizer: str) -> None:
    for start, seed in STARTS:
        _, run = adk.run(optimizer, start=start, seed=seed)
        assert run.outcome.kind == "converged", (start, seed, run.outcome.message)
        assert final(run)["rmsd"] == pytest.approx(KABSCH, abs=1e-4), (start, seed)
        assert abs(final(run)["gap"]) < 1e-6, (start, seed)


# Descent without momentum is too slow on a bounded objective: the best of its rates takes more than 1000 steps.
@pytest.mark.parametrize("optimizer", [name for name in NAMED if name != "perturbed-sgd"])
def test_every_optimizer_reaches_the_best_tm_score(adk: Pair, optimizer: str) -> None:
    for start, seed in STARTS[1:]:
        _, run = adk.run(optimizer, objective="tm", start=start, seed=seed)
        assert final(run)["objective_value"] == pytest.approx(TM, abs=1e-5), (start, seed, run.outcome.message)


@pytest.mark.parametrize("objective", ["gdt", "huber", "geman-mcclure"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "saddle-free-newton"])
def test_other_objectives_reach_their_reference(adk: Pair, optimizer: str, objective: str) -> None:
    for start, seed in STARTS[1:8]:
        _, run = adk.run(optimizer, objective=objective, start=start, seed=seed)
        assert abs(final(run)["gap"]) < 1e-6, (start, seed, run.outcome.message)


def test_default_run_takes_at_most_150_evaluations(adk: Pair) -> None:
    _, run = adk.run("adam")
    assert run.outcome.kind == "converged"
    assert run.evaluations <= 150
    # One gradient a step, observing is free.
    np.testing.assert_array_equal(run.recording.column("evaluations"), run.recording.column("step"))


@pytest.mark.parametrize("optimizer", NAMED)
def test_models_that_start_near_their_answer_converge(structures_dir: Path, optimizer: str) -> None:
    """Steps of a constant size would circle about it until the limit."""
    job = job_from_options(*[str(structures_dir / "diverse/1gya.cif.gz")] * 2, optimizer=optimizer)
    inputs = load_inputs(job)
    for model in range(1, inputs.mobile.coordinates.shape[0]):
        _, run = open_align(job, replace(inputs, mobile_model=model))
        run.complete()
        assert run.outcome.kind == "converged", (model, run.outcome.message)
        assert abs(final(run)["gap"]) < 1e-9, model


@pytest.mark.parametrize("optimizer", ["rmsprop", "nadam", "radam", "adamax", "adagrad", "asgd", "torch.optim:NAdam"])
def test_other_optimizers_of_torch_reach_kabsch_without_settings(adk: Pair, optimizer: str) -> None:
    for start, seed in STARTS[1:4]:
        _, run = adk.run(optimizer, start=start, seed=seed)
        assert run.outcome.kind == "converged", (start, seed, run.outcome.message)
        assert final(run)["rmsd"] == pytest.approx(KABSCH, abs=1e-5), (start, seed)


def test_muon_comes_close_to_kabsch_without_settings(adk: Pair) -> None:
    _, run = adk.run("muon")
    assert final(run)["gap"] < 1e-6


@pytest.mark.parametrize("kind", ["se3", "so3xr3"])
@pytest.mark.parametrize("optimizer", NAMED)
def test_global_vectors_about_the_centroids_converge_too(adk: Pair, optimizer: str, kind: str) -> None:
    for start in ("identity", "centroids"):
        _, run = adk.run(optimizer, parametrisation=kind, start=start)
        assert abs(final(run)["gap"]) < 1e-6, (start, run.outcome.message)


def test_preset_shows_why_centring_matters(adk: Pair) -> None:
    (preset,) = (preset for preset in PRESETS if preset.name == "centring")
    entrants = [Entrant(name, open_align(job, adk.inputs)[1]) for name, job in preset.jobs(adk.job)]
    for _ in Race(entrants, preset.evaluations):
        pass
    gap = {entrant.name: final(entrant.run)["gap"] for entrant in entrants}
    assert gap["SGD, local"] < 1e-6
    assert gap["Adam, local"] < 1e-6
    assert gap["SGD, raw se(3)"] > 1.0


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 5.0), ("sgd", 1000.0), ("adam", 1000.0), ("adamw", 1000.0)])
def test_too_large_a_rate_diverges(adk: Pair, optimizer: str, rate: float) -> None:
    _, run = adk.run(optimizer, {"lr": rate})
    assert run.outcome.kind == "diverged", run.outcome.message
    assert "Try lr" in run.outcome.message


@pytest.mark.parametrize("optimizer", NAMED)
@pytest.mark.parametrize("objective", ["tm", "gdt", "geman-mcclure"])
def test_a_start_without_a_slope_is_not_called_converged(adk: Pair, optimizer: str, objective: str) -> None:
    far = pose_matrix(np.eye(3), [20000.0, 0.0, 0.0])
    _, run = adk.run(optimizer, objective=objective, start="given", start_pose=tuple(map(tuple, far.tolist())))
    assert run.outcome.kind == "diverged", run.outcome.message
    assert "start with the centroids matched" in run.outcome.message


@pytest.mark.parametrize("optimizer", NAMED)
@pytest.mark.parametrize(("name", "rmsd"), [("1AKE", 0.351987), ("4AKE", 0.607165)])
def test_pairs_near_half_a_turn_apart(structures_dir: Path, optimizer: str, name: str, rmsd: float) -> None:
    file = structures_dir / f"adk/{name}.pdb"
    pair = Pair(file, "A", file, "B")
    for start, seed in STARTS[:5]:
        _, run = pair.run(optimizer, start=start, seed=seed)
        assert final(run)["rmsd"] == pytest.approx(rmsd, abs=1e-6), (start, seed)
        assert run.outcome.kind == "converged"


@pytest.mark.parametrize("optimizer", NAMED)
def test_rings_of_groel(structures_dir: Path, optimizer: str) -> None:
    file = structures_dir / "diverse/1aon.pdb.gz"
    _, run = Pair(file, "A", file, "H").run(optimizer)
    assert final(run)["rmsd"] == pytest.approx(12.251, abs=5e-4)


def test_all_atoms_of_groel(structures_dir: Path) -> None:
    """58 870 atoms: a step costs what it costs for 214."""
    mobile = read_structure(structures_dir / "diverse/1aon.pdb.gz").coordinates[0]
    assert mobile.shape == (58870, 3)
    rng = np.random.default_rng(0)
    truth = pose_matrix(random_rotations(1, rng)[0], [10.0, 20.0, 30.0])
    target = mobile @ truth[:3, :3].T + truth[:3, 3] + rng.normal(0, 0.5, mobile.shape)
    for name, settings in settings_for("align").items():
        problem = AlignProblem(mobile, target)
        chosen = settings().updated(recommended(name))
        run = Run(problem, build_optimizer(chosen, problem.parameters()), settings=chosen)
        run.complete()
        assert final(run)["rmsd"] == pytest.approx(superpose(mobile, target).rmsd, abs=1e-7), name
        best = run.recording.state(run.recording.best)
        np.testing.assert_allclose(best["rotation"][0], truth[:3, :3], atol=1e-3)


@pytest.mark.parametrize("optimizer", NAMED)
def test_an_offset_changes_nothing_but_the_translation(adk: Pair, optimizer: str) -> None:
    _, near = adk.run(optimizer)
    moved = AlignProblem(np.array(adk.inputs.fit_mobile) + 1000.0, adk.inputs.fit_target)
    far = Run(moved, build_optimizer(near.settings, moved.parameters()), settings=near.settings)
    far.complete()
    assert final(far)["rmsd"] == pytest.approx(final(near)["rmsd"], abs=1e-9)
    rotations = [run.recording.state(run.recording.best)["rotation"][0] for run in (near, far)]
    np.testing.assert_allclose(rotations[1], rotations[0], atol=1e-6)
