"""Whole reconstructions: the figures of the presets, real maps under every optimiser, resuming, cancelling, halves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lieapp.cryoem.batches import batch_orders
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.inputs import CryoemInputs, load_inputs
from lieapp.cryoem.plane import fourier_radii, fourier_to_map, map_to_fourier
from lieapp.cryoem.problem import CryoemProblem, open_cryoem
from lieapp.cryoem.report import report_cryoem
from lieapp.cryoem.spec import PRECONDITIONERS, PRESETS, CryoemJob
from lieapp.cryoem.summary import summarise
from lieapp.engine.checkpoint import Checkpoint
from lieapp.engine.control import RunControl
from lieapp.engine.job import open_job, report_job
from lieapp.engine.race import Entrant, Race
from lieapp.engine.recording import Recording
from lieapp.engine.run import Run
from lieapp.optimizers.settings import settings_for
from tests.conftest import shared_data

SMALL = CryoemJob(box=16, images=120, batch=30, epochs=2.0, device="cpu")
PRESET = CryoemJob(box=32, images=1000, batch=100, epochs=10.0, device="cpu")
KINDS = [("sgd", "none"), ("preconditioned-sgd", "hutchinson"), ("preconditioned-sgd", "row-sum")]


@pytest.fixture(scope="module")
def small() -> CryoemInputs:
    return load_inputs(SMALL)


def run_of(job: CryoemJob, inputs: CryoemInputs | None = None) -> tuple[CryoemProblem, Run]:
    problem, run = open_cryoem(job, inputs)
    outcome = run.complete()
    assert outcome.kind == "limit", outcome.message
    return problem, run


def entrant(job: CryoemJob, optimizer: str, preconditioner: str, **changes: object) -> CryoemJob:
    return job.changed(preconditioner=preconditioner, **changes).with_optimizer(optimizer)


def errors_of(run: Run, epoch: int, problem: CryoemProblem) -> NDArray[np.float32]:
    found: NDArray[np.float32] = run.recording.state(epoch * problem.steps_per_epoch)["shell_error"]
    return found


def test_first_preset_shows_why_preconditioning_matters() -> None:
    """Ten epochs at box 32: the outer shells arrive only where they are preconditioned."""
    inputs = load_inputs(PRESET)
    found = {}
    for optimizer, preconditioner in KINDS:
        problem, run = run_of(entrant(PRESET, optimizer, preconditioner), inputs)
        assert problem.steps_per_epoch == 10
        found[preconditioner] = problem, run
    last = {kind: errors_of(run, 10, problem) for kind, (problem, run) in found.items()}
    assert last["row-sum"][14] < 0.15
    assert last["hutchinson"][14] < 0.25
    assert last["none"][14] > 0.4
    # SGD's error grows with the shell, preconditioned error is nearly flat.
    assert last["none"][14] > 2.0 * last["none"][7] > 4.0 * last["none"][2]
    assert last["row-sum"][1:].max() < 4.0 * last["row-sum"][1:].min()
    gaps = {kind: run.recording.row(-1)["loss_gap"] for kind, (_, run) in found.items()}
    assert max(gaps["row-sum"], gaps["hutchinson"]) < 0.1 * gaps["none"]
    early = {kind: float(run.recording.state(20)["fsc_truth"][14]) for kind, (_, run) in found.items()}
    assert min(early["row-sum"], early["hutchinson"]) > early["none"] + 0.1
    condition = found["none"][1].recording.row(-1)["condition_number"]
    assert condition > 4.0 * 13 / 3.0
    assert found["hutchinson"][1].recording.row(-1)["preconditioner_error"] < 0.1


def test_preferred_views_with_ctf_end_higher_and_do_not_blow_up() -> None:
    preset = next(each for each in PRESETS if each.name == "preferred")
    jobs = dict(preset.jobs(PRESET.changed(epochs=10.0)))
    inputs = load_inputs(jobs["SGD"])
    assert inputs.particles.ctf is not None
    found = {name: run_of(job.changed(epochs=10.0), inputs)[1].recording for name, job in jobs.items()}
    for name in ("Hutchinson", "Row sum"):
        assert found[name].row(-1)["fsc_mean"] > found["SGD"].row(-1)["fsc_mean"]
        assert found[name].state(-1)["fsc_truth"][12:].mean() > found["SGD"].state(-1)["fsc_truth"][12:].mean()
        assert found[name].column("loss").max() < 1.5 * found[name].row(0)["loss"]
        assert max(found[name].state(k)["shell_error"].max() for k in range(1, 101)) < 3.0


@pytest.mark.slow
def test_box_64_has_the_orderings_of_the_paper() -> None:
    job = PRESET.changed(box=64, images=2000)
    inputs = load_inputs(job)
    last = {}
    for optimizer, preconditioner in KINDS:
        problem, run = run_of(entrant(job, optimizer, preconditioner), inputs)
        last[preconditioner] = errors_of(run, 10, problem)
    assert last["none"][30] > 0.5
    assert last["row-sum"][30] < 0.15
    assert last["hutchinson"][30] < 0.2
    assert last["none"][16] > 3.0 * last["row-sum"][16]
    assert last["none"][2] < 0.1


@pytest.mark.parametrize(
    ("optimizer", "preconditioner", "settings"),
    [
        ("sgd", "none", {"momentum": 0.5}),
        ("adam", "none", {}),
        ("adamw", "none", {}),
        ("perturbed-sgd", "none", {}),
        ("complex-adam", "none", {}),
        ("sophia", "none", {}),
        ("lbfgs", "none", {}),
        ("deo", "none", {}),
        ("preconditioned-sgd", "none", {}),
        ("preconditioned-sgd", "exact", {}),
        ("preconditioned-sgd", "row-sum", {"rule": "exact"}),
        ("preconditioned-sgd", "hutchinson", {"rule": "armijo", "lr": 10.0}),
    ],
)
def test_maps_stay_real_under_every_optimiser(
    small: CryoemInputs, optimizer: str, preconditioner: str, settings: dict
) -> None:
    problem, run = open_cryoem(SMALL.changed(preconditioner=preconditioner).with_optimizer(optimizer, settings), small)
    for _ in run:
        volume = problem.volumes()[0].to(torch.complex128)
        values = torch.fft.ifftn(torch.fft.ifftshift(volume))
        assert float(torch.linalg.vector_norm(values.imag)) < 1e-6 * float(torch.linalg.vector_norm(values.real))
        outside = volume * (1.0 - problem.fits[0].measurements.operator.masked(torch.ones(volume.shape)))
        assert outside.abs().max() == 0.0
    assert run.outcome is not None
    assert run.outcome.kind == "limit"
    assert run.recording.row(-1)["loss_gap"] < run.recording.row(0)["loss_gap"]


@pytest.mark.parametrize("optimizer", settings_for("cryoem"))
def test_no_optimiser_diverges_at_recommended_settings(small: CryoemInputs, optimizer: str) -> None:
    for preconditioner in PRECONDITIONERS if optimizer == "preconditioned-sgd" else ["none"]:
        _, run = run_of(entrant(SMALL, optimizer, preconditioner, epochs=8.0), small)
        assert run.recording.column("loss").max() < 1.5 * run.recording.row(0)["loss"]
        assert run.recording.row(-1)["loss_gap"] < 0.03 * run.recording.row(0)["loss_gap"]


def test_map_is_the_truth_where_there_is_no_noise() -> None:
    """Simulated otherwise than reconstructed, so close is all one can ask; scale, hand and place are right."""
    job = SMALL.changed(snr=1e6, images=400, start="one-pass", phantom="bundle").with_optimizer("lbfgs")
    inputs = load_inputs(job.changed(box=24))
    _, run = run_of(job.changed(box=24, epochs=20.0, batch=400), inputs)
    assert inputs.truth is not None
    spectrum = map_to_fourier(torch.from_numpy(inputs.truth)) * (fourier_radii(24) <= 11)  # what images hold
    found, truth = run.recording.state(-1)["map"], fourier_to_map(spectrum.to(torch.complex64)).numpy()
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.98
    assert (found * truth).sum() / (truth * truth).sum() == pytest.approx(1.0, abs=0.03)
    for axis in range(3):
        assert np.corrcoef(np.flip(found, axis).ravel(), truth.ravel())[0, 1] < 0.9


@pytest.mark.parametrize(
    ("optimizer", "preconditioner"),
    [*KINDS, ("complex-adam", "none"), ("sophia", "none"), ("preconditioned-sgd", "exact")],
)
@pytest.mark.parametrize("halves", [False, True])
def test_five_and_five_epochs_equal_ten(
    small: CryoemInputs, tmp_path: Path, optimizer: str, preconditioner: str, halves: bool
) -> None:
    job = entrant(SMALL, optimizer, preconditioner, half_sets=halves)
    _, whole = run_of(job.changed(epochs=4.0), small)
    first = open_cryoem(job.changed(epochs=2.0), small)[1]
    first.keep_checkpoint(tmp_path / "checkpoint.pt")
    first.complete()
    problem, second = open_cryoem(job.changed(epochs=4.0), load_inputs(SMALL))
    second.restore(Checkpoint.load(tmp_path / "checkpoint.pt"))
    second.complete()
    assert len(whole.recording) == len(second.recording) == 17
    for name in whole.recording.columns:
        if name != "seconds":
            assert np.array_equal(whole.recording.column(name), second.recording.column(name), equal_nan=True), name
    for key, value in whole.recording.state(-1).items():
        assert np.array_equal(value, second.recording.state(-1)[key], equal_nan=True), key
    assert problem.steps_per_epoch == 4


def test_a_stop_acts_within_one_batch(small: CryoemInputs) -> None:
    problem, run = open_cryoem(SMALL.changed(epochs=100.0), small)
    control = RunControl()
    run.share_control(control)
    for frame in run:
        if frame.index == 3:
            control.stop()
    control.finish()
    assert run.outcome is not None
    assert run.outcome.kind == "cancelled"
    assert len(run.recording) == 4
    assert "epoch 0.75" in run.outcome.message or "Best frame" in run.outcome.message
    assert problem.steps_per_epoch == 4


def test_snapshots_keep_their_budget(small: CryoemInputs) -> None:
    problem, run = open_cryoem(SMALL.changed(epochs=5.0), small)
    one = sum(value.nbytes for value in problem.state().values())
    recording = Recording(snapshot_budget_bytes=6 * one, snapshot_memory_bytes=3 * one)
    again = Run(problem, run.optimizer, settings=run.settings, limits=run.limits, recording=recording)
    again.complete()
    assert len(recording) == 21
    assert len(recording.snapshots.frames) <= 6
    assert recording.kept(20) == 20
    assert recording.kept(0) == 0


def test_half_maps_are_independent_and_agree(small: CryoemInputs) -> None:
    problem, run = run_of(SMALL.changed(half_sets=True, epochs=6.0, snr=4.0), load_inputs(SMALL.changed(snr=4.0)))
    state = run.recording.state(-1)
    assert len(problem.parameters()) == 2
    assert state["half_maps"].shape == (2, 16, 16, 16)
    assert np.allclose(state["map"], state["half_maps"].mean(0), atol=1e-6 * np.abs(state["map"]).max())
    curve = state["fsc_half"]
    assert curve[0] > 0.99
    assert 0.2 < curve[1:].mean() < 1.0
    spectra = np.fft.fftn(np.fft.ifftshift(state["half_maps"], axes=(1, 2, 3)), axes=(1, 2, 3))
    first, second = spectra[0].ravel(), spectra[1].ravel()
    overall = np.vdot(first, second).real / np.linalg.norm(first) / np.linalg.norm(second)
    assert overall == pytest.approx(np.corrcoef(*state["half_maps"].reshape(2, -1))[0, 1], abs=0.05)


def test_entrants_share_images_start_and_order(small: CryoemInputs) -> None:
    problems = [open_cryoem(entrant(SMALL, *kind), small) for kind in KINDS]
    race = Race([Entrant(str(k), run) for k, (_, run) in enumerate(problems)], 6.0)
    first = {}
    for each, frame in race:
        first.setdefault(each.name, frame)
    assert len({frame.loss for frame in first.values()}) == 1
    maps = [frame.state["map"] for frame in first.values()]
    assert np.array_equal(maps[0], maps[1])
    # Products of the preconditioners are paid for: 16 steps of SGD are fewer of the others.
    steps = [len(run.recording) - 1 for _, run in problems]
    assert steps[0] == 6
    assert steps[1] < steps[0]
    assert problems[1][1].recording.row(-1)["hvps"] == pytest.approx(0.5 * (steps[1] + 1))
    assert problems[2][1].recording.row(-1)["hvps"] == pytest.approx(0.5 * 4)


@pytest.mark.parametrize("interpolation", ["trilinear", "nearest"])
@pytest.mark.parametrize("start", ["noise", "zero", "one-pass"])
def test_starts(interpolation: str, start: str) -> None:
    job = SMALL.changed(interpolation=interpolation, start=start, epochs=1.0)
    _, run = run_of(job)
    first = run.recording.row(0)
    if start == "zero":
        assert first["loss"] == pytest.approx(0.5, rel=0.1)
        assert np.abs(run.recording.state(0)["map"]).max() == 0.0
    if start == "noise":
        assert np.abs(run.recording.state(0)["fsc_truth"][5:]).max() < 0.6
        assert first["loss"] > 0.5
    assert run.recording.row(-1)["loss_gap"] < first["loss_gap"] or start == "one-pass"


def test_odd_boxes_and_double_precision() -> None:
    _, run = run_of(SMALL.changed(box=17, dtype="float64", shift_pixel=1.0, ctf=True, prior="wiener", epochs=3.0))
    assert run.recording.row(-1)["loss_gap"] < 0.1 * run.recording.row(0)["loss_gap"]


def test_report(small: CryoemInputs) -> None:
    job = SMALL.changed(half_sets=True)
    _, run = open_job(job)
    empty = report_cryoem(job, run.recording)
    assert empty.outcome == "running"
    run.complete()
    report = report_job(job, run.recording)
    record = json.loads(report.to_json())
    assert record["schema"] == 1
    assert record["box"] == 16
    assert record["images"] == 120
    assert record["epochs"] == 2.0
    assert record["preconditioner"] == "hutchinson"
    assert len(record["shell_error"]) == len(record["fsc_truth"]) == len(record["fsc_half"]) == 8
    assert record["loss_gap"] > 0.0
    assert record["condition_number"] > 1.0
    assert record["steps"] == 8
    text = summarise("hutchinson", report)
    assert "barrel, 120 images of 16 pixels" in text
    assert "relative to the exact minimiser" in text


def test_devices_that_cannot_are_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(Exception, match="not available"):
            open_cryoem(SMALL.changed(device="cuda"))
    with pytest.raises(CryoemError, match="phantom"):
        load_inputs(SMALL.changed(phantom="nothing"))


@pytest.mark.shared_data
def test_point_is_found_where_relion_projected_it_from() -> None:
    """From 24 of RELION's projections with angles, shifts and CTF: (z, y, x) of the point is (32, 32, 49)."""
    folder = shared_data()
    assert folder is not None
    star = folder / "cryoem/simplecryoem_relion/relion_proj_batch_pfac2.star"
    job = CryoemJob(
        particles=str(star),
        batch=24,
        epochs=20.0,
        start="one-pass",
        preconditioner="row-sum",
        prior="wiener",
        device="cpu",
    )
    _, run = run_of(job)
    found = run.recording.state(-1)["map"]
    assert np.unravel_index(found.argmax(), found.shape) == (32, 32, 49)
    assert np.sort(found.ravel())[-2] < 0.7 * found.max()


@pytest.mark.shared_data
@pytest.mark.parametrize("preconditioner", ["hutchinson", "row-sum", "exact"])
def test_few_images_in_small_batches_do_not_blow_up(preconditioner: str) -> None:
    """Most coefficients are seen by few of 24 images: what one batch sees, the batches before did not."""
    folder = shared_data()
    assert folder is not None
    star = folder / "cryoem/simplecryoem_relion/relion_proj_batch.star"
    _, run = run_of(
        CryoemJob(particles=str(star), box=32, batch=5, epochs=6.0, preconditioner=preconditioner, device="cpu")  # type: ignore[arg-type]
    )
    assert run.recording.column("loss").max() < 1.5 * run.recording.row(0)["loss"]
    assert run.recording.row(-1)["loss_gap"] < 0.6 * run.recording.row(0)["loss_gap"]


def test_an_epoch_shows_unequal_half_sets_once() -> None:
    orders = batch_orders([39, 180], 100, [1, 2])
    assert [order.batches for order in orders] == [3, 3]
    for order, count in zip(orders, (39, 180), strict=True):
        order.advance()
        seen = []
        for _ in range(3):
            seen += order.rows().tolist()
            order.advance()
        assert sorted(seen) == list(range(count))
    assert [order.batches for order in batch_orders([500, 500], 100, [1, 2])] == [10, 10]
    assert [order.batches for order in batch_orders([2, 90], 20, [1, 2])] == [2, 5]
