"""A folder with the results of an earlier run: refused, or replaced and what stays is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lieapp.cli import main
from tests.conftest import PROJECT

PAIR = [str(PROJECT / "resources" / "examples" / f"hinge_{form}.pdb") for form in ("open", "closed")]
COMMANDS = {
    "align": ["align", *PAIR, "--steps", "3"],
    "landscape": ["landscape", "saddle", "--steps", "3"],
    "cryoem": ["cryoem", "--box", "12", "--images", "20", "--batch", "10", "--epochs", "1", "--device", "cpu"],
}
OPTIMIZERS = {"align": ["sgd", "adam"], "landscape": ["sgd", "adam"], "cryoem": ["sgd", "complex-adam"]}


def race(kind: str) -> list[str]:
    return [*COMMANDS[kind], *(word for name in OPTIMIZERS[kind] for word in ("--optimizer", name))]


@pytest.mark.parametrize("kind", COMMANDS)
def test_results_of_two_runs_do_not_mix_unsaid(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "results"
    first, second = OPTIMIZERS[kind]
    single = [*COMMANDS[kind], "--optimizer", second, "--out", str(folder)]
    assert main([*race(kind), "--quiet", "--out", str(folder)]) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main([*single, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "race.csv" in captured.err and "--overwrite" in captured.err and str(folder) in captured.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert main([*single, "--json", "--overwrite"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["optimizer"] == second
    assert "still there and not of this run" in captured.err and "race.csv" in captured.err
    assert (folder / "report.json").is_file()
    assert (folder / first / "report.json").read_bytes() == before[folder / first / "report.json"]


def test_the_same_run_again_replaces_everything_and_names_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*COMMANDS["landscape"], "--out", str(tmp_path)]
    assert main(words) == 0
    assert main([*words, "--overwrite"]) == 0
    assert capsys.readouterr().err == ""


def test_files_that_no_run_left_hold_up_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert main([*COMMANDS["landscape"], "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_sweep_does_not_mix_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "saddle", "--sweep", "lr=0.01:0.1:2", "--seeds", "1", "--evaluations", "5"]
    words += ["--out", str(tmp_path), "--json"]
    assert main(words) == 0
    assert main(words) == 2
    assert "sweep.json" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_a_reconstruction_goes_on_in_its_own_folder_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        assert main([*race("cryoem"), "--quiet", "--out", str(folder)]) == 0
    going_on = ["cryoem", "--resume", str(own), "--epochs", "2", "--json"]
    assert main([*going_on, "--out", str(other)]) == 2
    assert str(other) in capsys.readouterr().err
    assert main([*going_on, "--out", str(own)]) == 0
    assert capsys.readouterr().err == ""
    assert json.loads((own / "sgd" / "report.json").read_text(encoding="utf-8"))["steps"] == 4
