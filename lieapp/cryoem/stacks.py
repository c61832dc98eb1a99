"""Particle images in MRC stacks, read when they are asked for. numpy, no torch.

A stack is judged by its header and the size of its file before any memory is taken. Whether an MRC file is a stack is
not in its header (RELION's own stacks may claim to be volumes, others lack the word "MAP "): who names it decides.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.mrc import COMPRESSED, HEADER_BYTES, VOLUME_STACK, check_extent, read_header, value_type

__all__ = ["FileStack", "StackFile", "inspect_stack"]


@dataclass(frozen=True)
class StackFile:
    """An MRC file of images, as its header describes it.

    Attributes
    ----------
    path : Path
    count, box : int
        Images, and pixels along an edge of each.
    value_type : numpy.dtype
    offset_bytes : int
        Where the first image starts.
    pixel_size_angstrom : float or None
        None where the header is empty, says different sizes along x and y, or exactly 1 Å, which programs write when
        they do not know.
    """

    path: Path
    count: int
    box: int
    value_type: np.dtype[Any]
    offset_bytes: int
    pixel_size_angstrom: float | None


def inspect_stack(path: str | Path) -> StackFile:
    """Read the header of a stack of square images, or of one such image.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    StackFile

    Raises
    ------
    CryoemError
        If the file cannot be read, is no MRC file, claims more than it has, or its images are not square.
    """
    file = Path(path)
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CryoemError(f"{file}: is no file; a stack of images was expected.")
        with open(file, "rb") as stream:
            raw = stream.read(HEADER_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise CryoemError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if raw.startswith(COMPRESSED):
        raise CryoemError(f"{file}: is compressed; unpack the stack, whose images are read one by one.")
    header = read_header(file, raw, what="stack", require_id=False)
    kind = value_type(file, header, what="stack")
    count, rows, columns = (int(header[name]) for name in ("nz", "ny", "nx"))
    if rows != columns:
        raise CryoemError(f"{file}: its images are not square ({columns} x {rows}).")
    if int(header["ispg"]) >= VOLUME_STACK:
        raise CryoemError(f"{file}: is a stack of maps, not of images.")
    extended = int(header["nsymbt"])
    check_extent(file, (count, rows, columns), kind.itemsize, extended, status.st_size, what="stack")
    return StackFile(file, count, rows, kind, HEADER_BYTES + extended, _pixel_size(header))


def _pixel_size(header: Any) -> float | None:
    x, y = (float(header["cella"][axis]) / (int(header[f"m{axis}"]) or int(header[f"n{axis}"])) for axis in "xy")
    if not (math.isfinite(x) and x > 0.0 and abs(x - y) < 1e-3 * x) or x == 1.0:
        return None
    # Lengths are float32 in the file: 3.54 and not 3.53999996.
    return float(f"{x:.6g}")


class FileStack:
    """Images of one or several stacks in any order, as an array that is read where it is indexed.

    Parameters
    ----------
    files : sequence of StackFile
        All of one box.
    file_index : array_like, shape=(images,)
        Which of the files holds each image.
    section : array_like, shape=(images,)
        Its place in that file, from 0.
    sign : array_like, shape=(images,), optional
        Factors of the images, -1 where particles are black on white.

    Raises
    ------
    CryoemError
        If boxes differ, or a file does not hold an image asked of it.
    """

    def __init__(
        self,
        files: Sequence[StackFile],
        file_index: ArrayLike,
        section: ArrayLike,
        sign: ArrayLike | None = None,
    ) -> None:
        self._files = tuple(files)
        self._file_index = np.asarray(file_index, dtype=np.int64)
        self._section = np.asarray(section, dtype=np.int64)
        self._sign = None if sign is None else np.asarray(sign, dtype=np.float32)
        if not self._files:
            raise CryoemError("A stack needs at least one file.")
        first = self._files[0]
        for file in self._files:
            if file.box != first.box:
                raise CryoemError(
                    f"{file.path}: its images have {file.box} pixels along an edge, those of {first.path} {first.box}."
                )
        counts = np.array([file.count for file in self._files])[self._file_index]
        outside = np.flatnonzero((self._section < 0) | (self._section >= counts))
        if len(outside):
            row = int(outside[0])
            file = self._files[int(self._file_index[row])]
            held = "1 image" if file.count == 1 else f"{file.count} images"
            raise CryoemError(f"{file.path}: there is no image {int(self._section[row]) + 1}; the stack has {held}.")

    @property
    def files(self) -> tuple[StackFile, ...]:
        """The files that hold images."""
        return self._files

    @property
    def shape(self) -> tuple[int, int, int]:
        """Images, rows, columns."""
        box = self._files[0].box
        return len(self), box, box

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 3

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Type of the values when read, whatever it is in the files."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._file_index)

    def __getitem__(self, index: Any, /) -> NDArray[np.float32]:
        """Read one image, or those of a slice, a mask or an array of indices."""
        rows = np.arange(len(self))[index]
        images = self._read(np.atleast_1d(rows))
        return images[0] if np.ndim(rows) == 0 else images

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read all images."""
        images = self[:]
        return images if dtype is None else images.astype(dtype)

    def take(self, index: ArrayLike) -> FileStack:
        """Return some of the images, by indices; nothing is read."""
        rows = np.asarray(index)
        sign = None if self._sign is None else self._sign[rows]
        return FileStack(self._files, self._file_index[rows], self._section[rows], sign)

    def _read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        images = np.empty((len(rows), *self.shape[1:]), dtype=np.float32)
        # File by file and front to back, neighbours in one piece.
        order = np.lexsort((self._section[rows], self._file_index[rows]))
        files, sections = self._file_index[rows][order], self._section[rows][order]
        breaks = np.flatnonzero((np.diff(files) != 0) | (np.diff(sections) != 1)) + 1
        for piece in np.split(np.arange(len(rows)), breaks) if len(rows) else ():
            file = self._files[int(files[piece[0]])]
            images[order[piece]] = _read_sections(file, int(sections[piece[0]]), len(piece))
        if self._sign is not None:
            images *= self._sign[rows, None, None]
        # A sum is finite only if every value is.
        finite = np.isfinite(images.sum(axis=(1, 2), dtype=np.float64))
        if not finite.all():
            row = int(rows[np.argmin(finite)])
            file = self._files[int(self._file_index[row])]
            raise CryoemError(f"{file.path}: image {int(self._section[row]) + 1} has values that are no numbers.")
        return images


def _read_sections(file: StackFile, first: int, count: int) -> NDArray[Any]:
    points = file.box * file.box
    try:
        with open(file.path, "rb") as stream:
            stream.seek(file.offset_bytes + first * points * file.value_type.itemsize)
            values = np.fromfile(stream, dtype=file.value_type, count=count * points)
    except OSError as error:
        raise CryoemError(f"{file.path}: cannot be read: {error.strerror or error}.") from error
    if len(values) < count * points:
        raise CryoemError(f"{file.path}: is shorter than it was when it was opened; image {first + 1} is cut off.")
    return values.reshape(count, file.box, file.box)
