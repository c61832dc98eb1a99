"""What the window's Export menu calls, without a window."""

from __future__ import annotations

import csv
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.engine.recording import Recording
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.export.reel import MovieLook
from lieapp.gui.align.exporting import (
    COPIES,
    EXPORTS,
    MOVIE_EXPORTS,
    PLOT_EXPORTS,
    PlotView,
    copied_text,
    export_movie,
    export_one,
    export_plot,
)
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.workbench.long_export import movie_suffixes
from lieapp.scene.errors import SceneError
from tests.export.test_alignment_figures import texts_of


def entry_of(result: AlignmentResult, title: str, color: str, dash: tuple[float, ...] = ()) -> RunEntry:
    return RunEntry(title, title, result.job, result.inputs, result.recording, color, dash)


@pytest.fixture
def entries(race: list[AlignmentResult]) -> list[RunEntry]:
    waiting = entry_of(race[0], "waits", "#000000")
    waiting.recording = Recording()
    return [entry_of(race[0], "first", "#112233"), entry_of(race[1], "second", "#445566", (3.0, 1.0)), waiting]


def test_ids_are_different() -> None:
    tables = (EXPORTS, PLOT_EXPORTS, MOVIE_EXPORTS, COPIES)
    assert len(set().union(*tables)) == sum(map(len, tables))


def test_the_plot_as_it_is_shown(entries: list[RunEntry], tmp_path: Path) -> None:
    view = PlotView("rmsd", "seconds", logarithmic=True, columns=2)
    (path,) = export_plot("export_plot_figure", entries, tmp_path / "plot.svg", view)
    texts = texts_of(ET.parse(path).getroot())
    assert {"first", "second", "computing time (s)"} <= set(texts)
    assert "waits" not in texts
    drawing = path.read_text(encoding="utf-8")
    assert "#112233" in drawing and "#445566" in drawing


def test_its_numbers(entries: list[RunEntry], tmp_path: Path) -> None:
    (path,) = export_plot("export_plot_csv", entries, tmp_path / "plot.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["gap"]) for row in rows if row["run"] == "second"] == entries[1].recording.column("gap").tolist()
    assert export_plot("export_plot_json", entries, tmp_path / "plot.json") == [tmp_path / "plot.json"]
    with pytest.raises(ExportError, match="no run"):
        export_plot("export_plot_csv", entries[2:], tmp_path / "none.csv")


def test_tables_to_copy(entries: list[RunEntry]) -> None:
    assert len(copied_text("copy_runs", entries[0], entries).splitlines()) == 3
    assert "pose at step 2" in copied_text("copy_result", entries[0], entries, frame=2)
    pairs = len(entries[0].inputs.pairing)
    assert len(copied_text("copy_residues", entries[0]).splitlines()) == pairs + 1


def test_movies_are_asked_for_by_their_id(entries: list[RunEntry], tmp_path: Path) -> None:
    assert movie_suffixes()[-2:] == (".gif", "")
    for identifier in MOVIE_EXPORTS:
        with pytest.raises(ExportError, match=r"film\.avi"):
            export_movie(identifier, entries[0], tmp_path / "film.avi")


def test_single_exports_still_work(entries: list[RunEntry], tmp_path: Path) -> None:
    assert export_one("export_transform_json", entries[0], tmp_path / "t.json", frame=1) == [tmp_path / "t.json"]


@pytest.mark.gl
def test_runs_shown_together_make_a_race(entries: list[RunEntry], tmp_path: Path) -> None:
    look = MovieLook(size=(160, 120), style="tube")
    try:
        files = export_movie("export_movie", entries[0], tmp_path / "race", look=look, rivals=entries[1:])
    except SceneError as error:
        if "gl" in os.environ.get("LIEAPP_REQUIRE", "").split(","):
            raise
        pytest.skip(f"gl: {error}")
    with Image.open(files[-1]) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=int)
    # The colours that the runs have in the window are those of the key.
    for color in ((0x11, 0x22, 0x33), (0x44, 0x55, 0x66)):
        assert (np.abs(pixels - color).max(axis=-1) < 6).any()
