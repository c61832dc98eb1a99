"""Angles, rotations and the contrast transfer function: inverses, distributions, and formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from lieapp.cryoem.angles import (
    euler_to_matrix,
    matrix_to_euler,
    preferred_rotations,
    rotation_vector_to_matrix,
    uniform_rotations,
    view_directions,
)
from lieapp.cryoem.ctf import CtfParameters, contrast_transfer, electron_wavelength_angstrom
from lieapp.cryoem.errors import CryoemError

DEGREES = st.floats(-360.0, 360.0)


@given(DEGREES, DEGREES, DEGREES)
def test_matrices_come_back_through_angles(rot: float, tilt: float, psi: float) -> None:
    matrix = euler_to_matrix(rot, tilt, psi)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    found = matrix_to_euler(matrix)
    assert 0.0 <= found[1] <= 180.0
    assert np.allclose(euler_to_matrix(*found), matrix, atol=1e-6)


@pytest.mark.parametrize("tilt", [0.0, 180.0])
def test_poles_keep_the_matrix(tilt: float) -> None:
    matrix = euler_to_matrix(33.0, tilt, -70.0)
    found = matrix_to_euler(matrix)
    assert found[0] == 0.0
    assert np.allclose(euler_to_matrix(*found), matrix, atol=1e-12)


def test_angles_are_relions() -> None:
    """Rz(psi) Ry(tilt) Rz(rot) of frames, which is scipy's intrinsic zyz transposed."""
    rng = np.random.default_rng(0)
    angles = rng.uniform((-180, 0, -180), (180, 180, 180), (20, 3))
    expected = Rotation.from_euler("ZYZ", angles, degrees=True).as_matrix().transpose(0, 2, 1)
    assert np.allclose(euler_to_matrix(*angles.T), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-4, 1.0, 3.1])
def test_rotation_vectors(scale: float) -> None:
    vectors = scale * np.random.default_rng(1).standard_normal((20, 3)) / math.sqrt(3.0)
    assert np.allclose(rotation_vector_to_matrix(vectors), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-14)


def test_uniform_views_cover_the_sphere() -> None:
    rotations = uniform_rotations(20000, np.random.default_rng(2))
    assert np.allclose(rotations @ rotations.swapaxes(1, 2), np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(rotations), 1.0)
    views = view_directions(rotations)
    assert np.allclose(views.mean(0), 0.0, atol=0.02)
    assert np.allclose(views.T @ views / len(views), np.eye(3) / 3.0, atol=0.01)


def test_preferred_views_lie_about_the_axis() -> None:
    views = view_directions(preferred_rotations(20000, np.random.default_rng(3), fraction=0.9, spread_degrees=10.0))
    tilt = np.degrees(np.arccos(views[:, 2]))
    assert abs(np.mean(tilt < 30.0) - (0.9 + 0.1 * 0.067)) < 0.01
    near = tilt[tilt < 30.0]
    assert abs(np.sqrt(np.mean(near**2)) - 10.0) < 0.5
    assert np.abs(views[:, :2].mean(0)).max() < 0.01


def test_impossible_views_are_refused() -> None:
    with pytest.raises(ValueError, match="fraction"):
        preferred_rotations(3, np.random.default_rng(), fraction=1.2)
    with pytest.raises(ValueError, match="spread"):
        preferred_rotations(3, np.random.default_rng(), spread_degrees=0.0)


def test_wavelength_of_300_kilovolt() -> None:
    assert float(electron_wavelength_angstrom(300.0)) == pytest.approx(0.0196875, rel=1e-5)


def test_transfer_without_astigmatism() -> None:
    s = np.linspace(0.0, 0.3, 50)
    found = contrast_transfer(s, 0.0, defocus_u_angstrom=15000.0, voltage_kilovolt=200.0, amplitude_contrast=0.07)
    wave = 12.2643247 / math.sqrt(2e5 + 0.978466e-6 * 4e10)
    phase = math.pi * wave * 15000.0 * s**2 - 0.5 * math.pi * 2.7e7 * wave**3 * s**4
    assert np.allclose(found, math.sqrt(1 - 0.07**2) * np.sin(phase) + 0.07 * np.cos(phase), atol=1e-12)
    assert found[0] == pytest.approx(0.07)
    assert found[3] > found[0]  # positive: white particles


def test_astigmatism_points_along_its_angle() -> None:
    values = {"defocus_u_angstrom": 20000.0, "defocus_v_angstrom": 12000.0, "defocus_angle_degrees": 30.0}
    s, c, d = 0.05, math.cos(math.radians(30.0)), math.sin(math.radians(30.0))
    along = contrast_transfer(s * c, s * d, **values)
    across = contrast_transfer(-s * d, s * c, **values)
    assert along == pytest.approx(contrast_transfer(s, 0.0, defocus_u_angstrom=20000.0))
    assert across == pytest.approx(contrast_transfer(s, 0.0, defocus_u_angstrom=12000.0))


def test_phase_plate_turns_sine_into_cosine() -> None:
    found = contrast_transfer(
        0.1, 0.0, defocus_u_angstrom=0.0, phase_shift_degrees=90.0, spherical_aberration_millimetre=0
    )
    assert float(found) == pytest.approx(math.sqrt(0.99))


def test_parameters_of_particles() -> None:
    ctf = CtfParameters.build([1e4, 2e4, 3e4], amplitude_contrast=0.07)
    assert len(ctf) == 3
    assert np.array_equal(ctf.take([2, 0]).defocus_v_angstrom, [3e4, 1e4])
    values = ctf.transfer(np.array([0.01, 0.02]), np.zeros(2))
    assert values.shape == (3, 2)
    assert values[1, 1] == pytest.approx(
        float(contrast_transfer(0.02, 0.0, defocus_u_angstrom=2e4, amplitude_contrast=0.07))
    )
    with pytest.raises(ValueError, match="read-only"):
        ctf.defocus_u_angstrom[0] = 1.0


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"voltage_kilovolt": 0.0}, "voltage"),
        ({"amplitude_contrast": 1.5}, "amplitude"),
        ({"defocus_v_angstrom": [1.0, math.nan]}, "particle 2"),
    ],
)
def test_wrong_parameters_are_refused(changes: dict, word: str) -> None:
    with pytest.raises(CryoemError, match=word):
        CtfParameters.build([1e4, 2e4], **changes)
