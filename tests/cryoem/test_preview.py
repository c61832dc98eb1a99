"""What is seen before a run is what the run works on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.preview import preview_of
from lieapp.cryoem.spec import CryoemJob
from lieapp.cryoem.writing import write_particles


@pytest.mark.parametrize("changes", [{}, {"ctf": True, "views": "preferred", "shift_pixel": 1.0, "snr": 4.0}])
def test_simulated_images_are_those_of_the_run(changes: dict) -> None:
    job = CryoemJob(box=16, images=80, seed=3, **changes)
    inputs, preview = load_inputs(job), preview_of(job, 9)
    assert preview.images == 80 and preview.views.shape == (80, 3) and len(preview.particles) == 9
    assert preview.box == 16 and preview.pixel_size_angstrom == inputs.pixel_size_angstrom
    assert preview.truth is not None and inputs.truth is not None
    assert np.array_equal(preview.truth, inputs.truth)
    first = inputs.particles.take(slice(9))
    assert np.array_equal(preview.particles.rotations, first.rotations)
    assert np.array_equal(preview.particles.shifts_pixel, first.shifts_pixel)
    shown, expected = np.asarray(preview.particles.images), np.asarray(first.images)
    # The noise is as strong as that of nine images of this signal, not of eighty.
    assert np.linalg.norm(shown - expected) < 0.1 * np.linalg.norm(expected)


def test_without_noise_they_are_the_same() -> None:
    job = CryoemJob(box=16, images=10, snr=1e12)
    expected = np.asarray(load_inputs(job).particles.images)[:4]
    np.testing.assert_allclose(preview_of(job, 4).particles.images, expected, atol=1e-4 * np.abs(expected).max())


def test_images_that_are_read_are_those_of_the_run(tmp_path: Path) -> None:
    star = write_particles(load_inputs(CryoemJob(box=24, images=30, ctf=True)).particles, tmp_path / "some.star")
    job = CryoemJob(particles=str(star), images=20, box=16, seed=1)
    inputs, preview = load_inputs(job), preview_of(job, 5)
    assert preview.truth is None and preview.images == 20 and preview.views.shape == (20, 3)
    assert np.array_equal(preview.particles.images, inputs.particles.images[:5])
    assert preview.pixel_size_angstrom == pytest.approx(1.5 * load_inputs(CryoemJob(box=24)).pixel_size_angstrom)
    few = preview_of(job.changed(images=3), 5)
    assert len(few.particles) == 3
