"""The window is seen soon after the program starts, without torch, whatever files it is given.

The limit of 1.5 s on a machine with nothing else to do is measured by ``tests.benchmarks startup``. Here the machine
may be busy: the processor time until the window is seen is limited, which other work lengthens much less than the
clock's, and the clock only where it can be believed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.bench_startup import start

PROCESSOR_SECONDS, CLOCK_SECONDS = 2.0, 4.0


def test_the_window_is_seen_soon_and_before_torch() -> None:
    found = start(at_once=True)
    for _ in range(2):
        if found["processor"] < PROCESSOR_SECONDS and found["visible"] < CLOCK_SECONDS:
            break
        # The first start may have compiled modules and read them from a cold disk.
        found = min(found, start(at_once=True), key=lambda one: float(one["processor"]))
    print(f"visible after {found['visible']:.2f} s ({found['processor']:.2f} s of the processor)")
    assert found["status"] == 0
    assert found["heavy"] == []
    assert found["exposed"]
    assert found["pairs"] > 100
    assert found["messages"] == []
    assert found["processor"] < PROCESSOR_SECONDS
    if os.getloadavg()[0] < (os.cpu_count() or 1):
        assert found["visible"] < CLOCK_SECONDS


def test_importing_the_window_imports_no_torch() -> None:
    """Not even what the window imports later, when it exports or shows a form."""
    modules = ("app", "window.main_window", "align.controller", "work.worker", "widgets.forms", "align.exporting")
    code = (
        "import importlib, sys\n"
        f"for name in {modules}:\n"
        "    importlib.import_module('lieapp.gui.' + name)\n"
        "    if 'torch' in sys.modules: sys.exit(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"torch came with {done.stderr}"


@pytest.mark.parametrize(
    ("lab", "runs"), (("align", ["converged"]), ("landscape", ["converged", "limit", "converged", "limit"]))
)
def test_the_demonstration_runs_by_itself(lab: str, runs: list[str]) -> None:
    found = start(["demo", "--lab", lab])
    assert found["status"] == 0
    assert found["runs"] == runs
    assert found["messages"] == []


def test_bad_files_open_a_window_with_a_message(tmp_path: Path) -> None:
    """It is closed at once, too, while torch is still being loaded."""
    garbage, empty = tmp_path / "garbage.cif", tmp_path / "nothing.pdb"
    garbage.write_bytes(bytes(range(256)) * 8)
    empty.touch()
    found = start([garbage, empty], at_once=True)
    assert found["status"] == 0
    assert len(found["messages"]) == 1
    assert "garbage.cif" in found["messages"][0]
    assert found["pairs"] == 0
