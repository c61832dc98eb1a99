"""What an earlier run left in a folder: results of two runs in one folder are easily taken for those of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["files_in", "left_over", "results_in"]

_RESULTS = ("recording.npz", "report.json", "checkpoint.pt", "race.csv", "sweep*.json", "sweep*.csv")
_OF_ENTRANTS = ("*/checkpoint.pt",)  # the entrants of a race that never came to write its table


def results_in(folder: Path, entrants: Iterable[Path] = ()) -> list[Path]:
    """Return files in a folder, and in those of the entrants of a race, that only a run leaves.

    Parameters
    ----------
    folder : Path
        It need not exist.
    entrants : iterable of Path
        Folders in it.
    """
    found = [path for pattern in (*_RESULTS, *_OF_ENTRANTS) for path in sorted(folder.glob(pattern))]
    found += [path for place in entrants for pattern in _RESULTS for path in sorted(place.glob(pattern))]
    return list(dict.fromkeys(found))


def files_in(folder: Path) -> dict[Path, int]:
    """Return when every file in and below a folder was last written, in ns."""
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


def left_over(before: dict[Path, int], written: Sequence[Path]) -> list[Path]:
    """Return the files that were there before, are there still, and were not written anew."""
    anew = set(written)
    return [
        path for path, time in before.items() if path not in anew and path.is_file() and path.stat().st_mtime_ns == time
    ]
