"""Secondary structure against the records of real entries, and on geometry with a known answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures._neighbours import close_pairs
from lieapp.structures.reading import read_structure
from lieapp.structures.secondary import assign_from_ca, assign_from_hydrogen_bonds, secondary_structure
from lieapp.structures.structure import Structure

from .handmade import Part, Site, build, peptide, strand_of_dna, water

# Share of residues with the state of the file's records, rounded down: from hydrogen bonds, from CA alone.
# 1AKE's authors recorded strands of their own, 1GYA is an early NMR model.
AGREEMENT = {
    "adk/1AKE.pdb": (0.81, 0.80),
    "adk/4AKE.pdb": (0.96, 0.89),
    "diverse/1aon.pdb.gz": (0.96, 0.84),
    "diverse/4zxb.cif.gz": (0.95, 0.81),
    "diverse/1ncb.cif.gz": (0.93, 0.78),
    "diverse/3o5r.cif": (0.95, 0.88),
    "diverse/5ugo.cif": (0.89, 0.86),
    "diverse/1aki.pdb": (0.95, 0.85),
    "diverse/1gya.cif.gz": (0.74, 0.82),
    "homologs/1qgi.bcif": (0.97, 0.90),
    "homologs/6oa8.bcif": (0.92, 0.87),
}


def proteins(structure: Structure) -> np.ndarray:
    return (structure.residues.kind == "protein") & (structure.residues.guide_atom >= 0)


def without_records(structure: Structure) -> Structure:
    blank = np.full(len(structure.residues), "")
    return replace(structure, residues=replace(structure.residues, secondary=blank))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", AGREEMENT)
def test_agreement_with_records(structures_dir: Path, name: str) -> None:
    structure = read_structure(structures_dir / name)
    known = proteins(structure)
    recorded = secondary_structure(structure)[known]
    from_bonds, from_ca = AGREEMENT[name]
    assert np.mean(assign_from_hydrogen_bonds(structure)[known] == recorded) >= from_bonds
    assert np.mean(assign_from_ca(structure)[known] == recorded) >= from_ca


@pytest.mark.shared_data
def test_agreement_over_all(structures_dir: Path) -> None:
    shares = []
    for name in AGREEMENT:
        structure = read_structure(structures_dir / name)
        known = proteins(structure)
        recorded = secondary_structure(structure)[known]
        found = (assign_from_hydrogen_bonds(structure)[known], assign_from_ca(structure)[known])
        shares.append([np.mean(states == recorded) for states in found])
    bonds, ca = np.mean(shares, axis=0)
    assert bonds >= 0.90
    assert ca >= 0.84


@pytest.mark.shared_data
def test_sources_in_order(structures_dir: Path) -> None:
    recorded = read_structure(structures_dir / "adk/4AKE.pdb")
    np.testing.assert_array_equal(
        secondary_structure(recorded)[proteins(recorded)], recorded.residues.secondary[proteins(recorded)]
    )
    assert set(secondary_structure(recorded)[~proteins(recorded)].tolist()) == {"C"}
    bare = without_records(recorded)
    np.testing.assert_array_equal(secondary_structure(bare), assign_from_hydrogen_bonds(bare))
    trace = ca_only(bare)
    np.testing.assert_array_equal(secondary_structure(trace), assign_from_ca(trace))
    assert (assign_from_hydrogen_bonds(trace) == "C").all()


def ca_only(structure: Structure) -> Structure:
    """Keep the CA of proteins and nothing else."""
    kept = np.flatnonzero(proteins(structure))
    guides = structure.residues.guide_atom[kept]
    rows, atoms = structure.residues, structure.atoms
    residues = replace(
        rows,
        **{
            name: getattr(rows, name)[kept]
            for name in ("name", "chain", "number", "insertion_code", "kind", "letter", "secondary")
        },
        first_atom=np.arange(len(kept) + 1),
        guide_atom=np.arange(len(kept)),
    )
    columns = {
        name: getattr(atoms, name)[guides]
        for name in ("name", "element", "altloc", "serial", "occupancy", "b_factor", "hetero")
    }
    return replace(
        structure,
        coordinates=structure.coordinates[:, guides],
        atoms=replace(atoms, **columns, residue=np.arange(len(kept))),
        residues=residues,
    )


@pytest.mark.shared_data
def test_chains_take_the_best_source_each(structures_dir: Path) -> None:
    """A full chain beside one of CA alone."""
    whole = without_records(read_structure(structures_dir / "diverse/1aki.pdb"))
    parts = []
    for chain, names in (("A", ("N", "CA", "C", "O")), ("B", ("CA",))):
        for index in np.flatnonzero(proteins(whole)):
            own = slice(whole.residues.first_atom[index], whole.residues.first_atom[index + 1])
            shift = 100.0 if chain == "B" else 0.0
            sites = tuple(
                Site(str(name), tuple(point + shift))
                for name, point in zip(whole.atoms.name[own], whole.coordinates[0][own], strict=True)
                if name in names
            )
            parts.append(Part(chain, int(whole.residues.number[index]), str(whole.residues.name[index]), sites=sites))
    both = build(parts)
    found = secondary_structure(both)
    single = proteins(whole)
    np.testing.assert_array_equal(found[both.residues.chain == "A"], assign_from_hydrogen_bonds(whole)[single])
    np.testing.assert_array_equal(found[both.residues.chain == "B"], assign_from_ca(whole)[single])


@pytest.mark.shared_data
@pytest.mark.parametrize("method", [assign_from_hydrogen_bonds, assign_from_ca])
def test_a_motion_changes_nothing_and_a_mirror_does(structures_dir: Path, method: Callable[..., np.ndarray]) -> None:
    structure = read_structure(structures_dir / "adk/4AKE.pdb")
    found = method(structure)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    moved = replace(structure, coordinates=structure.coordinates @ turn.T + [1000.0, -50.0, 7.0])
    np.testing.assert_array_equal(method(moved), found)
    mirrored = replace(structure, coordinates=structure.coordinates * [1.0, 1.0, -1.0])
    if method is assign_from_ca:
        assert np.mean(assign_from_ca(mirrored) == "H") < 0.1


@pytest.mark.shared_data
def test_models_are_told_apart(structures_dir: Path) -> None:
    structure = read_structure(structures_dir / "diverse/1l2y.pdb.gz")
    for index in (0, 17, 37):
        np.testing.assert_array_equal(
            assign_from_hydrogen_bonds(structure, index), assign_from_hydrogen_bonds(structure.model(index))
        )
    assert (assign_from_hydrogen_bonds(structure)[2:8] == "H").all()


@pytest.mark.shared_data
def test_a_large_assembly_is_quick(structures_dir: Path) -> None:
    structure = read_structure(structures_dir / "diverse/1aon.pdb.gz")
    start = process_time()
    found = assign_from_hydrogen_bonds(structure)
    assert process_time() - start < 2.0
    # 14 equal chains and 7 equal ones: assigned alike up to their real differences.
    first = found[structure.residues.chain == "A"]
    second = found[structure.residues.chain == "B"]
    size = min(len(first), len(second))
    assert np.mean(first[:size] == second[:size]) > 0.97


@pytest.mark.shared_data
def test_hydrogen_bonds_do_not_cross_breaks(structures_dir: Path) -> None:
    """A helix cut in the middle is two helices, each shorter by what the cut bonds held."""
    structure = read_structure(structures_dir / "adk/4AKE.pdb")
    helix = (structure.residues.chain == "A") & (structure.residues.number >= 160) & (structure.residues.number <= 187)
    index = np.flatnonzero(helix)
    cut = structure.coordinates.copy()
    moved = np.isin(structure.atoms.residue, index[14:])
    cut[:, moved] += [0.0, 60.0, 0.0]
    found = assign_from_hydrogen_bonds(replace(structure, coordinates=cut))[index]
    assert (found[2:12] == "H").all()
    assert (found[16:26] == "H").all()
    assert "C" in found[12:16].tolist()


@pytest.mark.parametrize("method", [secondary_structure, assign_from_hydrogen_bonds, assign_from_ca])
def test_odd_structures_are_coil(method: Callable[..., np.ndarray]) -> None:
    straight = [Part("A", k, sites=(Site("CA", (3.8 * k, 0.0, 0.0)),)) for k in range(12)]
    heap = [Part("A", k, sites=tuple(Site(name, (0.0, 0.0, 0.0)) for name in ("N", "CA", "C", "O"))) for k in range(8)]
    for parts in (straight, heap, [water("W", 1)], strand_of_dna("ACGT"), peptide("A"), peptide("AC"), peptide("ACD")):
        structure = build(parts)
        assert method(structure).tolist() == ["C"] * len(parts)


def test_unknown_positions_break_the_chain() -> None:
    structure = build(peptide("A" * 20))
    structure.coordinates[0, 20] = np.nan
    assert len(assign_from_ca(structure)) == 20


def test_partial_records_are_coil_elsewhere() -> None:
    parts = peptide("A" * 4)
    parts[1] = replace(parts[1], secondary="H")
    assert secondary_structure(build(parts)).tolist() == ["C", "H", "C", "C"]


def test_ideal_trace_of_a_helix() -> None:
    """100 degrees and 1.5 Å a residue on a radius of 2.3 Å; its mirror image is none."""
    angle = np.radians(100.0) * np.arange(15)
    for handed, state in ((1.0, "H"), (-1.0, "C")):
        points = np.stack([2.3 * np.cos(angle), handed * 2.3 * np.sin(angle), 1.5 * np.arange(15)], axis=1)
        structure = build([Part("A", k, sites=(Site("CA", tuple(point)),)) for k, point in enumerate(points)])
        assert set(assign_from_ca(structure)[1:-1].tolist()) == {state}


@pytest.mark.parametrize("parallel", [True, False])
def test_ideal_traces_of_two_strands(parallel: bool) -> None:
    def row(chain: str, y: float, reverse: bool) -> list[Part]:
        order = range(8)[::-1] if reverse else range(8)
        return [
            Part(chain, n, sites=(Site("CA", (3.3 * k, y, 0.9 * (-1) ** k)),)) for n, k in enumerate(order, start=1)
        ]

    pair = build([*row("A", 0.0, False), *row("B", 4.8, not parallel)])
    assert (assign_from_ca(pair).reshape(2, 8)[:, 1:-1] == "E").all()
    alone = build(row("A", 0.0, False))
    assert (assign_from_ca(alone) == "C").all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.5, 30.0), st.integers(0, 2**31), st.booleans())
def test_close_pairs_are_all_of_them(n: int, m: int, cutoff: float, seed: int, far: bool) -> None:
    random = np.random.default_rng(seed)
    first, second = random.uniform(-20, 20, (n, 3)), random.uniform(-20, 20, (m, 3))
    if far and n:
        first[0] = [1e6, -1e6, 3e5]
    i, j, distance = close_pairs(first, second, cutoff)
    full = np.linalg.norm(first[:, None] - second[None, :], axis=2)
    expected = {(a, b) for a, b in zip(*np.nonzero(full <= cutoff), strict=True)}
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == expected
    assert len(i) == len(expected)
    np.testing.assert_allclose(distance, full[i, j])
