"""From many pixels drawn to fewer kept: smooth edges without the help of the card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_blocks"]

_ROWS_AT_A_TIME = 64
_OPAQUE = 255


def average_blocks(pixels: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Average square blocks of pixels.

    Parameters
    ----------
    pixels : ndarray, shape=(count * height, count * width, 4), dtype=uint8
        Red, green, blue and alpha, not premultiplied.
    count : int
        Pixels along the side of a block.

    Returns
    -------
    picture : ndarray, shape=(height, width, 4), dtype=uint8
        Colours weighted by their alpha, so that a transparent background leaves no fringe.

    Notes
    -----
    In whole numbers and a few rows at a time: four times as fast as in floating point, and a 4K picture, 33 million
    pixels before averaging, needs no gigabytes.
    """
    if count == 1:
        return pixels.copy()
    height, width = pixels.shape[0] // count, pixels.shape[1] // count
    picture = np.empty((height, width, 4), dtype=np.uint8)
    for start in range(0, height, _ROWS_AT_A_TIME):
        stop = min(start + _ROWS_AT_A_TIME, height)
        rows = pixels[start * count : stop * count]
        if rows[..., 3].min() == _OPAQUE:
            picture[start:stop] = _rounded(_block_sums(rows, count), count * count)
            continue
        alpha = rows[..., 3:].astype(np.uint32)
        weights = _block_sums(alpha, count)
        colors = _block_sums(rows[..., :3] * alpha, count)
        picture[start:stop, :, :3] = _rounded(colors, np.maximum(weights, 1))
        picture[start:stop, :, 3:] = _rounded(weights, count * count)
    return picture


def _block_sums(rows: NDArray, count: int) -> NDArray[np.uint32]:
    """Return the sums over blocks; slices are added, which is faster than a reduction over short axes."""
    lines = rows[0::count].astype(np.uint32)
    for offset in range(1, count):
        lines += rows[offset::count]
    sums = lines[:, 0::count].copy()
    for offset in range(1, count):
        sums += lines[:, offset::count]
    return sums


def _rounded(sums: NDArray[np.uint32], total: NDArray[np.uint32] | int) -> NDArray[np.uint32]:
    """Divide and round to the nearest."""
    return ((sums + total // 2) // total).astype(np.uint32)
