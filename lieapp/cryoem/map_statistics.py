"""What the values of a map look like as a whole: range, spread, histogram, and the level worth looking at first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MapStatistics", "map_statistics"]

_CHUNK = 1 << 20
_MOST_ABOVE = 0.05
"""Share of the grid points that may lie above the first level: of noise, half of the density would fill the box."""


@dataclass(frozen=True, eq=False)
class MapStatistics:
    """Statistics of the finite values of a map.

    Attributes
    ----------
    minimum, maximum, mean, standard_deviation : float
    counts : ndarray, shape=(bins,), dtype=int64
        Grid points in equal bins from minimum to maximum.
    initial_level : float
        Between minimum and maximum: half of the density above the mean lies within its contour, in at most a twentieth
        of the grid points.
    """

    minimum: float
    maximum: float
    mean: float
    standard_deviation: float
    counts: NDArray[np.int64]
    initial_level: float

    @property
    def constant(self) -> bool:
        """Whether all values are the same, so that no level has a contour."""
        return not self.maximum > self.minimum

    def sigma(self, level: float) -> float:
        """Return a level in standard deviations above the mean; 0 for a constant map."""
        return (level - self.mean) / self.standard_deviation if self.standard_deviation > 0 else 0.0

    def level(self, sigma: float) -> float:
        """Return the level that lies so many standard deviations above the mean."""
        return self.mean + sigma * self.standard_deviation


def map_statistics(values: ArrayLike, *, bins: int = 256) -> MapStatistics:
    """Describe the values of a map.

    Parameters
    ----------
    values : array_like
        Values that are not finite are left out; if none is finite, the map counts as zero.
    bins : int, optional

    Returns
    -------
    MapStatistics
    """
    flat = np.asarray(values).ravel()
    finite = np.isfinite(flat)
    if not finite.all():
        flat = flat[finite]
    if not len(flat):
        flat = np.zeros(1, dtype=np.float32)
    low, high = float(flat.min()), float(flat.max())
    mean = float(flat.mean(dtype=np.float64))
    deviation = float(flat.std(dtype=np.float64))
    if not high > low:
        counts = np.zeros(bins, dtype=np.int64)
        counts[bins // 2] = len(flat)
        return MapStatistics(low, high, mean, 0.0, counts, low)
    counts = _histogram(flat, low, high, bins)
    level = _initial_level(flat, mean)
    # Of a mask or a single point this is its smallest or largest value.
    if not low < level < high:
        level = low + 0.5 * (high - low)
    return MapStatistics(low, high, mean, deviation, counts, level)


def _histogram(values: NDArray[np.floating], low: float, high: float, bins: int) -> NDArray[np.int64]:
    """Count in float64: numpy's own refuses float32 values that differ in their last digits only."""
    counts = np.zeros(bins, dtype=np.int64)
    for begin in range(0, len(values), _CHUNK):
        share = (values[begin : begin + _CHUNK].astype(np.float64) - low) / (high - low)
        counts += np.bincount(np.minimum((bins * share).astype(np.int64), bins - 1), minlength=bins)
    return counts


def _initial_level(values: NDArray[np.floating], mean: float) -> float:
    above = float(np.maximum(values - mean, 0).sum(dtype=np.float64))
    rank = min(int((1.0 - _MOST_ABOVE) * len(values)), len(values) - 1)
    highest = np.sort(np.partition(values, rank)[rank:])[::-1].astype(np.float64)
    half = int(np.searchsorted(np.cumsum(highest - mean), above / 2))
    return float(highest[min(half, len(highest) - 1)])
