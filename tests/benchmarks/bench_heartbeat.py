"""How late the window's thread is while each optimiser runs on the real pair, with the 3-D view hidden and shown.

Lateness is that of a 10 ms timer, without 3-D paints. ``own`` is without the time that the window's and the compute
thread waited for a processor, see `tests.gui.pulse`. Needs a display, real or virtual.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.conftest import shared_data

ROOT = Path(__file__).resolve().parents[2]
LANDSCAPES = ("saddle", "muller-brown", "strict-saddle-100", "matrix-factorisation")


def pulse(
    seconds: float, *, view: bool, turn: bool = False, optimizers: Sequence[str] = (), landscapes: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure in a process of its own.

    Parameters
    ----------
    seconds : float
        How long each optimiser is watched.
    view : bool
        Whether the 3-D view is shown.
    turn : bool
        Whether the view is turned all the time.
    optimizers : sequence of str, optional
        All named ones by default.
    landscapes : sequence of str, optional
        Six optimisers race on each of them instead.

    Returns
    -------
    dict
        ``load``, ``renderer``, ``available``, and ``pulse`` with the figures by optimiser, or by landscape.
    """
    folder = shared_data()
    assert folder is not None
    pair = [str(folder / "structures" / "adk" / name) for name in ("4AKE.cif", "1AKE.pdb")]
    command = [sys.executable, "-m", "tests.gui.pulse", *pair, "--seconds", str(seconds)]
    command += ["--view", "on" if view else "off", *(["--turn"] if turn else [])]
    command += ["--optimizers", *optimizers] if optimizers else []
    command += ["--landscapes", *landscapes] if landscapes else []
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", "-s", "-screen 0 1400x900x24 +extension GLX", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def run(quick: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for view in (False, True):
        found = pulse(1.0 if quick else 5.0, view=view, optimizers=("adam",) if quick else ())
        for name, figures in found["pulse"].items():
            where = f"{name}, 3-D {'shown' if view else 'hidden'}"
            for key, title, limit in (
                ("p99", "lateness p99", 40.0),
                ("max", "lateness max", 100.0 if not view else None),
                ("own_p99", "own lateness p99", 40.0),
                ("own_max", "own lateness max", 100.0 if not view else None),
            ):
                row = {"name": f"{where}: {title}", "value": figures[key], "unit": "ms"}
                rows.append(row | ({"limit": limit} if limit else {}))
            rows.append({"name": f"{where}: window's thread", "value": 100 * figures["processor_share"], "unit": "%"})
            if view:
                for key, title in (("paint_max", "longest paint"), ("paint_own_max", "own longest paint")):
                    rows.append({"name": f"{where}: {title}", "value": figures[key], "unit": "ms", "limit": 100.0})
                share = 100 * figures["paint_share"]
                rows.append({"name": f"{where}: 3-D paints", "value": share, "unit": "%", "limit": 50.0})
        rows.append(
            {"name": f"load while {'shown' if view else 'hidden'}", "value": found["load"], "unit": "processes"}
        )
    landscapes = LANDSCAPES[:1] if quick else LANDSCAPES
    found = pulse(1.0 if quick else 5.0, view=True, landscapes=landscapes)
    for name, figures in found["pulse"].items():
        for key, title, limit in (
            ("p99", "lateness p99", 40.0),
            ("max", "lateness max", 100.0),
            ("own_p99", "own lateness p99", 40.0),
            ("own_max", "own lateness max", 100.0),
        ):
            row = {"name": f"race of six, {name}: {title}", "value": figures[key], "unit": "ms", "limit": limit}
            rows.append(row)
        share = 100 * figures["processor_share"]
        rows.append({"name": f"race of six, {name}: window's thread", "value": share, "unit": "%"})
    return rows
