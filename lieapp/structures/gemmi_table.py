"""From a gemmi structure to an `AtomTable`, without a Python loop over atoms."""

from __future__ import annotations

import gemmi
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.atom_table import AtomTable, SecondarySpan

__all__ = ["table_from_gemmi"]

# gemmi gives this where an mmCIF file has "." for a residue number
_NO_NUMBER = np.iinfo(np.int32).min


def table_from_gemmi(
    structure: gemmi.Structure, *, title: str, spans: tuple[SecondarySpan, ...], notes: tuple[str, ...] = ()
) -> AtomTable:
    """Return the atoms of a gemmi structure; an empty table if it has none.

    Parameters
    ----------
    structure : gemmi.Structure
    title, spans, notes
        Handed through.

    Raises
    ------
    RuntimeError
        If a name has more than seven characters, which gemmi's flat form cannot hold.
    """
    flat = gemmi.FlatStructure(structure)
    chain_ids, residue_names, atom_names = (
        np.asarray(x) for x in (flat.chain_ids, flat.residue_names, flat.atom_names)
    )
    chain, residue = _words(chain_ids), _words(residue_names)
    model, number, code = flat.model_num, flat.resnums, flat.icodes
    count = len(model)
    new = np.ones(count, dtype=bool)
    if count:
        new[1:] = chain[1:] != chain[:-1]
        for column in (residue, model, number, code):
            new[1:] |= column[1:] != column[:-1]
    head = np.flatnonzero(new)
    numbers = number[head].astype(np.int64)
    numbers[numbers == _NO_NUMBER] = 0
    chains = _text(chain_ids[head])
    return AtomTable(
        model=model[head].astype(np.int64),
        chain=np.where(chains == ".", "", chains),
        residue_name=_text(residue_names[head]),
        number=numbers,
        insertion_code=_characters(code[head]),
        first_atom=np.append(head, count),
        name=_text(atom_names),
        altloc=_characters(flat.altlocs),
        element=flat.elements.astype(np.uint8),
        serial=flat.serials.astype(np.int64),
        occupancy=_decimal(flat.occ),
        b_factor=_decimal(flat.b_iso),
        hetero=flat.het_flags == ord("H"),
        position=np.ascontiguousarray(flat.pos, dtype=np.float64),
        title=title,
        spans=spans,
        notes=notes,
    )


def _words(names: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Return names of eight bytes as integers, which compare faster than text."""
    return np.ascontiguousarray(names).view(np.uint64)[:, 0]


def _text(names: NDArray[np.int8]) -> NDArray[np.str_]:
    if not len(names):
        return np.empty(0, dtype="U1")
    union = int(np.bitwise_or.reduce(_words(names)))  # little-endian: its highest byte is the last character in use
    width = max(1, (union.bit_length() + 7) // 8)
    # Widening bytes to UCS4 by hand is twice as fast as numpy's conversion, and takes any byte (Latin-1).
    wide = np.ascontiguousarray(names[:, :width]).view(np.uint8).astype(np.uint32)
    return wide.view(f"U{width}")[:, 0]


def _characters(codes: NDArray[np.int8]) -> NDArray[np.str_]:
    """Return single characters, blanks as ``""``."""
    wide = codes.astype(np.uint8).astype(np.uint32)
    wide[wide == ord(" ")] = 0
    return wide.view("U1")


def _decimal(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Undo what single precision adds to the decimals of the file: 21.97 instead of 21.969999."""
    return np.asarray(np.round(values.astype(np.float64), 4), dtype=np.float64)
