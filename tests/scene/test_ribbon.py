from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.scene.geometry import build_geometry
from lieapp.scene.ribbon import ARROW_WIDTH, COIL, HELIX, STRAND, build_ribbon, ribbon_pieces, ribbon_sides
from lieapp.structures.reading import read_structure
from tests.scene.builders import helix, rotation
from tests.scene.meshes import assert_normals_outward, assert_watertight, signed_volume

STATES = list("CCHHHHHHCCEEEEECC")


def _walk(seed: int, count: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(count, 3)) * 2, axis=0)


def _nowhere(points: np.ndarray) -> np.ndarray:
    return np.full_like(points, np.nan)


def _ribbon(points: np.ndarray, states: list[str], oxygens: np.ndarray | None = None, **options: int):  # type: ignore[no-untyped-def]
    fragment = np.zeros(len(points), dtype=int)
    sides = ribbon_sides(points, _nowhere(points) if oxygens is None else oxygens, fragment)
    return build_ribbon(points, sides, states, fragment, **options)


def test_pieces_of_a_chain() -> None:
    assert "".join(ribbon_pieces(STATES, np.zeros(17))) == "CCHHHHHCCCEEEACCC"
    # Too short for a helix or a strand, and one of each at the end of a fragment.
    assert "".join(ribbon_pieces(list("HHHCEECHHHH"), np.zeros(11))) == "CCCCCCCHHHH"
    assert "".join(ribbon_pieces(list("EEEEHHHH"), [0] * 4 + [1] * 4)) == "EEAAHHHH"
    assert ribbon_pieces([], []).shape == (0,)


@pytest.mark.parametrize("corners", [8, 12, 16])
@pytest.mark.parametrize("segments", [1, 5])
def test_every_piece_is_closed_and_has_room_inside(corners: int, segments: int) -> None:
    mesh = _ribbon(_walk(1, 17), STATES, corners=corners, segments=segments)
    assert_watertight(mesh)
    assert np.isfinite(mesh.vertices).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    if segments > 1:
        assert signed_volume(mesh) > 0


def test_normals_point_outward_on_smooth_chains() -> None:
    mesh = _ribbon(helix(20), ["H"] * 20, segments=10, corners=16)
    assert_normals_outward(mesh, -0.05)
    strand = np.stack([3.3 * np.arange(12), 0.9 * (-1.0) ** np.arange(12), 0.02 * np.arange(12) ** 2], axis=1)
    assert_normals_outward(_ribbon(strand, ["E"] * 12, segments=10, corners=12), -0.35)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_ribbons_turn_and_move_with_the_points(seed: int) -> None:
    points = _walk(seed, 17)
    oxygens = points + np.random.default_rng(seed + 5).normal(size=points.shape)
    turn, shift = rotation(seed + 1), np.array([10.0, -20.0, 5.0])
    here = _ribbon(points, STATES, oxygens)
    there = _ribbon(points @ turn.T + shift, STATES, oxygens @ turn.T + shift)
    np.testing.assert_allclose(there.vertices, here.vertices @ turn.T + shift, atol=2e-3)
    np.testing.assert_allclose(there.normals, here.normals @ turn.T, atol=2e-2)


def test_an_ideal_helix_keeps_its_radius_and_lies_along_its_axis() -> None:
    points = helix(24)
    mesh = _ribbon(points, ["H"] * 24, segments=8, corners=12)
    inner = (mesh.vertices[:, 2] > 6) & (mesh.vertices[:, 2] < 28)
    radius = np.linalg.norm(mesh.vertices[inner, :2], axis=1)
    assert abs(radius.mean() - 2.3) < 0.15
    assert radius.max() < 2.3 + 3 * HELIX[1]
    sides = ribbon_sides(points, _nowhere(points), np.zeros(24))
    assert np.abs(sides[2:-2, 2]).min() > 0.8


def test_sides_do_not_flip_with_the_pleats() -> None:
    index = np.arange(14)
    strand = np.stack([3.3 * index, 0.9 * (-1.0) ** index, np.zeros(14)], axis=1)
    oxygens = strand + np.stack([np.full(14, 1.2), np.zeros(14), 1.9 * (-1.0) ** index], axis=1)
    for given_oxygens in (oxygens, _nowhere(strand)):
        sides = ribbon_sides(strand, given_oxygens, np.zeros(14))
        assert np.abs(sides[:, 2]).min() > 0.9
        assert (np.einsum("ij,ij->i", sides[1:], sides[:-1]) > 0).all()


@pytest.mark.shared_data
def test_oxygen_and_ca_alone_agree_on_a_real_protein(structures_dir: Path) -> None:
    structure = read_structure(structures_dir / "adk" / "4AKE.pdb")
    geometry = build_geometry(structure, style="ribbon")
    alone = ribbon_sides(geometry.trace.points, _nowhere(geometry.trace.points), geometry.trace.fragment)
    ordered = np.isin(geometry.secondary, ("H", "E"))
    agreement = np.abs(np.einsum("ij,ij->i", geometry.sides, alone))[ordered]
    assert np.median(agreement) > 0.75


def test_an_arrow_is_widest_at_its_base_and_ends_in_a_point() -> None:
    points = np.arange(10.0)[:, None] * [3.3, 0, 0] + np.array([0, 0, 1e-3]) * (np.arange(10) ** 2)[:, None]
    mesh = build_ribbon(points, np.tile([0.0, 1.0, 0.0], (10, 1)), ["E"] * 10, np.zeros(10), segments=8)
    half = np.abs(mesh.vertices[:, 1])
    at = mesh.vertices[:, 0]
    assert half[at < 25].max() == pytest.approx(STRAND[0], abs=0.01)
    assert half.max() == pytest.approx(ARROW_WIDTH, abs=0.01)
    assert abs(at[np.argmax(half)] - points[8, 0]) < 0.01
    assert half[at > points[9, 0] - 1e-3].max() < 0.2


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((1, 3)),
        np.array([[0, 0, 0], [3.8, 0, 0]], dtype=float),
        helix(3),
        np.arange(6.0)[:, None] * [3.8, 0, 0],
        np.array([[0, 0, 0], [0, 0, 0], [3.8, 0, 0], [3.8, 0, 0], [7, 1, 0]], dtype=float),
        np.zeros((5, 3)),
    ],
    ids=["one", "two", "three", "collinear", "duplicates", "one place"],
)
@pytest.mark.parametrize("state", ["C", "H", "E"])
def test_degenerate_chains_stay_finite(points: np.ndarray, state: str) -> None:
    mesh = _ribbon(points, [state] * len(points))
    assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.normals).all()
    if len(points) > 1 and np.ptp(points) > 0:
        assert_watertight(mesh)


def test_owners_are_the_residues_drawn() -> None:
    points = _walk(3, 17)
    mesh = build_ribbon(
        points, ribbon_sides(points, _nowhere(points), np.zeros(17)), STATES, np.zeros(17), owner=range(100, 117)
    )
    assert set(mesh.owner) == set(range(100, 117))


def test_corners_are_checked() -> None:
    with pytest.raises(ValueError, match="corners"):
        _ribbon(helix(5), ["C"] * 5, corners=10)


def test_coil_is_a_round_tube() -> None:
    mesh = _ribbon(np.arange(8.0)[:, None] * [3.8, 0, 0], ["C"] * 8, corners=16)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices[:, 1:], axis=1), COIL, atol=1e-4)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["adk/4AKE.pdb", "diverse/1bna.pdb", "diverse/5ugo.cif", "diverse/1gid.cif.gz"])
def test_real_structures_as_cartoons(structures_dir: Path, name: str) -> None:
    structure = read_structure(structures_dir / name)
    geometry = build_geometry(structure, style="ribbon")
    mesh = geometry.mesh(100_000)
    assert_watertight(mesh)
    assert np.isfinite(mesh.vertices).all()
    drawn = geometry.trace.residues
    assert set(drawn) == set(mesh.owner)
    nucleic = structure.residues.kind[drawn] == "nucleic"
    if nucleic.any():
        assert geometry.bases is not None and geometry.bases.known[nucleic].mean() > 0.9
