"""Tables of basin maps, sweeps and spectra along a path, as CSV: tidy, every number reading back to the same bits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING

from lieapp.export.errors import writing
from lieapp.export.tables import number_cell, write_table
from lieapp.landscapes.basins import BasinMap
from lieapp.landscapes.sweep import SweepResult, SweepRun

if TYPE_CHECKING:
    from lieapp.landscapes.spectrum import PathSpectrum

__all__ = ["write_basins_csv", "write_spectrum_csv", "write_sweep_csv"]


def write_basins_csv(found: BasinMap, path: Path) -> Path:
    """Write one row a start: where it is, what it reached, where it ended, and the evaluations it took.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    heads = ["x", "y", "reached", "kind", "index", "point_x", "point_y", "end_x", "end_y", "evaluations"]
    names = {which: found.describe(which) for which in found.kinds()}

    def rows() -> Iterable[list[object]]:
        for row, y in enumerate(found.y.tolist()):
            for column, x in enumerate(found.x.tolist()):
                which = int(found.reached[row, column])
                point = found.points[which] if which >= 0 else None
                kind = names[which] if point is None else point.kind
                place = ["", "", ""] if point is None else [point.index, *map(repr, point.position)]
                end = found.ends[row, column].tolist()
                yield [repr(x), repr(y), which, kind, *place, *map(number_cell, end),
                       number_cell(float(found.evaluations[row, column]))]  # fmt: skip

    return _written(path, heads, rows())


def write_sweep_csv(found: SweepResult, path: Path) -> Path:
    """Write one row a run; the columns are landscape and optimiser, then the fields of `SweepRun`.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    heads = ["landscape", "optimizer", *(each.name for each in fields(SweepRun))]
    job = found.spec.job
    rows = (
        [job.landscape, job.optimizer.name, *(number_cell(v) if isinstance(v, float) else v for v in astuple(run))]
        for run in found.runs
    )
    return _written(path, heads, rows)


def write_spectrum_csv(found: PathSpectrum, path: Path) -> Path:
    """Write one row an eigenvalue of a frame, with its error bound: 0 where it is exact.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    heads = ["frame", "evaluations", "place", "eigenvalue", "residual"]

    def rows() -> Iterable[list[object]]:
        for index, frame in enumerate(found.frames.tolist()):
            pairs = zip(found.values[index].tolist(), found.residuals[index].tolist(), strict=True)
            for place, (value, residual) in enumerate(pairs):
                if math.isfinite(value):
                    cost = repr(float(found.evaluations[index]))
                    yield [frame, cost, place + 1, repr(value), repr(residual)]

    return _written(path, heads, rows())


def _written(path: Path, heads: list[str], rows: Iterable[list[object]]) -> Path:
    with writing(path):
        return write_table(path, heads, rows)
