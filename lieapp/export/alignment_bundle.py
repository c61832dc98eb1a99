"""Everything about one alignment in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lieapp.alignment.inputs import AlignInputs
from lieapp.alignment.report import AlignReport
from lieapp.alignment.spec import AlignJob
from lieapp.engine.recording import Recording
from lieapp.export.alignment_figures import draw_progress, write_figures
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.alignment_tables import write_residues_csv, write_trajectory_csv
from lieapp.export.errors import writing
from lieapp.export.figure_files import FIGURE_FORMATS, save_figure, settle
from lieapp.export.moved import write_deviation_structure, write_moved_structure
from lieapp.export.plot_data import write_progress_csv, write_progress_json
from lieapp.export.quantities import curves_of
from lieapp.export.report_file import write_report
from lieapp.export.scripts import write_chimerax_attributes, write_chimerax_script, write_pymol_script
from lieapp.export.transform import write_transform_json, write_transform_text

__all__ = ["export_alignment", "export_race"]


def export_alignment(
    folder: Path | str,
    job: AlignJob,
    inputs: AlignInputs,
    recording: Recording,
    report: AlignReport,
    *,
    frame: int | None = None,
) -> list[Path]:
    """Write the moved structure, transform, scripts, tables, figures and report.

    Parameters
    ----------
    folder : path
        Made if it does not exist; files of the same names are replaced.
    frame : int, optional
        Frame whose pose is exported and which `report` describes; the best one by default.

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
    result = AlignmentResult(job, inputs, recording, report, recording.best if frame is None else frame)
    with writing(folder, folder=True):
        attributes = write_chimerax_attributes(result, folder / "deviation.defattr")
        recording.save(folder / "recording.npz")
        return [
            write_moved_structure(result, folder).path,
            write_deviation_structure(result, folder).path,
            write_transform_json(result, folder / "transform.json"),
            write_transform_text(result, folder / "transform.txt"),
            write_pymol_script(result, folder / "pymol.pml"),
            write_chimerax_script(result, folder / "chimerax.cxc", attributes),
            attributes,
            write_residues_csv(result, folder / "residues.csv"),
            write_trajectory_csv(result, folder / "trajectory.csv"),
            folder / "recording.npz",
            *write_figures(result, folder / "figures"),
            write_report(report, job, folder / "report.json"),
        ]


def export_race(folder: Path | str, results: Sequence[AlignmentResult], titles: Sequence[str]) -> list[Path]:
    """Write what compares runs: their progress in one figure, and its numbers.

    Parameters
    ----------
    folder : path
        Made if it does not exist; files of the same names are replaced.
    results : sequence of AlignmentResult
    titles : sequence of str
        As the legend shows them.

    Returns
    -------
    list of Path
        ``race.svg``, ``race.pdf``, ``race.png``, ``race.csv`` and ``race.json``.

    Raises
    ------
    ExportError
        If there is no run, the folder cannot be made, or a file cannot be written.
    """
    folder = Path(folder)
    curves = curves_of(results, titles)
    with writing(folder, folder=True):
        figure = settle(draw_progress(curves))
        return [
            *(save_figure(figure, folder / f"race.{kind}") for kind in FIGURE_FORMATS),
            write_progress_csv(curves, folder / "race.csv"),
            write_progress_json(curves, folder / "race.json"),
        ]
