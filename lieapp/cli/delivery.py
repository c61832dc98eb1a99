"""How results leave a command: as text, as one JSON object, as files in a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lieapp.cli.app import UsageError

__all__ = ["Delivery", "file_stem"]


@dataclass(frozen=True)
class Delivery:
    """The options that every command has."""

    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
    ] = False
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write every result into this folder.")] = (
        None
    )
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no progress and no summary.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False

    @property
    def shown(self) -> bool:
        """Whether progress and summaries are for people to read."""
        return not (self.quiet or self.as_json)

    def folders(self, titles: Sequence[str]) -> list[Path]:
        """Make the folder of every run of a race, which for a single run is that of all results.

        Returns
        -------
        list of Path
            Empty where nothing is written.

        Raises
        ------
        UsageError
            Where a folder cannot be made or written to.
        """
        if self.out is None:
            return []
        folders = [self.out / file_stem(title) if len(titles) > 1 else self.out for title in titles]
        for folder in (self.out, *folders):
            _make_folder(folder)
        return folders

    def make_folder(self) -> None:
        """Make the folder of all results where one was given; raises `UsageError` as `folders` does."""
        if self.out is not None:
            _make_folder(self.out)

    def deliver_record(self, record: Any, text: str, name: str) -> None:
        """Print a record as JSON or as text, and write it where a folder was given."""
        self.make_folder()
        if self.out is not None:
            (self.out / name).write_text(_serialised(record), encoding="utf-8")
        if self.as_json:
            sys.stdout.write(_serialised(record))
        elif not self.quiet:
            sys.stdout.write(text)

    def deliver_results(
        self, objects: Sequence[Any], summaries: Callable[[], Iterable[str]], written: Sequence[Path], *, plural: str
    ) -> None:
        """Print results as JSON or in words, and say how many files lie where.

        Parameters
        ----------
        objects : sequence
            What is serialised: one object as it is, several under ``plural``.
        summaries : callable
            Makes the words, where they are wanted.
        written : sequence of Path
        plural : str
            Such as ``"runs"``.
        """
        from lieapp.engine.stopping import counted

        if self.as_json:
            sys.stdout.write(_serialised(objects[0] if len(objects) == 1 else {"schema": 1, plural: list(objects)}))
        elif not self.quiet:
            for summary in summaries():
                typer.echo(summary)
            if written:
                typer.echo(f"Written: {counted(len(written), 'file')} to {_places(written, self.out)}")

    def deliver_reports(
        self,
        titles: Sequence[str],
        reports: Sequence[Any],
        summaries: Callable[[], Iterable[str]],
        written: Sequence[Path],
    ) -> None:
        """Deliver the report of a run, or of all runs of a race, each with the title that files and words give it."""
        objects = [json.loads(report.to_json()) for report in reports] if self.as_json else []
        if len(objects) > 1:
            objects = [{"title": title, **each} for title, each in zip(titles, objects, strict=True)]
        self.deliver_results(objects, summaries, written, plural="runs")


def file_stem(title: str) -> str:
    """Return the title of a run as the name of a file: a colon, as in package.module:Class, is not for every system."""
    return title.replace(":", ".").replace(" ", "-")


def _serialised(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):  # before computing, not after
        raise UsageError(f"{folder}: cannot be written to.")


def _places(files: Sequence[Path], folder: Path | None) -> str:
    """Say where files are: the folder of results, single files, and folders of many."""
    beside = [path for path in files if folder is None or not path.is_relative_to(folder)]
    many = [path.parent for path in beside]
    places = [path if many.count(path.parent) < 3 else path.parent for path in beside]
    return " and ".join(dict.fromkeys(str(place) for place in ([folder] if folder is not None else []) + places))
