"""STAR files: tables of named columns, as RELION writes them. numpy, no torch.

References
----------
S. R. Hall, "The STAR file: a new format for electronic data transfer and archiving", J. Chem. Inf. Comput. Sci. 31
(1991) 326-333.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.errors import CryoemError

__all__ = ["StarTable", "read_star", "write_star"]

_MOST_BYTES = 1 << 30
"""A STAR file of two million particles."""
_PLACE = re.compile(r"^[\w.]*:(\d+)(?::\d+\(\d+\))?:? *(?:in data_\S*: *)?")
_ESCAPED = re.compile(r"~U\+([0-9a-f]+);")
_QUOTED = "'\";"


@dataclass(frozen=True, eq=False)
class StarTable:
    """A table of a STAR file; a list of single values is a table of one row.

    Attributes
    ----------
    file : Path
    name : str
        Name of its block without ``data_``; often empty.
    columns : mapping of str to sequence of str
        Texts without quotes, by names without the leading underscore.
    """

    file: Path
    name: str
    columns: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def texts(self, column: str) -> Sequence[str]:
        """Return a column.

        Raises
        ------
        CryoemError
            If the table has no such column.
        """
        if column not in self.columns:
            raise CryoemError(f"{self.file}: table {self._said} has no column {column}.")
        return self.columns[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column of finite numbers.

        Raises
        ------
        CryoemError
            If the table has no such column, or a value is no finite number.
        """
        texts = self.texts(column)
        try:
            values = np.array(texts, dtype=np.float64)
        except ValueError:
            values = np.array([_number(text) for text in texts])
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise CryoemError(
                f"{self.file}: row {row + 1} of table {self._said}: {column} is {texts[row]!r}; expected a number."
            )
        return values

    def integers(self, column: str) -> NDArray[np.int64]:
        """Return a column of whole numbers.

        Raises
        ------
        CryoemError
            If the table has no such column, or a value is no whole number.
        """
        values = self.numbers(column)
        whole = (values == np.round(values)) & (np.abs(values) < 2**53)
        if not whole.all():
            row = int(np.argmin(whole))
            raise CryoemError(
                f"{self.file}: row {row + 1} of table {self._said}: {column} is {self.texts(column)[row]!r}; "
                "expected a whole number."
            )
        return values.astype(np.int64)

    @property
    def _said(self) -> str:
        return f"data_{self.name}"


def read_star(path: str | Path) -> tuple[StarTable, ...]:
    """Read all tables of a STAR file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    tuple of StarTable
        In file order; those without a row are left out.

    Raises
    ------
    CryoemError
        If the file cannot be read or is no STAR file, in one line with the line in the file where known.
    """
    from gemmi import cif

    file = Path(path)
    text, escaped = _load(file)
    try:
        document = cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        said = " ".join(str(error).split())
        place = _PLACE.match(said)
        where = f"line {place[1]}: " if place else ""
        reason = said[place.end() :] if place else said.removeprefix("string: ")
        raise CryoemError(f"{file}: {where}is no STAR file ({reason}).") from None
    tables: list[StarTable] = []
    for block in document:
        pairs: dict[str, Sequence[str]] = {}
        for item in block:
            if item.loop is not None:
                tables.append(StarTable(file, block.name.strip(), _LoopColumns(block, item.loop.tags, escaped)))
            elif item.pair is not None:
                pairs[item.pair[0].removeprefix("_")] = _texts([item.pair[1]], escaped)
        if pairs:
            tables.append(StarTable(file, block.name.strip(), pairs))
    return tuple(table for table in tables if len(table))


class _LoopColumns(Mapping[str, Sequence[str]]):
    """Columns that are taken out of gemmi's block when they are asked for: a reader needs half of RELION's thirty."""

    def __init__(self, block: Any, tags: Sequence[str], escaped: bool) -> None:
        self._block = block
        self._names = tuple(tag.removeprefix("_") for tag in tags)
        self._escaped = escaped
        self._taken: dict[str, Sequence[str]] = {}

    def __getitem__(self, name: str) -> Sequence[str]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._taken:
            self._taken[name] = _texts(list(self._block.find_loop(f"_{name}")), self._escaped)
        return self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def write_star(path: str | Path, tables: Mapping[str, Mapping[str, Sequence[object]]]) -> Path:
    """Write tables with RELION's version line before each; an existing file is replaced once the new one is whole.

    Parameters
    ----------
    path : str or Path
    tables : mapping of str to mapping of str to sequence
        Columns by name, tables by block; floats get six digits behind the point, as in RELION's files.

    Returns
    -------
    Path

    Raises
    ------
    CryoemError
        If a text cannot stand in a STAR file, or the file cannot be written.
    """
    file = Path(path)
    lines: list[str] = []
    for name, columns in tables.items():
        lines += ["", "# version 30001", "", f"data_{name}", "", "loop_"]
        lines += [f"_{column} #{number}" for number, column in enumerate(columns, 1)]
        lines += _rows(file, columns)
        lines.append("")
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CryoemError(f"{file}: cannot be written: {error.strerror or error}.") from error
    return file


def _load(file: Path) -> tuple[str, bool]:
    """Return the text of a file in ASCII, and whether letters beyond it were written as their code points."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise CryoemError(f"{file}: is larger than 1 GB; a STAR file was expected.")
        raw = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise CryoemError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if b"\0" in raw[:65536]:
        raise CryoemError(f"{file}: is a binary file; a STAR file was expected.")
    text = raw.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    if not text or text.isspace():
        raise CryoemError(f"{file}: is empty; a STAR file was expected.")
    if text.isascii():
        return text, False
    # gemmi knows ASCII only, folders of users do not.
    return re.sub(r"[^\x00-\x7f]", lambda found: f"~U+{ord(found[0]):x};", text), True


def _texts(texts: list[str], escaped: bool) -> list[str]:
    """Return texts without their quotes."""
    from gemmi import cif

    if any(text[:1] in _QUOTED for text in texts):
        texts = [cif.as_string(text) if text[:1] in _QUOTED else text for text in texts]
    return [_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) for text in texts] if escaped else texts


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _rows(file: Path, columns: Mapping[str, Sequence[object]]) -> list[str]:
    cells = [[_cell(file, value) for value in column] for column in columns.values()]
    widths = [max(map(len, column), default=0) for column in cells]
    return [" ".join(map(str.rjust, row, widths)) for row in zip(*cells, strict=True)]


def _cell(file: Path, value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{float(value):.6f}"
    text = str(value)
    if any(letter.isspace() for letter in text) or '"' in text:
        raise CryoemError(f"{file}: {text!r} cannot stand in a STAR file.")
    return text or '""'
