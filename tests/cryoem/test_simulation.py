"""Phantoms and simulated particles: what a seed fixes, noise, shifts, CTF, and maps from files and structures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.maps import write_map
from lieapp.cryoem.phantoms import PHANTOMS, density_of_atoms, flatten_spectrum, load_phantom, resample_map
from lieapp.cryoem.simulation import Simulation, simulate
from lieapp.paths import resource

FEW = Simulation(images=20)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return load_phantom("barrel", 24).values


@pytest.mark.parametrize("name", PHANTOMS)
@pytest.mark.parametrize("box", [16, 17])
def test_phantoms_fill_their_box(name: str, box: int) -> None:
    phantom = load_phantom(name, box)
    assert phantom.values.shape == (box, box, box)
    assert phantom.values.dtype == np.float32
    line = np.arange(box) - box // 2
    radii = np.sqrt(line[:, None, None] ** 2 + line[:, None] ** 2 + line**2)
    inside = phantom.values[radii < 0.4 * box].sum() / phantom.values.sum()
    assert inside > 0.99
    assert phantom.values[radii > 0.2 * box].sum() > 0.1 * phantom.values.sum()


def test_same_particle_at_twice_the_resolution() -> None:
    coarse, fine = load_phantom("globule", 16), load_phantom("globule", 32)
    assert fine.pixel_size_angstrom == pytest.approx(0.5 * coarse.pixel_size_angstrom)
    assert fine.values.sum() == pytest.approx(coarse.values.sum(), rel=0.02)


def test_atoms_lie_where_they_are() -> None:
    density = density_of_atoms(np.array([[4.0, -2.0, 6.0]]), 16, 2.0)
    z, y, x = np.unravel_index(density.argmax(), density.shape)
    assert (z - 8, y - 8, x - 8) == (3, -1, 2)


def test_structures_and_maps_are_phantoms(tmp_path: Path) -> None:
    structure = load_phantom(str(resource("examples/hinge_open.pdb")), 16)
    assert structure.values.max() > 0.0
    path = write_map(tmp_path / "map.mrc", load_phantom("bundle", 20).values, 3.0)
    found = load_phantom(str(path), 16)
    assert found.values.shape == (16, 16, 16)
    assert found.pixel_size_angstrom == pytest.approx(60.0 / 16)


@pytest.mark.parametrize(("old", "new"), [(16, 12), (16, 11), (15, 10), (12, 20)])
def test_resampling_keeps_smooth_maps(old: int, new: int) -> None:
    def bump(box: int) -> np.ndarray:
        line = (np.arange(box) - box // 2) * 48.0 / box
        z, y, x = np.meshgrid(line, line, line, indexing="ij")
        return np.exp(-0.5 * ((x - 3.0) ** 2 + (y + 2.0) ** 2 + z**2) / 49.0).astype(np.float32)

    assert np.allclose(resample_map(bump(old), new), bump(new), atol=0.02)


def test_flattening_evens_out_the_shells(values: np.ndarray) -> None:
    flat = flatten_spectrum(values, 1.0)
    amplitude = np.abs(np.fft.fftn(flat))
    line = np.fft.fftfreq(24, 1 / 24) ** 2
    shell = np.rint(np.sqrt(line[:, None, None] + line[:, None] + line)).astype(int)
    rms = [np.sqrt(np.mean(amplitude[shell == k] ** 2)) for k in range(1, 11)]
    assert max(rms) < 1.01 * min(rms)
    assert flatten_spectrum(values, 0.0) is values


def test_what_is_no_phantom_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CryoemError, match="barrel"):
        load_phantom("nothing", 16)
    with pytest.raises(CryoemError, match="does not fit"):
        load_phantom("barrel", 16, 1.0)


def test_a_seed_fixes_everything_and_noise_changes_nothing_else(values: np.ndarray) -> None:
    first, again = simulate(values, 4.0, FEW), simulate(values, 4.0, FEW)
    assert np.array_equal(first.images[:], again.images[:])
    quiet = simulate(values, 4.0, replace(FEW, snr=100.0))
    assert np.array_equal(first.rotations, quiet.rotations)
    other = simulate(values, 4.0, replace(FEW, seed=1))
    assert not np.allclose(first.rotations, other.rotations)
    assert sorted(np.bincount(first.half_set)[1:]) == [10, 10]


@pytest.mark.parametrize("snr", [0.1, 1.0])
def test_noise_has_the_asked_ratio(values: np.ndarray, snr: float) -> None:
    noisy = simulate(values, 4.0, replace(FEW, images=60, snr=snr)).images[:]
    clean = simulate(values, 4.0, replace(FEW, images=60, snr=np.inf)).images[:]
    signal = clean.var(axis=(1, 2)).mean()
    assert (noisy - clean).var() == pytest.approx(signal / snr, rel=0.02)


def test_shifts_are_minus_the_origins(values: np.ndarray) -> None:
    still = simulate(values, 4.0, replace(FEW, snr=np.inf))
    moved = simulate(values, 4.0, replace(FEW, snr=np.inf, shift_pixel=1.5))
    weights = np.arange(24) - 12
    for k in range(3):
        total = still.images[k].sum()
        before = np.array([(still.images[k].sum(0) * weights).sum(), (still.images[k].sum(1) * weights).sum()]) / total
        after = np.array([(moved.images[k].sum(0) * weights).sum(), (moved.images[k].sum(1) * weights).sum()]) / total
        assert np.allclose(after - before, -moved.shifts_pixel[k], atol=0.2)


def test_optics_are_drawn_in_their_range(values: np.ndarray) -> None:
    what = replace(FEW, defocus_angstrom=(9000.0, 21000.0), astigmatism_angstrom=300.0)
    particles = simulate(values, 4.0, what)
    assert particles.ctf is not None
    mean = 0.5 * (particles.ctf.defocus_u_angstrom + particles.ctf.defocus_v_angstrom)
    assert (mean >= 9000.0).all()
    assert (mean <= 21000.0).all()
    assert (particles.ctf.defocus_u_angstrom >= particles.ctf.defocus_v_angstrom).all()


def test_impossible_simulations_are_refused(values: np.ndarray) -> None:
    with pytest.raises(CryoemError, match="image"):
        simulate(values, 4.0, replace(FEW, images=0))
    with pytest.raises(CryoemError, match="ratio"):
        simulate(values, 4.0, replace(FEW, snr=0.0))
    with pytest.raises(CryoemError, match="cubic"):
        simulate(values[:-1], 4.0, FEW)
    with pytest.raises(CryoemError, match="constant"):
        simulate(np.zeros_like(values), 4.0, FEW)
