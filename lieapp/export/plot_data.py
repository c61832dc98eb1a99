"""The numbers behind the plots, as CSV and as JSON. Every number reads back to the same bits."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lieapp.export.errors import ExportError, writing
from lieapp.export.quantities import Curve
from lieapp.export.tables import number_cell, write_table

__all__ = [
    "progress_record",
    "write_progress_csv",
    "write_progress_json",
]

SCHEMA = 1


def write_progress_csv(curves: Sequence[Curve], path: Path) -> Path:
    """Write all columns of one run or of several, one row a frame: ``run, frame,`` then the columns.

    Parameters
    ----------
    curves : sequence of Curve
        A column that only some runs have is empty for the others, and so are numbers that are not known.
    path : Path

    Raises
    ------
    ExportError
        If there is no run, or the file cannot be written.
    """
    _need(curves)
    columns = list(dict.fromkeys(name for curve in curves for name in curve.result.recording.columns))

    def rows() -> Iterator[list[object]]:
        for curve in curves:
            # One call: a run that goes on may grow between two.
            table = curve.result.recording.table()
            texts = [
                [number_cell(value) for value in table[name].tolist()] if name in table else None for name in columns
            ]
            for frame in range(min((len(values) for values in table.values()), default=0)):
                yield [curve.title, frame, *("" if values is None else values[frame] for values in texts)]

    with writing(path):
        write_table(path, ["run", "frame", *columns], rows())
    return path


def progress_record(curves: Sequence[Curve]) -> dict[str, Any]:
    """Return all columns of one run or of several as plain values for JSON.

    Returns
    -------
    dict
        ``schema``, ``kind`` and ``runs``; a run has ``title``, ``optimizer``, ``objective``, ``outcome``, the frame
        ``best``, ``units`` by column and ``columns``. Numbers that are not finite are None.
    """
    _need(curves)
    runs = []
    for curve in curves:
        recording = curve.result.recording
        table = recording.table()
        runs.append(
            {
                "title": curve.title,
                "optimizer": curve.result.job.optimizer.name,
                "objective": curve.result.job.objective,
                "outcome": None if recording.outcome is None else recording.outcome.kind,
                "best": recording.best,
                "units": {name: unit for name in table if (unit := curve.unit_of(name))},
                "columns": {name: [_finite(value) for value in values.tolist()] for name, values in table.items()},
            }
        )
    return {"schema": SCHEMA, "kind": "progress", "runs": runs}


def write_progress_json(curves: Sequence[Curve], path: Path) -> Path:
    """Write `progress_record`.

    Raises
    ------
    ExportError
        If there is no run, or the file cannot be written.
    """
    return _write_json(progress_record(curves), path)


def _need(curves: Sequence[Curve]) -> None:
    if not curves:
        raise ExportError("There is no run to write.")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _write_json(record: dict[str, Any], path: Path) -> Path:
    with writing(path):
        path.write_text(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return path
