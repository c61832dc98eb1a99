"""Density maps: MRC and CCP4 files read into arrays ``(z, y, x)``, and written so that other programs place them right.

A file is judged by its header before any memory is taken. What is not one map (stacks of images, transforms, skewed
cells) is refused in one line.

References
----------
A. Cheng et al., "MRC2014: Extensions to the MRC format header for electron cryo-microscopy and tomography", J. Struct.
Biol. 192 (2015) 146-150.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.mrc import COMPRESSED, HEADER_BYTES, VOLUME_STACK, check_extent, read_header, value_type

__all__ = ["MAP_SUFFIXES", "DensityMap", "is_map_name", "read_map", "write_map"]

MAP_SUFFIXES = (".mrc", ".map", ".ccp4")
"""Endings of map files, each also with ``.gz`` behind it."""

_MOST_POINTS = 2**31
"""A map of 1290 points along each axis: 8 GiB as float32, more than a window can show."""
_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True, eq=False)
class DensityMap:
    """A map on a rectangular grid.

    Attributes
    ----------
    values : ndarray, shape=(z, y, x), dtype=float32
        Read-only.
    pixel_size_angstrom : tuple of float or None
        Distance of grid points along x, y and z in Å; None if the file does not say.
    origin_angstrom : tuple of float
        Place of the first grid point, x, y, z in Å.
    path : Path or None
        The file it came from.
    """

    values: NDArray[np.float32]
    pixel_size_angstrom: tuple[float, float, float] | None
    origin_angstrom: tuple[float, float, float] = (0.0, 0.0, 0.0)
    path: Path | None = field(default=None)

    @property
    def spacing_angstrom(self) -> tuple[float, float, float]:
        """Distance of grid points along x, y and z in Å, taken as 1 Å where the file does not say."""
        return self.pixel_size_angstrom or (1.0, 1.0, 1.0)

    def with_pixel_size(self, angstrom: float) -> DensityMap:
        """Return the same map with another pixel size in Å along all axes.

        Where the size was unknown, the origin was counted in points and becomes Å with it.
        """
        origin = self.origin_angstrom
        if self.pixel_size_angstrom is None:
            origin = (angstrom * origin[0], angstrom * origin[1], angstrom * origin[2])
        return replace(self, pixel_size_angstrom=(angstrom, angstrom, angstrom), origin_angstrom=origin)

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name if self.path is not None else "map"


def is_map_name(path: str | Path) -> bool:
    """Return whether a file name is that of a map."""
    return Path(path).name.lower().removesuffix(".gz").endswith(MAP_SUFFIXES)


def read_map(path: str | Path) -> DensityMap:
    """Read an MRC or CCP4 map, also one compressed by gzip.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DensityMap
        Axes are brought into the order z, y, x whatever their order in the file. The first point lies where the
        header's origin says, or, if that is zero, where its start indices do.

    Raises
    ------
    CryoemError
        If the file cannot be read, is no MRC file, or holds no map; the message is one line.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        with open(file, "rb") as raw:
            compressed = raw.read(2) == COMPRESSED
            raw.seek(0)
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[assignment]
            header = read_header(file, stream.read(HEADER_BYTES))
            kind = _checked_kind(file, header)
            shape = tuple(int(header[name]) for name in ("nz", "ny", "nx"))
            needed = _checked_bytes(file, shape, kind.itemsize, int(header["nsymbt"]), size, compressed)
            _skip(stream, int(header["nsymbt"]))
            values = _values(file, stream, needed, kind).reshape(shape)
    except (OSError, EOFError, zlib.error) as error:
        raise CryoemError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    except MemoryError as error:
        raise CryoemError(f"{file}: the map does not fit into memory.") from error
    order = _axis_order(file, header)
    # The file lists sections, rows and columns; `order` says which of x, y, z columns, rows and sections are.
    places = [order.index(axis) for axis in range(3)]
    values = np.ascontiguousarray(values.transpose([2 - places[axis] for axis in (2, 1, 0)]))
    values.setflags(write=False)
    pixel = _pixel_size(header, order)
    return DensityMap(values, pixel, _origin(header, order, pixel or (1.0, 1.0, 1.0)), file)


def write_map(
    path: str | Path,
    values: ArrayLike,
    pixel_size_angstrom: float | Sequence[float],
    *,
    origin_angstrom: Sequence[float] = (0.0, 0.0, 0.0),
    label: str = "Written by LieApp",
) -> Path:
    """Write a map of mode 2 (float32) with its statistics; an existing file is replaced once the new one is whole.

    Parameters
    ----------
    path : str or Path
        With ``.gz`` at its end it is compressed.
    values : array_like, shape=(z, y, x)
    pixel_size_angstrom : float or sequence of float
        One value, or those along x, y and z, in Å.
    origin_angstrom : sequence of float, optional
        Place of the first grid point, x, y, z in Å.
    label : str, optional
        Up to 80 letters, kept in the header.

    Returns
    -------
    Path

    Raises
    ------
    CryoemError
        If there are not three axes, sizes or origin make no sense, or the file cannot be written.
    """
    import mrcfile

    file = Path(path)
    grid = np.ascontiguousarray(values, dtype=np.float32)
    pixel = tuple(float(value) for value in np.broadcast_to(np.asarray(pixel_size_angstrom, dtype=float), 3))
    origin = tuple(float(value) for value in origin_angstrom)
    if grid.ndim != 3 or not grid.size:
        raise CryoemError(f"{file}: a map has three axes, not shape {grid.shape}.")
    if not all(math.isfinite(value) and value > 0 for value in pixel):
        raise CryoemError(f"{file}: the pixel size must be positive, not {pixel}.")
    if len(origin) != 3 or not all(math.isfinite(value) for value in origin):
        raise CryoemError(f"{file}: the origin has three finite coordinates, not {origin}.")
    part = file.with_name(f"{file.name}.part")
    try:
        with mrcfile.new(part, compression="gzip" if file.suffix.lower() == ".gz" else None, overwrite=True) as out:
            out.set_data(grid)
            out.set_volume()
            out.voxel_size = pixel
            out.header.origin = origin
            out.header.nlabl = 1
            out.header.label[0] = label[:80].encode("ascii", "replace")
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CryoemError(f"{file}: cannot be written: {error.strerror or error}.") from error
    return file


# -- the header -------------------------------------------------------------------------------------------------------


def _checked_kind(file: Path, header: Any) -> np.dtype[Any]:
    """Return the type of the values, or refuse what is not one map."""
    kind = value_type(file, header)
    columns, rows, sections = (int(header[name]) for name in ("nx", "ny", "nz"))
    group = int(header["ispg"])
    seen = f"{sections} sections of {columns} x {rows}"
    if sections == 1:
        raise CryoemError(f"{file}: is one image of {columns} x {rows}, not a map.")
    if group == VOLUME_STACK:
        raise CryoemError(f"{file}: is a stack of maps ({seen}), not one.")
    cubic = columns == rows == sections
    unsized = not min(float(header["cella"][axis]) for axis in "xyz") > 0
    stack = int(header["mz"]) == 1 or (not cubic and (group == 0 or (unsized and columns == rows)))
    if stack or file.name.lower().removesuffix(".gz").endswith(".mrcs"):
        raise CryoemError(f"{file}: is a stack of images ({seen}), not a map.")
    angles = [float(header["cellb"][name]) for name in ("alpha", "beta", "gamma")]
    if any(angle != 0 and not abs(angle - 90) < 0.01 for angle in angles):
        said = ", ".join(f"{angle:g}" for angle in angles)
        raise CryoemError(f"{file}: its cell is not rectangular (angles {said}°); resample it on a rectangular grid.")
    return kind


def _checked_bytes(file: Path, shape: Sequence[int], item: int, extended: int, size: int, compressed: bool) -> int:
    """Return the bytes of the values, or refuse claims that the file cannot keep."""
    needed = check_extent(file, shape, item, extended, size, compressed=compressed)
    points = math.prod(shape)
    said = " x ".join(str(count) for count in reversed(shape))
    if points > _MOST_POINTS:
        raise CryoemError(f"{file}: {said} points are more than can be shown ({_MOST_POINTS}); crop or bin the map.")
    return needed


def _axis_order(file: Path, header: Any) -> tuple[int, int, int]:
    """Return which axis (0 for x) columns, rows and sections run along."""
    found = tuple(int(header[name]) for name in ("mapc", "mapr", "maps"))
    if found == (0, 0, 0):
        return 0, 1, 2
    if sorted(found) != [1, 2, 3]:
        raise CryoemError(f"{file}: its header names the axes {found}; expected 1, 2 and 3 in some order.")
    return found[0] - 1, found[1] - 1, found[2] - 1


def _pixel_size(header: Any, order: Sequence[int]) -> tuple[float, float, float] | None:
    """Return Å between points along x, y and z, or None where cell or sampling are left empty."""
    counts = [int(header[name]) for name in ("nx", "ny", "nz")]
    sizes = []
    for axis, letter in enumerate("xyz"):
        sampling = int(header[f"m{letter}"]) or counts[order.index(axis)]
        sizes.append(float(header["cella"][letter]) / sampling)
    if not all(math.isfinite(value) and value > 0 for value in sizes):
        return None
    # Lengths are float32 in the file: 4.4 and not 4.400000095.
    return tuple(float(f"{value:.7g}") for value in sizes)  # type: ignore[return-value]


def _origin(header: Any, order: Sequence[int], pixel: Sequence[float]) -> tuple[float, float, float]:
    """Return the place of the first point as ChimeraX does: the origin, or the start indices where that is zero."""
    origin = [float(header["origin"][letter]) for letter in "xyz"]
    if any(origin) and all(math.isfinite(value) for value in origin):
        return origin[0], origin[1], origin[2]
    starts = [int(header[name]) for name in ("nxstart", "nystart", "nzstart")]
    place = [starts[order.index(axis)] * pixel[axis] for axis in range(3)]
    return place[0], place[1], place[2]


# -- the values -------------------------------------------------------------------------------------------------------


def _skip(stream: IO[bytes], count: int) -> None:
    """Read over the extended header piece by piece: its claimed size is not to be trusted with memory."""
    while count > 0:
        piece = stream.read(min(count, _CHUNK_BYTES))
        if not piece:
            return
        count -= len(piece)


def _values(file: Path, stream: IO[bytes], needed: int, kind: np.dtype[Any]) -> NDArray[np.float32]:
    """Return the values as float32, converted piece by piece; memory is taken as the file delivers."""
    pieces: list[NDArray[np.float32]] = []
    left = needed
    while left > 0:
        piece = stream.read(min(left, _CHUNK_BYTES))
        while piece and len(piece) % kind.itemsize:
            more = stream.read(kind.itemsize - len(piece) % kind.itemsize)
            if not more:
                break
            piece += more
        if len(piece) % kind.itemsize or not piece:
            raise CryoemError(f"{file}: is cut off: {left} of {needed} bytes of its values are missing.")
        pieces.append(np.frombuffer(piece, kind).astype(np.float32))
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
