"""The bundled pair: it is what its script makes, what its truth says, and what a protein looks like."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lieapp.paths import resource
from lieapp.structures.pairing import pair_structures
from lieapp.structures.reading import read_structure
from lieapp.structures.secondary import assign_from_ca, assign_from_hydrogen_bonds, secondary_structure
from lieapp.structures.structure import Structure

FORMS = ("hinge_open.pdb", "hinge_closed.pdb")


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("examples_generate", resource("examples/generate.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # No __pycache__ among the resources: they are installed as they lie there.
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads(resource("examples/hinge_truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=FORMS)
def form(request: pytest.FixtureRequest) -> Structure:
    return read_structure(resource(f"examples/{request.param}"))


def kabsch(mobile: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    a, b = mobile.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((mobile - a).T @ (target - b))
    rotation = ((u * [1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt).T
    shift = b - rotation @ a
    return rotation, shift, float(np.sqrt(np.mean(np.sum((mobile @ rotation.T + shift - target) ** 2, axis=1))))


def alpha_carbons(name: str) -> np.ndarray:
    structure = read_structure(resource(f"examples/{name}"))
    return structure.coordinates[0][structure.residues.guide_atom]


def backbone(structure: Structure) -> np.ndarray:
    """Return N, CA, C, O of every residue, shape (residues, 4, 3)."""
    atoms = structure.atoms
    return np.stack([structure.coordinates[0][atoms.name == name] for name in ("N", "CA", "C", "O")], axis=1)


def dihedral(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    one, two, three = b - a, c - b, d - c
    left, right = np.cross(one, two), np.cross(two, three)
    sine = np.einsum("ij,ij->i", np.cross(left, right), two) / np.linalg.norm(two, axis=1)
    return np.degrees(np.arctan2(sine, np.einsum("ij,ij->i", left, right)))


def test_the_script_makes_these_bytes(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate.py", str(tmp_path)])
    script.main()
    for name in (*FORMS, "hinge_truth.json"):
        assert (tmp_path / name).read_bytes() == resource(f"examples/{name}").read_bytes()


def test_files_keep_to_the_columns() -> None:
    for name in FORMS:
        lines = resource(f"examples/{name}").read_text(encoding="ascii").splitlines()
        assert {len(line) for line in lines} == {80}
        assert sum(line.startswith("HELIX ") for line in lines) == 7


def test_hinge_is_recovered_from_the_files(truth: dict[str, Any]) -> None:
    opened, closed = (alpha_carbons(name) for name in FORMS)
    first, second = (slice(truth[key][0] - 1, truth[key][1]) for key in ("domain_1", "domain_2"))
    rotation, shift, rmsd = kabsch(opened[first], closed[first])
    assert rmsd < 1.5 * truth["noise"]["rms_angstrom"]
    placed = opened @ rotation.T + shift
    hinge, along, rmsd = kabsch(placed[second], closed[second])
    assert rmsd < 1.5 * truth["noise"]["rms_angstrom"]
    angle = np.degrees(np.arccos((np.trace(hinge) - 1.0) / 2.0))
    assert angle == pytest.approx(truth["hinge"]["angle_degrees"], abs=0.5)
    skew = np.array([hinge[2, 1] - hinge[1, 2], hinge[0, 2] - hinge[2, 0], hinge[1, 0] - hinge[0, 1]])
    axis = skew / np.linalg.norm(skew)
    assert np.degrees(np.arccos(axis @ truth["hinge"]["axis"])) < 1.0
    point = np.array(truth["hinge"]["point_angstrom"])
    assert np.linalg.norm(hinge @ point + along - point) < 0.3


def test_truth_takes_one_form_onto_the_other(truth: dict[str, Any], script: ModuleType) -> None:
    opened, closed = (alpha_carbons(name) for name in FORMS)
    pose, inverse = np.array(truth["pose"]["matrix"]), np.array(truth["pose"]["inverse"])
    np.testing.assert_allclose(pose @ inverse, np.eye(4), atol=1e-6)
    placed = opened @ inverse[:3, :3].T + inverse[:3, 3]
    start, stop = truth["domain_1"][1], truth["domain_2"][0] - 1
    turn = script.rotation(truth["hinge"]["axis"], truth["hinge"]["angle_degrees"])
    point = np.array(truth["hinge"]["point_angstrom"])
    moved = (placed[stop:] - point) @ turn.T + point
    noise = np.concatenate([closed[:start] - placed[:start], closed[stop:] - moved])
    assert np.sqrt(np.mean(np.sum(noise**2, axis=1))) == pytest.approx(truth["noise"]["rms_angstrom"], rel=0.15)


def test_kabsch_of_the_truth(truth: dict[str, Any]) -> None:
    opened, closed = (read_structure(resource(f"examples/{name}")) for name in FORMS)
    pairing = pair_structures(opened, closed)
    assert len(pairing) == truth["kabsch"]["pairs"] == truth["residues"]
    assert "".join(opened.residues.letter.tolist()) == truth["sequence"]
    x, y = opened.coordinates[0][pairing.mobile_atoms], closed.coordinates[0][pairing.target_atoms]
    rotation, _, rmsd = kabsch(x, y)
    assert rmsd == pytest.approx(truth["kabsch"]["rmsd_angstrom"], abs=1e-6)
    assert 4.0 < rmsd < 10.0  # there must be something to see
    angle = np.degrees(np.arccos((np.trace(rotation) - 1.0) / 2.0))
    assert angle == pytest.approx(truth["kabsch"]["angle_degrees"], abs=1e-3)
    assert np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)) > 20.0


def test_geometry_of_the_backbone(form: Structure) -> None:
    n, ca, c, o = np.moveaxis(backbone(form), 1, 0)
    for one, two, length in ((n, ca, 1.458), (ca, c, 1.525), (c, o, 1.231), (c[:-1], n[1:], 1.329)):
        np.testing.assert_allclose(np.linalg.norm(one - two, axis=1), length, atol=0.09)
    np.testing.assert_allclose(np.linalg.norm(np.diff(ca, axis=0), axis=1), 3.80, atol=0.1)
    omega = dihedral(ca[:-1], c[:-1], n[1:], ca[1:])
    assert (np.abs(np.abs(omega) - 180.0) < 6.0).all()


def test_helices_are_helices(form: Structure, truth: dict[str, Any]) -> None:
    n, ca, c, _ = np.moveaxis(backbone(form), 1, 0)
    phi = dihedral(c[:-1], n[1:], ca[1:], c[1:])
    psi = dihedral(n[:-1], ca[:-1], c[:-1], n[1:])
    for first, last in truth["helices"]:
        assert last - first + 1 >= 17
        np.testing.assert_allclose(phi[first : last - 1], -62.0, atol=8.0)
        np.testing.assert_allclose(psi[first : last - 1], -43.0, atol=8.0)


def test_nothing_clashes(form: Structure) -> None:
    points = form.coordinates[0]
    residue = form.atoms.residue
    distance = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    apart = np.abs(residue[:, None] - residue[None, :])
    name = form.atoms.name
    both_ca = (name[:, None] == "CA") & (name[None, :] == "CA")
    assert distance[both_ca & (apart >= 2)].min() > 4.5
    bonded = ((name[:, None] == "N") & (name[None, :] == "O")) | ((name[:, None] == "O") & (name[None, :] == "N"))
    assert distance[bonded & (apart >= 2)].min() > 2.6
    assert distance[~bonded & (apart >= 2)].min() > 2.8


def test_it_is_compact(form: Structure) -> None:
    points = form.coordinates[0][form.residues.guide_atom]
    gyration = np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1)))
    # Globular proteins have 2.2 N^0.38 Å (15.6 Å here); the open form is no globule.
    assert gyration < (16.5 if form.name == "hinge_closed" else 20.5)


def test_secondary_structure_is_found(form: Structure, truth: dict[str, Any]) -> None:
    recorded = secondary_structure(form)
    helical = np.zeros(truth["residues"], dtype=bool)
    for first, last in truth["helices"]:
        helical[first - 1 : last] = True
    np.testing.assert_array_equal(recorded == "H", helical)
    for method, least in ((assign_from_hydrogen_bonds, 0.95), (assign_from_ca, 0.90)):
        found = method(form)
        assert np.mean(found == recorded) >= least
        assert not (found == "E").any()
        # Seven separate helices, as in the records.
        assert np.sum(np.diff((found == "H").astype(int)) == 1) == 7
