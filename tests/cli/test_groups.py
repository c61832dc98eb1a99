"""Check that a group of options is to the user as if each were declared in the command."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from lieapp.cli import main
from lieapp.cli.app import app
from lieapp.cli.groups import given_options, with_groups


@dataclass(frozen=True)
class Size:
    width: Annotated[int | None, typer.Option(metavar="N", help="In pixels.")] = None
    height: Annotated[int | None, typer.Option(metavar="N", help="In pixels.")] = None
    round: Annotated[bool, typer.Option("--round")] = False


def build_command(seen: list[object]) -> typer.Typer:
    frames = typer.Typer(add_completion=False)

    @frames.command()
    @with_groups
    def frame(name: str, *, size: Size, colour: Annotated[str, typer.Option()] = "red") -> int:
        seen.append((name, size, colour))
        return 3

    return frames


def test_fields_of_a_group_are_options_in_its_place() -> None:
    seen: list[object] = []
    frames = build_command(seen)
    callback = frames.registered_commands[0].callback
    assert callback is not None and callback.__name__ == "frame"
    assert list(inspect.signature(callback).parameters) == ["name", "width", "height", "round", "colour"]
    assert frames(args=["oak", "--height", "4", "--round"], standalone_mode=False) == 3
    assert seen == [("oak", Size(height=4, round=True), "red")]


def test_given_options_leave_out_what_was_not_said() -> None:
    assert given_options(Size(height=4), Size(width=1)) == {"height": 4, "round": False, "width": 1}


@pytest.mark.parametrize("command", [command.callback for command in app.registered_commands])
def test_every_command_delivers_in_the_same_ways(command: object) -> None:
    assert callable(command)
    assert list(inspect.signature(command).parameters)[-5:] == ["as_json", "out", "overwrite", "quiet", "debug"]


@pytest.mark.parametrize("name", ["align", "landscape", "cryoem"])
def test_options_of_runs_fill_the_job(name: str) -> None:
    """Every option of a kind of job can be typed, under the name that "copy as command" writes."""
    from lieapp.alignment.commands import OPTIONS as alignment
    from lieapp.cryoem.commands import OPTIONS as cryoem
    from lieapp.landscapes.commands import OPTIONS as landscape

    table = {"align": alignment, "landscape": landscape, "cryoem": cryoem}[name]
    callback = next(each.callback for each in app.registered_commands if each.callback.__name__ == name)
    typed = set(inspect.signature(callback).parameters)
    missing = {option.name for option in table} - typed
    assert missing == ({"gtol", "ftol"} if name == "cryoem" else set())


@pytest.mark.parametrize("name", ["", *(command.callback.__name__ for command in app.registered_commands)])
def test_flags_take_no_value_in_the_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*name.split(), "--help"]) == 0
    told = capsys.readouterr().out
    assert "--help" in told
    assert "<bool>" not in told and "BOOLEAN" not in told
