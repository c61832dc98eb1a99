"""Pairing: counts of real pairs, hand-made traps, and every refusal."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures._pairing_chains import assign_chains
from lieapp.structures.errors import StructureError
from lieapp.structures.pairing import LeftOut, Pairing, pair_structures, select_pairs
from lieapp.structures.reading import read_structure
from lieapp.structures.structure import Structure

from .handmade import NAMES, Part, Site, build, coil, peptide, strand_of_dna, water

SEQUENCE = "MRIILLGAPGAGKGTQAQFIMEKYGIPQIS"
OTHER = "GSHMWDDYHPLCEEFNRVWKTCQSWDHPFY"


def kabsch_rmsd(pairing: Pairing, mobile: Structure, target: Structure) -> float:
    """Return the smallest RMSD of the paired atoms by singular values."""
    x = mobile.coordinates[0][pairing.mobile_atoms]
    y = target.coordinates[0][pairing.target_atoms]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    u, s, vt = np.linalg.svd(x.T @ y)
    s[2] *= np.sign(np.linalg.det(u @ vt))
    return float(np.sqrt(max(0.0, (x**2).sum() + (y**2).sum() - 2.0 * s.sum()) / len(x)))


def labels(structure: Structure, residues: np.ndarray) -> list[str]:
    rows = structure.residues
    return [f"{rows.chain[i]}{rows.number[i]}{rows.insertion_code[i]}" for i in residues]


@pytest.fixture(scope="module")
def adk(structures_dir: Path) -> tuple[Structure, Structure]:
    return read_structure(structures_dir / "adk/4AKE.pdb"), read_structure(structures_dir / "adk/1AKE.pdb")


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("options", "pairs", "rmsd"),
    [
        ({}, 214, 7.130700),
        ({"method": "sequence"}, 214, 7.130700),
        ({"method": "number"}, 214, 7.130700),
        ({"atoms": "backbone"}, 856, 7.154454),
        ({"atoms": "heavy"}, 1656, 7.191267),
        ({"mobile_chains": ("B",), "target_chains": ("B",)}, 214, 6.897998),
        ({"mobile_chains": ("B",), "target_chains": ("A",), "method": "number"}, 214, 6.879661),
        ({"mobile_chains": ("A",), "target_chains": ("B",)}, 214, 7.144384),
        ({"mobile_chains": ("A", "B"), "target_chains": ("A", "B")}, 428, 18.448661),
        ({"mobile_chains": ("A", "B"), "method": "number"}, 428, 18.448661),
    ],
)
def test_adenylate_kinase(adk: tuple[Structure, Structure], options: dict, pairs: int, rmsd: float) -> None:
    pairing = pair_structures(*adk, **options)
    assert len(pairing) == pairs
    assert kabsch_rmsd(pairing, *adk) == pytest.approx(rmsd, abs=1e-6)
    assert pairing.polymer == "protein"
    assert all(match.identity == 1.0 for match in pairing.chains)


@pytest.mark.shared_data
def test_auto_says_what_it_chose(adk: tuple[Structure, Structure]) -> None:
    pairing = pair_structures(*adk)
    assert [(match.mobile_chain, match.target_chain, match.pairs) for match in pairing.chains] == [("A", "A", 214)]
    assert pairing.description == (
        "4AKE A with 1AKE A: 214 CA atoms by sequence and number, 100 % identical, best of 4 chain pairs"
    )
    assert pairing.left_out == (
        LeftOut("mobile", "B", 214, "chain not selected"),
        LeftOut("target", "B", 214, "chain not selected"),
    )
    assert (pairing.mobile_length, pairing.target_length, pairing.origin) == (214, 214, "auto")


@pytest.mark.shared_data
def test_alternate_places_of_one_residue(adk: tuple[Structure, Structure]) -> None:
    mobile, target = adk
    pairing = pair_structures(mobile, target, atoms="heavy")
    assert set(target.atoms.altloc[pairing.target_atoms].tolist()) <= {"", "A"}
    assert (mobile.atoms.name[pairing.mobile_atoms] == target.atoms.name[pairing.target_atoms]).all()
    assert (np.diff(pairing.mobile_atoms) > 0).all()


@pytest.mark.shared_data
def test_fit_one_part_report_another(adk: tuple[Structure, Structure]) -> None:
    pairing = pair_structures(*adk, fit="A:1-29,60-121,160-214", report="A:30-59")
    assert (int(pairing.fit.sum()), int(pairing.report.sum())) == (146, 30)
    assert not (pairing.fit & pairing.report).any()


@pytest.mark.shared_data
def test_two_readers_worlds_pair(structures_dir: Path) -> None:
    """Blank chain, no elements, hydrogens; counts of the data's own description."""
    opened = read_structure(structures_dir / "adk/adk_open.pdb")
    closed = read_structure(structures_dir / "adk/adk_closed.pdb")
    pairing = pair_structures(opened, closed)
    assert len(pairing) == 214
    assert kabsch_rmsd(pairing, opened, closed) == pytest.approx(6.908967, abs=1e-6)
    real = pair_structures(opened, read_structure(structures_dir / "adk/4AKE.pdb"))
    assert len(real) == 214
    assert kabsch_rmsd(real, opened, read_structure(structures_dir / "adk/4AKE.pdb")) < 0.65  # energy-minimised


@pytest.mark.shared_data
def test_a_large_assembly(structures_dir: Path) -> None:
    groel = read_structure(structures_dir / "diverse/1aon.pdb.gz")
    pairing = pair_structures(groel, groel)
    assert len(pairing) == 524
    assert "A with" in pairing.description
    assert "best of 441 chain pairs" in pairing.description
    rings = pair_structures(groel, groel, mobile_chains=("A",), target_chains=("H",))
    assert kabsch_rmsd(rings, groel, groel) == pytest.approx(12.251, abs=1e-3)
    both = pair_structures(groel, groel, mobile_chains=("O", "A"), target_chains=("H", "P"))
    assert [(match.mobile_chain, match.target_chain) for match in both.chains] == [("O", "P"), ("A", "H")]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("mobile", "target", "least"),
    [("2nwd.bcif", "1hml.bcif", 0.30), ("3kcs.bcif", "6oa8.bcif", 0.2), ("2nwd.bcif", "1qgi.bcif", 0.0)],
)
def test_homologs(structures_dir: Path, mobile: str, target: str, least: float) -> None:
    one, two = (read_structure(structures_dir / "homologs" / name) for name in (mobile, target))
    pairing = pair_structures(one, two)
    assert len(pairing) > 60
    identity = pairing.chains[0].identity
    assert least <= identity < 0.9
    assert ("may be wrong" in pairing.description) == (identity < 0.2)


@pytest.mark.shared_data
def test_dna_of_a_complex(structures_dir: Path) -> None:
    polymerase = read_structure(structures_dir / "diverse/5ugo.cif")
    protein = pair_structures(polymerase, polymerase)
    assert protein.polymer == "protein"
    names = polymerase.atoms.name[protein.mobile_atoms]
    assert set(names.tolist()) == {"CA"}
    assert set(polymerase.atoms.element[protein.mobile_atoms].tolist()) == {"C"}
    strand = next(chain for chain in polymerase.polymer_chains if chain != "A")
    dna = pair_structures(polymerase, polymerase, mobile_chains=(strand,))
    assert dna.polymer == "nucleic"
    assert set(polymerase.atoms.name[dna.mobile_atoms].tolist()) == {"C3'"}


@pytest.mark.shared_data
def test_protein_against_dna(structures_dir: Path, adk: tuple[Structure, Structure]) -> None:
    dna = read_structure(structures_dir / "diverse/1bna.pdb")
    with pytest.raises(StructureError, match=r"4AKE A,B is protein, .* A,B is nucleic acid"):
        pair_structures(adk[0], dna)


def test_numbers_decide_beside_a_gap() -> None:
    """``AAAA`` with two residues missing aligns in many ways; the numbers know which."""
    whole = "MRIILLGAAAAAGKGTQAQF"
    kept = [n for n in range(1, 21) if n not in (9, 10)]
    mobile = build(peptide("".join(whole[n - 1] for n in kept), numbers=kept))
    target = build(peptide(whole))
    pairing = pair_structures(mobile, target)
    assert labels(target, pairing.target_residues) == [f"A{n}" for n in kept]
    assert pairing.left_out == (LeftOut("target", "A", 2, "no residue of this number in chain A"),)


def test_other_numbering_falls_back_to_the_sequence() -> None:
    mobile = build(peptide(SEQUENCE, "A", start=101))
    target = build([*peptide("GSHM", "X", start=-3), *peptide(SEQUENCE, "X", start=1)])
    pairing = pair_structures(mobile, target)
    assert labels(target, pairing.target_residues) == [f"X{n}" for n in range(1, 31)]
    assert pairing.chains[0].identity == 1.0
    assert pairing.left_out == (LeftOut("target", "X", 4, "no partner in the alignment with chain A"),)
    assert "by sequence, 100 % identical" in pairing.description
    assert (pairing.mobile_length, pairing.target_length) == (30, 34)


def test_number_pairs_residues_whatever_their_names() -> None:
    mobile, target = build(peptide(SEQUENCE, "A")), build(peptide(OTHER, "Z", start=6))
    pairing = pair_structures(mobile, target, method="number")
    assert labels(mobile, pairing.mobile_residues) == [f"A{n}" for n in range(6, 31)]
    assert labels(target, pairing.target_residues) == [f"Z{n}" for n in range(6, 31)]
    assert pairing.origin == "number"
    assert "may be wrong" in pairing.description


def test_insertion_codes_are_part_of_a_number() -> None:
    parts = peptide("ACDEF", "A")
    inserted = [*parts[:3], Part("A", 3, "GLY", "A", (Site("CA", (1.0, 7.0, 3.0)),)), *parts[3:]]
    pairing = pair_structures(build(inserted), build(parts), method="number")
    assert labels(build(inserted), pairing.mobile_residues) == ["A1", "A2", "A3", "A4", "A5"]
    assert pairing.left_out[0] == LeftOut("mobile", "A", 1, "no residue of this number in chain A")
    both = pair_structures(build(inserted), build(inserted), method="number")
    assert labels(build(inserted), both.target_residues) == ["A1", "A2", "A3", "A3A", "A4", "A5"]


def test_two_residues_on_one_number() -> None:
    parts = peptide("ACDEF", "A")
    doubled = [*parts, Part("A", 3, "ASN", sites=(Site("CA", (1.0, 7.0, 3.0)),))]
    pairing = pair_structures(build(doubled), build(doubled), method="number")
    assert len(pairing) == 5
    assert len(set(pairing.mobile_residues.tolist())) == 5


def test_chains_are_assigned_by_sequence() -> None:
    mobile = build([*peptide(SEQUENCE, "A"), *peptide(OTHER, "B")])
    target = build([*peptide(OTHER, "A"), *peptide(SEQUENCE, "B"), *peptide("W" * 30, "C")])
    pairing = pair_structures(mobile, target, mobile_chains=("A", "B"))
    assert [(match.mobile_chain, match.target_chain) for match in pairing.chains] == [("A", "B"), ("B", "A")]
    assert "(A-B, B-A)" in pairing.description
    assert pairing.left_out == (LeftOut("target", "C", 30, "chain not selected"),)


def test_equal_chains_keep_their_order() -> None:
    mobile = build([*peptide(SEQUENCE, "A"), *peptide(SEQUENCE, "B"), *peptide(SEQUENCE, "C")])
    for order in permutations("ABC"):
        pairing = pair_structures(mobile, mobile, mobile_chains=("A", "B", "C"), target_chains=order)
        assert "".join(match.target_chain for match in pairing.chains) == "".join(order)
    fewer = pair_structures(mobile, mobile, mobile_chains=("B", "C"), target_chains=("A", "B", "C"))
    assert [match.mobile_chain for match in fewer.chains] == ["B", "C"]
    assert len({match.target_chain for match in fewer.chains}) == 2
    assert any(entry.reason == "no chain to pair it with" for entry in fewer.left_out)
    assert (fewer.mobile_length, fewer.target_length) == (60, 90)


def test_blank_chain_is_written_as_an_underscore() -> None:
    mobile = build([*peptide(SEQUENCE, ""), *peptide(OTHER, "A")])
    pairing = pair_structures(mobile, mobile, mobile_chains=("_",))
    assert pairing.chains[0].mobile_chain == pairing.chains[0].target_chain == ""
    assert "TEST _ with TEST _" in pairing.description


def test_ligands_and_waters_are_no_left_outs() -> None:
    ligand = Part("A", 400, "ATP", sites=(Site("PA", (0.0, 0.0, 0.0)),))
    structure = build([*peptide(SEQUENCE, "A"), ligand, water("A", 500), water("W", 1)])
    pairing = pair_structures(structure, structure)
    assert pairing.left_out == ()
    assert pairing.mobile_length == 30


def test_residues_without_the_atom_are_left_out_with_the_reason() -> None:
    parts = peptide(SEQUENCE, "A")
    bare = list(parts)
    bare[4] = Part("A", 5, parts[4].name, sites=(Site("N", (0.0, 1.0, 2.0)),))
    pairing = pair_structures(build(bare), build(parts))
    assert len(pairing) == 29
    assert pairing.left_out == (
        LeftOut("mobile", "A", 1, "no CA atom"),
        LeftOut("target", "A", 1, "the partner has no CA atom"),
    )
    assert (pairing.mobile_length, pairing.target_length) == (29, 30)


def test_unknown_positions_are_left_out() -> None:
    parts = peptide(SEQUENCE, "A")
    structure = build(parts)
    structure.coordinates[0, 6] = np.nan  # CA of residue 4
    pairing = pair_structures(structure, build(parts))
    assert 3 not in pairing.mobile_residues
    assert len(pairing) == 29


def test_nucleic_acid_takes_c3_and_else_phosphorus() -> None:
    full, trace = build(strand_of_dna("ACGTACGT")), build(strand_of_dna("ACGTACGT", c3=False))
    same = pair_structures(full, full)
    assert same.polymer == "nucleic"
    assert set(full.atoms.name[same.mobile_atoms].tolist()) == {"C3'"}
    mixed = pair_structures(full, trace)
    assert len(mixed) == 7
    assert set(full.atoms.name[mixed.mobile_atoms].tolist()) == {"P"}
    assert set(trace.atoms.name[mixed.target_atoms].tolist()) == {"P"}
    assert len(pair_structures(full, trace, atoms="backbone")) == 7


def test_legacy_asterisks_are_primes() -> None:
    modern = build(strand_of_dna("ACGTA"))
    legacy = build(
        [
            Part(part.chain, part.number, part.name, sites=tuple(
                Site(site.name.replace("'", "*"), site.position) for site in part.sites
            ))
            for part in strand_of_dna("ACGTA")
        ]
    )  # fmt: skip
    legacy.residues.guide_atom[:] = modern.residues.guide_atom
    assert len(pair_structures(legacy, modern, atoms="ca")) == 5
    assert len(pair_structures(legacy, modern, atoms="heavy")) == 9


def test_a_chain_of_both_polymers_and_the_majority() -> None:
    structure = build([*peptide(SEQUENCE, "A"), *strand_of_dna("ACGTACGT", "A")])
    assert len(pair_structures(structure, structure)) == 30
    both = pair_structures(structure, structure, mobile_chains=("A",), target_chains=("A",), method="number")
    assert both.polymer == "protein"
    complex_ = build([*peptide(SEQUENCE, "A"), *strand_of_dna("ACGTACGT", "D")])
    pooled = pair_structures(complex_, complex_, mobile_chains=("A", "D"), target_chains=("A", "D"))
    assert len(pooled) == 38
    assert pooled.polymer == "protein"


def test_heavy_atoms_of_mutants_are_backbone_and_cb() -> None:
    def residue(number: int, letter: str, *names: str) -> Part:
        x, y, z = coil(number)
        sites = tuple(Site(name, (x + k, y - k, z)) for k, name in enumerate(names))
        return Part("A", number, NAMES[letter], sites=sites)

    backbone = ("N", "CA", "C", "O")
    mobile = build([residue(1, "S", *backbone, "CB", "OG", "HG"), residue(2, "L", *backbone, "CB", "CG", "CD1")])
    target = build([residue(1, "S", "HG", *backbone, "CB", "OG"), residue(2, "M", *backbone, "CB", "CG", "SD")])
    pairing = pair_structures(mobile, target, atoms="heavy", method="number")
    names = mobile.atoms.name[pairing.mobile_atoms].tolist()
    assert names == [*backbone, "CB", "OG", *backbone, "CB"]
    assert target.atoms.name[pairing.target_atoms].tolist() == names


def test_alternate_locations_take_the_highest_occupancy_first_of_equals() -> None:
    def residue(number: int, *occupancies: float) -> Part:
        x, y, z = coil(number)
        sites = [Site("CA", (x, y + k, z), "ABC"[k], value) for k, value in enumerate(occupancies)]
        sites += [Site("CB", (x + 1, y + k, z), "ABC"[k], value) for k, value in enumerate(occupancies)]
        return Part("A", number, "ALA", sites=tuple(sites))

    structure = build([residue(1, 0.5, 0.5), residue(2, 0.3, 0.7), residue(3, 0.2, 0.4, 0.4)])
    for atoms in ("ca", "heavy"):
        pairing = pair_structures(structure, structure, atoms=atoms)
        chosen = structure.atoms.altloc[pairing.mobile_atoms].tolist()
        assert chosen == (["A", "B", "B"] if atoms == "ca" else ["A", "A", "B", "B", "B", "B"])


def test_selections_speak_of_the_structure_that_moves() -> None:
    mobile = build([*peptide(SEQUENCE, "A", start=101)])
    target = build([*peptide(SEQUENCE, "X", start=1)])
    pairing = pair_structures(mobile, target, fit="A:101-110", report="not A:101-110")
    assert pairing.fit.tolist() == [True] * 10 + [False] * 20
    assert (pairing.fit ^ pairing.report).all()
    with pytest.raises(StructureError, match="no chain 'X'"):
        pair_structures(mobile, target, fit="X:1-10")
    core = np.zeros(30, dtype=bool)
    core[5:12] = True
    assert pair_structures(mobile, target, fit="core", core=core).fit.sum() == 7
    assert select_pairs(pairing, mobile, "core and not A:106", core=core).sum() == 6
    assert select_pairs(pairing, mobile, "all").all()


def test_a_selection_of_unpaired_residues() -> None:
    mobile = build([*peptide(SEQUENCE, "A"), *peptide(OTHER, "B")])
    with pytest.raises(StructureError, match="'B' names no paired residue of TEST"):
        pair_structures(mobile, mobile, mobile_chains=("A",), fit="B")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "structure"}, "by structure is not available yet"),
        ({"method": "magic"}, "no pairing 'magic'; choose auto, sequence or number"),
        ({"atoms": "cb"}, "no choice of atoms 'cb'; choose ca, backbone or heavy"),
        ({"mobile_model": 1}, "TEST has 1 model; there is none at position 1"),
        ({"target_model": -1}, "none at position -1"),
        ({"mobile_chains": ("Q",)}, "TEST has no chain 'Q'; its polymer chains: A, B"),
        ({"target_chains": ("W",)}, "Chain 'W' of TEST holds no protein or nucleic acid; its polymer chains: A, B"),
        ({"mobile_chains": ("A", "A")}, "named twice"),
        ({"fit": "B:1-2"}, "2 pairs to fit cannot fix a rotation"),
        ({"fit": "B:1"}, "One pair to fit"),
    ],
)
def test_refusals(options: dict, words: str) -> None:
    structure = build([*peptide(SEQUENCE, "A"), *peptide(OTHER, "B"), water("W", 1)])
    with pytest.raises(StructureError) as caught:
        pair_structures(structure, structure, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_to_pair() -> None:
    solvent = build([water("W", number) for number in range(5)])
    with pytest.raises(StructureError, match="holds no protein or nucleic acid that could be paired"):
        pair_structures(solvent, build(peptide(SEQUENCE)))
    with pytest.raises(StructureError, match="2 pairs cannot fix a rotation; three are needed"):
        pair_structures(build(peptide("AC")), build(peptide("AC")))
    with pytest.raises(StructureError, match="0 pairs cannot fix a rotation"):
        pair_structures(build(peptide("ACD", start=50)), build(peptide("ACD")), method="number")


@pytest.mark.parametrize("direction", [(1.0, 0.0, 0.0), (0.6, -0.64, 0.48)])
def test_points_on_a_line_or_in_one_point(direction: tuple[float, float, float]) -> None:
    def row(scale: float) -> Structure:
        # As a file would hold them: rounded to 0.001 Å, far from the origin.
        points = [np.round(np.array(direction) * scale * k + 100.0, 3) for k in range(12)]
        return build([Part("A", k, "ALA", sites=(Site("CA", tuple(point)),)) for k, point in enumerate(points)])

    good = build(peptide("A" * 12, start=0))
    with pytest.raises(StructureError, match="12 paired atoms of TEST lie on one line"):
        pair_structures(row(3.8), good)
    with pytest.raises(StructureError, match="on one line"):
        pair_structures(good, row(3.8))
    with pytest.raises(StructureError, match="lie in one point"):
        pair_structures(row(0.0), good)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_assignment_is_the_best_there_is(rows: int, columns: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(-5, 9), min_size=rows * columns, max_size=rows * columns))
    scores = np.array(values, dtype=np.float64).reshape(rows, columns)
    found = assign_chains(scores)
    assert len(found) == min(rows, columns)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    if rows <= columns:
        best = max(sum(scores[i, j] for i, j in enumerate(order)) for order in permutations(range(columns), rows))
    else:
        best = max(sum(scores[i, j] for j, i in enumerate(order)) for order in permutations(range(rows), columns))
    assert sum(scores[i, j] for i, j in found) == pytest.approx(best)


def test_assignment_leaves_impossible_pairs_out() -> None:
    scores = np.array([[-np.inf, 5.0], [-np.inf, 7.0]])
    assert assign_chains(scores) == [(1, 1)]
    assert assign_chains(np.full((2, 2), -np.inf)) == []
    assert assign_chains(np.ones((14, 14))) == [(k, k) for k in range(14)]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_pairs_are_consistent(data: st.DataObject) -> None:
    """Whatever the sequences and gaps: indices agree, nothing is paired twice, every residue is accounted for."""

    def side(chain: str) -> list[Part]:
        length = data.draw(st.integers(4, 25))
        letters = data.draw(st.text("ACDEFGHIKLMNPQRSTVWY", min_size=length, max_size=length))
        numbers = sorted(data.draw(st.sets(st.integers(-5, 60), min_size=length, max_size=length)))
        return peptide(letters, chain, numbers=numbers)

    mobile, target = build(side("A")), build(side("B"))
    method = data.draw(st.sampled_from(["auto", "sequence", "number"]))
    atoms = data.draw(st.sampled_from(["ca", "heavy", "backbone"]))
    try:
        pairing = pair_structures(mobile, target, method=method, atoms=atoms)
    except StructureError as error:
        assert "cannot fix a rotation" in str(error)
        return
    for structure, own_atoms, own_residues, side_name in (
        (mobile, pairing.mobile_atoms, pairing.mobile_residues, "mobile"),
        (target, pairing.target_atoms, pairing.target_residues, "target"),
    ):
        np.testing.assert_array_equal(structure.atoms.residue[own_atoms], own_residues)
        assert len(set(own_atoms.tolist())) == len(pairing)
        assert (np.diff(own_residues) >= 0).all()
        missing = sum(entry.residues for entry in pairing.left_out if entry.side == side_name)
        assert missing + len(set(own_residues.tolist())) == len(structure.residues)
    assert pairing.weights.tolist() == [1.0] * len(pairing)
    assert not pairing.body.any()
