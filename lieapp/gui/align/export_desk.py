"""The Export menu: asks where to, writes off the window's thread, and says what was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from lieapp.engine.best import name_of_best
from lieapp.gui.align import exporting
from lieapp.gui.align.controller import AlignController
from lieapp.gui.align.workbench import AlignWorkbench
from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.picture_dialog import PictureDialog
from lieapp.gui.widgets.progress_strip import ProgressStrip
from lieapp.gui.work.worker import Task, Worker
from lieapp.gui.workbench.export_paths import ask_file, ask_folder, open_folder, written_message
from lieapp.gui.workbench.long_export import LongExport, movie_suffixes
from lieapp.scene.errors import SceneError
from lieapp.scene.headless import render_snapshot
from lieapp.scene.snapshot import take_snapshot

__all__ = ["ExportDesk"]


class ExportDesk:
    """Handlers of everything that leaves the program.

    Parameters
    ----------
    controller : AlignController
    worker : Worker
        Writes; nothing else waits for it.
    messages : MessageCenter
    preferences : Preferences
    window : QWidget
        Parent of the dialogs.
    workbench : callable() -> AlignWorkbench
        The workbench; it is made after its actions.

    Attributes
    ----------
    long : LongExport
        Shared by all workbenches.
    """

    def __init__(
        self,
        controller: AlignController,
        worker: Worker,
        messages: MessageCenter,
        preferences: Preferences,
        window: QWidget,
        workbench: Callable[[], AlignWorkbench],
    ) -> None:
        self._controller = controller
        self._worker = worker
        self._messages = messages
        self._preferences = preferences
        self._window = window
        self._workbench = workbench
        self.long = LongExport(worker, messages)

    @property
    def strip(self) -> ProgressStrip:
        """Shows how far a long export is."""
        return self.long.strip

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the handlers by the ids of their actions."""
        handlers: dict[str, Callable[..., object]] = {
            "export": self._ask_everything,
            "export_picture": self._ask_picture,
            "export_slice": self._ask_slice,
            "copy_matrix": self.copy_matrix,
            "copy_picture": self.copy_picture,
        }
        handlers |= {identifier: partial(self._ask_one, identifier) for identifier in exporting.EXPORTS}
        handlers |= {identifier: partial(self._ask_plot, identifier) for identifier in exporting.PLOT_EXPORTS}
        handlers |= {identifier: partial(self._ask_movie, identifier) for identifier in exporting.MOVIE_EXPORTS}
        handlers |= {identifier: partial(self.copy, identifier) for identifier in exporting.COPIES}
        return handlers

    # -- writing --------------------------------------------------------------------------------------------------

    def everything(self, folder: Path) -> None:
        """Write everything about the selected run into a folder."""
        current, frame = self._current, self._frame
        if current is not None:
            self._write("Writing everything", folder, lambda task: exporting.export_everything(current, folder, frame))

    def one(self, identifier: str, path: Path) -> None:
        """Write one thing of the selected run."""
        current, frame = self._current, self._frame
        if current is not None:
            doing = f"Writing the {exporting.EXPORTS[identifier].title}"
            self._write(doing, path, lambda task: exporting.export_one(identifier, current, path, frame))

    def plot(self, identifier: str, path: Path) -> None:
        """Write the progress plot of the visible runs as it is shown, or its numbers."""
        runs, view = self._visible, self._workbench().plots
        shown = exporting.PlotView(
            view.ordinate_shown.column,
            view.abscissa_shown.column,
            view.logarithmic.isChecked(),
        )
        doing = f"Writing the {exporting.PLOT_EXPORTS[identifier].title}"
        self._write(doing, path, lambda task: exporting.export_plot(identifier, runs, path, shown), pose="")

    def slice(self, path: Path) -> None:
        """Write the slice of the loss that is shown."""
        plot = self._workbench().slice
        found = None if plot is None else plot.slice
        if found is None:
            self._messages.post(Message("Open the tab Slice first: what it shows is written.", "warning"))
            return
        runs = [run for run in self._visible if run.inputs is self._controller.inputs]
        self._write("Writing the slice", path, lambda task: exporting.export_slice(found, runs, path), pose="")

    def movie(self, identifier: str, path: Path, look: Any = None) -> None:
        """Write a movie, of a race where other runs are shown; the strip shows its progress and ends it on request."""
        current, frame = self._current, self._frame
        if current is None:
            return
        rivals = [run for run, _ in self._controller.other_poses()] if self._workbench().view.show_ghosts else []

        def work(task: Task) -> list[Path]:
            return exporting.export_movie(
                identifier, current, path, frame, look, rivals=rivals, progress=task.tell, cancelled=task.cancelled
            )

        pose = "" if identifier == "export_movie" else None
        text = f"Making the {exporting.MOVIE_EXPORTS[identifier]}…"
        self._write("Making the movie", path, work, pose=pose, long=text)

    def picture(self, path: Path, size: tuple[int, int] | None = None, *, transparent: bool = False) -> None:
        """Write what the 3-D view shows as PNG: drawn beside the window, or by it where only it has OpenGL."""
        scene = self._workbench().viewer.scene
        snapshot, wanted = take_snapshot(scene), size or scene.size
        text = f"Drawing a picture of {wanted[0]} × {wanted[1]}…"

        def work(task: Task) -> list[Path]:
            render_snapshot(path, snapshot, wanted, transparent=transparent, cancelled=task.cancelled)
            return [path]

        def here(error: BaseException) -> None:
            if not isinstance(error, SceneError) or not path.parent.is_dir():
                self._messages.report(error, "Writing the picture")
                return
            image = self._workbench().viewer.picture(size, transparent=transparent)
            if image.isNull() or not image.save(str(path)):
                self._messages.post(Message(f"{path}: the picture cannot be written.", "error"))
            else:
                self._messages.post(Message(f"Written to {path}.", "success", action=open_folder(path.parent)))

        self._write("Writing the picture", path, work, pose="", long=text, known=False, otherwise=here)

    # -- copying --------------------------------------------------------------------------------------------------

    def copy(self, identifier: str) -> None:
        """Copy a table of the selected run, or of all."""
        current = self._current
        if current is None:
            return
        runs = [run for run in self._controller.session.runs if run.report is not None]
        text = exporting.copied_text(identifier, current, runs, self._frame)
        QGuiApplication.clipboard().setText(text)
        self._messages.post(Message(exporting.COPIES[identifier], "success"))

    def copy_matrix(self) -> None:
        """Copy the matrix of the pose shown."""
        from lieapp.export.clipboard import matrix_text

        QGuiApplication.clipboard().setText(matrix_text(self._controller.pose()))
        self._messages.post(Message("The matrix is on the clipboard: x' = R x + t, row by row.", "success"))

    def copy_picture(self) -> None:
        """Copy what the 3-D view shows, sharp enough for a slide."""
        viewer = self._workbench().viewer
        width, height = viewer.scene.size
        scale = max(2, math.ceil(viewer.devicePixelRatioF()))
        image = viewer.picture((scale * width, scale * height))
        if image.isNull():
            self._messages.post(Message("There is no 3-D view to copy.", "warning"))
            return
        QGuiApplication.clipboard().setImage(image)
        self._messages.post(Message("The picture is on the clipboard.", "success"))

    # -- asking ---------------------------------------------------------------------------------------------------

    def _ask_everything(self) -> None:
        current = self._current
        if current is None:
            return
        stem = exporting.suggested_stem(current)
        path = ask_folder(self._window, self._preferences, "Folder in which to write everything", stem)
        if path is not None:
            self.everything(path)

    def _ask_one(self, identifier: str) -> None:
        export = exporting.EXPORTS[identifier]
        if export.suffix:
            path = self._ask_file(f"Write the {export.title}", "", (export.suffix,))
        else:
            path = ask_folder(self._window, self._preferences, f"Folder for the {export.title}")
        if path is not None:
            self.one(identifier, path)

    def _ask_plot(self, identifier: str) -> None:
        export = exporting.PLOT_EXPORTS[identifier]
        path = self._ask_file(f"Write the {export.title}", "_progress", export.suffixes)
        if path is not None:
            self.plot(identifier, path)

    def _ask_slice(self) -> None:
        path = self._ask_file("Write the slice", "_slice", (".svg", ".pdf", ".png"))
        if path is not None:
            self.slice(path)

    def _ask_movie(self, identifier: str) -> None:
        suffixes = movie_suffixes()
        path = self._ask_file(f"Write the {exporting.MOVIE_EXPORTS[identifier]}", "_movie", suffixes)
        if path is not None:
            self.movie(identifier, path)

    def _ask_picture(self) -> None:
        viewer = self._workbench().viewer
        if not viewer.available:
            self._messages.post(Message("There is no 3-D view to write.", "warning"))
            return
        dialog = PictureDialog(viewer.size(), self._window)
        accepted = dialog.exec()
        size, transparent = dialog.chosen
        dialog.deleteLater()
        path = self._ask_file("Write the picture", "_view", (".png",)) if accepted else None
        if path is not None:
            self.picture(path, size, transparent=transparent)

    def _ask_file(self, title: str, ending: str, suffixes: Sequence[str]) -> Path | None:
        current = self._current
        stem = "lieapp" if current is None else exporting.suggested_stem(current)
        return ask_file(self._window, self._preferences, title, f"{stem}{ending}", suffixes)

    # -- pieces ---------------------------------------------------------------------------------------------------

    @property
    def _current(self) -> RunEntry | None:
        return self._controller.session.current

    @property
    def _visible(self) -> list[RunEntry]:
        return [run for run in self._controller.session.runs if run.visible]

    @property
    def _frame(self) -> int | None:
        """The frame shown if it is not the best one; exports then say so."""
        current, frame = self._current, self._controller.frame
        if current is None or frame in (current.recording.best, current.frames - 1):
            return None
        return frame

    def _pose_text(self, frame: int | None) -> str:
        """Return which pose an export takes, for people."""
        current = self._current
        if frame is not None:
            return f"pose at step {frame}"
        return name_of_best("pose", "loss" if current is None else current.recording.best_by)

    def _write(
        self,
        doing: str,
        path: Path,
        work: Callable[[Task], list[Path]],
        *,
        pose: str | None = None,
        long: str = "",
        known: bool = True,
        otherwise: Callable[[BaseException], object] | None = None,
    ) -> None:
        """Let the worker write.

        `pose` is what to say about the pose, None for what is true of the frame shown; `long` is what the strip says
        of work that takes its time, and `known` whether that tells how far it is; `otherwise` takes a failure, which
        is reported without it.
        """
        frame = self._frame
        said = pose if pose is not None else self._pose_text(frame)

        def done(files: list[Path]) -> None:
            self._messages.post(written_message(files, path, said))

        def failed(error: BaseException) -> None:
            if otherwise is not None:
                otherwise(error)
            else:
                self._messages.report(error, doing)

        def then(report: Callable[[Any], object]) -> Callable[[Any], None]:
            def end(value: Any) -> None:
                self._set_busy(False)
                report(value)

            return end

        if not long:
            self._set_busy(True)
            self._worker.submit(work, then(done), then(failed))
        elif self.long.begin(long, work, done, failed, lambda: self._set_busy(False), known=known):
            self._set_busy(True)

    def _set_busy(self, on: bool) -> None:
        self._controller.exporting = on
        self._controller.states_changed.emit()
