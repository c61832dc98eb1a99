from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from lieapp.scene.bonds import covalent_bonds
from lieapp.scene.geometry import build_geometry, choose_detail
from lieapp.structures.reading import read_structure
from lieapp.structures.structure import Residues
from tests.scene.builders import helix, structure_of
from tests.scene.meshes import assert_watertight


def test_full_and_thin_residues_and_no_water() -> None:
    points = np.concatenate([helix(10), np.add(helix(8), [30, 0, 0]), [[0, 0, 50.0]]])
    structure = structure_of(points, ["A"] * 10 + ["B"] * 8 + ["A"], kinds=["protein"] * 18 + ["water"])
    geometry = build_geometry(structure, drawn=structure.residues.chain == "A")
    assert set(geometry.mesh(20_000).owner) == set(range(10))
    assert geometry.full.tolist() == [True] * 10 + [False] * 8
    assert len(geometry.context_starts) == 7 * 3
    np.testing.assert_allclose(geometry.context_starts[0], points[10])
    np.testing.assert_allclose(geometry.context_ends[-1], points[17])
    assert len(geometry.ligands.atoms) == 0
    np.testing.assert_allclose(geometry.extent, points[:10])


def test_a_hole_in_what_is_drawn_breaks_the_tube() -> None:
    structure = structure_of(helix(12))
    drawn = np.ones(12, dtype=bool)
    drawn[5] = False
    mesh = build_geometry(structure, drawn=drawn).mesh(20_000)
    assert_watertight(mesh)
    assert 5 not in mesh.owner
    # Two pieces: their ends face each other across the hole.
    near_hole = np.abs(mesh.vertices[:, 2] - 1.5 * 5) < 0.2
    assert not near_hole.any()


def test_missing_residues_give_a_dashed_line() -> None:
    points = np.delete(helix(14), [6, 7, 8, 9], axis=0)
    geometry = build_geometry(structure_of(points))
    np.testing.assert_allclose(geometry.gap_starts, points[5:6])
    np.testing.assert_allclose(geometry.gap_ends, points[6:7])


def test_spheres_instead_of_tubes() -> None:
    geometry = build_geometry(structure_of(helix(7)), style="spheres")
    assert len(geometry.mesh(20_000).faces) == 0
    np.testing.assert_allclose(geometry.sphere_centers, helix(7))
    assert geometry.sphere_owners.tolist() == list(range(7))


def test_guides_without_coordinates_are_left_out() -> None:
    points = helix(6)
    points[2] = np.nan
    geometry = build_geometry(structure_of(points))
    assert geometry.trace.residues.tolist() == [0, 1, 3, 4, 5]
    assert np.isfinite(geometry.mesh(20_000).vertices).all()


@pytest.mark.parametrize("budget", [3_000, 20_000, 400_000])
@pytest.mark.parametrize("guides", [1, 214, 8015])
def test_detail_stays_within_its_budget_where_it_can(guides: int, budget: int) -> None:
    detail = choose_detail(guides, budget)
    coarsest = choose_detail(10**9, 1)
    assert 2 * detail.segments * detail.corners * guides <= budget or detail == coarsest


def test_bonds_by_distance_within_residues() -> None:
    points = np.array([[0, 0, 0], [1.5, 0, 0], [1.5, 1.2, 0], [5, 0, 0], [6.0, 0, 0]])
    elements = np.array(["C", "C", "O", "NA", "C"])
    assert covalent_bonds(points, elements, np.zeros(5, dtype=int)).tolist() == [[0, 1], [1, 2], [3, 4]]
    assert covalent_bonds(points, elements, np.array([0, 0, 0, 1, 2])).tolist() == [[0, 1], [1, 2]]


@pytest.mark.shared_data
def test_the_inhibitor_of_1ake_is_drawn_whole(structures_dir: Path) -> None:
    structure = read_structure(structures_dir / "adk" / "1AKE.pdb")
    geometry = build_geometry(structure, drawn=structure.residues.chain == "A")
    ligands = geometry.ligands
    names = structure.residues.name[structure.atoms.residue[ligands.atoms]]
    assert set(names) == {"AP5"}
    assert len(ligands.atoms) == 57  # heavy atoms of P1,P5-di(adenosine-5') pentaphosphate
    distance = np.linalg.norm(ligands.centers[:, None] - ligands.centers[None], axis=-1) + 9 * np.eye(57)
    assert distance.min() > 1.1
    assert len(ligands.sticks.faces)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "guides"), [("adk/4AKE.pdb", 428), ("diverse/1bna.pdb", 24), ("diverse/1l2y.bcif", 20)]
)
def test_real_structures(structures_dir: Path, name: str, guides: int) -> None:
    geometry = build_geometry(read_structure(structures_dir / name))
    assert len(geometry.trace.points) == guides
    mesh = geometry.mesh(100_000)
    assert_watertight(mesh)
    assert np.isfinite(mesh.vertices).all()


def test_packed_atoms_are_as_large_as_they_are() -> None:
    residues = ("N", "CA", "C", "O", "SG"), ("N", "CA", "C", "O")
    names = [name for residue in residues for name in residue]
    atoms = structure_of(helix(len(names)), elements=[name[0] for name in names])
    owner = np.repeat([0, 1], [len(residue) for residue in residues])
    two = replace(
        atoms,
        atoms=replace(atoms.atoms, residue=owner),
        residues=Residues(
            **{
                field.name: getattr(atoms.residues, field.name)[:2]
                for field in fields(Residues)
                if field.name not in ("first_atom", "guide_atom")
            },
            first_atom=np.array([0, 5, 9]),
            guide_atom=np.array([1, 6]),
        ),
    )
    geometry = build_geometry(two, style="spheres")
    assert geometry.owners_are_atoms and geometry.sphere_owners.tolist() == list(range(9))
    np.testing.assert_allclose(geometry.sphere_radii, [1.55, 1.7, 1.7, 1.52, 1.8, 1.55, 1.7, 1.7, 1.52])
    assert len(geometry.mesh(1000).faces) == 0


def test_of_very_many_atoms_one_stands_for_a_residue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lieapp.scene.geometry.MOST_ATOM_SPHERES", 6)
    geometry = build_geometry(structure_of(helix(7)), style="spheres")
    assert geometry.sphere_owners.tolist() == list(range(7))


def test_meshes_made_ahead_are_those_made_at_once_and_handed_out_once() -> None:
    geometry = build_geometry(structure_of(helix(12)))
    mesh, openness = geometry.shaded_mesh(2000)
    geometry.prepare(2000, 500, 2000)
    ready, same = geometry.shaded_mesh(2000)
    np.testing.assert_array_equal(ready.vertices, mesh.vertices)
    np.testing.assert_array_equal(same, openness)
    assert geometry.shaded_mesh(2000)[0] is not ready
    assert len(geometry.shaded_mesh(500)[0].faces) <= len(mesh.faces)
