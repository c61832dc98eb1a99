"""A race from the command line is drawn with all its entrants."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lieapp.cli import main
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
