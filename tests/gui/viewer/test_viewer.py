from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from lieapp.gui.viewer.deviation_key import DeviationKey
from lieapp.gui.viewer.opengl import OpenGLInfo, judge, probe_opengl
from lieapp.gui.viewer.viewer import MoleculeViewer
from lieapp.scene.coloring import legend_for
from lieapp.scene.colors import deviation_colors
from tests.scene.builders import helix, structure_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def opengl(qapp: QApplication) -> OpenGLInfo:
    info = probe_opengl()
    if info.problem and "gl" not in os.environ.get("LIEAPP_REQUIRE", "").split(","):
        pytest.skip(f"gl: {info.problem}")
    assert not info.problem
    return info


@pytest.fixture
def viewer(qtbot: QtBot, opengl: OpenGLInfo) -> Iterator[MoleculeViewer]:
    widget = MoleculeViewer()
    widget.resize(740, 500)
    widget.scene.set_structure("mobile", structure_of(helix(40), name="rod"))
    widget.scene.set_structure("target", structure_of(helix(40), name="stay"))
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.scene.fit_view()
    qtbot.waitUntil(lambda: len(widget.paint_times) > 0, timeout=10_000)
    yield widget
    widget.shut_down()


def _screen(viewer: MoleculeViewer, residue: int) -> QPoint:
    place = viewer.scene.viewpoint.project(viewer.scene.points("mobile"), viewer.scene.size)[residue]
    return QPoint(round(place[0]), round(place[1]))


def _settle(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    """Wait until nothing is painted any more."""

    def at_rest() -> bool:
        before = len(viewer.paint_times)
        qtbot.wait(400)
        return len(viewer.paint_times) == before

    qtbot.waitUntil(at_rest, timeout=20_000)


@pytest.mark.gl
def test_molecules_are_seen_on_the_screen(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    _settle(qtbot, viewer)
    image = viewer.grab().toImage()
    middle = [
        image.pixelColor(round(x * image.width()), round(y * image.height())).lightness()
        for x in np.linspace(0.05, 0.95, 40)
        for y in np.linspace(0.4, 0.6, 9)
    ]
    assert image.pixelColor(3, 3).name() == "#ffffff"
    assert np.mean(np.array(middle) < 240) > 0.1
    viewer.set_dark(True)
    _settle(qtbot, viewer)
    assert viewer.grab().toImage().pixelColor(3, 3).lightness() < 60


@pytest.mark.gl
def test_pictures_of_any_size(viewer: MoleculeViewer) -> None:
    image = viewer.picture((900, 400), transparent=True)
    assert (image.width(), image.height()) == (900, 400)
    assert image.pixelColor(0, 0).alpha() == 0
    assert max(image.pixelColor(x, 200).alpha() for x in range(0, 900, 3)) == 255


@pytest.mark.gl
def test_nothing_is_painted_while_nothing_changes_or_nobody_looks(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    _settle(qtbot, viewer)
    viewer.hide()
    qtbot.wait(50)
    before = len(viewer.paint_times)
    for step in range(5):
        viewer.navigator.turn(1.0 + step, 0.0)
        qtbot.wait(30)
    assert len(viewer.paint_times) == before
    viewer.show()
    qtbot.waitUntil(lambda: len(viewer.paint_times) > before, timeout=5000)


@pytest.mark.gl
@pytest.mark.shared_data
def test_painting_adenylate_kinase_leaves_the_thread_to_others(
    qtbot: QtBot, viewer: MoleculeViewer, structures_dir: Path
) -> None:
    """What a paint takes is measured by ``tests.benchmarks scene``; others get as long after each."""
    from lieapp.structures.reading import read_structure

    for slot, name in (("mobile", "4AKE.pdb"), ("target", "1AKE.pdb")):
        structure = read_structure(structures_dir / "adk" / name)
        viewer.scene.set_structure(slot, structure, drawn=structure.residues.chain == "A")  # type: ignore[arg-type]
        if slot == "mobile":
            colors = deviation_colors(np.linspace(0, 10, len(structure.residues)))
            viewer.scene.set_residue_colors("mobile", colors)
    viewer.scene.fit_view()
    qtbot.wait(600)
    paints: list[tuple[float, float]] = []
    pace = viewer._pace
    viewer._canvas.events.draw.connect(lambda event: paints.append((pace._busy_since, pace.times[-1])), position="last")
    begin = time.perf_counter()
    while len(paints) < 12:
        assert time.perf_counter() - begin < 30
        viewer.navigator.turn(0.2, 0.0)
        QApplication.processEvents()
    # Of every paint by itself, so that it holds however long a busy machine takes for one of them.
    begins, took = np.array(paints).T
    assert (np.diff(begins) >= 2 * took[:-1]).all()


@pytest.mark.gl
def test_a_slow_machine_simplifies_what_moves_and_completes_what_rests(
    qtbot: QtBot, viewer: MoleculeViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not viewer.opengl.software:
        pytest.skip("gl: a graphics card draws, nothing is simplified")
    _settle(qtbot, viewer)
    paint = viewer.scene._paint

    def slowly(*arguments: Any, **options: Any) -> None:
        time.sleep(0.045)
        paint(*arguments, **options)

    monkeypatch.setattr(viewer.scene, "_paint", slowly)
    for _ in range(8):
        before = len(viewer.paint_times)
        viewer.navigator.turn(3.0, 0.0)
        qtbot.waitUntil(lambda before=before: len(viewer.paint_times) > before, timeout=5000)
    assert viewer.scene.hurried
    qtbot.waitUntil(lambda: not viewer.scene.hurried, timeout=5000)
    monkeypatch.setattr(viewer.scene, "_paint", paint)
    assert viewer.available


@pytest.mark.gl
def test_dragging_turns_the_view_and_by_hand_the_mobile(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    native = viewer._canvas.native
    dragged, released = [], []
    viewer.pose_dragged.connect(dragged.append)
    viewer.pose_released.connect(released.append)

    def drag(modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        qtbot.mousePress(native, Qt.MouseButton.LeftButton, modifier, QPoint(300, 250))
        for step in range(1, 9):
            qtbot.mouseMove(native, QPoint(300 + 8 * step, 250 + 3 * step))
            qtbot.wait(2)
        qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, modifier, QPoint(364, 274))

    view = viewer.scene.viewpoint
    drag()
    assert not np.allclose(viewer.scene.viewpoint.rotation, view.rotation)
    assert not released
    viewer.set_by_hand(True)
    assert viewer.by_hand
    view = viewer.scene.viewpoint
    drag()
    assert viewer.scene.viewpoint is view
    assert dragged and len(released) == 1
    assert released[0].shape == (4, 4)
    np.testing.assert_array_equal(released[0], viewer.scene.pose("mobile"))
    assert not np.allclose(released[0], np.eye(4))
    viewer.set_by_hand(False)
    drag(Qt.KeyboardModifier.ShiftModifier)
    assert len(released) == 1
    assert not np.allclose(viewer.scene.viewpoint.center, view.center)


@pytest.mark.gl
def test_hover_click_menu_and_double_click(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    native = viewer._canvas.native
    viewer.scene.set_structure("target", None)
    viewer.hover_text = lambda hit: f"{hit.label}: 1.2 Å"
    place = _screen(viewer, 20)
    with qtbot.waitSignal(viewer.hovered, timeout=3000) as hovered:
        qtbot.mouseMove(native, QPoint(5, 5))
        qtbot.mouseMove(native, place)
    assert hovered.args[0].label == "rod A:ALA 21"
    with qtbot.waitSignal(viewer.hovered, timeout=3000) as left:
        qtbot.mouseMove(native, QPoint(5, 5))
    assert left.args[0] is None
    with qtbot.waitSignal(viewer.clicked, timeout=1000) as clicked:
        qtbot.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, place)
    assert clicked.args[0].residue == 20 and clicked.args[1] is True
    viewer.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    with qtbot.waitSignal(viewer.customContextMenuRequested, timeout=1000):
        qtbot.mouseClick(native, Qt.MouseButton.RightButton, pos=place)
    qtbot.mouseDClick(native, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: np.allclose(viewer.scene.viewpoint.center, helix(40)[20]), timeout=3000)


@pytest.mark.gl
def test_other_views_are_reached_smoothly_or_at_once(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    scene = viewer.scene
    seen = []
    start = scene.viewpoint
    viewer.motion.valueChanged.connect(lambda part: seen.append(scene.viewpoint.rotation[2, 0]))
    viewer.look_along("x")
    qtbot.waitUntil(lambda: bool(np.allclose(scene.viewpoint.rotation[2], [1, 0, 0], atol=1e-12)), timeout=3000)
    assert len(seen) > 2 and any(0 < abs(value - start.rotation[2, 0]) < 0.99 for value in seen)
    np.testing.assert_allclose(scene.viewpoint.rotation @ scene.viewpoint.rotation.T, np.eye(3), atol=1e-9)
    # Who takes the view during the move keeps it.
    viewer.look_along("z")
    qtbot.wait(40)
    viewer.navigator.wheel(1.0)
    kept = scene.viewpoint
    qtbot.wait(350)
    assert scene.viewpoint is kept
    viewer.motion.smooth = False
    viewer.fit()
    np.testing.assert_allclose(scene.viewpoint.rotation, scene.fitting_viewpoint().rotation)
    mask = np.zeros(40, dtype=bool)
    mask[30:] = True
    viewer.center_on("mobile", mask)
    assert abs(scene.viewpoint.center[2] - helix(40)[30:, 2].mean()) < 1.0
    assert scene.viewpoint.half_height < scene.fitting_viewpoint().half_height
    viewer.set_perspective(True)
    assert viewer.perspective and scene.viewpoint.field_of_view > 0
    viewer.set_perspective(False)
    assert not viewer.perspective


@pytest.mark.gl
def test_wheel_and_keys_move_the_view(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    native = viewer._canvas.native
    start = viewer.scene.viewpoint.half_height
    middle = QPointF(native.rect().center())
    wheel = QWheelEvent(
        middle,
        QPointF(native.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(native, wheel)
    assert viewer.scene.viewpoint.half_height < start
    qtbot.keyClick(viewer, Qt.Key.Key_Minus)
    assert viewer.scene.viewpoint.half_height == pytest.approx(start)
    rotation = viewer.scene.viewpoint.rotation
    qtbot.keyClick(viewer, Qt.Key.Key_Left)
    assert not np.allclose(viewer.scene.viewpoint.rotation, rotation)
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    np.testing.assert_allclose(viewer.scene.viewpoint.rotation, rotation, atol=1e-12)


@pytest.mark.gl
def test_a_failing_draw_becomes_one_banner(
    qtbot: QtBot, viewer: MoleculeViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("Shader compilation error in GL_VERTEX_SHADER: line 3")

    monkeypatch.setattr(viewer.scene, "_paint", broken)
    with qtbot.waitSignal(viewer.failed, timeout=5000) as failed:
        viewer.navigator.turn(5, 0)
    assert viewer.opengl.renderer in failed.args[0]
    assert "driver" in failed.args[0]
    assert not viewer.available and viewer.banner_text == failed.args[0]
    paints = len(viewer.paint_times)
    viewer.scene.set_pose("mobile", np.diag([1.0, 1.0, 1.0, 1.0]))
    viewer.set_key_visible(True)
    qtbot.wait(100)
    assert len(viewer.paint_times) == paints
    assert viewer.picture().isNull()


@pytest.mark.gl
def test_what_vispy_only_logs_is_heard(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    with qtbot.waitSignal(viewer.failed, timeout=5000):
        logging.getLogger("vispy").handlers[-1].emit(
            logging.LogRecord("vispy", logging.ERROR, __file__, 1, "GL_INVALID_VALUE", None, None)
        )
    assert not viewer.available


@pytest.mark.gl
def test_the_view_survives_being_moved_to_another_window(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    other = QWidget()
    layout = QVBoxLayout(other)
    qtbot.addWidget(other)
    other.resize(500, 400)
    layout.addWidget(viewer)
    paints = len(viewer.paint_times)
    with qtbot.waitExposed(other):
        other.show()
    viewer.navigator.turn(5, 0)
    qtbot.waitUntil(lambda: len(viewer.paint_times) > paints + 1, timeout=5000)
    assert viewer.available
    viewer.setParent(None)  # the other window must not take it along


@pytest.mark.gl
def test_shutting_down_leaves_nothing_behind(qtbot: QtBot, opengl: OpenGLInfo) -> None:
    handlers = len(logging.getLogger("vispy").handlers)
    widget = MoleculeViewer()
    qtbot.addWidget(widget)
    widget.close()
    widget.shut_down()
    assert len(logging.getLogger("vispy").handlers) == handlers
    widget.scene.set_pose("mobile", np.eye(4))
    assert not widget.available


@pytest.mark.gl
def test_overlays_lie_in_their_corners_and_names_are_there(qtbot: QtBot, viewer: MoleculeViewer) -> None:
    viewer.set_key_visible(True)
    viewer.set_by_hand(True)
    key = viewer.key
    assert key.isVisible()
    assert key.geometry().right() < viewer.width() and key.geometry().left() > viewer.width() / 2
    assert key.geometry().top() < 30
    assert viewer._hint.isVisible() and viewer._hint.geometry().bottom() < viewer.height()
    viewer.resize(600, 420)
    qtbot.wait(20)
    assert key.geometry().right() < viewer.width()
    for widget in (viewer, viewer._canvas.native, key):
        assert widget.accessibleName()


def test_the_key_says_what_the_colours_mean(qtbot: QtBot) -> None:
    key = DeviationKey()
    qtbot.addWidget(key)
    assert key.labels() == ("0", "4", "≥ 8 Å")
    key.resize(key.sizeHint())
    image = key.grab().toImage()
    row = [image.pixelColor(x, 5) for x in range(image.width())]
    bluest = max(range(len(row)), key=lambda x: row[x].blue() - row[x].red())
    reddest = max(range(len(row)), key=lambda x: row[x].red() - row[x].blue())
    assert bluest < reddest


@pytest.mark.parametrize("scheme", ["chain", "secondary", "plddt", "b-factor", "index", "element"])
def test_the_key_explains_other_colours(qtbot: QtBot, scheme: str) -> None:
    legend = legend_for(structure_of(helix(12), ["A"] * 6 + ["B"] * 6), scheme)
    assert legend is not None
    key = DeviationKey()
    qtbot.addWidget(key)
    key.set_legend(legend)
    assert set(key.labels()) == {text for _, _, text in legend.entries if text}
    assert legend.caption in key.accessibleDescription()
    key.resize(key.sizeHint())
    image = key.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    first = legend.entries[0][1].lower() if legend.kind == "bands" else None
    assert first is None or first in seen


@pytest.mark.parametrize(
    ("renderer", "version", "refused"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", "4.5 (Compatibility Profile) Mesa 22.3.6", False),
        ("Apple M2", "2.1 Metal - 88", False),
        ("GDI Generic", "1.1.0", True),
        ("Some old card", "1.5.0", True),
        ("?", "", True),
    ],
)
def test_old_or_generic_opengl_is_refused(renderer: str, version: str, refused: bool) -> None:
    info = judge("vendor", renderer, version)
    assert bool(info.problem) is refused
    assert info.software is (renderer.startswith(("llvmpipe", "GDI")))


_WITHOUT_DISPLAY = """
import warnings; warnings.simplefilter("error")
import numpy as np
from PySide6.QtWidgets import QApplication
from lieapp.gui.viewer.viewer import MoleculeViewer
from tests.scene.builders import helix, structure_of
app = QApplication([])
viewer = MoleculeViewer()
viewer.scene.set_structure("mobile", structure_of(helix(9)))
viewer.scene.fit_view()
viewer.scene.set_pose("mobile", np.eye(4))
viewer.scene.set_pair_lines(True, helix(9), helix(9))
viewer.set_key_visible(True)
viewer.set_by_hand(True)
viewer.show()
viewer.resize(640, 400)
for _ in range(20):
    app.processEvents()
assert viewer.scene.pick(320, 200) is not None
assert not viewer.available
print(viewer.banner_text)
viewer.close()
"""


def test_without_opengl_there_is_a_banner_and_no_exception() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_DISPLAY],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No 3-D view" in done.stdout
    assert "Traceback" not in done.stderr


_SCALED = """
import json, os, sys
import numpy as np
from lieapp.gui.viewer.opengl import prepare_opengl
prepare_opengl()
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from lieapp.gui.viewer.viewer import MoleculeViewer
from tests.scene.builders import helix, structure_of
import time
app = QApplication([])
viewer = MoleculeViewer()
viewer.resize(480, 320)
viewer.scene.set_structure("mobile", structure_of(helix(30)))
viewer.scene.set_style("tube")
colors = np.tile(np.float32([0.1, 0.1, 0.9, 1]), (30, 1))
colors[25:] = (1, 0, 0, 1)
viewer.scene.set_residue_colors("mobile", colors)
viewer.scene.headlight = type(viewer.scene.headlight)(outline=0.0, specular=0.0, depth_cue=0.0)
hits = []
viewer.hovered.connect(lambda hit: hits.append(None if hit is None else hit.residue))
viewer.show()
viewer.scene.fit_view()
end = time.monotonic() + 20
def spin(seconds):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        app.processEvents()
        time.sleep(0.002)
while not viewer.paint_times and time.monotonic() < end:
    spin(0.02)
spin(0.6)
native = viewer._canvas.native
places = viewer.scene.viewpoint.project(viewer.scene.points("mobile"), viewer.scene.size)
seen = []
for residue in (2, 10, 20, 27):
    x, y = places[residue, :2]
    local = QPointF(x, y)
    for kind in ("off", "on"):
        where = QPointF(3, 3) if kind == "off" else local
        event = QMouseEvent(QMouseEvent.Type.MouseMove, where, native.mapToGlobal(where), Qt.MouseButton.NoButton,
                            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
        app.sendEvent(native, event)
        wait = time.monotonic() + 3
        while kind == "on" and viewer._hit is None and time.monotonic() < wait:
            spin(0.02)
        spin(0.06)
    seen.append(hits[-1])
image = native.grabFramebuffer().convertToFormat(native.grabFramebuffer().Format.Format_RGBA8888)
pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
pixels = pixels[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).astype(int)
red = np.argwhere((pixels[..., 0] > 100) & (pixels[..., 2] < 60))
print(json.dumps({
    "ratio": native.devicePixelRatioF(),
    "scale": float(viewer._canvas.pixel_scale),
    "size": list(viewer.scene.size),
    "logical": [native.width(), native.height()],
    "image": [image.width(), image.height()],
    "hovered": seen,
    "red": (red.mean(axis=0)[::-1] / native.devicePixelRatioF()).tolist(),
    "expected": places[25:, :2].mean(axis=0).tolist(),
    "stripe": viewer.scene._frame((1, 1), float(viewer._canvas.pixel_scale)).uniforms()["u_stripe"],
}))
viewer.shut_down()
viewer.close()
"""


@pytest.mark.gl
@pytest.mark.parametrize("factor", ["1", "1.25", "1.5", "2"])
def test_places_and_sizes_at_every_scale_of_the_display(factor: str, opengl: OpenGLInfo) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCALED],
        cwd=ROOT,
        env={**os.environ, "QT_SCALE_FACTOR": factor},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    ratio = float(factor)
    assert found["ratio"] == pytest.approx(ratio) and found["scale"] == pytest.approx(ratio, rel=0.01)
    assert found["size"] == found["logical"]
    np.testing.assert_allclose(found["image"], np.array(found["logical"]) * ratio, atol=1.5)
    assert found["hovered"] == [2, 10, 20, 27]
    np.testing.assert_allclose(found["red"], found["expected"], atol=6)
    assert 1 / found["stripe"] == pytest.approx(6 * ratio, rel=0.01)
