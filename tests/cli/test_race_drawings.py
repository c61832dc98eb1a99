"""A race from the command line is drawn and filmed with all its entrants."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.cli import main
from lieapp.export import movie_files
from lieapp.paths import resource
from lieapp.scene.colors import optimizer_color, rgba

PAIR = [str(resource(f"examples/hinge_{form}.pdb")) for form in ("open", "closed")]


@pytest.mark.gl
def test_every_entrant_is_in_the_picture_and_the_movie(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("sgd", "lbfgs")
    words = [part for name in names for part in ("--optimizer", name)]
    drawn = ["--render", str(tmp_path / "race.png"), "--movie", str(tmp_path / "race"), "--size", "240x180"]
    assert main(["align", *PAIR, *words, *drawn, "--style", "tube", "--quiet", "--steps", "12"]) == 0
    said = capsys.readouterr().err
    if "EGL" in said and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
        pytest.skip(f"gl: {said}")
    frames = sorted((tmp_path / "race").glob("*.png"))
    assert said == "" and len(frames) > 3
    for path in (tmp_path / "race.png", frames[-1]):
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"), dtype=int)
        assert pixels.shape == (180, 240, 3)
        for name in names:
            color = np.round(rgba(optimizer_color(name))[:3] * 255).astype(int)
            assert (np.abs(pixels - color).max(axis=-1) <= 8).sum() > 15, (path.name, name)


def test_a_race_on_a_landscape_is_filmed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    race = ["landscape", "saddle", "--start", "0.5,0.01", "--optimizer", "sgd", "--optimizer", "deo"]
    assert main([*race, "--movie", str(tmp_path / "race"), "--size", "640x360", "--evaluations", "20"]) == 0
    captured = capsys.readouterr()
    frames = sorted((tmp_path / "race").glob("*.png"))
    assert captured.err == "" and f"Written: {len(frames)} files" in captured.out and len(frames) == 21
    with Image.open(frames[0]) as first, Image.open(frames[-1]) as last:
        assert first.size == last.size == (640, 360)
        before, after = (np.asarray(each.convert("RGB"), dtype=int) for each in (first, last))
    color = np.round(rgba(optimizer_color("deo"))[:3] * 255).astype(int)
    seen = [(np.abs(frame[40:300, 50:330] - color).max(axis=-1) <= 30).sum() for frame in (before, after)]
    assert seen[1] > seen[0] + 5
    assert main([*race, "--movie", str(tmp_path / "race.gif"), "--steps", "3", "--quiet"]) == 0
    assert (tmp_path / "race.gif").read_bytes().startswith(b"GIF8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["saddle", "--movie", "race.avi"], "written as .mp4, as .gif"),
        (["saddle", "--movie", "race.mp4"], "lieapp[movie]"),
        (["saddle", "--movie", "race.gif", "--size", "9000x9000"], "9000x9000"),
        (["saddle", "--movie", "race.gif", "--sweep", "lr=1e-3:1:3"], "--sweep"),
        (["transformer-tiny", "--movie", "race.gif"], "network"),
    ],
)
def test_a_film_that_cannot_be_made_is_refused_before_anything_runs(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(movie_files, "find_spec", lambda name: None)
    assert main(["landscape", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err and captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
