"""The canvas of a 3-D view: making it, standing in for it, hearing what it only logs, saying why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from lieapp.gui.viewer.opengl import OpenGLInfo

__all__ = ["BlankCanvas", "CanvasBanner", "LateCanvas", "LogWatch", "make_canvas"]


def make_canvas(parent: QWidget, *, software: bool) -> Any:
    """Make a vispy canvas whose `native` widget belongs into `parent`; smoothed by the card where there is one."""
    import vispy

    vispy.use("pyside6", "gl+")
    from vispy import app

    return app.Canvas(show=False, keys=None, config={"samples": 0 if software else 4, "depth_size": 24}, parent=parent)


class BlankCanvas:
    """Stands for a canvas where none can be had: the scene keeps its poses and colours, and draws nothing."""

    class _Events:
        class _Never:
            def connect(self, callback: Callable[..., Any]) -> None:
                """Nothing is ever drawn."""

        draw = _Never()

    events = _Events()
    size = physical_size = (740, 500)
    pixel_scale = 1.0


class LateCanvas:
    """Stands for a canvas that is not there yet: remembers who wants to draw, and asks the real one ever after.

    Parameters
    ----------
    size : callable() -> tuple of int
        Width and height until then, in logical pixels.
    """

    class _Events:
        class _Draw:
            def __init__(self) -> None:
                self.waiting: list[tuple[Callable[..., Any], dict[str, Any]]] = []

            def connect(self, callback: Callable[..., Any], **options: Any) -> None:
                """Remember a callback."""
                self.waiting.append((callback, options))

        def __init__(self) -> None:
            self.draw = self._Draw()

    def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
        self.events = self._Events()
        self._size = size
        self._real: Any = None

    def become(self, canvas: Any) -> None:
        """Stand for this canvas from now on."""
        for callback, options in self.events.draw.waiting:
            canvas.events.draw.connect(callback, **options)
        self.events.draw.waiting.clear()
        self._real = canvas

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in logical pixels."""
        return self._size() if self._real is None else self._real.size

    def __getattr__(self, name: str) -> Any:
        if self._real is None:
            raise AttributeError(name)
        return getattr(self._real, name)


class LogWatch(logging.Handler):
    """Hears what vispy only writes into its log, from `start` to `stop`.

    Parameters
    ----------
    report : callable(str)
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._report = report

    def start(self) -> None:
        """Listen."""
        logging.getLogger("vispy").addHandler(self)

    def stop(self) -> None:
        """Listen no longer."""
        logging.getLogger("vispy").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._report(record.getMessage())


class CanvasBanner(QFrame):
    """Says why there is no 3-D view, and what to do.

    Parameters
    ----------
    problem : str
        One sentence.
    opengl : OpenGLInfo
    details : str, optional
        Copied with the rest for a report.

    Attributes
    ----------
    text : str
    """

    def __init__(self, problem: str, opengl: OpenGLInfo, details: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = f"<b>No 3-D view.</b> {problem} Renderer: {opengl}.<br>{opengl.advice}"
        self.setObjectName("message")
        self.setProperty("level", "warning")
        self.setAccessibleName("No 3-D view")
        label = QLabel(self.text, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = QPushButton("Copy details", self)
        copy.setToolTip("Copy what is known about the failure, for a report")
        report = "\n".join(filter(None, (problem, details, str(opengl))))
        copy.clicked.connect(lambda: QApplication.clipboard().setText(report))
        row = QHBoxLayout(self)
        row.addWidget(label, 1)
        row.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
