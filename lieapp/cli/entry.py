"""The door: what the words after the program's name mean, and the exit status."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lieapp import __version__
from lieapp.cli.app import ClickError, UsageError, app, complain, open_window
from lieapp.errors import LieAppError

__all__ = ["main", "root"]

EXIT_WRONG_USE = 2


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        typer.echo(__version__)
        raise typer.Exit


def _call(arguments: Sequence[str]) -> int:
    words = [word for word in arguments if not word.startswith("-")]
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    if not arguments:
        return open_window([])
    if not arguments[0].startswith("-") and arguments[0] not in commands:
        for word in words:
            if not Path(word).exists():
                raise UsageError(f"{word}: no such file, and no command of that name ({', '.join(sorted(commands))}).")
        return open_window(words)
    status = app(args=list(arguments), prog_name="lieapp", standalone_mode=False)
    return status if isinstance(status, int) else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # An optimiser of one's own, module:Class, may lie where the program is started; last, so that it hides nothing.
    if "" not in sys.path:
        sys.path.append("")
    debug = "--debug" in arguments
    try:
        return _call(arguments)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except (LieAppError, ClickError) as error:
        if debug:
            traceback.print_exc()
        complain(str(getattr(error, "format_message", error.__str__)()))
        return EXIT_WRONG_USE
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        complain(f"{type(error).__name__}: {error}. This is a defect of lieapp; --debug shows where.")
        return 1
