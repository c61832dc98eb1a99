"""What every command shares: the application, its common options, and how it complains."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lieapp.errors import LieAppError

__all__ = [
    "ClickError",
    "Debug",
    "Json",
    "Out",
    "Quiet",
    "UsageError",
    "app",
    "complain",
    "deliver_record",
    "has_display",
    "make_folder",
    "open_window",
]

# Newer versions of typer carry click inside, older ones import it: this is the base of its errors in either.
ClickError: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="lieapp",
    help="Three optimisation problems of structural biology, live and truthful. Without a command: the window.",
    epilog="'lieapp FILE ...' opens files in the window.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write every result into this folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no progress and no summary.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")]


class UsageError(LieAppError):
    """The command line itself is wrong."""


def complain(message: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write("lieapp: " + " ".join(message.split()) + "\n")


def has_display() -> bool:
    """Return whether a window can open here."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def open_window(files: Sequence[str], *, run: bool = False, workbench: str = "align") -> int:
    """Open the window and stay until it is closed; returns the exit status."""
    if not has_display():
        raise UsageError("There is no display, so the window cannot open. 'lieapp align' works without one.")
    from lieapp.gui.app import main as open_window

    return open_window(list(files), run=run, workbench=workbench)


def make_folder(folder: Path) -> None:
    """Make the folder of results; raises `UsageError` where that, or writing to it, is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):  # before computing, not after
        raise UsageError(f"{folder}: cannot be written to.")


def deliver_record(record: Any, text: str, name: str, *, as_json: bool, out: Path | None, quiet: bool) -> None:
    """Print what was asked for, as JSON or as text, and write it where a folder was given."""
    serial = json.dumps(record, ensure_ascii=False)
    if out is not None:
        make_folder(out)
        (out / name).write_text(serial + "\n", encoding="utf-8")
    if as_json:
        sys.stdout.write(serial + "\n")
    elif not quiet:
        sys.stdout.write(text)
