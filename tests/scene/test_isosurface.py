from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.errors import SceneError
from lieapp.scene.isosurface import Isosurface, isosurface


def _ball(
    points: int = 30, radius: float = 10.0, center: tuple[float, float, float] = (14.2, 14.7, 14.4)
) -> np.ndarray:
    axes = np.meshgrid(*(np.arange(points) - c for c in center), indexing="ij")
    return radius - np.sqrt(sum(axis**2 for axis in axes))


def _contour(*arguments: object, **options: object) -> Isosurface:
    surface = isosurface(*arguments, **options)  # type: ignore[arg-type]
    assert surface is not None
    return surface


def _assert_closed(surface: Isosurface) -> None:
    """Every edge belongs to two triangles that pass it in opposite directions."""
    faces = surface.triangles.astype(np.int64)
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = len(surface.vertices)
    there, back = np.sort(start * count + end), np.sort(end * count + start)
    assert len(np.unique(there)) == len(there)
    assert np.array_equal(there, back)


def test_a_ball_has_its_area_and_volume() -> None:
    surface = _contour(_ball(), 0.0, spacing=0.5)
    _assert_closed(surface)
    assert surface.area == pytest.approx(4 * np.pi * 5.0**2, rel=0.01)
    assert surface.volume == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=0.01)
    # One piece without holes, by Euler's number.
    edges = 3 * len(surface.triangles) // 2
    assert len(surface.vertices) - edges + len(surface.triangles) == 2


def test_normals_and_triangles_face_outwards() -> None:
    surface = _contour(_ball(), 0.0)
    outward = surface.vertices - np.float32([14.2, 14.7, 14.4])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", outward, surface.normals) > 0.98).all()
    corners = surface.vertices[surface.triangles.astype(np.int64)]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", face, outward[surface.triangles[:, 0].astype(np.int64)]) > -1e-4).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), level=st.floats(-0.5, 0.5))
def test_any_map_gives_a_closed_contour(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    grid = rng.normal(size=tuple(rng.integers(2, 9, size=3)))
    surface = _contour(grid, level, closed=True)
    assert np.isfinite(surface.vertices).all() and np.isfinite(surface.normals).all()
    if (grid > level).any():
        _assert_closed(surface)
        assert surface.volume > 0


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_values_between_are_those_of_the_level(seed: int) -> None:
    """On a linear map the contour is exact."""
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=3)
    grid = np.tensordot(np.moveaxis(np.indices((6, 7, 8)), 0, -1), slope, axes=1)
    level = float(grid.mean()) + 0.01
    surface = _contour(grid, level, spacing=(1.0, 2.0, 0.5), origin=(3.0, 0.0, -1.0))
    values = (surface.vertices - [3.0, 0.0, -1.0]) / [1.0, 2.0, 0.5] @ slope
    np.testing.assert_allclose(values, level, atol=2e-3 * np.abs(slope).max() + 1e-5)
    steepest = -slope / [1.0, 2.0, 0.5]
    np.testing.assert_allclose(
        surface.normals, np.tile(steepest / np.linalg.norm(steepest), (len(values), 1)), atol=1e-3
    )


def test_higher_levels_enclose_less() -> None:
    """Volumes of nested contours: each lies within the one before."""
    rng = np.random.default_rng(7)
    grid = rng.normal(size=(12, 13, 14))
    levels = np.linspace(grid.min() + 0.01, grid.max() - 0.01, 15)
    volumes = [_contour(grid, level, closed=True).volume for level in levels]
    assert all(lower > higher > 0 for lower, higher in pairwise(volumes))


def test_lines_lie_in_planes_of_the_grid() -> None:
    surface = _contour(_ball(16, 5.0, (7.3, 7.6, 7.4)), 0.0, spacing=2.0, origin=(1.0, 0.0, 0.0), lines=True)
    assert len(surface.lines) > 300
    ends = ((surface.vertices - [1.0, 0.0, 0.0]) / 2.0)[surface.lines.astype(np.int64)]
    level = np.abs(ends[:, 0] - ends[:, 1]) < 1e-5
    whole = np.abs(ends[:, 0] - np.round(ends[:, 0])) < 1e-5
    assert (level & whole).any(axis=1).all()
    # Planes cut a closed surface along closed lines: at every vertex as many come as go, an even number.
    planes = (level & whole).sum(axis=1) == 1
    for axis in range(3):
        inside = surface.lines[planes & (level & whole)[:, axis]]
        assert (np.bincount(inside.ravel().astype(np.int64)) % 2 == 0).all()


def test_whole_numbers_and_values_on_the_level() -> None:
    grid = np.zeros((7, 7, 7), dtype=np.int8)
    grid[2:5, 2:5, 2:5] = 1
    for level in (0.0, 0.5):
        surface = _contour(grid, level)
        _assert_closed(surface)
        assert 0 < surface.volume < 5**3


def test_what_is_unknown_lies_outside() -> None:
    grid = _ball()
    grid[:14] = np.nan
    surface = _contour(grid, 0.0)
    _assert_closed(surface)
    assert surface.vertices[:, 0].min() > 12.9


def test_nothing_above_the_level_is_nothing() -> None:
    surface = _contour(np.zeros((4, 4, 4)), 1.0)
    assert surface.triangles.shape == (0, 3) and surface.volume == 0 and surface.area == 0


def test_it_can_be_cancelled() -> None:
    assert isosurface(_ball(), 0.0, cancelled=lambda: True) is None


@pytest.mark.parametrize(("grid", "level"), [(np.zeros((3, 3)), 0.0), (np.zeros((1, 4, 4)), 0.0), (_ball(8), np.nan)])
def test_what_is_no_map_is_refused(grid: np.ndarray, level: float) -> None:
    with pytest.raises(SceneError):
        isosurface(grid, level)
