"""Importing the window leaves what it does not need yet alone; how soon it is seen is in `test_startup`."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ("app", "main_window", "align_controller", "worker", "forms", "exporting"))
def test_importing_the_window_imports_no_torch(module: str) -> None:
    code = f"import sys, lieapp.gui.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
