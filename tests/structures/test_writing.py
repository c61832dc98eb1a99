"""Writing: what changes, and that nothing else does."""

from __future__ import annotations

import gzip
import re
import stat
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures, read_structure, read_structures
from lieapp.structures.structure import Structure
from lieapp.structures.writing import WrittenFile, write_structure
from tests.structures.records import ATOM_SITE, atom_line, cif_row, mmcif, pdb, small_bcif
from tests.structures.test_reading import FILES


def rotation(seed: int = 0) -> np.ndarray:
    """Return a random proper rotation."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return axes * np.sign(np.linalg.det(axes))


def motion(seed: int = 0, shift: tuple[float, float, float] = (1.0, -2.0, 3.0)) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(seed), shift
    return matrix


def moved(structure: Structure, matrix: np.ndarray) -> np.ndarray:
    return structure.coordinates @ matrix[:3, :3].T + matrix[:3, 3]


def load(content: bytes, name: str) -> Structure:
    return parse_structures(content, Path(name))[0]


def same_names(one: Structure, other: Structure) -> None:
    for part in ("atoms", "residues"):
        mine, theirs = getattr(one, part), getattr(other, part)
        for column in set(vars(mine)) - {"serial", "b_factor"}:
            np.testing.assert_array_equal(getattr(mine, column), getattr(theirs, column), err_msg=column)


# --- the corpus ---

SOME = [name for name in FILES if not name.startswith("ripc/")] + [
    "ripc/d1aj3__.pdb.gz", "ripc/d1crl__.pdb.gz", "ripc/d1qdma1.pdb.gz", "ripc/d1he9a_.pdb.gz"
]  # fmt: skip
SOME = [name for name in SOME if name not in {"diverse/1aon.pdb.gz", "diverse/1gya.cif.gz", "diverse/4zxb.cif.gz"}]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SOME)
def test_real_files_come_back_moved_and_complete(structures_dir, tmp_path, name):
    structures = read_structures(structures_dir / name)
    matrix = motion()
    colors = np.round(np.arange(structures[0].atom_count) % 90 + 0.25, 2)
    written = write_structure(structures[0], tmp_path / "moved", transform=matrix, b_factors=colors)
    assert written.path == tmp_path / (
        "moved.pdb" if name.removesuffix(".gz").endswith((".pdb", ".ent")) else "moved.cif"
    )
    assert written.message == ("BinaryCIF is written as mmCIF." if ".bcif" in name else "")
    again = read_structures(written.path)
    assert len(again) == len(structures)
    for before, after in zip(structures, again, strict=True):
        same_names(before, after)
        np.testing.assert_allclose(after.coordinates, moved(before, matrix), atol=6e-4)
        assert after.model_numbers == before.model_numbers
        assert after.title == before.title
    np.testing.assert_allclose(again[0].atoms.b_factor, colors)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["adk/1AKE.pdb", "diverse/1aki.pdb", "diverse/5ugo.cif", "diverse/1l2y.bcif"])
def test_other_programs_read_the_moved_file(structures_dir, tmp_path, name):
    from Bio.PDB.MMCIFParser import MMCIFParser
    from Bio.PDB.PDBParser import PDBParser

    structure = read_structure(structures_dir / name)
    matrix = motion(3)
    path = write_structure(structure, tmp_path / "moved", transform=matrix).path
    expected = moved(structure, matrix)
    by_gemmi = gemmi.read_structure(str(path))
    np.testing.assert_allclose(gemmi.FlatStructure(by_gemmi).pos, expected.reshape(-1, 3), atol=6e-4)
    parser = PDBParser(QUIET=True) if path.suffix == ".pdb" else MMCIFParser(QUIET=True)
    by_biopython = parser.get_structure("x", path)
    count = sum(1 for model in by_biopython for chain in model for r in chain.get_unpacked_list()
                for _ in r.get_unpacked_list())  # fmt: skip
    assert count == expected[..., 0].size


# --- PDB: every other byte ---


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["adk/1AKE.pdb", "edge/1AKE_crlf.pdb.gz", "adk/adk_open.pdb", "ripc/d1crl__.pdb.gz"])
def test_in_a_pdb_file_only_coordinates_change(structures_dir, tmp_path, name):
    structure = read_structure(structures_dir / name)
    path = write_structure(structure, tmp_path / "moved.pdb", transform=motion()).path
    before, after = structure.source.content.splitlines(keepends=True), path.read_bytes().splitlines(keepends=True)
    assert len(before) == len(after)
    changed = 0
    for one, other in zip(before, after, strict=True):
        if one[:6] in (b"ATOM  ", b"HETATM"):
            assert one[:30] == other[:30]
            assert one[54:] == other[54:]
            changed += one != other
        else:
            assert one == other
    assert changed == structure.atom_count


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["adk/1AKE.pdb", "edge/1AKE_crlf.pdb.gz", "diverse/1l2y.pdb.gz", "edge/tiny.pdb"])
@pytest.mark.parametrize("transform", [None, np.eye(4)])
def test_a_file_that_does_not_move_is_written_byte_by_byte(structures_dir, tmp_path, name, transform):
    structure = read_structure(structures_dir / name)
    path = write_structure(structure, tmp_path / "same.pdb", transform=transform).path
    assert path.read_bytes() == structure.source.content


def test_only_the_b_column_changes_when_only_it_is_given(tmp_path):
    lines = [atom_line(1)[:54], atom_line(2, number=2)[:60], atom_line(3, number=3)]
    structure = load(pdb(*lines, end="\r\n"), "s.pdb")
    path = write_structure(structure, tmp_path / "b.pdb", b_factors=[1.5, -2.25, 1e9]).path
    one, two, three = path.read_bytes().split(b"\r\n")[:3]
    assert one == (lines[0] + "  1.00  1.50").encode()
    assert two == (lines[1] + " -2.25").encode()
    assert three[:60] == lines[2][:60].encode()
    assert three[66:] == lines[2][66:].encode()
    assert float(three[60:66]) >= 99999


def test_anisotropic_tensors_rotate(tmp_path):
    tensor = np.array([[0.0500, 0.0100, -0.0070], [0.0100, 0.0800, 0.0021], [-0.0070, 0.0021, 0.1200]])
    six = [tensor[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    anisou = atom_line().replace("ATOM  ", "ANISOU")[:28] + "".join(f"{round(u * 1e4):7d}" for u in six) + "       C  "
    unreadable = anisou[:28] + "  *****" + anisou[35:]
    structure = load(
        pdb(atom_line(), anisou, atom_line(2, number=2), unreadable.replace("ANISOU    1", "ANISOU    2")), "s.pdb"
    )
    matrix = motion(5)
    path = write_structure(structure, tmp_path / "u.pdb", transform=matrix).path
    expected = matrix[:3, :3] @ tensor @ matrix[:3, :3].T
    atom = gemmi.read_structure(str(path))[0][0][0][0]
    found = np.array(atom.aniso.as_mat33().tolist())
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(np.linalg.eigvalsh(found), np.linalg.eigvalsh(tensor), atol=2e-4)
    last = path.read_text().splitlines()[-1]
    assert last[28:] == unreadable[28:]
    turned = gemmi.read_structure(str(write_structure(structure, tmp_path / "u.cif", transform=matrix).path))
    np.testing.assert_allclose(turned[0][0][0][0].aniso.as_mat33().tolist(), expected, atol=1e-4)


COORDINATE = st.integers(-400_000, 400_000).map(lambda value: value / 1000)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), min_size=1, max_size=8), st.integers(0, 10**6))
def test_pdb_round_trip(tmp_path, points, seed):
    structure = load(pdb(*[atom_line(i, number=i, position=point) for i, point in enumerate(points)]), "s.pdb")
    matrix = motion(seed, (10.0, 20.0, -30.0))
    there = read_structure(write_structure(structure, tmp_path / "there.pdb", transform=matrix).path)
    np.testing.assert_allclose(there.coordinates, moved(structure, matrix), atol=5.01e-4)
    back = read_structure(write_structure(there, tmp_path / "back.pdb", transform=np.linalg.inv(matrix)).path)
    np.testing.assert_allclose(back.coordinates, structure.coordinates, atol=2.1e-3)


# --- too large for PDB ---


@pytest.mark.parametrize("columns", ["        ", "1ABC  84"])
def test_coordinates_too_large_for_pdb_become_mmcif_with_a_message(tmp_path, columns):
    lines = [
        "TITLE     T",
        *[atom_line(i, number=i // 2, name=("N", "CA")[i % 2], element="NC"[i % 2])[:72] + columns for i in range(4)],
        atom_line(8, "O", "HOH", "B", 9, element="O", record="HETATM")[:72] + columns,
        atom_line(9, "O", "HOH", "A", 9, element="O", record="HETATM")[:72] + columns,
    ]
    structure = load(pdb(*lines), "s.pdb")
    matrix = motion(1, (20000.0, 0.0, 0.0))
    written = write_structure(structure, tmp_path / "far.pdb", transform=matrix, b_factors=np.arange(6.0))
    assert written == WrittenFile(
        tmp_path / "far.cif", "Written as mmCIF: a coordinate is too large for the columns of a PDB file."
    )
    again = read_structure(written.path)
    same_names(structure, again)
    np.testing.assert_allclose(again.coordinates, moved(structure, matrix), atol=1e-3)
    np.testing.assert_allclose(again.atoms.b_factor, np.arange(6.0))
    assert again.title == "T"


@pytest.mark.parametrize(("x", "fits"), [(9999.999, True), (10000.0, False), (-999.999, True), (-1000.0, False)])
def test_the_limits_of_the_columns(tmp_path, x, fits):
    structure = load(pdb(atom_line(position=(0, 0, 0))), "s.pdb")
    written = write_structure(structure, tmp_path / "x.pdb", transform=motion_along_x(x))
    assert (written.path.suffix == ".pdb") == fits
    assert read_structure(written.path).coordinates[0, 0, 0] == x


def motion_along_x(x: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return matrix


def test_a_file_of_the_tolerant_parser_becomes_mmcif(tmp_path):
    frames = [
        atom_line(position=(1, 0, 0)),
        atom_line(2, number=2),
        "MODEL        2",
        atom_line(),
        atom_line(2, number=2),
    ]
    structure = load(pdb("MODEL        1", *frames), "s.pdb")
    assert structure.model_count == 2
    far = write_structure(structure, tmp_path / "far", transform=motion_along_x(5e4))
    assert far.path.suffix == ".cif"
    np.testing.assert_allclose(
        read_structure(far.path).coordinates, structure.coordinates + np.array([5e4, 0, 0]), atol=1e-3
    )
    near = write_structure(structure, tmp_path / "near", transform=motion_along_x(1))
    np.testing.assert_allclose(read_structure(near.path).coordinates, structure.coordinates + np.array([1, 0, 0]))


# --- mmCIF: every other item ---


def items_of(document: gemmi.cif.Document) -> dict[str, list[str]]:
    found = {}
    for block in document:
        for category in block.get_mmcif_category_names():
            table = block.find_mmcif_category(category)
            for tag in table.tags:
                found[f"{block.name}/{tag}"] = [gemmi.cif.as_string(value) for value in block.find_values(tag)]
    return found


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["adk/4AKE.cif", "diverse/3o5r.cif", "diverse/1l2y.cif.gz", "diverse/1gid.cif.gz"])
def test_in_an_mmcif_file_only_coordinates_and_tensors_change(structures_dir, tmp_path, name):
    path = structures_dir / name
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    written = write_structure(read_structure(path), tmp_path / "moved.cif", transform=motion())
    before, after = items_of(gemmi.cif.read_string(content)), items_of(gemmi.cif.read(str(written.path)))
    assert before.keys() == after.keys()
    changed = {tag.split("/")[1] for tag in before if before[tag] != after[tag]}
    expected = {f"_atom_site.Cartn_{axis}" for axis in "xyz"}
    tensors = {tag for tag in changed if re.fullmatch(r"_atom_site_anisotrop\.U\[\d\]\[\d\]", tag)}
    assert changed == expected | tensors


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["adk/4AKE.cif", "edge/altloc.cif"])
def test_an_mmcif_file_that_does_not_move_keeps_every_item(structures_dir, tmp_path, name):
    written = write_structure(read_structure(structures_dir / name), tmp_path / "same.cif")
    assert items_of(gemmi.cif.read(str(structures_dir / name))) == items_of(gemmi.cif.read(str(written.path)))


@pytest.mark.shared_data
def test_binary_cif_becomes_the_mmcif_of_the_entry(structures_dir, tmp_path):
    written = write_structure(read_structure(structures_dir / "diverse/1l2y.bcif"), tmp_path / "x.bcif")
    assert written == WrittenFile(tmp_path / "x.cif", "BinaryCIF is written as mmCIF.")
    ours = items_of(gemmi.cif.read(str(written.path)))
    theirs = items_of(gemmi.cif.read(str(structures_dir / "diverse/1l2y.cif.gz")))
    common = {tag for tag in theirs if tag.startswith("1L2Y/_atom_site.")} & ours.keys()
    assert len(common) > 15
    for tag in common:
        if ours[tag] != theirs[tag]:
            # numbers may have lost zeros at their end
            assert [float(value) for value in ours[tag]] == [float(value) for value in theirs[tag]], tag


TENSOR = [f"U[{i}][{j}]" for i, j in ((1, 1), (2, 2), (3, 3), (1, 2), (1, 3), (2, 3))]


@pytest.mark.parametrize("place", ["own table", "own table with both halves", "atom_site", "B"])
def test_tensors_of_mmcif_rotate_in_either_place(tmp_path, place):
    tensor = np.array([[0.05, 0.01, -0.007], [0.01, 0.08, 0.0021], [-0.007, 0.0021, 0.12]])
    six = [tensor[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    values = " ".join(f"{value:.4f}" for value in six)
    names = [name.replace("U", "B") if place == "B" else name for name in TENSOR]
    if place == "atom_site":
        items = (*ATOM_SITE, *(f"aniso_{name}" for name in names))
        content = mmcif(f"{cif_row()} {values}", f"{cif_row(2, number=2)} ? ? ? ? ? ?", items=items)
        prefix = "_atom_site.aniso_"
    else:
        if place == "own table with both halves":
            names = [*names, "U[2][1]", "U[3][1]", "U[3][2]"]
            values += f" {tensor[0, 1]} {tensor[0, 2]} {tensor[1, 2]}"
        unknown = " ".join("?" * len(names))
        tags = "\n".join(f"_atom_site_anisotrop.{name}" for name in names)
        table = f"loop_\n_atom_site_anisotrop.id\n{tags}\n1 {values}\n2 {unknown}\n"
        content = mmcif(cif_row(), cif_row(2, number=2), after=table)
        prefix = "_atom_site_anisotrop."
    matrix = motion(7)
    written = write_structure(load(content, "s.cif"), tmp_path / "u.cif", transform=matrix)
    block = gemmi.cif.read(str(written.path)).sole_block()
    expected = matrix[:3, :3] @ tensor @ matrix[:3, :3].T
    for name in names:
        i, j = (int(digit) - 1 for digit in re.findall(r"\d", name))
        column = list(block.find_values(f"{prefix}{name}"))
        assert float(column[0]) == pytest.approx(expected[i, j], abs=1e-4)
        assert column[1] == "?"


def test_decimals_of_the_file_are_kept(tmp_path):
    content = mmcif(cif_row().replace("1.000 2.000 3.000", "1.00000 2.0 3(1)"))
    written = write_structure(load(content, "s.cif"), tmp_path / "d.cif", transform=motion_along_x(0.123456789))
    block = gemmi.cif.read(str(written.path)).sole_block()
    assert [block.find_values(f"_atom_site.Cartn_{axis}")[0] for axis in "xyz"] == ["1.12346", "2.00000", "3.00000"]


def test_a_b_column_is_added_where_there_is_none(tmp_path):
    items = ("id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id", "label_seq_id",
             "Cartn_x", "Cartn_y", "Cartn_z")  # fmt: skip
    structure = load(mmcif("1 C CA . ALA A 3 1 2 3", "2 C CB . ALA A 3 1 2 4", items=items), "s.cif")
    written = write_structure(structure, tmp_path / "b.cif", b_factors=[7.0, 8.5])
    assert read_structure(written.path).atoms.b_factor.tolist() == [7.0, 8.5]


def test_a_single_atom_may_be_written_as_pairs(tmp_path):
    pairs = zip(ATOM_SITE, cif_row().split(), strict=True)
    content = "data_x\n" + "".join(f"_atom_site.{name} {value}\n" for name, value in pairs)
    structure = load(content.encode(), "s.cif")
    written = write_structure(structure, tmp_path / "p.cif", transform=motion_along_x(2), b_factors=[3.0])
    again = read_structure(written.path)
    assert again.coordinates[0, 0].tolist() == [3.0, 2.0, 3.0]
    assert again.atoms.b_factor.tolist() == [3.0]


def test_binary_cif_with_absent_values(tmp_path):
    structure = load(small_bcif(), "s.bcif")
    matrix = motion(2)
    again = read_structure(write_structure(structure, tmp_path / "s", transform=matrix).path)
    same_names(structure, again)
    np.testing.assert_allclose(again.coordinates, moved(structure, matrix), atol=6e-4)
    assert again.title == "A small one"


# --- models ---


@pytest.mark.parametrize("kind", ["pdb", "cif"])
def test_all_models_move_with_the_one_that_is_held(tmp_path, kind):
    if kind == "pdb":
        lines = []
        for number in (1, 4):
            lines += [f"MODEL     {number:4d}", atom_line(position=(number, 0, 0)), "ENDMDL"]
        content = pdb(*lines, "MODEL        7", atom_line(2, "N", element="N", position=(7, 0, 0)), "ENDMDL")
    else:
        rows = [cif_row(1, position=(1, 0, 0)), cif_row(2, position=(4, 0, 0), model=4)]
        content = mmcif(*rows, cif_row(3, "N", element="N", position=(7, 0, 0), model=7))
    both, other = parse_structures(content, Path(f"m.{kind}"))
    path = write_structure(both.model(1), tmp_path / "m", transform=motion_along_x(10), b_factors=[5.0]).path
    one, two = read_structures(path)
    assert one.coordinates[:, 0, 0].tolist() == [11, 14]
    assert two.coordinates[:, 0, 0].tolist() == [17]
    assert one.atoms.b_factor.tolist() == [5.0]
    assert two.atoms.b_factor.tolist() == [10.0]
    assert two.model_numbers == other.model_numbers == (7,)


@pytest.mark.parametrize("kind", ["pdb", "cif"])
def test_coordinates_that_were_changed_in_memory_are_written(tmp_path, kind):
    content = pdb(atom_line(), atom_line(2, number=2)) if kind == "pdb" else mmcif(cif_row(), cif_row(2, number=2))
    structure = load(content, f"s.{kind}")
    changed = replace(structure, coordinates=structure.coordinates + np.array([[0, 0, 0], [1, 2, 3]]))
    again = read_structure(write_structure(changed, tmp_path / "c", transform=motion_along_x(1)).path)
    np.testing.assert_allclose(again.coordinates, changed.coordinates + np.array([1, 0, 0]))


# --- structures without a file ---


@pytest.mark.parametrize("suffix", [".pdb", ".cif"])
@pytest.mark.parametrize("name", ["adk/1AKE.pdb", "diverse/1l2y.cif.gz", "diverse/5ugo.cif", "edge/tiny.pdb"])
@pytest.mark.shared_data
def test_arrays_alone_are_written_plainly(structures_dir, tmp_path, suffix, name):
    structure = replace(read_structure(structures_dir / name), source=None)
    matrix = motion()
    written = write_structure(structure, tmp_path / f"plain{suffix}", transform=matrix)
    assert written == WrittenFile(tmp_path / f"plain{suffix}", "")
    again = read_structure(written.path)
    for column in ("name", "element", "altloc", "hetero", "occupancy"):
        np.testing.assert_array_equal(getattr(structure.atoms, column), getattr(again.atoms, column), err_msg=column)
    for column in ("name", "chain", "number", "insertion_code", "kind", "letter", "guide_atom"):
        ours, theirs = getattr(structure.residues, column), getattr(again.residues, column)
        np.testing.assert_array_equal(ours, theirs, err_msg=column)
    np.testing.assert_allclose(again.coordinates, moved(structure, matrix), atol=6e-4)
    assert again.model_numbers == structure.model_numbers
    assert again.title == structure.title


def test_names_too_long_for_pdb_become_mmcif(tmp_path):
    structure = load(mmcif(cif_row(chain="AAA")), "s.cif")
    written = write_structure(structure, tmp_path / "long.pdb")
    assert written.message == "Written as mmCIF: the chain id 'AAA' is too long for a PDB file."
    assert read_structure(written.path).chains == ("AAA",)
    numbered = load(mmcif(cif_row(number=12345)), "s.cif")
    assert "residue number" in write_structure(numbered, tmp_path / "n.pdb").message


def test_formats_are_chosen_by_suffix_else_by_source(tmp_path):
    text, cif = load(pdb(atom_line()), "s.pdb"), load(mmcif(cif_row()), "s.cif")
    assert write_structure(text, tmp_path / "a").path.name == "a.pdb"
    assert write_structure(text, tmp_path / "a.ent").path.name == "a.ent"
    assert write_structure(text, tmp_path / "a.cif").path.name == "a.cif"
    assert write_structure(cif, tmp_path / "b.x").path.name == "b.x.cif"
    assert write_structure(cif, tmp_path / "b.pdb").path.name == "b.pdb"
    assert write_structure(replace(cif, source=None), tmp_path / "c").path.name == "c.cif"
    for path in tmp_path.iterdir():
        assert read_structure(path).notes == ()


# --- refusals ---


def test_bad_arguments(tmp_path):
    structure = load(pdb(atom_line()), "s.pdb")
    mirror = np.diag([1.0, 1.0, -1.0, 1.0])
    for matrix in (np.eye(3), np.full((4, 4), np.nan), mirror, 2 * np.eye(4)):
        with pytest.raises(StructureError, match="transform"):
            write_structure(structure, tmp_path / "x", transform=matrix)
    with pytest.raises(StructureError, match="there are 1 atoms, but 2 values"):
        write_structure(structure, tmp_path / "x", b_factors=[1, 2])
    assert list(tmp_path.iterdir()) == []


def test_the_input_is_never_overwritten(tmp_path):
    path = tmp_path / "in.pdb"
    path.write_bytes(pdb(atom_line()))
    with pytest.raises(StructureError, match="was read from this file"):
        write_structure(read_structure(path), path, transform=motion())
    assert path.read_bytes() == pdb(atom_line())


def test_failures_leave_what_was_there(tmp_path, monkeypatch):
    structure = load(pdb(atom_line()), "s.pdb")
    with pytest.raises(StructureError, match="cannot be written"):
        write_structure(structure, tmp_path / "no" / "folder.pdb")
    old = tmp_path / "old.pdb"
    old.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StructureError, match=r"old.pdb: the file cannot be written \(No space left"):
        write_structure(structure, old)
    assert [path.name for path in tmp_path.iterdir()] == ["old.pdb"]
    assert old.read_bytes() == b"old"


def test_written_files_have_ordinary_permissions(tmp_path):
    path = write_structure(load(pdb(atom_line()), "s.pdb"), tmp_path / "a.pdb").path
    other = tmp_path / "plain"
    other.write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
