"""RELION's own projections: every convention of files, angles, shifts, CTF and maps at once, at all angles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lieapp.cryoem.maps import read_map
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import HalfPlane, map_to_fourier
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.simulation import project
from lieapp.cryoem.slices import SliceOperator
from tests.conftest import shared_data

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def folder() -> Path:
    found = shared_data()
    assert found is not None
    return found / "cryoem"


def spectra(images: np.ndarray) -> Tensor:
    return HalfPlane(images.shape[-1]).from_images(torch.as_tensor(images, dtype=torch.float64))


def correlations(first: Tensor, second: Tensor) -> Tensor:
    across = (first.conj() * second).real.sum(-1)
    return across / (first.abs().square().sum(-1) * second.abs().square().sum(-1)).sqrt()


def transfer(particles: Particles) -> Tensor:
    assert particles.ctf is not None
    plane = HalfPlane(particles.box)
    unit = 1 / (particles.box * particles.pixel_size_angstrom)
    return torch.as_tensor(particles.ctf.transfer(plane.kx.numpy() * unit, plane.ky.numpy() * unit))


@pytest.mark.parametrize(("name", "least"), [("relion_proj_batch", 0.988), ("relion_proj_batch_pfac2", 0.998)])
def test_projections_of_a_point(folder: Path, name: str, least: float) -> None:
    """A point 17 pixels along x from the centre, seen from 24 sides with shifts and CTF: by formula, not by slices."""
    particles = read_particles(folder / "simplecryoem_relion" / f"{name}.star")
    theirs = spectra(particles.images[:])
    plane = HalfPlane(particles.box)

    def formula(rotations: np.ndarray, shifts: np.ndarray) -> Tensor:
        seen = (rotations @ [17.0, 0.0, 0.0])[:, :2] - shifts
        return plane.shift_phases(torch.as_tensor(seen)) * transfer(particles)

    found = correlations(formula(particles.rotations, particles.shifts_pixel), theirs)
    assert found.min() > least
    # Any other reading of the angles and the shifts is far off.
    for rotations, shifts in (
        (particles.rotations.swapaxes(1, 2), particles.shifts_pixel),
        (particles.rotations, -particles.shifts_pixel),
        (particles.rotations.swapaxes(1, 2), -particles.shifts_pixel),
    ):
        assert correlations(formula(rotations, shifts), theirs).mean().abs() < 0.1


def test_slices_with_padding_2_are_those_of_relion(folder: Path) -> None:
    """The same interpolation of the same spectrum; of one point the correction is but a factor."""
    particles = read_particles(folder / "simplecryoem_relion" / "relion_proj_batch_pfac2.star")
    point = read_map(folder / "simplecryoem_relion" / "pointmass.mrc").values
    padded = np.pad(point, 32).astype(np.float64)
    plane = HalfPlane(64)
    operator = SliceOperator(plane, np.array(particles.rotations), padding=2, dtype=torch.float64)
    ours = operator.forward(map_to_fourier(torch.as_tensor(padded)))
    ours *= plane.shift_phases(torch.as_tensor(-particles.shifts_pixel)) * transfer(particles)
    found = correlations(ours, spectra(particles.images[:]))
    assert found.min() > 1 - 1e-7


def test_the_projector_is_that_of_relion(folder: Path) -> None:
    """With its correction for interpolation, also the scale."""
    particles = read_particles(folder / "simplecryoem_relion" / "relion_proj_batch_pfac2.star")
    point = read_map(folder / "simplecryoem_relion" / "pointmass.mrc").values
    ours = spectra(project(point, np.array(particles.rotations), ctf=particles.ctf, shifts_pixel=particles.shifts_pixel,
                           pixel_size_angstrom=particles.pixel_size_angstrom))  # fmt: skip
    theirs = spectra(particles.images[:])
    assert (ours - theirs).norm() < 1e-5 * theirs.norm()


def test_projections_of_a_ribosome(folder: Path) -> None:
    """RELION's projections of odd boxes are displaced by one pixel along x and y."""
    particles = read_particles(folder / "aspire" / "rln_proj_65.star", pixel_size_angstrom=5.0)
    ribosome = read_map(folder / "aspire" / "clean70SRibosome_vol_65p.mrc").values
    ours = project(ribosome, np.array(particles.rotations))
    theirs = np.roll(particles.images[:], (-1, -1), axis=(1, 2))
    errors = np.sqrt(((ours - theirs) ** 2).sum(axis=(1, 2)) / (theirs**2).sum(axis=(1, 2)))
    scales = (ours * theirs).sum(axis=(1, 2)) / (ours**2).sum(axis=(1, 2))
    assert errors.max() < 0.006
    np.testing.assert_allclose(scales, 1.0, atol=5e-4)


def test_shifted_images_are_rolled_ones(folder: Path) -> None:
    """Once by rolling pixels, once by phases: RELION's origin is where the centre must be moved from."""
    centred, shifted = (
        read_particles(folder / "aspire" / f"rln_proj_65_{name}.star") for name in ("centered", "shifted")
    )
    np.testing.assert_array_equal(centred.rotations, shifted.rotations)
    assert not centred.shifts_pixel.any()
    np.testing.assert_array_equal(shifted.shifts_pixel, [[6, 10], [10, -5], [-8, 11], [-13, -3]])
    plane = HalfPlane(65)
    moved = spectra(centred.images[:]) * plane.shift_phases(torch.as_tensor(-shifted.shifts_pixel))
    assert correlations(moved, spectra(shifted.images[:])).min() > 1 - 1e-6
    for image, (x, y), original in zip(shifted.images[:], shifted.shifts_pixel, centred.images[:], strict=True):
        rolled = np.roll(original, (-int(y), -int(x)), axis=(0, 1))
        assert np.corrcoef(image.ravel(), rolled.ravel())[0, 1] > 1 - 1e-6
