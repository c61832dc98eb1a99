"""Reading structures: PDB, mmCIF and BinaryCIF, plain or gzipped, recognised by their content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lieapp.structures.assembly import assemble
from lieapp.structures.bcif import read_bcif
from lieapp.structures.content import extension_note, identify_content, load_content, structure_name
from lieapp.structures.errors import StructureError
from lieapp.structures.mmcif import read_mmcif
from lieapp.structures.pdb import read_pdb
from lieapp.structures.structure import FileFormat, SourceFile, Structure

__all__ = ["identify_format", "parse_structures", "read_structure", "read_structures"]

_READERS = {"pdb": read_pdb, "mmcif": read_mmcif, "bcif": read_bcif}


def identify_format(path: str | Path) -> FileFormat:
    """Return the format of a structure file, found from its content.

    Parameters
    ----------
    path : str or Path
        A file, plain or gzipped.

    Returns
    -------
    {"pdb", "mmcif", "bcif"}

    Raises
    ------
    StructureError
        If the file cannot be opened or is of another kind.
    """
    path = Path(path)
    return identify_content(load_content(path), path)


def read_structure(path: str | Path, *, model: int | None = None) -> Structure:
    """Read a structure file.

    Parameters
    ----------
    path : str or Path
        A PDB, mmCIF or BinaryCIF file, plain or gzipped. The content decides, not the extension.
    model : int, optional
        The file's own number of one model (most files count from 1). Without it, all models that share the atoms
        of the first are read; ``notes`` says if there are others.

    Returns
    -------
    Structure

    Raises
    ------
    StructureError
        If the file cannot be read, in one line that names the file and, where known, the line in it.
    """
    structures = read_structures(path)
    if model is None:
        return structures[0]
    for structure in structures:
        if model in structure.model_numbers:
            return structure.model(structure.model_index(model))
    numbers = [number for structure in structures for number in structure.model_numbers]
    has = f"only model {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} models ({min(numbers)}-{max(numbers)})"
    raise StructureError(f"{path}: there is no model {model}; the file has {has}.")


def read_structures(path: str | Path) -> tuple[Structure, ...]:
    """Read all models of a structure file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    tuple of Structure
        One for each group of models with equal atoms, in file order; nearly always one.

    Raises
    ------
    StructureError
        As `read_structure` does.
    """
    path = Path(path)
    return parse_structures(load_content(path), path)


def parse_structures(content: bytes, path: Path, *, name: str | None = None) -> tuple[Structure, ...]:
    """Read the models in the decompressed bytes of a file.

    Parameters
    ----------
    content : bytes
    path : Path
        What errors call the file; the structure's name comes from it as well.
    name : str, optional
        Another name for the structure.

    Raises
    ------
    StructureError
        As `read_structure` does.
    """
    found = identify_content(content, path)
    table = _READERS[found](content, path)
    note = extension_note(path, found)
    if note:
        table = replace(table, notes=(note, *table.notes))
    source = SourceFile(path, found, content)
    return assemble(table, name=name or structure_name(path), source=source, label=path)
