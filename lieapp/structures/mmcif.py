"""Reading mmCIF: gemmi first, Biopython where gemmi refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.atom_site import spans_from_categories, table_from_atom_site
from lieapp.structures.atom_table import AtomTable, SecondarySpan
from lieapp.structures.errors import StructureError
from lieapp.structures.gemmi_table import table_from_gemmi

__all__ = ["atom_block", "parse_cif", "read_mmcif"]

_POSITION = re.compile(r"^\w*:(\d+):\d+\(\d+\): ?(.*)$", re.DOTALL)


def parse_cif(content: bytes, label: Path | str) -> gemmi.cif.Document:
    """Parse the syntax of a CIF file.

    Parameters
    ----------
    content : bytes
    label : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        Naming the line.
    """
    try:
        return gemmi.cif.read_string(_as_utf8(content.removeprefix(b"\xef\xbb\xbf")))
    except (ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())
        found = _POSITION.match(text)
        where, reason = (f"line {found.group(1)}: ", found.group(2)) if found else ("", text)
        raise StructureError(f"{label}: {where}{reason.rstrip('.')}.") from None


def atom_block(document: gemmi.cif.Document, label: Path | str) -> gemmi.cif.Block:
    """Return the first block that holds atoms with Cartesian coordinates.

    Raises
    ------
    StructureError
        If there is none.
    """
    for block in document:
        if len(block.find_values("_atom_site.Cartn_x")):
            return block
    kind = ""
    for block in document:
        if block.find_values("_atom_site_fract_x"):
            kind = " (it is a small-molecule CIF)"
        elif block.find_values("_chem_comp_atom.atom_id"):
            kind = " (it describes a chemical component)"
        elif block.find_values("_refln.index_h"):
            kind = " (it holds reflections)"
    raise StructureError(f"{label}: there are no atoms in the file: _atom_site.Cartn_x is missing{kind}.")


def read_mmcif(content: bytes, label: Path | str) -> AtomTable:
    """Read an mmCIF file.

    Parameters
    ----------
    content : bytes
        Decompressed.
    label : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        If the file cannot be read; the message names the line where that is known.
    """
    block = atom_block(parse_cif(content, label), label)
    title = _text(block.find_value("_struct.title"))
    spans = spans_from_categories(_category_reader(block))
    try:
        structure = gemmi.make_structure_from_block(block)
        structure.merge_chain_parts()
        table = table_from_gemmi(structure, title=title, spans=spans)
        # gemmi passes silently over atoms without items that it wants, such as _atom_site.label_alt_id
        if len(table.name) == len(block.find_values("_atom_site.Cartn_x")):
            return table
        reason = "gemmi finds no atoms in it"
    except (RuntimeError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())
    return _read_with_biopython(content, label, reason, title, spans)


def _read_with_biopython(
    content: bytes, label: Path | str, reason: str, title: str, spans: tuple[SecondarySpan, ...]
) -> AtomTable:
    from Bio.PDB.MMCIF2Dict import MMCIF2Dict

    try:
        items = MMCIF2Dict(StringIO(_as_utf8(content).decode("utf-8")))
    except Exception:  # whatever Biopython raises, the file is at fault, and gemmi's reason is the better one
        raise StructureError(f"{label}: {reason.rstrip('.')}.") from None

    def column(name: str) -> NDArray | None:
        values = items.get(f"_atom_site.{name}")
        if values is None:
            return None
        array = np.array(values, dtype=np.str_)
        return np.where((array == ".") | (array == "?"), "", array)

    return table_from_atom_site(column, label=label, title=title, spans=spans)


def _as_utf8(content: bytes) -> bytes:
    """Return the text in the encoding that gemmi expects: what is not UTF-8 is taken for Latin-1."""
    if content.isascii():
        return content
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1").encode("utf-8")
    return content


def _category_reader(block: gemmi.cif.Block) -> Callable[[str], list[str]]:
    def column(name: str) -> list[str]:
        return [_text(value) for value in block.find_values(name)]

    return column


def _text(value: str | None) -> str:
    return " ".join(gemmi.cif.as_string(value).split()) if value and not gemmi.cif.is_null(value) else ""
