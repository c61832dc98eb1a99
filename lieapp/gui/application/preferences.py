"""What the window remembers between sessions: its shape, recent files, the theme."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path
from PySide6.QtCore import QByteArray, QSettings

__all__ = ["Preferences"]

_RECENT = 8


class Preferences:
    """Typed access to the settings file.

    Parameters
    ----------
    path : Path, optional
        The file; ``window.ini`` in the user's configuration folder by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("lieapp") / "window.ini"
        self._settings = QSettings(str(self.path), QSettings.Format.IniFormat)

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        return str(self._settings.value(key, default))

    def set_text(self, key: str, value: str) -> None:
        """Keep a text."""
        self._settings.setValue(key, value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return a yes or no."""
        return self.text(key, "yes" if default else "no") == "yes"

    def set_flag(self, key: str, value: bool) -> None:
        """Keep a yes or no."""
        self.set_text(key, "yes" if value else "no")

    def state(self, key: str) -> QByteArray | None:
        """Return the state of a window or splitter, or None if there is none."""
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else None

    def set_state(self, key: str, value: QByteArray) -> None:
        """Keep the state of a window or splitter."""
        self._settings.setValue(key, value)

    def recent_files(self) -> list[str]:
        """Return the files opened last, latest first, without those that are gone."""
        lines = self.text("recent").splitlines()
        return [line for line in lines if Path(line).is_file()][:_RECENT]

    def add_recent_file(self, path: Path | str) -> None:
        """Put a file at the head of the list."""
        newest = str(path)
        others = [line for line in self.recent_files() if line != newest]
        self.set_text("recent", "\n".join([newest, *others][:_RECENT]))

    def clear_recent_files(self) -> None:
        """Forget the list."""
        self.set_text("recent", "")

    def save(self) -> None:
        """Write the file now; an unwritable place loses the preferences and nothing else."""
        self._settings.sync()
