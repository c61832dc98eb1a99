"""What every command shares: the application, how it complains, and the way to the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from lieapp.errors import LieAppError

__all__ = [
    "EXIT_STATUS",
    "ClickError",
    "UsageError",
    "app",
    "complain",
    "has_display",
    "open_window",
]

# Newer versions of typer carry click inside, older ones import it: this is the base of its errors in either.
ClickError: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


class _PlainFlags:
    """Writes flags into the help without a type: newer versions of typer put ``<bool>`` beside each."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters that the help lists."""
        found: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in found:
            if getattr(parameter, "is_flag", False) and parameter.metavar is None:
                parameter.metavar = ""
        return found


class _Command(_PlainFlags, TyperCommand):
    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl+C where no run keeps what there is, before or after it, is not passed over in silence.

        Runs under way take it themselves.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            complain("interrupted.")
            return 130


class _Group(_PlainFlags, TyperGroup):
    pass


class _App(typer.Typer):
    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a command whose help is written as ours is."""
        return super().command(name, **{"cls": _Command, **options})


app = _App(
    name="lieapp",
    cls=_Group,
    help="Three optimisation problems of structural biology, live and truthful. Without a command: the window.",
    epilog="'lieapp FILE ...' opens files in the window.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EXIT_STATUS = "Exit status: 0 converged or limit, 1 diverged or failed, 2 wrong use or input, 130 interrupted."
"""What the help of every command with runs ends with."""


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
