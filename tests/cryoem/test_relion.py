"""RELION's particle files of versions 3.0, 3.1 and 5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lieapp.cryoem.angles import euler_to_matrix
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.relion import read_relion
from tests.conftest import shared_data
from tests.cryoem.particle_files import noise, put_stack

OPTICS = {
    "rlnOpticsGroup": ["1", "2"],
    "rlnOpticsGroupName": ["one", "two"],
    "rlnVoltage": ["300.0", "200.0"],
    "rlnSphericalAberration": ["2.7", "1.4"],
    "rlnAmplitudeContrast": ["0.1", "0.07"],
    "rlnImagePixelSize": ["1.5", "1.5"],
    "rlnImageSize": ["8", "8"],
    "rlnImageDimensionality": ["2", "2"],
}
PARTICLES = {
    "rlnImageName": ["2@stack.mrcs", "000001@stack.mrcs", "3@stack.mrcs"],
    "rlnOpticsGroup": ["2", "1", "2"],
    "rlnAngleRot": ["10.0", "-120.0", "77.0"],
    "rlnAngleTilt": ["35.0", "95.0", "160.0"],
    "rlnAnglePsi": ["-20.0", "140.0", "5.0"],
    "rlnOriginXAngst": ["3.0", "-1.5", "0.0"],
    "rlnOriginYAngst": ["0.75", "6.0", "-3.0"],
    "rlnDefocusU": ["12000", "15000", "18000"],
    "rlnDefocusV": ["11000", "15500", "17000"],
    "rlnDefocusAngle": ["10", "20", "30"],
    "rlnPhaseShift": ["0", "45", "90"],
    "rlnRandomSubset": ["1", "2", "1"],
}
OLD = {
    name: column for name, column in PARTICLES.items() if not name.endswith("Angst") and name != "rlnOpticsGroup"
} | {
    "rlnOriginX": ["2.0", "-1.0", "0.0"],
    "rlnOriginY": ["0.5", "4.0", "-2.0"],
    "rlnVoltage": ["200", "300", "200"],
    "rlnSphericalAberration": ["1.4", "2.7", "1.4"],
    "rlnAmplitudeContrast": ["0.07", "0.1", "0.07"],
    "rlnMagnification": ["30000"] * 3,
    "rlnDetectorPixelSize": ["4.5"] * 3,
}
"""The same particles as version 3.0 had them."""

Columns = dict[str, list[str]]


def without(columns: Columns, *names: str) -> Columns:
    return {name: column for name, column in columns.items() if name not in names}


def put(folder: Path, tables: dict[str, Columns], *, stack: bool = True, name: str = "run_data.star") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = ""
    for block, columns in tables.items():
        text += f"\ndata_{block}\n\nloop_\n" + "".join(f"_{name} #{k}\n" for k, name in enumerate(columns, 1))
        text += "".join(" ".join(row) + "\n" for row in zip(*columns.values(), strict=True))
    path = folder / name
    path.write_text(text)
    if stack:
        put_stack(folder / "stack.mrcs", noise(3, 8, 8), 1.0)
    return path


@pytest.mark.parametrize(
    "tables",
    [
        {"optics": OPTICS, "particles": PARTICLES},
        {"particles": PARTICLES, "optics": OPTICS},
        {"optics": OPTICS | {"rlnOddZernike": ["[0.1,-0.2,0.3]", "[]"]}, "particles": PARTICLES},
        {"": OLD},
        {"images": OLD},
        {"model_class_1": OLD},
        # Columns that both versions have: the newer ones count.
        {"optics": OPTICS, "particles": PARTICLES | {"rlnOriginX": ["9"] * 3, "rlnDetectorPixelSize": ["9"] * 3}},
    ],
    ids=["3.1", "optics last", "5", "3.0", "images", "class", "mixed"],
)
def test_every_version_gives_the_same_particles(tmp_path: Path, tables: dict[str, Columns]) -> None:
    found = read_relion(put(tmp_path, tables))
    assert found.pixel_size_angstrom == 1.5
    np.testing.assert_array_equal(found.images[:], noise(3, 8, 8)[[1, 0, 2]])
    np.testing.assert_allclose(found.rotations, euler_to_matrix([10, -120, 77], [35, 95, 160], [-20, 140, 5]))
    np.testing.assert_allclose(found.shifts_pixel, [[2, 0.5], [-1, 4], [0, -2]], atol=1e-12)
    assert found.half_set.tolist() == [1, 2, 1]
    assert found.names == tuple(PARTICLES["rlnImageName"])
    assert found.ctf is not None
    assert found.ctf.defocus_u_angstrom.tolist() == [12000, 15000, 18000]
    assert found.ctf.defocus_v_angstrom.tolist() == [11000, 15500, 17000]
    assert found.ctf.defocus_angle_degrees.tolist() == [10, 20, 30]
    assert found.ctf.phase_shift_degrees.tolist() == [0, 45, 90]
    assert found.ctf.voltage_kilovolt.tolist() == [200, 300, 200]
    assert found.ctf.spherical_aberration_millimetre.tolist() == [1.4, 2.7, 1.4]
    assert found.ctf.amplitude_contrast.tolist() == [0.07, 0.1, 0.07]


def test_what_is_missing_is_left_out(tmp_path: Path) -> None:
    bare = without(PARTICLES, "rlnDefocusU", "rlnDefocusV", "rlnRandomSubset", "rlnOriginXAngst", "rlnOriginYAngst")
    found = read_relion(put(tmp_path, {"optics": OPTICS, "particles": bare}))
    assert found.ctf is None
    assert not found.half_set.any() and not found.shifts_pixel.any()
    # As in RELION: V is U, no astigmatism, no phase plate, no amplitude contrast.
    short = without(PARTICLES, "rlnDefocusV", "rlnDefocusAngle", "rlnPhaseShift")
    ctf = read_relion(put(tmp_path, {"optics": without(OPTICS, "rlnAmplitudeContrast"), "particles": short})).ctf
    assert ctf is not None
    np.testing.assert_array_equal(ctf.defocus_v_angstrom, ctf.defocus_u_angstrom)
    assert not (ctf.defocus_angle_degrees.any() or ctf.phase_shift_degrees.any() or ctf.amplitude_contrast.any())


def test_pixel_sizes_come_from_optics_then_detector_then_header(tmp_path: Path) -> None:
    silent = without(OPTICS, "rlnImagePixelSize")
    detector = {"rlnDetectorPixelSize": ["7.0"] * 3, "rlnMagnification": ["35000"] * 3}
    assert read_relion(put(tmp_path, {"optics": OPTICS, "particles": PARTICLES | detector})).pixel_size_angstrom == 1.5
    path = put(tmp_path, {"optics": silent, "particles": PARTICLES | detector})
    assert read_relion(path).pixel_size_angstrom == 2.0
    path = put(tmp_path, {"optics": silent, "particles": PARTICLES})
    with pytest.raises(CryoemError, match="says no pixel size, nor does the header of its stacks; give the pixel size"):
        read_relion(path)
    found = read_relion(path, pixel_size_angstrom=3.0)
    assert found.pixel_size_angstrom == 3.0 and found.shifts_pixel[0].tolist() == [1.0, 0.25]
    put_stack(tmp_path / "stack.mrcs", noise(3, 8, 8), 0.75)
    found = read_relion(path)
    assert found.pixel_size_angstrom == 0.75 and found.shifts_pixel[0].tolist() == [4.0, 1.0]
    # Given against what the file says: the pixels of the shifts stay where they are.
    found = read_relion(path, pixel_size_angstrom=0.8)
    assert found.pixel_size_angstrom == 0.8 and found.shifts_pixel[0].tolist() == [4.0, 1.0]


@pytest.mark.parametrize(
    ("optics", "particles", "words"),
    [
        (OPTICS, without(PARTICLES, "rlnAngleTilt"), "has no poses .rlnAngleTilt., and .*refine the particles"),
        (OPTICS, without(PARTICLES, "rlnImageName"), "lists no particles: no table has the column rlnImageName"),
        (OPTICS, without(PARTICLES, "rlnOpticsGroup"), "has 2 optics groups, but no column rlnOpticsGroup"),
        (OPTICS, PARTICLES | {"rlnOpticsGroup": ["1", "3", "1"]}, "row 2 is of optics group 3, which is not described"),
        (OPTICS | {"rlnOpticsGroup": ["1", "1"]}, PARTICLES, "lists an optics group twice"),
        (OPTICS | {"rlnImagePixelSize": ["1.5", "1.4"]}, PARTICLES, "has pixels of 1.4 to 1.5 Å"),
        (OPTICS | {"rlnImagePixelSize": ["0", "1.4"]}, PARTICLES, "says a pixel size of 0 Å"),
        (OPTICS | {"rlnImageSize": ["8", "64"]}, PARTICLES, "says images of 64 pixels, .* have 8"),
        (OPTICS | {"rlnImageDimensionality": ["2", "3"]}, PARTICLES, "holds subtomograms"),
        (OPTICS | {"rlnCtfDataAreCtfPremultiplied": ["0", "1"]}, PARTICLES, "already multiplied by their CTF"),
        (OPTICS | {"rlnCtfDataArePhaseFlipped": ["1", "0"]}, PARTICLES, "already phase-flipped"),
        (without(OPTICS, "rlnVoltage"), PARTICLES, "has the defocus of its particles, but no rlnVoltage"),
        (OPTICS | {"rlnVoltage": ["-1", "300"]}, PARTICLES, "the voltage must be positive"),
        (OPTICS, PARTICLES | {"rlnAngleRot": ["1", "x", "3"]}, "row 2 of table data_particles: rlnAngleRot is 'x'"),
        (OPTICS, PARTICLES | {"rlnOriginXAngst": ["1", "2", "inf"]}, "row 3 .* rlnOriginXAngst is 'inf'"),
        (OPTICS, PARTICLES | {"rlnImageName": ["0@stack.mrcs"] * 3}, "expected number@stack, from 1"),
        (OPTICS, PARTICLES | {"rlnImageName": ["-1@stack.mrcs"] * 3}, "expected number@stack, from 1"),
        (OPTICS, PARTICLES | {"rlnImageName": ["1@"] * 3}, "expected number@stack, from 1"),
        (OPTICS, PARTICLES | {"rlnImageName": ["stack.mrcs"] * 3}, "row 1: .* a stack; expected number@stack"),
        (OPTICS, PARTICLES | {"rlnImageName": ["4@stack.mrcs"] * 3}, "there is no image 4; the stack has 3 images"),
        (OPTICS, PARTICLES | {"rlnImageName": ["1@none.mrcs"] * 3}, "names none.mrcs, which is not in"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, optics: Columns, particles: Columns, words: str
) -> None:
    path = put(tmp_path, {"optics": optics, "particles": particles})
    with pytest.raises(CryoemError, match=words) as caught:
        read_relion(path)
    assert str(caught.value).startswith(str(tmp_path)) and "\n" not in str(caught.value)


def test_two_tables_of_particles_and_a_magnification_of_zero(tmp_path: Path) -> None:
    with pytest.raises(CryoemError, match="lists particles in 2 tables"):
        read_relion(put(tmp_path, {"a": OLD, "b": OLD}))
    with pytest.raises(CryoemError, match="rlnMagnification is 0"):
        read_relion(put(tmp_path, {"": OLD | {"rlnMagnification": ["0"] * 3}}))


def test_an_image_without_a_number_is_a_file_of_its_own(tmp_path: Path) -> None:
    images = noise(3, 8, 8)
    for k, image in enumerate(images):
        put_stack(tmp_path / f"{k}.mrc", image)
    named = PARTICLES | {"rlnImageName": ["2.mrc", "0.mrc", "1@1.mrc"]}
    found = read_relion(put(tmp_path, {"optics": OPTICS, "particles": named}))
    np.testing.assert_array_equal(found.images[:], images[[2, 0, 1]])


# -- where stacks may lie ---------------------------------------------------------------------------------------------


def named(stack: str) -> dict[str, Columns]:
    return {"optics": OPTICS, "particles": PARTICLES | {"rlnImageName": [f"{k}@{stack}" for k in (1, 2, 3)]}}


def test_stacks_of_the_same_project(tmp_path: Path) -> None:
    """RELION names images from the folder in which it was started."""
    project = tmp_path / "project"
    put_stack(project / "Extract" / "job012" / "Movies" / "a.mrcs", noise(3, 8, 8))
    tables = named("Extract/job012/Movies/a.mrcs")
    for job in (project / "Refine3D" / "job020", project / "Refine3D" / "job020" / "tmp"):
        found = read_relion(put(job, tables, stack=False))
        np.testing.assert_array_equal(found.images[:], noise(3, 8, 8))
    # The same in folders that are no jobs of the project.
    for other in (project / "elsewhere" / "mine", project / "Downloads" / "job020", project / "Refine3D" / "mine"):
        with pytest.raises(CryoemError, match="which is not in"):
            read_relion(put(other, tables, stack=False))


@pytest.mark.parametrize("how", ["absolute", "upward", "link", "project"])
def test_a_path_that_leaves_its_folder_is_read_only_if_allowed(tmp_path: Path, how: str) -> None:
    outside = put_stack(tmp_path / "outside" / "a.mrcs", noise(3, 8, 8))
    folder = tmp_path / "inside"
    names = {"absolute": str(outside), "upward": "../outside/a.mrcs", "link": "link.mrcs", "project": "../../../a.mrcs"}
    if how == "link":
        folder.mkdir()
        (folder / "link.mrcs").symlink_to(outside)
    if how == "project":
        folder = tmp_path / "project" / "Refine3D" / "job001"
        put_stack(tmp_path / "a.mrcs", noise(3, 8, 8))
    path = put(folder, named(names[how]), stack=False)
    with pytest.raises(CryoemError, match="which lies outside its folder; allow paths outside it to read it"):
        read_relion(path)
    np.testing.assert_array_equal(read_relion(path, allow_outside=True).images[:], noise(3, 8, 8))


def test_what_lies_outside_is_not_told_apart_from_what_does_not_exist(tmp_path: Path) -> None:
    for name in ("/etc/passwd", "/no/such/file", "../no-such-file"):
        with pytest.raises(CryoemError, match="lies outside its folder"):
            read_relion(put(tmp_path / "in", named(name), stack=False))


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.mrcs").symlink_to(tmp_path / "a.mrcs")
    with pytest.raises(CryoemError) as caught:
        read_relion(put(tmp_path, named("a.mrcs"), stack=False))
    assert "\n" not in str(caught.value)


# -- files of others --------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_the_same_particles_in_versions_3_0_and_3_1() -> None:
    """One set of particles in both, but for row 15; the second file has the shifts of the first in Å."""
    folder = shared_data()
    assert folder is not None
    old, new = (read_relion(folder / "cryoem" / "aspire" / f"sample_particles_relion{v}.star") for v in (30, 31))
    assert (old.pixel_size_angstrom, new.pixel_size_angstrom) == (1.338, 1.4)
    rows = np.arange(17) != 14
    old, new = old.take(rows), new.take(rows)
    np.testing.assert_array_equal(old.images[:], new.images[:])
    np.testing.assert_array_equal(old.rotations, new.rotations)
    np.testing.assert_array_equal(old.half_set, new.half_set)
    np.testing.assert_allclose(old.shifts_pixel, new.shifts_pixel * new.pixel_size_angstrom, atol=1e-12)
    assert old.ctf is not None and new.ctf is not None
    for name in ("defocus_u_angstrom", "defocus_v_angstrom", "defocus_angle_degrees", "voltage_kilovolt"):
        np.testing.assert_array_equal(getattr(old.ctf, name), getattr(new.ctf, name))
    assert set(new.ctf.voltage_kilovolt) == {200.0, 300.0}
