"""Reading the PDB format: gemmi first, Biopython where gemmi refuses."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import NoReturn

import gemmi
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.atom_table import AtomRows, AtomTable, SecondarySpan, group_rows
from lieapp.structures.errors import StructureError
from lieapp.structures.gemmi_table import table_from_gemmi

__all__ = ["PDBText", "read_pdb"]

_ATOM, _HETA = (int.from_bytes(word, "little") for word in (b"ATOM", b"HETA"))
_UPPER = 0xDFDFDFDF  # clears the bit that tells small letters from capitals
_COORDINATES = slice(30, 54)
_RECORD_WIDTH = 80
_CHECKED_AT_ONCE = 4096
_LEGACY_COLUMNS = 72  # until 1996 the entry id and a line number stood behind
_TOLERANT = "Parts of the file do not follow the PDB format; read by the tolerant parser."


class PDBText:
    """The text of a PDB file with the places of its atoms.

    Parameters
    ----------
    content : bytes
    label : Path or str
        What an error calls the file.

    Attributes
    ----------
    content : bytes
        With line ends that every parser understands.
    starts : ndarray, shape=(records,), dtype=int
        Offsets of the lines that are ATOM or HETATM records.
    """

    def __init__(self, content: bytes, label: Path | str) -> None:
        content = content.removeprefix(b"\xef\xbb\xbf")
        if b"\n" not in content:
            content = content.replace(b"\r", b"\n")
        if not content.endswith(b"\n"):
            content += b"\n"
        self.content = content
        self.label = label
        buffer = np.frombuffer(content, dtype=np.uint8)
        lines = np.flatnonzero(buffer == ord("\n"))
        starts = np.empty(len(lines), dtype=np.int64)
        starts[0], starts[1:] = 0, lines[:-1] + 1
        # A window of a whole record needs that much text behind the last line.
        missing = int(starts[-1]) + _RECORD_WIDTH - len(content)
        self._buffer = np.append(buffer, np.full(missing, ord(" "), dtype=np.uint8)) if missing > 0 else buffer
        words = self._columns(starts, slice(0, 4)).view(np.uint32)[:, 0] & _UPPER
        self.starts: NDArray[np.int64] = starts[(words == _ATOM) | (words == _HETA)]

    def _columns(self, starts: NDArray[np.int64], columns: slice) -> NDArray[np.uint8]:
        width = columns.stop - columns.start
        windows = np.lib.stride_tricks.sliding_window_view(self._buffer, width)
        return np.ascontiguousarray(windows[starts + columns.start])

    def line_number(self, offset: int) -> int:
        """Return the number, from 1, of the line at an offset."""
        return self.content.count(b"\n", 0, offset) + 1

    def check(self) -> None:
        """Check that every atom has three numbers where the format wants them, which gemmi takes for granted.

        Raises
        ------
        StructureError
            Naming the first line that has not.
        """
        if not len(self.starts):
            raise StructureError(f"{self.label}: there are no atoms in the file (no ATOM or HETATM record).")
        # In blocks that stay in the processor's cache: on the whole of a large file this takes four times as long.
        for block in range(0, len(self.starts), _CHECKED_AT_ONCE):
            starts = self.starts[block : block + _CHECKED_AT_ONCE]
            bad = _first_without_numbers(self._columns(starts, _COORDINATES))
            if bad is not None:
                self._complain(int(starts[bad]))

    def _complain(self, start: int) -> NoReturn:
        line = self.content[start : self.content.index(b"\n", start)].rstrip(b"\r").decode("latin-1")
        where = f"{self.label}: line {self.line_number(start)}"
        if len(line.rstrip()) < _COORDINATES.stop:
            raise StructureError(f"{where}: the atom record is cut off before the end of its coordinates (column 54).")
        found = "".join(letter if letter.isprintable() else "?" for letter in line[_COORDINATES])
        raise StructureError(f"{where}: columns 31-54 should hold three coordinates, not {found!r}.")

    def without_long_residue_names(self) -> bytes:
        """Return the text with column 21 blank where it is the fourth letter of a residue name.

        Simulation programs write ``TIP3`` or ``POPC``; read by the letter of the format, the fourth letter would be
        part of the chain id.
        """
        pairs = self._columns(self.starts, slice(20, 22)).view("<u2")[:, 0]  # the second character on top
        fourth = (pairs & 0xFF != ord(" ")) & (pairs >> 8 == ord(" "))
        if not fourth.any():
            return self.content
        changed = np.frombuffer(self.content, dtype=np.uint8).copy()
        changed[self.starts[fourth] + 20] = ord(" ")
        return changed.tobytes()


def read_pdb(content: bytes, label: Path | str) -> AtomTable:
    """Read a PDB file.

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
    text = PDBText(content, label)
    text.check()
    clean = text.without_long_residue_names()
    body, lines_before = _body(clean, text.starts)
    header = text.content[: int(text.starts[0])].decode("latin-1")
    title, spans = _title(header), _spans(header)
    notes: tuple[str, ...] = ()
    if header.startswith("HEADER") and b"\nEND" not in text.content[-512:]:
        notes = ("The file has a header but no END record; it may have been cut off.",)
    reason = ""
    for columns in (0, _LEGACY_COLUMNS):
        try:
            structure = gemmi.read_pdb_string(body, max_line_length=columns)
            structure.merge_chain_parts()
            table = table_from_gemmi(structure, title=title, spans=spans)
        except (RuntimeError, ValueError, IndexError) as error:
            reason = reason or _shifted(" ".join(str(error).split("\n")[0].split()), lines_before)
            continue
        left = len(text.starts) - len(table.name)
        if left > 0:
            notes = (*notes, f"{left} atoms behind the END record were left out.")
        if columns:
            notes = (*notes, "Columns 73-80 hold the entry id in the manner of old files and were ignored.")
        return replace(table, notes=notes)
    rows = _rows_of_biopython(clean.decode("latin-1"), reason, label)
    return group_rows(rows, title=title, spans=spans, notes=(*notes, _TOLERANT))


def _body(content: bytes, starts: NDArray[np.int64]) -> tuple[bytes, int]:
    """Return the part of a file from its first model or atom to its last atom, and how many lines precede it.

    gemmi spends a quarter of its time on remarks and connections that nobody asks for here.
    """
    first = int(starts[0])
    model = re.search(rb"^MODEL ", content[:first], re.MULTILINE | re.IGNORECASE)
    first = model.start() if model else first
    return content[first : content.index(b"\n", int(starts[-1])) + 1], content.count(b"\n", 0, first)


def _shifted(reason: str, lines_before: int) -> str:
    """Return gemmi's message with the line number of the whole file."""
    return re.sub(r"\bline (\d+)", lambda found: f"line {int(found.group(1)) + lines_before}", reason, count=1)


def _first_without_numbers(text: NDArray[np.uint8]) -> int | None:
    """Return the first of some rows of 24 characters that are not three numbers, None if all are."""
    sign = (text == ord("-")) | (text == ord("+"))
    dot = text == ord(".")
    filled = text != ord(" ")
    digit = text - np.uint8(ord("0")) <= 9  # uint8 wraps around below "0"
    begins = filled.copy()
    begins[:, 1:] &= ~filled[:, :-1]
    begins[:, 8] |= filled[:, 8]
    begins[:, 16] |= filled[:, 16]
    wrong = filled & ~digit & ~dot
    wrong &= ~(sign & begins)
    # Nearly every field ends in a dot and three digits: then counting dots and beginnings settles it, because none
    # can be without. A field is a word of eight bytes, the last one on top.
    fields = text.view("<u8").ravel()
    ordinary = ((fields >> 32) & 0xFF == ord(".")).all() and ((fields >> 56) - ord("0") <= 9).all()
    once = np.count_nonzero(dot) == np.count_nonzero(begins) == len(fields)
    if ordinary and once and not wrong.any():
        return None
    bad = wrong.any(axis=1) | (_per_field(begins) != 1).any(axis=1) | (_per_field(dot) > 1).any(axis=1)
    bad |= (_per_field(digit) == 0).any(axis=1)
    return int(np.argmax(bad)) if bad.any() else None


def _per_field(marks: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Count marks in each of the three fields of eight columns: the sum of eight bytes, by one multiplication."""
    words = np.ascontiguousarray(marks).view(np.uint64)
    return (words * np.uint64(0x0101010101010101)) >> np.uint64(56)


def _records(header: str, word: str) -> list[str]:
    """Return the lines that begin with a word of six letters, which stand together in a header of many lines."""
    first = 0 if header.startswith(word) else header.find(f"\n{word}") + 1
    if not header.startswith(word, first):
        return []
    last = header.rfind(f"\n{word}") + 1
    end = header.find("\n", last)
    block = header[first : len(header) if end < 0 else end]
    return [line for line in block.splitlines() if line.startswith(word)]


def _title(header: str) -> str:
    return " ".join(" ".join(line[10:80] for line in _records(header, "TITLE ")).split())


def _spans(header: str) -> tuple[SecondarySpan, ...]:
    """Read the HELIX and SHEET records."""
    spans = []
    for line in _records(header, "HELIX ") + _records(header, "SHEET "):
        # Columns of chain and number; the insertion code follows the number. SHEET leaves no space between them, and
        # the sense of an antiparallel strand stands right behind its last insertion code.
        helix = line.startswith("HELIX")
        code, columns = ("H", ((19, 21), (31, 33))) if helix else ("E", ((21, 22), (32, 33)))
        ends = []
        for chain, start in columns:
            number = line[start : start + 4].strip()
            if number.removeprefix("-").isdecimal():
                ends.append((line[chain].strip(), int(number), line[start + 4 : start + 5].strip()))
        if len(ends) == 2:
            spans.append(SecondarySpan(code, ends[0], ends[1]))
    return tuple(spans)


def _rows_of_biopython(text: str, reason: str, label: Path | str) -> AtomRows:
    from Bio.PDB.PDBParser import PDBParser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = PDBParser(PERMISSIVE=True, QUIET=True).get_structure("", StringIO(text))
    except Exception as error:  # whatever Biopython raises, the file is at fault
        found = re.search(r"line (\d+)", f"{reason} {error}")
        where = f"line {found.group(1)}: " if found else ""
        message = re.sub(r"^Problem in line \d+: ", "", reason) or " ".join(str(error).split())
        raise StructureError(f"{label}: {where}{message.rstrip(':. ')}.") from None
    rows = [
        (
            index + 1,
            chain.id.strip(),
            residue.resname.strip(),
            residue.id[1],
            residue.id[2].strip(),
            atom.name.strip(),
            atom.altloc.strip(),
            gemmi.Element((atom.element or "X").capitalize()).atomic_number,
            atom.serial_number or 0,
            1.0 if atom.occupancy is None else atom.occupancy,
            atom.bfactor,
            residue.id[0] != " ",
            *atom.coord.tolist(),
        )
        for index, model in enumerate(parsed)
        for chain in model
        for residue in chain.get_unpacked_list()
        for atom in residue.get_unpacked_list()
    ]
    if not rows:
        raise StructureError(f"{label}: there are no atoms in the file that could be read.")
    columns = list(zip(*rows, strict=True))
    strings = [np.array(columns[index], dtype=np.str_) for index in (1, 2, 4, 5, 6)]
    numbers = [np.array(columns[index], dtype=np.int64) for index in (0, 3, 8)]
    return AtomRows(
        model=numbers[0],
        chain=strings[0],
        residue_name=strings[1],
        number=numbers[1],
        insertion_code=strings[2],
        name=strings[3],
        altloc=strings[4],
        element=np.array(columns[7], dtype=np.uint8),
        serial=numbers[2],
        occupancy=np.array(columns[9], dtype=np.float64),
        b_factor=np.array(columns[10], dtype=np.float64),
        hetero=np.array(columns[11], dtype=bool),
        position=np.round(np.array(columns[12:15], dtype=np.float64).T, 3),  # Biopython keeps single precision
    )
