"""What the Export menu writes, off the window's thread. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lieapp.errors import LieAppError

if TYPE_CHECKING:
    from lieapp.alignment.slice import Slice
    from lieapp.export.alignment_result import AlignmentResult
    from lieapp.export.movie import MovieLook
    from lieapp.export.quantities import Curve
    from lieapp.gui.runs.entry import RunEntry

__all__ = [
    "COPIES",
    "EXPORTS",
    "MOVIE_EXPORTS",
    "PLOT_EXPORTS",
    "Export",
    "PlotExport",
    "PlotView",
    "copied_text",
    "curves_shown",
    "export_everything",
    "export_movie",
    "export_one",
    "export_plot",
    "export_slice",
    "result_of",
    "suggested_stem",
]


def result_of(entry: RunEntry, frame: int | None = None) -> AlignmentResult:
    """Return what the exporters need for one pose of a run.

    Parameters
    ----------
    entry : RunEntry
    frame : int, optional
        The best one by default.
    """
    from lieapp.alignment.report import report_align
    from lieapp.export.alignment_result import AlignmentResult

    best = entry.recording.best
    report = entry.report
    if report is None or (frame is not None and frame != best):
        report = report_align(entry.job, entry.recording, entry.inputs, frame)
    return AlignmentResult(entry.job, entry.inputs, entry.recording, report, best if frame is None else frame)


def suggested_stem(entry: RunEntry) -> str:
    """Return a name for files of a run, such as ``"4AKE_A_onto_1AKE_A"``."""
    return result_of(entry).stem


def _figures(result: AlignmentResult, path: Path) -> list[Path]:
    from lieapp.export.alignment_figures import write_figures

    return write_figures(result, path)


def _moved(result: AlignmentResult, path: Path) -> list[Path]:
    from lieapp.export.moved import write_moved_structure

    return [write_moved_structure(result, path).path]


def _transform_json(result: AlignmentResult, path: Path) -> list[Path]:
    from lieapp.export.transform import write_transform_json

    return [write_transform_json(result, path)]


def _transform_text(result: AlignmentResult, path: Path) -> list[Path]:
    from lieapp.export.transform import write_transform_text

    return [write_transform_text(result, path)]


def _residues(result: AlignmentResult, path: Path) -> list[Path]:
    from lieapp.export.alignment_tables import write_residues_csv

    return [write_residues_csv(result, path)]


def _trajectory(result: AlignmentResult, path: Path) -> list[Path]:
    from lieapp.export.alignment_tables import write_trajectory_csv

    return [write_trajectory_csv(result, path)]


@dataclass(frozen=True)
class Export:
    """One entry of the Export menu.

    Attributes
    ----------
    title : str
        What is written.
    suffix : str
        Suffix of the file; empty if a folder is asked for and the names follow from the run.
    write : callable
        Takes the result and the path, returns the files.
    """

    title: str
    suffix: str
    write: Callable[[AlignmentResult, Path], list[Path]]


EXPORTS: dict[str, Export] = {
    "export_moved": Export("moved structure", "", _moved),
    "export_transform_json": Export("transform", ".json", _transform_json),
    "export_transform_text": Export("transform", ".txt", _transform_text),
    "export_residues": Export("residue table", ".csv", _residues),
    "export_trajectory": Export("run", ".csv", _trajectory),
    "export_figures": Export("figures", "", _figures),
}
"""Single exports by the id of their action."""


def export_everything(entry: RunEntry, folder: Path, frame: int | None = None) -> list[Path]:
    """Write everything about a pose of a run into a folder; see `lieapp.export.alignment_bundle.export_alignment`."""
    from lieapp.export.alignment_bundle import export_alignment

    result = result_of(entry, frame)
    return export_alignment(folder, result.job, result.inputs, result.recording, result.report, frame=frame)


def export_one(identifier: str, entry: RunEntry, path: Path, frame: int | None = None) -> list[Path]:
    """Write one thing.

    Raises
    ------
    LieAppError
        If the file cannot be written.
    """
    export = EXPORTS[identifier]
    try:
        if not export.suffix:
            path.mkdir(parents=True, exist_ok=True)
        return export.write(result_of(entry, frame), path)
    except OSError as error:
        raise LieAppError(f"{error.filename or path}: cannot be written ({error.strerror}).") from error


# -- plots, of all the runs that are shown -----------------------------------------------------------------------


@dataclass(frozen=True)
class PlotView:
    """What the progress plot shows, so that the figure shows the same.

    Attributes
    ----------
    ordinate, abscissa : str
        Columns of the recordings.
    logarithmic : bool or None
        Of the ordinate; None for what suits the column.
    columns : {1, 2}
        Columns of a journal that a figure fills.
    """

    ordinate: str = "gap"
    abscissa: str = "evaluations"
    logarithmic: bool | None = None
    columns: int = 1


def curves_shown(entries: Sequence[RunEntry]) -> list[Curve]:
    """Return runs with the titles, colours and dashes that they have in the window; those without a frame are left out.

    Parameters
    ----------
    entries : sequence of RunEntry
        Usually the visible ones.
    """
    from lieapp.export.quantities import Curve

    return [Curve(entry.title, result_of(entry), entry.color, entry.dash) for entry in entries if entry.frames]


def _progress_figure(curves: Sequence[Curve], path: Path, view: PlotView) -> Path:
    from lieapp.export.alignment_figures import write_progress_figure

    return write_progress_figure(
        curves,
        path,
        ordinate=view.ordinate,
        abscissa=view.abscissa,
        logarithmic=view.logarithmic,
        columns=view.columns,
    )


def _progress_csv(curves: Sequence[Curve], path: Path, view: PlotView) -> Path:
    from lieapp.export.plot_data import write_progress_csv

    return write_progress_csv(curves, path)


def _progress_json(curves: Sequence[Curve], path: Path, view: PlotView) -> Path:
    from lieapp.export.plot_data import write_progress_json

    return write_progress_json(curves, path)


@dataclass(frozen=True)
class PlotExport:
    """One way to write the progress plot.

    Attributes
    ----------
    title : str
    suffixes : tuple of str
        Formats to choose from, the first one by default.
    write : callable
        Takes curves, the path and the view, returns the file.
    """

    title: str
    suffixes: tuple[str, ...]
    write: Callable[[Sequence[Curve], Path, PlotView], Path]


PLOT_EXPORTS: dict[str, PlotExport] = {
    "export_plot_figure": PlotExport("plot of the runs", (".svg", ".pdf", ".png"), _progress_figure),
    "export_plot_csv": PlotExport("numbers of the plot", (".csv",), _progress_csv),
    "export_plot_json": PlotExport("numbers of the plot", (".json",), _progress_json),
}
"""Exports of the progress plot by the id of their action."""


def export_plot(identifier: str, entries: Sequence[RunEntry], path: Path, view: PlotView | None = None) -> list[Path]:
    """Write the progress plot of runs, or its numbers.

    Raises
    ------
    ExportError
        If there is no run with a frame, or the file cannot be written.
    """
    return [PLOT_EXPORTS[identifier].write(curves_shown(entries), path, view or PlotView())]


def export_slice(slice_: Slice, entries: Sequence[RunEntry], path: Path, columns: int = 1) -> list[Path]:
    """Write the slice of the loss with the paths of runs; the suffix is the format.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    from lieapp.export.slice_figure import write_slice_figure

    return [write_slice_figure(slice_, path, curves_shown(entries), columns=columns)]


# -- movies ------------------------------------------------------------------------------------------------------

MOVIE_EXPORTS: dict[str, str] = {"export_movie": "movie of the run", "export_turntable": "turn of the superposition"}
"""Titles of the movies by the id of their action."""


def export_movie(
    identifier: str,
    entry: RunEntry,
    path: Path,
    frame: int | None = None,
    look: MovieLook | None = None,
    *,
    rivals: Sequence[RunEntry] = (),
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Path]:
    """Write the movie of a run or a race, or one turn of a pose.

    Parameters
    ----------
    identifier : str
        Of `MOVIE_EXPORTS`.
    entry : RunEntry
    path : Path
    frame : int, optional
        Pose that turns; the best one by default.
    look : MovieLook, optional
    rivals : sequence of RunEntry, optional
        Runs on the same pair that are shown beside it; each becomes a copy at as many evaluations.
    progress, cancelled : callable, optional
        Told the fraction done, and asked after each frame; both on the thread that calls.

    Raises
    ------
    ExportCancelled
        If `cancelled` returned True.
    ExportError
        If the movie cannot be written.
    SceneError
        If this machine cannot draw without a display.
    """
    from lieapp.export.movie import write_run_movie, write_turntable

    entrants = curves_shown([entry, *rivals])
    if len(entrants) > 1:
        from lieapp.export.race_pictures import write_race_movie, write_race_turntable

        if identifier == "export_movie":
            return write_race_movie(entrants, path, look, progress=progress, cancelled=cancelled)
        spent = entry.value("evaluations", frame)
        return write_race_turntable(entrants, path, look, evaluations=spent, progress=progress, cancelled=cancelled)
    if identifier == "export_movie":
        return write_run_movie(result_of(entry), path, look, progress=progress, cancelled=cancelled)
    return write_turntable(result_of(entry, frame), path, look, progress=progress, cancelled=cancelled)


# -- clipboard ---------------------------------------------------------------------------------------------------

COPIES: dict[str, str] = {
    "copy_result": "The scores are on the clipboard, as a table.",
    "copy_residues": "The distances of the pairs are on the clipboard, as a table.",
    "copy_runs": "The list of runs is on the clipboard, as a table.",
}
"""What to say when a text was copied, by the id of its action; `copied_text` makes it."""


def copied_text(identifier: str, entry: RunEntry, entries: Sequence[RunEntry] = (), frame: int | None = None) -> str:
    """Return a table to copy, cells apart by tabs.

    Parameters
    ----------
    identifier : str
        Of `COPIES`.
    entry : RunEntry
        The selected run.
    entries : sequence of RunEntry, optional
        All runs, for the list of them.
    frame : int, optional
        Pose of the selected run; the best one by default.
    """
    from lieapp.export.clipboard import residue_table_text, result_table_text, runs_table_text

    if identifier == "copy_runs":
        return runs_table_text(curves_shown(entries or [entry]))
    result = result_of(entry, frame)
    return residue_table_text(result) if identifier == "copy_residues" else result_table_text(result)
