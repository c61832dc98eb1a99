"""mmCIF, written: an existing document with changed items, a PDB file converted, or plain items from arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.bcif import BinaryCIFBlock, BinaryCIFColumn, parse_bcif
from lieapp.structures.matching import match_records
from lieapp.structures.mmcif import atom_block, parse_cif
from lieapp.structures.pdb import PDBText
from lieapp.structures.structure import SourceFile, Structure

__all__ = ["mmcif_from_arrays", "mmcif_from_pdb", "rewrite_mmcif"]

_TENSOR = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


def rewrite_mmcif(
    structure: Structure,
    source: SourceFile,
    transform: NDArray[np.float64] | None,
    b_factors: NDArray[np.float64] | None,
) -> bytes:
    """Return an mmCIF or BinaryCIF file as mmCIF with new coordinates, tensors and B-factors.

    Parameters
    ----------
    structure : Structure
    source : SourceFile
        The file that the structure was read from.
    transform : ndarray, shape=(4, 4), or None
    b_factors : ndarray, shape=(atoms,), or None
    """
    label: Path | str = source.path or structure.name
    if source.format == "bcif":
        document = _document_from_bcif(parse_bcif(source.content, label))
    else:
        document = parse_cif(source.content, label)
    block = atom_block(document, label)
    columns = [block.find_values(f"_atom_site.Cartn_{axis}") for axis in "xyz"]
    position = np.array([[gemmi.cif.as_number(value) for value in column] for column in columns]).T
    new = match_records(structure, _keys(block), _models(block, len(position)), position, transform, b_factors)
    if new.moved:
        decimals = _decimals(columns[0])
        for axis, column in enumerate(columns):
            for row, value in enumerate((new.position[:, axis] + 0.0).tolist()):
                column[row] = f"{value:.{decimals}f}"
    if new.b_factor is not None:
        _set_b_factors(block, new.b_factor)
    if transform is not None:
        for prefix in ("_atom_site_anisotrop.", "_atom_site.aniso_"):
            for letter in "UB":
                _rotate_tensors(block, f"{prefix}{letter}", transform[:3, :3])
    return _text(document)


def mmcif_from_pdb(
    structure: Structure,
    content: bytes,
    transform: NDArray[np.float64] | None,
    b_factors: NDArray[np.float64] | None,
) -> bytes:
    """Return a PDB file as mmCIF, moved, with what gemmi understands of its header.

    Parameters
    ----------
    structure : Structure
    content : bytes
        The PDB file that the structure was read from.
    transform : ndarray, shape=(4, 4), or None
    b_factors : ndarray, shape=(atoms,), or None
    """
    text = PDBText(content, structure.name).without_long_residue_names()
    for columns in (0, 72):
        try:
            parsed = gemmi.read_pdb_string(text, max_line_length=columns)
            break
        except (RuntimeError, ValueError):
            continue
    else:  # read by the tolerant parser
        return mmcif_from_arrays(structure, transform, b_factors)
    parsed.merge_chain_parts()
    symbols = structure.atoms.element.tolist()
    for model in parsed:
        atoms = [atom for chain in model for residue in chain for atom in residue]
        if len(atoms) == structure.atom_count:
            # The reader keeps the order of gemmi's atoms.
            if model.num in structure.model_numbers:
                position = structure.coordinates[structure.model_numbers.index(model.num)].tolist()
                for atom, place in zip(atoms, position, strict=True):
                    atom.pos = gemmi.Position(*place)
            for atom, symbol in zip(atoms, symbols, strict=True):
                atom.element = gemmi.Element(symbol)
            if b_factors is not None:
                for atom, value in zip(atoms, b_factors.tolist(), strict=True):
                    atom.b_iso = value
        if transform is not None:
            rotation, shift = gemmi.Mat33(transform[:3, :3].tolist()), gemmi.Vec3(*transform[:3, 3].tolist())
            model.transform_pos_and_adp(gemmi.Transform(rotation, shift))
    parsed.name = structure.name
    parsed.setup_entities()
    return _text(parsed.make_mmcif_document())


def mmcif_from_arrays(
    structure: Structure, transform: NDArray[np.float64] | None, b_factors: NDArray[np.float64] | None
) -> bytes:
    """Return plain items for a structure without a file behind it.

    Parameters
    ----------
    structure : Structure
    transform : ndarray, shape=(4, 4), or None
    b_factors : ndarray, shape=(atoms,), or None
    """
    document = gemmi.cif.Document()
    block = document.add_new_block(
        "".join(name if name.isprintable() else "_" for name in structure.name.split()) or "x"
    )
    block.set_mmcif_category("_entry.", {"id": [structure.name or "x"]})
    if structure.title:
        block.set_mmcif_category("_struct.", {"entry_id": [structure.name or "x"], "title": [structure.title]})
    atoms, residues, models = structure.atoms, structure.residues, structure.model_count
    position = structure.coordinates
    if transform is not None:
        position = position @ transform[:3, :3].T + transform[:3, 3]
    b_column = atoms.b_factor if b_factors is None else b_factors
    polymer = np.isin(residues.kind, ("protein", "nucleic"))

    def repeated(values: list[object]) -> list[object]:
        return values * models

    def of_residue(column: NDArray) -> list[object]:
        return [value if value != "" else False for value in column[atoms.residue].tolist()]

    label_seq = np.where(polymer, np.arange(1, len(residues) + 1), 0)[atoms.residue].tolist()
    items: dict[str, list[object]] = {
        "group_PDB": repeated(["HETATM" if hetero else "ATOM" for hetero in atoms.hetero.tolist()]),
        "id": [number + 1 for number in range(len(atoms) * models)],
        "type_symbol": repeated(atoms.element.tolist()),
        "label_atom_id": repeated(atoms.name.tolist()),
        "label_alt_id": repeated([value or False for value in atoms.altloc.tolist()]),
        "label_comp_id": repeated(of_residue(residues.name)),
        "label_asym_id": repeated(of_residue(residues.chain)),
        "label_entity_id": [False] * (len(atoms) * models),
        "label_seq_id": repeated([value or False for value in label_seq]),
        "pdbx_PDB_ins_code": repeated([value or None for value in residues.insertion_code[atoms.residue].tolist()]),
        **{
            f"Cartn_{axis}": [f"{value:.3f}" for value in (position[:, :, index].ravel() + 0.0).tolist()]
            for index, axis in enumerate("xyz")
        },
        "occupancy": repeated([f"{value:.2f}" for value in atoms.occupancy.tolist()]),
        "B_iso_or_equiv": repeated([f"{value:.2f}" for value in b_column.tolist()]),
        "auth_seq_id": repeated(residues.number[atoms.residue].tolist()),
        "auth_asym_id": repeated(of_residue(residues.chain)),
        "pdbx_PDB_model_num": [number for number in structure.model_numbers for _ in range(len(atoms))],
    }
    texts = {
        name: [value if value is None or value is False else str(value) for value in values]
        for name, values in items.items()
    }
    block.set_mmcif_category("_atom_site.", texts)
    return _text(document)


def _text(document: gemmi.cif.Document) -> bytes:
    options = gemmi.cif.WriteOptions()
    options.misuse_hash = True
    options.prefer_pairs = True
    text: str = document.as_string(options)
    return text.encode("utf-8")


def _values(block: gemmi.cif.Block, *names: str) -> list[str]:
    """Return the first of some items that a block has, absent values as ``""``."""
    for name in names:
        column = block.find_values(f"_atom_site.{name}")
        if column:
            return ["" if gemmi.cif.is_null(value) else gemmi.cif.as_string(value) for value in column]
    return [""] * len(block.find_values("_atom_site.Cartn_x"))


def _keys(block: gemmi.cif.Block) -> list[tuple[str, int, str, str, str, str]]:
    numbers = [_whole(value) for value in _values(block, "auth_seq_id", "label_seq_id")]
    return list(
        zip(
            _values(block, "auth_asym_id", "label_asym_id"),
            numbers,
            _values(block, "pdbx_PDB_ins_code"),
            _values(block, "auth_comp_id", "label_comp_id"),
            _values(block, "auth_atom_id", "label_atom_id"),
            _values(block, "label_alt_id"),
            strict=True,
        )
    )


def _models(block: gemmi.cif.Block, count: int) -> NDArray[np.int64]:
    numbers = [_whole(value) for value in _values(block, "pdbx_PDB_model_num")]
    return np.array([number or 1 for number in numbers], dtype=np.int64) if numbers else np.ones(count, dtype=np.int64)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _decimals(column: gemmi.cif.Column) -> int:
    """Return how many decimals to write: as many as the file has, but three at least and six at most."""
    shown = 3
    for row in range(min(len(column), 1000)):
        _, _, decimals = column[row].partition("(")[0].partition(".")
        shown = max(shown, len(decimals))
    return min(shown, 6)


def _set_b_factors(block: gemmi.cif.Block, values: NDArray[np.float64]) -> None:
    tag = "_atom_site.B_iso_or_equiv"
    if not block.find_values(tag):
        loop = block.find_loop("_atom_site.Cartn_x").get_loop()
        if loop is not None:
            loop.add_columns([tag], "?")
        else:
            block.set_pair(tag, "?")
    column = block.find_values(tag)
    for row, value in enumerate(values.tolist()):
        if value == value:  # not NaN
            column[row] = f"{value:.2f}"


def _rotate_tensors(block: gemmi.cif.Block, prefix: str, rotation: NDArray[np.float64]) -> None:
    """Rotate U (or B) of every atom as R U R^T; rows with an absent component are left as they are."""
    columns = [block.find_values(f"{prefix}[{i + 1}][{j + 1}]") for i, j in _TENSOR]
    if not all(columns):
        return
    texts = [list(column) for column in columns]
    values = np.array([[gemmi.cif.as_number(text) for text in column] for column in texts])
    tensor = np.empty((values.shape[1], 3, 3))
    for (i, j), component in zip(_TENSOR, values, strict=True):
        tensor[:, i, j] = tensor[:, j, i] = component
    rotated = rotation @ tensor @ rotation.T
    decimals = max(4, max(_decimals(column) for column in columns))
    for (i, j), column in zip(_TENSOR, columns, strict=True):
        mirror = block.find_values(f"{prefix}[{j + 1}][{i + 1}]") if i != j else None
        for row in np.flatnonzero(np.isfinite(values).all(axis=0)).tolist():
            column[row] = f"{rotated[row, i, j] + 0.0:.{decimals}f}"
            if mirror:
                mirror[row] = column[row]


def _document_from_bcif(binary: BinaryCIFBlock) -> gemmi.cif.Document:
    """Decode every category of a BinaryCIF block."""
    document = gemmi.cif.Document()
    block = document.add_new_block(binary.header)
    for category, items in binary.categories.items():
        data: dict[str, list[object]] = {}
        for item in items:
            column = binary.column(category, item)
            if column is not None:
                data[item] = _cif_values(column)
        if data and any(data.values()):
            block.set_mmcif_category(f"{category}.", data)
    return document


def _cif_values(column: BinaryCIFColumn) -> list[object]:
    kind = column.values.dtype.kind
    show: Callable[[object], str]
    if kind == "f" and column.decimals is not None:
        decimals = column.decimals
        show = lambda value: f"{value:.{decimals}f}"  # noqa: E731
    elif kind == "f":
        # Single precision is shown with the fewest digits that name it.
        numbers = column.values
        return _masked([np.format_float_positional(value, trim="-") for value in numbers], column.mask)
    else:
        show = str
    return _masked([show(value) for value in column.values.tolist()], column.mask)


def _masked(texts: list[str], mask: NDArray[np.uint8] | None) -> list[object]:
    values: list[object] = list(texts)
    if mask is not None:
        for row in np.flatnonzero(mask).tolist():
            values[row] = False if mask[row] == 1 else None  # "." and "?"
    return values
