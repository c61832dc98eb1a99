"""What is pointed at and selected, without any view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.spec import AlignJob, StructureInput
from lieapp.gui.align.selection_model import ResidueAt, SelectionModel
from lieapp.gui.align.sequence_columns import align_columns
from lieapp.paths import resource
from lieapp.structures.errors import StructureError
from lieapp.structures.selection import select_residues


def inputs_of(mobile: Path, target: Path, **options: object) -> AlignInputs:
    return load_inputs(
        AlignJob(mobile=StructureInput(path=str(mobile)), target=StructureInput(path=str(target)), **options)  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def pair() -> AlignInputs:
    return inputs_of(resource("examples/hinge_open.pdb"), resource("examples/hinge_closed.pdb"))


@pytest.fixture
def model(pair: AlignInputs) -> SelectionModel:
    made = SelectionModel()
    made.set_inputs(pair)
    return made


def test_a_pair_goes_together(model: SelectionModel, pair: AlignInputs) -> None:
    at = model.residue_of_pair(10)
    assert at == ResidueAt("mobile", int(pair.pairing.mobile_residues[10]))
    partner = model.partner(at)
    assert partner == ResidueAt("target", int(pair.pairing.target_residues[10]))
    assert model.partner(partner) == at and model.pair_of(partner) == 10
    model.click(partner)
    assert np.flatnonzero(model.selected_pairs()).tolist() == [10]
    assert model.selected("mobile").sum() == model.selected("target").sum() == 1


def test_hovering_says_chain_residue_atom_and_distance(model: SelectionModel) -> None:
    said: list[str] = []
    model.text_changed.connect(lambda: said.append(model.describe()))
    model.set_deviations(np.full(len(model.inputs.pairing), 3.456))  # type: ignore[union-attr]
    model.hover_pair(4)
    assert len(said) == 1
    for words in ("hinge_open A:", "hinge_closed A:", " CA", "3.46 Å"):
        assert words in said[0]
    model.hover_pair(4)
    assert len(said) == 1
    model.hover(None)
    assert said[1] == "" and model.hovered_pair == -1


def test_shift_extends_along_the_chain_from_the_first_click(model: SelectionModel) -> None:
    model.click_pair(20)
    model.click_pair(30, extend=True)
    assert np.flatnonzero(model.selected_pairs()).tolist() == list(range(20, 31))
    model.click_pair(15, extend=True)
    assert np.flatnonzero(model.selected_pairs()).tolist() == list(range(15, 31))
    assert "16 pairs selected" in model.describe()
    model.click_pair(50)
    assert np.flatnonzero(model.selected_pairs()).tolist() == [50]
    model.click(None, extend=True)
    assert model.any_selected
    model.click(None)
    assert not model.any_selected and model.describe() == ""


def test_shift_in_the_other_structure_adds(model: SelectionModel) -> None:
    model.click_pair(3)
    other = model.partner(model.residue_of_pair(60))
    model.click(other, extend=True)
    assert np.flatnonzero(model.selected_pairs()).tolist() == [3, 60]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 171), min_size=1))
def test_the_text_selects_what_is_selected(pair: AlignInputs, chosen: set[int]) -> None:
    model = SelectionModel()
    model.set_inputs(pair)
    masks = {"mobile": model.selected("mobile").copy(), "target": model.selected("target").copy()}
    masks["mobile"][pair.pairing.mobile_residues[sorted(chosen)]] = True
    model.select(masks)  # type: ignore[arg-type]
    again = select_residues(pair.mobile, model.text())
    assert np.flatnonzero(again[pair.pairing.mobile_residues]).tolist() == sorted(chosen)


def test_no_text_without_a_paired_residue(model: SelectionModel) -> None:
    with pytest.raises(StructureError, match="No paired residue"):
        model.text()


def test_the_selection_outlives_new_pairs_of_the_same_structures(model: SelectionModel, pair: AlignInputs) -> None:
    from dataclasses import replace

    model.click_pair(7)
    model.set_inputs(None)
    assert model.describe() == "" and model.hovered_pair == -1
    model.set_inputs(AlignInputs(pair.mobile, pair.target, 0, 0, replace(pair.pairing)))
    assert np.flatnonzero(model.selected_pairs()).tolist() == [7]
    swapped = inputs_of(resource("examples/hinge_closed.pdb"), resource("examples/hinge_open.pdb"))
    model.set_inputs(swapped)
    assert not model.any_selected


def test_marks_hold_the_pointer_and_the_selection(model: SelectionModel) -> None:
    assert model.marked("mobile") is None
    model.click_pair(1)
    model.hover_pair(9)
    for slot in ("mobile", "target"):
        mask = model.marked(slot)  # type: ignore[arg-type]
        assert mask is not None and mask.sum() == 2
    assert model.selected("mobile").sum() == 1  # hovering leaves it alone


def test_columns_hold_every_residue_once_and_in_order(pair: AlignInputs) -> None:
    columns = align_columns(pair)
    for residues, structure in ((columns.mobile, pair.mobile), (columns.target, pair.target)):
        shown = residues[residues >= 0]
        assert shown.tolist() == np.flatnonzero(structure.residues.guide_atom >= 0).tolist()
    both = columns.pair >= 0
    assert np.array_equal(columns.mobile[both], pair.pairing.mobile_residues[columns.pair[both]])
    assert np.array_equal(columns.target[both], pair.pairing.target_residues[columns.pair[both]])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("mobile", "target", "options"),
    (
        ("adk/4AKE.pdb", "adk/1AKE.pdb", {}),
        ("adk/4AKE.pdb", "adk/1AKE.pdb", {"atoms": "heavy"}),
        ("diverse/1aon.pdb.gz", "diverse/1aon.pdb.gz", {"pairing": "number"}),
        ("diverse/1bna.pdb", "diverse/1bna.pdb", {}),
    ),
)
def test_columns_of_real_structures(structures_dir: Path, mobile: str, target: str, options: dict[str, object]) -> None:
    inputs = inputs_of(structures_dir / mobile, structures_dir / target, **options)
    columns = align_columns(inputs)
    both = columns.pair >= 0
    assert set(columns.mobile[both].tolist()) == set(inputs.pairing.mobile_residues.tolist())
    assert len(columns.mobile_letters) == len(columns.target_letters) == len(columns)
    for residues, letters in ((columns.mobile, columns.mobile_letters), (columns.target, columns.target_letters)):
        shown = residues[residues >= 0]
        assert len(set(shown.tolist())) == len(shown)
        assert all((letter in "- ") == (residue < 0) for residue, letter in zip(residues, letters, strict=True))
