"""Contours of maps lie where the map says."""

from __future__ import annotations

import numpy as np
import pytest

from lieapp.cryoem.maps import DensityMap
from lieapp.scene.contours import map_contour


def blob(center: tuple[float, float, float], shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> tuple:
    """A ball around a place x, y, z in Å, in an array (z, y, x)."""
    z, y, x = np.meshgrid(*(np.arange(count) for count in shape), indexing="ij")
    places = np.stack([x, y, z], axis=-1) * spacing
    return (6.0 - np.linalg.norm(places - np.array(center), axis=-1)).astype(np.float32), places


@pytest.mark.parametrize("stride", [1, 2])
def test_a_ball_lies_at_its_place(stride: int) -> None:
    spacing, origin = (0.5, 0.75, 1.0), (100.0, -20.0, 3.0)
    values, _ = blob((10.0, 14.0, 17.0), (36, 40, 44), spacing)
    density = DensityMap(values, spacing, origin)
    contour = map_contour(density, 0.0, stride=stride)
    assert contour is not None
    low, high = contour.vertices.min(axis=0), contour.vertices.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, [110.0, -6.0, 20.0], atol=0.1)
    np.testing.assert_allclose(high - low, 12.0, atol=0.25 * stride**2)
    # Right side out: outward normals, and a positive volume.
    outward = contour.vertices - np.float32([110.0, -6.0, 20.0])
    assert (np.einsum("ij,ij->i", outward, contour.normals) > 0).all()
    assert contour.volume == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.03 * stride)


def test_a_map_without_pixel_size_is_drawn_at_one_angstrom() -> None:
    values, _ = blob((8.0, 8.0, 8.0), (17, 17, 17), (1.0, 1.0, 1.0))
    density = DensityMap(values, None, (2.0, 0.0, 0.0))
    contour, larger = map_contour(density, 0.0), map_contour(density.with_pixel_size(3.0), 0.0)
    assert contour is not None and larger is not None
    np.testing.assert_allclose(larger.vertices, 3 * contour.vertices, rtol=1e-5)


def test_the_contour_is_closed_at_the_end_of_the_map_however_coarse() -> None:
    values = np.ones((3, 4, 5), dtype=np.float32)
    for stride in (1, 2, 50):
        contour = map_contour(DensityMap(values, None), 0.5, stride=stride)
        assert contour is not None and contour.volume > 0
        faces = contour.triangles.astype(np.int64)
        edges = np.sort(np.stack([faces.ravel(), np.roll(faces, -1, axis=1).ravel()], axis=1), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_it_can_be_cancelled() -> None:
    values, _ = blob((8.0, 8.0, 8.0), (17, 17, 17), (1.0, 1.0, 1.0))
    assert map_contour(DensityMap(values, None), 0.0, cancelled=lambda: True) is None
