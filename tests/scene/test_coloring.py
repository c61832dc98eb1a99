from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lieapp.scene.coloring import (
    CHAIN_COLORS,
    COLOR_SCHEMES,
    PLDDT_BANDS,
    legend_for,
    residue_colors,
)
from lieapp.scene.colors import CONTEXT, rgba
from lieapp.structures.reading import read_structure
from lieapp.structures.structure import Structure
from tests.scene.builders import helix, structure_of


def _with_b_factors(structure: Structure, values: np.ndarray) -> Structure:
    return replace(structure, atoms=replace(structure.atoms, b_factor=np.asarray(values, dtype=float)))


@pytest.mark.parametrize("name", COLOR_SCHEMES)
def test_every_scheme_colours_every_residue_and_explains_itself(name: str) -> None:
    kinds = ["protein"] * 9 + ["other", "water"]
    structure = structure_of(helix(11), ["A"] * 5 + ["B"] * 6, kinds=kinds)
    colors = residue_colors(structure, name, values=np.linspace(0, 9, 11))
    assert colors.shape == (11, 4) and colors.dtype == np.float32
    assert np.isfinite(colors).all() and (colors >= 0).all() and (colors <= 1).all()
    assert (colors[:, 3] == 1).all()
    scheme, legend = COLOR_SCHEMES[name], legend_for(structure, name)
    assert scheme.title and scheme.description
    assert (legend is None) == (name == "uniform")
    if legend is not None:
        assert legend.caption and len(legend.entries) > 1
        assert all(rgba(color)[3] == 1 for _, color, _ in legend.entries)


def test_bands_of_confidence_are_those_of_alphafold_db() -> None:
    scores = [95.0, 90.1, 90.0, 70.1, 70.0, 50.1, 50.0, 3.0, np.nan]
    structure = _with_b_factors(structure_of(helix(9)), scores)
    expected = ["#0053D6"] * 2 + ["#65CBF3"] * 2 + ["#FFDB13"] * 2 + ["#FF7D45"] * 3
    np.testing.assert_allclose(residue_colors(structure, "plddt"), [rgba(color) for color in expected])
    fraction = _with_b_factors(structure_of(helix(9)), np.array(scores) / 100)
    np.testing.assert_allclose(residue_colors(fraction, "plddt"), residue_colors(structure, "plddt"))
    assert [color for _, color, _ in PLDDT_BANDS] == ["#0053D6", "#65CBF3", "#FFDB13", "#FF7D45"]


def test_chains_differ_and_the_rainbow_starts_anew_in_each() -> None:
    structure = structure_of(helix(12), ["A"] * 6 + ["B"] * 6)
    chains = residue_colors(structure, "chain")
    np.testing.assert_allclose(chains[[0, 6]], [rgba(color) for color in CHAIN_COLORS[:2]])
    assert len(np.unique(chains, axis=0)) == 2
    rainbow = residue_colors(structure, "index")
    np.testing.assert_allclose(rainbow[:6], rainbow[6:])
    assert rainbow[0, 2] > rainbow[0, 0] and rainbow[5, 0] > rainbow[5, 2]


def _seen_by(colors: np.ndarray, missing: int) -> np.ndarray:
    """What an eye without one kind of cone makes of linear colours (Viénot's matrices for red and green)."""
    matrix = {
        0: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        1: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    }[missing]
    return (colors**2.2) @ np.array(matrix).T


@pytest.mark.parametrize("missing", [0, 1])
def test_the_first_chains_are_told_apart_without_red_or_green_cones(missing: int) -> None:
    table = np.stack([rgba(color)[:3] for color in CHAIN_COLORS[:6]]).astype(float)
    seen = np.clip(_seen_by(table, missing), 0, 1) ** (1 / 2.2)
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + 9 * np.eye(6)
    assert distance.min() > 0.12


def test_the_chains_of_an_assembly_of_21_are_told_apart() -> None:
    table = np.stack([rgba(color)[:3] for color in CHAIN_COLORS[:21]]).astype(float)
    distance = np.linalg.norm(table[:, None] - table[None], axis=-1) + 9 * np.eye(21)
    assert distance.min() > 0.15
    assert np.linalg.norm(table - rgba(CONTEXT)[:3], axis=1).min() > 0.2


def test_the_key_names_only_the_chains_that_are_drawn() -> None:
    structure = structure_of(helix(12), ["A"] * 4 + ["B"] * 4 + ["C"] * 4)
    legend = legend_for(structure, "chain", drawn=structure.residues.chain != "B")
    assert legend is not None
    assert [entry[1:] for entry in legend.entries] == [(CHAIN_COLORS[0], "A"), (CHAIN_COLORS[2], "C")]


def test_bases_and_amino_acids_have_colours_of_their_own() -> None:
    structure = structure_of(helix(6), ["A"] * 4 + ["B"] * 2, kinds=["nucleic"] * 4 + ["protein"] * 2)
    letters = np.array(["A", "U", "T", "X", "A", "D"])
    structure = replace(structure, residues=replace(structure.residues, letter=letters))
    adenine, uracil, thymine, unknown, alanine, aspartate = residue_colors(structure, "class")
    np.testing.assert_allclose(uracil, thymine)
    np.testing.assert_allclose(unknown, rgba(CONTEXT))
    assert len({tuple(color) for color in (adenine, uracil, unknown, alanine, aspartate)}) == 5
    legend = legend_for(structure, "class")
    assert legend is not None and [text for _, _, text in legend.entries][:2] == ["adenine", "cytosine"]


def test_b_factors_are_spread_over_the_ramp_and_one_wild_loop_does_not_hide_the_rest() -> None:
    values = np.append(np.linspace(10, 40, 99), 500.0)
    colors = residue_colors(_with_b_factors(structure_of(helix(100)), values), "b-factor")
    assert np.ptp(colors[:99, 1]) > 0.8
    same = residue_colors(_with_b_factors(structure_of(helix(5)), np.full(5, 20.0)), "b-factor")
    assert len(np.unique(same, axis=0)) == 1


def test_what_is_missing_or_unknown_is_said() -> None:
    structure = structure_of(helix(5))
    with pytest.raises(ValueError, match="chain"):
        residue_colors(structure, "hydrophobicity")
    with pytest.raises(ValueError, match="distance"):
        residue_colors(structure, "deviation")
    with pytest.raises(ValueError, match="5 residues"):
        residue_colors(structure, "deviation", values=np.zeros(4))
    np.testing.assert_allclose(residue_colors(structure, "uniform", color="#BDBDBD")[0], rgba("#BDBDBD"))


@pytest.mark.shared_data
def test_predicted_models_are_coloured_by_confidence(structures_dir: Path) -> None:
    predicted = read_structure(structures_dir / "diverse" / "AF-M3YHX5-F1-model_v4_hydrogens.cif")
    colors = residue_colors(predicted, "plddt")
    guide = predicted.atoms.b_factor[predicted.residues.guide_atom]
    assert (np.abs(colors - rgba("#FF7D45")).max(axis=1) < 1e-6).sum() == (guide <= 50).sum()


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COLOR_SCHEMES)
def test_real_structures(structures_dir: Path, name: str) -> None:
    for file in ("diverse/5ugo.cif", "diverse/1gid.cif.gz", "diverse/1l2y.bcif"):
        structure = read_structure(structures_dir / file)
        colors = residue_colors(structure, name, values=np.zeros(len(structure.residues)))
        assert colors.shape == (len(structure.residues), 4) and np.isfinite(colors).all()
