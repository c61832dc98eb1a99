"""What is really on the screen, which `QWidget.grab` does not tell: it draws the widgets anew."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from lieapp.gui.window.main_window import MainWindow

pytestmark = pytest.mark.gl


def on_screen(widget: QWidget) -> NDArray[np.uint8]:
    """Return the pixels of the screen where a widget is, shape (rows, columns, 3)."""
    QApplication.processEvents()
    image = widget.screen().grabWindow(0).toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = pixels[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, 2::-1]
    place = widget.mapToGlobal(QPoint(0, 0))
    # The image goes with this function, and its memory with it.
    return pixels[place.y() : place.y() + widget.height(), place.x() : place.x() + widget.width()].copy()


def is_molecule(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture is mostly background, but not only."""
    background = (pixels > 245).all(axis=-1).mean()
    blue = (pixels[..., 2].astype(int) - pixels[..., 0] > 40).mean()
    return bool(0.4 < background < 0.995 and blue > 0.002)


def test_the_view_reaches_the_screen_and_comes_back_when_it_was_hidden(paired: MainWindow, qtbot) -> None:
    viewer = paired.workbench.viewer
    paired.move(0, 0)
    qtbot.waitUntil(lambda: is_molecule(on_screen(viewer)), timeout=20_000)
    viewer.hide()
    qtbot.wait(100)
    viewer.show()
    qtbot.waitUntil(lambda: is_molecule(on_screen(viewer)), timeout=20_000)
    paired.resize(1100, 660)
    qtbot.waitUntil(lambda: is_molecule(on_screen(viewer)), timeout=20_000)


def test_the_key_lies_above_the_view(paired: MainWindow, qtbot) -> None:
    viewer = paired.workbench.viewer
    paired.move(0, 0)
    viewer.set_key_visible(True)

    def red_end_seen() -> bool:
        pixels = on_screen(viewer.key).astype(int)
        return bool((abs(pixels - (0xB2, 0x18, 0x2B)) < 12).all(axis=-1).any())

    qtbot.waitUntil(red_end_seen, timeout=20_000)


def test_a_word_that_changes_does_not_cost_a_picture(paired: MainWindow, qtbot) -> None:
    """The view is a native window: else all of the window is composed by OpenGL at every change of a label."""
    viewer, window = paired.workbench.viewer, paired.windowHandle()
    assert viewer.windowHandle() is not None
    assert viewer.windowHandle() is not window
    assert viewer.parentWidget().windowHandle() is None

    def settled() -> bool:
        # At rest the picture is smoothed in several paints.
        before = len(viewer.paint_times)
        qtbot.wait(600)
        return len(viewer.paint_times) == before

    qtbot.waitUntil(settled, timeout=20_000)
    before = len(viewer.paint_times)
    for number in range(10):
        paired.workbench.run_bar.where.setText(f"{number}")
        qtbot.wait(20)
    assert len(viewer.paint_times) == before
