"""Headers of MRC files, whose values are a map or a stack of images: what they claim, checked against the file.

References
----------
A. Cheng et al., "MRC2014: Extensions to the MRC format header for electron cryo-microscopy and tomography", J. Struct.
Biol. 192 (2015) 146-150.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lieapp.cryoem.errors import CryoemError

__all__ = ["COMPRESSED", "HEADER_BYTES", "VOLUME_STACK", "check_extent", "read_header", "value_type"]

HEADER_BYTES = 1024
COMPRESSED = b"\x1f\x8b"
"""The first bytes of a gzip file."""
VOLUME_STACK = 401
"""The space group that says: several maps."""

_MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_OTHER_MODES = {3: "a complex transform", 4: "a complex transform", 101: "packed 4-bit values"}
_BEST_COMPRESSION = 1100
"""Deflate makes nothing smaller than a 1032nd: a compressed file cannot hold more than this many times its size."""


def read_header(file: Path, raw: bytes, *, what: str = "map", require_id: bool = True) -> Any:
    """Return the header in the byte order that its machine stamp or, without one, its sizes tell.

    Parameters
    ----------
    file : Path
        What an error calls the file.
    raw : bytes
        The first `HEADER_BYTES` of it.
    what : str, optional
        What the file should hold, for errors.
    require_id : bool, optional
        Whether the word "MAP " must be in its place; older programs left it out of stacks.

    Returns
    -------
    numpy.void
        Fields as mrcfile names them.

    Raises
    ------
    CryoemError
        If the header is cut off, or not that of an MRC file.
    """
    from mrcfile.dtypes import HEADER_DTYPE

    if len(raw) < HEADER_BYTES:
        raise CryoemError(f"{file}: is no MRC {what}: a header has {HEADER_BYTES} bytes, the file {len(raw)}.")
    little, big = (np.frombuffer(raw, HEADER_DTYPE.newbyteorder(order))[0] for order in "<>")
    stamp = bytes(little["machst"])[:2]
    if stamp in (b"DD", b"DA"):
        header = little
    elif stamp == b"\x11\x11":
        header = big
    else:
        header = min((little, big), key=lambda each: max(abs(int(each[name])) for name in ("nx", "ny", "nz")))
    if require_id and bytes(header["map"]) not in (b"MAP ", b"MAP"):
        found = bytes(header["map"])
        raise CryoemError(f'{file}: is no MRC {what}: its header has {found!r} in the place of "MAP ".')
    return header


def value_type(file: Path, header: Any, *, what: str = "map") -> np.dtype[Any]:
    """Return the type of the values, in the byte order of the file.

    Raises
    ------
    CryoemError
        If a size is not positive, or the values are no real numbers.
    """
    columns, rows, sections = (int(header[name]) for name in ("nx", "ny", "nz"))
    if min(columns, rows, sections) < 1:
        raise CryoemError(f"{file}: its header claims a size of {columns} x {rows} x {sections}.")
    mode = int(header["mode"])
    if mode not in _MODES:
        held = _OTHER_MODES.get(mode, "nothing known")
        raise CryoemError(f"{file}: holds {held} (mode {mode}); a {what} has mode 0, 1, 2, 6 or 12.")
    return np.dtype(_MODES[mode]).newbyteorder("<" if header.dtype["nx"].str.startswith("<") else ">")


def check_extent(
    file: Path,
    shape: Sequence[int],
    item: int,
    extended: int,
    size: int,
    *,
    compressed: bool = False,
    what: str = "map",
) -> int:
    """Return the bytes of the values, or refuse claims that the file cannot keep.

    Parameters
    ----------
    file : Path
    shape : sequence of int
        Sections, rows, columns.
    item, extended, size : int
        Bytes of a value, of the extended header, of the file.
    compressed : bool, optional

    Raises
    ------
    CryoemError
        If the file is too small.
    """
    needed = math.prod(shape) * item
    most = size * _BEST_COMPRESSION if compressed else size
    if extended < 0 or HEADER_BYTES + extended + needed > most:
        said = " x ".join(str(count) for count in reversed(shape))
        raise CryoemError(
            f"{file}: its header claims {said} points, {needed} bytes behind {HEADER_BYTES + extended}; "
            f"the file has {size}{' (compressed)' if compressed else ''}. It is cut off, or no {what}."
        )
    return needed
