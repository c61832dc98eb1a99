"""The Lie problem on a small made-up protein: what frames show, re-anchoring, kicks, resuming, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.inputs import load_inputs
from lieapp.alignment.objectives import make_objective
from lieapp.alignment.problem import AlignProblem, open_align
from lieapp.alignment.rigid import pose_matrix, random_rotations
from lieapp.alignment.superposition import critical_points, rmsd_at, superpose, superpose_robust
from lieapp.engine.checkpoint import Checkpoint
from lieapp.engine.errors import EngineError
from lieapp.engine.job import open_job, resume_job
from lieapp.engine.run import Run
from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.registry import build_optimizer
from lieapp.optimizers.settings import settings_for
from tests.alignment.small import LENGTH, hinge, write_pair

NAMED = tuple(settings_for("align"))
OBJECTIVES = ("rmsd", "tm", "gdt", "huber", "geman-mcclure")

MOBILE, TARGET = hinge(0.0), hinge(0.6)[:, [1, 2, 0]] + [30.0, -12.0, 5.0]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return write_pair(tmp_path)


def pose_of(problem: AlignProblem) -> np.ndarray:
    return pose_matrix(*problem.pose())


def take_step(problem: AlignProblem, size: float = 0.3) -> None:
    """Move the parameters by hand, and let the problem re-anchor."""
    with torch.no_grad():
        problem.parameters()[0] += size * torch.linspace(-1, 2, 6).double()
    problem.after_step()


# What a frame shows


@pytest.mark.parametrize("pivot", ["centroid", "origin"])
@pytest.mark.parametrize("kind", ["local", "se3", "so3xr3"])
def test_frames_show_the_pose_in_file_coordinates(kind: str, pivot: str) -> None:
    problem = AlignProblem(MOBILE, TARGET, parametrisation=kind, pivot=pivot)
    for _ in range(3):
        take_step(problem)
        loss = problem.oracle.gradient().item()
        state, seen = problem.state(), problem.observe(loss, 1.0)
        assert state["rotation"].shape == (1, 3, 3) and state["translation"].shape == (1, 3)
        rmsd = rmsd_at(MOBILE, TARGET, state["rotation"][0], state["translation"][0])
        assert seen["rmsd"] == pytest.approx(rmsd, rel=1e-12)
        assert loss == pytest.approx(rmsd**2, rel=1e-12)


def test_start_pose_is_used_as_it_is() -> None:
    start = pose_matrix(random_rotations(1, np.random.default_rng(0))[0], [1.0, 2.0, 3.0])
    for kind in ("local", "se3", "so3xr3"):
        problem = AlignProblem(MOBILE, TARGET, parametrisation=kind, start=start)
        np.testing.assert_allclose(pose_of(problem), start, atol=1e-12)
        assert not problem.kicked


def test_centroids_are_matched_by_default_with_their_weights() -> None:
    weights = np.linspace(1, 2, LENGTH)
    rotation, translation = AlignProblem(MOBILE, TARGET, weights=weights).pose()
    moved = np.average(MOBILE @ rotation.T + translation, axis=0, weights=weights)
    np.testing.assert_allclose(moved, np.average(TARGET, axis=0, weights=weights), atol=1e-12)
    np.testing.assert_allclose(rotation, np.eye(3), atol=0)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gap_is_zero_at_the_reference_and_positive_elsewhere(name: str) -> None:
    objective = make_objective(name, length=LENGTH)
    best = superpose_robust(objective, MOBILE, TARGET)
    problem = AlignProblem(MOBILE, TARGET, objective=objective, start=best.matrix)
    assert problem.metric.unit == objective.unit
    there = problem.observe(problem.oracle.loss().item(), 0.0)
    assert abs(there["gap"]) < 1e-9
    assert there["objective_value"] == pytest.approx(best.value, rel=1e-9)
    assert there["angle_degrees"] == pytest.approx(problem.reference()["angle_degrees"])
    take_step(problem)
    assert problem.observe(problem.oracle.loss().item(), 0.0)["gap"] > 1e-4


def test_reference_is_kabsch_for_the_msd() -> None:
    fit = superpose(MOBILE, TARGET)
    reference = AlignProblem(MOBILE, TARGET).reference()
    assert reference["rmsd"] == pytest.approx(fit.rmsd, rel=1e-13)
    assert reference["objective_value"] == reference["rmsd"]
    assert reference["gap"] == 0.0


def test_least_rmsd_stands_beside_a_robust_objective() -> None:
    problem = AlignProblem(MOBILE, TARGET, objective=make_objective("tm", length=LENGTH))
    assert problem.reference()["rmsd"] == pytest.approx(superpose(MOBILE, TARGET).rmsd)
    seen = problem.observe(problem.oracle.loss().item(), 1.0)
    assert seen["rmsd"] == pytest.approx(rmsd_at(MOBILE, TARGET, *problem.pose()), rel=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_curvature_at_a_good_fit_is_of_order_one(name: str) -> None:
    target = MOBILE + np.random.default_rng(2).normal(0, 0.4, MOBILE.shape)
    objective = make_objective(name, length=LENGTH, scale=4.0 if name == "tm" else None)
    fit = superpose(MOBILE, target)
    problem = AlignProblem(MOBILE, target, objective=objective, start=fit.matrix)
    curvatures = torch.linalg.eigvalsh(problem.oracle.hessian())
    # The helices are long and thin: turning about their axis costs little. All others are near 2.
    assert curvatures[0] > 0.01 and curvatures[-1] < 6
    assert curvatures[3] > 0.3


# Re-anchoring


def test_a_step_goes_into_the_anchor_and_the_parameters_return_to_zero() -> None:
    problem = AlignProblem(MOBILE, TARGET)
    with torch.no_grad():
        problem.parameters()[0].copy_(torch.tensor([[1.0, -2.0, 0.5, 9.0, 3.0, -4.0]]))
    before, loss = pose_of(problem), problem.oracle.loss().item()
    problem.after_step()
    assert not problem.parameters()[0].detach().any()
    np.testing.assert_allclose(pose_of(problem), before, atol=1e-12)
    assert problem.oracle.loss().item() == pytest.approx(loss, rel=1e-12)


def test_global_parameters_are_left_alone() -> None:
    problem = AlignProblem(MOBILE, TARGET, parametrisation="se3")
    with torch.no_grad():
        problem.parameters()[0].fill_(0.5)
    problem.after_step()
    assert (problem.parameters()[0] == 0.5).all()


def test_parameters_that_are_no_numbers_leave_the_anchor_alone() -> None:
    problem = AlignProblem(MOBILE, TARGET)
    anchor = problem.state_dict()
    with torch.no_grad():
        problem.parameters()[0].fill_(float("nan"))
    problem.after_step()
    assert np.isnan(problem.oracle.loss().item())
    assert all(torch.equal(value, anchor[key]) for key, value in problem.state_dict().items())


def test_moments_of_an_optimizer_stay_as_they_are() -> None:
    problem = AlignProblem(MOBILE, TARGET)
    optimizer = torch.optim.Adam(problem.parameters(), lr=1.0)
    optimizer.step(problem.oracle.gradient)
    moment = optimizer.state[problem.parameters()[0]]["exp_avg"].clone()
    problem.after_step(optimizer)
    assert torch.equal(optimizer.state[problem.parameters()[0]]["exp_avg"], moment)


# Kicks


@pytest.mark.parametrize("which", [1, 2, 3])
@pytest.mark.parametrize("name", ["rmsd", "huber"])
@pytest.mark.parametrize("pivot", ["centroid", "origin"])
def test_starts_on_a_ridge_are_turned_by_a_hair(which: int, name: str, pivot: str) -> None:
    rng = np.random.default_rng(1)
    mobile = rng.normal(size=(50, 3)) * (9, 6, 3) + (20, 5, -8)
    # A structure and itself: turned by half a turn about a principal axis, every gradient is zero.
    ridge = critical_points(mobile, mobile)[which]
    start = pose_matrix(ridge.rotation, ridge.translation)
    objective = make_objective(name, length=50, scale=None if name == "rmsd" else 100.0)
    problem = AlignProblem(mobile, mobile, objective=objective, start=start, pivot=pivot, seed=3)
    assert problem.kicked
    turned = pose_of(problem)
    assert 1e-5 < np.abs(turned - start)[:3, :3].max() < 2e-3
    problem.oracle.gradient()
    assert problem.scaled_gradient_norm([problem.parameters()[0].grad]) > 1e-4
    again = AlignProblem(mobile, mobile, objective=objective, start=start, pivot=pivot, seed=3)
    np.testing.assert_array_equal(pose_of(again), turned)
    other = AlignProblem(mobile, mobile, objective=objective, start=start, pivot=pivot, seed=4)
    assert np.abs(pose_of(other) - turned).max() > 1e-6


def test_minima_are_not_kicked() -> None:
    fit = superpose(MOBILE, TARGET)
    assert not AlignProblem(MOBILE, TARGET, start=fit.matrix).kicked
    assert not AlignProblem(MOBILE, MOBILE).kicked


def test_a_plateau_is_no_ridge() -> None:
    """Where no pair pulls any more there is nothing that a kick could help."""
    far = pose_matrix(np.eye(3), [1e5, 0.0, 0.0])
    assert not AlignProblem(MOBILE, MOBILE, objective=make_objective("tm", length=LENGTH), start=far).kicked


# Awkward inputs

CLOUD = np.random.default_rng(7).normal(size=(60, 3)) * (14, 10, 7) + (20, 5, -8)
GOAL = CLOUD @ random_rotations(1, np.random.default_rng(8))[0].T + np.random.default_rng(9).normal(size=(60, 3))
TRIANGLE = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [1.0, 4.0, 0.0]])


@pytest.mark.parametrize("optimizer", NAMED)
@pytest.mark.parametrize(
    ("case", "mobile", "target"),
    [
        ("identical", CLOUD, CLOUD),
        ("mirror", CLOUD, CLOUD * [-1, 1, 1]),
        ("three atoms", TRIANGLE, TRIANGLE[:, [2, 0, 1]] + [[0.3, 0, 7], [0, 0.1, 7], [0, 0, 7]]),
        ("coplanar", CLOUD * [1, 0, 1], GOAL),
        ("1000 Å apart", CLOUD + 1000.0, GOAL),
    ],
)
def test_awkward_structures_come_out_right(
    optimizer: str, case: str, mobile: np.ndarray, target: np.ndarray, files: tuple[str, str]
) -> None:
    run = open_points(files, optimizer, mobile, target)
    outcome = run.complete()
    assert outcome.kind == "converged", outcome.message
    recording = run.recording
    assert np.isfinite(recording.column("gradient_norm")).all()
    best = recording.state(recording.best)
    assert np.linalg.det(best["rotation"][0]) == pytest.approx(1.0, abs=1e-12)
    reached = rmsd_at(mobile, target, best["rotation"][0], best["translation"][0])
    assert reached == pytest.approx(superpose(mobile, target).rmsd, abs=1e-6)


def open_points(files: tuple[str, str], optimizer: str, mobile: np.ndarray, target: np.ndarray) -> Run:
    """Open a job's optimiser on other points."""
    settings = open_align(job_from_options(*files, optimizer=optimizer))[1].settings
    problem = AlignProblem(mobile, target)
    return Run(problem, build_optimizer(settings, problem.parameters()), settings=settings)


# Runs


@pytest.mark.parametrize("optimizer", NAMED)
def test_the_same_job_gives_the_same_recording_bit_by_bit(optimizer: str, files: tuple[str, str]) -> None:
    job = job_from_options(*files, optimizer=optimizer, start="random", seed=5, steps=30)
    recordings = []
    for _ in range(2):
        _, run = open_job(job)
        run.complete()
        recordings.append(run.recording)
    first, second = recordings
    assert len(first) == len(second)
    for name in first.columns:
        if name != "seconds":
            np.testing.assert_array_equal(first.column(name), second.column(name))
    for index in range(len(first)):
        for key, value in first.state(index).items():
            np.testing.assert_array_equal(value, second.state(index)[key])


@pytest.mark.parametrize("kind", ["local", "se3"])
@pytest.mark.parametrize("optimizer", NAMED)
def test_five_and_five_steps_are_ten(optimizer: str, kind: str, files: tuple[str, str], tmp_path: Path) -> None:
    changes = {"estimator": "hutchinson"} if optimizer == "sophia" else None
    job = job_from_options(
        *files, optimizer=optimizer, start="random", seed=1, steps=10, parametrisation=kind, set=changes
    )
    _, whole = open_job(job)
    whole.complete()
    _, half = open_job(job)
    for _ in range(6):  # the start and five steps
        next(half)
    checkpoint = Checkpoint.load(half.checkpoint().save(tmp_path / "half.ckpt"))
    _, resumed = resume_job(job, checkpoint)
    resumed.complete()
    assert len(resumed.recording) == len(whole.recording)
    for name in ("loss", "gradient_norm", "evaluations", "rmsd", "angle_degrees"):
        np.testing.assert_array_equal(resumed.recording.column(name), whole.recording.column(name))
    for key, value in whole.recording.state(-1).items():
        np.testing.assert_array_equal(resumed.recording.state(-1)[key], value)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "lbfgs"])
def test_the_truth_does_not_steer_the_run(optimizer: str, files: tuple[str, str]) -> None:
    job = job_from_options(*files, optimizer=optimizer)
    inputs = load_inputs(job)
    runs = []
    for reference in (None, pose_matrix(np.eye(3), [500.0, 0.0, 0.0])):
        problem, run = open_align(job, inputs)
        problem._known, problem._reference = reference, None
        run.complete()
        runs.append(run)
    assert runs[0].outcome == runs[1].outcome
    np.testing.assert_array_equal(runs[0].recording.column("loss"), runs[1].recording.column("loss"))
    assert runs[1].recording.column("gap").max() < -400


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_too_large_a_rate_diverges_with_the_best_pose_and_advice(optimizer: str, files: tuple[str, str]) -> None:
    _, run = open_job(job_from_options(*files, optimizer=optimizer, set={"lr": 1000.0}))
    outcome = run.complete()
    assert outcome.kind == "diverged"
    assert "Best pose kept (" in outcome.message and "Try lr" in outcome.message and "Å" in outcome.message
    assert run.recording.row(run.recording.best)["rmsd"] <= run.recording.row(0)["rmsd"]


def test_advice_never_repeats_the_rate_that_diverged(files: tuple[str, str]) -> None:
    job = job_from_options(*files, optimizer="sgd", parametrisation="local", pivot="origin", set={"lr": 1e-4})
    problem, _ = open_align(job)
    assert problem.suggestion("diverged") == "Try lr 1e-05."
    assert problem.suggestion("limit") == ""


def test_single_precision_parameters_come_as_close_as_they_can(files: tuple[str, str]) -> None:
    problem, run = open_job(job_from_options(*files, optimizer="sgd", dtype="float32"))
    run.complete()
    assert problem.parameters()[0].dtype == torch.float32
    # Steps are rounded, sums and anchor are not.
    assert abs(run.recording.column("gap")).min() < 1e-9


@pytest.mark.parametrize("name", ["rmsprop", "adamax", "nadam", "torch.optim:RAdam"])
def test_any_torch_optimizer_drives_it(name: str, files: tuple[str, str]) -> None:
    _, run = open_job(job_from_options(*files, optimizer=name, set={"lr": 0.5}, steps=60))
    run.complete()
    gap = run.recording.column("gap")
    assert gap[run.recording.best] < 0.2 * gap[0]


def test_fit_selection_and_weights_reach_the_problem(files: tuple[str, str]) -> None:
    problem, run = open_job(job_from_options(*files, optimizer="lbfgs", fit="A:1-20", report="all"))
    run.complete()
    best = run.recording.state(run.recording.best)
    # The first helix alone fits exactly (coordinates are rounded to 0.001 Å in the file).
    assert rmsd_at(MOBILE[:20], TARGET[:20], best["rotation"][0], best["translation"][0]) < 2e-3
    assert problem.reference()["rmsd"] < 2e-3


def test_it_is_a_problem_for_any_torch_program() -> None:
    problem = AlignProblem(MOBILE, TARGET)
    optimizer = torch.optim.SGD(problem.parameters(), lr=0.4)
    for _ in range(400):
        optimizer.step(problem.oracle.gradient)
        problem.after_step(optimizer)
    assert rmsd_at(MOBILE, TARGET, *problem.pose()) == pytest.approx(superpose(MOBILE, TARGET).rmsd, abs=1e-4)


# Errors


def test_wrong_points_weights_and_poses_are_refused() -> None:
    with pytest.raises(AlignmentError, match=r"Expected two arrays of shape \(pairs, 3\)"):
        AlignProblem(MOBILE, TARGET[:5])
    with pytest.raises(AlignmentError, match="There are no pairs"):
        AlignProblem(MOBILE[:0], TARGET[:0])
    with pytest.raises(AlignmentError, match="weights"):
        AlignProblem(MOBILE, TARGET, weights=np.full(LENGTH, -1.0))
    with pytest.raises(AlignmentError, match="without scaling or reflection"):
        AlignProblem(MOBILE, TARGET, start=np.diag([-1.0, 1.0, 1.0, 1.0]))


def test_unknown_optimizers_and_settings_are_refused(files: tuple[str, str]) -> None:
    with pytest.raises(OptimizerError, match="quickest"):
        open_align(job_from_options(*files, optimizer="quickest"))
    with pytest.raises(OptimizerError, match="momentum"):
        open_align(job_from_options(*files, optimizer="torch.optim:SGD", set={"momentum": "much"}))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a device that must not exist")
def test_a_device_that_does_not_exist_is_refused(files: tuple[str, str]) -> None:
    with pytest.raises(EngineError, match="cuda"):
        open_align(job_from_options(*files, device="cuda"))
