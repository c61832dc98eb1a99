"""The Cryo-EM workbench before and after its first race, light and dark, as it was looked at.

New pictures are kept by ``LIEAPP_UPDATE_PICTURES=1``, see `tests.gui.test_screenshots`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from lieapp.gui.widgets.theme import theme
from lieapp.gui.window.main_window import MainWindow
from tests.gui.test_screenshots import KEPT, MODES, TOLERANCE, blocks, small, take

pytestmark = pytest.mark.gl

_SIZES = {"light": (1440, 900), "dark": (1280, 720)}


def test_the_workbench_looks_as_it_was_looked_at(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.actions_["workbench_cryoem"].trigger()
    bench = window.cryoem
    assert bench is not None
    controller = bench.controller

    def everywhere(moment: str) -> None:
        for mode in MODES:
            theme().set_mode(mode)  # type: ignore[arg-type]
            window.resize(*_SIZES[mode])
            qtbot.wait(700)
            take(window, f"cryoem-{mode}-{moment}", tmp_path)

    try:
        qtbot.waitUntil(lambda: controller.preview is not None, timeout=30_000)
        qtbot.waitUntil(lambda: not bench.maps.maker.busy and bench.maps.viewer.scene.count == 1, timeout=30_000)
        everywhere("before")
        bench.panel.main_button.click()
        qtbot.waitUntil(lambda: not controller.running and len(controller.runs) == 3, timeout=120_000)
        controller.skip()
        controller.select(controller.runs[2])
        controller.show_frame(4)
        qtbot.waitUntil(lambda: not bench.maps.maker.busy, timeout=30_000)
        everywhere("early")
        controller.show_best()
        bench.views.show_page(1)
        bench.tabs.show_page(2)
        bench.refresh_views()
        everywhere("slices")
    finally:
        theme().set_mode("light")
    names = sorted(path.stem for path in tmp_path.glob("cryoem-*.png"))
    assert len(names) == 3 * len(MODES)
    if os.environ.get("LIEAPP_UPDATE_PICTURES"):
        for name in names:
            small(tmp_path / f"{name}.png").quantize(96).save(KEPT / f"{name}.png", optimize=True)
    far = {}
    for name in names:
        with Image.open(KEPT / f"{name}.png") as kept:
            difference = float(np.abs(blocks(kept.convert("RGB")) - blocks(small(tmp_path / f"{name}.png"))).mean())
        if difference > TOLERANCE:
            far[name] = round(difference, 1)
    assert not far, f"differ from the pictures kept (mean difference of lightness): {far}"
