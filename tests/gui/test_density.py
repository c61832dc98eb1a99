"""Maps in the window: opened, contoured by the real worker, their level dragged."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import lieapp.gui.viewer.density_desk as desk_module
import lieapp.scene.contours as contours
from lieapp.cryoem.maps import write_map
from lieapp.gui.application.messages import Message
from lieapp.gui.viewer.density_card import DensityCard
from lieapp.gui.viewer.density_desk import DensityDesk
from lieapp.gui.window.main_window import MainWindow

TIMEOUT = 60_000


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    """A ball of radius 8 Å around (14, 14, 14) Å, as a map whose values fall off linearly."""
    axes = np.meshgrid(*3 * [2.0 * np.arange(15) - 14.0], indexing="ij")
    values = 20 - np.sqrt(sum(axis**2 for axis in axes))
    return write_map(tmp_path / "ball.mrc", values, 2.0)


@pytest.fixture
def desk(window: MainWindow) -> DensityDesk:
    return window.workbench.density


@pytest.fixture
def card(window: MainWindow) -> DensityCard:
    return window.workbench.density_card


@pytest.fixture
def opened(window: MainWindow, desk: DensityDesk, ball: Path, qtbot: QtBot) -> MainWindow:
    window.controller.desk.open_files([ball])
    settle(desk, qtbot)
    return window


def settle(desk: DensityDesk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: desk.density is not None and not desk.busy, timeout=TIMEOUT)


def contour(desk: DensityDesk):
    found = desk._contour
    assert found is not None
    return found


def test_a_map_alone_starts_the_window(window: MainWindow, desk: DensityDesk, ball: Path, qtbot: QtBot) -> None:
    window.start([str(ball)])
    settle(desk, qtbot)
    qtbot.waitUntil(lambda: "thread" in window.device_text, timeout=TIMEOUT)
    assert window.controller.session.slots == {} and not window.controller.desk.loading


def test_a_map_is_shown_with_its_figures(opened: MainWindow, desk: DensityDesk, card: DensityCard) -> None:
    assert card.isVisible() and card.title.full_text == "ball.mrc"
    assert card.facts.full_text == "15 × 15 × 15 · 2 Å a pixel"
    assert not card.pixel_size.isVisible()
    assert desk.statistics is not None
    assert float(card.level.text()) == pytest.approx(desk.level, rel=1e-3)
    assert float(card.sigma.text()) == pytest.approx(desk.statistics.sigma(desk.level), abs=0.01)
    radius = 20 - desk.level
    assert contour(desk).volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.1)
    np.testing.assert_allclose(contour(desk).vertices.mean(axis=0), 14, atol=0.2)
    assert opened.preferences.recent_files()[0].endswith("ball.mrc")
    assert opened.actions_["export_picture"].isEnabled()


def test_contours_are_never_made_on_the_thread_of_the_window(
    window: MainWindow, desk: DensityDesk, ball: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    make = contours.isosurface

    def noted(*arguments: object, **options: object) -> object:
        threads.add(threading.current_thread().name)
        return make(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(contours, "isosurface", noted)
    desk.open(ball)
    settle(desk, qtbot)
    desk.set_level(10.0)
    settle(desk, qtbot)
    assert threads == {"lieapp-maps"}


def test_of_many_levels_the_newest_is_made(
    opened: MainWindow, desk: DensityDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[float, int]] = []
    go = threading.Event()
    make = contours.map_contour

    def held(density: object, level: float, *, stride: int = 1, **options: object) -> object:
        made.append((level, stride))
        go.wait(10)
        return make(density, level, stride=stride, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(contours, "map_contour", held)
    for level in np.linspace(8, 16, 50):
        desk.set_level(float(level), moving=True)
    go.set()
    settle(desk, qtbot)
    assert made[0][0] == 8 and made[-1][0] == 16 and len(made) == 2
    assert contour(desk).volume == pytest.approx(4 / 3 * np.pi * 4**3, rel=0.15)


def test_a_slow_map_is_coarse_while_its_level_moves(
    opened: MainWindow, desk: DensityDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = len(contour(desk).triangles)
    monkeypatch.setattr(desk_module, "COARSE_ABOVE_SECONDS", desk._seconds / 3)
    desk.set_level(desk.level + 1e-6, moving=True)
    settle(desk, qtbot)
    assert len(contour(desk).triangles) < 0.6 * full
    desk.set_level(desk.level)
    settle(desk, qtbot)
    assert len(contour(desk).triangles) == pytest.approx(full, rel=0.01)


def test_the_line_is_dragged_and_moved_by_keys(
    opened: MainWindow, desk: DensityDesk, card: DensityCard, qtbot: QtBot
) -> None:
    histogram = card.histogram
    y = histogram.height() // 2
    before = contour(desk).volume
    QTest.mousePress(histogram, Qt.MouseButton.LeftButton, pos=histogram.rect().center())
    x = round(histogram.x_of(10.0))
    QTest.mouseMove(histogram, QPoint(x, y))
    QTest.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    settle(desk, qtbot)
    assert desk.level == pytest.approx(10.0, abs=0.2)
    assert contour(desk).volume > before
    at = desk.level
    histogram.setFocus()
    QTest.keyClick(histogram, Qt.Key.Key_Right)
    assert at < desk.level < at + 0.5
    QTest.keyClick(histogram, Qt.Key.Key_PageDown)
    settle(desk, qtbot)
    assert desk.level < at


def test_numbers_are_typed_as_levels_and_as_deviations(
    opened: MainWindow, desk: DensityDesk, card: DensityCard, qtbot: QtBot
) -> None:
    for field, text in ((card.level, "12,5"), (card.sigma, "1.5")):
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
        settle(desk, qtbot)
    assert desk.statistics is not None
    assert desk.level == pytest.approx(desk.statistics.level(1.5))
    card.level.selectAll()
    QTest.keyClicks(card.level, "high")
    QTest.keyClick(card.level, Qt.Key.Key_Return)
    assert card.level.property("invalid") and desk.level == pytest.approx(desk.statistics.level(1.5))
    # Above everything there is nothing, and the card says so.
    desk.set_level(1e6)
    settle(desk, qtbot)
    assert "nothing above" in card.facts.full_text


def test_looks_change_without_a_new_contour(
    opened: MainWindow, desk: DensityDesk, card: DensityCard, qtbot: QtBot
) -> None:
    scene = opened.workbench.viewer.scene
    # The lines of a mesh are found when they are first wanted.
    assert not len(contour(desk).lines)
    card.style_choice.setCurrentIndex(1)
    card.style_choice.activated.emit(1)
    settle(desk, qtbot)
    assert scene._densities["target"].lines is not None
    before = contour(desk)
    card.opacity.setValue(30)
    card.color.menu().actions()[2].trigger()
    body = scene._densities["target"]
    assert body.contour is before and body.style == "mesh" and body.opacity == 0.3
    assert tuple(body.color[:3]) == pytest.approx((0xE6 / 255, 0x9F / 255, 0), abs=1e-3)
    card.eye.setChecked(False)
    assert not scene._densities and not desk.visible
    card.eye.setChecked(True)
    assert scene._densities["target"].contour is before
    card.close_button.click()
    assert not scene._densities and not card.isVisible()
    assert not opened.actions_["export_picture"].isEnabled()


def test_an_unknown_pixel_size_is_said_and_asked_for(
    window: MainWindow, desk: DensityDesk, card: DensityCard, tmp_path: Path, qtbot: QtBot
) -> None:
    import mrcfile

    path = tmp_path / "unknown.map"
    with mrcfile.new(path) as file:
        file.set_data(np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32))
        file.set_volume()
    desk.open(path)
    settle(desk, qtbot)
    assert card.pixel_size.isVisible() and "1 Å is assumed" in card._pixel_note.full_text
    before = np.ptp(contour(desk).vertices, axis=0)
    QTest.keyClicks(card.pixel_size, "2.5")
    QTest.keyClick(card.pixel_size, Qt.Key.Key_Return)
    settle(desk, qtbot)
    np.testing.assert_allclose(np.ptp(contour(desk).vertices, axis=0), 2.5 * before, rtol=1e-5)
    assert not card.pixel_size.isVisible() and "2.5 Å a pixel" in card.facts.full_text


def test_a_map_opened_beside_structures_lies_in_their_frame(
    paired: MainWindow, desk: DensityDesk, ball: Path, qtbot: QtBot
) -> None:
    paired.controller.desk.open_files([ball])
    settle(desk, qtbot)
    scene = paired.workbench.viewer.scene
    assert scene._densities["target"].opacity < 1
    assert np.array_equal(scene.pose("target"), np.eye(4))
    assert paired.controller.session.inputs is not None, "the pair stays"


def test_a_wrong_file_is_refused_and_the_open_map_stays(
    opened: MainWindow, desk: DensityDesk, tmp_path: Path, messages: list[Message], qtbot: QtBot
) -> None:
    wrong = tmp_path / "wrong.mrc"
    wrong.write_bytes(b"no map " * 300)
    for path in (wrong, tmp_path / "none.map"):
        said = len(messages)
        opened.controller.desk.open_files([path])
        qtbot.waitUntil(lambda said=said: len(messages) > said, timeout=TIMEOUT)
        assert messages[-1].level == "error" and str(path) in messages[-1].text
    opened.controller.desk.open_files([tmp_path / "a.mrc", tmp_path / "b.mrc"])
    qtbot.waitUntil(lambda: "One map" in messages[-1].text, timeout=TIMEOUT)
    opened.controller.desk.open_files([tmp_path / "a.mrcs"])
    qtbot.waitUntil(lambda: "image stacks" in messages[-1].text, timeout=TIMEOUT)
    assert desk.density is not None and desk.density.name == "ball.mrc"


def test_a_flat_map_is_shown_as_nothing(
    window: MainWindow, desk: DensityDesk, card: DensityCard, tmp_path: Path, qtbot: QtBot
) -> None:
    desk.open(write_map(tmp_path / "flat.mrc", np.full((4, 4, 4), 3.0), 1.0))
    settle(desk, qtbot)
    assert not window.workbench.viewer.scene._densities
    assert not card.level.isEnabled() and "nothing above" in card.facts.full_text
