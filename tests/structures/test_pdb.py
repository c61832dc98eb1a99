"""The PDB format: columns, legacy columns, line numbers, what gemmi refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures.errors import StructureError
from lieapp.structures.pdb import PDBText, read_pdb
from lieapp.structures.reading import parse_structures
from tests.structures.records import atom_line, pdb


def read(*lines: str, end: str = "\n"):
    return parse_structures(pdb(*lines, end=end), Path("t.pdb"))[0]


def with_coordinates(text: str) -> str:
    line = atom_line()
    return line[:30] + text + line[54:]


@pytest.mark.parametrize(
    "text",
    [
        "********   2.000   3.000", "   1.000     nan   3.000", "   1.000   2.000     inf", "   1.000  1.0e10   3.000",
        "                        ", "   1.000           3.000", "   1.00x   2.000   3.000", "   1.0.0   2.000   3.000",
        "   1-000   2.000   3.000", "1.000  2   2.000   3.000", "       -   2.000   3.000", "       .   2.000   3.000",
        "  -1.000  --2.00   3.000", "   1,000   2.000   3.000",
    ],
)  # fmt: skip
def test_fields_that_are_no_numbers_are_refused_with_their_line(text):
    data = pdb("REMARK one", atom_line(), with_coordinates(text), atom_line())
    with pytest.raises(StructureError) as caught:
        read_pdb(data, "t.pdb")
    assert str(caught.value) == f"t.pdb: line 3: columns 31-54 should hold three coordinates, not {text!r}."


@pytest.mark.parametrize(
    "text",
    [
        "   1.000   2.000   3.000", "-123.456-999.9999999.999", "1.      .5      +2.25   ", "      12      -3       0",
        "  -0.000      0.       1",
    ],
)  # fmt: skip
def test_fields_that_are_numbers_are_read(text):
    structure = read(with_coordinates(text))
    expected = [float(text[start : start + 8]) for start in (0, 8, 16)]
    assert structure.coordinates[0, 0].tolist() == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789.+- ", min_size=24, max_size=24))
def test_the_check_accepts_exactly_what_python_reads_as_three_numbers(text):
    def is_number(field: str) -> bool:
        try:
            float(field)
        except ValueError:
            return False
        return True

    good = all(is_number(text[start : start + 8]) for start in (0, 8, 16))
    content = PDBText(pdb(with_coordinates(text)), "t")
    if good:
        content.check()
        table = read_pdb(pdb(with_coordinates(text)), "t")
        np.testing.assert_allclose(table.position[0], [float(text[start : start + 8]) for start in (0, 8, 16)])
    else:
        with pytest.raises(StructureError):
            content.check()


@pytest.mark.parametrize("cut", [7, 29, 40, 53])
def test_a_file_cut_off_inside_coordinates_is_refused_with_its_line(cut):
    whole = pdb(*[atom_line(i, number=i) for i in range(1, 5)])
    start = whole.rindex(b"ATOM")
    with pytest.raises(StructureError, match=r"t.pdb: line 4: the atom record is cut off"):
        parse_structures(whole[: start + cut], Path("t.pdb"))


@pytest.mark.parametrize("cut", [54, 57, 60, 66, 80])
def test_a_last_line_without_occupancy_or_line_end_is_read(cut):
    structure = read(atom_line(1), atom_line(2, number=2)[:cut], end="\n")
    assert structure.atom_count == 2
    bare = parse_structures(pdb(atom_line(1)) + atom_line(2, number=2)[:cut].encode(), Path("t.pdb"))[0]
    np.testing.assert_array_equal(bare.coordinates, structure.coordinates)
    assert bare.atoms.occupancy[1] == 1.0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    structure = read("TITLE     A TITLE", atom_line(1), atom_line(2, number=2), "END", end=end)
    assert structure.atom_count == 2
    assert structure.title == "A TITLE"
    assert structure.residues.insertion_code.tolist() == ["", ""]


def test_small_letters_and_byte_order_mark():
    structure = parse_structures(b"\xef\xbb\xbf" + pdb(atom_line().replace("ATOM", "atom")), Path("t.pdb"))[0]
    assert structure.atom_count == 1


@pytest.mark.parametrize("columns", ["1ABC  84", "1ABC1234", "1ABC  5 ", "    12 3"])
def test_legacy_columns_73_to_80_are_ignored(columns):
    lines = [atom_line(i, name, number=1, element=name[0])[:72] + columns for i, name in enumerate(["N", "CA", "CB"])]
    structure = read(*lines)
    assert structure.atoms.element.tolist() == ["N", "C", "C"]
    assert structure.residues.guide_atom.tolist() == [1]


def test_title_over_several_lines():
    structure = read("TITLE     THE FIRST PART", "TITLE    2 AND  THE SECOND", atom_line())
    assert structure.title == "THE FIRST PART AND THE SECOND"


def test_four_letter_residue_names_leave_the_chain_alone():
    lines = [atom_line(1), atom_line(2, "OH2", "TIP", number=2, element="O")]
    lines[1] = lines[1][:20] + "3W" + lines[1][22:]
    mixed = lines[1][:20] + "3 " + lines[1][22:]
    structure = read(lines[0], mixed)
    assert structure.residues.chain.tolist() == ["A", ""]
    assert structure.residues.kind.tolist() == ["protein", "water"]


def test_chain_ids_of_two_characters_are_kept():
    line = atom_line()
    structure = read(line[:20] + "AB" + line[22:])
    assert structure.chains == ("AB",)


def test_hybrid_36_numbers_and_overflown_serials():
    lines = [atom_line(1, number=9999), atom_line(2, number="A000"), atom_line(3, number=-5)]
    lines[2] = lines[2][:6] + "*****" + lines[2][11:]
    structure = read(*lines)
    assert structure.residues.number.tolist() == [9999, 10000, -5]


def test_models_without_end_and_models_of_one_number_are_read():
    frames = ["MODEL        1", atom_line(position=(1, 0, 0)), "MODEL        2", atom_line(position=(2, 0, 0))]
    structure = read(*frames)
    assert structure.coordinates[:, 0, 0].tolist() == [1, 2]
    assert "tolerant parser" in structure.notes[-1]
    frames = ["MODEL        0", atom_line(position=(1, 0, 0)), "ENDMDL"] * 3
    structure = read(*frames)
    assert structure.model_numbers == (1, 2, 3)


def test_the_tolerant_parser_agrees_with_gemmi():
    helix = "HELIX    1   1 GLY A    1  GLY A    1  1                                   2"
    lines = [
        helix,
        atom_line(1, "N", "GLY", position=(11.104, 6.134, -6.504), element="N", b_factor=12.34),
        atom_line(2, "CA", "GLY", position=(-123.456, 999.999, 0.001), altloc="A", occupancy=0.4),
        atom_line(3, "CA", "GLY", position=(1, 1, 1), altloc="B", occupancy=0.6),
        atom_line(4, "ZN", "ZN", chain="B", number=7, code="C", element="ZN", record="HETATM"),
    ]
    plain = read("MODEL        1", *lines, "ENDMDL", "MODEL        2", *lines, "ENDMDL", "END")
    odd = read("MODEL        1", *lines, "MODEL        2", *lines, "ENDMDL", "END")
    assert "tolerant parser" in odd.notes[-1]
    np.testing.assert_array_equal(plain.coordinates, odd.coordinates)
    for part in ("atoms", "residues"):
        one, other = getattr(plain, part), getattr(odd, part)
        for column in vars(one):
            np.testing.assert_array_equal(getattr(one, column), getattr(other, column), err_msg=column)


def test_atoms_behind_the_end_and_a_missing_end_are_noted():
    assert read(atom_line(1), "END", atom_line(2)).notes == ("1 atoms behind the END record were left out.",)
    header = "HEADER    HYDROLASE                               01-JAN-99   1ABC"
    assert "may have been cut off" in read(header, atom_line()).notes[0]
    assert read(header, atom_line(), "END").notes == ()


def test_the_line_number_of_gemmi_is_that_of_the_whole_file():
    anisou = "ANISOU    1  CA  ALA A   1      100    100    100      0      0      0"
    lines = ["REMARK", "REMARK", anisou, atom_line(), anisou, anisou]
    # gemmi refuses a doubled tensor in line 6; the tolerant parser takes it
    structure = read(*lines)
    assert structure.atom_count == 1
