"""The command line as a person or a script uses it: in its own process where that matters."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lieapp.alignment.commands import OPTIONS, align_command, job_from_options
from lieapp.cli import app, main
from lieapp.engine.recording import Recording
from tests.conftest import PROJECT

REPORT_KEYS = {
    *("schema", "outcome", "message", "steps", "gradients", "losses", "hvps", "evaluations", "seconds", "best_step"),
    *("optimizer", "settings", "device", "mobile", "target", "pairing", "pairs", "atoms", "objective"),
    *("parametrisation", "rmsd", "kabsch_rmsd", "core_rmsd", "core_pairs", "core_cutoff", "tm_score_mobile"),
    *("tm_score_target", "gdt_ts", "objective_value", "reference_value", "reference_method", "gap", "transforms"),
    *("matrix", "twist", "angle_degrees"),
}


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    examples = PROJECT / "resources" / "examples"
    return str(examples / "hinge_open.pdb"), str(examples / "hinge_closed.pdb")


def process(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lieapp", *words], capture_output=True, text=True, cwd=PROJECT, timeout=120, check=False
    )


def test_json_is_one_object_and_nothing_else(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["align", *pair, "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report.keys() >= REPORT_KEYS
    assert report["schema"] == 1
    assert report["outcome"] == "converged"
    assert abs(report["gap"]) < 1e-4
    assert np.array(report["matrix"]).shape == (4, 4)
    assert captured.err == ""


def test_summary_for_people(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["align", *pair]) == 0
    text = capsys.readouterr().out
    for word in ("Converged", "RMSD", "Kabsch", "core", "TM-score", "rotation", "evaluations"):
        assert word in text
    assert main(["align", *pair, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_race_lists_runs(pair: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["align", *pair, "--optimizer", "sgd", "--optimizer", "adam", "--set", "adam.lr=0.37", "--json"]
    assert main([*words, "--out", str(tmp_path / "race")]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["optimizer"] for run in runs] == ["sgd", "adam"]
    assert runs[1]["settings"]["lr"] == 0.37
    assert runs[0]["settings"]["lr"] != 0.37
    figures = {f"race.{kind}" for kind in ("svg", "pdf", "png", "csv", "json")}
    assert {path.name for path in (tmp_path / "race").iterdir()} == {"sgd", "adam", *figures}


def test_every_option_of_a_job_has_its_flag() -> None:
    command = next(command for command in app.registered_commands if command.callback.__name__ == "align")
    assert command.callback is not None
    parameters = set(command.callback.__annotations__)
    assert {option.name for option in OPTIONS} <= parameters


def test_copied_command_reproduces_the_recording(pair: tuple[str, str], tmp_path: Path) -> None:
    job = job_from_options(*pair, optimizer="sophia", start="random", seed=7, steps=25, set={"lr": 0.3})
    command = shlex.split(align_command(job))
    assert command[:2] == ["lieapp", "align"]
    recordings = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        assert main([*command[1:], "--quiet", "--out", str(folder)]) == 0
        recordings.append(Recording.load(folder / "recording.npz"))
    first, second = recordings
    assert len(first) == len(second) > 1
    for name in set(first.columns) - {"seconds"}:
        assert first.column(name).tobytes() == second.column(name).tobytes()
    for frame in range(len(first)):
        for key, value in first.state(frame).items():
            assert value.tobytes() == second.state(frame)[key].tobytes()


def test_diverged_is_status_1_with_the_recording_kept(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["align", *pair, "--optimizer", "sgd", "--set", "lr=50", "--json", "--out", str(tmp_path)]
    assert main(words) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["outcome"] == "diverged"
    assert "lr" in report["message"]
    assert len(Recording.load(tmp_path / "recording.npz")) > 1


def test_interrupt_is_status_130_with_the_recording_kept(
    pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupt_at_step_50(*words: object, **options: object) -> Iterator[Callable[[str, int, float], None]]:
        yield lambda name, step, loss: signal.raise_signal(signal.SIGINT) if step == 50 else None

    monkeypatch.setattr("lieapp.cli.running._progress", interrupt_at_step_50)
    words = ["align", *pair, "--steps", "100000", "--gtol", "0", "--ftol", "0", "--json", "--out", str(tmp_path)]
    assert main(words) == 130
    assert json.loads(capsys.readouterr().out)["outcome"] == "cancelled"
    assert len(Recording.load(tmp_path / "recording.npz")) == 51
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def wrong_files(folder: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}.pdb" for name in ("empty", "text", "binary", "hetatm", "truncated", "missing")}
    files["empty"].write_bytes(b"")
    files["text"].write_text("this is a shopping list\n" * 5)
    files["binary"].write_bytes(bytes(range(256)) * 16)
    files["hetatm"].write_text("HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00  0.00           O\nEND\n")
    files["truncated"].write_text("ATOM      1  N   MET A   1      27.340  24.4")
    files["gzip"] = folder / "garbage.pdb.gz"
    files["gzip"].write_bytes(gzip.compress(os.urandom(500))[:200])
    files["folder"] = folder
    return files


@pytest.mark.parametrize("kind", ["empty", "text", "binary", "hetatm", "truncated", "missing", "gzip", "folder"])
def test_bad_file_is_one_line_and_status_2(
    kind: str, pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = wrong_files(tmp_path)[kind]
    assert main(["align", str(bad), pair[1]]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("lieapp: ")
    assert len(captured.err.splitlines()) == 1
    assert bad.name in captured.err or bad.stem in captured.err
    assert "Traceback" not in captured.err and "defect" not in captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "lr=-1"], "lr"),
        (["--set", "lr"], "KEY=VALUE"),
        (["--set", "nonsense=1"], "nonsense"),
        (["--optimizer", "adamm"], "adam"),
        (["--objective", "beauty"], "objective"),
        (["--mobile-chain", "Z"], "Z"),
        (["--fit", "A:1-"], "A:1-"),
        (["--steps", "many"], "steps"),
        (["--no-such-flag"], "no-such-flag"),
        (["--pairing", "structure"], "structure"),
        (["--device", "abacus"], "device"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(
    words: list[str], said: str, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["align", *pair, *words]) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert said in captured.err
    assert "defect" not in captured.err


def test_word_that_is_neither_command_nor_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["algin"]) == 2
    assert "algin" in capsys.readouterr().err


def test_optimizers_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    from lieapp.optimizers.fields import describe
    from lieapp.optimizers.settings import SETTINGS

    assert main(["optimizers"]) == 0
    overview = capsys.readouterr().out
    for name, settings in SETTINGS.items():
        assert name in overview
        assert main(["optimizers", name]) == 0
        text = capsys.readouterr().out
        for spec in describe(settings):
            assert spec.name in text
    assert main(["optimizers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out).keys() == SETTINGS.keys()


def test_doctor_in_its_own_process() -> None:
    done = process("doctor", "--json")
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert findings["packages"]["torch"]
    assert "cpu" in findings["torch"]["devices"]
    assert Path(findings["resources"]).is_dir()


def test_version() -> None:
    from lieapp import __version__

    done = process("--version")
    assert (done.returncode, done.stdout.strip()) == (0, __version__)


@pytest.mark.gl
def test_render_writes_a_picture(pair: tuple[str, str], tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "view.png"
    done = process("align", *pair, "--quiet", "--optimizer", "lbfgs", "--render", str(path), "--size", "400x300")
    assert done.returncode == 0, done.stderr
    with Image.open(path) as picture:
        colors = picture.convert("RGB").resize((200, 150)).getcolors(40000)
    assert colors is not None and len(colors) > 50


def test_entrants_of_one_name_have_settings_of_their_own(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["align", *pair, "--optimizer", "adam", "--optimizer", "adam", "--optimizer", "sgd", "--steps", "3"]
    settings = ["--set", "adam-2.lr=0.125", "--set", "adam.lr=0.25", "--set", "adam.betas=0.5,0.9", "--set", "sgd.lr=1"]
    assert main([*words, *settings, "--json"]) == 0
    first, second, third = (run["settings"] for run in json.loads(capsys.readouterr().out)["runs"])
    assert (first["lr"], second["lr"], third["lr"]) == (0.25, 0.125, 1.0)
    assert first["betas"] == second["betas"] == [0.5, 0.9]


def test_race_with_a_class_of_a_module(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = "torch.optim:NAdam"
    words = ["align", *pair, "--optimizer", name, "--optimizer", "sgd", "--set", f"{name}.lr=0.5", "--steps", "3"]
    assert main([*words, "--out", str(tmp_path), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert runs[0]["settings"]["lr"] == 0.5
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"torch.optim.NAdam", "sgd"}


def test_a_folder_that_cannot_be_written_to_is_said_before_the_run(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rights do not hold back root.
    monkeypatch.setattr("os.access", lambda path, mode, **rest: not mode & os.W_OK)
    assert main(["align", *pair, "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"lieapp: {tmp_path}: cannot be written to.\n"


def test_optimizers_says_what_align_takes_instead_of_the_defaults(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimizers", "adam"]) == 0
    text = capsys.readouterr().out.split("lieapp align takes")[1]
    taken = [word for word in text.split() if "=" in word]
    assert "lr=1" in taken
    outcomes = []
    for words in ([], [part for word in taken for part in ("--set", word)]):
        assert main(["align", *pair, *words, "--json"]) == 0
        outcomes.append(json.loads(capsys.readouterr().out)["settings"])
    assert outcomes[0] == outcomes[1]
    assert main(["optimizers", "adafactor"]) == 0
    assert "lieapp align takes" not in capsys.readouterr().out


@pytest.mark.gl
def test_picture_and_films_of_a_run(pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    words = ["align", *pair, "--optimizer", "lbfgs", "--render", str(tmp_path / "view.png"), "--size", "80x60"]
    films = ["--movie", str(tmp_path / "run.gif"), "--turntable", str(tmp_path / "turn"), "--style", "tube"]
    assert main([*words, *films]) == 0
    captured = capsys.readouterr()
    if "EGL" in captured.err and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
        pytest.skip(f"gl: {captured.err}")
    assert captured.err == ""
    assert f"122 files to {tmp_path / 'view.png'} and {tmp_path / 'run.gif'} and {tmp_path / 'turn'}" in captured.out
    for path in (tmp_path / "view.png", tmp_path / "run.gif", tmp_path / "turn" / "frame_00119.png"):
        with Image.open(path) as picture:
            assert picture.size == (80, 60)


def test_without_egl_one_message_and_all_else_is_written(
    pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent")
    out = tmp_path / "out"
    drawn = ["--render", str(tmp_path / "view.png"), "--movie", str(tmp_path / "run.gif")]
    assert main(["align", *pair, "--json", "--out", str(out), *drawn]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["outcome"] == "converged"
    assert len(captured.err.splitlines()) == 1
    assert "libegl1" in captured.err
    assert (out / "report.json").is_file() and (out / "figures" / "progress.svg").is_file()
    assert not (tmp_path / "view.png").exists() and not (tmp_path / "run.gif").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--render", "view.jpg"], "view.jpg"),
        (["--render", "nowhere/view.png"], "nowhere"),
        (["--render", "view.png", "--size", "huge"], "WIDTHxHEIGHT"),
        (["--render", "view.png", "--size", "8000x8000"], "8000x8000"),
        (["--render", "view.png", "--style", "beauty"], "beauty"),
        (["--movie", "run.avi"], "run.avi"),
        (["--movie", "run.gif", "--transparent"], "transparent"),
        (["--turntable", "nowhere/turn.gif"], "nowhere"),
    ],
)
def test_what_cannot_be_drawn_is_said_before_the_run(
    words: list[str], said: str, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["align", *pair, *words]) == 2
    captured = capsys.readouterr()
    assert (captured.out, len(captured.err.splitlines())) == ("", 1)
    assert said in captured.err and "defect" not in captured.err
