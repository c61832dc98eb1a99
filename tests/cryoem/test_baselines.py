"""What stands beside the runs, against the fits and the runs themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lieapp.cryoem.baselines import fill_section, measure_baselines
from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.problem import open_cryoem
from lieapp.cryoem.spec import CryoemJob
from lieapp.engine.job import OptimizerChoice

SMALL = {"box": 16, "images": 60, "batch": 20}


def test_baselines_are_those_of_the_fits() -> None:
    job = CryoemJob(**SMALL)
    inputs = load_inputs(job)
    found = measure_baselines(job, inputs)
    fit = inputs.fits(job, torch.device("cpu"))[0]
    assert found.minimiser is not None and found.truth is not None
    assert found.minimiser.loss_gap == pytest.approx(0.0, abs=1e-7)
    assert found.one_pass.loss_gap == pytest.approx(fit.gap(fit.one_pass), rel=1e-6)
    assert found.one_pass.loss_gap > 1e-3
    assert np.abs(found.minimiser.shell_error).max() < 1e-6
    assert np.array_equal(found.condition_numbers, fit.condition_numbers())
    # The truth lies within what the images hold, so it correlates with itself as far as that reaches.
    assert found.one_pass.fsc_truth[:4].min() > 0.8
    assert np.corrcoef(found.truth.ravel(), inputs.truth.ravel())[0, 1] > 0.85
    assert np.allclose(np.linalg.norm(found.views, axis=1), 1.0)


def test_a_run_from_the_one_pass_reconstruction_starts_at_its_line() -> None:
    job = CryoemJob(**SMALL, start="one-pass", epochs=0.5, optimizer=OptimizerChoice(name="sgd"))
    inputs = load_inputs(job)
    found = measure_baselines(job, inputs)
    _, run = open_cryoem(job, inputs)
    for _ in run:
        pass
    assert run.recording.row(0)["loss_gap"] == pytest.approx(found.one_pass.loss_gap, rel=1e-4)
    assert np.allclose(run.recording.state(0)["map"], found.one_pass.map, atol=1e-4)


@pytest.mark.parametrize("box", [16, 17])
@pytest.mark.parametrize("ctf", [False, True])
def test_the_filled_section_is_the_plane_of_the_row_sums(box: int, ctf: bool) -> None:
    job = CryoemJob(box=box, images=40, batch=10, ctf=ctf)
    inputs = load_inputs(job)
    found = measure_baselines(job, inputs)
    fit = inputs.fits(job, torch.device("cpu"))[0]
    sums = (fit.row_sums * fit.curvature)[:, box // 2].numpy()
    assert found.filled.tolist() == [0, 10, 20, 30, 40]
    assert not found.filling[0].any() and (np.diff(found.filling, axis=0) >= -1e-6).all()
    line = np.arange(box) - box // 2
    inner = np.hypot(line[:, None], line) <= box // 2 - 3  # at the rim slices leave the ball that is used
    assert np.abs(found.filling[-1] - sums)[inner].max() < 1e-4 * sums.max()


def test_half_sets_are_filled_together() -> None:
    job = CryoemJob(**SMALL, half_sets=True)
    inputs = load_inputs(job)
    found = measure_baselines(job, inputs)
    assert found.filled.tolist() == [0, 20, 40, 60]
    whole, _ = fill_section(inputs.particles, [np.arange(60)])
    assert np.allclose(found.filling[-1], whole[-1], atol=1e-5)
