"""cryoSPARC's particle files."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lieapp.cryoem.angles import euler_to_matrix
from lieapp.cryoem.cryosparc import read_cryosparc
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.relion import read_relion
from tests.conftest import shared_data
from tests.cryoem.particle_files import noise, put_stack

FIELDS: dict[str, tuple[Any, Any]] = {
    "uid": ("u8", [11, 12, 13]),
    "blob/path": ("S20", [b"stack.mrcs", b">stack.mrcs", b"stack.mrcs"]),
    "blob/idx": ("u4", [1, 0, 2]),
    "blob/shape": (("u4", 2), [[8, 8]] * 3),
    "blob/psize_A": ("f4", [1.31] * 3),
    "blob/sign": ("f4", [-1.0, -1.0, 1.0]),
    "ctf/accel_kv": ("f4", [300, 300, 200]),
    "ctf/cs_mm": ("f4", [2.7] * 3),
    "ctf/amp_contrast": ("f4", [0.07] * 3),
    "ctf/df1_A": ("f4", [15000, 16000, 17000]),
    "ctf/df2_A": ("f4", [14000, 15000, 16000]),
    "ctf/df_angle_rad": ("f4", [0.1, -1.2, 0.5]),
    "ctf/phase_shift_rad": ("f4", [0.0, 0.5, 1.0]),
    "alignments3D/split": ("u4", [0, 1, 1]),
    "alignments3D/shift": (("f4", 2), [[2.0, -1.0], [0.5, 3.0], [0.0, 0.0]]),
    "alignments3D/pose": (("f4", 3), [[2.3, -0.25, -1.2], [0.55, 3.2, -1.5], [0.1, 0.2, 0.3]]),
    "alignments3D/psize_A": ("f4", [2.62] * 3),
}


def records(fields: dict[str, tuple[Any, Any]]) -> np.ndarray:
    kinds = [(name, *(kind if isinstance(kind, tuple) else (kind,))) for name, (kind, _) in fields.items()]
    table = np.zeros(3, dtype=kinds)
    for name, (_, values) in fields.items():
        table[name] = values
    return table


def put(folder: Path, fields: dict[str, tuple[Any, Any]], *, name: str = "particles.cs", stack: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "wb") as file:
        np.save(file, records(fields))
    if stack:
        put_stack(folder / "stack.mrcs", noise(3, 8, 8))
    return folder / name


def without(*names: str) -> dict[str, tuple[Any, Any]]:
    return {name: field for name, field in FIELDS.items() if name not in names}


def test_columns_in_their_units(tmp_path: Path) -> None:
    found = read_cryosparc(put(tmp_path, FIELDS))
    images = noise(3, 8, 8)
    np.testing.assert_array_equal(found.images[:], [-images[1], -images[0], images[2]])
    assert found.pixel_size_angstrom == 1.31
    # Shifts are in pixels of the alignment, twice as large.
    np.testing.assert_allclose(found.shifts_pixel, [[4, -2], [1, 6], [0, 0]], rtol=1e-6)
    assert found.half_set.tolist() == [1, 2, 2]
    assert found.names == ("000002@stack.mrcs", "000001@stack.mrcs", "000003@stack.mrcs")
    assert found.ctf is not None
    np.testing.assert_allclose(found.ctf.defocus_angle_degrees, np.degrees([0.1, -1.2, 0.5]), rtol=1e-6)
    np.testing.assert_allclose(found.ctf.phase_shift_degrees, np.degrees([0, 0.5, 1.0]), rtol=1e-6)
    assert found.ctf.voltage_kilovolt.tolist() == [300, 300, 200]
    assert found.ctf.defocus_v_angstrom.tolist() == [14000, 15000, 16000]


def test_poses_are_those_that_pyem_gives_to_relion(tmp_path: Path) -> None:
    """pyem writes expmap with the transposed generator and decomposes it by RELION's Euler angles."""
    found = read_cryosparc(put(tmp_path, FIELDS))
    for pose, matrix in zip(FIELDS["alignments3D/pose"][1], found.rotations, strict=True):
        angle = np.linalg.norm(pose)
        x, y, z = np.array(pose) / angle
        generator = np.array([[0, z, -y], [-z, 0, x], [y, -x, 0]])
        expected = np.eye(3) + np.sin(angle) * generator + (1 - np.cos(angle)) * generator @ generator
        np.testing.assert_allclose(matrix, expected, atol=1e-6)
    # A turn about z alone: a particle whose pose is (0, 0, w) has rot + psi = w.
    fields = FIELDS | {"alignments3D/pose": (("f4", 3), [[0, 0, 0.5]] * 3)}
    (matrix, *_) = read_cryosparc(put(tmp_path, fields)).rotations
    np.testing.assert_allclose(matrix, euler_to_matrix(np.degrees(0.5), 0, 0), atol=1e-6)


def test_columns_that_were_passed_through(tmp_path: Path) -> None:
    """A refinement writes what it found; images and CTF are in a second file, in any order and with more rows."""
    whole = read_cryosparc(put(tmp_path / "whole", FIELDS))
    found = {name: field for name, field in FIELDS.items() if name == "uid" or name.startswith("alignments3D")}
    rest = {name: field for name, field in FIELDS.items() if not name.startswith("alignments3D")}
    path = put(tmp_path / "split", found, name="J5_particles.cs")
    shuffled = records(rest)[[2, 0, 1]]
    more = np.concatenate([shuffled, shuffled[:1]])
    more["uid"][3] = 99
    with open(tmp_path / "split" / "J5_passthrough_particles.cs", "wb") as file:
        np.save(file, more)
    joined = read_cryosparc(path)
    np.testing.assert_array_equal(joined.images[:], whole.images[:])
    np.testing.assert_array_equal(joined.rotations, whole.rotations)
    assert joined.ctf is not None and whole.ctf is not None
    np.testing.assert_array_equal(joined.ctf.defocus_u_angstrom, whole.ctf.defocus_u_angstrom)
    more["uid"] += 1
    with open(tmp_path / "split" / "J5_passthrough_particles.cs", "wb") as file:
        np.save(file, more)
    with pytest.raises(CryoemError, match=r"has particles that J5_passthrough_particles\.cs lacks"):
        read_cryosparc(path)


def test_what_is_missing_is_left_out(tmp_path: Path) -> None:
    bare = without(
        "ctf/df1_A", "alignments3D/split", "alignments3D/shift", "alignments3D/psize_A", "blob/sign", "blob/shape"
    )
    found = read_cryosparc(put(tmp_path, bare))
    assert found.ctf is None and not found.half_set.any() and not found.shifts_pixel.any()
    np.testing.assert_array_equal(found.images[:], noise(3, 8, 8)[[1, 0, 2]])


def test_stacks_of_the_same_project(tmp_path: Path) -> None:
    fields = FIELDS | {"blob/path": ("S40", [b"J19/extract/a.mrc"] * 3)}
    path = put(tmp_path / "P1" / "J24", fields, stack=False)
    with pytest.raises(CryoemError, match="which is not in"):
        read_cryosparc(path)
    put_stack(tmp_path / "P1" / "J19" / "extract" / "a.mrc", noise(3, 8, 8))
    assert len(read_cryosparc(path)) == 3
    fields = FIELDS | {"blob/path": ("S40", [b"../../a.mrc"] * 3)}
    path = put(tmp_path / "P1" / "J24", fields, stack=False)
    put_stack(tmp_path / "a.mrc", noise(3, 8, 8))
    with pytest.raises(CryoemError, match="lies outside its folder"):
        read_cryosparc(path)
    assert len(read_cryosparc(path, allow_outside=True)) == 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (without("alignments3D/pose"), "has no poses .alignments3D/pose."),
        (without("blob/path"), "lists no images"),
        (without("blob/psize_A"), "says no pixel size"),
        (without("ctf/cs_mm"), "has the defocus of its particles, but no ctf/cs_mm"),
        (FIELDS | {"blob/shape": (("u4", 2), [[8, 8], [8, 8], [9, 9]])}, "says images of 9 pixels, .* have 8"),
        (FIELDS | {"blob/psize_A": ("f4", [1.3, 1.4, 1.3])}, "has pixels of 1.3 to 1.4 Å"),
        (FIELDS | {"blob/idx": ("u4", [0, 1, 3])}, "there is no image 4"),
        (FIELDS | {"ctf/df1_A": ("f4", [1, np.nan, 1])}, "row 2: ctf/df1_A is no number"),
        (FIELDS | {"alignments3D/pose": (("f4", 2), [[1, 2]] * 3)}, r"alignments3D/pose has rows of float32 \(2,\)"),
        (FIELDS | {"blob/path": ("S20", [b"none.mrc"] * 3)}, "names none.mrc, which is not in"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, fields: dict[str, tuple[Any, Any]], words: str
) -> None:
    path = put(tmp_path, fields)
    with pytest.raises(CryoemError, match=words) as caught:
        read_cryosparc(path)
    assert str(caught.value).startswith(str(tmp_path)) and "\n" not in str(caught.value)


def test_what_is_no_cryosparc_file(tmp_path: Path) -> None:
    def saved(array: np.ndarray, **options: Any) -> bytes:
        buffer = io.BytesIO()
        np.save(buffer, array, **options)
        return buffer.getvalue()

    whole = saved(records(FIELDS))
    cases = {
        b"hello": "a NumPy array was expected",
        b"": "a NumPy array was expected",
        b"\x94CSDAT\1": "compressed form",
        saved(np.zeros((3, 4))): "numbers without columns",
        saved(records(FIELDS)[:0]): "lists no particles",
        whole[:-10]: "is damaged",
        whole[:100]: "is damaged",
        whole.replace(b"(3,)", b"(x,)"): "is damaged",
        saved(np.array([{"a": 1}], dtype=object), allow_pickle=True): "is damaged, or no cryoSPARC file",
    }
    for content, words in cases.items():
        path = tmp_path / "a.cs"
        path.write_bytes(content)
        with pytest.raises(CryoemError, match=words) as caught:
            read_cryosparc(path)
        assert "\n" not in str(caught.value)
    for missing in (tmp_path / "none.cs", tmp_path):
        with pytest.raises(CryoemError, match="cannot be read"):
            read_cryosparc(missing)


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = put(tmp_path, FIELDS)
    content = path.read_bytes()
    # The header is padded with blanks: as many more digits, as many blanks fewer.
    path.write_bytes(content.replace(b"(3,), }        ", b"(3000000000,), }")[: len(content)])
    tracemalloc.start()
    try:
        with pytest.raises(CryoemError, match="is damaged"):
            read_cryosparc(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


# -- files of others --------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_the_same_particles_in_a_star_file(tmp_path: Path) -> None:
    """EMPIAR-10076 in both forms, with the same poses put in; black on white, as ``blob/sign`` says."""
    folder = shared_data()
    assert folder is not None
    place = folder / "cryoem" / "cryodrgn"
    (tmp_path / "empiar_10076_7.mrc").symlink_to(place / "empiar_10076_7.mrc")
    rows = (place / "empiar_10076_7.star").read_text().rstrip().splitlines()
    extra = [f" {angle} {angle / 2} {angle / 3}" for angle in range(20, 160, 20)]
    text = rows[:13] + [f"_rlnAngle{name} #{11 + k}" for k, name in enumerate(("Rot", "Tilt", "Psi"))]
    (tmp_path / "a.star").write_text(
        "\n".join(text + [row + more for row, more in zip(rows[13:], extra, strict=True)]) + "\n"
    )
    star = read_relion(tmp_path / "a.star", allow_outside=True)
    table = np.load(place / "empiar_10076_7.cs")
    grown = np.zeros(7, dtype=[*table.dtype.descr, ("alignments3D/pose", "<f4", 3)])
    for name in table.dtype.names:
        grown[name] = table[name]
    with open(tmp_path / "a.cs", "wb") as file:
        np.save(file, grown)
    cs = read_cryosparc(tmp_path / "a.cs", allow_outside=True)
    np.testing.assert_array_equal(cs.images[:], -star.images[:])
    assert star.pixel_size_angstrom == pytest.approx(1.31, rel=1e-5)
    assert cs.pixel_size_angstrom == pytest.approx(1.31, rel=1e-5)
    assert star.ctf is not None and cs.ctf is not None
    for name in vars(star.ctf):
        np.testing.assert_allclose(getattr(cs.ctf, name), getattr(star.ctf, name), rtol=1e-5, err_msg=name)


@pytest.mark.shared_data
def test_a_refinement_without_its_stacks(tmp_path: Path) -> None:
    """2019 records of a real job, each with its stack's name; the images are made up."""
    folder = shared_data()
    assert folder is not None
    path = folder / "cryoem" / "cryodrgn" / "cryosparc_P12_J24_001_particles.cs"
    table = np.load(path)
    table["blob/path"] = b"stack.mrcs"
    table["blob/idx"] = np.arange(len(table)) % 2
    table["blob/shape"] = 8
    with open(tmp_path / "a.cs", "wb") as file:
        np.save(file, table)
    put_stack(tmp_path / "stack.mrcs", noise(2, 8, 8))
    found = read_cryosparc(tmp_path / "a.cs")
    assert len(found) == 2019 and found.pixel_size_angstrom == 2.95
    assert np.bincount(found.half_set).tolist() == [0, 1010, 1009]
    np.testing.assert_allclose(found.shifts_pixel, table["alignments3D/shift"], rtol=1e-6)
