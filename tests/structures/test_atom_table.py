from __future__ import annotations

import gemmi
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.structures.atom_table import AtomRows, group_rows
from lieapp.structures.gemmi_table import table_from_gemmi

ROW = st.tuples(
    st.sampled_from([1, 2]),  # model
    st.sampled_from(["A", "B", ""]),
    st.sampled_from(["SER", "THR"]),
    st.integers(1, 3),
    st.sampled_from(["", "A"]),
    st.sampled_from(["N", "CA"]),
)


def rows_of(data):
    count = len(data)
    columns = list(zip(*data, strict=True))
    return AtomRows(
        model=np.array(columns[0]),
        chain=np.array(columns[1], dtype=np.str_),
        residue_name=np.array(columns[2]),
        number=np.array(columns[3]),
        insertion_code=np.array(columns[4], dtype=np.str_),
        name=np.array(columns[5]),
        altloc=np.full(count, ""),
        element=np.full(count, 6, dtype=np.uint8),
        serial=np.arange(count),
        occupancy=np.ones(count),
        b_factor=np.zeros(count),
        hetero=np.zeros(count, dtype=bool),
        position=np.arange(3.0 * count).reshape(count, 3),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=40))
def test_grouping_is_that_of_gemmi(data):
    data = sorted(data, key=lambda row: row[0])  # files list models one after the other
    table = group_rows(rows_of(data))
    structure = gemmi.Structure()
    for number in sorted({row[0] for row in data}):
        model = gemmi.Model(number)
        chain_name, chain = None, None
        for serial, (owner, chain_id, name, seq, code, atom_name) in enumerate(data):
            if owner != number:
                continue
            if chain_id != chain_name:
                chain_name = chain_id
                chain = model.add_chain(gemmi.Chain(chain_id))
            wanted = gemmi.SeqId(seq, code or " ")
            for residue in chain:
                if residue.seqid == wanted and residue.name == name:
                    break
            else:
                fresh = gemmi.Residue()
                fresh.name, fresh.seqid = name, wanted
                residue = chain.add_residue(fresh)
            atom = gemmi.Atom()
            atom.name, atom.serial, atom.element = atom_name, serial, gemmi.Element("C")
            residue.add_atom(atom)
        structure.add_model(model)
    structure.merge_chain_parts()
    expected = table_from_gemmi(structure, title="", spans=())
    assert table.serial.tolist() == expected.serial.tolist()
    for column in ("model", "chain", "residue_name", "number", "insertion_code"):
        ours = np.repeat(getattr(table, column), np.diff(table.first_atom))
        theirs = np.repeat(getattr(expected, column), np.diff(expected.first_atom))
        assert ours.tolist() == theirs.tolist()


@settings(max_examples=50, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=40))
def test_grouping_keeps_every_atom_with_its_columns(data):
    rows = rows_of(data)
    table = group_rows(rows)
    assert sorted(table.serial.tolist()) == list(range(len(data)))
    np.testing.assert_array_equal(table.position, rows.position[table.serial])
    assert table.first_atom[0] == 0
    assert table.first_atom[-1] == len(data)
    assert (np.diff(table.first_atom) > 0).all()
    chain = np.repeat(table.chain, np.diff(table.first_atom))
    assert chain.tolist() == rows.chain[table.serial].tolist()
