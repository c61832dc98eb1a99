"""From the columns of an mmCIF dictionary to atoms: for BinaryCIF, and for mmCIF that gemmi refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.atom_table import AtomRows, AtomTable, SecondarySpan, group_rows
from lieapp.structures.errors import StructureError

__all__ = ["spans_from_categories", "table_from_atom_site"]

_CODES = {"HELX": "H", "STRN": "E"}


def table_from_atom_site(
    column: Callable[[str], NDArray | None],
    *,
    label: Path | str,
    title: str = "",
    spans: tuple[SecondarySpan, ...] = (),
) -> AtomTable:
    """Group the rows of ``_atom_site`` into residues, by the author's names as gemmi does.

    Parameters
    ----------
    column : callable
        Returns the values of an item such as ``"Cartn_x"``, numbers or text (``""`` for absent values), or None if
        the file does not have the item.
    label : Path or str
        What an error calls the file.
    title, spans
        Handed through.

    Raises
    ------
    StructureError
        If an item is missing or a number cannot be understood.
    """

    def numbers(name: str, default: float, *, required: bool = False) -> NDArray[np.float64]:
        values = column(name)
        if values is None:
            if required:
                raise StructureError(f"{label}: _atom_site.{name} is missing.")
            return np.full(count, default)
        if values.dtype.kind in "US":
            fallback = "nan" if required else str(default)
            values = np.where(values == "", fallback, values)
        try:
            return values.astype(np.float64)
        except ValueError:
            row = _first_bad(values)
            raise StructureError(
                f"{label}: _atom_site.{name} should be a number, not {str(values[row])!r} (atom {row + 1})."
            ) from None

    def texts(*names: str, required: bool = False) -> NDArray[np.str_]:
        result: NDArray[np.str_] | None = None
        for name in names:
            values = column(name)
            if values is not None:
                values = values.astype(np.str_)
                result = values if result is None else np.where(result == "", values, result)
        if result is None:
            if required:
                raise StructureError(f"{label}: _atom_site.{names[-1]} is missing.")
            return np.full(count, "", dtype="U1")
        return result

    first = column("Cartn_x")
    count = 0 if first is None else len(first)
    if not count:
        raise StructureError(f"{label}: there are no atoms in the file (no _atom_site.Cartn_x).")
    names = texts("auth_atom_id", "label_atom_id", required=True)
    symbols, inverse = np.unique(texts("type_symbol"), return_inverse=True)
    elements = np.array([gemmi.Element(_capitalised(symbol)).atomic_number for symbol in symbols.tolist()], np.uint8)
    rows = AtomRows(
        model=_whole(numbers("pdbx_PDB_model_num", 1.0)),
        chain=texts("auth_asym_id", "label_asym_id"),
        residue_name=texts("auth_comp_id", "label_comp_id", required=True),
        number=_residue_numbers(texts("auth_seq_id", "label_seq_id"), label),
        insertion_code=texts("pdbx_PDB_ins_code"),
        name=names,
        altloc=texts("label_alt_id"),
        element=elements[inverse],
        serial=_serials(texts("id"), count),
        occupancy=numbers("occupancy", 1.0),
        b_factor=numbers("B_iso_or_equiv", 50.0),
        hetero=texts("group_PDB") == "HETATM",
        position=np.stack([numbers(f"Cartn_{axis}", np.nan, required=True) for axis in "xyz"], axis=1),
    )
    return group_rows(rows, title=title, spans=spans)


def spans_from_categories(column: Callable[[str], Sequence[str]]) -> tuple[SecondarySpan, ...]:
    """Return the helices and strands of ``_struct_conf`` and ``_struct_sheet_range``.

    Parameters
    ----------
    column : callable
        Returns the values of an item such as ``"_struct_conf.id"``, empty if the file does not have it.
    """
    kinds = column("_struct_conf.conf_type_id")
    spans = _spans(column, "_struct_conf", [_CODES.get(kind[:4].upper(), "") for kind in kinds])
    strands = column("_struct_sheet_range.beg_auth_seq_id") or column("_struct_sheet_range.beg_label_seq_id")
    return spans + _spans(column, "_struct_sheet_range", ["E"] * len(strands))


def _spans(column: Callable[[str], Sequence[str]], category: str, codes: Sequence[str]) -> tuple[SecondarySpan, ...]:
    if not codes:
        return ()

    def ends(which: str) -> list[tuple[str, int, str] | None]:
        chains = column(f"{category}.{which}_auth_asym_id") or column(f"{category}.{which}_label_asym_id")
        numbers = column(f"{category}.{which}_auth_seq_id") or column(f"{category}.{which}_label_seq_id")
        inserted = column(f"{category}.pdbx_{which}_PDB_ins_code") or [""] * len(codes)
        result: list[tuple[str, int, str] | None] = []
        for chain, number, code in zip(chains, numbers, inserted, strict=False):
            try:
                result.append((chain, int(number), code))
            except ValueError:
                result.append(None)
        return result

    spans = []
    for code, first, last in zip(codes, ends("beg"), ends("end"), strict=False):
        if code and first is not None and last is not None:
            spans.append(SecondarySpan(code, first, last))
    return tuple(spans)


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).clip(-(2**31), 2**31).astype(np.int64)


def _residue_numbers(values: NDArray[np.str_], label: Path | str) -> NDArray[np.int64]:
    distinct, inverse = np.unique(values, return_inverse=True)
    numbers = np.zeros(len(distinct), dtype=np.int64)  # 0 where the file gives none, as for some ligands
    for index, text in enumerate(distinct.tolist()):
        if text:
            try:
                numbers[index] = int(text)
            except (ValueError, OverflowError):
                raise StructureError(f"{label}: _atom_site.auth_seq_id should be a number, not {text!r}.") from None
    return numbers[inverse]


def _serials(values: NDArray[np.str_], count: int) -> NDArray[np.int64]:
    try:
        return values.astype(np.int64)
    except (ValueError, OverflowError):
        return np.arange(1, count + 1)


def _first_bad(values: NDArray) -> int:
    for row, value in enumerate(values.tolist()):
        try:
            float(value)
        except ValueError:
            return row
    return 0


def _capitalised(symbol: str) -> str:
    return symbol.capitalize() if symbol else "X"
