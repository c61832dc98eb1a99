"""RELION opens what LieApp writes and comes to the same map, and the other way round."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lieapp.cryoem.maps import read_map, write_map
from lieapp.cryoem.measurements import Measurements
from lieapp.cryoem.metrics import Shells
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import fourier_to_map, map_to_fourier
from lieapp.cryoem.preconditioners import exact_diagonal
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.reference import conjugate_gradients
from lieapp.cryoem.simulation import Simulation, project, simulate
from lieapp.cryoem.slices import gridding_envelope
from lieapp.cryoem.star import read_star
from lieapp.cryoem.writing import write_half_maps, write_particles

pytestmark = pytest.mark.peer("relion")

BOX, PIXEL = 32, 3.0
WHAT = Simulation(
    images=400, snr=np.inf, shift_pixel=1.5, defocus_angstrom=(1e4, 2.5e4), astigmatism_angstrom=800.0, seed=3
)


def run(folder: Path, program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip("peer: RELION is not installed")
    done = subprocess.run([path, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def phantom() -> np.ndarray:
    """Return 60 Gaussian blobs within a ball, without any symmetry."""
    rng = np.random.default_rng(4)
    line = np.arange(BOX) - BOX // 2
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    values = np.zeros((BOX, BOX, BOX))
    for _ in range(60):
        place = rng.normal(size=3)
        place *= 0.28 * BOX * rng.random() ** (1 / 3) / np.linalg.norm(place)
        squares = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
        values += rng.uniform(0.5, 1.5) * np.exp(-squares / (2 * 1.2**2))
    return values.astype(np.float32)


def reconstruct(particles: Particles) -> np.ndarray:
    """Return the map of least misfit, without the envelope that interpolating its spectrum leaves on it."""
    measurements = Measurements(particles)
    whole = measurements.batch()
    found = conjugate_gradients(whole.product, whole.backprojection(), exact_diagonal(measurements), iterations=25)
    return (fourier_to_map(found) * gridding_envelope(len(found))).numpy().astype(np.float32)


def shell_correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return Shells(BOX).correlation(*(map_to_fourier(torch.tensor(each)) for each in (first, second))).numpy()


def ball() -> np.ndarray:
    line = np.arange(BOX) - BOX // 2
    return line[:, None, None] ** 2 + line[:, None] ** 2 + line**2 < (0.45 * BOX) ** 2


def test_relion_reconstructs_what_lieapp_wrote(tmp_path: Path) -> None:
    """Poses, shifts, astigmatism and CTF; both programs see the same files.

    Measured: correlation 0.9991 in the ball, FSC 0.997 or more to shell 11, 0.978 at shell 14; the FSC of LieApp's map
    with the truth is 0.996 or more in every shell, that of RELION's map 0.916.
    """
    truth = phantom()
    path = write_particles(simulate(truth, PIXEL, WHAT), tmp_path)
    run(tmp_path, "relion_reconstruct", "--i", path.name, "--o", "relion.mrc", "--ctf")
    theirs = read_map(tmp_path / "relion.mrc")
    assert theirs.pixel_size_angstrom == (PIXEL, PIXEL, PIXEL)
    ours = reconstruct(read_particles(path))
    inside = ball()
    assert np.corrcoef(ours[inside], theirs.values[inside])[0, 1] > 0.998
    between = shell_correlations(ours, theirs.values)
    assert between[1:12].min() > 0.99 and between[:15].min() > 0.96
    assert shell_correlations(ours, truth).min() > 0.99
    assert (ours[inside] * truth[inside]).sum() / (truth[inside] ** 2).sum() == pytest.approx(1.0, abs=0.02)


def test_half_maps_and_their_correlation(tmp_path: Path) -> None:
    """Noisy images: RELION's maps of the half sets that LieApp wrote, and RELION's FSC of LieApp's half maps.

    Measured: correlation 0.968 in the ball, which holds the noise of both; FSC 0.99 or more where the half maps agree.
    """
    particles = simulate(phantom(), PIXEL, replace(WHAT, snr=2.0))
    path = write_particles(particles, tmp_path)
    halves = []
    for half in (1, 2):
        run(tmp_path, "relion_reconstruct", "--i", path.name, "--o", f"{half}.mrc", "--ctf", "--subset", str(half))
        theirs = read_map(tmp_path / f"{half}.mrc").values
        ours = reconstruct(particles.take(particles.half_set == half))
        assert np.corrcoef(ours[ball()], theirs[ball()])[0, 1] > 0.95
        assert shell_correlations(ours, theirs)[1:8].min() > 0.98
        halves.append(ours)
    first, second = write_half_maps(tmp_path, *halves, PIXEL)
    said = run(tmp_path, "relion_image_handler", "--i", first.name, "--fsc", second.name, "--angpix", str(PIXEL))
    (tmp_path / "fsc.star").write_text(said)
    (table,) = read_star(tmp_path / "fsc.star")
    between = shell_correlations(*halves)
    # The last shell reaches into the corners, which LieApp leaves out.
    np.testing.assert_allclose(
        between[:-1], table.numbers("rlnFourierShellCorrelation")[: len(between) - 1], atol=0.015
    )
    np.testing.assert_allclose(table.numbers("rlnAngstromResolution")[1:], BOX * PIXEL / np.arange(1, BOX // 2 + 1))


def test_lieapp_reads_and_reconstructs_what_relion_projected(tmp_path: Path) -> None:
    """RELION projects a map that LieApp wrote along poses that LieApp wrote, of two microscopes, with phase plates.

    Measured: images differ by less than 0.1 %; the map that LieApp makes of them has an FSC of 0.996 or more with the
    one that was projected.
    """
    truth = phantom()
    write_map(tmp_path / "map.mrc", truth, PIXEL)
    poses = simulate(truth, PIXEL, WHAT)
    assert poses.ctf is not None
    rng = np.random.default_rng(7)
    ctf = replace(
        poses.ctf,
        phase_shift_degrees=rng.uniform(0, 90, len(poses)),
        voltage_kilovolt=rng.choice([200.0, 300.0], len(poses)),
    )
    path = write_particles(replace(poses, ctf=ctf), tmp_path, name="poses")
    run(
        tmp_path, "relion_project", "--i", "map.mrc", "--o", "made", "--ang", path.name, "--ctf", "--angpix", str(PIXEL)
    )
    found = read_particles(tmp_path / "made.star")
    assert len(found) == len(poses) and found.pixel_size_angstrom == PIXEL
    ours = project(truth, poses.rotations, ctf=ctf, shifts_pixel=poses.shifts_pixel, pixel_size_angstrom=PIXEL)
    theirs = found.images[:]
    # What lies beyond the highest frequency that LieApp uses is not compared.
    shown = spectra_within(theirs)
    assert np.linalg.norm(spectra_within(ours) - shown) < 2e-3 * np.linalg.norm(shown)
    assert shell_correlations(reconstruct(found), truth).min() > 0.99


def spectra_within(images: np.ndarray) -> np.ndarray:
    line = np.fft.fftfreq(BOX, 1 / BOX)
    spectra = np.fft.fft2(np.fft.ifftshift(images, axes=(1, 2)))
    return spectra[:, np.hypot(line[:, None], line) <= BOX // 2 - 1]
