"""Reading BinaryCIF.

The format is MessagePack of columns, each under a chain of encodings (Sehnal et al., PLoS Comput Biol 16, e1008247,
2020, doi 10.1371/journal.pcbi.1008247). Neither gemmi nor Biopython gives its columns as arrays, and a run-length
pair of a few bytes can claim gigabytes; this decoder is vectorised and checks every claimed size first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.atom_site import spans_from_categories, table_from_atom_site
from lieapp.structures.atom_table import AtomTable
from lieapp.structures.errors import StructureError

__all__ = ["MAX_ROWS", "BinaryCIFBlock", "BinaryCIFColumn", "parse_bcif", "read_bcif"]

# The largest entry of the PDB has 2.4 million atoms; a hundred million rows are not a structure.
MAX_ROWS = 100_000_000

_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"), 4: np.dtype("<u1"), 5: np.dtype("<u2"),
    6: np.dtype("<u4"), 32: np.dtype("<f4"), 33: np.dtype("<f8"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class BinaryCIFColumn:
    """A decoded column.

    Attributes
    ----------
    values : ndarray, shape=(rows,)
        Integers, float64 or text.
    mask : ndarray, shape=(rows,), dtype=uint8, or None
        0 where there is a value, 1 for ``.`` (not applicable), 2 for ``?`` (unknown).
    decimals : int or None
        Decimals behind the point that the encoding keeps, if it says so.
    """

    values: NDArray
    mask: NDArray[np.uint8] | None
    decimals: int | None


class BinaryCIFBlock:
    """A data block whose columns are decoded when they are asked for.

    Parameters
    ----------
    raw : dict
        The block as MessagePack gives it.
    label : Path or str
        What an error calls the file.
    """

    def __init__(self, raw: dict[str, Any], label: Path | str) -> None:
        self.label = label
        try:
            self.header = str(raw["header"])
            self._columns: dict[str, dict[str, dict[str, Any]]] = {}
            self._rows: dict[str, int] = {}
            for category in raw["categories"]:
                name = str(category["name"])
                self._rows[name] = int(category["rowCount"])
                self._columns[name] = {str(column["name"]): column for column in category["columns"]}
        except (KeyError, TypeError, ValueError, OverflowError):
            raise StructureError(f"{label}: the BinaryCIF data are damaged: no table of contents.") from None

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """Names of the categories, with an underscore in front, and of their items."""
        return {name: tuple(columns) for name, columns in self._columns.items()}

    def column(self, category: str, item: str) -> BinaryCIFColumn | None:
        """Decode a column.

        Parameters
        ----------
        category, item : str
            Such as ``"_atom_site"``, ``"Cartn_x"``.

        Returns
        -------
        BinaryCIFColumn or None
            None if the file does not have the item.

        Raises
        ------
        StructureError
            If the data are damaged, or claim more rows than the category has.
        """
        raw = self._columns.get(category, {}).get(item)
        if raw is None:
            return None
        rows = self._rows[category]
        try:
            if not 0 <= rows <= MAX_ROWS:
                raise ValueError(f"it claims {rows} rows")
            values, decimals = _decode(raw["data"], rows)
            mask = _decode(raw["mask"], rows)[0].astype(np.uint8) if raw.get("mask") else None
            if len(values) != rows or (mask is not None and len(mask) != rows):
                raise ValueError(f"it has {len(values)} values where {rows} were announced")
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError, MemoryError) as error:
            reason = str(error) if type(error) is ValueError else "it cannot be decoded"
            raise StructureError(
                f"{self.label}: the BinaryCIF data are damaged: {category}.{item}: {' '.join(reason.split())}."
            ) from None
        return BinaryCIFColumn(values, mask, decimals)

    def texts(self, tag: str) -> list[str]:
        """Return the values of an item as text, absent ones as ``""``; empty if the file does not have it.

        Parameters
        ----------
        tag : str
            Such as ``"_struct.title"``.
        """
        category, _, item = tag.partition(".")
        values = self._present(category, item)
        return [] if values is None else values.astype(np.str_).tolist()

    def atom_site(self, item: str) -> NDArray | None:
        """Return a column of ``_atom_site``, absent values as ``""``."""
        return self._present("_atom_site", item)

    def _present(self, category: str, item: str) -> NDArray | None:
        column = self.column(category, item)
        if column is None:
            return None
        if column.mask is None or not column.mask.any():
            return column.values
        return np.where(column.mask == 0, column.values.astype(np.str_), "")


def parse_bcif(content: bytes, label: Path | str) -> BinaryCIFBlock:
    """Return the first block of a BinaryCIF file that holds atoms, else the first.

    Parameters
    ----------
    content : bytes
        Decompressed.
    label : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        If this is no BinaryCIF, or a damaged one.
    """
    try:
        # The limits on claimed lengths default to the length of the content.
        raw = msgpack.unpackb(content, raw=False, strict_map_key=False)
        blocks = [BinaryCIFBlock(block, label) for block in raw["dataBlocks"]]
    except StructureError:
        raise
    except Exception as error:  # MessagePack raises a dozen types; all mean damaged data
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StructureError(f"{label}: the BinaryCIF data are damaged or cut off ({reason}).") from None
    if not blocks:
        raise StructureError(f"{label}: the BinaryCIF file holds no data block.")
    with_atoms = [block for block in blocks if "_atom_site" in block.categories]
    return (with_atoms or blocks)[0]


def read_bcif(content: bytes, label: Path | str) -> AtomTable:
    """Read a BinaryCIF file.

    Parameters
    ----------
    content : bytes
        Decompressed.
    label : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        If the file cannot be read; the message names the item.
    """
    block = parse_bcif(content, label)
    title = " ".join(" ".join(block.texts("_struct.title")).split())
    return table_from_atom_site(block.atom_site, label=label, title=title, spans=spans_from_categories(block.texts))


def _decode(raw: dict[str, Any], rows: int) -> tuple[NDArray, int | None]:
    data: Any = raw["data"]
    decimals: int | None = None
    for encoding in reversed(raw["encoding"]):
        kind = encoding["kind"]
        if kind == "ByteArray":
            data = np.frombuffer(data, dtype=_DTYPES[encoding["type"]])
        elif kind == "FixedPoint":
            factor = float(encoding["factor"])
            if not factor > 0:
                raise ValueError("a fixed-point factor is not positive")
            # Double precision whatever is asked for, so that decimals come out as in the text format.
            data = data.astype(np.float64) / factor
            decimals = max(0, round(np.log10(factor)))
        elif kind == "IntervalQuantization":
            low, high, steps = float(encoding["min"]), float(encoding["max"]), int(encoding["numSteps"])
            data = low + data.astype(np.float64) * ((high - low) / (steps - 1) if steps > 1 else 0.0)
        elif kind == "RunLength":
            data = _run_length(data, int(encoding["srcSize"]))
        elif kind == "Delta":
            data = np.cumsum(data.astype(np.int64)) + int(encoding["origin"])
        elif kind == "IntegerPacking":
            data = _unpack(data, bool(encoding["isUnsigned"]), int(encoding["srcSize"]))
        elif kind == "StringArray":
            data = _strings(encoding, data, rows)
        else:
            raise ValueError(f"the encoding {str(kind)[:40]!r} is unknown")
    if not isinstance(data, np.ndarray):
        raise ValueError("it is not an array")
    return data, decimals


def _run_length(pairs: NDArray, size: int) -> NDArray:
    values, counts = pairs[::2].astype(np.int64), pairs[1::2].astype(np.int64)
    if len(pairs) % 2 or not 0 <= size <= MAX_ROWS or (counts < 0).any() or counts.sum() != size:
        raise ValueError(f"run lengths do not add up to {size}")
    return np.repeat(values, counts)


def _unpack(packed: NDArray, unsigned: bool, size: int) -> NDArray[np.int64]:
    """Undo integer packing: values at the limits of the small type are continued by the next one."""
    if packed.dtype.itemsize > 2:
        raise ValueError("packed integers are wider than two bytes")
    limits = np.iinfo(packed.dtype)
    final = packed != limits.max
    if not unsigned:
        final &= packed != limits.min
    ends = np.flatnonzero(final)
    if len(ends) != size or (len(packed) and not final[-1]):
        raise ValueError(f"packed integers do not unpack to {size}")
    if len(ends) == len(packed):
        return packed.astype(np.int64)
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    return np.add.reduceat(packed.astype(np.int64), starts)


def _strings(encoding: dict[str, Any], data: Any, rows: int) -> NDArray[np.str_]:
    offsets = _decode({"data": encoding["offsets"], "encoding": encoding["offsetEncoding"]}, rows)[0].tolist()
    indices = _decode({"data": data, "encoding": encoding["dataEncoding"]}, rows)[0]
    text: str = encoding["stringData"]
    distinct: Sequence[str] = [text[start:stop] for start, stop in pairwise(offsets)]
    if len(indices) and (indices.min() < -1 or indices.max() >= len(distinct)):
        raise ValueError("a string index is out of range")
    # One row too many of a very long text would be repeated for every row: numpy's text has one width.
    table = np.array([*distinct, ""], dtype=np.str_)
    if table.dtype.itemsize * len(indices) > 4 * MAX_ROWS:
        return np.array([*distinct, ""], dtype=object)[indices]
    return table[indices]  # index -1, the absent value, is the last entry
