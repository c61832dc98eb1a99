"""The Export menu in the Cryo-EM workbench."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtGui import QPixmap

from lieapp.export.report_file import write_reports
from lieapp.gui.application.messages import Message
from lieapp.gui.cryoem.source import CryoemSource
from lieapp.gui.cryoem.workbench import CryoemWorkbench
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.workbench.exports import RunExports, file_word, picture_of

if TYPE_CHECKING:
    from lieapp.export.cryoem_bundle import Reconstruction

__all__ = ["CryoemExports", "result_of"]

_OF_ONE_FRAME = ("export_map", "export_half_maps", "export_fsc")


def result_of(entry: RunEntry) -> Reconstruction:
    """Return what the exporters need of a run."""
    from lieapp.cryoem.report import report_cryoem
    from lieapp.export.cryoem_bundle import Reconstruction

    report = entry.report or report_cryoem(entry.job, entry.recording)
    return Reconstruction(entry.title, entry.job, entry.recording, report)


class CryoemExports(RunExports):
    """Handlers of everything that leaves the Cryo-EM workbench.

    Notes
    -----
    Maps, half maps and correlations are those of the selected run at the frame shown; particles are those that it
    worked on; everything else is of all visible runs on the images shown.
    """

    kinds: ClassVar = {
        "export": ("everything", ""),
        "export_figures": ("figures", ""),
        "export_plot_csv": ("table of the runs", ".csv"),
        "export_plot_json": ("reports of the runs", ".json"),
        "export_trajectory": ("run", ".csv"),
        "export_map": ("map", ".mrc"),
        "export_half_maps": ("half maps", ""),
        "export_particles": ("particles", ""),
        "export_fsc": ("correlations", ".csv"),
    }

    of_one_run: ClassVar = (*_OF_ONE_FRAME, "export_particles", "export_trajectory")

    _workbench: CryoemWorkbench

    def _writer(self, identifier: str, entries: Sequence[RunEntry]) -> Callable[[Path], list[Path]] | None:
        frame = min(self._controller.frame, entries[0].frames - 1)
        if identifier == "export_half_maps" and "half_maps" not in entries[0].recording.state_keys:
            self._messages.post(
                Message("This run has no half maps: tick half maps in the panel and run again.", "warning")
            )
            return None
        source = entries[0].inputs
        return lambda path: _write(identifier, entries, source, frame, path)

    def picture(self) -> QPixmap:
        """Return the view that is shown, at twice its size."""
        if self._workbench.views.stack.currentWidget() is self._workbench.maps:
            return self._workbench.maps.picture()
        return picture_of(self._workbench.views.stack.currentWidget())

    def stem(self, identifier: str) -> str:
        choices, current = self._controller.choices, self._controller.current
        name = f"cryoem_{file_word(Path(choices.path).stem)}"
        if identifier in _OF_ONE_FRAME and current is not None:
            last = self._controller.frame >= current.frames - 1
            name += f"_{file_word(current.title)}" + ("" if last else f"_step{self._controller.frame}")
        return name


def _write(identifier: str, entries: Sequence[RunEntry], source: CryoemSource, frame: int, path: Path) -> list[Path]:
    from lieapp.cryoem.maps import write_map
    from lieapp.cryoem.writing import write_fsc, write_half_maps, write_particles
    from lieapp.export.cryoem_bundle import write_reconstruction_race_csv
    from lieapp.export.cryoem_figures import write_reconstruction_figures

    results = [result_of(entry) for entry in entries]
    first = results[0]
    pixel, box = first.report.pixel_size_angstrom, first.report.box
    if identifier in ("export_plot_csv", "export_trajectory"):
        return [write_reconstruction_race_csv(results, path)]
    if identifier == "export_plot_json":
        return [write_reports([result.title for result in results], [result.report for result in results], path)]
    if identifier == "export_figures":
        lines = [(entry.color, entry.dash) for entry in entries]
        return write_reconstruction_figures(results, path, baselines=source.baselines, lines=lines)
    if identifier == "export_particles":
        assert source.inputs is not None
        star = write_particles(source.inputs.particles, path)
        return [star, star.with_suffix(".mrcs")]
    if identifier == "export":
        return _everything(entries, results, source, path)
    state = first.recording.state(frame)
    if identifier == "export_map":
        return [write_map(path, state["map"], pixel)]
    if identifier == "export_half_maps":
        return list(write_half_maps(path, state["half_maps"][0], state["half_maps"][1], pixel))
    curves: dict[str, Any] = {key: state[key] for key in ("fsc_truth", "fsc_half", "shell_error") if key in state}
    return [write_fsc(path, curves, box=box, pixel_size_angstrom=pixel)]


def _everything(
    entries: Sequence[RunEntry], results: Sequence[Reconstruction], source: CryoemSource, folder: Path
) -> list[Path]:
    """Write all runs, what compares them, what they are compared with, and the images where they were simulated."""
    from lieapp.export.cryoem_bundle import export_reconstructions

    simulated = source.inputs is not None and source.job.particles is None
    return export_reconstructions(
        folder,
        results,
        [folder / f"{number}-{file_word(result.title)}" for number, result in enumerate(results, start=1)],
        baselines=source.baselines,
        particles=source.inputs.particles if simulated and source.inputs is not None else None,
        lines=[(entry.color, entry.dash) for entry in entries],
    )
