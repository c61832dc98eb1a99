"""The 3-D view of the window: a canvas that paints when it should, and a banner where it cannot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QImage, QKeyEvent, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QLabel, QToolTip, QVBoxLayout, QWidget

from lieapp.gui.viewer.canvas import BlankCanvas, CanvasBanner, LateCanvas, LogWatch, make_canvas
from lieapp.gui.viewer.canvas_hands import CanvasHands
from lieapp.gui.viewer.deviation_key import DEVIATION_LEGEND, DeviationKey
from lieapp.gui.viewer.opengl import OpenGLInfo, prepare_opengl, probe_opengl
from lieapp.gui.viewer.paint_pace import PaintPace
from lieapp.gui.viewer.view_motion import ViewMotion
from lieapp.scene.camera import Viewpoint
from lieapp.scene.coloring import Legend
from lieapp.scene.colors import BACKGROUND_DARK, BACKGROUND_LIGHT
from lieapp.scene.molecular_scene import Hit, MolecularScene
from lieapp.scene.navigation import Navigator
from lieapp.scene.painter import Slot

__all__ = ["MoleculeViewer"]

prepare_opengl()

_TRIANGLES = 400_000
_TRIANGLES_SOFTWARE = 40_000
_DRAFT_TRIANGLES_SOFTWARE = 13_000
_MARGIN = 12


class MoleculeViewer(QWidget):
    """Shows two structures; everything about what is shown goes through `scene`.

    Parameters
    ----------
    parent : QWidget, optional
    dark : bool
        Dark background.
    late : bool
        Make the canvas only once the widget has been painted: loading OpenGL takes a quarter of a second, which a
        window need not wait for.

    Attributes
    ----------
    scene : MolecularScene
        There even if nothing can be drawn.
    opengl : OpenGLInfo
        What draws.
    hover_text : callable(Hit) -> str, optional
        Words of the tooltip; the label of the residue by default.
    motion : ViewMotion
        How `move_to` and its like go to other views.

    Signals
    -------
    hovered(Hit or None), clicked(Hit or None, bool)
        Residue under the pointer; the flag tells whether Shift was held.
    pose_dragged(ndarray), pose_released(ndarray)
        The mobile's pose, shape (4, 4), while it is moved by hand and when it is let go.
    failed(str)
        3-D stopped working; the text is that of the banner.
    """

    hovered = Signal(object)
    clicked = Signal(object, bool)
    pose_dragged = Signal(object)
    pose_released = Signal(object)
    failed = Signal(str)

    scene_class: type[MolecularScene] = MolecularScene
    """What is shown."""

    def __init__(self, parent: QWidget | None = None, *, dark: bool = False, late: bool = False) -> None:
        super().__init__(parent)
        self.setAccessibleName("3-D view")
        self.setAccessibleDescription("The two structures. Arrow keys turn, plus and minus zoom.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        self.hover_text: Callable[[Hit], str] | None = None
        self.opengl: OpenGLInfo = probe_opengl()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._banner: CanvasBanner | None = None
        self._hit: Hit | None = None
        self._canvas: Any = None
        self._placeholder: QOpenGLWidget | None = None
        self._watch: LogWatch | None = None

        problem = self.opengl.problem
        if not problem and not late:
            problem = self._try_canvas()
        software = self.opengl.software
        self._late = LateCanvas(lambda: (self.width(), self.height())) if late and not problem else None
        self.scene = self.scene_class(
            self._canvas or self._late or BlankCanvas(),
            triangles=_TRIANGLES_SOFTWARE if software else _TRIANGLES,
            draft_triangles=_DRAFT_TRIANGLES_SOFTWARE if software else None,
        )
        self._pace = PaintPace(self.scene, self._can_paint, self._update_canvas, software=software, parent=self)
        self.scene.on_change = self._pace.request
        self.scene.on_error = lambda error: self._fail(f"{type(error).__name__}: {error}")
        self.navigator = Navigator(self.scene)
        self.navigator.on_click = lambda x, y, shift: self.clicked.emit(self.scene.pick(x, y), shift)
        self.navigator.on_menu = self._ask_for_menu
        self.navigator.on_move_to = self.move_to
        self.navigator.on_pose_dragged = self.pose_dragged.emit
        self.navigator.on_pose_released = self.pose_released.emit
        self.motion = ViewMotion(self.scene, self)
        self._hands = CanvasHands(self.navigator, self)
        self._hands.pressed.connect(lambda: self.setFocus(Qt.FocusReason.MouseFocusReason))
        self._hands.rested.connect(self._hover)
        self._hands.left.connect(lambda: self._set_hit(None))

        self.key = DeviationKey(self)
        self.key.hide()
        self._hint = QLabel("Moving by hand: drag turns, Shift-drag shifts, Alt-drag turns the view. M ends.", self)
        self._hint.setObjectName("caption")
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._hint.hide()
        if self._canvas is not None:
            self._connect_canvas()
        elif self._late is None:
            self._show_banner(problem)
        else:
            # Qt decides how to compose a window when it is made: the canvas would come too late for that.
            self._placeholder = QOpenGLWidget(self)
            self._placeholder.hide()
            self._become_window()
        self.set_dark(dark)

    # For the window ------------------------------------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether 3-D is drawn."""
        return self._canvas is not None and self._banner is None

    @property
    def banner_text(self) -> str:
        """What the banner says; empty while 3-D works."""
        return self._banner.text if self._banner is not None else ""

    @property
    def paint_times(self) -> deque[float]:
        """Seconds that the latest paints took, to the end of the drawing."""
        return self._pace.times

    def set_dark(self, on: bool) -> None:
        """Choose the background."""
        self.scene.set_background(BACKGROUND_DARK if on else BACKGROUND_LIGHT)
        self.key.set_dark(on)
        self._hint.setStyleSheet(f"color: {'#C3C8D0' if on else '#4A5260'}")

    def set_key_visible(self, on: bool) -> None:
        """Show the key to the colours; at first those of the deviation."""
        self.key.setVisible(on)
        self._place_overlays()

    def set_legend(self, legend: Legend | None) -> None:
        """Say what the colours mean: the key is shown with this legend, or hidden. See `lieapp.scene.coloring`."""
        self.key.set_legend(legend if legend is not None else DEVIATION_LEGEND)
        self.set_key_visible(legend is not None)

    # Other views -----------------------------------------------------------------------------------------------------

    def move_to(self, viewpoint: Viewpoint) -> None:
        """Go to another view, smoothly unless that is off or the system asks for less motion."""
        self.motion.move_to(viewpoint, seen=self.available and self.isVisible())

    def fit(self) -> None:
        """Go to the broadside view of both structures, which fill the picture."""
        self.move_to(self.scene.fitting_viewpoint())

    def look_along(self, axis: str) -> None:
        """Look at both structures along ``"x"``, ``"y"`` or ``"z"`` of the target's file."""
        self.move_to(self.scene.viewpoint_along(axis))

    def center_on(self, slot: Slot, residues: Any = None, *, zoom: bool = True) -> None:
        """Go to residues of a structure, flags of shape (residues,); to all of it without them."""
        self.move_to(self.scene.viewpoint_on(slot, residues, zoom=zoom))

    @property
    def perspective(self) -> bool:
        """Whether what is nearer is drawn larger."""
        return self.scene.viewpoint.field_of_view > 0

    def set_perspective(self, on: bool) -> None:
        """Change between orthographic and perspective view."""
        self.scene.set_perspective(on)

    def set_by_hand(self, on: bool) -> None:
        """Let drags move the mobile instead of the view."""
        self.navigator.by_hand = on
        self._hint.setVisible(on)
        self._place_overlays()
        if self._canvas is not None:
            shape = Qt.CursorShape.OpenHandCursor if on else Qt.CursorShape.ArrowCursor
            self._canvas.native.setCursor(shape)

    @property
    def by_hand(self) -> bool:
        return self.navigator.by_hand

    def picture(self, size: tuple[int, int] | None = None, *, transparent: bool = False) -> QImage:
        """Return what is seen as an image of any size; null if 3-D does not work."""
        if not self.available:
            return QImage()
        pixels = np.ascontiguousarray(self.scene.render(size, transparent=transparent))
        height, width = pixels.shape[:2]
        return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()

    def shut_down(self) -> None:
        """Give the canvas back; call it before the window goes."""
        self._pace.stop()
        self._hands.stop()
        self.motion.stop()
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        canvas, self._canvas = self._canvas, None
        if canvas is not None:
            self.scene.on_change = None
            canvas.close()

    # The canvas ------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._late is not None and self._canvas is None:
            QTimer.singleShot(0, self, self.make_canvas)
        super().paintEvent(event)

    def make_canvas(self) -> None:
        """Make the canvas of a late view now, if it has none yet."""
        late, self._late = self._late, None
        if late is None:
            return
        problem = self._try_canvas()
        if self._canvas is None:
            self._show_banner(problem)
            return
        late.become(self._canvas)
        self._connect_canvas()
        if self._placeholder is not None:
            self._placeholder.deleteLater()
            self._placeholder = None
        self.set_by_hand(self.by_hand)
        self._pace.request()

    def _try_canvas(self) -> str:
        """Make the canvas; return what is in the way."""
        try:
            self._canvas = make_canvas(self, software=self.opengl.software)
        except Exception as error:
            return f"The 3-D canvas could not be made: {error}"
        return ""

    def _connect_canvas(self) -> None:
        canvas = self._canvas
        native = canvas.native
        native.setAccessibleName("3-D canvas")
        native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        native.setMouseTracking(True)
        native.installEventFilter(self._hands)
        self._layout.addWidget(native)
        self._become_window()
        self._pace.connect_to(canvas)
        self._watch = LogWatch(self._fail)
        self._watch.start()
        self.key.raise_()
        self._hint.raise_()

    def _become_window(self) -> None:
        """Be a window of its own, once it holds something that draws with OpenGL: before that it would stay black.

        Within the window of the program Qt would compose all of that by OpenGL when one word changes, 10 ms of
        software OpenGL even while the view is hidden.
        """
        self.setAttribute(Qt.WidgetAttribute.WA_DontCreateNativeAncestors)
        self.setAttribute(Qt.WidgetAttribute.WA_NativeWindow)

    def _fail(self, details: str) -> None:
        if self._banner is None:
            # The report may come from inside a paint: leave it before the canvas is taken away.
            QTimer.singleShot(0, self, lambda: self._show_banner("Drawing failed.", details))

    def _show_banner(self, problem: str, details: str = "") -> None:
        if self._banner is not None:
            return
        if self._canvas is not None:
            self._canvas.native.hide()
        banner = CanvasBanner(problem, self.opengl, details, self)
        self._banner = banner
        self._layout.insertWidget(0, banner)
        self._layout.addStretch(1)
        self._place_overlays()
        self.failed.emit(banner.text)

    # Painting --------------------------------------------------------------------------------------------------------

    def _can_paint(self) -> bool:
        return self.available and self.isVisible()

    def _update_canvas(self) -> None:
        if self._canvas is not None:
            self._canvas.native.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._pace.resume()

    def hideEvent(self, event: QHideEvent) -> None:
        self._pace.suspend()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_overlays()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.shut_down()
        super().closeEvent(event)

    def _place_overlays(self) -> None:
        self.key.resize(self.key.sizeHint())
        top = _MARGIN + (self._banner.sizeHint().height() if self._banner is not None else 0)
        self.key.move(self.width() - self.key.width() - _MARGIN, top)
        self._hint.adjustSize()
        self._hint.move(_MARGIN, self.height() - self._hint.height() - _MARGIN)

    # Pointer and keys ------------------------------------------------------------------------------------------------

    def _ask_for_menu(self, x: float, y: float) -> None:
        if self.contextMenuPolicy() == Qt.ContextMenuPolicy.CustomContextMenu:
            self.customContextMenuRequested.emit(QPoint(round(x), round(y)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._hands.press_key(event):
            super().keyPressEvent(event)

    def _hover(self, x: float, y: float) -> None:
        if self.available:
            self._set_hit(self.scene.pick(x, y), QPoint(round(x), round(y)))

    def _set_hit(self, hit: Hit | None, place: QPoint | None = None) -> None:
        if hit == self._hit:
            return
        self._hit = hit
        self.hovered.emit(hit)
        if hit is None or place is None:
            QToolTip.hideText()
            return
        text = self.hover_text(hit) if self.hover_text is not None else hit.label
        QToolTip.showText(self._canvas.native.mapToGlobal(place), text, self)
