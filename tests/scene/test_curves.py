from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.curves import fill_directions, parallel_frames, sample_spline
from tests.scene.builders import helix, rotation


@pytest.mark.parametrize("segments", [1, 3, 8])
def test_catmull_rom_passes_through_the_points_and_counts_samples(segments: int) -> None:
    points = helix(12)
    fragment = np.array([0] * 7 + [1] + [2] * 4)
    samples = sample_spline(fragment, segments)
    assert len(samples) == 6 * segments + 1 + 1 + 3 * segments + 1
    curve = samples.values(points)
    at_points = np.isclose(samples.parameter % 1, 0)
    np.testing.assert_allclose(curve[at_points], points, atol=1e-12)
    assert samples.first.sum() == samples.last.sum() == 3
    assert np.array_equal(np.bincount(samples.fragment), [6 * segments + 1, 1, 3 * segments + 1])


def test_weights_sum_to_one_and_slopes_to_zero() -> None:
    for basis in ("catmull-rom", "b-spline"):
        samples = sample_spline([0, 0, 1, 1, 1, 2], 5, basis)  # type: ignore[arg-type]
        np.testing.assert_allclose(samples.weights.sum(axis=1), 1, atol=1e-12)
        np.testing.assert_allclose(samples.slopes.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("basis", ["catmull-rom", "b-spline"])
def test_straight_lines_stay_straight_and_even(basis: str) -> None:
    points = np.arange(6.0)[:, None] * [1.0, 2.0, -1.0]
    samples = sample_spline(np.zeros(6), 4, basis)  # type: ignore[arg-type]
    np.testing.assert_allclose(samples.values(points), samples.parameter[:, None] * [1.0, 2.0, -1.0], atol=1e-12)
    np.testing.assert_allclose(samples.derivatives(points), np.tile([1.0, 2.0, -1.0], (21, 1)), atol=1e-12)


def test_derivatives_are_those_of_the_curve() -> None:
    points = helix(8)
    step = 1e-5
    fine = sample_spline(np.zeros(8), 100_000 // 8)
    middle = np.flatnonzero((fine.parameter % 1 > 0.01) & (fine.parameter % 1 < 0.99))[::997]
    curve = fine.values(points)
    width = fine.parameter[middle + 1] - fine.parameter[middle - 1]
    numeric = (curve[middle + 1] - curve[middle - 1]) / width[:, None]
    np.testing.assert_allclose(fine.derivatives(points)[middle], numeric, atol=100 * step)


def test_linear_values_do_not_reach_into_the_next_fragment() -> None:
    samples = sample_spline([0, 0, 1, 1], 2)
    np.testing.assert_allclose(samples.linear([1.0, 2.0, 10.0, 20.0]), [1, 1.5, 2, 10, 15, 20])


def test_directions_are_filled_from_neighbours_of_the_same_fragment() -> None:
    vectors = np.array([[0, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 0], [3, 0, 0], [0, 0, 0]], dtype=float)
    filled = fill_directions(vectors, [0, 0, 0, 1, 1, 2], fallback=(0, 0, 1))
    np.testing.assert_allclose(filled, [[0, 1, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]])


def _frames(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    samples = sample_spline(np.zeros(len(points)), 8)
    return parallel_frames(samples.derivatives(points), samples.fragment)


def test_frames_are_orthonormal_right_handed_and_do_not_twist() -> None:
    points = np.cumsum(np.random.default_rng(1).normal(size=(300, 3)), axis=0)
    t, n, b = _frames(points)
    for vectors in (t, n, b):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(np.cross(t, n), b, atol=1e-9)
    # A frame that is carried along turns about the tangent by nothing: dn has no part along b beyond second order.
    twist = np.abs(np.einsum("ij,ij->i", n[1:], b[:-1]))
    assert np.all(twist <= 1 - np.einsum("ij,ij->i", t[1:], t[:-1]) + 1e-9)


def test_frames_agree_with_step_by_step_transport() -> None:
    points = np.cumsum(np.random.default_rng(2).normal(size=(40, 3)), axis=0)
    t, n, _ = _frames(points)
    carried = n[0]
    for before, after, expected in zip(t[:-1], t[1:], n[1:], strict=True):
        axis = np.cross(before, after)
        cosine = before @ after
        carried = carried + np.cross(axis, carried) + np.cross(axis, np.cross(axis, carried)) / (1 + cosine)
        np.testing.assert_allclose(carried, expected, atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_frames_turn_with_the_points(seed: int) -> None:
    points = np.cumsum(np.random.default_rng(seed).normal(size=(20, 3)), axis=0)
    turn = rotation(seed + 1)
    for straight, turned in zip(_frames(points), _frames(points @ turn.T), strict=True):
        np.testing.assert_allclose(turned, straight @ turn.T, atol=1e-6)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((5, 3)),
        np.arange(5.0)[:, None] * [1.0, 0.0, 0.0],
        np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0], [1, 0, 0]], dtype=float),
        np.zeros((1, 3)),
    ],
    ids=["one place", "line", "back and forth", "one point"],
)
def test_frames_of_degenerate_curves_are_frames(points: np.ndarray) -> None:
    t, n, b = _frames(points)
    assert np.isfinite(n).all()
    np.testing.assert_allclose(np.linalg.norm(n, axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(np.cross(t, n), b, atol=1e-9)


def test_no_points_no_samples() -> None:
    samples = sample_spline([], 4)
    assert len(samples) == 0
    assert samples.values(np.zeros((0, 3))).shape == (0, 3)


def test_segments_must_be_positive() -> None:
    with pytest.raises(ValueError, match="segment"):
        sample_spline([0, 0], 0)
