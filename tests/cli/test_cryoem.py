"""`lieapp cryoem` as a person or a script uses it."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from lieapp.cli import main
from lieapp.cryoem.angles import uniform_rotations
from lieapp.cryoem.commands import cryoem_command, job_from_options
from lieapp.cryoem.maps import read_map
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.writing import write_particles
from lieapp.engine.recording import Recording

FAST = ["cryoem", "--box", "16", "--images", "120", "--batch", "30", "--epochs", "2", "--device", "cpu"]


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAST, "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["schema"], report["box"], report["images"], report["epochs"]) == (1, 16, 120, 2.0)
    assert report["preconditioner"] == "hutchinson"
    assert len(report["shell_error"]) == len(report["fsc_truth"]) == 8
    assert report["fsc_half"] == []
    assert captured.err == ""


def test_race_at_equal_evaluations(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--optimizer", "sgd", "--optimizer", "preconditioned-sgd", "--set", "sgd.lr=0.5", "--json"]
    assert main([*FAST, *words]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["optimizer"] for run in runs] == ["sgd", "preconditioned-sgd"]
    assert runs[0]["settings"]["lr"] == 0.5
    assert all(8.0 <= run["evaluations"] < 10.0 for run in runs)


def test_folder_of_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAST, "--half-sets", "--ctf", "--out", str(tmp_path)]) == 0
    assert "Written" in capsys.readouterr().out
    found = read_map(tmp_path / "map.mrc")
    report = json.loads((tmp_path / "report.json").read_text())
    assert found.values.shape == (16, 16, 16)
    assert found.pixel_size_angstrom == pytest.approx((report["pixel_size_angstrom"],) * 3, rel=1e-6)
    halves = [read_map(path).values for path in sorted(tmp_path.glob("*half[12]*.mrc"))]
    assert np.allclose(0.5 * (halves[0] + halves[1]), found.values, atol=1e-6 * np.abs(found.values).max())
    with (tmp_path / "fsc.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert float(rows[3]["fsc_half"]) == pytest.approx(report["fsc_half"][3])
    recording = Recording.load(tmp_path / "recording.npz")
    assert np.array_equal(recording.state(-1)["map"], found.values)
    with (tmp_path / "shell_error.csv").open() as file:
        assert len(list(csv.reader(file))) == len(recording) + 1


def test_checkpoint_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAST, "--out", str(tmp_path / "a"), "--quiet"]) == 0
    assert main(["cryoem", "--resume", str(tmp_path / "a/checkpoint.pt"), "--epochs", "4", "--json"]) == 0
    resumed = json.loads(capsys.readouterr().out)
    assert main([*FAST, "--epochs", "4", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert resumed.pop("seconds") != whole.pop("seconds")
    assert resumed == whole
    assert main(["cryoem", "--resume", str(tmp_path / "a/checkpoint.pt"), "--box", "20"]) == 2
    assert "--box cannot change it" in capsys.readouterr().err
    assert main(["cryoem", "--resume", str(tmp_path / "none.pt")]) == 2


def test_particles_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    images = rng.standard_normal((40, 16, 16)).astype(np.float32)
    write_particles(Particles(images, uniform_rotations(40, rng), np.zeros((40, 2)), 3.0), tmp_path)
    star = str(next(tmp_path.glob("*.star")))
    assert main(["cryoem", "--particles", star, "--box", "12", "--batch", "10", "--epochs", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["box"], report["images"], report["steps"]) == (12, 40, 4)
    assert report["pixel_size_angstrom"] == pytest.approx(4.0)
    assert set(report["fsc_truth"]) == {None}
    assert main(["cryoem", "--particles", star, "--box", "20"]) == 2
    assert "fewer than 20" in capsys.readouterr().err


def test_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--lab", "cryoem", "--headless", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len(runs) == 3
    errors = [run["shell_error"][14] for run in runs]
    assert errors[0] > 2.0 * max(errors[1:])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--box", "4"], "--box 4"),
        (["--phantom", "nothing"], "barrel"),
        (["--preconditioner", "best"], "--preconditioner best"),
        (["--particles", "no.star"], "no.star"),
        (["--defocus", "3"], "--defocus 3: expected LOW,HIGH in Å"),
        (["--defocus", "low,high"], "expected LOW,HIGH in Å"),
        (
            ["--optimizer", "adam", "--preconditioner", "exact"],
            "--preconditioner belongs to --optimizer preconditioned-",
        ),
        (["--optimizer", "sgd", "--optimizer", "adam", "--clamp", "0"], "not in the run (sgd, adam)"),
        (["--set", "speed=1"], "speed"),
        (["--optimizer", "saddle-free-newton"], "for align and landscape only"),
    ],
)
def test_wrong_words_are_answered_in_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*FAST, *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_options_of_preconditioners_are_for_those_of_a_race_that_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    race = ["--optimizer", "sgd", "--optimizer", "preconditioned-sgd", "--preconditioner", "exact", "--json"]
    assert main([*FAST, *race]) == 0
    assert [run["preconditioner"] for run in json.loads(capsys.readouterr().out)["runs"]] == ["none", "exact"]
    assert main([*FAST, "--optimizer", "sgd", "--preconditioner", "none", "--json"]) == 0


def test_copied_commands_leave_out_what_does_nothing() -> None:
    job = job_from_options(optimizer="adam", preconditioner="exact", clamp=0.0, box=16)
    words = shlex.split(cryoem_command(job))
    assert words == ["lieapp", "cryoem", "--box", "16", "--optimizer", "adam"]
    kept = cryoem_command(job_from_options(optimizer="preconditioned-sgd", preconditioner="exact", clamp=0.0))
    assert "--preconditioner exact" in kept and "--clamp 0" in kept


@pytest.mark.parametrize(
    ("batch", "epochs", "words"),
    [
        ("99999", "1", "1 epoch of all images at once"),
        ("30", "2", "2 epochs of 4 batches of 30"),
        ("100", "1", "1 epoch of 2 batches of 60"),
    ],
)
def test_the_summary_tells_batches_as_they_were(
    batch: str, epochs: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*FAST, "--batch", batch, "--epochs", epochs]) == 0
    assert f"120 images of 16 pixels of 12.4 Å; {words}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "instead"), [("complex-adam", "adam"), ("Preconditioned_SGD", "sgd")])
def test_optimisers_of_reconstructions_are_refused_elsewhere(
    name: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["align", "one.pdb", "two.pdb"], ["landscape", "saddle"]):
        assert main([*words, "--optimizer", name]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert f"is for cryoem only, not for {words[0]}" in told
        assert told.endswith(f"take {instead}\n")
    assert main(["optimizers", name]) == 0
    assert "lieapp cryoem takes" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"box": 48, "ctf": True, "half_sets": True, "snr": 0.5, "set": {"lr": 0.2}},
        {"particles": "a b.star", "ctf": False, "optimizer": "complex-adam", "epochs": 3.5},
        {"particles": "a.star", "half_sets": False, "prior": "none"},
        {"defocus": (9000.0, 12000.0), "views": "preferred", "prior": "wiener", "seed": 7},
    ],
)
def test_copied_command_is_the_job(options: dict) -> None:
    job = job_from_options(**options)
    words = shlex.split(cryoem_command(job))[2:]
    given: dict = {"set": []}
    while words:
        word = words.pop(0)
        name = word.removeprefix("--").replace("-", "_")
        if name.removeprefix("no_") in ("ctf", "half_sets", "allow_outside"):
            given[name.removeprefix("no_")] = not name.startswith("no_")
        elif name == "set":
            given["set"].append(words.pop(0))
        else:
            given[name] = words.pop(0)
    assert job_from_options(**given) == job


@pytest.mark.parametrize(
    ("sets", "words", "halves", "prior"),
    [
        ([0], [], True, "wiener"),
        ([1, 2], [], True, "wiener"),
        ([1], [], False, "wiener"),  # all of one half set: two cannot be made of them
        ([0], ["--no-half-sets"], False, "wiener"),
        ([0], ["--prior", "none"], True, "none"),
    ],
)
def test_read_particles_get_half_sets_and_the_wiener_prior(
    sets: list[int], words: list[str], halves: bool, prior: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the window, unless something is said; what is decided is what saying it gives."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((40, 16, 16)).astype(np.float32)
    half_set = np.resize(sets, 40).astype(np.int8)
    particles = Particles(images, uniform_rotations(40, rng), np.zeros((40, 2)), 3.0, half_set=half_set)
    assert particles.divisible is (sets != [1])
    write_particles(particles, tmp_path)
    star = ["--particles", str(tmp_path / "particles.star")]
    common = [*FAST[5:], "--json"]

    def losses(*said: str) -> tuple[list[float], int]:
        assert main(["cryoem", *star, *said, *common]) == 0
        report = json.loads(capsys.readouterr().out)
        return [report["loss_gap"], *report["shell_error"]], len(report["fsc_half"])

    found, shells = losses(*words)
    assert shells == (8 if halves else 0)
    assert found == losses("--half-sets" if halves else "--no-half-sets", "--prior", prior)[0]


def test_simulations_have_neither_unless_asked() -> None:
    job = job_from_options()
    assert job.chosen_prior == "none" and not job.takes_half_sets(possible=True)
    job = job_from_options(half_sets=True, prior="wiener")
    assert job.chosen_prior == "wiener" and job.takes_half_sets(possible=False)
