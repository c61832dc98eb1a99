"""The selection language: what it means, what it refuses and how it says so, and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lieapp.structures.errors import StructureError
from lieapp.structures.selection import format_selection, residue_b_factors, select_residues
from lieapp.structures.structure import Structure

from .handmade import Part, Site, build, peptide, water


def one(chain: str, number: int, code: str = "", b: float = 20.0, name: str = "ALA") -> Part:
    return Part(chain, number, name, code, (Site("CA", (0.0, 0.0, 0.0), b_factor=b),))


@pytest.fixture(scope="module")
def mixed() -> Structure:
    """Chains A (-3 to 10, 5A, 5B), a (1-3), 1 (1-2), blank (1-2), 'all' (1), each a trap of its own."""
    parts = [one("A", number, b=10.0 * (number + 3)) for number in range(-3, 6)]
    parts += [one("A", 5, "A"), one("A", 5, "B")]
    parts += [one("A", number, b=80.0) for number in range(6, 11)]
    parts += [one("a", number) for number in (1, 2, 3)]
    parts += [one("1", number) for number in (1, 2)]
    parts += [one("", number) for number in (1, 2)]
    parts += [one("all", 1), one("b", 4), one("A-2", 4), water("A", 301)]
    return build(parts)


def labels(structure: Structure, text: str, core: np.ndarray | None = None) -> list[str]:
    mask = select_residues(structure, text, core=core)
    rows = structure.residues
    return [f"{rows.chain[i]}{rows.number[i]}{rows.insertion_code[i]}" for i in np.flatnonzero(mask)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A:5", ["A5"]),
        ("A:5A", ["A5A"]),
        ("A:5-5B", ["A5", "A5A", "A5B"]),
        ("A:4-6", ["A4", "A5", "A5A", "A5B", "A6"]),
        ("A:4-5", ["A4", "A5"]),
        ("A:-3--2", ["A-3", "A-2"]),
        ("A:-1-1", ["A-1", "A0", "A1"]),
        ("A:-1,1", ["A-1", "A1"]),
        ("A:1,3-4,301", ["A1", "A3", "A4", "A301"]),
        ("A:1–2", ["A1", "A2"]),
        ("A:1 - 2", ["A1", "A2"]),
        ("A : 1-2", ["A1", "A2"]),
        ("a", ["a1", "a2", "a3"]),
        ("a:2", ["a2"]),
        ("a:", ["a1", "a2", "a3"]),
        ("_", ["1", "2"]),
        ("_:2", ["2"]),
        ("'1'", ["11", "12"]),
        ('"1":2', ["12"]),
        ("1:2", ["12"]),
        ("'all'", ["all1"]),
        ("b", ["b4"]),
        ("A-2", ["A-24"]),
        ("4", ["A4", "b4", "A-24"]),
        ("a,b", ["a1", "a2", "a3", "b4"]),
        ("a b", ["a1", "a2", "a3", "b4"]),
        ("a or b", ["a1", "a2", "a3", "b4"]),
        ("A:1,2,a:3", ["A1", "A2", "a3"]),
        ("A:1,2 a:3,1", ["A1", "A2", "a1", "a3"]),
        ("A:1,2 and not 2", ["A1"]),
        ("A and (1 or 2)", ["A1", "A2"]),
        ("A and 1,2", ["A1", "A2"]),
        ("not A and 1 or A:2", ["A2", "a1", "11", "1", "all1"]),
        ("not not a", ["a1", "a2", "a3"]),
        ("A and b<20", ["A-3", "A-2"]),
        ("A:-3-4 and b<=20", ["A-3", "A-2", "A-1"]),
        ("A and B >= 80 and not 301", ["A5", "A6", "A7", "A8", "A9", "A10"]),
        ("A:1-10 and plddt≥7.5e1", ["A5", "A6", "A7", "A8", "A9", "A10"]),
        ("A:1-4 and b=50", ["A2"]),
        ("A:1-4 and b!=50", ["A1", "A3", "A4"]),
    ],
)
def test_meaning(mixed: Structure, text: str, expected: list[str]) -> None:
    assert labels(mixed, text) == expected


def test_all_is_everything(mixed: Structure) -> None:
    assert select_residues(mixed, " all ").all()
    assert select_residues(mixed, "not a or a").all()


def test_core_is_what_it_is_told(mixed: Structure) -> None:
    core = np.zeros(len(mixed.residues), dtype=bool)
    core[[0, 11]] = True
    assert labels(mixed, "core", core) == ["A-3", "A6"]
    assert labels(mixed, "core and A:6-10", core) == ["A6"]
    assert core.sum() == 2


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("A:1-29,x", 8, "no chain 'x'; it has chains A (-3 to 10), a (1-3)"),
        ("C", 1, "no chain 'C'"),
        ("A:900-910", 3, "chain A has no residue 900-910; its numbers are -3 to 10"),
        ("a:1,7", 5, "chain a has no residue 7; its numbers are 1-3"),
        ("A:4-1", 3, "runs backwards"),
        ("A:5B-5A", 3, "runs backwards"),
        ("(A", 3, "it ends here; expected ')'"),
        ("A)", 2, "')' was not expected"),
        ("A and", 6, "it ends here; expected a chain"),
        ("and A", 1, "'and' was not expected"),
        ("A or or a", 6, "'or' was not expected"),
        ("A,", 3, "it ends here"),
        ("A;a", 2, "';a' is not understood"),
        ("'A", 1, "the quotation mark is not closed"),
        ("plddt>", 6, "'>' is not understood"),
        ("A plddt>=70", 3, "could mean 'and' or 'or' here; write which"),
        ("A, not a", 2, "write which"),
        ("core", 1, "the core is not known here"),
        ("A AND a", 3, "is written in small letters"),
        ("A:1AB", 3, "'1AB' is not understood"),
    ],
)
def test_refusals_name_the_place(mixed: Structure, text: str, place: int, words: str) -> None:
    with pytest.raises(StructureError) as caught:
        select_residues(mixed, text)
    message = str(caught.value)
    assert f"character {place}:" in message
    assert words in message
    assert "\n" not in message


def test_empty_text(mixed: Structure) -> None:
    with pytest.raises(StructureError, match="write 'all'"):
        select_residues(mixed, "  ")


def test_nothing_selected_says_what_there_is(mixed: Structure) -> None:
    with pytest.raises(StructureError, match=r"matches no residue of TEST, which has chains A \(-3 to 10\), a \(1-3\)"):
        select_residues(mixed, "A and a")


def test_many_chains_are_listed_briefly() -> None:
    structure = build([one(f"C{k}", 1) for k in range(40)])
    with pytest.raises(StructureError, match="and 28 more"):
        select_residues(structure, "X")


def test_plddt_refuses_b_factors() -> None:
    structure = build([one("A", 1, b=30.0), one("A", 2, b=140.0)])
    with pytest.raises(StructureError, match=r"B-factors up to 140\.0, not pLDDT"):
        select_residues(structure, "plddt>70")
    assert select_residues(structure, "b>70").tolist() == [False, True]


def test_b_factor_is_the_guide_atoms_else_the_mean() -> None:
    ligand = Part("A", 2, "LIG", sites=(Site("C1", (0, 0, 0), b_factor=10.0), Site("C2", (0, 0, 0), b_factor=30.0)))
    protein = Part("A", 1, "ALA", sites=(Site("N", (0, 0, 0), b_factor=90.0), Site("CA", (0, 0, 0), b_factor=40.0)))
    assert residue_b_factors(build([protein, ligand])).tolist() == [40.0, 20.0]


def test_format_is_short() -> None:
    structure = build([*peptide("A" * 30, "A"), *peptide("A" * 5, "B"), *peptide("AA", ""), water("A", 301)])
    numbers, chains = structure.residues.number, structure.residues.chain
    assert format_selection(structure, np.ones(38, dtype=bool)) == "all"
    assert format_selection(structure, chains == "B") == "B"
    assert format_selection(structure, chains != "A") == "B,_"
    assert format_selection(structure, (chains == "A") & (numbers < 300)) == "A:1-30"
    parts = (chains == "A") & (np.isin(numbers, [1, 2, 3, 7, 29, 30])) | (chains == "")
    assert format_selection(structure, parts) == "A:1-3,7,29-30 _"
    with pytest.raises(StructureError, match="No residue of TEST is selected"):
        format_selection(structure, np.zeros(38, dtype=bool))


def test_format_crosses_gaps_in_the_numbering() -> None:
    structure = build([one("A", number) for number in (1, 2, 50, 51, 60)])
    mask = np.array([True, True, True, True, False])
    assert format_selection(structure, mask) == "A:1-51"


@st.composite
def structures_with_masks(draw: st.DrawFn) -> tuple[Structure, np.ndarray]:
    keys = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["A", "B", "a", "1", "", "all", "or", "A-2", "O'"]),
                st.integers(-15, 15),
                st.sampled_from(["", "", "A", "B", "z"]),
            ),
            min_size=1,
            max_size=40,
            unique=True,
        )
    )
    structure = build([one(*key) for key in keys])
    mask = np.array(draw(st.lists(st.booleans(), min_size=len(keys), max_size=len(keys))), dtype=bool)
    mask[draw(st.integers(0, len(keys) - 1))] = True
    return structure, mask


@given(structures_with_masks())
def test_format_then_select_is_the_identity(drawn: tuple[Structure, np.ndarray]) -> None:
    structure, mask = drawn
    text = format_selection(structure, mask)
    np.testing.assert_array_equal(select_residues(structure, text), mask)


@given(structures_with_masks(), st.data())
def test_logic_is_that_of_sets(drawn: tuple[Structure, np.ndarray], data: st.DataObject) -> None:
    structure, mask = drawn
    other = np.array(data.draw(st.lists(st.booleans(), min_size=len(mask), max_size=len(mask))), dtype=bool)
    other[0] = True
    one_text, other_text = format_selection(structure, mask), format_selection(structure, other)
    union = select_residues(structure, f"({one_text}) or ({other_text})")
    np.testing.assert_array_equal(union, mask | other)
    for text, expected in (
        (f"({one_text}) and ({other_text})", mask & other),
        (f"({one_text}) and not ({other_text})", mask & ~other),
        (f"not (not ({one_text}) or not ({other_text}))", mask & other),
    ):
        if expected.any():
            np.testing.assert_array_equal(select_residues(structure, text), expected)
        else:
            with pytest.raises(StructureError, match="matches no residue"):
                select_residues(structure, text)


@given(st.text(alphabet="AaB_1259-–,:;()' \"<>=plddtcoreandornotall.", max_size=30))
def test_any_text_gives_a_mask_or_one_clear_line(text: str) -> None:
    structure = build([*peptide("AAAAA", "A"), *peptide("AAA", "B")])
    try:
        mask = select_residues(structure, text)
    except StructureError as error:
        assert "\n" not in str(error)
    else:
        assert mask.dtype == bool
        assert mask.shape == (8,)
        assert mask.any()
