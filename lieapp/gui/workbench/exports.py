"""What the Export menus of workbenches have in common: asking where to, writing off the window's thread, telling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QFileDialog, QWidget

from lieapp.gui.application.errors import ErrorCenter, Message
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.runs.controller import RunController
from lieapp.gui.work.worker import Worker
from lieapp.gui.workbench.export_paths import ask_file, written_message

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
    controller : RunController
    worker : Worker
        Writes; nothing else waits for it.
    errors : ErrorCenter
    preferences : Preferences
    window : QWidget
        Parent of the dialogs.
    """

    kinds: ClassVar[Mapping[str, tuple[str, str]]]
    """What is written and its suffix (empty for a folder), by the id of the action."""

    def __init__(
        self,
        controller: RunController,
        worker: Worker,
        errors: ErrorCenter,
        preferences: Preferences,
        window: QWidget,
    ) -> None:
        self._run_controller, self._worker = controller, worker
        self._errors, self._preferences, self._window = errors, preferences, window

    @abstractmethod
    def write(self, identifier: str, path: Path) -> None:
        """Write one of `kinds`."""

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

    def submit(self, work: Callable[[], list[Path]], path: Path, title: str) -> None:
        """Write on the worker, and tell what was written.

        Parameters
        ----------
        work : callable() -> list of Path
        path : Path
            File or folder; a folder is made.
        title : str
            What is written, for people.
        """
        self._set_busy(True)
        self._worker.submit(
            lambda task: work(),
            lambda files: self._done(files, path),
            lambda error: self._failed(error, f"Writing the {title}"),
        )

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
        chosen = QFileDialog.getExistingDirectory(
            self._window, f"Folder in which to write {title}", self._preferences.text("export")
        )
        if not chosen:
            return None
        self._preferences.set_text("export", chosen)
        return Path(chosen) / stem

    def _ask_file(self, title: str, stem: str, suffixes: Sequence[str]) -> Path | None:
        return ask_file(self._window, self._preferences, title, stem, suffixes)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _set_busy(self, on: bool) -> None:
        self._run_controller.exporting = on
        self._run_controller.states_changed.emit()

    def _done(self, files: Sequence[Path], path: Path) -> None:
        self._set_busy(False)
        self._errors.post(written_message(files, path))

    def _failed(self, error: BaseException, doing: str) -> None:
        self._set_busy(False)
        self._errors.report(error, doing)
