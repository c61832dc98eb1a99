from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.occlusion import burial_shade, sky_visibility


def _packed(seed: int = 0, half: float = 18.0, each: float = 130.0) -> np.ndarray:
    """Residues strewn as densely as in a protein."""
    count = int((2 * half) ** 3 / each)
    return np.random.default_rng(seed).uniform(-half, half, size=(count, 3))


def test_inside_is_darker_than_outside_and_outside_darker_than_in_the_open() -> None:
    cloud = _packed()
    out = np.array([[1.0, 0, 0]])
    deep = sky_visibility([[0, 0, 0]], out, cloud)[0]
    inwards = sky_visibility([[18.0, 0, 0]], -out, cloud)[0]
    rim = sky_visibility([[18.0, 0, 0]], out, cloud)[0]
    far = sky_visibility([[500.0, 0, 0]], out, cloud)[0]
    assert deep < 0.8 and inwards < rim
    assert 0 < deep <= inwards + 0.05
    assert rim > 0.9 and far == 1


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), count=st.integers(0, 40), spread=st.floats(0, 5000))
def test_any_cloud_gives_numbers_between_nothing_and_all(seed: int, count: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 3)) * spread
    places = np.concatenate([points, rng.normal(size=(5, 3)) * spread])
    normals = rng.normal(size=places.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    seen = sky_visibility(places, normals, points)
    assert seen.shape == (len(places),) and seen.dtype == np.float32
    assert ((seen > 0) & (seen <= 1)).all()


def test_it_hardly_depends_on_where_the_cloud_lies() -> None:
    cloud = _packed(half=14.0)
    normals = np.random.default_rng(1).normal(size=cloud.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    here = sky_visibility(cloud, normals, cloud)
    there = sky_visibility(cloud + np.array([1.1, -300.7, 20.3]), normals, cloud + np.array([1.1, -300.7, 20.3]))
    assert np.abs(here - there).max() < 0.08


def test_unknown_residues_and_no_strength_hide_nothing() -> None:
    cloud = _packed()
    cloud[::3] = np.nan
    place, up = [[0.0, 0, 0]], [[0.0, 0, 1]]
    assert np.isfinite(sky_visibility(place, up, cloud)).all()
    assert sky_visibility(place, up, cloud, strength=0.0)[0] == 1
    assert sky_visibility(place, up, np.full((4, 3), np.nan))[0] == 1


def test_atoms_are_darker_the_deeper_they_lie() -> None:
    depths = np.array([[0.0, 0, 0], [12.0, 0, 0], [18.0, 0, 0], [200.0, 0, 0]])
    shade = burial_shade(depths, _packed())
    assert shade[0] < 0.7 and (np.diff(shade) >= -0.02).all() and shade[-1] == 1
