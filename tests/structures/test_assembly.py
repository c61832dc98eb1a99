"""Kinds of residues, elements, guide atoms, alternatives, models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures
from tests.structures.records import atom_line, cif_row, mmcif, pdb


def read(*lines: str):
    return parse_structures(pdb(*lines), Path("t.pdb"))[0]


def backbone(residue: str, number: int, x: float, record: str = "ATOM") -> list[str]:
    """Return N, CA and C such that consecutive residues at x = 0, 3.8, 7.6 are bonded."""
    return [
        atom_line(1, name, residue, number=number, position=(x + dx, 0, 0), element=name[0], record=record)
        for name, dx in (("N", 0.0), ("CA", 1.46), ("C", 2.5))
    ]


def test_guide_atom_is_never_calcium():
    structure = read(
        *backbone("ALA", 1, 0),
        atom_line(9, "CA", "CA", number=2, element="CA", record="HETATM"),
    )
    assert structure.atoms.element.tolist() == ["N", "C", "C", "Ca"]
    assert structure.residues.kind.tolist() == ["protein", "other"]
    assert structure.residues.guide_atom.tolist() == [1, -1]


@pytest.mark.parametrize("aligned", [True, False])
def test_elements_are_guessed_where_the_file_has_none(aligned):
    names = ["N", "CA", "C", "O", "CB", "CG", "CD", "CE", "NE", "ND1", "HE2", "HG", "HG11", "1HB", "OG", "SD", "SE"]
    elements = ["N", "C", "C", "O", "C", "C", "C", "C", "N", "N", "H", "H", "H", "H", "O", "S", "Se"]
    residue = ["HIS"] * 16 + ["MSE"]
    lines = [
        atom_line(i, name, residue[i], number=1 + i // 16, element=" ", aligned=aligned and name != "SE")
        for i, name in enumerate(names)
    ]
    structure = read(*lines)
    assert structure.atoms.element.tolist() == elements
    assert structure.residues.guide_atom[0] == 1


def test_elements_of_ligands_and_ions_are_believed():
    structure = read(
        *backbone("ALA", 1, 0),
        atom_line(4, "CD", "CD", number=2, element="CD", record="HETATM"),
        atom_line(5, "NA", "HEM", number=3, element="N", record="HETATM"),
        atom_line(6, "FE", "HEM", number=3, element="FE", record="HETATM"),
        atom_line(7, "D", "DOD", number=4, element="D", record="HETATM"),
    )
    assert structure.atoms.element.tolist()[3:] == ["Cd", "N", "Fe", "D"]


def test_modified_residues_of_a_chain_are_protein_and_ligands_are_not():
    structure = read(
        *backbone("ALA", 1, 0),
        *backbone("MSE", 2, 3.8, "HETATM"),
        *backbone("XYZ", 3, 7.6, "HETATM"),
        *backbone("GLY", 4, 11.4),
        *backbone("GLN", 5, 50.0, "HETATM"),
        *backbone("QQQ", 6, 80.0, "HETATM"),
        atom_line(30, "O", "HOH", number=7, record="HETATM", element="O"),
    )
    assert structure.residues.kind.tolist() == ["protein"] * 4 + ["other", "other", "water"]
    assert "".join(structure.residues.letter) == "AMXG"
    assert (structure.residues.guide_atom >= 0).tolist() == [True] * 4 + [False] * 3


def test_an_unknown_name_with_a_calcium_is_no_amino_acid():
    lines = [
        atom_line(1, "N", "XYZ", element="N"),
        atom_line(2, "CA", "XYZ", element="CA"),
        atom_line(3, "C", "XYZ", position=(2.5, 0, 0)),
        atom_line(4, "O", "XYZ", element="O"),
        *backbone("ALA", 2, 3.8),
    ]
    assert read(*lines).residues.kind.tolist() == ["other", "protein"]


def test_files_that_write_everything_as_hetatm_still_have_protein():
    structure = read(*backbone("ALA", 1, 0, "HETATM"), *backbone("GLY", 2, 50, "HETATM"))
    assert structure.residues.kind.tolist() == ["protein", "protein"]
    assert structure.atoms.hetero.all()


def test_a_standard_residue_as_hetatm_inside_the_chain_is_protein_even_in_a_trace():
    lines = [
        atom_line(1, number=1),
        atom_line(2, number=2, position=(4.8, 2, 3), record="HETATM"),
        atom_line(3, number=3, position=(8.6, 2, 3)),
        atom_line(4, number=9, position=(50, 2, 3), record="HETATM"),
    ]
    assert read(*lines).residues.kind.tolist() == ["protein", "protein", "protein", "other"]


def test_nucleic_acids_are_guided_by_the_sugar_else_the_phosphorus():
    structure = read(
        atom_line(1, "P", "DA", number=1, element="P"),
        atom_line(2, "C3'", "DA", number=1),
        atom_line(3, "P", "DC", number=2, element="P"),
        atom_line(4, "C3*", "G", number=3),
        atom_line(5, "O5'", "U", number=4, element="O"),
        atom_line(6, "PG", "ATP", number=5, element="P", record="HETATM"),
        atom_line(7, "C3'", "ATP", number=5, record="HETATM"),
    )
    assert structure.residues.kind.tolist() == ["nucleic"] * 4 + ["other"]
    assert structure.residues.guide_atom.tolist() == [1, 2, 3, -1, -1]
    assert "".join(structure.residues.letter) == "ACGU"


def test_modified_nucleotides_are_recognised_by_their_bonds():
    structure = read(
        atom_line(1, "C3'", "DA", number=1),
        atom_line(2, "O3'", "DA", number=1, element="O", position=(0, 0, 0)),
        atom_line(3, "P", "QQ1", number=2, element="P", position=(1.6, 0, 0), record="HETATM"),
        atom_line(4, "C3'", "QQ1", number=2, record="HETATM"),
        atom_line(5, "O3'", "QQ1", number=2, element="O", position=(9, 0, 0), record="HETATM"),
        atom_line(6, "C1'", "QQ1", number=2, record="HETATM"),
        atom_line(7, "C3'", "QQ1", number=3, record="HETATM"),
        atom_line(8, "C1'", "QQ1", number=3, record="HETATM"),
        atom_line(9, "C2'", "QQ1", number=3, record="HETATM"),
        atom_line(10, "C4'", "QQ1", number=3, record="HETATM"),
    )
    assert structure.residues.kind.tolist() == ["nucleic", "nucleic", "other"]
    assert structure.residues.letter.tolist() == ["A", "X", ""]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.3, 0.5, 1.0]), min_size=1, max_size=6))
def test_the_guide_atom_has_the_highest_occupancy_the_first_of_equals(occupancies):
    lines = [
        atom_line(i, altloc="ABCDEF"[i], occupancy=occupancy, position=(i, 0, 0))
        for i, occupancy in enumerate(occupancies)
    ]
    structure = read(*lines)
    assert structure.residues.guide_atom.tolist() == [int(np.argmax(occupancies))]


@pytest.mark.parametrize(
    ("occupancies", "kept"), [((0.3, 0.7), [1]), ((0.5, 0.5), [0]), ((0.2, 0.5, 0.3), [1]), ((0.3, 0.2, 0.5), [2])]
)
def test_of_alternative_residues_on_one_number_one_keeps_its_guide_atom(occupancies, kept):
    names = ("SER", "THR", "VAL")
    lines = [atom_line(0, number=4)]
    for i, occupancy in enumerate(occupancies):
        lines.append(atom_line(i + 1, residue=names[i], number=5, altloc="ABC"[i], occupancy=occupancy))
    lines.append(atom_line(9, number=6))
    structure = read(*lines)
    guided = np.flatnonzero(structure.residues.guide_atom >= 0).tolist()
    assert guided == [0, *(1 + k for k in kept), len(occupancies) + 1]
    assert structure.notes == ("1 residue number holds alternative residues; the one with most occupancy counts.",)


def test_two_plain_residues_on_one_number_are_both_kept():
    structure = read(atom_line(1, residue="SER"), atom_line(2, residue="THR"), atom_line(3, residue="THR", code="A"))
    assert (structure.residues.guide_atom >= 0).all()
    assert len(structure.residues) == 3


def test_models_with_other_atoms_are_structures_of_their_own():
    lines = []
    for number, names in enumerate((("N", "CA"), ("N",), ("N", "CA"), ("CA", "N")), start=1):
        lines += [f"MODEL     {number:4d}"]
        lines += [atom_line(i, name, element=name[0], position=(number, 0, 0)) for i, name in enumerate(names)]
        lines += ["ENDMDL"]
    structures = parse_structures(pdb(*lines), Path("t.pdb"))
    assert [structure.model_numbers for structure in structures] == [(1, 3), (2,), (4,)]
    assert structures[0].coordinates.shape == (2, 2, 3)
    assert structures[0].coordinates[:, 0, 0].tolist() == [1, 3]
    assert structures[1].notes == ("1 of 4 models share these atoms.",)


def test_positions_that_are_no_numbers_are_refused():
    data = mmcif(cif_row(1), cif_row(7, number=2).replace("2.000", "?"))
    with pytest.raises(StructureError, match=r"t.cif: atom 7 \(A:ALA 2 CA\): a coordinate is not a finite number"):
        parse_structures(data, Path("t.cif"))


def test_secondary_structure_of_records():
    helix = "HELIX    1   1 ALA A    2  ALA A    3  1                                   2"
    sheet = "SHEET    1   A 1 ALA A   5A ALA A   6  0"
    bad = "HELIX    2   2 ALA A   xx  ALA A    3  1"
    lines = [atom_line(n, number=n, code="A" if n == 5 else " ") for n in range(1, 8)]
    water = atom_line(20, "O", "HOH", number=4, element="O", record="HETATM")
    structure = read(helix, sheet, bad, *lines, water)
    assert structure.residues.secondary.tolist() == ["C", "H", "H", "C", "E", "E", "C", ""]
    assert read(*lines).residues.secondary.tolist() == [""] * 7
