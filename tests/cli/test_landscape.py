"""`lieapp landscape` as a person or a script uses it."""

from __future__ import annotations

import csv
import json
import shlex
import sys
from pathlib import Path

import pytest

from lieapp.api import landscape
from lieapp.cli import main
from lieapp.engine.recording import Recording
from lieapp.landscapes.commands import job_from_options, landscape_command
from lieapp.landscapes.spec import LANDSCAPES
from lieapp.paths import resource


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["landscape", "saddle", "--optimizer", "sgd", "--start", "0.5,0.01", "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["schema"], report["landscape"], report["outcome"]) == (1, "saddle", "converged")
    assert report["nearest_stationary_point"]["kind"] == "minimum"
    assert captured.err == ""


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["landscape", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in LANDSCAPES)
    assert main(["landscape", "--list", "--json"]) == 0
    records = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    assert records.keys() == LANDSCAPES.keys()
    assert len(records["muller-brown"]["stationary_points"]) == 5


def test_typed_formula(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "--formula", "(x^2-1)^2 + y^2", "--start=-0.1,1", "--optimizer", "sgd", "--json"]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["landscape"] == "formula"
    assert report["parameters"] == pytest.approx([-1.0, 0.0], abs=1e-6)
    assert report["nearest_stationary_point"]["distance"] < 1e-6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["landscape", "--formula", "2x"], "column 2: expected an operator"),
        (["landscape", "sadle"], "did you mean saddle"),
        (["landscape", "saddle", "--start", "1"], "expected 2 numbers"),
        (["landscape", "saddle", "--start", "nan,0"], "expected finite numbers"),
        (["landscape", "saddle", "--sweep", "speed=1:2:3"], "no setting speed"),
        (["landscape", "saddle", "--sweep", "lr=0:1:3"], "above 0"),
        (["landscape", "saddle", "--optimizer", "adem"], "no optimiser 'adem'"),
        (["landscape", "saddle", "--set", "speed=3"], "no setting"),
        (["landscape", "transformer-tiny", "--text", "no-such.txt"], "no-such.txt"),
        (["landscape", "saddle", "--seeds", "0"], "seeds"),
        (["landscape", "saddle", "--seeds", "2", "--displacement", "inf"], "displacement"),
        (["landscape", "saddle", "--displacement", "0.1"], "--displacement sets the starts of several --seeds"),
        (["landscape", "strict-saddle-100", "--seeds", "2", "--displacement", "0.1"], "on a surface"),
        (["landscape", "saddle", "--size", "640x480"], "--size is that of a film"),
        (["align", "a.pdb", "b.pdb", "--size", "640x480"], "--size goes with --render"),
        (["align", "a.pdb", "b.pdb", "--transparent"], "--transparent goes with --render"),
        (["demo", "--lab", "kitchen"], "expected align, landscape or cryoem"),
    ],
)
def test_wrong_use_is_status_2_and_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_an_optimiser_of_ones_own_lies_where_the_program_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "import torch\n\nclass Descent(torch.optim.SGD):\n    pass\n"
    (tmp_path / "walkers_descent.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", str(tmp_path))])
    words = ["landscape", "saddle", "--optimizer", "walkers_descent:Descent", "--set", "lr=0.05", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "converged"
    assert sys.path[-1] == "" and sys.path.count("") == 1


FAULTY = """import sys

import torch


class Descent(torch.optim.SGD):
    def step(self, closure):
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps == 3:
            {fault}
        return super().step(closure)
"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("sys.exit(3)", "Failed at step 3: Descent called sys.exit(3)."),
        ("sys.exit('no more')", "Failed at step 3: Descent called sys.exit('no more')."),
        ("raise RuntimeError('lost')", "Failed at step 3: RuntimeError: lost."),
    ],
)
def test_a_step_of_ones_own_that_fails_costs_no_recording(
    fault: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"faulty_{abs(hash(fault))}"
    (tmp_path / f"{name}.py").write_text(FAULTY.format(fault=fault), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["landscape", "saddle", "--optimizer", f"{name}:Descent", "--optimizer", "sgd", "--evaluations", "9"]
    assert main([*words, "--json", "--out", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    own, other = json.loads(captured.out)["runs"]
    assert (own["outcome"], other["outcome"]) == ("failed", "limit")
    assert own["message"].startswith(said) and captured.err == ""
    assert len(Recording.load(tmp_path / "out" / f"{name}.Descent" / "recording.npz")) == 3
    assert main([*words, "--json", "--debug"]) == 1
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["runs"]) == 2
    assert captured.err.startswith(f"{name}:Descent:\nTraceback") and f"{name}.py" in captured.err
    assert captured.err.count("Traceback") == (1 if "raise" in fault else 2)
    assert main([*words[:4], "--sweep", "lr=0.01:0.1:2", "--seeds", "1", "--evaluations", "9"]) == 0
    assert "2 of 2 runs failed: one of them without the sweep says why." in capsys.readouterr().out


@pytest.mark.parametrize("place", ["module", "class"])
def test_a_class_of_ones_own_that_would_end_the_program_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "import sys\nimport torch\n\nclass Descent(torch.optim.SGD):\n    pass\n"
    source += "    def __init__(self, params, lr=0.1):\n        sys.exit(3)\n" if place == "class" else "sys.exit(3)\n"
    (tmp_path / f"leaving_{place}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["landscape", "saddle", "--optimizer", f"leaving_{place}:Descent"]) == 2
    said = capsys.readouterr().err
    assert f"leaving_{place}:Descent" in said and "called sys.exit(3)" in said and said.count("\n") == 1


def test_what_an_optimiser_of_ones_own_prints_is_not_among_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = """import torch

print("imported")


class Talker(torch.optim.SGD):
    def __init__(self, params, lr=0.05):
        print("made")
        super().__init__(params, lr=lr)

    def step(self, closure=None):
        print("stepped")
        return super().step(closure)
"""
    (tmp_path / "talkers_descent.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["landscape", "saddle", "--optimizer", "talkers_descent:Talker", "--json"]
    assert main([*words, "--steps", "2"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["steps"] == 2
    assert captured.err.splitlines() == ["imported", "made", "stepped", "stepped"]
    assert main([*words, "--sweep", "lr=0.01:0.1:2", "--seeds", "1", "--evaluations", "2"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["runs"] == 2
    assert captured.err.count("stepped") == 4


def test_results_are_told_although_the_film_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> list[Path]:
        raise KeyboardInterrupt

    monkeypatch.setattr("lieapp.cli.landscape.film_results", interrupted)
    words = ["landscape", "saddle", "--optimizer", "sgd", "--steps", "3", "--movie", str(tmp_path / "film.gif")]
    assert main(words) == 130
    captured = capsys.readouterr()
    assert "Stopped at the limit of 3 steps" in captured.out
    assert captured.err.strip() == "lieapp: interrupted."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--optimizer", "deo", "--set", "lr=0.1"], "deo has no setting lr; nearest: base.lr ("),
        (["--set", "sgd.lr=1"], "--set sgd.lr=1: sgd is not in the run, which has adam."),
        (["--set", "adam-2.lr=1"], "adam-2 is not in the run, which has adam."),
        (["--set", "mine:Own.lr=1"], "mine:Own is not in the run, which has adam."),
        (["--set", "schedul.kind=cosine"], "nearest: schedule"),
    ],
)
def test_settings_that_fit_nobody_are_answered_with_what_may_be_meant(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["landscape", "saddle", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1


def test_settings_find_their_optimiser_however_it_is_spelt(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--optimizer", "Perturbed_SGD", "--set", "perturbed-sgd.lr=0.125", "--steps", "2", "--json"]
    assert main(["landscape", "saddle", *words]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["lr"] == 0.125


def test_a_network_tells_its_loss_on_held_out_text(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "transformer-tiny", "--optimizer", "adamw", "--steps", "2"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    table = landscape("transformer-tiny", optimizer="adamw", steps=2).columns
    assert report["validation_loss"] == table["validation_loss"][-1]
    assert main(words) == 0
    assert f"{report['validation_loss']:.6g} nats a character on held-out text" in capsys.readouterr().out
    assert main(["landscape", "saddle", "--steps", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["validation_loss"] is None


def test_race_with_seeds_writes_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "race"
    words = ["landscape", "strict-saddle-100", "--optimizer", "sgd", "--optimizer", "deo", "--set", "sgd.lr=0.15"]
    assert main([*words, "--seeds", "2", "--evaluations", "60", "--json", "--out", str(folder)]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["optimizer"], run["seed"]) for run in runs] == [("sgd", 0), ("sgd", 1), ("deo", 0), ("deo", 1)]
    assert [run["title"] for run in runs] == ["sgd seed 0", "sgd seed 1", "deo seed 0", "deo seed 1"]
    assert runs[0]["settings"]["lr"] == 0.15
    assert runs[0]["loss"] != runs[1]["loss"]
    assert {path.name for path in folder.iterdir()} == {
        *("sgd-seed-0", "sgd-seed-1", "deo-seed-0", "deo-seed-1", "race.csv", "figures"),
    }
    with (folder / "race.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(run["steps"] + 1 for run in runs)
    assert {row["seed"] for row in rows} == {"0", "1"}
    assert not any("nan" in row.values() for row in rows)
    # Two seeds have two starts, and two planes: there is no picture of both.
    assert not (folder / "figures" / "path.svg").exists()
    assert (folder / "sgd-seed-0" / "figures" / "path.svg").exists()


def test_seeds_on_a_surface_start_a_little_apart_and_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "saddle", "--optimizer", "sgd", "--seeds", "3", "--steps", "20"]
    assert main([*words, "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len({run["loss"] for run in runs}) == 3
    assert main([*words, "--displacement", "0.01"]) == 0
    assert "Each of 3 seeds starts 0.01 from (0.5, 0.0001), in a direction of its own." in capsys.readouterr().out
    assert main([*words, "--displacement", "0", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len({run["loss"] for run in runs}) == 1
    assert main([*words, "--displacement", "0"]) == 0
    assert "All 3 seeds start at (0.5, 0.0001)" in capsys.readouterr().out


def test_out_holds_recording_table_figures_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["landscape", "himmelblau", "--optimizer", "adam", "--steps", "30", "--out", str(folder)]) == 0
    assert "Written: 9 files" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} == {"recording.npz", "trajectory.csv", "figures", "report.json"}
    kinds = {f"{name}.{kind}" for name in ("path", "progress") for kind in ("svg", "pdf", "png")}
    assert {path.name for path in (folder / "figures").iterdir()} == kinds
    recording = Recording.load(folder / "recording.npz")
    with (folder / "trajectory.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(recording) == 31
    assert [float(row["point_1"]) for row in rows] == recording.states("point")[:, 0].tolist()
    assert [float(row["loss"]) for row in rows] == recording.column("loss").tolist()
    assert {row["dimer_curvature"] for row in rows} == {row["direction_1"] for row in rows} == {""}  # Adam has none
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["job"]["landscape"] == "himmelblau" and "torch" in report["versions"]


def test_diverged_is_status_1_with_the_recording_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "saddle", "--optimizer", "sgd", "--set", "lr=50", "--json", "--out", str(tmp_path)]
    assert main(words) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["outcome"] == "diverged" and "Try lr" in report["message"]
    assert len(Recording.load(tmp_path / "recording.npz")) >= 1


def test_a_function_without_a_least_value_is_said_to_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["landscape", "--formula", "x^2 - y^2", "--optimizer", "sgd", "--json"]) == 1
    message = json.loads(capsys.readouterr().out)["message"]
    assert "unbounded below" in message and "Try lr" not in message and "step too large" not in message


def test_copied_command_reproduces_the_recording(tmp_path: Path) -> None:
    job = job_from_options("deep-linear", optimizer="deo", seed=7, steps=12, offset=0.3, set={"mode": "project"})
    command = shlex.split(landscape_command(job))
    recordings = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        assert main([*command[1:], "--quiet", "--out", str(folder)]) == 0
        recordings.append(Recording.load(folder / "recording.npz"))
    first, second = recordings
    assert len(first) == len(second) == 13
    for name in set(first.columns) - {"seconds"}:
        assert first.column(name).tobytes() == second.column(name).tobytes()


def test_demo_tells_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--lab", "landscape", "--headless"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("x² − y² + y⁴ from (0.5, 0.0001), up to ")
    for words in ("DEO escape left", "SGD left", "Adam left", "DEO project did not leave the saddle", "theory: 1.0000"):
        assert words in text
    assert main(["demo", "--lab", "landscape", "--headless", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 4


@pytest.mark.parametrize("name", ["saddle", "so3-alignment", "transformer-tiny"])
def test_help_says_what_every_column_is(name: str) -> None:
    page = resource("help/landscape.md").read_text(encoding="utf-8")
    plain = {"step", "loss", "gradient_norm", "x", "y"}
    columns = landscape(name, optimizer="deo", steps=1).columns.keys() - plain
    assert [column for column in columns if f"`{column}`" not in page] == []
