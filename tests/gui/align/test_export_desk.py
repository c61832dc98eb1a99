"""Everything of the Export menu, written from the window and opened again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QImage

from lieapp.export.movie import MovieLook
from lieapp.gui.align.exporting import COPIES, EXPORTS, MOVIE_EXPORTS, PLOT_EXPORTS
from lieapp.gui.application.messages import Message
from lieapp.gui.widgets.picture_dialog import PictureDialog, picture_sizes
from lieapp.gui.window.main_window import MainWindow

TIMEOUT = 120_000
Finish = Callable[[MainWindow], None]


@pytest.fixture
def aligned(paired: MainWindow, finish: Finish) -> MainWindow:
    """The window with a finished run, at its best pose."""
    paired.actions_["align"].trigger()
    finish(paired)
    paired.controller.skip()
    return paired


def test_every_way_out_has_an_action(paired: MainWindow) -> None:
    for identifier in (*EXPORTS, *PLOT_EXPORTS, *MOVIE_EXPORTS, *COPIES):
        assert paired.actions_[identifier] is not None


@pytest.mark.parametrize("suffix", (".svg", ".pdf", ".png", ".csv", ".json"))
def test_the_plot_is_written_as_it_is_shown(
    aligned: MainWindow, messages: list[Message], tmp_path: Path, qtbot, suffix: str
) -> None:
    identifier = {".csv": "export_plot_csv", ".json": "export_plot_json"}.get(suffix, "export_plot_figure")
    path = tmp_path / f"plot{suffix}"
    aligned.export_desk.plot(identifier, path)
    assert not aligned.actions_["export"].isEnabled()
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages[0].level == "success" and str(path) in messages[0].text
    assert aligned.actions_["export"].isEnabled()
    if suffix == ".svg":
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    elif suffix == ".pdf":
        assert path.read_bytes().startswith(b"%PDF")
    elif suffix == ".png":
        assert not QImage(str(path)).isNull()
    elif suffix == ".json":
        assert json.loads(path.read_text(encoding="utf-8"))
    else:
        entry = aligned.controller.session.current
        assert entry is not None and len(path.read_text(encoding="utf-8").splitlines()) >= entry.frames


def test_the_slice_is_written_once_it_was_seen(
    aligned: MainWindow, messages: list[Message], tmp_path: Path, qtbot
) -> None:
    path = tmp_path / "slice.svg"
    aligned.export_desk.slice(path)
    qtbot.waitUntil(lambda: bool(messages))
    assert messages[0].level == "warning" and not path.exists()
    aligned.workbench.tabs.row._group.button(2).click()
    qtbot.waitUntil(lambda: getattr(aligned.workbench.slice, "slice", None) is not None, timeout=TIMEOUT)
    aligned.export_desk.slice(path)
    qtbot.waitUntil(lambda: len(messages) == 2, timeout=TIMEOUT)
    assert messages[1].level == "success" and ElementTree.parse(path) is not None


def test_a_movie_shows_its_progress(aligned: MainWindow, messages: list[Message], tmp_path: Path, qtbot) -> None:
    seen: list[int] = []
    strip = aligned.export_desk.strip
    strip.bar.valueChanged.connect(seen.append)
    aligned.export_desk.movie("export_turntable", tmp_path / "turn.gif", MovieLook(size=(80, 60), style="tube"))
    assert strip.isVisible()
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages[0].level == "success", messages[0].report
    assert (tmp_path / "turn.gif").read_bytes().startswith(b"GIF8")
    assert seen == sorted(seen) and seen[-1] == 100 and not strip.isVisible()


def test_a_movie_can_be_cancelled(aligned: MainWindow, messages: list[Message], tmp_path: Path, qtbot) -> None:
    aligned.export_desk.movie("export_movie", tmp_path / "run.gif", MovieLook(size=(320, 240)))
    aligned.export_desk.strip.button.click()
    assert not aligned.export_desk.strip.isVisible() and aligned.actions_["export"].isEnabled()
    qtbot.waitUntil(lambda: aligned.writing.idle, timeout=TIMEOUT)
    assert [message.level for message in messages] == ["info"]
    assert list(tmp_path.glob("run*")) == []


@pytest.mark.parametrize("identifier", list(COPIES))
def test_tables_are_copied(aligned: MainWindow, identifier: str) -> None:
    aligned.actions_[identifier].trigger()
    text = QGuiApplication.clipboard().text()
    assert ("\t" in text and "hinge_open" in text) or (identifier == "copy_runs" and "Adam" in text)


def test_the_picture_is_copied_and_written_at_any_size(
    aligned: MainWindow, messages: list[Message], tmp_path: Path, qtbot
) -> None:
    aligned.actions_["copy_picture"].trigger()
    assert QGuiApplication.clipboard().image().width() == 2 * aligned.workbench.viewer.scene.size[0]
    path = tmp_path / "view.png"
    aligned.export_desk.picture(path, (400, 300), transparent=True)
    assert aligned.export_desk.strip.isVisible() and not path.exists(), "drawn beside the window"
    qtbot.waitUntil(lambda: len(messages) == 2, timeout=TIMEOUT)
    assert messages[-1].level == "success" and not aligned.export_desk.strip.isVisible()
    image = QImage(str(path))
    assert (image.width(), image.height()) == (400, 300)
    assert image.pixelColor(2, 2).alpha() == 0
    aligned.export_desk.picture(tmp_path / "nowhere" / "view.png", (40, 30))
    qtbot.waitUntil(lambda: len(messages) == 3, timeout=TIMEOUT)
    assert messages[-1].level == "error"


def test_without_egl_the_window_draws_the_picture(
    aligned: MainWindow, messages: list[Message], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot
) -> None:
    from lieapp.scene import headless

    monkeypatch.setattr(headless.sys, "executable", str(tmp_path / "no python here"))
    path = tmp_path / "view.png"
    aligned.export_desk.picture(path, (400, 300))
    qtbot.waitUntil(lambda: len(messages) == 1, timeout=TIMEOUT)
    assert messages[0].level == "success" and QImage(str(path)).width() == 400


def test_a_picture_can_be_cancelled(aligned: MainWindow, messages: list[Message], tmp_path: Path, qtbot) -> None:
    path = tmp_path / "view.png"
    aligned.export_desk.picture(path, (3840, 2160))
    aligned.export_desk.picture(tmp_path / "other.png", (40, 30))
    aligned.export_desk.strip.button.click()
    qtbot.waitUntil(lambda: len(messages) == 2 and aligned.writing.idle, timeout=TIMEOUT)
    assert "something else" in messages[0].text.lower() and "nothing was written" in messages[1].text
    assert list(tmp_path.glob("*.png")) == []


def test_sizes_of_pictures(qtbot) -> None:
    sizes = [size for _, size in picture_sizes(QSize(740, 500))]
    assert sizes[0] == (740, 500) and (3840, 2160) in sizes and max(max(size) for size in sizes) <= 3840
    dialog = PictureDialog(QSize(740, 500))
    qtbot.addWidget(dialog)
    dialog.size_choice.setCurrentIndex(1)
    dialog.transparent.setChecked(True)
    assert dialog.chosen == ((1480, 1000), True)


def test_the_matrix_reads_back_to_the_same_bits(aligned: MainWindow) -> None:
    aligned.actions_["copy_matrix"].trigger()
    rows = [line.split() for line in QGuiApplication.clipboard().text().splitlines()]
    assert np.array_equal(np.array(rows, dtype=float), aligned.controller.pose())


def test_of_a_walk_the_pose_of_least_gradient_is_written(
    paired: MainWindow, finish: Finish, tmp_path: Path, messages: list[Message], qtbot
) -> None:
    controller = paired.controller
    controller.run(optimizer="deo", overrides={"mode": "reflect"})
    finish(paired)
    controller.skip()
    current = controller.current
    assert current is not None and current.climbs and controller.frame == current.best > 0
    messages.clear()
    paired.export_desk.one("export_transform_text", tmp_path / "pose.txt")
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages[0].level == "success" and messages[0].text.endswith("(pose of least gradient).")
