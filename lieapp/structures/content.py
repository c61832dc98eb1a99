"""From a path to the decompressed bytes of a structure file, and what those bytes are."""

from __future__ import annotations

import re
import stat
import zlib
from pathlib import Path

from lieapp.structures.errors import StructureError
from lieapp.structures.structure import FileFormat

__all__ = ["MAX_CONTENT_BYTES", "extension_note", "identify_content", "load_content", "structure_name", "unpack"]

# The largest entries of the PDB take about 0.5 GB as mmCIF; more than this is a gzip bomb or no structure.
MAX_CONTENT_BYTES = 1 << 30

_BLANKS = b" \t\r\n\0"
_GZIP = b"\x1f\x8b"
_PDB_RECORD = re.compile(
    rb"^(?:ATOM  |HETATM|HEADER|TITLE |COMPND|SOURCE|KEYWDS|EXPDTA|AUTHOR|REVDAT|JRNL  |REMARK|DBREF |SEQRES|MODRES"
    rb"|HET   |HETNAM|HELIX |SHEET |SSBOND|LINK  |CISPEP|SITE  |CRYST1|ORIGX|SCALE|MTRIX|NUMMDL|MDLTYP|CAVEAT|SPLIT "
    rb"|OBSLTE|SPRSDE|USER  |MODEL  |TER   |ANISOU|CONECT|MASTER|END\b)",
    re.MULTILINE | re.IGNORECASE,
)
# Possessive: white space that nothing follows must not be tried in every partition.
_CIF_START = re.compile(rb"\A(?:\s|#[^\r\n]*+)*+data_", re.IGNORECASE)
_EXTENSIONS: dict[str, FileFormat] = {
    ".pdb": "pdb", ".ent": "pdb", ".brk": "pdb", ".cif": "mmcif", ".mmcif": "mmcif", ".bcif": "bcif",
}  # fmt: skip
_FORMAT_TITLES: dict[FileFormat, str] = {"pdb": "PDB", "mmcif": "mmCIF", "bcif": "BinaryCIF"}


def load_content(path: Path) -> bytes:
    """Return the bytes of a file, decompressed if they are gzip whatever the file is called.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StructureError
        If the file is missing, a folder, unreadable, empty, damaged or too large.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise StructureError(f"{path}: this is a folder; a PDB, mmCIF or BinaryCIF file was expected.")
        if not stat.S_ISREG(status.st_mode):
            raise StructureError(f"{path}: this is not a regular file.")
        if status.st_size > MAX_CONTENT_BYTES:
            raise StructureError(f"{path}: the file is larger than {_size(MAX_CONTENT_BYTES)}.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise StructureError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise StructureError(f"{path}: you are not allowed to read this file.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise StructureError(f"{path}: the file cannot be read ({reason}).") from None
    return unpack(raw, path)


def unpack(raw: bytes, label: Path | str) -> bytes:
    """Return bytes as they are, or decompressed if they are gzip.

    Parameters
    ----------
    raw : bytes
    label : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        If there is nothing in them, they are damaged or too large.
    """
    if raw.startswith(_GZIP):
        raw = _decompress(raw, label)
    if not raw[:4096].strip(_BLANKS) and not raw.strip(_BLANKS):  # the second strip copies all of it
        raise StructureError(f"{label}: the file is empty.")
    return raw


def identify_content(content: bytes, path: Path | str) -> FileFormat:
    """Return the format of decompressed bytes.

    Parameters
    ----------
    content : bytes
    path : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        If the bytes are no PDB, mmCIF or BinaryCIF file.
    """
    head = content[:65536].removeprefix(b"\xef\xbb\xbf")
    if content[:1] and (0x80 <= content[0] <= 0x8F or content[0] in (0xDE, 0xDF)) and b"dataBlocks" in content:
        return "bcif"
    other = _other_format(head)
    if other:
        raise StructureError(f"{path}: this is {other}, not a PDB, mmCIF or BinaryCIF file.")
    if b"\0" in head:
        raise StructureError(f"{path}: this is a binary file, not a PDB, mmCIF or BinaryCIF file.")
    if _CIF_START.match(head):
        return "mmcif"
    if _PDB_RECORD.search(head):
        return "pdb"
    raise StructureError(f"{path}: this is not a PDB, mmCIF or BinaryCIF file (no record of either is in it).")


def extension_note(path: Path, found: FileFormat) -> str:
    """Return a line for people if the name of a file promises another format than its content, else ``""``."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    promised = _EXTENSIONS.get(suffixes[-1]) if suffixes else None
    if promised is None or promised == found:
        return ""
    return f"{path.name} holds {_FORMAT_TITLES[found]} in spite of its name; read as {_FORMAT_TITLES[found]}."


def structure_name(path: Path) -> str:
    """Return the short name of a structure: the file's name without its extensions, PDB ids in capitals."""
    name = path.name
    if name.lower().endswith(".gz"):
        name = name[:-3]
    stem, dot, extension = name.rpartition(".")
    if stem and dot and f".{extension.lower()}" in _EXTENSIONS:
        name = stem
    if re.fullmatch(r"[1-9][a-z0-9]{3}", name, re.IGNORECASE):
        name = name.upper()
    return name


def _decompress(raw: bytes, path: Path | str) -> bytes:
    # Several members may follow each other; what follows the last one is padding.
    parts: list[bytes] = []
    room = MAX_CONTENT_BYTES
    while raw.startswith(_GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(raw, room + 1)
        except zlib.error as error:
            raise StructureError(f"{path}: the gzip data are damaged ({error}).") from None
        room -= len(part)
        if room < 0:
            raise StructureError(f"{path}: the file unpacks to more than {_size(MAX_CONTENT_BYTES)}.")
        if not member.eof:
            raise StructureError(f"{path}: the gzip data are cut off.")
        parts.append(part)
        raw = member.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _other_format(head: bytes) -> str:
    start = head.lstrip()[:64]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16 text (save it as plain text)"
    if head[4:8] in (b"CORD", b"VELD"):
        return "a DCD trajectory"
    if start.startswith(b"PSF"):
        return "a PSF topology"
    if head.startswith(_GZIP):
        return "gzip data packed twice"
    if head.startswith(b"PK\x03\x04"):
        return "a ZIP archive"
    if start[:1] == b"<":
        return "HTML or XML"
    if start[:1] == b">":
        return "a FASTA sequence"
    if start[:1] in (b"{", b"["):
        return "JSON"
    if head[208:212] == b"MAP ":
        return "a density map"
    return ""


def _size(count: int) -> str:
    return f"{count / 2**30:.3g} GB" if count >= 2**30 else f"{count / 2**20:.3g} MB"
