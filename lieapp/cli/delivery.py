"""How results leave a command: as text, as one JSON object, as files in a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from lieapp.cli.app import UsageError, complain
from lieapp.cli.earlier import files_in, left_over, results_in

__all__ = ["Delivery", "file_stem"]

_MOST_NAMED = 5


@dataclass(frozen=True)
class Delivery:
    """The options that every command has."""

    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
    ] = False
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write every result into this folder.")] = (
        None
    )
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="With --out: replace the files of an earlier run; others stay, and are named."
        ),
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no progress and no summary.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False

    @property
    def shown(self) -> bool:
        """Whether progress and summaries are for people to read."""
        return not (self.quiet or self.as_json)

    def folders(self, titles: Sequence[str], *, going_on: Sequence[Path] = ()) -> list[Path]:
        """Make the folder of every run of a race, which for a single run is that of all results.

        Parameters
        ----------
        titles : sequence of str
        going_on : sequence of Path, optional
            Files from which the runs go on: their own earlier results are replaced without a word.

        Returns
        -------
        list of Path
            Empty where nothing is written.

        Raises
        ------
        UsageError
            Where a folder cannot be made or written to, or holds the results of another run.
        """
        if self.out is None:
            return []
        folders = [self.out / file_stem(title) if len(titles) > 1 else self.out for title in titles]
        if {folder.resolve() for folder in folders} != {file.parent.resolve() for file in going_on}:
            self._check_earlier(folders)
        for folder in (self.out, *folders):
            _make_folder(folder)
        return folders

    def make_folder(self) -> None:
        """Make the folder of all results where one was given; raises `UsageError` as `folders` does."""
        if self.out is not None:
            self._check_earlier([])
            _make_folder(self.out)

    def _check_earlier(self, folders: Sequence[Path]) -> None:
        """Refuse a folder with earlier results, unless they may be replaced; then remember what lies there."""
        assert self.out is not None
        found = results_in(self.out, folders)
        if not found:
            return
        if not self.overwrite:
            named = _listed([str(path.relative_to(self.out)) for path in found])
            raise UsageError(
                f"{self.out}: holds the results of an earlier run ({named}). Name another folder, or add --overwrite."
            )
        self._earlier.update(files_in(self.out))

    @cached_property
    def _earlier(self) -> dict[Path, int]:
        """Files of earlier results that may be replaced, with when they were written."""
        return {}

    def deliver_record(self, record: Any, text: str, name: str) -> None:
        """Print a record as JSON or as text, and write it where a folder was given."""
        if self.out is not None:
            _make_folder(self.out)
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
        if not self.quiet:
            self._name_left_over(written)

    def _name_left_over(self, written: Sequence[Path]) -> None:
        """Say which files of earlier results lie beside the new ones."""
        from lieapp.engine.stopping import counted

        folder, stale = self.out, left_over(self._earlier, written)
        if folder is None or not stale:
            return
        entries = dict.fromkeys(path.relative_to(folder).parts[0] for path in stale)
        named = _listed(sorted(entries, key=lambda name: (folder / name).is_dir()))
        complain(
            f"{folder}: {counted(len(stale), 'file')} of before {'is' if len(stale) == 1 else 'are'} still there "
            f"and not of this run ({named})."
        )

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


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")


def _places(files: Sequence[Path], folder: Path | None) -> str:
    """Say where files are: the folder of results, single files, and folders of many."""
    beside = [path for path in files if folder is None or not path.is_relative_to(folder)]
    many = [path.parent for path in beside]
    places = [path if many.count(path.parent) < 3 else path.parent for path in beside]
    return " and ".join(dict.fromkeys(str(place) for place in ([folder] if folder is not None else []) + places))
