"""Tables as CSV files, the same for all problems."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["number_cell", "write_table"]


def write_table(path: Path, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
    return path


def number_cell(value: float) -> str:
    """Return a number as tables hold it: reading back to the same bits, and empty where it is not known (NaN)."""
    return "" if math.isnan(value) else repr(float(value))
