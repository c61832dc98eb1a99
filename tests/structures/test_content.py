"""Bad input: one clear line each."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from lieapp.structures import content
from lieapp.structures.content import extension_note, identify_content, load_content, structure_name
from lieapp.structures.errors import StructureError
from lieapp.structures.reading import identify_format, read_structure
from tests.structures.records import atom_line, cif_row, mmcif, pdb, small_bcif

PDB = pdb("HEADER    TEST", atom_line(), "END")
CIF = mmcif(cif_row())


def refusal(path: Path) -> str:
    with pytest.raises(StructureError) as caught:
        read_structure(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b" \n\r\n\t", "the file is empty"),
        (b"\0" * 4096, "the file is empty"),
        (bytes(range(255, 0, -1)), "not a PDB"),
        (b"\x7fELF\0\0\0\0" + bytes(range(256)), "binary file"),
        (b"hello world\n", "not a PDB"),
        (b"\xff\xfeA\0T\0O\0M\0", "UTF-16"),
        (b"PSF EXT\n", "PSF topology"),
        (b"T\0\0\0CORD" + bytes(80), "DCD trajectory"),
        (b"PK\x03\x04rest", "ZIP archive"),
        (b"<!DOCTYPE html><html>404</html>", "HTML"),
        (b">seq\nMKV\n", "FASTA"),
        (b'{"a": 1}', "JSON"),
        (b"HEADER    ONLY\nEND\n", "no atoms"),
        (b"data_x\n_cell.length_a 1\n", "no atoms"),
        (b"data_x\n#\n", "no atoms"),
        (b"data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n", "no atoms"),
        (b"\x1f\x8bgarbage that is no gzip", "gzip data are damaged"),
        (b"\x1f\x8b", "gzip data are cut off"),
        (gzip.compress(PDB, mtime=0)[:-20], "gzip data are cut off"),  # the time would be part of the test's name
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (gzip.compress(gzip.compress(PDB, mtime=0), mtime=0), "packed twice"),
    ],
)
def test_bad_content_is_refused_in_one_line(tmp_path, data, says):
    path = tmp_path / "bad.pdb"
    path.write_bytes(data)
    assert says in refusal(path)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "filling", [b" " * 60_000, b" \n" * 30_000, b"# \n" * 20_000, b"#" * 60_000, b"#a #b " * 10_000]
)
def test_recognising_a_file_takes_no_time_that_its_length_does_not_explain(filling):
    with pytest.raises(StructureError, match="not a PDB"):
        identify_content(filling + b"x", "t")


def test_missing_folder_and_odd_paths(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "missing.pdb")
    assert "this is a folder" in refusal(tmp_path)
    with pytest.raises(StructureError, match="cannot be read"):
        read_structure("with\0nul.pdb")
    with pytest.raises(StructureError, match="cannot be read"):
        read_structure(tmp_path / ("x" * 300))


def test_a_device_is_refused():
    if not Path("/dev/zero").exists():
        return
    assert "not a regular file" in refusal(Path("/dev/zero"))


def test_unreadable(tmp_path, monkeypatch):
    path = tmp_path / "secret.pdb"
    path.write_bytes(PDB)
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything

        def denied(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", denied)
    assert "not allowed to read" in refusal(path)


def test_a_gzip_bomb_is_refused_without_unpacking_it(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "MAX_CONTENT_BYTES", 1 << 20)
    bomb = tmp_path / "bomb.pdb.gz"
    bomb.write_bytes(gzip.compress(b" " * (1 << 24)))
    assert "unpacks to more than 1 MB" in refusal(bomb)
    many = tmp_path / "many.pdb.gz"
    many.write_bytes(gzip.compress(b" " * (700 << 10)) * 2)
    assert "unpacks to more than" in refusal(many)
    large = tmp_path / "large.pdb"
    large.write_bytes(b" " * ((1 << 20) + 1))
    assert "larger than 1 MB" in refusal(large)


def test_gzip_is_found_by_content_and_may_have_members(tmp_path):
    path = tmp_path / "zipped.pdb"
    half = len(PDB) // 2
    path.write_bytes(gzip.compress(PDB[:half]) + gzip.compress(PDB[half:]) + b"\0" * 100)
    assert load_content(path) == PDB
    plain = tmp_path / "plain.pdb.gz"
    plain.write_bytes(PDB)
    assert load_content(plain) == PDB


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PDB, "pdb"),
        (b"\xef\xbb\xbf" + PDB, "pdb"),
        (atom_line().encode(), "pdb"),
        (b"REMARK data_x is not the first word\n" + PDB, "pdb"),
        (CIF, "mmcif"),
        (b"\xef\xbb\xbf" + CIF, "mmcif"),
        (b"# a comment\n\n  # another data_y\n" + CIF, "mmcif"),
        (CIF.replace(b"data_", b"DATA_"), "mmcif"),
        (small_bcif(), "bcif"),
    ],
)
def test_formats_are_found_by_content(tmp_path, data, found):
    assert identify_content(data, "x") == found
    path = tmp_path / "whatever.xyz"
    path.write_bytes(gzip.compress(data))
    assert identify_format(path) == found
    assert read_structure(path).atom_count > 0


def test_a_wrong_extension_is_read_by_content_and_noted(tmp_path):
    path = tmp_path / "model.pdb"
    path.write_bytes(CIF)
    structure = read_structure(path)
    assert structure.source.format == "mmcif"
    assert structure.notes == ("model.pdb holds mmCIF in spite of its name; read as mmCIF.",)
    assert extension_note(Path("a.ent.gz"), "pdb") == ""
    assert extension_note(Path("a.txt"), "pdb") == ""


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("4ake.cif.gz", "4AKE"), ("4AKE.pdb", "4AKE"), ("open.pdb", "open"), ("AF-P69441-F1-model_v4.cif",) * 2,
        ("a.b.pdb", "a.b"), ("1ake_A.ent", "1ake_A"), ("noext", "noext"), (".pdb", ".pdb"), ("v1.2", "v1.2"),
    ],
)  # fmt: skip
def test_names(file, name):
    assert structure_name(Path("folder") / file) == name.removesuffix(".cif")
