"""Central slices of the maps of all runs side by side, at equal grey levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Signal
from PySide6.QtGui import QMouseEvent, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lieapp.gui.plot_curve import readable_color

__all__ = ["Panel", "PictureGrid", "grey_levels"]

Picture = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Panel:
    """One column of a grid of pictures.

    Attributes
    ----------
    title : str
    pictures : sequence of ndarray, shape=(rows, columns)
        From top to bottom; their first row is the lowest.
    note : str
        Under the title.
    color : str or None
        Of the line beside the title; None for none.
    dash : tuple of float
    signed : sequence of bool
        Whether a picture is of differences, with zero in the middle of its colours.
    """

    title: str
    pictures: Sequence[Picture]
    note: str = ""
    color: str | None = None
    dash: tuple[float, ...] = ()
    signed: Sequence[bool] = ()


def grey_levels(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the values that are black and white: all but the outermost half per cent lies between."""
    finite = np.asarray(values)[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = (float(each) for each in np.quantile(finite, (0.005, 0.995)))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


class PictureGrid(QWidget):
    """Columns of square pictures with a heading each; all share their grey levels, zoom and place.

    Parameters
    ----------
    name : str
        For screen readers.
    rows : sequence of str
        What stands at the left of each row.
    sharp : bool
        Show pixels as squares; else smoothed.

    Signals
    -------
    pointed(str)
        What is under the mouse, for a line of text; empty when it has left.
    """

    pointed = Signal(str)

    def __init__(self, name: str, rows: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = tuple(rows)
        self._panels: list[Panel] = []
        self._levels: tuple[float, float] = (0.0, 1.0)
        self.words: Callable[[int, int, int], str] = lambda row, line, column: ""
        """Words for a pixel: row of the grid, line and column of the picture."""
        self.view = pg.GraphicsLayoutWidget()
        self.view.setAccessibleName(name)
        self.view.setAccessibleDescription("Wheel zooms and drag moves all pictures together; double-click shows all.")
        self.view.viewport().setAccessibleName(name)
        self.view.setToolTip("Wheel zooms and drag moves all pictures together; double-click shows all of them again")
        self.view.setMinimumSize(240, 160)
        self.view.viewport().installEventFilter(self)
        self.view.viewport().setMouseTracking(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._boxes: list[list[pg.ViewBox]] = []
        self._items: list[list[pg.ImageItem]] = []
        self._headings: list[pg.LabelItem] = []
        self._labels: list[tuple[pg.LabelItem, str]] = []
        self._shape: tuple[int, int] | None = None
        self._ready = True
        self.restyle()

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def panels(self) -> Sequence[Panel]:
        """What is shown."""
        return self._panels

    @property
    def levels(self) -> tuple[float, float]:
        """The values that are black and white."""
        return self._levels

    def show_panels(self, panels: Sequence[Panel], levels: tuple[float, float]) -> None:
        """Show columns at grey levels."""
        self._levels = levels
        names = [(panel.title, panel.note, panel.color) for panel in panels]
        if len(panels) != len(self._panels):
            self._panels = list(panels)
            self._build()
            self._title()
        else:
            before = [(panel.title, panel.note, panel.color) for panel in self._panels]
            self._panels = list(panels)
            if names != before:
                self._title()
        for panel, items in zip(self._panels, self._items, strict=True):
            signed = panel.signed or (False,) * len(items)
            for picture, item, differs in zip(panel.pictures, items, signed, strict=True):
                half = 0.5 * (levels[1] - levels[0])
                item.setImage(picture, levels=(-half, half) if differs else levels)
        shape = tuple(self._panels[0].pictures[0].shape) if self._panels and self._panels[0].pictures else None
        if shape != self._shape:
            self._shape = shape  # type: ignore[assignment]
            self.show_everything()

    def show_everything(self) -> None:
        """Show all of every picture."""
        if self._shape is not None:
            for boxes in self._boxes:
                for box in boxes:
                    box.setRange(QRectF(0, 0, self._shape[1], self._shape[0]), padding=0.01)

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.view.clear()
        self._boxes, self._items, self._headings, self._labels = [], [], [], []
        self._shape = None
        first: pg.ViewBox | None = None
        for row, words in enumerate(self._rows):
            if words:
                self._labels.append((self.view.addLabel(words, row=row + 1, col=0, angle=-90), words))
        for column in range(len(self._panels)):
            self._headings.append(self.view.addLabel("", row=0, col=column + 1))
            boxes, items = [], []
            for row in range(len(self._rows)):
                box = self.view.addViewBox(row=row + 1, col=column + 1, lockAspect=True, enableMenu=False)
                box.setMinimumSize(24, 24)
                item = pg.ImageItem(axisOrder="row-major")
                box.addItem(item)
                if first is None:
                    first = box
                else:
                    box.setXLink(first)
                    box.setYLink(first)
                boxes.append(box)
                items.append(item)
            self._boxes.append(boxes)
            self._items.append(items)
        layout = self.view.ci.layout
        for column in range(len(self._panels)):
            layout.setColumnStretchFactor(column + 1, 1)
        self.restyle()

    def _title(self) -> None:
        palette = self.palette()
        text, muted = (palette.color(role).name() for role in (QPalette.ColorRole.Text, QPalette.ColorRole.PlaceholderText))
        base = palette.color(QPalette.ColorRole.Base).name()
        points = max(self.font().pointSizeF() - 0.5, 7.0)
        for panel, heading in zip(self._panels, self._headings, strict=True):
            mark = ""
            if panel.color is not None:
                mark = f'<span style="color:{readable_color(panel.color, base)}">&#9608;&#8202;</span>'
            note = f'<br><span style="color:{muted};font-weight:normal">{panel.note}</span>' if panel.note else ""
            heading.setText(f'{mark}<span style="color:{text}"><b>{panel.title}</b></span>{note}', size=f"{points:g}pt")
        for label, words in self._labels:
            label.setText(words, color=muted, size=f"{points:g}pt")

    def restyle(self) -> None:
        """Take over the colours and the font of the window."""
        palette = self.palette()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        self.view.ci.layout.setContentsMargins(4, 4, 4, 4)
        self.view.ci.layout.setSpacing(4)
        border = pg.mkPen(palette.color(QPalette.ColorRole.Mid))
        for boxes in self._boxes:
            for box in boxes:
                box.setBorder(border)
                box.setBackgroundColor(palette.color(QPalette.ColorRole.Base))
        for items in self._items:
            signed = self._panels[self._items.index(items)].signed
            for place, item in enumerate(items):
                item.setLookupTable(_difference_colors() if signed and signed[place] else None)
        self._title()

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        if event.type() in kinds and getattr(self, "_ready", False):
            self.restyle()
        super().changeEvent(event)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.show_everything()
            return True
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self.pointed.emit(self.value_at(event.position()))
        elif event.type() == QEvent.Type.Leave:
            self.pointed.emit("")
        return super().eventFilter(watched, event)  # type: ignore[arg-type]

    def value_at(self, place: QPointF) -> str:
        """Return words for the pixel at a place of the view, in its pixels; empty beside the pictures."""
        scene = self.view.mapToScene(place.toPoint())
        for panel, boxes in zip(self._panels, self._boxes, strict=True):
            for row, box in enumerate(boxes):
                if not box.sceneBoundingRect().contains(scene):
                    continue
                spot = box.mapSceneToView(scene)
                picture = panel.pictures[row]
                line, column = int(np.floor(spot.y())), int(np.floor(spot.x()))
                if 0 <= line < picture.shape[0] and 0 <= column < picture.shape[1]:
                    return f"{panel.title}: {self.words(row, line, column)} {picture[line, column]:.4g}"
        return ""


def _difference_colors() -> NDArray[np.uint8]:
    """Return 256 colours from blue over white to red."""
    share = np.linspace(-1.0, 1.0, 256)[:, None]
    blue, white, red = (np.array(color, dtype=np.float64) for color in ((33, 102, 172), (247, 247, 247), (178, 24, 43)))
    mixed = np.where(share < 0, white + (blue - white) * -share, white + (red - white) * share)
    return np.round(mixed).astype(np.uint8)
