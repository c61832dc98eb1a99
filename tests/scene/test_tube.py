from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.sweep import Mesh, circle_profile, cylinders, join_meshes
from lieapp.scene.tube import NUCLEIC_GAP, PROTEIN_GAP, build_tube, trace_fragments
from tests.scene.builders import helix, rotation
from tests.scene.meshes import assert_normals_outward, assert_watertight, signed_volume


def test_a_tube_is_closed_faces_outwards_and_keeps_its_radius() -> None:
    points = np.concatenate([helix(15), np.add(helix(9), [20, 0, 0])])
    fragment = np.array([0] * 15 + [1] * 9)
    mesh = build_tube(points, fragment, 0.6, segments=8, corners=10)
    assert_watertight(mesh)
    assert_normals_outward(mesh)
    assert signed_volume(mesh) > 0
    # Every vertex lies on or, at the round ends, within the radius from some point of a fine curve.
    fine = build_tube(points, fragment, 1e-4, segments=24, corners=3).vertices
    distance = np.linalg.norm(mesh.vertices[:, None] - fine[None], axis=-1).min(axis=1)
    assert distance.max() < 0.62
    assert np.median(np.abs(distance - 0.6)) < 0.02


def test_volume_is_that_of_a_cylinder_with_round_ends() -> None:
    points = np.arange(10.0)[:, None] * [3.8, 0, 0]
    mesh = build_tube(points, np.zeros(10), 1.0, segments=4, corners=64)
    assert signed_volume(mesh) == pytest.approx(np.pi * 9 * 3.8 + 4 / 3 * np.pi, rel=0.02)


def test_owners_change_halfway_between_guides() -> None:
    points = np.arange(4.0)[:, None] * [4.0, 0, 0]
    mesh = build_tube(points, np.zeros(4), 0.5, owner=[7, 8, 9, 30], segments=4)
    nearest = np.array([7, 8, 9, 30])[np.clip(np.floor(mesh.vertices[:, 0] / 4 + 0.5 + 1e-4), 0, 3).astype(int)]
    assert np.array_equal(mesh.owner, nearest)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), count=st.integers(3, 30))
def test_tubes_turn_and_move_with_the_points(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = np.cumsum(rng.normal(size=(count, 3)) * 2, axis=0)
    turn, shift = rotation(seed + 1), rng.normal(size=3) * 30
    here = build_tube(points, np.zeros(count), 0.5)
    there = build_tube(points @ turn.T + shift, np.zeros(count), 0.5)
    np.testing.assert_allclose(there.vertices, here.vertices @ turn.T + shift, atol=2e-3)
    np.testing.assert_allclose(there.normals, here.normals @ turn.T, atol=2e-3)
    assert np.array_equal(here.faces, there.faces)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((1, 3)),
        np.array([[0, 0, 0], [3.8, 0, 0]], dtype=float),
        helix(3),
        np.arange(6.0)[:, None] * [3.8, 0, 0],
        np.array([[0, 0, 0], [0, 0, 0], [3.8, 0, 0], [3.8, 0, 0], [7, 1, 0]], dtype=float),
        np.array([[0, 0, 0], [3.8, 0, 0], [0, 0, 0], [3.8, 0, 0]], dtype=float),
        np.zeros((4, 3)),
    ],
    ids=["one", "two", "three", "collinear", "duplicates", "back and forth", "one place"],
)
def test_degenerate_chains_give_finite_closed_meshes(points: np.ndarray) -> None:
    mesh = build_tube(points, np.zeros(len(points)), 0.7)
    assert len(mesh.faces)
    assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.normals).all()
    assert_watertight(mesh)
    assert np.abs(mesh.vertices - points.mean(axis=0)).max() < 20


def test_one_residue_is_a_ball() -> None:
    mesh = build_tube(np.array([[5.0, 6.0, 7.0]]), [0], 0.8, corners=12)
    from_middle = np.linalg.norm(mesh.vertices - [5, 6, 7], axis=1)
    np.testing.assert_allclose(from_middle, 0.8, atol=1e-5)


def test_radius_may_differ_along_a_tube() -> None:
    points = np.arange(3.0)[:, None] * [10.0, 0, 0]
    mesh = build_tube(points, np.zeros(3), [1.0, 2.0, 1.0], segments=10)
    across = np.linalg.norm(mesh.vertices[:, 1:], axis=1)
    at = np.isclose(mesh.vertices[:, 0], 10.0)
    np.testing.assert_allclose(across[at], 2.0, atol=1e-5)


def test_nothing_gives_an_empty_mesh() -> None:
    assert len(build_tube(np.zeros((0, 3)), [], 1.0).faces) == 0
    assert len(join_meshes(Mesh.empty(), Mesh.empty()).faces) == 0


def test_chains_split_at_gaps_and_at_chain_ends() -> None:
    points = np.array([[0, 0, 0], [3.8, 0, 0], [3.8 + PROTEIN_GAP + 0.1, 0, 0], [12, 0, 0], [15.8, 0, 0]])
    trace = trace_fragments(points, ["A", "A", "A", "A", "B"], [False] * 5, np.arange(5))
    assert trace.fragment.tolist() == [0, 0, 1, 1, 2]
    assert trace.gaps.tolist() == [[1, 2]]


def test_nucleic_acids_may_have_longer_steps() -> None:
    points = np.array([[0, 0, 0], [6.5, 0, 0], [6.5 + NUCLEIC_GAP + 1, 0, 0]])
    assert trace_fragments(points, ["A"] * 3, [True] * 3, np.arange(3)).fragment.tolist() == [0, 0, 1]
    assert trace_fragments(points, ["A"] * 3, [False] * 3, np.arange(3)).fragment.tolist() == [0, 1, 2]


def test_cylinders_are_closed_and_skip_those_without_length() -> None:
    starts = np.array([[0, 0, 0], [5, 5, 5], [1, 1, 1]], dtype=float)
    ends = np.array([[0, 0, 2], [6, 7, 5], [1, 1, 1]], dtype=float)
    mesh = cylinders(starts, ends, 0.2, np.array([3, 4, 5]), corners=32)
    assert set(mesh.owner) == {3, 4}
    assert_watertight(mesh)
    assert_normals_outward(mesh)
    expected = np.pi * 0.2**2 * (2 + np.sqrt(5))
    assert signed_volume(mesh) == pytest.approx(expected, rel=0.02)


def test_joined_meshes_keep_their_parts() -> None:
    parts = [build_tube(np.add(helix(4), [k * 20, 0, 0]), np.zeros(4), 0.5, owner=np.full(4, k)) for k in range(3)]
    mesh = join_meshes(parts[0], Mesh.empty(), *parts[1:])
    assert len(mesh.faces) == sum(len(part.faces) for part in parts)
    assert_watertight(mesh)
    owners = mesh.owner[mesh.faces.astype(np.int64)]
    assert (owners == owners[:, :1]).all()


def test_a_profile_runs_counter_clockwise() -> None:
    profile = circle_profile(5)
    after = np.roll(profile, -1, axis=0)
    assert np.all(profile[:, 0] * after[:, 1] - profile[:, 1] * after[:, 0] > 0)
