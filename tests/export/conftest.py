"""One real alignment for the tests of everything that leaves the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from lieapp.alignment.inputs import AlignInputs
from lieapp.alignment.spec import AlignJob
from lieapp.export.alignment_result import AlignmentResult
from tests.conftest import PROJECT, shared_data


@pytest.fixture(scope="session")
def adk() -> AlignmentResult:
    """4AKE chain A on 1AKE chain A by Adam; tests that use it carry the marker ``shared_data``."""
    import lieapp

    folder = shared_data()
    assert folder is not None
    files = [str(folder / "structures" / "adk" / f"{name}.pdb") for name in ("4AKE", "1AKE")]
    done = lieapp.align(*files, optimizer="adam")
    return AlignmentResult(done.job, done.inputs, done.recording, done.report, done.recording.best)


@pytest.fixture(scope="session")
def exported(adk: AlignmentResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that export_alignment writes for it."""
    from lieapp.export.alignment_bundle import export_alignment

    folder = tmp_path_factory.mktemp("export") / "a folder with blanks"
    export_alignment(folder, adk.job, adk.inputs, adk.recording, adk.report)
    return folder


@pytest.fixture(scope="session")
def race() -> list[AlignmentResult]:
    """The bundled pair by Adam, by SGD, and by Adam once more on se(3)."""
    from lieapp.alignment.commands import job_from_options
    from lieapp.alignment.inputs import load_inputs

    files = [str(PROJECT / "resources" / "examples" / f"hinge_{form}.pdb") for form in ("open", "closed")]
    jobs = [
        job_from_options(*files, optimizer=name, **options)
        for name, options in (("adam", {}), ("sgd", {}), ("adam", {"parametrisation": "se3"}))
    ]
    inputs = load_inputs(jobs[0])
    return [result_of_job(job, inputs) for job in jobs]


@pytest.fixture(scope="session")
def hinge(race: list[AlignmentResult]) -> AlignmentResult:
    """The bundled pair by Adam."""
    return race[0]


def result_of_job(job: AlignJob, inputs: AlignInputs) -> AlignmentResult:
    """Run a job to its end."""
    from lieapp.api import run_align

    done = run_align(job, inputs)
    return AlignmentResult(done.job, done.inputs, done.recording, done.report, done.recording.best)
