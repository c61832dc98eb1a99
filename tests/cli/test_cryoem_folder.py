"""What `lieapp cryoem --out` leaves: every file is opened again, by LieApp and by independent readers."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import gemmi
import mrcfile
import numpy as np
import pytest
from PIL import Image

from lieapp.cli import main
from lieapp.cryoem.maps import read_map
from lieapp.cryoem.metrics import Shells
from lieapp.cryoem.plane import map_to_fourier
from lieapp.cryoem.reading import read_particles
from lieapp.cryoem.resolution import resolution_angstrom
from lieapp.cryoem.star import read_star
from lieapp.engine.checkpoint import Checkpoint
from lieapp.engine.recording import Recording
from tests.conftest import shared_data

FAST = ["cryoem", "--box", "16", "--images", "120", "--batch", "30", "--epochs", "2", "--device", "cpu"]
FIGURES = ("progress", "fsc", "fsc_half", "shell_error", "shell_error_epochs", "slices")
MAPS = ("map", "lieapp_half1_class001_unfil", "lieapp_half2_class001_unfil", "one_pass", "minimiser", "truth")
TABLES = ("fsc.csv", "shell_error.csv", "progress.csv", "recording.npz", "report.json", "checkpoint.pt")
FIELDS = {
    *("outcome", "message", "steps", "gradients", "losses", "hvps", "evaluations", "seconds", "best_step", "optimizer"),
    *("settings", "device", "box", "images", "epochs", "preconditioner", "loss_gap", "shell_error", "fsc_truth"),
    *("condition_number", "resolution_angstrom"),
}
"""Those that the design names."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("out")
    assert (
        main([*FAST, "--half-sets", "--ctf", "--shift", "1", "--write-particles", "--quiet", "--out", str(found)]) == 0
    )
    return found


@pytest.fixture(scope="module")
def report(folder: Path) -> dict:
    found: dict = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_nothing_is_missing_and_nothing_else_is_there(folder: Path) -> None:
    expected = {*TABLES, *(f"{name}.mrc" for name in MAPS), "particles/particles.star", "particles/particles.mrcs"}
    expected |= {f"figures/{name}.{kind}" for name in FIGURES for kind in ("svg", "pdf", "png")}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == expected


def test_report_has_the_fields_of_the_design(report: dict) -> None:
    assert set(report) >= FIELDS
    assert (report["box"], report["images"], report["epochs"], report["preconditioner"]) == (16, 120, 2.0, "hutchinson")
    assert report["job"]["half_sets"] is True
    assert "torch" in report["versions"]


@pytest.mark.parametrize("name", MAPS)
def test_maps_have_scale_and_origin(folder: Path, report: dict, name: str) -> None:
    path, pixel = folder / f"{name}.mrc", report["pixel_size_angstrom"]
    assert mrcfile.validate(path)
    with mrcfile.open(path) as file:
        assert file.is_volume()
        assert file.header.mode == 2
        assert file.header.ispg == 1
        assert file.voxel_size.x == file.voxel_size.z == pytest.approx(pixel, rel=1e-6)
        assert file.header.origin.x == file.header.origin.y == file.header.origin.z == 0
        assert file.header.nxstart == file.header.nystart == file.header.nzstart == 0
        values = file.data.copy()
        assert file.header.rms == pytest.approx(values.std(), rel=1e-3)
    # gemmi names points by x, y, z.
    found = gemmi.read_ccp4_map(str(path), setup=True).grid
    assert found.unit_cell.a == pytest.approx(16 * pixel, rel=1e-6)
    np.testing.assert_array_equal(found.array.transpose(2, 1, 0), values)


@pytest.mark.peer("relion")
def test_relion_reads_the_scale_of_the_maps(folder: Path, report: dict) -> None:
    program = shutil.which("relion_image_handler")
    if program is None:
        pytest.skip("peer: RELION is not installed")
    halves = [str(folder / f"{name}.mrc") for name in MAPS[1:3]]
    said = subprocess.run(
        [program, "--i", halves[0], "--fsc", halves[1]], capture_output=True, text=True, check=True, timeout=60
    )
    (folder.parent / "relion.star").write_text(said.stdout)
    (table,) = read_star(folder.parent / "relion.star")
    box = 16 * report["pixel_size_angstrom"]
    np.testing.assert_allclose(table.numbers("rlnAngstromResolution")[1:8], box / np.arange(1, 8), rtol=1e-4)
    # RELION counts the plane kx = 0 twice, which is much of the first shell; the last reaches into the corners.
    theirs = table.numbers("rlnFourierShellCorrelation")
    np.testing.assert_allclose(theirs[2:7], report["fsc_half"][2:7], atol=0.01)
    assert theirs[1] == pytest.approx(report["fsc_half"][1], abs=0.06)


def test_curves_are_those_of_the_maps(folder: Path, report: dict) -> None:
    rows = rows_of(folder / "fsc.csv")
    shells, box = Shells(16), 16 * report["pixel_size_angstrom"]
    volumes = {name: map_to_fourier(_tensor(read_map(folder / f"{name}.mrc").values)) for name in MAPS}
    halves = shells.correlation(volumes[MAPS[1]], volumes[MAPS[2]]).numpy()
    truth = shells.correlation(volumes["map"], volumes["truth"]).numpy()
    for k, row in enumerate(rows):
        assert float(row["frequency_per_angstrom"]) == pytest.approx(k / box)
        assert (
            row["resolution_angstrom"] == "" if k == 0 else float(row["resolution_angstrom"]) == pytest.approx(box / k)
        )
        assert float(row["fsc_half"]) == report["fsc_half"][k] == pytest.approx(halves[k], abs=1e-4)
        assert float(row["fsc_truth"]) == report["fsc_truth"][k] == pytest.approx(truth[k], abs=1e-4)
    assert resolution_angstrom(np.array(report["fsc_truth"]), 16, report["pixel_size_angstrom"], 0.5) == pytest.approx(
        report["resolution_angstrom"]
    )


def test_tables_are_the_recording(folder: Path, report: dict) -> None:
    recording = Recording.load(folder / "recording.npz")
    progress, errors = rows_of(folder / "progress.csv"), rows_of(folder / "shell_error.csv")
    assert len(progress) == len(errors) == len(recording) == 9
    np.testing.assert_array_equal([float(row["loss"]) for row in progress], recording.column("loss"))
    last = [float(errors[-1][f"shell_{k}"]) for k in range(8)]
    assert last == report["shell_error"] == recording.state(-1)["shell_error"].tolist()
    assert np.array_equal(recording.state(-1)["map"], read_map(folder / "map.mrc").values)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_open_and_show_what_they_should(folder: Path, name: str) -> None:
    place = folder / "figures" / name
    drawing = ElementTree.parse(place.with_suffix(".svg")).getroot()
    words = [" ".join("".join(each.itertext()).split()) for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "preconditioned-sgd" in words
    if name in ("fsc", "fsc_half"):
        assert {"resolution (Å)", "0.5", "0.143"} <= set(words)
    if name == "shell_error_epochs":
        assert {"resolution (Å)", "epoch", "relative error"} <= set(words)
    assert ("one pass" in words) == (name in ("progress", "fsc", "shell_error"))
    assert ("truth" in words) == (name == "slices")
    pdf = place.with_suffix(".pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    with Image.open(place.with_suffix(".png")) as picture:
        assert picture.width >= 1000
        assert len(picture.convert("RGB").getcolors(2**24)) > 20


def test_the_images_written_are_those_that_were_fitted(folder: Path, report: dict, tmp_path: Path) -> None:
    """The same batches of the same images again, from the files: poses and CTF are rounded in text, no more."""
    found = read_particles(folder / "particles/particles.star")
    assert found.pixel_size_angstrom == pytest.approx(report["pixel_size_angstrom"], rel=1e-6)
    assert found.ctf is not None
    assert set(found.half_set.tolist()) <= {0, 1, 2}
    words = ["--particles", str(folder / "particles/particles.star"), "--batch", "30", "--epochs", "2", "--quiet"]
    words += ["--half-sets", "--prior", "none", "--device", "cpu"]  # as simulations are without a word
    assert main(["cryoem", *words, "--out", str(tmp_path)]) == 0
    again, first = (read_map(place / "map.mrc").values for place in (tmp_path, folder))
    assert np.linalg.norm(again - first) < 1e-3 * np.linalg.norm(first)
    assert not (tmp_path / "truth.mrc").exists()
    assert not (tmp_path / "particles").exists()
    assert (tmp_path / "figures/fsc_half.pdf").exists()
    assert not (tmp_path / "figures/fsc.pdf").exists()


def test_a_race_is_compared_beside_its_runs(tmp_path: Path) -> None:
    assert main([*FAST, "--optimizer", "sgd", "--optimizer", "complex-adam", "--quiet", "--out", str(tmp_path)]) == 0
    for name in ("sgd", "complex-adam"):
        assert json.loads((tmp_path / name / "report.json").read_text())["optimizer"] == name
        assert (tmp_path / name / "map.mrc").exists()
        assert (tmp_path / name / "checkpoint.pt").exists()
    assert {row["run"] for row in rows_of(tmp_path / "race.csv")} == {"sgd", "complex-adam"}
    drawing = (tmp_path / "figures/fsc.svg").read_text(encoding="utf-8")
    assert "complex-adam" in drawing
    assert "exact minimiser" in drawing


def test_images_are_written_only_into_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAST, "--write-particles"]) == 2
    assert capsys.readouterr().err == "lieapp: --write-particles needs --out, the folder to write them into.\n"


def test_interrupted_runs_keep_what_they_have_and_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupting(*args: object, **kwargs: object) -> Iterator[Callable[[str, int, float], None]]:
        yield lambda name, step, loss: signal.raise_signal(signal.SIGINT) if step == 5 else None

    monkeypatch.setattr("lieapp.cli.running._progress", interrupting)
    assert main([*FAST, "--epochs", "1000", "--json", "--out", str(tmp_path / "a")]) == 130
    stopped = json.loads(capsys.readouterr().out)
    assert (stopped["outcome"], stopped["steps"], stopped["epochs"]) == ("cancelled", 5, 1.25)
    assert (tmp_path / "a/figures/fsc.pdf").exists()
    monkeypatch.undo()
    assert main(["cryoem", "--resume", str(tmp_path / "a"), "--epochs", "3", "--json"]) == 0
    assert_same_run(capsys, json.loads(capsys.readouterr().out))


KILLED = """
import functools, os, signal
from contextlib import contextmanager
import lieapp.cli
from lieapp.engine.run import Run

@contextmanager
def killing(*args, **kwargs):
    yield lambda name, step, loss: os.kill(os.getpid(), signal.SIGKILL) if step == 7 else None

lieapp.cli.running._progress = killing
Run.keep_checkpoint = functools.partialmethod(Run.keep_checkpoint, seconds=0.0)  # five seconds are hundreds of steps
lieapp.cli.main({words!r})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_runs_go_on_from_their_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*FAST, "--epochs", "1000", "--out", str(tmp_path / "a")]
    done = subprocess.run([sys.executable, "-c", KILLED.format(words=words)], timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert os.listdir(tmp_path / "a") == ["checkpoint.pt"]
    assert 5 <= Checkpoint.load(tmp_path / "a/checkpoint.pt").position.frame <= 7
    checkpoint = str(tmp_path / "a/checkpoint.pt")
    assert main(["cryoem", "--resume", checkpoint, "--epochs", "3", "--json"]) == 0
    assert_same_run(capsys, json.loads(capsys.readouterr().out))


def test_going_on_without_a_folder_keeps_the_checkpoint_up_to_date(tmp_path: Path) -> None:
    assert main([*FAST, "--quiet", "--out", str(tmp_path)]) == 0
    assert main(["cryoem", "--resume", str(tmp_path), "--epochs", "3", "--quiet"]) == 0
    assert Checkpoint.load(tmp_path / "checkpoint.pt").position.frame == 12


def test_a_race_goes_on_as_a_race(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    race = [*FAST, "--optimizer", "sgd", "--optimizer", "preconditioned-sgd"]
    assert main([*race, "--epochs", "2", "--quiet", "--out", str(tmp_path / "a")]) == 0
    assert main(["cryoem", "--resume", str(tmp_path / "a"), "--epochs", "4", "--json"]) == 0
    resumed = {run["optimizer"]: run for run in json.loads(capsys.readouterr().out)["runs"]}
    assert main([*race, "--epochs", "4", "--json"]) == 0
    whole = {run["optimizer"]: run for run in json.loads(capsys.readouterr().out)["runs"]}
    assert set(resumed) == set(whole) == {"sgd", "preconditioned-sgd"}
    for run in (*resumed.values(), *whole.values()):
        assert run.pop("seconds") > 0.0
    assert resumed == whole
    # Runs on other images are no entrants of this race.
    assert main([*FAST, "--seed", "9", "--quiet", "--out", str(tmp_path / "a/other")]) == 0
    assert main(["cryoem", "--resume", str(tmp_path / "a"), "--epochs", "4"]) == 2
    assert "different images" in capsys.readouterr().err


def assert_same_run(capsys: pytest.CaptureFixture[str], resumed: dict) -> None:
    """Every number but the seconds is that of a run that was never stopped, to the last bit."""
    assert main([*FAST, "--epochs", "3", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert resumed.pop("seconds") > 0.0 < whole.pop("seconds")
    assert resumed == whole


def _tensor(values: np.ndarray):
    import torch

    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.peer("relion")
def test_relion_reconstructs_what_the_command_line_exported(tmp_path: Path) -> None:
    """The stack and STAR file of a run with --write-particles: shifts, CTF, any direction.

    Measured: correlation in the ball 0.9991 with the map and the exact minimiser, 0.9992 with the truth; FSC 0.997 or
    more to shell 14, 0.977 in the last.
    """
    program = shutil.which("relion_reconstruct")
    if program is None:
        pytest.skip("peer: RELION is not installed")
    words = ["--box", "32", "--images", "600", "--snr", "1e12", "--ctf", "--shift", "1.5", "--phantom", "bundle"]
    fit = ["--epochs", "10", "--preconditioner", "row-sum", "--device", "cpu", "--quiet"]
    assert main(["cryoem", *words, *fit, "--write-particles", "--out", str(tmp_path)]) == 0
    place = tmp_path / "particles"
    subprocess.run(
        [program, "--i", "particles.star", "--o", "relion.mrc", "--ctf"],
        cwd=place, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    theirs = read_map(place / "relion.mrc")
    ours = {name: read_map(tmp_path / f"{name}.mrc") for name in ("map", "minimiser", "truth")}
    assert theirs.pixel_size_angstrom == pytest.approx(ours["map"].pixel_size_angstrom, rel=1e-5)
    line = np.arange(32) - 16
    ball = line[:, None, None] ** 2 + line[:, None] ** 2 + line**2 < 14**2
    shells = Shells(32)
    for name, density in ours.items():
        between = shells.correlation(*(map_to_fourier(_tensor(each.values)) for each in (density, theirs))).numpy()
        whole = np.corrcoef(density.values[ball], theirs.values[ball])[0, 1]
        told = f"{name}: correlation {whole:.4f}, FSC {np.round(between, 3)}"
        assert whole > 0.995, told
        assert between[:15].min() > 0.99, told


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "words", "images", "box"),
    [
        ("simplecryoem_relion/relion_proj_batch.star", ["--half-sets", "--box", "32"], 24, 32),
        ("aspire/rln_proj_65.star", ["--pixel-size", "5", "--box", "33"], 5, 33),
        ("aspire/rln_proj_65_shifted.star", ["--box", "33"], 4, 33),
        ("aspire/sample_particles_relion30.star", ["--box", "40"], 17, 40),
        ("aspire/sample_particles_relion31.star", ["--box", "40"], 17, 40),
        ("cryodrgn/relion31.star", ["--box", "32"], 5, 32),
        ("cryojax/test_starfile.star", [], 3, 16),
    ],
)
def test_posed_files_from_elsewhere(
    file: str, words: list[str], images: int, box: int, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data()
    assert folder is not None
    common = ["--epochs", "2", "--batch", "4", "--device", "cpu", "--json"]
    assert main(["cryoem", "--particles", str(folder / "cryoem" / file), *words, *common]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["images"], report["box"]) == (images, box)
    assert 0.0 < report["loss_gap"] < 0.5
    assert None not in report["shell_error"]
    assert set(report["fsc_truth"]) == {None}


@pytest.mark.shared_data
def test_half_sets_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared_data()
    assert folder is not None
    star = str(folder / "cryoem/cryodrgn/relion31.star")
    assert main(["cryoem", "--particles", star, "--box", "32", "--half-sets"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "all images are of one half set" in told
