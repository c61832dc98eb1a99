"""A long curve as few points, with every peak: what a plot draws of a million frames. No Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Envelope"]

_BLOCK = 64


class Envelope:
    """A growing series with the least and the greatest value of every block of frames.

    Drawing it takes a time that depends on the pixels, not on the frames, and appending takes a time that depends on
    the frames that came. What is not finite is drawn as a gap, unless there is something finite in the same pixel.
    """

    def __init__(self) -> None:
        self._count = 0
        self._x: NDArray[np.float64] = np.empty(0)
        self._y: NDArray[np.float64] = np.empty(_BLOCK)
        self._low: NDArray[np.float64] = np.empty(1)
        self._high: NDArray[np.float64] = np.empty(1)

    def __len__(self) -> int:
        return self._count

    @property
    def x(self) -> NDArray[np.float64]:
        """Abscissae, shape (frames,)."""
        return self._x[: self._count]

    @property
    def y(self) -> NDArray[np.float64]:
        """Ordinates, shape (frames,)."""
        return self._y[: self._count]

    def extend(self, x: NDArray[np.float64], tail: NDArray[np.float64]) -> None:
        """Append frames.

        Parameters
        ----------
        x : ndarray, shape=(frames + new,)
            All abscissae by now, not decreasing; kept, not copied.
        tail : ndarray, shape=(new,)
            Ordinates of the new frames.
        """
        before, count = self._count, self._count + len(tail)
        if len(x) != count:
            raise ValueError(f"{count} abscissae expected, found {len(x)}")
        self._y = _grown(self._y, before, count)
        self._y[before:count] = tail
        first, blocks = before // _BLOCK, -(-count // _BLOCK)
        self._low, self._high = _grown(self._low, first, blocks), _grown(self._high, first, blocks)
        if blocks > first:
            changed = self._y[first * _BLOCK : count]
            starts = np.arange(0, len(changed), _BLOCK)
            self._low[first:blocks] = np.fmin.reduceat(changed, starts)
            self._high[first:blocks] = np.fmax.reduceat(changed, starts)
        self._x, self._count = x, count

    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Return the ranges of the abscissae and of the finite ordinates, or None if nothing can be drawn."""
        blocks = -(-self._count // _BLOCK)
        if blocks == 0:
            return None
        low, high = float(np.fmin.reduce(self._low[:blocks])), float(np.fmax.reduce(self._high[:blocks]))
        if np.isnan(low):
            return None
        return (float(self._x[0]), float(self._x[self._count - 1])), (low, high)

    def frames_within(self, left: float, right: float) -> slice:
        """Return the frames between two abscissae, and one more on either side."""
        first = int(np.searchsorted(self.x, left)) - 1
        last = int(np.searchsorted(self.x, right, side="right")) + 1
        return slice(max(first, 0), min(last, self._count))

    def points(self, left: float, right: float, bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what has to be drawn between two abscissae.

        Parameters
        ----------
        left, right : float
        bins : int
            Number of pixels, or of groups of them, in between.

        Returns
        -------
        x, y : ndarray, shape=(points,)
            All frames where they are few; otherwise about two points for each bin, its least and its greatest value
            in the order in which the curve goes, and the frames at both ends as they are.
        """
        inside = self.frames_within(left, right)
        first, last = inside.start, inside.stop
        bins = max(bins, 1)
        if last - first <= 2 * bins:
            return self._x[first:last], self._y[first:last]
        size = -(-(last - first) // bins)
        # Bins begin at multiples of their size, or the curve would shimmer when it is moved.
        if size >= 2 * _BLOCK:
            size -= size % _BLOCK
            starts = np.arange(first - first % size, last, size)
            begin, end = int(starts[0]) // _BLOCK, -(-last // _BLOCK)
            places = (starts - starts[0]) // _BLOCK
            low = np.fmin.reduceat(self._low[begin:end], places)
            high = np.fmax.reduceat(self._high[begin:end], places)
        else:
            starts = np.arange(first - first % size, last, size)
            places = starts - starts[0]
            low = np.fmin.reduceat(self._y[starts[0] : last], places)
            high = np.fmax.reduceat(self._y[starts[0] : last], places)
        ends = np.minimum(starts + size, last) - 1
        rises = self._y[ends] > self._y[starts]
        x = np.empty(2 * len(starts) + 2)
        y = np.empty_like(x)
        x[1:-1] = np.repeat(self._x[(starts + ends) // 2], 2)
        y[1:-1:2] = np.where(rises, low, high)
        y[2:-1:2] = np.where(rises, high, low)
        # The first bin may begin before the first frame that is asked for.
        x[0], y[0] = self._x[starts[0]], self._y[starts[0]]
        x[-1], y[-1] = self._x[last - 1], self._y[last - 1]
        return x, y


def _grown(array: NDArray[np.float64], used: int, wanted: int) -> NDArray[np.float64]:
    if wanted <= len(array):
        return array
    larger = np.empty(max(wanted, 2 * len(array)))
    larger[:used] = array[:used]
    return larger
