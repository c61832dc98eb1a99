"""Tests shared among processes end as those of one process do; nothing is lost when a process dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.processes import COSTLIEST

CONFTEST = """
from tests.processes import add_options as pytest_addoption
from tests.processes import share_tests as pytest_configure
"""

# Each of two files waits until the other is begun: only two processes come to an end.
MEETING = """
import time
from pathlib import Path

import pytest

def test_meets_the_other():
    Path(__file__).with_suffix(".begun").touch()
    while len(list(Path(__file__).parent.glob("*.begun"))) < 2:
        time.sleep(0.01)

@pytest.mark.parametrize("number", range(3))
def test_passes(number):
    pass
"""


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start pytest in a folder, without plugins that it does not need."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--timeout", "60"),
            *("--processes", "2", *options),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Return what pytest did in a folder, and the outcome of every test."""
    junit = folder / "junit.xml"
    with start(folder, "--junitxml", str(junit), *options) as process:
        out, err = process.communicate(timeout=120)
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    outcomes = {}
    for case in ET.parse(junit).iter("testcase") if junit.exists() else ():
        kinds = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        outcomes[f"{case.get('classname')}.{case.get('name')}"] = kinds[0] if kinds else "passed"
    return done, outcomes


def test_every_test_runs_once_and_two_run_at_a_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(MEETING)
    done, outcomes = run(tmp_path)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert "8 passed" in done.stdout
    assert len(outcomes) == 8
    assert set(outcomes.values()) == {"passed"}


def test_failures_of_any_process_are_reported(tmp_path: Path) -> None:
    for name in ("one", "two"):
        failing = MEETING + "\ndef test_fails():\n    import os\n    assert os.getpid() == 0, 'as it must'\n"
        skipped = "\n@pytest.mark.skip(reason='not now')\ndef test_skipped():\n    pass\n"
        (tmp_path / f"test_{name}.py").write_text(failing + skipped)
    done, outcomes = run(tmp_path)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert {name for name, outcome in outcomes.items() if outcome == "failure"} == {
        "test_one.test_fails",
        "test_two.test_fails",
    }
    assert "2 failed, 8 passed, 2 skipped" in done.stdout
    assert done.stdout.count("AssertionError: as it must") >= 2


def test_death_of_a_helper_fails_the_run_and_says_what_is_missing(tmp_path: Path) -> None:
    dying = """
def test_dies(request):
    import os
    if request.config.getoption("--helper"):
        os._exit(7)

def test_after():
    pass
"""
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(MEETING + dying)
    done, _ = run(tmp_path)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "2 tests have no result, the first: test_" in done.stdout
    assert "::test_after" in done.stdout
    assert "helper-1 ended with status 7" in done.stderr


def test_the_first_failure_ends_the_run_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_fails():\n    assert False\n\ndef test_after():\n    pass\n")
    done, outcomes = run(tmp_path, "-x")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert list(outcomes.values()) == ["failure"]
    assert not list(tmp_path.glob("lieapp-tests-*"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked for in /proc")
def test_a_helper_ends_with_the_process_that_it_helps(tmp_path: Path) -> None:
    many = """
import os

@pytest.mark.parametrize("number", range(600))
def test_takes_its_time(number):
    (Path(__file__).parent / f"{os.getpid()}.process").touch()
    time.sleep(0.1)
"""
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(MEETING + many)
    deadline = time.monotonic() + 60
    with start(tmp_path) as process:
        while len(begun := {int(path.stem) for path in tmp_path.glob("*.process")}) < 2:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.kill()
    (helper,) = begun - {process.pid}
    deadline = time.monotonic() + 30  # its tests alone take a minute
    while Path(f"/proc/{helper}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_files_named_first_exist() -> None:
    assert all((PROJECT / name).is_file() for name in COSTLIEST)


def test_broken_collection_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("import nothing_of_this_name\n")
    done, _ = run(tmp_path)
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "1 error" in done.stdout
