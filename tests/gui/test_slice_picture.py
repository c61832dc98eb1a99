"""The loss slice on the screen with the path of a run, light and dark, against what was looked at.

After a change that is meant to be seen, look at the new pictures and keep them: run this file with
``LIEAPP_UPDATE_PICTURES=1``.
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
from tests.gui.test_screenshots import KEPT, MODES, TOLERANCE, blocks, small

pytestmark = [pytest.mark.gl, pytest.mark.shared_data]

TIMEOUT = 60_000


def test_the_slice_looks_as_it_was_looked_at(
    window: MainWindow, structures_dir: Path, qtbot: QtBot, finish: Callable[[MainWindow], None], tmp_path: Path
) -> None:
    controller = window.controller
    window.resize(1440, 900)
    window.start([str(structures_dir / "adk" / f"{name}.pdb") for name in ("4AKE", "1AKE")])
    qtbot.waitUntil(lambda: controller.session.inputs is not None, timeout=TIMEOUT)
    controller.run()
    finish(window)
    controller.skip()
    window.workbench.tabs.row._group.button(2).click()
    plot = window.workbench.slice
    qtbot.waitUntil(lambda: getattr(plot, "slice", None) is not None, timeout=TIMEOUT)
    far = {}
    try:
        for mode in MODES:
            theme().set_mode(mode)  # type: ignore[arg-type]
            qtbot.wait(700)
            name = f"slice-{mode}.png"
            plot.grab().save(str(tmp_path / name))
            seen = small(tmp_path / name)
            if os.environ.get("LIEAPP_UPDATE_PICTURES"):
                seen.quantize(96).save(KEPT / name, optimize=True)
            with Image.open(KEPT / name) as kept:
                difference = float(np.abs(blocks(kept.convert("RGB")) - blocks(seen)).mean())
            if difference > TOLERANCE:
                far[name] = round(difference, 1)
    finally:
        theme().set_mode("light")
    assert not far, f"differ from the pictures kept (mean difference of lightness): {far}"
