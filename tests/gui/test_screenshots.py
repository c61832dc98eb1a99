"""The window on the real pair, before, during and after a run, at three sizes, light and dark.

What is kept in ``screenshots`` was looked at. After a change that is meant to be seen, look at the new pictures and
keep them: run this file with ``LIEAPP_UPDATE_PICTURES=1``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from lieapp.gui.widgets.theme import theme
from lieapp.gui.window.main_window import MainWindow

pytestmark = [pytest.mark.gl, pytest.mark.shared_data]

KEPT = Path(__file__).parent / "screenshots"
KEPT_WIDTH = 480
SIZES = ((1280, 720), (1440, 900), (1920, 1080))
MODES = ("light", "dark")
# Mean difference of lightness between blurred pictures, of 255: fonts and drivers differ, layouts must not.
TOLERANCE = 6.0


def take(window: MainWindow, name: str, folder: Path) -> None:
    window.grab().save(str(folder / f"{name}.png"))


def small(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        height = round(KEPT_WIDTH * picture.height / picture.width)
        return picture.convert("RGB").resize((KEPT_WIDTH, height), Image.Resampling.LANCZOS)


def blocks(picture: Image.Image) -> np.ndarray:
    """Lightness averaged over blocks of about 8 pixels: text blurs away, panels stay."""
    return np.asarray(picture.convert("L").resize((60, 34), Image.Resampling.BOX), dtype=float)


def test_the_window_looks_as_it_was_looked_at(
    window: MainWindow, structures_dir: Path, qtbot: QtBot, finish: Callable[[MainWindow], None], tmp_path: Path
) -> None:
    def everywhere(moment: str) -> None:
        for mode in MODES:
            theme().set_mode(mode)  # type: ignore[arg-type]
            for width, height in SIZES:
                window.resize(width, height)
                qtbot.wait(700)
                take(window, f"{width}x{height}-{mode}-{moment}", tmp_path)

    controller = window.controller
    window.start([str(structures_dir / "adk" / f"{name}.pdb") for name in ("4AKE", "1AKE")])
    qtbot.waitUntil(lambda: controller.session.inputs is not None, timeout=60_000)
    qtbot.waitUntil(lambda: "thread" in window.device_text, timeout=60_000)
    try:
        everywhere("before")
        controller.run()
        finish(window)
        controller.skip()
        controller.show_frame(12)
        everywhere("during")
        controller.show_best()
        everywhere("after")
    finally:
        theme().set_mode("light")

    names = sorted(path.stem for path in tmp_path.glob("*x*-*.png"))
    assert len(names) == len(SIZES) * len(MODES) * 3
    if os.environ.get("LIEAPP_UPDATE_PICTURES"):
        KEPT.mkdir(exist_ok=True)
        for name in names:
            small(tmp_path / f"{name}.png").quantize(96).save(KEPT / f"{name}.png", optimize=True)
    far = {}
    for name in names:
        with Image.open(KEPT / f"{name}.png") as kept:
            difference = float(np.abs(blocks(kept.convert("RGB")) - blocks(small(tmp_path / f"{name}.png"))).mean())
        if difference > TOLERANCE:
            far[name] = round(difference, 1)
    assert not far, f"differ from the pictures kept (mean difference of lightness): {far}"
