"""How soon the window is seen, from the start of the process to the end of its first paint. Needs a display."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def start(arguments: Sequence[str | Path] = (), *, at_once: bool = False) -> dict[str, Any]:
    """Start the window once and close it.

    Parameters
    ----------
    arguments : sequence of str or Path, optional
        Those of the command ``lieapp``.
    at_once : bool, optional
        Whether to close it as soon as its files are shown or refused, else when torch is loaded and no run goes on.

    Returns
    -------
    dict
        ``visible``, ``paired`` and ``ready`` in seconds since the process was started, ``processor`` seconds until
        visible, ``heavy`` modules imported by then, ``exposed``, ``messages``, ``pairs``, ``runs`` and ``status``.
    """
    command = [sys.executable, "-m", "tests.benchmarks.startup_process", *map(str, arguments)]
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        # The virtual display takes longer to start than the window: only the inner process is measured.
        raise RuntimeError("measuring the start needs a display: run this under xvfb-run")
    environment = {**os.environ, "LIEAPP_STARTED": repr(time.time())}
    if at_once:
        environment["LIEAPP_CLOSE_AT_ONCE"] = "1"
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def run(quick: bool) -> list[dict[str, Any]]:
    found = [start() for _ in range(1 if quick else 7)]
    rows = []
    for key, title, limit in (
        ("visible", "window visible", 1.5),
        ("processor", "processor time until visible", 1.5),
        ("paired", "bundled pair shown", None),
        ("ready", "torch loaded and warm", None),
    ):
        row = {"name": title, "value": statistics.median(one[key] for one in found), "unit": "s"}
        rows.append(row | ({"limit": limit} if limit else {}))
    return rows
