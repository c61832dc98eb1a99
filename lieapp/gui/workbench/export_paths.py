"""Where an export goes to, as the user chooses it, and what is said once it is there."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from lieapp.gui.application.messages import Message
from lieapp.gui.application.preferences import Preferences

__all__ = ["ask_file", "ask_folder", "open_folder", "written_message"]


def ask_file(window: QWidget, preferences: Preferences, title: str, stem: str, suffixes: Sequence[str]) -> Path | None:
    """Ask for a file to write, and remember its folder; None if the user thinks better of it.

    Parameters
    ----------
    window : QWidget
        Parent of the dialog.
    preferences : Preferences
    title : str
        Of the dialog.
    stem : str
        Name that is suggested, without suffix.
    suffixes : sequence of str
        To choose from, the first one by default; the empty one is a folder of PNG files.
    """
    suggestion = os.path.join(preferences.text("export"), f"{stem}{suffixes[0]}")
    filters = {
        f"{suffix[1:].upper()} (*{suffix})" if suffix else "Folder of PNG files (*)": suffix for suffix in suffixes
    }
    chosen, kind = QFileDialog.getSaveFileName(window, title, suggestion, ";;".join(filters))
    if not chosen:
        return None
    path = Path(chosen)
    wanted = filters.get(kind, suffixes[0])
    if path.suffix.lower() not in suffixes:
        path = path.with_name(path.name + wanted)
    elif not wanted:
        path = path.with_suffix("")
    preferences.set_text("export", str(path.parent))
    return path


def ask_folder(window: QWidget, preferences: Preferences, title: str, stem: str = "") -> Path | None:
    """Ask for a folder to write into, and remember it; None if the user thinks better of it.

    Parameters
    ----------
    window : QWidget
        Parent of the dialog.
    preferences : Preferences
    title : str
        Of the dialog.
    stem : str, optional
        Name of a new folder in it, which is returned instead; numbered where there is one with files in it already, for
        results of two runs in one folder are easily taken for those of one.
    """
    chosen = QFileDialog.getExistingDirectory(window, title, preferences.text("export"))
    if not chosen:
        return None
    preferences.set_text("export", chosen)
    if not stem:
        return Path(chosen)
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for path in (Path(chosen) / name for name in names) if not _is_taken(path))


def _is_taken(path: Path) -> bool:
    return path.exists() and (not path.is_dir() or any(path.iterdir()))


def written_message(files: Sequence[Path], path: Path, said: str = "") -> Message:
    """Return what is said once files are written.

    Parameters
    ----------
    files : sequence of Path
    path : Path
        The file or the folder that was asked for.
    said : str, optional
        What is to be known about them.
    """
    where = files[0] if len(files) == 1 else path
    count = "Written" if len(files) == 1 else f"{len(files)} files written"
    folder = where if where.is_dir() else where.parent
    text = f"{count} to {where}" + (f" ({said})." if said else ".")
    return Message(text, "success", action=open_folder(folder))


def open_folder(folder: Path) -> tuple[str, Callable[[], object]]:
    """Return what a message offers: to look into a folder."""
    return "Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
