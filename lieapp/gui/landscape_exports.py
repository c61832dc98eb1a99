"""The Export menu in the Landscape workbench: asks where to, writes off the window's thread, says what was written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QPixmap
from PySide6.QtWidgets import QFileDialog, QWidget

from lieapp.gui.errors import ErrorCenter, Message
from lieapp.gui.landscape_workbench import LandscapeWorkbench
from lieapp.gui.preferences import Preferences
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.worker import Worker

if TYPE_CHECKING:
    from lieapp.export.landscape_figures import LandscapeResult

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

    written = export_landscape_race(folder, results)
    for number, result in enumerate(results, start=1):
        name = "".join(letter if letter.isalnum() else "-" for letter in result.title.lower()).strip("-")
        written += export_landscape(folder / f"{number}-{name}", result)
    return written


def _figures(results: Sequence[LandscapeResult], folder: Path) -> list[Path]:
    from lieapp.export.landscape_figures import write_landscape_figures

    return write_landscape_figures(results, folder)


def _table(results: Sequence[LandscapeResult], path: Path) -> list[Path]:
    from lieapp.export.landscape_bundle import write_race_csv

    return [write_race_csv(results, path)]


def _points(results: Sequence[LandscapeResult], path: Path) -> list[Path]:
    from lieapp.export.landscape_bundle import write_point_csv

    return [write_point_csv(results[0], path)]


def _reports(results: Sequence[LandscapeResult], path: Path) -> list[Path]:
    runs = [{"title": result.title, **result.report.to_dict()} for result in results]
    path.write_text(json.dumps({"schema": 1, "runs": runs}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [path]


LANDSCAPE_EXPORTS: dict[str, tuple[str, str, _Write]] = {
    "export": ("everything", "", _everything),
    "export_figures": ("figures", "", _figures),
    "export_plot_csv": ("table of the runs", ".csv", _table),
    "export_plot_json": ("reports of the runs", ".json", _reports),
    "export_trajectory": ("run", ".csv", _points),
}
"""What is written, the suffix (empty for a folder), and how, by the id of the action. All are of the visible runs on
the landscape shown; "export_trajectory" is of the selected one."""


class LandscapeExports:
    """Handlers of everything that leaves the Landscape workbench.

    Parameters
    ----------
    workbench : LandscapeWorkbench
    worker : Worker
        Writes; nothing else waits for it.
    errors : ErrorCenter
    preferences : Preferences
    window : QWidget
        Parent of the dialogs.
    """

    def __init__(
        self,
        workbench: LandscapeWorkbench,
        worker: Worker,
        errors: ErrorCenter,
        preferences: Preferences,
        window: QWidget,
    ) -> None:
        self._workbench = workbench
        self._controller = workbench.controller
        self._worker, self._errors, self._preferences, self._window = worker, errors, preferences, window

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return the handlers by the ids of their actions."""
        handlers: dict[str, Callable[[], object]] = {
            identifier: lambda identifier=identifier: self._ask(identifier)  # type: ignore[misc]
            for identifier in LANDSCAPE_EXPORTS
        }
        return handlers | {"export_picture": self._ask_picture, "copy_picture": self.copy_picture}

    # -- writing --------------------------------------------------------------------------------------------------

    def write(self, identifier: str, path: Path) -> None:
        """Write one of `LANDSCAPE_EXPORTS`."""
        title, suffix, write = LANDSCAPE_EXPORTS[identifier]
        entries = self._entries(selected=identifier == "export_trajectory")
        if not entries:
            self._errors.post(Message("There is no visible run to write.", "warning"))
            return

        def work() -> list[Path]:
            if not suffix:
                path.mkdir(parents=True, exist_ok=True)
            return write([result_of(entry) for entry in entries], path)

        self._set_busy(True)
        self._worker.submit(
            lambda task: work(),
            lambda files: self._done(files, path),
            lambda error: self._failed(error, f"Writing the {title}"),
        )

    def picture(self) -> QPixmap:
        """Return the picture as it is shown, at twice its size."""
        shown = self._workbench.pictures.currentWidget()
        pixmap = QPixmap(shown.size() * 2)
        pixmap.setDevicePixelRatio(2.0)
        pixmap.fill(shown.palette().base().color())
        shown.render(pixmap)
        return pixmap

    def copy_picture(self) -> None:
        """Copy the picture as it is shown."""
        QGuiApplication.clipboard().setPixmap(self.picture())
        self._errors.post(Message("The picture is on the clipboard.", "success"))

    def write_picture(self, path: Path) -> None:
        """Write the picture as it is shown as PNG."""
        if self.picture().save(str(path)):
            self._done([path], path)
        else:
            self._errors.post(Message(f"{path}: the picture cannot be written.", "error"))

    # -- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, identifier: str) -> None:
        title, suffix, _ = LANDSCAPE_EXPORTS[identifier]
        path = self._ask_file(f"Write the {title}", "", suffix) if suffix else self._ask_folder(title)
        if path is not None:
            self.write(identifier, path)

    def _ask_picture(self) -> None:
        path = self._ask_file("Write the picture", "_view", ".png")
        if path is not None:
            self.write_picture(path)

    def _ask_folder(self, title: str) -> Path | None:
        chosen = QFileDialog.getExistingDirectory(
            self._window, f"Folder in which to write {title}", self._preferences.text("export")
        )
        if not chosen:
            return None
        self._preferences.set_text("export", chosen)
        return Path(chosen) / self._stem

    def _ask_file(self, title: str, ending: str, suffix: str) -> Path | None:
        suggestion = os.path.join(self._preferences.text("export"), f"{self._stem}{ending}{suffix}")
        chosen, _ = QFileDialog.getSaveFileName(self._window, title, suggestion, f"{suffix[1:].upper()} (*{suffix})")
        if not chosen:
            return None
        path = Path(chosen)
        path = path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)
        self._preferences.set_text("export", str(path.parent))
        return path

    # -- pieces ---------------------------------------------------------------------------------------------------

    @property
    def _stem(self) -> str:
        return f"landscape_{self._controller.scene[0]}"

    def _entries(self, *, selected: bool) -> list[RunEntry]:
        if selected:
            return [] if self._controller.current is None else [self._controller.current]
        return [run for run in self._controller.runs_of_scene() if run.visible and run.frames]

    def _set_busy(self, on: bool) -> None:
        self._controller.exporting = on
        self._controller.states_changed.emit()

    def _done(self, files: Sequence[Path], path: Path) -> None:
        self._set_busy(False)
        where = files[0] if len(files) == 1 else path
        count = "Written" if len(files) == 1 else f"{len(files)} files written"
        folder = where if where.is_dir() else where.parent
        action = ("Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        self._errors.post(Message(f"{count} to {where}.", "success", action=action))

    def _failed(self, error: BaseException, doing: str) -> None:
        self._set_busy(False)
        self._errors.report(error, doing)
