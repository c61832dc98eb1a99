"""Every file of the shared folder is read, or refused in one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.reading import is_particle_name, read_particles
from lieapp.cryoem.writing import write_particles
from tests.conftest import shared_data
from tests.cryoem.particle_files import random_particles

FILES = sorted((folder / "cryoem").glob("*/*.*")) if (folder := shared_data()) else []

READ = {
    "rln_proj_65_centered.star": (4, 65, 1.0, False),
    "rln_proj_65_shifted.star": (4, 65, 1.0, False),
    "sample_particles_relion30.star": (17, 200, 1.338, True),
    "sample_particles_relion31.star": (17, 200, 1.4, True),
    "sample_relion_symmetry_group_D4.star": (17, 200, 1.338, True),
    "relion31.star": (5, 256, 2.806, True),
    "sta_testing_bin8.star": (219, 64, 1.96, True),
    "test_starfile.star": (3, 16, 12.0, True),
    "relion_proj_batch.star": (24, 64, 3.54, True),
    "relion_proj_batch_pfac2.star": (24, 64, 3.54, True),
}
"""Particles, box, pixel size in Å, whether there is a CTF."""

REFUSED = {
    "rln_proj_65.star": "says no pixel size, nor does the header of its stacks; give the pixel size",
    "sample.star": "line 12: is no STAR file",
    "sample_relion_one_image.star": "names sample_one_image.mrcs, which is not in",
    "FinalRefinement-OriginalParticles-PfCRT.star": "names Extract/job012/.*, which is not in",
    "empiar_10076_7.star": "has no poses .rlnAngleRot, rlnAngleTilt, rlnAnglePsi., and .*refine the particles",
    "empiar_10076_7.cs": "has no poses .alignments3D/pose., and .*refine the particles",
    "cryosparc_P12_J24_001_particles.cs": "names J19/extract/.*, which is not in",
    "pyem.star": "names pyem.mrc, which is not in",
    "pyem_onerow.star": "names pyem.mrc, which is not in",
    ".mrcs": "is a stack of images, whose poses are in another file; particles come as",
    ".mrc": "is a map, or images whose poses are in another file; particles come as",
    ".map": "is a map, or images whose poses are in another file; particles come as",
}
"""Words of the refusal, by name or ending."""


@pytest.mark.shared_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_real_file(path: Path) -> None:
    expected = READ.get(path.name)
    if expected is None:
        words = REFUSED.get(path.name) or REFUSED[path.suffix]
        with pytest.raises(CryoemError, match=words) as caught:
            read_particles(path)
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
        return
    found = read_particles(path)
    assert (len(found), found.box, found.pixel_size_angstrom, found.ctf is not None) == expected
    images = found.images[:]
    assert images.shape == (len(found), found.box, found.box)
    assert images.dtype == np.float32 and images.std() > 0
    assert found.source == str(path) and len(found.names) == len(found)


@pytest.mark.shared_data
def test_a_pixel_size_is_given() -> None:
    (path,) = (file for file in FILES if file.name == "rln_proj_65.star")
    found = read_particles(path, pixel_size_angstrom=5.0)
    assert (len(found), found.box, found.pixel_size_angstrom) == (5, 65, 5.0)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(CryoemError, match="the pixel size must be positive"):
            read_particles(path, pixel_size_angstrom=wrong)


def test_names_of_particle_files(tmp_path: Path) -> None:
    assert is_particle_name("a.star") and is_particle_name("B.CS")
    assert not is_particle_name("a.mrcs") and not is_particle_name("star")
    with pytest.raises(CryoemError, match="is no particle file"):
        read_particles(tmp_path / "a.txt")
    for name in ("none.star", "none.cs"):
        with pytest.raises(CryoemError, match="cannot be read"):
            read_particles(tmp_path / name)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), which=st.sampled_from(["p.star", "p.cs", "p.mrcs"]))
def test_damaged_files_are_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, which: str
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    particles = random_particles(count=3, box=4)
    write_particles(particles, folder, name="p")
    put_cryosparc(folder / "p.cs", particles)
    content = bytearray((folder / which).read_bytes())
    # The header and the first bytes of the values decide.
    for place in data.draw(st.lists(st.integers(0, min(len(content), 1100) - 1), max_size=6)):
        content[place] = data.draw(st.sampled_from([0, 10, 32, 35, 39, 40, 48, 57, 64, 91, 95, 127, 200, 255]))
    end = data.draw(st.sampled_from([None, None, 0, 100, 1024, -1]))
    (folder / which).write_bytes(bytes(content[:end]))
    for path in (folder / "p.star", folder / "p.cs"):
        try:
            found = read_particles(path)
            images = found.images[:]
        except CryoemError as error:
            assert "\n" not in str(error) and str(folder) in str(error)
        else:
            assert images.shape == (len(found), found.box, found.box)


def put_cryosparc(path: Path, particles: Particles) -> None:
    kinds = [("blob/path", "S8"), ("blob/idx", "u4"), ("blob/psize_A", "f4"), ("alignments3D/pose", "f4", 3)]
    table = np.zeros(len(particles), dtype=kinds)
    table["blob/path"], table["blob/idx"] = b"p.mrcs", np.arange(len(particles))
    table["blob/psize_A"] = particles.pixel_size_angstrom
    with open(path, "wb") as file:
        np.save(file, table)
