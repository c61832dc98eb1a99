"""Is there an OpenGL that can draw? Asked once, before the first canvas, and answered in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QSurfaceFormat

__all__ = ["OpenGLInfo", "prepare_opengl", "probe_opengl"]

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "software", "basic render")
_WITHOUT_CONTEXT = ("offscreen", "minimal", "vnc", "linuxfb")
_ADVICE = (
    "Install or update the graphics driver (on Linux libgl1-mesa-dri gives a software one); over a remote desktop, "
    "switch on its OpenGL support. Everything but the 3-D view works."
)
_GL_VENDOR, _GL_RENDERER, _GL_VERSION = 0x1F00, 0x1F01, 0x1F02


@dataclass(frozen=True)
class OpenGLInfo:
    """What draws, and why not if it cannot.

    Attributes
    ----------
    vendor, renderer, version : str
        As OpenGL says; empty where there is none.
    problem : str
        One sentence for people; empty if 3-D can be drawn.
    """

    vendor: str = ""
    renderer: str = ""
    version: str = ""
    problem: str = ""

    @property
    def software(self) -> bool:
        """Whether a processor draws, so that antialiasing and fine meshes cost too much."""
        return any(name in self.renderer.lower() for name in _SOFTWARE)

    @property
    def advice(self) -> str:
        """What to do about the problem."""
        return _ADVICE

    def __str__(self) -> str:
        return f"{self.renderer} (OpenGL {self.version}, {self.vendor})" if self.renderer else "no OpenGL"


def judge(vendor: str, renderer: str, version: str) -> OpenGLInfo:
    """Decide whether an OpenGL of this name and version will do."""
    problem = ""
    number = re.search(r"(\d+)\.(\d+)", version)
    if "gdi generic" in renderer.lower():
        problem = "Windows draws without a graphics driver (GDI Generic)."
    elif number is None or (int(number[1]), int(number[2])) < (2, 1):
        problem = f"OpenGL 2.1 is needed; this computer offers {version or 'none'}."
    return OpenGLInfo(vendor, renderer, version, problem)


def prepare_opengl() -> None:
    """Set what must be set before QApplication exists; afterwards it does nothing.

    Without shared contexts a 3-D view dies when its window is rebuilt around it. Desktop OpenGL is asked for by name,
    since an ES context is handed out on some Wayland systems. No core profile: the shaders are GLSL 1.20.
    """
    if QCoreApplication.instance() is not None:
        return
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    wanted = QSurfaceFormat.defaultFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    wanted.setSwapInterval(0)
    QSurfaceFormat.setDefaultFormat(wanted)


def probe_opengl() -> OpenGLInfo:
    """Make a context for a moment and ask it who it is."""
    platform = QGuiApplication.platformName()
    if platform in _WITHOUT_CONTEXT:
        return OpenGLInfo(problem=f'The display "{platform}" has no OpenGL.')
    context = QOpenGLContext()
    if not context.create():
        return OpenGLInfo(problem="No OpenGL context could be made.")
    surface = QOffscreenSurface()
    surface.setFormat(context.format())
    surface.create()
    try:
        if not context.makeCurrent(surface):
            return OpenGLInfo(problem="The OpenGL context could not be used.")
        functions = context.functions()
        texts = [str(functions.glGetString(name) or "") for name in (_GL_VENDOR, _GL_RENDERER, _GL_VERSION)]
        return judge(*texts)
    finally:
        context.doneCurrent()
        surface.destroy()
