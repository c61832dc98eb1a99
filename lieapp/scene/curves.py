"""Smooth curves through points of many fragments at once, and frames that do not twist along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Basis", "SplineSamples", "fill_directions", "fragment_ends", "parallel_frames", "sample_spline"]

Basis = Literal["catmull-rom", "b-spline"]

# Rows: powers 1, t, t², t³; columns: the four control points around the interval.
_BASES: dict[str, NDArray[np.float64]] = {
    "catmull-rom": np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], dtype=np.float64) / 2,
    "b-spline": np.array([[1, 4, 1, 0], [-3, 0, 3, 0], [3, -6, 3, 0], [-1, 3, -3, 1]], dtype=np.float64) / 6,
}


def fragment_ends(fragment: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where runs of equal numbers begin and where they end, shape (n,) each."""
    begins = np.ones(len(fragment), dtype=bool)
    begins[1:] = fragment[1:] != fragment[:-1]
    ends = np.ones(len(fragment), dtype=bool)
    ends[:-1] = begins[1:]
    return begins, ends


@dataclass(frozen=True, eq=False)
class SplineSamples:
    """Where curves are sampled, as weights on control points: any quantity can be carried along.

    Attributes
    ----------
    indices : ndarray, shape=(samples, 4), dtype=int
        Control points that act on a sample.
    weights, slopes : ndarray, shape=(samples, 4)
        Their weights, and the derivatives of these by the curve parameter.
    parameter : ndarray, shape=(samples,)
        Control index plus the fraction of the interval.
    fragment : ndarray, shape=(samples,), dtype=int
        Fragment of each sample, counted from 0.
    first, last : ndarray, shape=(samples,), dtype=bool
        Ends of the fragments.
    """

    indices: NDArray[np.int64]
    weights: NDArray[np.float64]
    slopes: NDArray[np.float64]
    parameter: NDArray[np.float64]
    fragment: NDArray[np.int64]
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.parameter)

    @property
    def nearest(self) -> NDArray[np.int64]:
        """Control point nearest to each sample; halfway goes to the later one."""
        return np.minimum(np.floor(self.parameter + 0.5).astype(np.int64), int(self.indices.max(initial=0)))

    def values(self, controls: ArrayLike) -> NDArray[np.float64]:
        """Return a quantity given at the control points, shape (controls, k), at the samples, shape (samples, k)."""
        return np.einsum("sw,swk->sk", self.weights, np.asarray(controls, dtype=np.float64)[self.indices])

    def derivatives(self, controls: ArrayLike) -> NDArray[np.float64]:
        """Return its derivative by the curve parameter, shape (samples, k)."""
        return np.einsum("sw,swk->sk", self.slopes, np.asarray(controls, dtype=np.float64)[self.indices])

    def linear(self, controls: ArrayLike) -> NDArray[np.float64]:
        """Return a number given at the control points, shape (controls,), interpolated linearly at the samples."""
        array = np.asarray(controls, dtype=np.float64)
        low = np.floor(self.parameter).astype(np.int64)
        high = np.minimum(low + 1, len(array) - 1)
        fraction = self.parameter - low
        # The sample at the end of a fragment sits on its control point: the next fragment has no say.
        return np.where(fraction > 0, array[low] * (1 - fraction) + array[high] * fraction, array[low])


def sample_spline(fragment: ArrayLike, segments: int, basis: Basis = "catmull-rom") -> SplineSamples:
    """Sample the curves through consecutive control points.

    A fragment of m points gives ``(m - 1) * segments + 1`` samples, its ends included; a lone point gives one.
    Catmull-Rom goes through the points, the B-spline is smoother and stays inside them. Beyond an end the curve is
    continued by reflection, so that both start and end at the end points.

    Parameters
    ----------
    fragment : array_like, shape=(controls,), dtype=int
        Fragment of each control point; equal numbers are contiguous.
    segments : int
        Samples from one control point to the next, at least 1.
    basis : {"catmull-rom", "b-spline"}

    Returns
    -------
    samples : SplineSamples

    References
    ----------
    E. Catmull, R. Rom, "A class of local interpolating splines", 1974.
    """
    labels = np.asarray(fragment)
    count = len(labels)
    if segments < 1:
        raise ValueError("a curve needs at least one segment per interval")
    if count == 0:
        empty = np.zeros((0, 4))
        none = np.zeros(0, dtype=bool)
        return SplineSamples(empty.astype(np.int64), empty, empty, np.zeros(0), none.astype(np.int64), none, none)

    begins, ends = fragment_ends(labels)
    order = np.cumsum(begins) - 1

    steps = np.where(ends, 1, segments)  # an end point contributes itself only
    owner = np.repeat(np.arange(count), steps)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)
    fraction = offset / segments
    # The end point is evaluated as the end of the interval before it; a lone point stands for itself.
    lone = begins & ends
    at_end = ends[owner] & ~lone[owner]
    left = owner - at_end
    local = np.where(at_end, 1.0, fraction)

    powers = np.stack([np.ones_like(local), local, local**2, local**3], axis=1)
    powers_slope = np.stack([np.zeros_like(local), np.ones_like(local), 2 * local, 3 * local**2], axis=1)
    weights = powers @ _BASES[basis]
    slopes = powers_slope @ _BASES[basis]

    indices = left[:, None] + np.arange(-1, 3)
    alone = lone[owner]
    before_missing = begins[left] & ~alone
    right = np.minimum(left + 1, count - 1)
    after_missing = ends[right] & ~alone
    for table in (weights, slopes):
        # Reflection: p(-1) = 2 p(0) - p(1), written into the weights so that it serves every quantity.
        table[before_missing, 1] += 2 * table[before_missing, 0]
        table[before_missing, 2] -= table[before_missing, 0]
        table[before_missing, 0] = 0
        table[after_missing, 2] += 2 * table[after_missing, 3]
        table[after_missing, 1] -= table[after_missing, 3]
        table[after_missing, 3] = 0
    weights[alone] = (0, 1, 0, 0)
    slopes[alone] = 0
    indices = np.clip(indices, 0, count - 1)
    return SplineSamples(
        indices=indices,
        weights=weights,
        slopes=slopes,
        parameter=(owner + np.where(ends[owner], 0.0, fraction)).astype(np.float64),
        fragment=order[owner],
        first=begins[owner] & (offset == 0),
        last=ends[owner],
    )


def fill_directions(
    vectors: ArrayLike, fragment: ArrayLike, fallback: ArrayLike = (1.0, 0.0, 0.0)
) -> NDArray[np.float64]:
    """Normalise vectors; one that is zero takes the nearest good direction before it, else after it, in its fragment.

    Parameters
    ----------
    vectors : array_like, shape=(n, 3)
    fragment : array_like, shape=(n,), dtype=int
        Equal numbers are contiguous.
    fallback : array_like, shape=(3,)
        Direction for a fragment without any.

    Returns
    -------
    directions : ndarray, shape=(n, 3)
        Unit vectors.
    """
    array = np.asarray(vectors, dtype=np.float64)
    labels = np.asarray(fragment)
    length = np.sqrt(np.einsum("ij,ij->i", array, array))
    good = np.isfinite(length) & (length > 1e-9)
    result = np.where(good[:, None], array / np.where(good, length, 1.0)[:, None], 0.0)
    if good.all():
        return result
    index = np.arange(len(array))
    before = np.maximum.accumulate(np.where(good, index, -1))
    after = np.minimum.accumulate(np.where(good, index, len(array))[::-1])[::-1]
    from_before = (before >= 0) & (labels[np.maximum(before, 0)] == labels)
    from_after = (after < len(array)) & (labels[np.minimum(after, len(array) - 1)] == labels)
    source = np.where(from_before, before, np.where(from_after, after, index))
    result = result[source]
    result[~(from_before | from_after)] = np.asarray(fallback, dtype=np.float64)
    return result


def _perpendicular(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return some unit vector perpendicular to each direction."""
    smallest = np.argmin(np.abs(directions), axis=1)
    axis = np.zeros_like(directions)
    axis[np.arange(len(directions)), smallest] = 1.0
    result = np.cross(directions, axis)
    return result / np.linalg.norm(result, axis=1, keepdims=True)


def _multiply(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply quaternions (w, x, y, z) given as rows of components, shape (4, n)."""
    w1, x1, y1, z1 = a
    w2, x2, y2, z2 = b
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ]
    )


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross products of rows; np.cross takes several times as long."""
    (a0, a1, a2), (b0, b1, b2) = a.T, b.T
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=1)


def _rotate(quaternions: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    w, u = quaternions[:, :1], quaternions[:, 1:]
    twice = 2 * _cross(u, vectors)
    return vectors + w * twice + _cross(u, twice)


def parallel_frames(
    tangents: ArrayLike, fragment: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return frames that turn as little as possible along the curves (parallel transport).

    From one sample to the next the frame turns by the shortest rotation that carries the tangent over. These
    rotations are multiplied up by prefix products, in log2(samples) vectorised passes instead of a loop. The first
    normal of a fragment lies in the plane where its curve first bends, so the frames turn with the molecule.

    Parameters
    ----------
    tangents : array_like, shape=(samples, 3)
        Zero vectors are allowed.
    fragment : array_like, shape=(samples,), dtype=int

    Returns
    -------
    tangents, normals, binormals : ndarray, shape=(samples, 3)
        Right-handed orthonormal frames: ``tangent x normal = binormal``.
    """
    labels = np.asarray(fragment)
    unit = fill_directions(tangents, labels)
    count = len(unit)
    if count == 0:
        return unit, unit.copy(), unit.copy()
    begins, _ = fragment_ends(labels)

    before = np.roll(unit, 1, axis=0)
    cross = _cross(before, unit)
    cosine = np.einsum("ij,ij->i", before, unit)
    turn = np.concatenate([(1 + cosine)[:, None], cross], axis=1)
    reversed_ = cosine < -1 + 1e-9
    if reversed_.any():
        turn[reversed_, 0] = 0
        turn[reversed_, 1:] = _perpendicular(unit[reversed_])
    turn[begins] = (1, 0, 0, 0)
    total = (turn / np.sqrt(np.einsum("ij,ij->i", turn, turn))[:, None]).T.copy()

    start = np.maximum.accumulate(np.where(begins, np.arange(count), 0))
    position = np.arange(count) - start
    reach = 1
    while reach <= position.max():
        product = _multiply(total[:, reach:], total[:, :-reach])
        total[:, reach:] = np.where(position[reach:] >= reach, product, total[:, reach:])
        reach *= 2
    total /= np.sqrt(np.einsum("ij,ij->j", total, total))

    # Curvature where the curve bends, the earliest of each fragment, made perpendicular to the first tangent.
    sine = np.sqrt(np.einsum("ij,ij->i", cross, cross))
    heads = np.flatnonzero(begins)
    index = np.arange(count)
    bent = (sine >= 1e-6) & ~begins
    next_bend = np.minimum.accumulate(np.where(bent, index, count)[::-1])[::-1][heads]
    found = (next_bend < count) & (labels[np.minimum(next_bend, count - 1)] == labels[heads])
    at_head = _perpendicular(unit[heads])
    chosen = np.cross(cross[np.minimum(next_bend, count - 1)], unit[heads])
    length = np.linalg.norm(chosen, axis=1)
    usable = found & (length > 1e-9)
    at_head[usable] = chosen[usable] / length[usable, None]

    normals = _rotate(total.T, at_head[np.cumsum(begins) - 1])
    normals -= np.einsum("ij,ij->i", normals, unit)[:, None] * unit
    normals = fill_directions(normals, labels)
    binormals = _cross(unit, normals)
    return unit, normals, binormals
