"""Shapes of large structures are made on a worker, and shown when they are there."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import lieapp.gui.align.geometry_desk as desk_module
from lieapp.gui.application.messages import Message
from lieapp.gui.window.main_window import MainWindow
from lieapp.scene.geometry import Geometry

TIMEOUT = 60_000


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the threads on which shapes were made."""
    threads: list[str] = []
    make = desk_module.build_geometry

    def noted(*arguments: object, **options: object) -> object:
        threads.append(threading.current_thread().name)
        return make(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(desk_module, "build_geometry", noted)
    return threads


def test_the_shapes_of_a_pair_come_with_it(makers: list[str], paired: MainWindow) -> None:
    assert makers == ["lieapp-files"] * 2
    assert paired.workbench.viewer.scene.style == "ribbon"


def test_a_large_structure_alone_is_shaped_on_a_worker_with_its_meshes(
    makers: list[str], monkeypatch: pytest.MonkeyPatch, window: MainWindow, hinge: tuple[Path, Path], qtbot
) -> None:
    monkeypatch.setattr(desk_module, "AT_ONCE", 0)
    meshes: list[str] = []
    make = Geometry.mesh

    def noted(geometry: Geometry, triangles: int) -> object:
        meshes.append(threading.current_thread().name)
        return make(geometry, triangles)

    monkeypatch.setattr(Geometry, "mesh", noted)
    scene = window.workbench.viewer.scene
    window.controller.desk.open_files([hinge[0]])
    qtbot.waitUntil(lambda: scene.structure("mobile") is not None, timeout=TIMEOUT)
    if window.workbench.viewer.available:
        qtbot.waitUntil(lambda: bool(scene._bodies["mobile"].surfaces), timeout=TIMEOUT)
    assert set(makers) == set(meshes) == {"lieapp-files"}
    window.actions_["style_tube"].trigger()
    qtbot.waitUntil(lambda: scene.style == "tube", timeout=TIMEOUT)
    assert set(makers) == {"lieapp-files"}
    # What was opened in its place meanwhile is what is shown.
    window.controller.desk.open_files([hinge[1]], "mobile")
    qtbot.waitUntil(lambda: scene.structure("mobile").name == "hinge_closed", timeout=TIMEOUT)


def test_a_style_of_large_structures_comes_a_little_later(
    makers: list[str], monkeypatch: pytest.MonkeyPatch, paired: MainWindow, qtbot
) -> None:
    monkeypatch.setattr(desk_module, "AT_ONCE", 0)
    scene = paired.workbench.viewer.scene
    makers.clear()
    paired.actions_["style_tube"].trigger()
    paired.actions_["style_spheres"].trigger()  # the last choice counts
    assert scene.style == "ribbon"
    qtbot.waitUntil(lambda: scene.style == scene.style_of("target") == "spheres", timeout=TIMEOUT)
    qtbot.waitUntil(lambda: paired.files.idle, timeout=TIMEOUT)
    assert scene.style == "spheres" and set(makers) == {"lieapp-files"}


def test_what_cannot_be_shaped_is_said(
    monkeypatch: pytest.MonkeyPatch, paired: MainWindow, messages: list[Message], qtbot
) -> None:
    monkeypatch.setattr(desk_module, "AT_ONCE", 0)

    def refuse(*arguments: object, **options: object) -> object:
        raise MemoryError

    monkeypatch.setattr(desk_module, "build_geometry", refuse)
    paired.actions_["style_spheres"].trigger()
    qtbot.waitUntil(lambda: bool(messages) and messages[-1].level == "error", timeout=TIMEOUT)
    assert messages[-1].text == "Making the shapes of the 3-D view needs more memory than there is."
    assert paired.workbench.viewer.scene.style == "ribbon", "what was shown stays"


def test_small_structures_change_at_once(paired: MainWindow) -> None:
    paired.actions_["style_tube"].trigger()
    assert paired.workbench.viewer.scene.style == "tube"


def test_what_is_shown_stays_until_the_new_pairs_are_there(paired: MainWindow, qtbot) -> None:
    scene = paired.workbench.viewer.scene
    before, pose = scene.structure("mobile"), scene.pose("mobile")
    paired.controller.use_selection(fit="A:1-60")
    assert paired.controller.session.inputs is None
    paired.workbench.view.refresh()
    assert scene.structure("mobile") is before and (scene.pose("mobile") == pose).all()
    qtbot.waitUntil(lambda: paired.controller.session.inputs is not None, timeout=TIMEOUT)
