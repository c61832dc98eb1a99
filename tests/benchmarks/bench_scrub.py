"""What a move of the scrub bar takes in a recording of 100 000 frames: all views follow and are painted.

Times of the window's thread, from the move to the end of the paints that it asked for, with the sequences open. Needs a
display, real or virtual; on software OpenGL most of it is the 3-D paint.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lieapp.paths import resource
from tests.conftest import shared_data

ROOT = Path(__file__).resolve().parents[2]
LIMIT_MILLISECONDS = 33.0


def scrub(frames: int, moves: int) -> dict[str, Any]:
    """Measure in a process of its own; figures in ms by the page of the plots."""
    folder = shared_data()
    if folder is not None:
        pair = [str(folder / "structures" / "adk" / name) for name in ("4AKE.cif", "1AKE.pdb")]
    else:
        pair = [str(resource(f"examples/hinge_{form}.pdb")) for form in ("open", "closed")]
    command = [sys.executable, "-m", "tests.benchmarks.scrub_process", *pair]
    command += ["--frames", str(frames), "--moves", str(moves)]
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24 +extension GLX", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def run(quick: bool) -> list[dict[str, Any]]:
    frames = 5_000 if quick else 100_000
    found = scrub(frames, 10 if quick else 60)
    rows: list[dict[str, Any]] = []
    for name, figures in found.items():
        if isinstance(figures, dict):
            for key, title, limit in (
                ("handled", "views told", LIMIT_MILLISECONDS),
                ("median", "told and painted", LIMIT_MILLISECONDS),
                ("p95", "told and painted, p95", None),
            ):
                row = {"name": f"scrub in {frames} frames, {name}: {title}", "value": figures[key], "unit": "ms"}
                rows.append(row | ({"limit": limit} if limit else {}))
    rows.append({"name": "load", "value": found["load"], "unit": "processes"})
    return rows
