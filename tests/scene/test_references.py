"""Pictures against those kept in ``pictures``: what is seen must not change unnoticed.

After a change that is meant to be seen, look at the new pictures and keep them: run this file with
``LIEAPP_UPDATE_PICTURES=1``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.scene.draw_references import NAMES, SIZE

pytestmark = [pytest.mark.gl, pytest.mark.shared_data]

KEPT = Path(__file__).parent / "pictures"
_NO_EGL = 3


@pytest.fixture(scope="module")
def drawn(structures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("references")
    done = subprocess.run(
        [sys.executable, "-m", "tests.scene.draw_references", str(structures_dir), str(folder)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode == _NO_EGL and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
        pytest.skip(f"gl: no EGL on this machine ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    if os.environ.get("LIEAPP_UPDATE_PICTURES"):
        KEPT.mkdir(exist_ok=True)
        for path in folder.glob("*.png"):
            shutil.copy(path, KEPT)
    return folder


def _blurred(picture: np.ndarray, passes: int = 6) -> np.ndarray:
    for _ in range(passes):
        for axis in (0, 1):
            picture = (np.roll(picture, 1, axis) + 2 * picture + np.roll(picture, -1, axis)) / 4
    return picture


def _edges(picture: np.ndarray) -> np.ndarray:
    """Where lightness changes after a little blur: the structure of a picture, whatever its colours."""
    grey = _blurred(picture.mean(axis=-1), 2)
    return np.hypot(*np.gradient(grey))


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_the_one_that_was_kept(drawn: Path, name: str) -> None:
    kept, now = (
        np.asarray(Image.open(folder / f"{name}.png").convert("RGB"), dtype=np.float64) / 255
        for folder in (KEPT, drawn)
    )
    assert now.shape == kept.shape == (SIZE[1], SIZE[0], 3)
    difference = np.abs(_blurred(now) - _blurred(kept))
    assert difference.mean() < 0.006, "colours or places have changed"
    assert np.percentile(difference, 99.5) < 0.12, "something has changed in one place"
    seen, before = _edges(now).ravel(), _edges(kept).ravel()
    assert np.corrcoef(seen, before)[0, 1] > 0.93, "shapes have changed"


def test_pictures_that_are_kept_are_small() -> None:
    files = {path.stem: path for path in KEPT.glob("*.png")}
    assert set(files) == set(NAMES)
    for path in files.values():
        assert path.stat().st_size <= 60_000, path.name
