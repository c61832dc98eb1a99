"""A job knows the file that it was made with again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.maps import write_map
from lieapp.cryoem.spec import CryoemJob
from lieapp.cryoem.writing import write_particles
from lieapp.engine.job import job_from_json, open_job


def recorded(job: CryoemJob) -> CryoemJob:
    """Return the job as a recording of it keeps it."""
    _, run = open_job(job)
    kept = job_from_json(json.dumps(run.recording.metadata["job"]))
    assert isinstance(kept, CryoemJob)
    return kept


def test_particles_are_known_again(tmp_path: Path) -> None:
    star = write_particles(load_inputs(CryoemJob(box=16, images=12)).particles, tmp_path)
    job = recorded(CryoemJob(particles=str(star), batch=4))
    assert job.source_sha256 == hashlib.sha256(star.read_bytes()).hexdigest()
    assert len(load_inputs(job).particles) == 12
    star.write_bytes(star.read_bytes() + b"\n")
    with pytest.raises(CryoemError, match=r"particles\.star: the file has changed since this job was made \(SHA-256"):
        load_inputs(job)


def test_maps_that_are_simulated_are_known_again(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(16, 16, 16))
    path = write_map(tmp_path / "some.mrc", values, 2.0)
    job = recorded(CryoemJob(phantom=str(path), box=16, images=12, batch=4))
    write_map(path, values + 1.0, 2.0)
    with pytest.raises(CryoemError, match="has changed"):
        load_inputs(job)


def test_bundled_phantoms_have_none() -> None:
    assert recorded(CryoemJob(box=16, images=12, batch=4)).source_sha256 is None
