"""STAR files, with gemmi's strict reader underneath and RELION's habits on top."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.star import read_star, write_star
from tests.conftest import shared_data

TABLES = {
    "rln_proj_65.star": [("particles", 5, 7)],
    "rln_proj_65_centered.star": [("optics", 1, 7), ("particles", 4, 9)],
    "rln_proj_65_shifted.star": [("optics", 1, 7), ("particles", 4, 7)],
    "sample_particles_relion30.star": [("model_class_1", 17, 29)],
    "sample_particles_relion31.star": [("optics", 2, 8), ("particles", 17, 26)],
    "sample_relion_one_image.star": [("model_class_1", 1, 29)],
    "sample_relion_symmetry_group_D4.star": [("model_class_1", 17, 30)],
    "FinalRefinement-OriginalParticles-PfCRT.star": [("images", 5, 22)],
    "empiar_10076_7.star": [("", 7, 10)],
    "relion31.star": [("optics", 1, 9), ("particles", 5, 26)],
    "sta_testing_bin8.star": [("", 219, 20)],
    "test_starfile.star": [("particles", 3, 16), ("optics", 1, 6)],
    "pyem.star": [("optics", 1, 8), ("particles", 24, 33)],
    "pyem_onerow.star": [("optics", 1, 8), ("particles", 1, 33)],
    "relion_proj_batch.star": [("optics", 1, 8), ("particles", 24, 33)],
    "relion_proj_batch_pfac2.star": [("optics", 1, 8), ("particles", 24, 33)],
}
"""Name, rows and columns of the tables of every STAR file of RELION in the shared folder."""

FILES = sorted((folder / "cryoem").glob("*/*.star")) if (folder := shared_data()) else []


def put(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "file.star"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.shared_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_real_file(path: Path) -> None:
    if path.name == "sample.star":  # a row with a value too many
        with pytest.raises(CryoemError, match=r"line 12: is no STAR file"):
            read_star(path)
        return
    tables = read_star(path)
    assert [(table.name, len(table), len(table.columns)) for table in tables] == TABLES[path.name]
    # Every row as a plain split of its line has it.
    lines = [line.split() for line in path.read_text().splitlines()]
    for table in tables:
        rows = [line for line in lines if len(line) == len(table.columns) and "@" in "".join(line)]
        if "rlnImageName" in table:
            assert [list(row) for row in zip(*table.columns.values(), strict=True)] == rows


def test_what_relion_5_writes(tmp_path: Path) -> None:
    """A list of single values, bracketed lists, quoted texts, comments behind columns and rows."""
    (general, optics) = read_star(
        put(
            tmp_path,
            "\n# version 50001\n\ndata_general\n\n_rlnTomoSubTomosAre2DStacks   1 \n_rlnName   'a b'\n \n"
            "# version 50001\n\ndata_optics\n\nloop_ \n_rlnOpticsGroup #1 [one of many]\n_rlnOddZernike #2 \n"
            '_rlnMtfFileName #3 \n   1 [-0.5,0.25,1e-3]   ""  # the first\n   2 []   "my mtf.star" \n\n\n',
        )
    )
    assert (general.name, len(general)) == ("general", 1)
    assert general.texts("rlnName") == ["a b"]
    assert general.integers("rlnTomoSubTomosAre2DStacks").tolist() == [1]
    assert optics.texts("rlnOddZernike") == ["[-0.5,0.25,1e-3]", "[]"]
    assert optics.texts("rlnMtfFileName") == ["", "my mtf.star"]


def test_line_ends_byte_order_mark_and_letters_beyond_ascii(tmp_path: Path) -> None:
    (table,) = read_star(put(tmp_path, "\ufeffdata_\r\nloop_\r\n_rlnImageName #1\r\n1@Müller/ü€.mrcs\r\n2@x.mrcs\r\n"))
    assert table.texts("rlnImageName") == ["1@Müller/ü€.mrcs", "2@x.mrcs"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\0\1\2", "is a binary file"),
        (b"hello\n", "line 1: is no STAR file"),
        (b"loop_\n_a\n1\n", "is no STAR file"),
        (b"data_\nloop_\n_a\n_b\n1 2 3\n", "line 2: is no STAR file"),
        (b"data_a\n_x 1\ndata_a\n_x 2\n", "duplicate block name"),
        (b"data_a\n_x 1\n_x 2\n", "line 3: is no STAR file .duplicate tag"),
    ],
)
def test_what_is_no_star_file_is_refused_in_one_line(tmp_path: Path, text: bytes, words: str) -> None:
    path = put(tmp_path, text)
    with pytest.raises(CryoemError, match=words) as caught:
        read_star(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path / "none.star", tmp_path, tmp_path / "a\0b.star"):
        with pytest.raises(CryoemError, match="cannot be read"):
            read_star(path)


def test_columns_are_checked_where_they_are_used(tmp_path: Path) -> None:
    (table,) = read_star(put(tmp_path, "data_x\nloop_\n_a\n_b\n_c\n1 2.5 1\n2 nan x\n3 1e400 3\n"))
    assert table.integers("a").tolist() == [1, 2, 3]
    with pytest.raises(CryoemError, match="table data_x has no column d"):
        table.numbers("d")
    with pytest.raises(CryoemError, match="row 2 of table data_x: b is 'nan'; expected a number"):
        table.numbers("b")
    with pytest.raises(CryoemError, match="row 2 of table data_x: c is 'x'; expected a number"):
        table.integers("c")
    (other,) = read_star(put(tmp_path, "data_x\nloop_\n_a\n1\n2.5\n"))
    with pytest.raises(CryoemError, match=r"row 2 of table data_x: a is '2\.5'; expected a whole number"):
        other.integers("a")


def test_tables_without_a_row_are_left_out(tmp_path: Path) -> None:
    assert [table.name for table in read_star(put(tmp_path, "data_a\nloop_\n_x\n\ndata_b\n_y 1\n"))] == ["b"]


@settings(deadline=None, max_examples=30)
@given(
    numbers=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5),
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\"'#$_[];"), min_size=1
    ),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], text: str
) -> None:
    path = tmp_path_factory.mktemp("star") / "file.star"
    names = [f"1@{text}"] * len(numbers)
    write_star(
        path, {"optics": {"a": [1]}, "particles": {"x": np.array(numbers), "name": names, "none": [""] * len(names)}}
    )
    optics, particles = read_star(path)
    assert optics.integers("a").tolist() == [1]
    np.testing.assert_allclose(particles.numbers("x"), numbers, atol=6e-7, rtol=0)
    assert particles.texts("name") == names
    assert set(particles.texts("none")) == {""}
    assert not list(path.parent.glob("*.part"))


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CryoemError, match="cannot stand in a STAR file"):
        write_star(tmp_path / "a.star", {"x": {"name": ["two words"]}})
    with pytest.raises(CryoemError, match="cannot be written"):
        write_star(tmp_path / "nowhere" / "a.star", {"x": {"name": ["word"]}})
