"""What the window remembers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray

from lieapp.gui.application.preferences import Preferences


def test_everything_comes_back_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "window.ini"
    first = Preferences(path)
    first.set_text("theme", "dark")
    first.set_flag("seen", True)
    first.set_state("geometry", QByteArray(b"\x00\x01\xff"))
    first.save()
    second = Preferences(path)
    assert second.text("theme") == "dark"
    assert second.flag("seen") and not second.flag("unseen") and second.flag("unseen", True)
    assert second.state("geometry") == QByteArray(b"\x00\x01\xff")
    assert second.state("nothing") is None


def test_recent_files_are_latest_first_once_each_and_still_there(preferences: Preferences, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}, with comma.pdb" for number in range(12)]
    for file in files:
        file.touch()
        preferences.add_recent_file(file)
    preferences.add_recent_file(files[9])
    files[10].unlink()
    recent = preferences.recent_files()
    assert recent[:3] == [str(files[9]), str(files[11]), str(files[8])]
    assert len(recent) == len(set(recent)) <= 8
    preferences.clear_recent_files()
    assert preferences.recent_files() == []


def test_the_default_place_is_the_users_configuration_folder(tmp_path: Path) -> None:
    assert Preferences().path.is_relative_to(tmp_path)  # XDG_CONFIG_HOME of the test
