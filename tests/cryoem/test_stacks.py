"""Stacks of images, with mrcfile as writer and independent reader."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.stacks import FileStack, inspect_stack
from tests.conftest import shared_data
from tests.cryoem.particle_files import noise, put_stack, spoil

REAL = {
    "rln_proj_65.mrcs": (5, 65, None),
    "rln_proj_65_centered.mrcs": (4, 65, None),
    "rln_proj_65_shifted.mrcs": (4, 65, None),
    "sample.mrcs": (17, 200, None),
    "ay19102021_L3_position6_ribo_it09_bin8_1.82A.mrcs": (220, 64, None),
    "empiar_10076_7.mrc": (7, 320, None),
    "relion31.mrcs": (5, 256, None),
    "000000.mrcs": (3, 16, None),
    "relion_proj_batch.mrcs": (24, 64, 3.54),
    "relion_proj_batch_pfac2.mrcs": (24, 64, 3.54),
    "relion_proj_star.mrcs": (1, 64, 3.54),
}
"""Images, box and the pixel size of the header: empty, exactly 1 Å, or different along x and y is unknown."""


@pytest.fixture
def two(tmp_path: Path) -> tuple[FileStack, np.ndarray]:
    """A stack over two files, shuffled, and what it should hold."""
    images = noise(9, 6, 6)
    files = [inspect_stack(put_stack(tmp_path / f"{k}.mrcs", part)) for k, part in enumerate((images[:4], images[4:]))]
    order = np.random.default_rng(0).permutation(9)
    return FileStack(files, order // 4 > 0, np.where(order < 4, order, order - 4)), images[order]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", REAL)
def test_every_real_stack(name: str) -> None:
    folder = shared_data()
    assert folder is not None
    (path,) = (folder / "cryoem").glob(f"*/{name}")
    found = inspect_stack(path)
    assert (found.count, found.box, found.pixel_size_angstrom) == REAL[name]
    images = FileStack([found], [0] * found.count, range(found.count))[:]
    # Two of them lack the word "MAP " and a machine stamp: after the header come plain numbers.
    raw = np.fromfile(path, "<f4", offset=1024).reshape(images.shape)
    np.testing.assert_array_equal(images, raw)


def test_an_index_reads_as_an_array_does(two: tuple[FileStack, np.ndarray]) -> None:
    stack, images = two
    assert stack.shape == images.shape and len(stack) == 9 and stack.dtype == np.float32 and stack.ndim == 3
    for index in (0, -1, slice(2, 7), slice(None, None, -2), [3, 3, 0], np.arange(9) % 2 == 0, np.array([], dtype=int)):
        found = stack[index]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, images[index])
    np.testing.assert_array_equal(np.asarray(stack), images)
    np.testing.assert_array_equal(stack.take([5, 1])[1], images[1])
    with pytest.raises(IndexError):
        stack[9]


@settings(deadline=None, max_examples=20)
@given(kind=st.sampled_from(["i1", "i2", "u2", "f2", "f4"]), order=st.sampled_from("<>"), single=st.booleans())
def test_all_modes_and_byte_orders(
    tmp_path_factory: pytest.TempPathFactory, kind: str, order: str, single: bool
) -> None:
    values = (10 * np.abs(noise(5, 5) if single else noise(3, 5, 5))).astype(kind)
    path = put_stack(tmp_path_factory.mktemp("modes") / "a.mrcs", values, 2.5)
    if order == ">":
        with mrcfile.open(path) as file:
            header = file.header.copy()
        swapped = header.astype(header.dtype.newbyteorder(">"))
        swapped["machst"] = [0x11, 0x11, 0, 0]
        path.write_bytes(swapped.tobytes() + values.astype(values.dtype.newbyteorder(">")).tobytes())
    found = inspect_stack(path)
    assert found.pixel_size_angstrom == 2.5
    images = FileStack([found], [0] * found.count, range(found.count))[:]
    np.testing.assert_array_equal(images, values.reshape(-1, 5, 5).astype(np.float32))


def test_signs_multiply_images(two: tuple[FileStack, np.ndarray]) -> None:
    stack, _ = two
    sign = np.where(np.arange(9) % 3, -1.0, 1.0)
    signed = FileStack(stack.files, np.r_[[0] * 4, [1] * 5], np.r_[:4, :5], sign)
    plain = FileStack(stack.files, np.r_[[0] * 4, [1] * 5], np.r_[:4, :5])
    np.testing.assert_array_equal(signed[[4, 0]], plain[[4, 0]] * sign[[4, 0], None, None])
    np.testing.assert_array_equal(signed.take([2, 3])[:], plain[2:4] * sign[2:4, None, None])


def test_the_extended_header_is_passed_over(tmp_path: Path) -> None:
    values = noise(2, 4, 4)
    path = tmp_path / "a.mrcs"
    with mrcfile.new(path) as file:
        file.set_data(values)
        file.set_image_stack()
        file.set_extended_header(np.frombuffer(b"x" * 320, dtype="V320"))
    np.testing.assert_array_equal(FileStack([inspect_stack(path)], [0, 0], [0, 1])[:], values)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"nz": 2_000_000_000}, "claims 6 x 6 x 2000000000 points"),
        ({"nx": 40_000, "ny": 40_000}, "claims 40000 x 40000 x 4 points"),
        ({"nx": -6}, "size of -6 x 6 x 4"),
        ({"nx": 4}, r"not square \(4 x 6\)"),
        ({"nsymbt": 2_000_000_000}, "cut off, or no stack"),
        ({"nsymbt": -4}, "cut off, or no stack"),
        ({"mode": 4}, "a complex transform .mode 4.; a stack"),
        ({"ispg": 401}, "stack of maps"),
    ],
)
def test_headers_that_make_no_sense_are_refused_before_memory_is_taken(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    path = spoil(put_stack(tmp_path / "a.mrcs", noise(4, 6, 6)), **fields)
    tracemalloc.start()
    try:
        with pytest.raises(CryoemError, match=words) as caught:
            inspect_stack(path)
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [((0, 0, 0), None), ((1, 12, 12), None), ((1, 1, 1), None), ((1.31, 1.31, 0), 1.31), ((-2, -2, 1), None)],
)
def test_pixel_sizes_of_headers(tmp_path: Path, pixel: tuple[float, float, float], expected: float | None) -> None:
    path = put_stack(tmp_path / "a.mrcs", noise(2, 4, 4))
    spoil(path, cella=(4 * pixel[0], 4 * pixel[1], pixel[2]))
    assert inspect_stack(path).pixel_size_angstrom == expected
    assert inspect_stack(spoil(path, mx=0, my=0)).pixel_size_angstrom == expected


def test_what_is_no_stack(tmp_path: Path) -> None:
    path = put_stack(tmp_path / "a.mrcs", noise(2, 4, 4))
    packed = tmp_path / "b.mrcs"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(CryoemError, match="is compressed; unpack"):
        inspect_stack(packed)
    short = tmp_path / "c.mrcs"
    short.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CryoemError, match="is no MRC stack: a header has 1024 bytes, the file 1000"):
        inspect_stack(short)
    for missing in (tmp_path / "none.mrcs", tmp_path / "a\0b"):
        with pytest.raises(CryoemError, match="cannot be read"):
            inspect_stack(missing)
    with pytest.raises(CryoemError, match="is no file"):
        inspect_stack(tmp_path)


def test_images_that_are_not_there(tmp_path: Path) -> None:
    small, large = (inspect_stack(put_stack(tmp_path / f"{box}.mrcs", noise(2, box, box))) for box in (4, 6))
    with pytest.raises(CryoemError, match=r"4\.mrcs: there is no image 3; the stack has 2 images"):
        FileStack([small], [0, 0], [0, 2])
    with pytest.raises(CryoemError, match=r"6\.mrcs: its images have 6 pixels along an edge, those of .*4\.mrcs 4"):
        FileStack([small, large], [0, 1], [0, 0])
    stack = FileStack([small], [0, 0], [0, 1])
    os.truncate(small.path, 1024 + 4 * 16 + 8)
    np.testing.assert_array_equal(stack[0], noise(2, 4, 4)[0])
    with pytest.raises(CryoemError, match="shorter than it was when it was opened; image 2"):
        stack[1]
    small.path.unlink()
    with pytest.raises(CryoemError, match="cannot be read"):
        stack[0]


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    images = noise(3, 4, 4)
    images[1, 2, 3] = np.nan
    stack = FileStack([inspect_stack(put_stack(tmp_path / "a.mrcs", noise(3, 4, 4)))], [0, 0, 0], [0, 1, 2])
    with open(tmp_path / "a.mrcs", "r+b") as file:
        file.seek(1024)
        file.write(images.tobytes())
    np.testing.assert_array_equal(stack[[0, 2]], images[[0, 2]])
    with pytest.raises(CryoemError, match=r"a\.mrcs: image 2 has values that are no numbers"):
        stack[:]
