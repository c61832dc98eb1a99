from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import lieapp.structures
from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures
from lieapp.structures.structure import SourceFile
from tests.structures.records import atom_line, pdb


@pytest.fixture
def ensemble():
    frames = []
    for number in (3, 5):
        frames += [f"MODEL     {number:4d}", atom_line(position=(number, 0, 0)), atom_line(2, number=2), "ENDMDL"]
    return parse_structures(pdb(*frames), Path("e.pdb"))[0]


def test_a_model_is_a_view(ensemble):
    second = ensemble.model(1)
    assert second.coordinates.base is not None
    assert np.shares_memory(second.coordinates, ensemble.coordinates)
    assert second.model_numbers == (5,)
    assert second.coordinates[0, 0, 0] == 5
    assert second.atoms is ensemble.atoms


def test_a_model_is_found_by_its_number(ensemble):
    assert ensemble.model_index(5) == 1
    with pytest.raises(StructureError, match=r"e: there is no model 1; the file has 2 models \(3 to 5\)"):
        ensemble.model_index(1)


def test_labels_and_chains(ensemble):
    blank = parse_structures(pdb(atom_line(chain=" ", number=50, code="A", residue="LYS")), Path("b.pdb"))[0]
    assert blank.residues.label(0) == "_:LYS 50A"
    assert blank.chains == ("",)
    assert ensemble.residues.label(1) == "A:ALA 2"
    assert ensemble.polymer_chains == ("A",)


def test_the_hash_is_that_of_the_content():
    source = SourceFile(None, "pdb", b"abc")
    assert source.sha256 == hashlib.sha256(b"abc").hexdigest()


def test_every_name_of_the_package_can_be_imported():
    for name in lieapp.structures.__all__:
        assert getattr(lieapp.structures, name).__module__.startswith("lieapp.structures") or name == "FileFormat"
    assert set(lieapp.structures.__all__) <= set(dir(lieapp.structures))
    with pytest.raises(AttributeError):
        _ = lieapp.structures.nothing
