"""Run the tests in several processes: ``pytest --processes 2``.

Every process collects all tests and takes one file after another, the costliest first, until none is left: no process
idles while another has files to do. The first process reports what all have found as if it had run everything
itself. It fails where a helper died or a test has no result.
"""

from __future__ import annotations

import base64
import itertools
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

__all__ = ["FileQueue", "HelpedRun", "HelperRun", "add_options", "share_tests"]

COSTLIEST = (
    "tests/benchmarks/test_quick.py",
    "tests/gui/test_landscape_workbench.py",
    "tests/gui/test_cryoem_workbench.py",
    "tests/alignment/test_convergence.py",
    "tests/cli/test_cli.py",
    "tests/gui/test_main_window.py",
    "tests/gui/test_export_desk.py",
    "tests/test_packaging.py",
)
"""Files that are begun first, so that none of them is left to one process while the other has nothing to do."""


def add_options(parser: pytest.Parser) -> None:
    """Add ``--processes``, and the option that makes a helper."""
    group = parser.getgroup("processes")
    group.addoption("--processes", type=int, default=1, metavar="N", help="share the tests among N processes")
    group.addoption("--helper", type=Path, metavar="FOLDER/NAME", help="help a process with --processes")


def share_tests(config: pytest.Config) -> None:
    """Register what runs the tests where they are shared."""
    helper = config.getoption("--helper")
    if helper:
        config.pluginmanager.register(HelperRun(config, helper), "helper-run")
    elif config.getoption("--processes") > 1 and not config.option.collectonly:
        if config.getoption("basetemp"):
            raise pytest.UsageError("--basetemp cannot be shared among processes")
        config.pluginmanager.register(HelpedRun(config, config.getoption("--processes") - 1), "helped-run")


class FileQueue:
    """Files of tests from which processes take.

    Parameters
    ----------
    folder : Path
        Where processes leave marks of what they took; the same for all.
    items : iterable of pytest.Item
        The tests of all files, as each process has collected them.
    first : sequence of str, optional
        Names of files that are taken before all others.
    """

    def __init__(self, folder: Path, items: Iterable[pytest.Item], first: Sequence[str] = COSTLIEST) -> None:
        self._folder = folder
        files: dict[str, list[pytest.Item]] = {}
        for item in items:
            files.setdefault(item.nodeid.split("::")[0], []).append(item)
        rank = {name: place for place, name in enumerate(first)}
        self._left = deque(sorted(files.items(), key=lambda file: rank.get(file[0], len(first))))

    def take(self) -> list[pytest.Item]:
        """Return the tests of a file that no process has taken, or none where no file is left."""
        while self._left:
            name, items = self._left.popleft()
            try:
                (self._folder / f"taken-{quote(name, safe='')}").touch(exist_ok=False)
            except FileExistsError:
                continue
            return items
        return []


class _Run:
    """The loop over tests that every process goes through."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.config = config
        self.folder = folder

    def file_done(self, session: pytest.Session) -> None:
        """Do what is due between two files."""

    def run(self, session: pytest.Session) -> None:
        queue = FileQueue(self.folder, session.items)
        file = queue.take()
        while file:
            # The next file is needed before the last test of this one ends: fixtures that both use outlive it.
            for item, following in itertools.pairwise([*file, None]):
                after = [] if following else queue.take()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following or next(iter(after), None))
                stop_if_asked(session)
            file = after
            self.file_done(session)
            stop_if_asked(session)


class HelperRun(_Run):
    """Take files, and write what comes of them where the first process reads it."""

    def __init__(self, config: pytest.Config, place: Path) -> None:
        super().__init__(config, place.parent)
        # By this name, which that of pytest-xdist set, pytest knows that caches and summaries are another's to write.
        config.workerinput = {"workerid": place.name}
        self._reports = place.with_suffix(".reports").open("wb", buffering=0)
        self._parent = os.getppid()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None
        self.run(session)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        # One line a report, tuples kept: a report of a skipped test holds one.
        self._reports.write(base64.b64encode(pickle.dumps(data)) + b"\n")

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if os.getppid() != self._parent:
            item.session.shouldstop = "the process that this one helps is gone"

    def pytest_unconfigure(self) -> None:
        self._reports.close()


class HelpedRun(_Run):
    """Start helpers, take files as they do, and report for all."""

    def __init__(self, config: pytest.Config, helpers: int) -> None:
        super().__init__(config, Path(tempfile.mkdtemp(prefix="lieapp-tests-")))
        self._helpers = [_Helper(config, self.folder, f"helper-{number}") for number in range(1, helpers + 1)]
        self._without_result: set[str] = set()

    def pytest_report_header(self) -> str:
        return f"processes: {len(self._helpers) + 1}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None
        self._without_result = {item.nodeid for item in session.items}
        self.run(session)
        for helper in self._helpers:
            while helper.process.poll() is None:
                self.file_done(session)
                stop_if_asked(session)
                _wait(helper.process, 0.5)
        self.file_done(session)
        self._check(session)
        stop_if_asked(session)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self._without_result.discard(report.nodeid)

    def file_done(self, session: pytest.Session) -> None:
        """Report what helpers have found since."""
        hook = self.config.hook
        for data in itertools.chain.from_iterable(helper.read() for helper in self._helpers):
            report = hook.pytest_report_from_serializable(config=self.config, data=data)
            if report.when == "setup":
                hook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
            hook.pytest_runtest_logreport(report=report)
            if report.when == "teardown":
                hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)

    def _check(self, session: pytest.Session) -> None:
        """Fail where a helper ended otherwise than by having run its tests, or a test has no result."""
        ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
        broken = [helper for helper in self._helpers if helper.process.returncode not in ended]
        for helper in broken:
            sys.stderr.write(f"\n{helper.name} ended with status {helper.process.returncode}:\n{helper.output()}\n")
        if self._without_result:
            missing = sorted(self._without_result)
            session.shouldfail = f"{len(missing)} tests have no result, the first: {missing[0]}"
        elif broken:
            session.shouldfail = f"{broken[0].name} ended with status {broken[0].process.returncode}"

    def pytest_unconfigure(self) -> None:
        for helper in self._helpers:
            helper.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Helper:
    """A process that takes files and writes reports."""

    def __init__(self, config: pytest.Config, folder: Path, name: str) -> None:
        self.name = name
        self._output = folder / f"{name}.out"
        self._reports = folder / f"{name}.reports"
        self._read = 0
        # One word: two would make the folder look like one of tests while pytest searches for conftest.py.
        arguments = [*config.invocation_params.args, f"--helper={folder / name}"]
        with self._output.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *map(str, arguments)],
                cwd=config.invocation_params.dir,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def read(self) -> list[dict[str, object]]:
        """Return the reports that were written since, as data."""
        if not self._reports.exists():
            return []
        with self._reports.open("rb") as file:
            file.seek(self._read)
            written = file.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._read += len(whole)
        return [pickle.loads(base64.b64decode(line)) for line in whole.splitlines()]

    def output(self) -> str:
        """Return the end of what the process has printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")[-5000:]

    def stop(self) -> None:
        """End the process; interrupted, it also ends its display."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
            if not _wait(self.process, 60):
                self.process.kill()
                self.process.wait()


def stop_if_asked(session: pytest.Session) -> None:
    """Leave the loop as pytest's own does, after ``-x`` for example."""
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
