"""mmCIF: items, absent values, what gemmi refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures
from tests.structures.records import ATOM_SITE, cif_row, mmcif


def read(data: bytes):
    return parse_structures(data, Path("t.cif"))[0]


def refusal(data: bytes) -> str:
    with pytest.raises(StructureError) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_columns():
    data = mmcif(
        cif_row(5, "N", "GLY", "A", 7, (1.5, -2.25, 3.125), element="N", code="B", altloc="A", occupancy=0.75),
        cif_row(6, "ZN", "ZN", "B", 300, element="ZN", record="HETATM", b_factor=33.33),
        before="_struct.title 'What it is'",
    )
    structure = read(data)
    atoms, residues = structure.atoms, structure.residues
    assert structure.title == "What it is"
    assert atoms.serial.tolist() == [5, 6]
    assert atoms.element.tolist() == ["N", "Zn"]
    assert atoms.altloc.tolist() == ["A", ""]
    assert atoms.occupancy.tolist() == [0.75, 1.0]
    assert atoms.b_factor.tolist() == [10.0, 33.33]
    assert atoms.hetero.tolist() == [False, True]
    assert residues.label(0) == "A:GLY 7B"
    assert structure.coordinates.tolist() == [[[1.5, -2.25, 3.125], [1.0, 2.0, 3.0]]]


def test_the_author_names_residues_and_chains():
    items = (*ATOM_SITE, "auth_comp_id", "auth_atom_id")
    row = cif_row(1, "C1", "LIG", "A", 1).split()
    row[ATOM_SITE.index("auth_seq_id")] = "501"
    row[ATOM_SITE.index("auth_asym_id")] = "X"
    structure = read(mmcif(" ".join([*row, "ABC", "C9"]), items=items))
    assert structure.residues.label(0) == "X:ABC 501"
    assert structure.atoms.name.tolist() == ["C9"]


def test_blank_chains_and_numbers():
    structure = read(mmcif(cif_row(1, chain="."), cif_row(2, chain=".", number="?", residue="ZN", name="ZN")))
    assert structure.chains == ("",)
    assert structure.residues.number.tolist() == [1, 0]


def test_chains_of_one_name_are_joined():
    rows = [cif_row(1, chain="A", number=1), cif_row(2, chain="B", number=1), cif_row(3, chain="A", number=2)]
    structure = read(mmcif(*rows))
    assert [structure.residues.label(i) for i in range(3)] == ["A:ALA 1", "A:ALA 2", "B:ALA 1"]


def test_only_few_items_are_needed():
    items = (
        "type_symbol",
        "label_atom_id",
        "label_comp_id",
        "label_asym_id",
        "label_seq_id",
        "Cartn_x",
        "Cartn_y",
        "Cartn_z",
    )
    structure = read(mmcif("C CA ALA A 3 1 2 3", "C CB ALA A 3 1 2 4", items=items))
    assert structure.residues.label(0) == "A:ALA 3"
    assert structure.atoms.occupancy.tolist() == [1.0, 1.0]
    assert structure.coordinates.shape == (1, 2, 3)


def test_names_too_long_for_gemmi_are_read():
    data = mmcif(
        cif_row(1, chain="assembly-chain-12", position=(1, 2, 3)),
        cif_row(2, name="averylongname", residue="LONGRESIDUE", chain="assembly-chain-12", number=2, altloc="AB"),
        cif_row(3, chain="B", number=3, record="HETATM", element="ZN"),
    )
    structure = read(data)
    assert structure.chains == ("assembly-chain-12", "B")
    assert structure.atoms.name[1] == "averylongname"
    assert structure.atoms.altloc[1] == "AB"
    assert structure.residues.name[1] == "LONGRESIDUE"
    assert structure.atoms.element.tolist() == ["C", "C", "C"]  # an alanine holds no zinc
    assert structure.atoms.hetero.tolist() == [False, False, True]


def test_the_tolerant_parser_agrees_with_gemmi():
    rows = [
        cif_row(1, "N", "GLY", "A", 7, (1.5, -2.25, 3.125), element="N", code="B", altloc="A", b_factor=12.34),
        cif_row(2, "CA", "GLY", "A", 7, code="B"),
        cif_row(3, "O", "HOH", "B", 1, element="O", record="HETATM"),
        cif_row(4, "CA", "SER", "A", 8),
    ]
    plain = read(mmcif(*rows))
    tolerant = read(mmcif(*rows, cif_row(5, "CA", "SER", "a-long-name", 8)))
    for column in vars(plain.atoms):
        ours = getattr(tolerant.atoms, column)[:4]
        np.testing.assert_array_equal(getattr(plain.atoms, column), ours, err_msg=column)
    for column in set(vars(plain.residues)) - {"first_atom"}:
        ours = getattr(tolerant.residues, column)[:3]
        np.testing.assert_array_equal(getattr(plain.residues, column), ours, err_msg=column)
    np.testing.assert_array_equal(plain.coordinates, tolerant.coordinates[:, :4])


def test_models():
    rows = [cif_row(i, number=i % 2, model=1 + i // 2, position=(i, 0, 0)) for i in range(4)]
    structure = read(mmcif(*rows))
    assert structure.model_numbers == (1, 2)
    assert structure.coordinates[:, :, 0].tolist() == [[0, 1], [2, 3]]


def test_secondary_structure_of_both_categories():
    helices = (
        "loop_\n_struct_conf.id\n_struct_conf.conf_type_id\n_struct_conf.beg_auth_asym_id\n"
        "_struct_conf.beg_auth_seq_id\n_struct_conf.pdbx_beg_PDB_ins_code\n_struct_conf.end_auth_asym_id\n"
        "_struct_conf.end_auth_seq_id\n_struct_conf.pdbx_end_PDB_ins_code\n"
        "1 HELX_P A 2 ? A 3 ?\n2 TURN_P A 4 ? A 4 ?\n3 STRN A 7 ? A 8 ?\n4 HELX_P A . ? A 3 ?\n"
    )
    sheets = (
        "loop_\n_struct_sheet_range.id\n_struct_sheet_range.beg_label_asym_id\n_struct_sheet_range.beg_label_seq_id\n"
        "_struct_sheet_range.end_label_asym_id\n_struct_sheet_range.end_label_seq_id\n1 A 5 A 6\n"
    )
    structure = read(mmcif(*[cif_row(n, number=n) for n in range(1, 10)], before=helices, after=sheets))
    assert "".join(structure.residues.secondary) == "CHHCEEEEC"


def test_windows_line_ends():
    data = mmcif(cif_row(1), cif_row(2, number=2), before="_struct.title\n;A\n TITLE\n;\n")
    windows = read(data.replace(b"\n", b"\r\n"))
    np.testing.assert_array_equal(windows.coordinates, read(data).coordinates)
    assert windows.title == "A TITLE"
    assert windows.residues.label(1) == "A:ALA 2"


def test_a_later_block_may_hold_the_atoms():
    assert read(b"data_first\n_cell.length_a 1\n" + mmcif(cif_row())).atom_count == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (mmcif(cif_row()) + b"'open", r"t.cif: line 22: unterminated 'string'."),
        (mmcif(cif_row(), "ATOM 2 C"), "Wrong number of values in loop _atom_site"),
        (b"data_x\nloop_\n_atom_site_fract_x\n0.5\n", "small-molecule CIF"),
        (b"data_x\nloop_\n_chem_comp_atom.atom_id\nCA\n", "chemical component"),
        (b"data_x\nloop_\n_refln.index_h\n1\n", "reflections"),
        (mmcif(cif_row().replace("1.000 2.000 3.000", "x 2 3")), "not a finite number"),
        (mmcif(cif_row().replace("1.000 2.000 3.000", "nan 2 3")), "not a finite number"),
        (mmcif(cif_row().replace("1.000 2.000 3.000", "inf 2 3")), "not a finite number"),
        (mmcif("1 2", items=("Cartn_x", "Cartn_y")), "t.cif"),
        (mmcif("1 2 3", items=("Cartn_x", "Cartn_y", "Cartn_z")), "t.cif"),
    ],
)
def test_bad_files(data, says):
    assert says in refusal(data)
