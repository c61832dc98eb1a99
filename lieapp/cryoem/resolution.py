"""What a Fourier shell correlation says about resolution. numpy, no torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FSC_HALF_MAPS", "FSC_TRUTH", "resolution_angstrom", "resolution_words", "shell_frequencies"]

Array = NDArray[np.float64]

FSC_HALF_MAPS = 0.143
"""Correlation between half maps at which the resolution is read (Rosenthal and Henderson, 2003)."""
FSC_TRUTH = 0.5
"""Correlation with the truth at which the resolution is read."""


def shell_frequencies(shells: int, box: int, pixel_size_angstrom: float) -> Array:
    """Return the spatial frequency of every shell in 1/Å, shape=(shells,)."""
    return np.arange(shells) / (box * pixel_size_angstrom)


def resolution_angstrom(
    correlation: ArrayLike, box: int, pixel_size_angstrom: float, threshold: float = FSC_HALF_MAPS
) -> float:
    """Return the resolution at which a Fourier shell correlation first falls below a threshold.

    Parameters
    ----------
    correlation : array_like, shape=(shells,)
    box : int
        In pixels.
    pixel_size_angstrom : float
    threshold : float
        0.143 between half maps, 0.5 against the truth.

    Returns
    -------
    float
        In Å, interpolated between shells; that of the last shell where no shell lies below the threshold, infinite
        where all do.
    """
    values = np.asarray(correlation, dtype=np.float64)
    extent = box * pixel_size_angstrom
    below = np.flatnonzero(~(values[1:] >= threshold)) + 1
    if not len(below):
        return extent / (len(values) - 1)
    k = int(below[0])
    if k == 1:
        return math.inf
    left, right = values[k - 1], values[k]
    step = (left - threshold) / (left - right) if math.isfinite(right) and left > right else 0.0
    return extent / (k - 1 + step)


def resolution_words(angstrom: float, box: int, pixel_size_angstrom: float, digits: int = 1) -> str:
    """Return a resolution for people: ``"13.2 Å"``, ``"≤ 13.2 Å"`` where the images hold no higher frequencies, or
    ``"–"`` where there is none.

    Parameters
    ----------
    angstrom : float
        As `resolution_angstrom` returns it.
    box : int
        In pixels.
    pixel_size_angstrom : float
    digits : int
        After the point.
    """
    if not math.isfinite(angstrom):
        return "–"
    finest = box * pixel_size_angstrom / (box // 2 - 1)
    return f"{'≤ ' if angstrom <= finest * (1.0 + 1e-9) else ''}{angstrom:.{digits}f} Å"
