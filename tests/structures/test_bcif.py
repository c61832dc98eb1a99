"""BinaryCIF: every encoding, damaged data, absurd sizes."""

from __future__ import annotations

from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures.bcif import parse_bcif
from lieapp.structures.errors import StructureError
from lieapp.structures.reading import parse_structures
from tests.structures import records


def decode(data, rows: int, mask=None) -> np.ndarray:
    content = records.bcif({"_a": {"x": (data, mask)}}, {"_a": rows})
    column = parse_bcif(content, "t.bcif").column("_a", "x")
    assert column is not None
    return column.values


def refusal(content: bytes) -> str:
    with pytest.raises(StructureError) as caught:
        parse_structures(content, Path("t.bcif"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


INT32 = st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-2000, 2000), min_size=1), st.sampled_from(["i1", "i2"]))
def test_signed_integer_packing(values, dtype):
    assert decode(records.packed(values, dtype), len(values)).tolist() == values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 70000), min_size=1, max_size=30), st.sampled_from(["u1", "u2"]))
def test_unsigned_integer_packing(values, dtype):
    assert decode(records.packed(values, dtype), len(values)).tolist() == values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1))
def test_run_length(values):
    assert decode(records.run_length(values), len(values)).tolist() == values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=1), st.integers(-1000, 1000))
def test_delta_over_run_length(values, origin):
    steps = np.diff([origin, *values]).tolist()
    data = records.then(records.run_length(steps), kind="Delta", origin=origin, srcType=3)
    assert decode(data, len(values)).tolist() == values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=1))
def test_fixed_point_gives_the_decimals_of_the_text(thousandths):
    values = [value / 1000 for value in thousandths]
    assert decode(records.fixed_point(values, 1000), len(values)).tolist() == values


def test_interval_quantization():
    steps = records.byte_array([0, 50, 100], "i4")
    data = records.then(steps, kind="IntervalQuantization", min=-1.0, max=4.0, numSteps=101, srcType=33)
    np.testing.assert_allclose(decode(data, 3), [-1.0, 1.5, 4.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=5).filter(lambda text: "\0" not in text), min_size=1, max_size=20))
def test_strings(values):
    assert decode(records.strings(values), len(values)).tolist() == values


def test_absent_strings_have_the_index_minus_one():
    data = records.strings(["a", "b"])
    data["data"] = np.array([1, -1], dtype="<i4").tobytes()
    assert decode(data, 2).tolist() == ["b", ""]


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8"])
def test_byte_arrays(dtype):
    assert decode(records.byte_array([0, 1, 2], dtype), 3).tolist() == [0, 1, 2]


def test_a_structure():
    structure = parse_structures(records.small_bcif(), Path("small.bcif"))[0]
    assert structure.title == "A small one"
    assert structure.atoms.name.tolist() == ["N", "CA", "C", "N", "CA", "ZN"]
    assert structure.atoms.element.tolist() == ["N", "C", "C", "N", "C", "Zn"]
    assert structure.atoms.serial.tolist() == [1, 2, 3, 4, 5, 6]
    assert structure.atoms.b_factor.tolist() == [12.34] * 6
    assert [structure.residues.label(i) for i in range(3)] == ["A:GLY 7", "A:MSE 300C", "B:ZN -200"]
    assert structure.residues.guide_atom.tolist() == [1, 4, -1]
    assert structure.coordinates[0, :, 0].tolist() == [0.0, 1.458, 2.0, 3.311, 4.0, -9.125]


def claim(kind: str) -> bytes:
    """Return a file that claims an absurd size in a few bytes."""
    if kind == "run length":
        data = records.then(records.byte_array([0, 2**31 - 1], "i4"), kind="RunLength", srcType=3, srcSize=2**31 - 1)
    elif kind == "run length of the size of the category":
        data = records.then(records.byte_array([0, 2**31 - 1], "i4"), kind="RunLength", srcType=3, srcSize=6)
    elif kind == "negative run":
        data = records.then(records.byte_array([0, 7, 0, -1], "i4"), kind="RunLength", srcType=3, srcSize=6)
    elif kind == "packing":
        data = records.packed([1] * 6, "i1")
        data["encoding"][0]["srcSize"] = 2**40
    elif kind == "packing without an end":
        data = records.then(
            records.byte_array([127] * 6, "i1"), kind="IntegerPacking", byteCount=1, srcSize=6, isUnsigned=False
        )
    elif kind == "string index":
        data = records.strings(["a"] * 6)
        data["data"] = np.array([0, 0, 0, 0, 0, 9], dtype="<i4").tobytes()
    elif kind == "unknown encoding":
        data = records.then(records.byte_array([1] * 6, "i4"), kind="Zip")
    elif kind == "unknown type":
        data = {"data": b"123456", "encoding": [{"kind": "ByteArray", "type": 77}]}
    elif kind == "odd length":
        data = {"data": b"12345", "encoding": [{"kind": "ByteArray", "type": 3}]}
    elif kind == "no factor":
        data = records.then(records.byte_array([1] * 6, "i4"), kind="FixedPoint", factor=0, srcType=33)
    elif kind == "too short":
        data = records.byte_array([1.0] * 5, "f4")
    else:
        data = {"data": 7, "encoding": []}
    return records.small_bcif(Cartn_x=(data, None))


@pytest.mark.parametrize(
    "kind",
    [
        "run length", "run length of the size of the category", "negative run", "packing", "packing without an end",
        "string index", "unknown encoding", "unknown type", "odd length", "no factor", "too short", "no array",
    ],
)  # fmt: skip
def test_damaged_columns_are_refused_by_name(kind):
    assert "the BinaryCIF data are damaged: _atom_site.Cartn_x: " in refusal(claim(kind))


def test_absurd_numbers_of_rows_are_refused():
    content = msgpack.unpackb(records.small_bcif())
    content["dataBlocks"][0]["categories"][1]["rowCount"] = 2**40
    assert "claims 1099511627776 rows" in refusal(msgpack.packb(content))


def test_headers_that_claim_more_than_there_is():
    array = b"\x81\xaadataBlocks\xdd\xff\xff\xff\xff"
    assert "damaged or cut off" in refusal(array)
    text = b"\x81\xaadataBlocks\xc6\xff\xff\xff\xff"
    assert "damaged or cut off" in refusal(text)
    nested = b"\x81\xaadataBlocks" + b"\x91" * 100_000
    assert "damaged or cut off" in refusal(nested)


def test_files_without_atoms():
    title = {"_struct": {"title": (records.strings(["x"]), None)}}
    assert "no atoms" in refusal(records.bcif(title, {"_struct": 1}))
    assert "no data block" in refusal(msgpack.packb({"dataBlocks": []}))
    assert "damaged" in refusal(msgpack.packb({"dataBlocks": [1]}))
    assert "damaged" in refusal(msgpack.packb({"dataBlocks": [{"header": "x", "categories": 5}]}))
    assert "damaged" in refusal(msgpack.packb({"dataBlocks": 3}))


def test_missing_and_odd_items():
    none = (records.strings([""] * 6), [2] * 6)
    assert "not a finite number" in refusal(records.small_bcif(Cartn_z=none))
    words = (records.strings(["1.0"] * 5 + ["x"]), None)
    assert "_atom_site.Cartn_z should be a number, not 'x' (atom 6)" in refusal(records.small_bcif(Cartn_z=words))
    number = (records.strings(["x"] * 6), None)
    assert "_atom_site.auth_seq_id should be a number, not 'x'" in refusal(records.small_bcif(auth_seq_id=number))
    odd_serials = records.small_bcif(id=(records.strings(list("abcdef")), None))
    assert parse_structures(odd_serials, Path("t.bcif"))[0].atoms.serial.tolist() == [1, 2, 3, 4, 5, 6]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_files_raise_nothing_but_the_error_of_this_floor(data):
    content = bytearray(records.small_bcif())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    try:
        structure = parse_structures(bytes(content[:cut]), Path("t.bcif"))[0]
    except StructureError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(structure.coordinates).all()
