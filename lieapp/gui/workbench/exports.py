"""What the Export menus of workbenches with scenes share: asking where to, writing off the window's thread, telling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QWidget

from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.worker import Task, Worker
from lieapp.gui.workbench.export_paths import ask_file, ask_folder, written_message
from lieapp.gui.workbench.scene_workbench import SceneWorkbench

__all__ = ["RunExports", "file_word", "picture_of"]


def file_word(title: str) -> str:
    """Return the title of a run as part of a file name."""
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")


def picture_of(shown: QWidget) -> QPixmap:
    """Return a widget as it is shown, at twice its size."""
    pixmap = QPixmap(shown.size() * 2)
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(shown.palette().base().color())
    shown.render(pixmap)
    return pixmap


class RunExports(ABC):
    """Handlers of everything that leaves a workbench.

    Parameters
    ----------
    workbench : SceneWorkbench
    worker : Worker
        Writes; nothing else waits for it.
    messages : MessageCenter
    preferences : Preferences
    window : QWidget
        Parent of the dialogs.
    """

    kinds: ClassVar[Mapping[str, tuple[str, str]]]
    """What is written and its suffix (empty for a folder), by the id of the action."""
    of_one_run: ClassVar[Collection[str]] = ()
    """Which of `kinds` are of the selected run; the others are of all that are visible on the scene shown."""

    def __init__(
        self,
        workbench: SceneWorkbench,
        worker: Worker,
        messages: MessageCenter,
        preferences: Preferences,
        window: QWidget,
    ) -> None:
        self._workbench, self._controller, self._worker = workbench, workbench.controller, worker
        self._messages, self._preferences, self._window = messages, preferences, window

    @abstractmethod
    def _writer(self, identifier: str, entries: Sequence[RunEntry]) -> Callable[[Path], list[Path]] | None:
        """Return what writes one of `kinds`, called on the worker; None where it cannot be written, which is told.

        Parameters
        ----------
        identifier : str
        entries : sequence of RunEntry
            Of which runs; one at least.
        """

    @abstractmethod
    def picture(self) -> QPixmap:
        """Return the view as it is shown."""

    @abstractmethod
    def stem(self, identifier: str) -> str:
        """Return how the files of an export are called, without suffix."""

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return the handlers by the ids of their actions."""
        handlers: dict[str, Callable[[], object]] = {
            identifier: lambda identifier=identifier: self._ask(identifier)  # type: ignore[misc]
            for identifier in self.kinds
        }
        return handlers | {"export_picture": self._ask_picture, "copy_picture": self.copy_picture}

    def write(self, identifier: str, path: Path) -> None:
        """Write one of `kinds` into a file or a folder; a folder is made."""
        title, suffix = self.kinds[identifier]
        entries = self._visible()
        if identifier in self.of_one_run:
            entries = [] if self._controller.current is None else [self._controller.current]
        if not entries:
            self._messages.post(Message("There is no visible run to write.", "warning"))
            return
        write = self._writer(identifier, entries)
        if write is None:
            return

        def work(task: Task) -> list[Path]:
            if not suffix:
                path.mkdir(parents=True, exist_ok=True)
            return write(path)

        self._set_busy(True)
        self._worker.submit(
            work, lambda files: self._done(files, path), lambda error: self._failed(error, f"Writing the {title}")
        )

    def copy_picture(self) -> None:
        """Copy the picture as it is shown."""
        QGuiApplication.clipboard().setPixmap(self.picture())
        self._messages.post(Message("The picture is on the clipboard.", "success"))

    def write_picture(self, path: Path) -> None:
        """Write the picture as it is shown as PNG."""
        if self.picture().save(str(path)):
            self._messages.post(written_message([path], path))
        else:
            self._messages.post(Message(f"{path}: the picture cannot be written.", "error"))

    # -- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, identifier: str) -> None:
        title, suffix = self.kinds[identifier]
        stem = self.stem(identifier)
        path = self._ask_file(f"Write the {title}", stem, [suffix]) if suffix else self._ask_folder(title, stem)
        if path is not None:
            self.write(identifier, path)

    def _ask_picture(self) -> None:
        path = self._ask_file("Write the picture", f"{self.stem('export_picture')}_view", [".png"])
        if path is not None:
            self.write_picture(path)

    def _ask_folder(self, title: str, stem: str) -> Path | None:
        return ask_folder(self._window, self._preferences, f"Folder in which to write {title}", stem)

    def _ask_file(self, title: str, stem: str, suffixes: Sequence[str]) -> Path | None:
        return ask_file(self._window, self._preferences, title, stem, suffixes)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _visible(self) -> list[RunEntry]:
        return [run for run in self._controller.runs_of_scene() if run.visible and run.frames]

    def _set_busy(self, on: bool) -> None:
        self._controller.exporting = on
        self._controller.states_changed.emit()

    def _done(self, files: Sequence[Path], path: Path) -> None:
        self._set_busy(False)
        self._messages.post(written_message(files, path))

    def _failed(self, error: BaseException, doing: str) -> None:
        self._set_busy(False)
        self._messages.report(error, doing)
