"""The job of a reconstruction: defaults, presets, JSON, and recommended settings."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from lieapp.cryoem.recommended import recommended
from lieapp.cryoem.spec import PRESETS, CryoemJob, named_settings, steps_per_epoch, to_command
from lieapp.engine.job import job_from_json, job_to_json
from lieapp.optimizers.settings import SETTINGS, settings_for


def test_no_torch_is_loaded() -> None:
    code = (
        "import sys; from lieapp.cryoem.spec import CryoemJob, PRESETS; import lieapp.cryoem.commands; "
        "import lieapp.cryoem.report; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_jobs_that_json_keeps(preset) -> None:  # type: ignore[no-untyped-def]
    jobs = preset.jobs(CryoemJob())
    assert [name for name, _ in jobs] == ["SGD", "Hutchinson", "Row sum"]
    for _, job in jobs:
        assert job_from_json(job_to_json(job)) == job
        assert named_settings(job) is not None
        assert to_command(job).startswith("lieapp cryoem ")
    # What entrants share: images, batches and start.
    images = {name: {job.model_dump_json(exclude={"optimizer", "preconditioner"})} for name, job in jobs}
    assert len(set.union(*images.values())) == 1


@pytest.mark.parametrize("name", settings_for("cryoem"))
@pytest.mark.parametrize("preconditioner", ["none", "exact", "row-sum", "hutchinson"])
def test_recommended_settings_exist(name: str, preconditioner: str) -> None:
    SETTINGS[name]().updated(recommended(name, preconditioner, 64, 20))


def test_recommended_rates_follow_the_preconditioner() -> None:
    rates = {kind: recommended("preconditioned-sgd", kind)["lr"] for kind in ("none", "exact", "row-sum", "hutchinson")}
    assert rates == {"none": 1.0, "exact": 0.3, "row-sum": 1.0, "hutchinson": 0.3}
    assert recommended("adam", box=64)["lr"] < recommended("adam", box=32)["lr"]
    assert recommended("unknown") == {}


@pytest.mark.parametrize(
    "wrong",
    [{"box": 4}, {"snr": 0.0}, {"defocus_angstrom": (2e4, 1e4)}, {"epochs": 0.0}, {"views": "some"}, {"speed": 1}],
)
def test_wrong_jobs_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        CryoemJob(**wrong)


@pytest.mark.parametrize(("images", "batch", "steps"), [(1000, 100, 10), (101, 100, 2), (3, 100, 1), (7, 2, 4)])
def test_batches_of_an_epoch(images: int, batch: int, steps: int) -> None:
    assert steps_per_epoch(images, batch) == steps
