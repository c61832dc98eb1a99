"""Reading real files: verified facts, agreement of formats and parsers, and files broken at random."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures, read_structure, read_structures
from lieapp.structures.structure import Structure
from tests.conftest import shared_data
from tests.structures.records import atom_line, cif_row, mmcif, pdb

FOLDER = (shared_data() or Path("absent")) / "structures"
FILES = sorted(
    str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*") if {".pdb", ".cif", ".bcif"} & set(path.suffixes)
)
TEXT_FILES = [name for name in FILES if ".bcif" not in name]
OTHERS = ["adk/adk.psf.gz", "adk/adk_dims.dcd", "homologs/usalign_align.fasta.txt", "ripc/id_pair.txt", "README.md"]
HUGE = {"diverse/1aon.pdb.gz", "diverse/1gya.cif.gz", "diverse/4zxb.cif.gz"}
# Biopython wants a B-factor, and takes an absent occupancy for 0.
ODD = {"diverse/1gid.cif.gz", "edge/occupancy.pdb"}

# atoms of model 1, residues with CA (altlocs counted once), chains, models
FACTS = {
    "adk/1AKE.pdb": (3816, 428, ("A", "B"), 1),
    "adk/4AKE.pdb": (3459, 428, ("A", "B"), 1),
    "adk/4AKE.cif": (3459, 428, ("A", "B"), 1),
    "adk/adk_open.pdb": (3341, 214, ("",), 1),
    "adk/adk_closed.pdb": (3341, 214, ("",), 1),
    "diverse/1l2y.pdb.gz": (304, 20, ("A",), 38),
    "diverse/1l2y.cif.gz": (304, 20, ("A",), 38),
    "diverse/1l2y.bcif": (304, 20, ("A",), 38),
    "diverse/1gya.cif.gz": (1976, 105, ("A", "B"), 18),
    "diverse/4zxb.cif.gz": (12918, 1601, tuple("ABCDEFGHIJKL"), 1),
    "diverse/1ncb.cif.gz": (6594, 824, tuple("NLHAB"), 1),
    "diverse/3o5r.cif": (1470, 128, ("A",), 1),
    "diverse/5ugo.cif": (3712, 326, tuple("TPDA"), 1),
    "diverse/1gid.cif.gz": (4612, 0, ("",), 1),
    "diverse/1aki.pdb": (1079, 129, ("A",), 1),
    "diverse/1aon.pdb.gz": (58870, 8015, tuple("ABCDEFGHIJKLMNOPQRSTU"), 1),
    "diverse/AF-M3YHX5-F1-model_v4_hydrogens.cif": (1833, 112, ("A",), 1),
    "edge/1v5a-3models.cif": (387, 28, ("A",), 3),
    "edge/altloc.cif": (34, 1, ("A",), 1),
    "edge/res_ids.cif": (251, 3, tuple("AGHIJKLCE"), 1),
    "edge/hetatm.pdb": (5, 0, ("B",), 1),
    "edge/occupancy.pdb": (3, 1, ("A",), 1),
    "edge/disordered.pdb": (50, 6, ("A",), 1),
    "edge/tiny.pdb": (37, 2, ("C", "", "E"), 1),
    "homologs/3CLN.cif": (1199, 143, ("A",), 1),
    "homologs/usalign_PDB1.pdb": (2561, 250, ("",), 1),
    "homologs/usalign_PDB2.pdb": (1396, 166, ("A",), 1),
}


def check_consistency(structure: Structure) -> None:
    atoms, residues = structure.atoms, structure.residues
    count = structure.atom_count
    assert structure.coordinates.dtype == np.float64
    assert np.isfinite(structure.coordinates).all()
    assert structure.coordinates.shape == (len(structure.model_numbers), count, 3)
    assert all(len(column) == count for column in vars(atoms).values())
    assert all(len(getattr(residues, name)) == len(residues) for name in vars(residues) if name != "first_atom")
    assert residues.first_atom[0] == 0
    assert residues.first_atom[-1] == count
    np.testing.assert_array_equal(atoms.residue, np.repeat(np.arange(len(residues)), np.diff(residues.first_atom)))
    guided = np.flatnonzero(residues.guide_atom >= 0)
    guides = residues.guide_atom[guided]
    np.testing.assert_array_equal(atoms.residue[guides], guided)
    assert set(residues.kind[guided].tolist()) <= {"protein", "nucleic"}
    assert set(atoms.element[guides].tolist()) <= {"C", "P"}
    assert set(residues.kind.tolist()) <= {"protein", "nucleic", "water", "other"}
    assert (residues.letter[np.isin(residues.kind, ("water", "other"))] == "").all()
    assert (np.char.str_len(residues.letter[np.isin(residues.kind, ("protein", "nucleic"))]) == 1).all()
    assert set(residues.secondary.tolist()) <= {"H", "E", "C", ""}
    changes = int((residues.chain[1:] != residues.chain[:-1]).sum())
    assert changes == len(structure.chains) - 1  # the residues of a chain lie together


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FILES)
def test_every_structure_is_read(structures_dir, name):
    for structure in read_structures(structures_dir / name):
        check_consistency(structure)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", OTHERS)
def test_everything_else_is_refused_in_one_line(structures_dir, name):
    with pytest.raises(StructureError) as caught:
        read_structure(structures_dir / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FACTS)
def test_verified_facts(structures_dir, name):
    atoms, with_ca, chains, models = FACTS[name]
    structure = read_structure(structures_dir / name)
    assert structure.atom_count == atoms
    assert structure.chains == chains
    assert structure.model_count == models
    protein = structure.residues.kind == "protein"
    assert int((structure.residues.guide_atom[protein] >= 0).sum()) == with_ca


@pytest.mark.shared_data
def test_twenty_models_one_of_them_with_another_proton(structures_dir):
    first, second = read_structures(structures_dir / "ripc/d1aj3__.pdb.gz")
    assert first.model_count + second.model_count == 20
    assert first.atom_count == second.atom_count == 1593
    assert second.model_numbers == (8,)
    assert read_structure(structures_dir / "ripc/d1aj3__.pdb.gz", model=8).model_numbers == (8,)
    with pytest.raises(StructureError, match=r"there is no model 21; the file has 20 models \(1-20\)"):
        read_structure(structures_dir / "ripc/d1aj3__.pdb.gz", model=21)


@pytest.mark.shared_data
def test_eleven_legacy_files_read(structures_dir):
    noted = [
        name
        for name in FILES
        if name.startswith("ripc/")
        and any("Columns 73-80" in note for note in read_structure(structures_dir / name).notes)
    ]
    assert {Path(name).name[:7] for name in noted} >= {"d1bia_1", "d1crl__", "d1lzy__", "d3chy__", "d3cox_2"}


def assert_equal_structures(one: Structure, other: Structure, *, serials: bool = True) -> None:
    for part in ("atoms", "residues"):
        mine, theirs = getattr(one, part), getattr(other, part)
        for column in vars(mine):
            if column != "serial" or serials:
                np.testing.assert_array_equal(getattr(mine, column), getattr(theirs, column), err_msg=column)
    np.testing.assert_array_equal(one.coordinates, other.coordinates)
    assert one.model_numbers == other.model_numbers


@pytest.mark.shared_data
def test_three_formats_of_one_entry_agree(structures_dir):
    text, cif, binary = (read_structure(structures_dir / f"diverse/1l2y.{end}") for end in ("pdb.gz", "cif.gz", "bcif"))
    assert_equal_structures(cif, binary)
    # The serial numbers of a PDB file count the TER record.
    assert_equal_structures(text, cif, serials=False)
    assert text.title.upper() == cif.title.upper() == binary.title.upper() != ""
    assert text.name == cif.name == binary.name == "1L2Y"
    guides = text.coordinates[:, text.residues.guide_atom]
    assert guides.shape == (38, 20, 3)


@pytest.mark.shared_data
def test_pdb_and_mmcif_of_4ake_agree(structures_dir):
    text, cif = (read_structure(structures_dir / f"adk/4AKE.{end}") for end in ("pdb", "cif"))
    assert_equal_structures(text, cif, serials=False)


@pytest.mark.shared_data
def test_windows_line_ends_change_nothing(structures_dir):
    plain = read_structure(structures_dir / "adk/1AKE.pdb")
    windows = read_structure(structures_dir / "edge/1AKE_crlf.pdb.gz")
    assert b"\r\n" in windows.source.content
    assert_equal_structures(plain, windows)
    assert plain.title == windows.title


@pytest.mark.shared_data
def test_alpha_carbons_and_calcium(structures_dir):
    for name in ("open", "closed"):
        structure = read_structure(structures_dir / f"adk/adk_{name}.pdb")
        assert set(structure.atoms.element.tolist()) == {"C", "H", "N", "O", "S"}
        assert (structure.residues.guide_atom >= 0).all()
    mixed = read_structure(structures_dir / "diverse/5ugo.cif")
    ions = (mixed.atoms.name == "CA") & (mixed.atoms.element == "Ca")
    assert ions.sum() == 2
    assert (mixed.residues.name[mixed.atoms.residue[ions]] == "CA").all()
    assert not np.isin(np.flatnonzero(ions), mixed.residues.guide_atom).any()


@pytest.mark.shared_data
def test_insertion_codes(structures_dir):
    structure = read_structure(structures_dir / "diverse/1ncb.cif.gz")
    assert (structure.residues.insertion_code != "").sum() == 11


@pytest.mark.shared_data
def test_predicted_confidence_is_in_the_b_column(structures_dir):
    structure = read_structure(structures_dir / "diverse/AF-M3YHX5-F1-model_v4_hydrogens.cif")
    confidence = structure.atoms.b_factor[structure.residues.guide_atom]
    assert (confidence.min(), confidence.max()) == (29.12, 92.88)
    assert confidence.mean() == pytest.approx(60.0, abs=0.1)


@pytest.mark.shared_data
def test_selenomethionine_of_hetatm_records_is_protein(structures_dir):
    structure = read_structure(structures_dir / "ripc/d1he9a_.pdb.gz")
    modified = structure.residues.name == "MSE"
    assert modified.any()
    assert (structure.residues.kind[modified] == "protein").all()
    assert (structure.residues.letter[modified] == "M").all()
    assert (structure.residues.guide_atom[modified] >= 0).all()


@pytest.mark.shared_data
def test_secondary_structure_of_4ake(structures_dir):
    structure = read_structure(structures_dir / "adk/4AKE.pdb")
    residues = structure.residues
    helix = (residues.chain == "A") & (residues.number >= 13) & (residues.number <= 24) & (residues.kind == "protein")
    assert (residues.secondary[helix] == "H").all()
    assert (residues.secondary[residues.kind == "water"] == "").all()


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["adk/1AKE.pdb", "adk/4AKE.pdb", "adk/4AKE.cif", "diverse/5ugo.cif", "homologs/3CLN.cif"]
)
def test_helices_and_strands_are_those_that_gemmi_finds(structures_dir, name):
    structure = read_structure(structures_dir / name)
    residues = structure.residues
    expected = np.where(residues.kind == "protein", "C", "")
    parsed = gemmi.read_structure(str(structures_dir / name))
    spans = [("H", helix) for helix in parsed.helices]
    spans += [("E", strand) for sheet in parsed.sheets for strand in sheet.strands]
    assert len(spans) > 8
    for code, span in spans:
        first, last = span.start.res_id.seqid.num, span.end.res_id.seqid.num
        inside = (residues.chain == span.start.chain_name) & (residues.number >= first) & (residues.number <= last)
        expected[inside & (residues.kind == "protein")] = code
    np.testing.assert_array_equal(residues.secondary, expected)


# --- another parser ---


def atoms_of_biopython(path: Path) -> dict[tuple, np.ndarray]:
    from Bio.PDB.MMCIFParser import MMCIFParser
    from Bio.PDB.PDBParser import PDBParser

    parser = (MMCIFParser if ".cif" in path.name else PDBParser)(QUIET=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="latin-1") as stream:
            parsed = parser.get_structure("x", stream)
    return {
        (
            model.serial_num or 1,
            chain.id.strip(" ."),
            residue.id[1],
            residue.id[2].strip(),
            residue.resname.strip(),
            atom.name.strip(),
            atom.altloc.strip(),
        ): np.array([*atom.coord, atom.bfactor, 1.0 if atom.occupancy is None else atom.occupancy])
        for model in parsed
        for chain in model
        for residue in chain.get_unpacked_list()
        for atom in residue.get_unpacked_list()
    }


def atoms_of(structures: tuple[Structure, ...]) -> dict[tuple, np.ndarray]:
    found = {}
    for structure in structures:
        atoms, residues = structure.atoms, structure.residues
        names = list(
            zip(
                residues.chain.tolist(),
                residues.number.tolist(),
                residues.insertion_code.tolist(),
                residues.name.tolist(),
                strict=True,
            )
        )
        keys = [
            (*names[residue], name, altloc)
            for residue, name, altloc in zip(
                atoms.residue.tolist(), atoms.name.tolist(), atoms.altloc.tolist(), strict=True
            )
        ]
        for number, coordinates in zip(structure.model_numbers, structure.coordinates, strict=True):
            values = np.column_stack([coordinates, atoms.b_factor, atoms.occupancy])
            found.update({(number, *key): value for key, value in zip(keys, values, strict=True)})
    return found


def compare_with_biopython(path: Path) -> None:
    structures = read_structures(path)
    ours, theirs = atoms_of(structures), atoms_of_biopython(path)
    assert len(ours) == sum(structure.model_count * structure.atom_count for structure in structures)
    assert ours.keys() == theirs.keys()
    keys = list(ours)
    columns = slice(None) if len(structures) == structures[0].model_count == 1 else slice(0, 3)
    np.testing.assert_allclose(
        np.array([ours[key] for key in keys])[:, columns],
        np.array([theirs[key] for key in keys])[:, columns],
        atol=6e-4,
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [name for name in TEXT_FILES if name not in HUGE | ODD])
def test_biopython_reads_the_same(structures_dir, name):
    compare_with_biopython(structures_dir / name)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("name", sorted(HUGE))
def test_biopython_reads_the_same_of_large_files(structures_dir, name):
    compare_with_biopython(structures_dir / name)


@pytest.mark.slow
@pytest.mark.shared_data
def test_a_large_file_is_read_twenty_times_faster_than_by_biopython():
    from tests.benchmarks.bench_reading import run

    # The best of some: what else the machine does never makes a parser faster.
    assert min(run(quick=False)[0]["ratio"] for _ in range(3)) < 1 / 20


# --- files broken at random ---

SMALL_PDB = pdb(
    "HEADER    TEST                                    01-JAN-99   1ABC",
    "TITLE     T",
    "HELIX    1   1 ALA A    1  ALA A    2  1                                   2",
    "MODEL        1",
    *[atom_line(i, name, number=1 + i // 3, element=name[0]) for i, name in enumerate(["N", "CA", "C"] * 3)],
    "ANISOU    1  CA  ALA A   1      100    100    100      0      0      0       C",
    "TER",
    "ENDMDL",
    "END",
)
SMALL_CIF = mmcif(
    cif_row(1, "N", element="N"), cif_row(2), cif_row(3, number=2, code="A"),
    before="_struct.title 'A title'\nloop_\n_struct_conf.conf_type_id\n_struct_conf.beg_auth_asym_id\n"
    "_struct_conf.beg_auth_seq_id\n_struct_conf.end_auth_asym_id\n_struct_conf.end_auth_seq_id\nHELX_P A 1 A 2\n",
)  # fmt: skip


def mutated(data: st.DataObject, content: bytes) -> bytes:
    broken = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(broken) - 1))
        action = data.draw(st.sampled_from(["change", "insert", "remove"]))
        if action == "change":
            broken[place] = data.draw(st.integers(0, 255))
        elif action == "insert":
            broken[place:place] = data.draw(st.binary(min_size=1, max_size=6))
        elif len(broken) > 20:
            del broken[place : place + data.draw(st.integers(1, 12))]
    return bytes(broken[: data.draw(st.one_of(st.just(len(broken)), st.integers(0, len(broken))))])


@pytest.mark.parametrize("content", [SMALL_PDB, SMALL_CIF], ids=["pdb", "mmcif"])
def test_broken_files_raise_nothing_but_the_error_of_this_floor(content):
    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data):
        try:
            structures = parse_structures(mutated(data, content), Path("t"))
        except StructureError as error:
            assert "\n" not in str(error)
            assert str(error).startswith("t: ")
        else:
            for structure in structures:
                check_consistency(structure)

    check()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_the_error_of_this_floor(content):
    with pytest.raises(StructureError):
        parse_structures(content, Path("t"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_broken_gzip_files(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("gz") / "t.pdb.gz"
    path.write_bytes(b"\x1f\x8b" + mutated(data, gzip.compress(SMALL_PDB)[2:]))
    try:
        read_structure(path)
    except StructureError as error:
        assert "\n" not in str(error)


# --- properties of well-formed files ---

COORDINATE = st.integers(-999_999, 9_999_999).map(lambda value: value / 1000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), min_size=1, max_size=30))
def test_pdb_and_mmcif_give_the_numbers_that_were_written(points):
    text = parse_structures(pdb(*[atom_line(i, number=i, position=p) for i, p in enumerate(points)]), Path("t"))[0]
    cif = parse_structures(mmcif(*[cif_row(i, number=i, position=p) for i, p in enumerate(points)]), Path("t"))[0]
    np.testing.assert_array_equal(text.coordinates[0], points)
    np.testing.assert_array_equal(cif.coordinates[0], points)
