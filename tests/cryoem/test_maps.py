"""Map files, with mrcfile and gemmi as independent readers."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path
from typing import Any

import gemmi
import mrcfile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.maps import is_map_name, read_map, write_map
from tests.conftest import shared_data

MAPS = {
    "3j9g_potential_ps4_4.mrc": ((64, 64, 64), (4.4, 4.4, 4.4), (0.0, 0.0, 0.0)),
    "clean70SRibosome_vol_65p.mrc": ((65, 65, 65), None, (0.0, 0.0, 0.0)),
    "pointmass.mrc": ((64, 64, 64), None, (0.0, 0.0, 0.0)),
    "EMD-3197.map": ((20, 20, 20), (11.4, 11.4, 11.4), (-22.8, 0.0, 0.0)),
}
"""The only files of the shared folder that hold one map: shape, pixel size and origin."""

FILES = sorted((folder / "cryoem").glob("*/*.*")) if (folder := shared_data()) else []


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return write_map(tmp_path / "map.mrc", noise(4, 5, 6), 2.0)


def spoil(path: Path, **fields: Any) -> Path:
    """Overwrite fields of a header."""
    header = np.memmap(path, mrcfile.dtypes.HEADER_DTYPE, mode="r+", shape=1)
    for name, value in fields.items():
        header[name] = value
    header.flush()
    return path


@pytest.mark.shared_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_real_file_is_read_or_refused_in_one_line(path: Path) -> None:
    if path.name not in MAPS:
        with pytest.raises(CryoemError) as caught:
            read_map(path)
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
        return
    shape, pixel, origin = MAPS[path.name]
    found = read_map(path)
    assert found.values.shape == shape and found.values.dtype == np.float32
    assert found.pixel_size_angstrom == pixel
    assert found.origin_angstrom == pytest.approx(origin)
    np.testing.assert_array_equal(found.values, mrcfile.read(path))
    # gemmi names points by x, y, z.
    grid = gemmi.read_ccp4_map(str(path)).grid.array
    np.testing.assert_array_equal(found.values, grid.transpose(2, 1, 0))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["50S-vol.mrc", "spike-vol.mrc", "empiar_10076_7.mrc", "rln_proj_65.mrcs"])
def test_stacks_are_called_stacks(name: str) -> None:
    (path,) = (file for file in FILES if file.name == name)
    with pytest.raises(CryoemError, match="stack of images"):
        read_map(path)


@settings(deadline=None, max_examples=20)
@given(
    shape=st.tuples(*3 * [st.integers(2, 7)]),
    pixel=st.tuples(*3 * [st.floats(0.25, 12)]),
    origin=st.tuples(*3 * [st.floats(-300, 300)]),
    compressed=st.booleans(),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, int, int],
    pixel: tuple[float, float, float],
    origin: tuple[float, float, float],
    compressed: bool,
) -> None:
    path = tmp_path_factory.mktemp("maps") / ("map.mrc.gz" if compressed else "map.mrc")
    values = noise(*shape)
    found = read_map(write_map(path, values, pixel, origin_angstrom=origin))
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_allclose(found.spacing_angstrom, pixel, rtol=1e-5)
    np.testing.assert_allclose(found.origin_angstrom, origin, rtol=1e-5, atol=1e-30)
    assert not list(path.parent.glob("*.part"))


def test_other_programs_find_what_was_written(tmp_path: Path) -> None:
    values = noise(5, 6, 7)
    path = write_map(tmp_path / "map.mrc", values, 1.5, origin_angstrom=(3.0, -4.0, 5.0), label="Half map 1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mrcfile.validate(path)
    with mrcfile.open(path) as file:
        header = file.header
        assert (int(header.mode), int(header.ispg), int(header.nlabl)) == (2, 1, 1)
        assert (int(header.mx), int(header.my), int(header.mz)) == (7, 6, 5)
        assert header.label[0].startswith(b"Half map 1")
        np.testing.assert_allclose([header.origin.x, header.origin.y, header.origin.z], [3, -4, 5])
        np.testing.assert_allclose([header.dmin, header.dmax], [values.min(), values.max()])
        np.testing.assert_allclose([header.dmean, header.rms], [values.mean(), values.std()], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose([file.voxel_size.x, file.voxel_size.y, file.voxel_size.z], 1.5)
    grid = gemmi.read_ccp4_map(str(path), setup=True).grid
    np.testing.assert_allclose(grid.spacing, 1.5)
    assert grid.get_value(6, 0, 0) == values[0, 0, 6]


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_modes_and_byte_orders(tmp_path: Path, kind: type, order: str) -> None:
    values = (10 * np.abs(noise(3, 4, 5))).astype(kind)
    path = tmp_path / "map.mrc"
    with mrcfile.new(path) as file:
        file.set_data(values)
        file.set_volume()
        file.voxel_size = 2.0
    if order == ">":
        with mrcfile.open(path) as file:
            header, data = file.header.copy(), file.data.copy()
        swapped = header.astype(header.dtype.newbyteorder(">"))
        swapped["machst"] = [0x11, 0x11, 0, 0]
        path.write_bytes(swapped.tobytes() + data.astype(data.dtype.newbyteorder(">")).tobytes())
    found = read_map(path)
    np.testing.assert_array_equal(found.values, values.astype(np.float32))
    assert found.pixel_size_angstrom == (2.0, 2.0, 2.0)
    # Without a stamp the sizes tell the byte order.
    spoil(path, machst=0)
    np.testing.assert_array_equal(read_map(path).values, values.astype(np.float32))


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2)])
def test_axes_come_in_any_order(tmp_path: Path, order: tuple[int, int, int]) -> None:
    """The same map with its columns, rows and sections along other axes."""
    values, pixel, starts = noise(4, 5, 6), (1.0, 2.0, 3.0), (7, -8, 9)
    path = tmp_path / "map.ccp4"
    stored = values.transpose([3 - order[k] for k in (2, 1, 0)])
    with mrcfile.new(path) as file:
        file.set_data(np.ascontiguousarray(stored))
        file.set_volume()
        file.header.mapc, file.header.mapr, file.header.maps = order
        file.header.nxstart, file.header.nystart, file.header.nzstart = (starts[axis - 1] for axis in order)
        file.header.mx, file.header.my, file.header.mz = 6, 5, 4
        file.header.cella = (6 * 1.0, 5 * 2.0, 4 * 3.0)
    found = read_map(path)
    np.testing.assert_array_equal(found.values, values)
    assert found.pixel_size_angstrom == pixel
    assert found.origin_angstrom == (7.0, -16.0, 27.0)
    whole = gemmi.read_ccp4_map(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole.setup(float("nan"))
    grid = whole.grid
    u, v, w = (start % count for start, count in zip(starts, (6, 5, 4), strict=True))
    assert grid.get_value(u, v, w) == values[0, 0, 0]
    np.testing.assert_allclose(grid.spacing, pixel)


def test_the_origin_comes_before_the_start_indices(written: Path) -> None:
    spoil(written, nxstart=-2, nystart=0, nzstart=3)
    assert read_map(written).origin_angstrom == (-4.0, 0.0, 6.0)
    spoil(written, origin=(1.5, 0.0, 0.0))
    assert read_map(written).origin_angstrom == (1.5, 0.0, 0.0)


def test_an_empty_pixel_size_is_unknown_and_taken_as_one(written: Path) -> None:
    spoil(written, cella=(0.0, 0.0, 0.0), ispg=1, nxstart=4)
    with mrcfile.new(written, overwrite=True) as file:
        file.set_data(noise(5, 5, 5))
        file.set_volume()
    found = read_map(written)
    assert found.pixel_size_angstrom is None and found.spacing_angstrom == (1.0, 1.0, 1.0)


def test_old_headers_are_read(written: Path) -> None:
    """No axes, no angles, no sampling: as programs of the last century left them."""
    before = read_map(written)
    spoil(written, mapc=0, mapr=0, maps=0, cellb=(0.0, 0.0, 0.0), mx=0, my=0, mz=0)
    after = read_map(written)
    np.testing.assert_array_equal(after.values, before.values)
    assert after.pixel_size_angstrom == before.pixel_size_angstrom


def test_the_extended_header_is_passed_over(tmp_path: Path) -> None:
    values = noise(3, 3, 3)
    path = tmp_path / "map.mrc"
    with mrcfile.new(path) as file:
        file.set_data(values)
        file.set_volume()
        file.set_extended_header(np.frombuffer(b"x" * 320, dtype="V320"))
    np.testing.assert_array_equal(read_map(path).values, values)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"map": b"MAD "}, 'in the place of "MAP "'),
        ({"nx": 2_000_000_000}, "claims 2000000000 x 5 x 4 points"),
        ({"nx": 30_000, "ny": 30_000, "nz": 30_000}, "claims 30000 x 30000 x 30000"),
        ({"nx": -6}, "size of -6 x 5 x 4"),
        ({"nz": 0}, "size of 6 x 5 x 0"),
        ({"nsymbt": 2_000_000_000}, "claims 6 x 5 x 4 points"),
        ({"nsymbt": -4}, "cut off, or no map"),
        ({"mode": 4}, "a complex transform"),
        ({"mode": 101}, "4-bit"),
        ({"mode": 77}, "mode 77"),
        ({"ispg": 401}, "stack of maps"),
        ({"ispg": 0}, "stack of images"),
        ({"mz": 1}, "stack of images"),
        ({"cellb": (90.0, 90.0, 120.0)}, "not rectangular"),
        ({"mapc": 1, "mapr": 1}, "names the axes"),
    ],
)
def test_headers_that_make_no_sense_are_refused(written: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(CryoemError, match=words) as caught:
        read_map(spoil(written, **fields))
    assert str(caught.value).startswith(f"{written}: ") and "\n" not in str(caught.value)


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path: Path, written: Path) -> None:
    """Compressed files as well: a bomb is known by what its header claims."""
    import tracemalloc

    spoil(written, nx=1200, ny=1200, nz=1200, mx=1200, my=1200, mz=1200)
    bomb = tmp_path / "bomb.mrc.gz"
    bomb.write_bytes(gzip.compress(written.read_bytes()))
    tracemalloc.start()
    try:
        for path in (written, bomb):
            with pytest.raises(CryoemError, match="1200 x 1200 x 1200"):
                read_map(path)
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("keep", [0, 3, 500, 1024, 1300])
@pytest.mark.parametrize("compressed", [False, True])
def test_files_that_are_cut_off_are_refused(written: Path, keep: int, compressed: bool) -> None:
    whole = written.read_bytes()
    written.write_bytes(gzip.compress(whole[:keep]) if compressed else whole[:keep])
    with pytest.raises(CryoemError):
        read_map(written)
    if compressed:
        written.write_bytes(gzip.compress(whole)[: len(whole) // 4])
        with pytest.raises(CryoemError):
            read_map(written)


def test_what_is_not_there_or_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path / "none.mrc", tmp_path):
        with pytest.raises(CryoemError, match="cannot be read"):
            read_map(path)
    with pytest.raises(CryoemError, match="cannot be written"):
        write_map(tmp_path / "nowhere" / "map.mrc", noise(2, 2, 2), 1.0)
    for bad in ({"pixel_size_angstrom": 0.0}, {"pixel_size_angstrom": (1, -1, 1)}):
        with pytest.raises(CryoemError, match="pixel size"):
            write_map(tmp_path / "map.mrc", noise(2, 2, 2), **bad)  # type: ignore[arg-type]
    with pytest.raises(CryoemError, match="three axes"):
        write_map(tmp_path / "map.mrc", noise(2, 2), 1.0)
    with pytest.raises(CryoemError, match="origin"):
        write_map(tmp_path / "map.mrc", noise(2, 2, 2), 1.0, origin_angstrom=(0, float("nan"), 0))


def test_names_of_maps() -> None:
    assert all(is_map_name(name) for name in ("a.mrc", "B.MAP", "c.ccp4.gz", "d.x.map.gz"))
    assert not any(is_map_name(name) for name in ("a.mrcs", "b.pdb", "map", "c.gz", "d.mrcs.gz"))
