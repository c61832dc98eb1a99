"""Cropping in Fourier space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lieapp.cryoem.cropping import crop_images, crop_particles
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.writing import write_particles
from tests.cryoem.particle_files import noise, random_particles

BOXES = [(16, 8), (16, 9), (17, 8), (17, 9), (16, 15), (17, 16), (9, 2), (8, 3)]


def waves(box: int, highest: int) -> np.ndarray:
    """Return three images of the same continuous scene, of waves no shorter than box / highest, about its centre."""
    rng = np.random.default_rng(5)
    line = (np.arange(box) - box // 2) / box
    images = np.full((3, box, box), 0.7)
    for ky in range(-highest, highest + 1):
        for kx in range(highest + 1):
            phase = 2 * np.pi * (ky * line[:, None] + kx * line)
            a, b = rng.normal(size=(2, 3, 1, 1))
            images += a * np.cos(phase) + b * np.sin(phase)
    return images


@pytest.mark.parametrize(("box", "small"), BOXES)
def test_a_scene_without_fine_detail_is_sampled_less_often(box: int, small: int) -> None:
    highest = (small - 1) // 2
    np.testing.assert_allclose(crop_images(waves(box, highest), small), waves(small, highest), atol=2e-5)


@pytest.mark.parametrize(("box", "small"), BOXES)
def test_fine_detail_is_gone_and_nothing_else(box: int, small: int) -> None:
    images = waves(box, (box - 1) // 2)
    cropped = crop_images(images, small)
    np.testing.assert_allclose(cropped.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-5)
    k = (small - 1) // 2
    theirs = np.fft.fft2(np.fft.ifftshift(images, axes=(1, 2))) / box**2
    ours = np.fft.fft2(np.fft.ifftshift(cropped, axes=(1, 2))) / small**2
    for ky in range(-k, k + 1):
        np.testing.assert_allclose(ours[:, ky, : k + 1], theirs[:, ky, : k + 1], atol=1e-5)
    if small % 2 == 0:
        assert np.abs(ours[:, small // 2]).max() < 1e-5


def test_batches_single_images_and_the_same_box() -> None:
    images = noise(150, 10, 10)
    cropped = crop_images(images, 6)
    assert cropped.dtype == np.float32
    np.testing.assert_array_equal(crop_images(images[149], 6), cropped[149])
    np.testing.assert_array_equal(crop_images(images.reshape(3, 50, 10, 10), 6), cropped.reshape(3, 50, 6, 6))
    np.testing.assert_array_equal(crop_images(images, 10), images)


def test_particles_keep_their_place_in_angstroms(tmp_path: Path) -> None:
    particles = random_particles(count=7, box=12)
    cropped = crop_particles(particles, 8)
    assert cropped.box == 8 and cropped.pixel_size_angstrom == pytest.approx(1.35 * 1.5)
    np.testing.assert_allclose(
        cropped.shifts_pixel * cropped.pixel_size_angstrom, particles.shifts_pixel * particles.pixel_size_angstrom
    )
    np.testing.assert_array_equal(cropped.rotations, particles.rotations)
    assert cropped.ctf is particles.ctf
    assert crop_particles(particles, 12) is particles
    # Of a stack in a file nothing is read until it is asked for.
    path = write_particles(particles, tmp_path)
    lazy = crop_particles(read_particles(path), 8)
    assert not isinstance(lazy.images, np.ndarray) and lazy.images.shape == (7, 8, 8) and len(lazy.images) == 7
    np.testing.assert_array_equal(lazy.images[:], cropped.images)
    np.testing.assert_array_equal(lazy.images[3], cropped.images[3])
    np.testing.assert_array_equal(lazy.take([5, 2]).images[:], cropped.images[[5, 2]])
    twice = crop_particles(lazy, 4)
    np.testing.assert_allclose(twice.images[:], crop_images(particles.images, 4), atol=1e-6)


@pytest.mark.parametrize("box", [0, 1, 13, -4])
def test_boxes_that_cannot_be(box: int) -> None:
    with pytest.raises(CryoemError, match="the box must be 2 to 12 pixels"):
        crop_particles(random_particles(box=12), box)
    with pytest.raises(CryoemError, match="must be square"):
        crop_images(noise(3, 4, 5), 2)
    with pytest.raises(CryoemError, match="must be square"):
        crop_images(noise(5), 2)
