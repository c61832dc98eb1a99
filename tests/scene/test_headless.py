from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lieapp.scene import headless
from lieapp.scene.errors import SceneError
from lieapp.scene.headless import render_alignment, render_snapshot
from lieapp.scene.snapshot import take_snapshot
from tests.scene.builders import helix, structure_of


def _two() -> dict[str, object]:
    return {"mobile": structure_of(helix(12)), "target": structure_of(helix(12)), "matrix": np.eye(4)}


@pytest.mark.gl
def test_a_picture_is_written_without_a_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.image import imread

    monkeypatch.delenv("DISPLAY", raising=False)
    out = tmp_path / "view.png"
    try:
        render_alignment(out, **_two(), size=(320, 200), transparent=True, style="spheres")  # type: ignore[arg-type]
    except SceneError as error:
        if "EGL" in str(error) and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
            pytest.skip(f"gl: {error}")
        raise
    picture = imread(out)
    assert picture.shape == (200, 320, 4)
    assert 0.03 < (picture[..., 3] > 0.5).mean() < 0.9


def test_without_egl_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(headless._EGL_ENVIRONMENT, "EGL_PLATFORM", "nonsense")
    monkeypatch.setitem(headless._EGL_ENVIRONMENT, "__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent")
    with pytest.raises(SceneError, match="EGL") as caught:
        render_alignment(tmp_path / "view.png", **_two())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert "libegl1" in str(caught.value)
    assert not (tmp_path / "view.png").exists()


def test_a_process_that_fails_gives_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless.sys, "executable", str(tmp_path / "no python here"))
    with pytest.raises(SceneError, match="could not be drawn"):
        render_alignment(tmp_path / "view.png", **_two())  # type: ignore[arg-type]


@pytest.mark.gl
def test_a_snapshot_becomes_a_picture_in_another_process(tmp_path: Path) -> None:
    """Taken of a scene that was never drawn: it needs no OpenGL of its own."""
    from PIL import Image

    from lieapp.scene.molecular_scene import MolecularScene

    scene = MolecularScene(_Paper())
    scene.set_structure("mobile", structure_of(helix(12)))
    scene.fit_view()
    out = tmp_path / "view.png"
    assert not render_snapshot(out, take_snapshot(scene), (640, 480), cancelled=lambda: True)
    assert not out.exists()
    try:
        assert render_snapshot(out, take_snapshot(scene), (640, 480), transparent=True)
    except SceneError as error:
        if "EGL" in str(error) and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
            pytest.skip(f"gl: {error}")
        raise
    picture = np.asarray(Image.open(out))
    assert picture.shape == (480, 640, 4)
    assert 0.03 < (picture[..., 3] > 128).mean() < 0.9
    with pytest.raises(SceneError, match="cannot be written"):
        render_snapshot(tmp_path / "nowhere" / "view.png", take_snapshot(scene), (64, 48))


class _Paper:
    """A canvas that nothing is drawn on."""

    class events:
        class draw:
            @staticmethod
            def connect(callback: object) -> None:
                """Nothing is ever drawn."""

    size = physical_size = (320, 240)
    pixel_scale = 1.0
