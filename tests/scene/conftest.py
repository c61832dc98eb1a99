"""The pictures that the tests look at: all drawn once, in one process without a display."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_NO_EGL = 3


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Arrays that `tests.scene.draw_pictures` made."""
    out = tmp_path_factory.mktemp("pictures") / "pictures.npz"
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-m", "tests.scene.draw_pictures", str(out)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode == _NO_EGL and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
        pytest.skip(f"gl: no EGL on this machine ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    with np.load(out) as arrays:
        return {name: arrays[name] for name in arrays.files}
