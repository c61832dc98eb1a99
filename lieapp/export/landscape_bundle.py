"""Everything about runs on a landscape in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lieapp.export.errors import writing
from lieapp.export.landscape_figures import LandscapeResult, PlaneMaker, write_landscape_figures
from lieapp.export.report_file import write_report
from lieapp.export.tables import number_cell, write_table

__all__ = ["export_landscape", "export_landscape_race", "write_point_csv", "write_race_csv"]


def write_point_csv(result: LandscapeResult, path: Path) -> Path:
    """Write one row a frame: the columns of the recording, then point and direction, or the projection.

    Vectors of frames that were thinned are empty, and so are numbers that are not known.
    """
    recording = result.recording
    columns = recording.columns
    table = recording.table()
    keys = [key for key in ("point", "direction", "projection") if key in recording.state_keys]
    sizes = {key: int(recording.state(0)[key].size) for key in keys}
    heads = ["frame", *columns, *(f"{key}_{place + 1}" for key in keys for place in range(sizes[key]))]

    def rows() -> Iterable[list[object]]:
        for frame in range(len(recording)):
            row: list[object] = [frame, *(number_cell(table[name][frame]) for name in columns)]
            if recording.kept(frame) == frame:
                state = recording.state(frame)
                row += [number_cell(number) for key in keys for number in state[key].ravel()]
            else:
                row += [""] * sum(sizes.values())
            yield row

    return write_table(path, heads, rows())


def write_race_csv(results: Sequence[LandscapeResult], path: Path) -> Path:
    """Write all columns of several runs, one row a frame: ``run, seed, frame,`` then the columns."""
    columns = list(dict.fromkeys(name for result in results for name in result.recording.columns))

    def rows() -> Iterable[list[object]]:
        for result in results:
            table = result.recording.table()
            for frame in range(len(result.recording)):
                numbers = (number_cell(table[name][frame]) if name in table else "" for name in columns)
                yield [result.title, result.job.seed, frame, *numbers]

    return write_table(path, ["run", "seed", "frame", *columns], rows())


def export_landscape(folder: Path | str, result: LandscapeResult, *, plane_of: PlaneMaker | None = None) -> list[Path]:
    """Write recording, trajectory, figures and report of one run.

    Parameters
    ----------
    folder : path
        Made if it does not exist; files of the same names are replaced.
    result : LandscapeResult
    plane_of : callable, optional
        See `write_landscape_figures`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ExportError
        If the folder cannot be made or a file cannot be written.
    """
    folder = Path(folder)
    with writing(folder, folder=True):
        result.recording.save(folder / "recording.npz")
        written = [folder / "recording.npz", write_report(result.report, result.job, folder / "report.json")]
        if len(result.recording):
            written.append(write_point_csv(result, folder / "trajectory.csv"))
            written += write_landscape_figures([result], folder / "figures", plane_of=plane_of)
        return written


def export_landscape_race(
    folder: Path | str, results: Sequence[LandscapeResult], *, plane_of: PlaneMaker | None = None
) -> list[Path]:
    """Write what compares runs: their figures together, and one table of all frames.

    Raises
    ------
    ExportError
        If there is no run, the folder cannot be made, or a file cannot be written.
    """
    folder = Path(folder)
    with writing(folder, folder=True):
        return [
            write_race_csv(results, folder / "race.csv"),
            *write_landscape_figures(results, folder / "figures", plane_of=plane_of),
        ]
