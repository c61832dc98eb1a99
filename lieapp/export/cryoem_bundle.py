"""Everything about one reconstruction, or a race of several, in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lieapp.cryoem.maps import write_map
from lieapp.cryoem.writing import write_fsc, write_half_maps, write_particles
from lieapp.export.cryoem_figures import Line, write_reconstruction_figures
from lieapp.export.errors import writing
from lieapp.export.reconstruction import Reconstruction
from lieapp.export.report_file import write_report
from lieapp.export.tables import number_cell, write_table

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines
    from lieapp.cryoem.particles import Particles

__all__ = [
    "Reconstruction",
    "export_reconstruction",
    "export_reconstructions",
    "write_reconstruction_race_csv",
    "write_shells_csv",
]


def export_reconstruction(folder: Path | str, result: Reconstruction, *, frame: int | None = None) -> list[Path]:
    """Write map, half maps, correlations, errors by shell and epoch, recording and report.

    Parameters
    ----------
    folder : path
        Made if it does not exist; files of the same names are replaced.
    result : Reconstruction
    frame : int, optional
        Frame whose map is written; the last one by default.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ExportError
        If the folder cannot be made or a file cannot be written.
    CryoemError
        If a map cannot be written.
    """
    folder, recording, report = Path(folder), result.recording, result.report
    with writing(folder, folder=True):
        recording.save(folder / "recording.npz")
        written = [folder / "recording.npz", write_report(report, result.job, folder / "report.json")]
        if len(recording):
            state = recording.state(-1 if frame is None else frame)
            pixel = report.pixel_size_angstrom
            written.append(write_map(folder / "map.mrc", state["map"], pixel))
            if "half_maps" in state:
                written += write_half_maps(folder, state["half_maps"][0], state["half_maps"][1], pixel)
            curves = {"fsc_truth": state["fsc_truth"], "shell_error": state["shell_error"]}
            if "fsc_half" in state:
                curves["fsc_half"] = state["fsc_half"]
            written.append(write_fsc(folder / "fsc.csv", curves, box=report.box, pixel_size_angstrom=pixel))
            written.append(write_shells_csv(result, folder / "shell_error.csv"))
            written.append(write_reconstruction_race_csv([result], folder / "progress.csv"))
    return written


def export_reconstructions(
    folder: Path | str,
    results: Sequence[Reconstruction],
    folders: Sequence[Path],
    *,
    baselines: Baselines | None = None,
    particles: Particles | None = None,
    lines: Sequence[Line] | None = None,
) -> list[Path]:
    """Write runs on the same images, what compares them, and what they are compared with.

    Parameters
    ----------
    folder : path
        Gets the figures, the table of several runs, and the maps of the baselines: ``one_pass.mrc`` and, where there
        are such, ``minimiser.mrc`` and ``truth.mrc``.
    results : sequence of Reconstruction
        Those without a frame have no part in what compares them.
    folders : sequence of Path
        Where each of them goes; it may be the same folder for a single one.
    baselines : Baselines, optional
    particles : Particles, optional
        Images that are written as well, into ``particles``.
    lines : sequence of (str, tuple of float), optional
        Colour and dash of every run in figures; those of their optimisers by default.

    Returns
    -------
    list of Path

    Raises
    ------
    ExportError
        If a file cannot be written.
    CryoemError
        If a map or the images cannot be written.
    """
    folder = Path(folder)
    written: list[Path] = []
    for place, result in zip(folders, results, strict=True):
        written += export_reconstruction(place, result)
    shown = [place for place, result in enumerate(results) if len(result.recording)]
    begun = [results[place] for place in shown]
    if len(results) > 1:
        written.append(write_reconstruction_race_csv(results, folder / "race.csv"))
    if begun:
        chosen = None if lines is None else [lines[place] for place in shown]
        written += write_reconstruction_figures(begun, folder / "figures", baselines=baselines, lines=chosen)
    if baselines is not None:
        maps = {"one_pass": baselines.one_pass.map, "truth": baselines.truth}
        if baselines.minimiser is not None:
            maps["minimiser"] = baselines.minimiser.map
        pixel = baselines.pixel_size_angstrom
        written += [
            write_map(folder / f"{name}.mrc", values, pixel) for name, values in maps.items() if values is not None
        ]
    if particles is not None:
        star = write_particles(particles, folder / "particles")
        written += [star, star.with_suffix(".mrcs")]
    return written


def write_shells_csv(result: Reconstruction, path: Path) -> Path:
    """Write the relative error of every shell, one row for every frame that is kept."""
    recording = result.recording
    epochs = recording.column("epoch")
    shells = len(recording.state(0)["shell_error"])

    def rows() -> Iterable[list[object]]:
        for frame in range(len(recording)):
            if recording.kept(frame) == frame:
                errors = recording.state(frame)["shell_error"]
                yield [frame, number_cell(epochs[frame]), *(number_cell(each) for each in errors)]

    return write_table(path, ["frame", "epoch", *(f"shell_{k}" for k in range(shells))], rows())


def write_reconstruction_race_csv(results: Sequence[Reconstruction], path: Path) -> Path:
    """Write all columns of several runs, one row a frame: ``run, frame,`` then the columns."""
    columns = list(dict.fromkeys(name for result in results for name in result.recording.columns))

    def rows() -> Iterable[list[object]]:
        for result in results:
            table = result.recording.table()
            for frame in range(len(result.recording)):
                yield [
                    result.title,
                    frame,
                    *(number_cell(table[name][frame]) if name in table else "" for name in columns),
                ]

    return write_table(path, ["run", "frame", *columns], rows())
