"""What is written, read back here and by other readers."""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from gemmi import cif
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.cryoem.cropping import crop_particles
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.maps import read_map
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.writing import write_fsc, write_half_maps, write_particles, write_stack
from tests.conftest import shared_data
from tests.cryoem.particle_files import noise, random_particles


def check_same(found: Particles, expected: Particles) -> None:
    """Compare to the six digits of a STAR file."""
    np.testing.assert_array_equal(found.images[:], expected.images[:])
    np.testing.assert_allclose(found.rotations, expected.rotations, atol=3e-8)
    np.testing.assert_allclose(found.shifts_pixel, expected.shifts_pixel, atol=1e-6 / expected.pixel_size_angstrom)
    np.testing.assert_allclose(found.pixel_size_angstrom, expected.pixel_size_angstrom, atol=6e-7)
    np.testing.assert_array_equal(found.half_set, expected.half_set)
    assert (found.ctf is None) == (expected.ctf is None)
    if found.ctf is not None and expected.ctf is not None:
        for name in vars(expected.ctf):
            np.testing.assert_allclose(getattr(found.ctf, name), getattr(expected.ctf, name), atol=6e-7, err_msg=name)


@settings(deadline=None, max_examples=15)
@given(count=st.integers(1, 5), box=st.integers(2, 9), ctf=st.booleans(), seed=st.integers(0, 99))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, count: int, box: int, ctf: bool, seed: int
) -> None:
    particles = random_particles(count, box, ctf=ctf, seed=seed)
    folder = tmp_path_factory.mktemp("particles") / "new" / "folder"
    path = write_particles(particles, folder)
    check_same(read_particles(path), particles)
    assert sorted(each.name for each in folder.iterdir()) == ["particles.mrcs", "particles.star"]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["relion31", "sample_particles_relion31", "sample_particles_relion30", "test_starfile"]
)
def test_real_particles_are_written_and_read_back(tmp_path: Path, name: str) -> None:
    folder = shared_data()
    assert folder is not None
    (source,) = (folder / "cryoem").glob(f"*/{name}.star")
    particles = read_particles(source)
    check_same(read_particles(write_particles(particles, tmp_path, name=name)), particles)
    small = crop_particles(particles, 14)
    check_same(read_particles(write_particles(small, tmp_path, name="small")), small)


def test_other_readers_find_what_was_written(tmp_path: Path) -> None:
    particles = random_particles(count=6, box=8)
    path = write_particles(particles, tmp_path, name="set-1.all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mrcfile.validate(tmp_path / "set-1.all.mrcs")
    with mrcfile.open(tmp_path / "set-1.all.mrcs") as file:
        assert file.is_image_stack()
        np.testing.assert_array_equal(file.data, particles.images)
        assert (int(file.header.mode), int(file.header.ispg), int(file.header.mz)) == (2, 0, 1)
        np.testing.assert_allclose([file.voxel_size.x, file.voxel_size.y], 1.35, rtol=1e-6)
        assert file.header.label[0].startswith(b"Written by LieApp")
    document = cif.read(str(path))
    assert [block.name for block in document] == ["optics", "particles"]
    assert list(document[1].find_loop("_rlnImageName"))[1] == "000002@set-1.all.mrcs"
    assert all(list(block.find_loop("_rlnOpticsGroup")) for block in document)
    used = {int(value) for value in document[1].find_loop("_rlnOpticsGroup")}
    assert used == {int(value) for value in document[0].find_loop("_rlnOpticsGroup")}


def test_half_sets_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    particles = replace(random_particles(count=4), half_set=np.array([1, 2, 0, 1]))
    assert not read_particles(write_particles(particles, tmp_path)).half_set.any()


def test_statistics_of_a_stack_of_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lieapp.cryoem.writing._BATCH_BYTES", 2000)
    images = noise(50, 7, 7) + 3
    path = write_stack(tmp_path / "a.mrcs", images, 2.0)
    with mrcfile.open(path) as file:
        np.testing.assert_array_equal(file.data, images)
        np.testing.assert_allclose(
            [file.header.dmin, file.header.dmax, file.header.dmean, file.header.rms],
            [images.min(), images.max(), images.mean(), images.std()],
            rtol=1e-5,
        )


def test_half_maps_have_the_names_that_post_processing_expects(tmp_path: Path) -> None:
    halves = noise(2, 6, 6, 6)
    paths = write_half_maps(tmp_path, *halves, 1.31, name="run")
    assert [path.name for path in paths] == ["run_half1_class001_unfil.mrc", "run_half2_class001_unfil.mrc"]
    for path, half in zip(paths, halves, strict=True):
        found = read_map(path)
        np.testing.assert_array_equal(found.values, half)
        assert found.pixel_size_angstrom == (1.31, 1.31, 1.31) and found.origin_angstrom == (0.0, 0.0, 0.0)
    with pytest.raises(CryoemError, match=r"half maps of shapes"):
        write_half_maps(tmp_path, noise(4, 4, 4), noise(5, 5, 5), 1.0)


def test_correlations_by_shell(tmp_path: Path) -> None:
    path = write_fsc(
        tmp_path / "fsc.csv",
        {"fsc_half": [1.0, 0.9, 0.1], "fsc_truth": [1.0, 0.95, float("nan")]},
        box=32,
        pixel_size_angstrom=2.5,
    )
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["shell", "resolution_angstrom", "frequency_per_angstrom", "fsc_half", "fsc_truth"]
    assert [row["shell"] for row in rows] == ["0", "1", "2"]
    assert rows[0]["resolution_angstrom"] == "" and rows[2]["fsc_truth"] == ""
    assert float(rows[2]["resolution_angstrom"]) == 40.0 and float(rows[2]["frequency_per_angstrom"]) == 0.025
    assert [float(row["fsc_half"]) for row in rows] == [1.0, 0.9, 0.1]
    for wrong in ({"a": [1.0], "b": [1.0, 2.0]}, {"a": 1.0}, {}):
        with pytest.raises(CryoemError, match="expected one number for each shell"):
            write_fsc(tmp_path / "x.csv", wrong, box=4, pixel_size_angstrom=1.0)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    particles = random_particles(count=2)
    for name in ("", "a b", "a/b", "ü", "a@b"):
        with pytest.raises(CryoemError, match="cannot be the name of a stack"):
            write_particles(particles, tmp_path, name=name)
    (tmp_path / "file").write_text("")
    with pytest.raises(CryoemError, match="cannot be made"):
        write_particles(particles, tmp_path / "file")
    with pytest.raises(CryoemError, match="cannot be written"):
        write_stack(tmp_path / "nowhere" / "a.mrcs", particles.images, 1.0)
    with pytest.raises(CryoemError, match="no images"):
        write_stack(tmp_path / "a.mrcs", particles.images[:0], 1.0)
    with pytest.raises(CryoemError, match="cannot be written"):
        write_fsc(tmp_path / "nowhere" / "a.csv", {"fsc": [1.0]}, box=4, pixel_size_angstrom=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
