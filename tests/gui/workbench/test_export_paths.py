"""Check where exports go to: what is suggested, what is remembered, and what a dialog that is closed changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget

from lieapp.gui.application.preferences import Preferences
from lieapp.gui.workbench.export_paths import ask_file, ask_folder, written_message


@pytest.fixture
def parent(qtbot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def test_a_folder_is_remembered(parent: QWidget, preferences: Preferences, tmp_path: Path, monkeypatch) -> None:
    answers, asked = [str(tmp_path), ""], []

    def ask(window: object, title: str, folder: str) -> str:
        asked.append(folder)
        return answers.pop(0)

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", ask)
    assert ask_folder(parent, preferences, "Folder") == tmp_path
    assert ask_folder(parent, preferences, "Folder") is None
    assert asked == ["", str(tmp_path)] and preferences.text("export") == str(tmp_path)


def test_nothing_is_written_into_the_results_of_an_earlier_run(
    parent: QWidget, preferences: Preferences, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    for name in ("fit", "fit-2", "fit-3"):
        path = ask_folder(parent, preferences, "Folder", "fit")
        assert path == tmp_path / name
        path.mkdir()
        assert ask_folder(parent, preferences, "Folder", "fit") == path, "an empty one may be used"
        (path / "transform.json").touch()


@pytest.mark.parametrize(
    ("typed", "kind", "name"),
    [
        ("fit.svg", "SVG (*.svg)", "fit.svg"),
        ("fit", "PDF (*.pdf)", "fit.pdf"),
        ("fit.v2", "SVG (*.svg)", "fit.v2.svg"),
        ("fit.PDF", "SVG (*.svg)", "fit.PDF"),
    ],
)
def test_a_file_has_the_suffix_of_its_format(
    typed: str, kind: str, name: str, parent: QWidget, preferences: Preferences, tmp_path: Path, monkeypatch
) -> None:
    asked: list[str] = []

    def ask(window: object, title: str, suggestion: str, filters: str) -> tuple[str, str]:
        asked.append(suggestion)
        return str(tmp_path / typed), kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    assert ask_file(parent, preferences, "Write", "run", (".svg", ".pdf")) == tmp_path / name
    assert asked == ["run.svg"] and preferences.text("export") == str(tmp_path)


def test_what_is_said_names_the_file_or_counts_them(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    assert written_message([one], tmp_path).text == f"Written to {one}."
    assert written_message([one, two], tmp_path, "best pose").text == f"2 files written to {tmp_path} (best pose)."
