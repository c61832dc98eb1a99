"""Projections for the eye are those of the simulation."""

from __future__ import annotations

import numpy as np
import pytest

from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.reprojection import reproject
from lieapp.cryoem.simulation import project
from lieapp.cryoem.spec import CryoemJob


@pytest.mark.parametrize("box", [16, 17])
def test_they_are_those_of_the_simulation(box: int) -> None:
    inputs = load_inputs(CryoemJob(box=box, images=4, ctf=True, shift_pixel=1.5))
    particles, pixel = inputs.particles, inputs.pixel_size_angstrom
    assert particles.ctf is not None and inputs.truth is not None
    simulated = project(
        inputs.truth,
        particles.rotations,
        ctf=particles.ctf,
        shifts_pixel=particles.shifts_pixel,
        pixel_size_angstrom=pixel,
    )
    for place in range(4):
        shown = reproject(
            inputs.truth,
            particles.rotations[place],
            ctf=particles.ctf.take([place]),
            shift_pixel=particles.shifts_pixel[place],
            pixel_size_angstrom=pixel,
        )
        np.testing.assert_allclose(shown, simulated[place], atol=2e-5 * np.abs(simulated).max())


def test_a_map_seen_along_its_axis_is_its_sum() -> None:
    values = np.zeros((16, 16, 16), dtype=np.float32)
    values[6:10, 5:9, 7:12] = 1.0
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(values.sum(axis=0))))
    line = np.arange(16) - 8
    spectrum[line[:, None] ** 2 + line**2 > 49] = 0.0
    expected = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(spectrum)).real)
    # What makes up for the interpolation is not needed where slices meet the grid: some per cent.
    np.testing.assert_allclose(reproject(values, np.eye(3)), expected, atol=0.06 * expected.max())
