"""The floors of the house, the torch-free modules, style and types hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import PROJECT


def run_tool(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=PROJECT, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"], id="floors"),
        pytest.param(["-m", "ruff", "check", "."], id="ruff-check"),
        pytest.param(["-m", "ruff", "format", "--check", "."], id="ruff-format"),
        pytest.param(["-m", "mypy"], id="mypy"),
    ],
)
def test_tool_is_content(command: list[str]) -> None:
    done = run_tool(*command)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "import lieapp",
        "import lieapp.structures, lieapp.optimizers, lieapp.engine, lieapp.alignment, lieapp.export",
        "import lieapp.optimizers.settings, lieapp.alignment.spec, lieapp.alignment.superposition",
        "import lieapp.alignment.report, lieapp.engine.recording, lieapp.engine.control, lieapp.engine.job",
        "import lieapp.landscapes.spec, lieapp.landscapes.commands, lieapp.landscapes.report",
        "import lieapp.landscapes.caption, lieapp.landscapes.listing, lieapp.landscapes.texts",
        "import lieapp.export.landscape_bundle, lieapp.api",
        "import lieapp.gui.window.main_window",
        "import lieapp.cli",
    ],
)
def test_torch_stays_out(statement: str) -> None:
    done = run_tool("-c", f"{statement}; import sys; raise SystemExit('torch' in sys.modules)")
    assert done.returncode == 0, f"{statement} imports torch\n{done.stderr}"


def test_help_needs_neither_torch_nor_qt() -> None:
    code = (
        "import sys, contextlib\n"
        "from lieapp.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "raise SystemExit(any(name in sys.modules for name in ('torch', 'PySide6', 'vispy', 'matplotlib')))\n"
    )
    done = run_tool("-c", code)
    assert done.returncode == 0, done.stderr
    assert "align" in done.stdout


def test_every_module_names_what_it_offers() -> None:
    silent = [
        str(path.relative_to(PROJECT))
        for path in sorted((PROJECT / "lieapp").rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"} and "__all__" not in path.read_text(encoding="utf-8")
    ]
    assert silent == []
