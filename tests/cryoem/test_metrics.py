"""Shells, correlations, resolutions and condition numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lieapp.cryoem.angles import uniform_rotations
from lieapp.cryoem.measurements import Measurements
from lieapp.cryoem.metrics import Shells, condition_numbers, resolution_angstrom, shell_frequencies
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import fourier_radii, make_hermitian

BOXES = pytest.mark.parametrize("box", [8, 9, 16])


def hermitian(box: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return make_hermitian(torch.randn((box, box, box), dtype=torch.complex128, generator=generator))


@BOXES
def test_shells_hold_every_coefficient_once(box: int) -> None:
    shells, radii = Shells(box), fourier_radii(box)
    for k in range(len(shells)):
        whole = int(((radii.round() == k) & (radii <= shells.radius)).sum())
        assert float(shells.count[k]) == whole


@BOXES
def test_correlation_is_that_over_the_full_sphere(box: int) -> None:
    shells, radii = Shells(box), fourier_radii(box)
    a, b = hermitian(box, 1), hermitian(box, 2)
    found, errors = shells.correlation(a, b), shells.error(a, b)
    for k in range(len(shells)):
        inside = (radii.round() == k) & (radii <= shells.radius)
        x, y = a[inside], b[inside]
        expected = (x * y.conj()).sum().real / (x.abs().square().sum() * y.abs().square().sum()).sqrt()
        assert float(found[k]) == pytest.approx(float(expected), abs=1e-12)
        assert float(errors[k]) == pytest.approx(
            float((x - y).abs().square().sum().sqrt() / y.abs().square().sum().sqrt())
        )
    assert torch.allclose(shells.correlation(a, 3.0 * a), torch.ones(len(shells), dtype=torch.float64))
    assert torch.equal(shells.correlation(a, 0.0 * a), torch.zeros(len(shells), dtype=torch.float64))


def test_values_of_shells_spread_over_the_volume() -> None:
    shells = Shells(8)
    volume = shells.spread(torch.arange(4.0))
    assert volume[4, 4, 4] == 0.0
    assert volume[4, 4, 6] == volume[2, 4, 4] == 2.0
    assert volume[0, 0, 0] == 3.0
    assert torch.allclose(shells.mean(volume), torch.arange(4.0).double())


def test_resolution_is_read_between_shells() -> None:
    curve = [1.0, 0.9, 0.7, 0.3, 0.1]
    assert resolution_angstrom(curve, 10, 2.0, 0.5) == pytest.approx(20.0 / 2.5)
    assert resolution_angstrom([1.0, 0.9, 0.8], 10, 2.0, 0.5) == 10.0
    assert resolution_angstrom([1.0, 0.1, 0.8], 10, 2.0, 0.5) == math.inf
    assert resolution_angstrom([1.0, 0.9, math.nan], 10, 2.0, 0.5) == 20.0
    assert np.allclose(shell_frequencies(3, 10, 2.0), [0.0, 0.05, 0.1])


def test_condition_number_exceeds_the_bound() -> None:
    """Each image sees the zero frequency, and a share of 3 / (4 R) of the others; scatter raises the ratio."""
    box, count = 24, 600
    rng = np.random.default_rng(0)
    particles = Particles(
        np.ones((count, box, box), np.float32), uniform_rotations(count, rng), np.zeros((count, 2)), 1.0
    )
    diagonal = Measurements(particles).batch().diagonal()
    shells = Shells(box)
    found = condition_numbers(diagonal, shells)
    assert found[0] == 1.0
    assert (np.diff(found) >= 0.0).all()
    assert (found[2:] > 4.0 * np.arange(2, len(shells)) / 3.0).all()
    assert found[-3] > 4.0 * (len(shells) - 3) / 3.0
    mean = shells.mean(diagonal)
    assert float(mean[4] / mean[8]) == pytest.approx(2.0, rel=0.15)  # falls as 1 / r


def test_unseen_coefficients_make_it_infinite() -> None:
    diagonal = torch.ones((8, 8, 8), dtype=torch.float64)
    diagonal[4, 4, 6] = 0.0
    found = condition_numbers(diagonal, Shells(8))
    assert found[1] == 1.0
    assert found[2] == math.inf
