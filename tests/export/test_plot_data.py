"""Plots as numbers: equal to the recording, bit by bit."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lieapp.engine.recording import Recording
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.export.plot_data import (
    write_progress_csv,
    write_progress_json,
)
from lieapp.export.quantities import curves_of
from lieapp.export.tables import number_cell

TITLES = ["Adam", "SGD", 'Adam, "se(3)"']


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_progress_csv_is_tidy_and_exact(race: list[AlignmentResult], tmp_path: Path) -> None:
    rows = rows_of(write_progress_csv(curves_of(race, TITLES), tmp_path / "race.csv"))
    assert list(rows[0])[:2] == ["run", "frame"]
    assert [row["run"] for row in rows] == [
        t for t, result in zip(TITLES, race, strict=True) for _ in range(len(result.recording))
    ]
    for title, result in zip(TITLES, race, strict=True):
        own = [row for row in rows if row["run"] == title]
        assert [int(row["frame"]) for row in own] == list(range(len(result.recording)))
        for name in result.recording.columns:
            values = np.array([float(row[name]) for row in own])
            assert values.tobytes() == result.recording.column(name).tobytes(), name


def test_progress_json_is_exact(race: list[AlignmentResult], tmp_path: Path) -> None:
    record = json.loads(
        write_progress_json(curves_of(race, TITLES), tmp_path / "race.json").read_text(encoding="utf-8")
    )
    assert (record["schema"], record["kind"]) == (1, "progress")
    for run, title, result in zip(record["runs"], TITLES, race, strict=True):
        assert (run["title"], run["optimizer"]) == (title, result.job.optimizer.name)
        assert (run["outcome"], run["best"]) == ("converged", result.recording.best)
        assert run["units"] == {"rmsd": "Å", "gap": "Å", "objective_value": "Å", "angle_degrees": "°", "seconds": "s"}
        assert run["columns"].keys() == set(result.recording.columns)
        for name, values in run["columns"].items():
            assert np.array(values, dtype=float).tobytes() == result.recording.column(name).tobytes(), name


@pytest.mark.parametrize("value", [0.1, -1e-308, 1e22, np.float64(2.0), math.inf])
def test_numbers_of_tables_read_back(value: float) -> None:
    assert float(number_cell(value)) == value


@pytest.mark.parametrize("value", [math.nan, np.float64("nan")])
def test_what_is_not_known_is_an_empty_cell(value: float) -> None:
    assert number_cell(value) == ""


def test_runs_with_other_columns_and_odd_numbers(hinge: AlignmentResult, tmp_path: Path) -> None:
    recording = Recording()
    recording.append({"loss": 0.1, "extra": math.nan}, {})
    recording.append({"loss": math.inf, "extra": 5e-324}, {})
    odd = replace(hinge, recording=recording)
    curves = curves_of([hinge, odd], ["usual", "odd"])
    *_, first, second = rows_of(write_progress_csv(curves, tmp_path / "odd.csv"))
    assert (first["loss"], first["extra"], first["gap"]) == ("0.1", "", "")
    assert (second["loss"], second["extra"]) == ("inf", "5e-324")
    run = json.loads(write_progress_json(curves, tmp_path / "odd.json").read_text(encoding="utf-8"))["runs"][1]
    assert run["columns"] == {"loss": [0.1, None], "extra": [None, 5e-324]}
    assert run["outcome"] is None


def test_what_cannot_be_written_is_said(hinge: AlignmentResult, tmp_path: Path) -> None:
    curves = curves_of([hinge])
    for write in (write_progress_csv, write_progress_json):
        with pytest.raises(ExportError, match="no run"):
            write([], tmp_path / "none")
        with pytest.raises(ExportError, match="nowhere"):
            write(curves, tmp_path / "nowhere" / "file")
