"""The Export menu in the Landscape workbench: asks where to, writes off the window's thread, says what was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from lieapp.export.report_file import write_reports
from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.landscape.controller import LandscapeController
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.worker import Task, Worker
from lieapp.gui.workbench.exports import RunExports, file_word, picture_of
from lieapp.gui.workbench.long_export import LongExport, movie_suffixes
from lieapp.landscapes.plane_keys import has_plane, plane_key

if TYPE_CHECKING:
    from lieapp.export.landscape_figures import LandscapeResult
    from lieapp.export.reel import MovieLook

__all__ = ["LANDSCAPE_EXPORTS", "LandscapeExports", "result_of"]

_Write = Callable[[Sequence["LandscapeResult"], Path], list[Path]]


def result_of(entry: RunEntry) -> LandscapeResult:
    """Return what the exporters need of a run."""
    from lieapp.export.landscape_figures import LandscapeResult
    from lieapp.landscapes.report import report_landscape

    report = entry.report or report_landscape(entry.job, entry.recording)
    return LandscapeResult(entry.title, entry.job, entry.recording, report)


def _everything(results: Sequence[LandscapeResult], folder: Path) -> list[Path]:
    from lieapp.export.landscape_bundle import export_landscape, export_landscape_race
    from lieapp.landscapes.planes import plane_of

    written = export_landscape_race(folder, results, plane_of=plane_of)
    for number, result in enumerate(results, start=1):
        written += export_landscape(folder / f"{number}-{file_word(result.title)}", result, plane_of=plane_of)
    return written


def _figures(results: Sequence[LandscapeResult], folder: Path) -> list[Path]:
    from lieapp.export.landscape_figures import write_landscape_figures
    from lieapp.landscapes.planes import plane_of

    return write_landscape_figures(results, folder, plane_of=plane_of)


def _table(results: Sequence[LandscapeResult], path: Path) -> list[Path]:
    from lieapp.export.landscape_bundle import write_race_csv

    return [write_race_csv(results, path)]


def _points(results: Sequence[LandscapeResult], path: Path) -> list[Path]:
    from lieapp.export.landscape_bundle import write_point_csv

    return [write_point_csv(results[0], path)]


def _reports(results: Sequence[LandscapeResult], path: Path) -> list[Path]:
    return [write_reports([result.title for result in results], [result.report for result in results], path)]


LANDSCAPE_EXPORTS: dict[str, tuple[str, str, _Write]] = {
    "export": ("everything", "", _everything),
    "export_figures": ("figures", "", _figures),
    "export_plot_csv": ("table of the runs", ".csv", _table),
    "export_plot_json": ("reports of the runs", ".json", _reports),
    "export_trajectory": ("run", ".csv", _points),
}
"""What is written, the suffix (empty for a folder), and how, by the id of the action. All are of the visible runs on
the landscape shown; "export_trajectory" is of the selected one."""


class LandscapeExports(RunExports):
    """Handlers of everything that leaves the Landscape workbench.

    Parameters
    ----------
    workbench : LandscapeWorkbench
    worker : Worker
        Writes; nothing else waits for it.
    messages : MessageCenter
    preferences : Preferences
    long : LongExport
        Makes movies.
    window : QWidget
        Parent of the dialogs.
    """

    kinds: ClassVar = {name: (title, suffix) for name, (title, suffix, _) in LANDSCAPE_EXPORTS.items()}
    of_one_run: ClassVar = ("export_trajectory",)

    _workbench: LandscapeWorkbench
    _controller: LandscapeController

    def __init__(
        self,
        workbench: LandscapeWorkbench,
        worker: Worker,
        messages: MessageCenter,
        preferences: Preferences,
        long: LongExport,
        window: QWidget,
    ) -> None:
        super().__init__(workbench, worker, messages, preferences, window)
        self._long = long
        workbench.study_export_wanted.connect(self._ask_study)

    def handlers(self) -> dict[str, Callable[[], object]]:
        return super().handlers() | {"export_movie": self._ask_movie}

    def _writer(self, identifier: str, entries: Sequence[RunEntry]) -> Callable[[Path], list[Path]] | None:
        write = LANDSCAPE_EXPORTS[identifier][2]
        return lambda path: write([result_of(entry) for entry in entries], path)

    def movie(self, path: Path, look: MovieLook | None = None) -> None:
        """Write the movie of the visible runs on the picture shown; the strip shows its progress, and ends it."""
        entries = self._visible()
        job = self._controller.shown_job()
        plane = None
        if job is not None and has_plane(job):
            entries = [entry for entry in entries if plane_key(entry.job) == plane_key(job)]
            plane = self._workbench.planes.ask(job)
            if plane is None:
                self._messages.post(Message("The picture is being computed; try again when it is there.", "warning"))
                return
        if not entries:
            self._messages.post(Message("There is no visible run to film.", "warning"))
            return

        def work(task: Task) -> list[Path]:
            from lieapp.export.landscape_movie import write_landscape_movie

            return write_landscape_movie(
                [result_of(entry) for entry in entries],
                path,
                look,
                lines=[(entry.color, entry.dash) for entry in entries],
                plane=plane,
                progress=task.tell,
                cancelled=task.cancelled,
            )

        def failed(error: BaseException) -> None:
            self._failed(error, "Making the movie")

        text = "Making the movie of the run…" if len(entries) == 1 else "Making the movie of the race…"
        if self._long.begin(text, work, lambda files: self._done(files, path), failed, lambda: self._set_busy(False)):
            self._set_busy(True)

    def picture(self) -> QPixmap:
        """Return the picture as it is shown, at twice its size."""
        return picture_of(self._workbench.pictures.currentWidget())

    def stem(self, identifier: str) -> str:
        current = self._controller.current
        return f"landscape_{self._controller.choices.landscape if current is None else current.job.landscape}"

    def _ask_study(self, name: str) -> None:
        from lieapp.export.landscape_studies import STUDY_SUFFIXES

        path = self._ask_file(f"Write the {name}", f"{self.stem('export')}_{name}", STUDY_SUFFIXES)
        if path is not None:
            self._workbench.studies.write(name, path)

    def _ask_movie(self) -> None:
        path = self._ask_file("Write the movie", f"{self.stem('export_movie')}_movie", movie_suffixes())
        if path is not None:
            self.movie(path)
