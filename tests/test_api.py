"""`lieapp.align`: an alignment from Python, without a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lieapp
from lieapp.alignment.commands import job_from_options
from lieapp.alignment.spec import PRESETS
from lieapp.api import run_align
from lieapp.errors import LieAppError
from tests.alignment.small import LENGTH, write_pair


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return write_pair(tmp_path)


def test_result_has_everything(files: tuple[str, str]) -> None:
    result = lieapp.align(*files, optimizer="adam")
    report = result.report
    assert report.outcome == "converged"
    assert report.optimizer == "adam"
    assert report.pairs == LENGTH
    assert abs(report.gap) < 1e-6
    columns = result.columns
    assert len(columns["loss"]) == len(result.recording) == report.steps + 1
    assert isinstance(columns["gap"], np.ndarray)
    np.testing.assert_array_equal(columns["evaluations"], columns["step"])
    moved = result.inputs.mobile_points @ result.matrix[:3, :3].T + result.matrix[:3, 3]
    assert np.sqrt(((moved - result.inputs.target_points) ** 2).sum(axis=1).mean()) == pytest.approx(report.rmsd)
    assert "converged" in repr(result)
    assert report.settings["lr"] == 1.0


def test_options_and_settings_arrive(files: tuple[str, str]) -> None:
    path = Path(files[0])
    result = lieapp.align(path, files[1], optimizer="sgd", settings={"lr": 0.3}, steps=5, start="identity", seed=2)
    assert result.report.settings["lr"] == 0.3
    assert result.report.outcome == "limit"
    assert result.report.steps == 5
    assert result.job == job_from_options(*files, optimizer="sgd", set=["lr=0.3"], steps="5", start="identity", seed=2)


def test_same_job_gives_the_same_recording_bit_by_bit(files: tuple[str, str]) -> None:
    one = lieapp.align(*files, optimizer="adam", start="random", seed=3, objective="tm")
    two = run_align(one.job)
    for name, column in one.columns.items():
        if name != "seconds":
            np.testing.assert_array_equal(column, two.columns[name])
    np.testing.assert_array_equal(one.matrix, two.matrix)


def test_divergence_is_an_outcome_not_an_exception(files: tuple[str, str]) -> None:
    result = lieapp.align(*files, optimizer="sgd", settings={"lr": 50.0})
    assert result.report.outcome == "diverged"
    assert np.isfinite(result.matrix).all(), "the best pose is kept"


def test_a_walk_to_a_saddle_reports_the_saddle(files: tuple[str, str]) -> None:
    from lieapp.export.alignment_result import AlignmentResult

    result = lieapp.align(*files, optimizer="deo", settings={"mode": "reflect"}, steps=200)
    norms = result.recording.column("gradient_norm")
    best = result.recording.best
    assert result.report.outcome == "converged" and result.report.best_step == best
    assert norms[best] == norms[1:].min() < 1e-6
    assert result.report.rmsd == pytest.approx(result.recording.row(best)["rmsd"])
    assert result.report.rmsd > result.report.kabsch_rmsd + 1.0, "a saddle is not the best superposition"
    shown = AlignmentResult(result.job, result.inputs, result.recording, result.report, best)
    assert shown.pose_text == "pose of least gradient of the run"


def test_wrong_use_is_one_line(files: tuple[str, str]) -> None:
    with pytest.raises(LieAppError, match="no-such-file"):
        lieapp.align("no-such-file.pdb", files[1])
    with pytest.raises(LieAppError, match="no option 'colour'"):
        lieapp.align(*files, colour="red")
    with pytest.raises(LieAppError, match="lr"):
        lieapp.align(*files, settings={"lr": -1.0})


def test_an_optimiser_may_be_given_as_a_class(files: tuple[str, str]) -> None:
    import torch

    class_, name = (lieapp.landscape(optimizer=each, steps=5) for each in (torch.optim.SGD, "sgd"))
    assert class_.job == name.job
    assert lieapp.align(*files, optimizer=torch.optim.NAdam, steps=2).report.optimizer == "nadam"
    with pytest.raises(LieAppError, match="expected a name, such as 'sgd', or a class"):
        lieapp.landscape(optimizer=torch.optim.SGD([torch.zeros(2)], lr=1.0))


@pytest.mark.shared_data
def test_adenylate_kinase(structures_dir: Path) -> None:
    files = str(structures_dir / "adk" / "4AKE.pdb"), str(structures_dir / "adk" / "1AKE.pdb")
    result = lieapp.align(*files, optimizer="adam")
    assert result.report.outcome == "converged"
    assert result.report.evaluations <= 150
    assert result.report.rmsd == pytest.approx(7.130700, abs=1e-6)


@pytest.mark.shared_data
def test_why_centring_matters(structures_dir: Path) -> None:
    base = job_from_options(str(structures_dir / "adk" / "4AKE.pdb"), str(structures_dir / "adk" / "1AKE.pdb"))
    preset = PRESETS[0]
    gaps = {}
    for name, job in preset.jobs(base):
        limits = job.limits.model_copy(update={"evaluations": preset.evaluations})
        report = run_align(job.changed(limits=limits)).report
        gaps[name] = report.gap
        assert report.outcome != "diverged"
    assert gaps["SGD, local"] < 1e-6
    assert gaps["Adam, local"] < 1e-6
    assert gaps["SGD, raw se(3)"] > 5.0, "visibly does not converge"
