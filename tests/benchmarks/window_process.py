"""Runs a module of this folder in a process of its own, with a display, and returns what it prints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def measured_in_window(module: str, arguments: Sequence[str], *, timeout: float = 300.0) -> dict[str, Any]:
    """Return the JSON object that a module prints last.

    Parameters
    ----------
    module : str
        Such as ``"plots_process"``.
    arguments : sequence of str
    timeout : float
        In seconds.

    Raises
    ------
    RuntimeError
        If it fails; the message is the end of what it wrote.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24 +extension GLX", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found
