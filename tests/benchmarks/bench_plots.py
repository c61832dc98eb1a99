"""What a redraw of the progress plot takes, and the 3-D view beside it, in a window of their own.

Redraws are those of a plot of about 400x350 that shows one finished or growing run. Frames a second are those of the
viewer at 800x600 while adenylate kinase moves. Needs a display, real or virtual.
"""

from __future__ import annotations

from typing import Any

from lieapp.paths import resource
from tests.benchmarks.window_process import measured_in_window
from tests.conftest import shared_data

LIMIT_MILLISECONDS = 15.0
MOVE_LIMIT_MILLISECONDS = 2.0
LEAST_FRAMES = {"paused": 15.0, "live": 10.0}


def plots(frames: int, repeats: int, seconds: float) -> dict[str, Any]:
    """Measure in a process of its own.

    Parameters
    ----------
    frames : int
        Length of the long run.
    repeats : int
        Redraws of each kind.
    seconds : float
        How long frames are counted.

    Returns
    -------
    dict
        ``redraws`` and ``moves`` in ms by their kind, ``rates`` in frames a second, ``simplified`` 1 where the
        machine was too busy for the whole picture, ``plot_rate`` in redraws a second,
        ``renderer`` and ``load``.
    """
    folder = shared_data()
    if folder is not None:
        pair = [str(folder / "structures" / "adk" / name) for name in ("4AKE.cif", "1AKE.pdb")]
    else:
        pair = [str(resource(f"examples/hinge_{form}.pdb")) for form in ("open", "closed")]
    options = ["--frames", str(frames), "--repeats", str(repeats), "--seconds", str(seconds)]
    return measured_in_window("plots_process", [*pair, *options])


def run(quick: bool) -> list[dict[str, Any]]:
    frames = 50_000 if quick else 1_000_000
    found = plots(frames, 3 if quick else 40, 0.5 if quick else 6.0)
    rows: list[dict[str, Any]] = []
    for name, value in found["redraws"].items():
        rows.append({"name": f"redraw of {frames} frames {name}", "value": value, "unit": "ms"})
        rows[-1]["limit"] = LIMIT_MILLISECONDS
    for name, value in found["moves"].items():
        rows.append({"name": f"mouse over a plot, {name}", "value": value, "unit": "ms"})
        if "told" in name:
            rows[-1]["limit"] = MOVE_LIMIT_MILLISECONDS
    for name, value in found["rates"].items():
        rows.append({"name": f"428 residues as ribbon, 800x600, plots {name}", "value": value, "unit": "fps"})
        rows[-1]["limit"] = LEAST_FRAMES[name]
        simplified = {"name": f"picture simplified, plots {name}", "value": found["simplified"][name], "unit": "yes"}
        rows.append(simplified)
    rows.append({"name": "plots redrawn beside it", "value": found["plot_rate"], "unit": "Hz"})
    rows.append({"name": "load", "value": found["load"], "unit": "processes"})
    return rows
