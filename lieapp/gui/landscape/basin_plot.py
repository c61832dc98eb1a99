"""The tab Basins: every start of a grid in the colour of the point it reached, or of what that took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from lieapp.export.landscape_studies import basin_colors, basin_letters
from lieapp.gui.landscape.study_card import StudyCard, choice_box
from lieapp.gui.pictures.slice_items import MarkItem
from lieapp.gui.pictures.slice_key import SliceKey, slice_colors
from lieapp.gui.widgets.scrolling import scrolled
from lieapp.gui.widgets.words import folded
from lieapp.landscapes.basins import PENDING
from lieapp.landscapes.study_summary import basin_cost

if TYPE_CHECKING:
    from lieapp.landscapes.basins import BasinMap, BasinSpec

__all__ = ["BasinPlot"]

_GRIDS: dict[str, int | None] = {"auto": None, "21 × 21": 21, "51 × 51": 51, "101 × 101": 101, "201 × 201": 201,
                                 "401 × 401": 401}  # fmt: skip
_COLORINGS = {"by point": False, "by cost": True}
_LEGEND_LINES = 5.2
_HINT = "A click chooses the start of the next run. Wheel zooms, drag pans, double-click shows everything again."


class BasinPlot(StudyCard):
    """A basin map, and what to compute.

    Signals
    -------
    start_chosen(float, float)
        The user clicked on a start.
    grid_chosen()
        Another grid is wanted.
    """

    start_chosen = Signal(float, float)
    grid_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Basin map", "Map", "Run the chosen optimiser from every point of a grid over the landscape", parent
        )
        self.grid = choice_box("Grid of starts", "How many starts there are", _GRIDS)
        self.coloring = choice_box(
            "Colours", "Colours by the point that was reached, or by the evaluations it took", _COLORINGS
        )
        self.image = pg.ImageItem(axisOrder="row-major")
        self.image.setZValue(-10)
        self.plot.addItem(self.image)
        self.start = pg.ScatterPlotItem(symbol="o", size=13, pxMode=True)
        self.start.setVisible(False)
        self.start.setZValue(22)
        self.plot.addItem(self.start, ignoreBounds=True)
        self.marks: list[MarkItem] = []
        self.key = SliceKey()
        self.key.hide()
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.legend.setAccessibleName("Legend of the basin map")
        self.legend.setContentsMargins(8, 0, 8, 0)
        self.scroll_area = scrolled(self.legend)
        self.scroll_area.setAccessibleName("Legend of the basin map")
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.scroll_area.hide()
        self.plot.setAccessibleDescription(_HINT)
        self.plot.setToolTip(folded(_HINT))
        self.view_box.setDefaultPadding(0.0)
        for side, label in (("bottom", "start x"), ("left", "start y")):
            self.plot.setLabel(side, label)
        self._lay_out_rows(inline=(self.grid, self.coloring), below=(self.scroll_area,), beside=(self.key,))
        self.grid.currentIndexChanged.connect(lambda index: self.grid_chosen.emit())
        self.coloring.currentIndexChanged.connect(lambda index: self._draw())
        self.plot.scene().sigMouseClicked.connect(self._click)

    @property
    def points(self) -> int | None:
        """Starts along a side; None for what the optimiser can afford."""
        chosen: int | None = self.grid.currentData()
        return chosen

    @property
    def costs(self) -> bool:
        """Whether colours are evaluations."""
        return bool(self.coloring.currentData())

    def show_spec(self, spec: BasinSpec | None, title: str) -> None:
        """Say what a map would cost; None where there is no map of the landscape."""
        if spec is None:
            self.say("Basin maps are of surfaces over x and y.")
        else:
            self.say(f"{title}: {basin_cost(spec)}.")
            if self.found is None:
                (x0, x1), (y0, y1) = spec.surface.domain
                self.plot.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0.0)

    def show_map(self, found: BasinMap | None) -> None:
        """Show a map, or none."""
        self.set_found(found)
        self._draw()
        if found is not None:
            self.follow()

    def set_start(self, start: tuple[float, ...] | None) -> None:
        """Show where the next run begins."""
        self.start.setData([] if start is None else [{"pos": start[:2]}])

    def describe(self, x: float, y: float) -> str:
        found: BasinMap | None = self.found
        if found is None:
            return ""
        column = round(float((x - found.x[0]) / (found.x[1] - found.x[0])))
        row = round(float((y - found.y[0]) / (found.y[1] - found.y[0])))
        if not (0 <= column < len(found.x) and 0 <= row < len(found.y)):
            return ""
        which = int(found.reached[row, column])
        letter = basin_letters(found).get(which)
        cost = found.evaluations[row, column]
        place = f"from ({found.x[column]:.4g}, {found.y[row]:.4g}): ".replace("-", "−")
        taken = f", {cost:.0f} evaluations" if np.isfinite(cost) else ""
        return f"{place}{f'{letter}, ' if letter else ''}{found.describe(which)}{taken}"

    # -- drawing --------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        found: BasinMap | None = self.found
        for mark in self.marks:
            self.plot.removeItem(mark)
        self.marks = []
        self.scroll_area.setVisible(found is not None)
        self.key.setVisible(found is not None and self.costs)
        # Beside axes without numbers it would be nowhere.
        self.start.setVisible(found is not None)
        if found is None:
            self.image.clear()
            return
        self.image.setImage(self._cost_colors(found) if self.costs else self._point_colors(found), levels=None)
        dx, dy = found.x[1] - found.x[0], found.y[1] - found.y[0]
        x0, y0 = found.x[0] - dx / 2, found.y[0] - dy / 2
        width, height = dx * len(found.x), dy * len(found.y)
        self.image.setRect(x0, y0, width, height)
        letters = basin_letters(found)
        for which, letter in letters.items():
            mark = MarkItem(letter, "")
            mark.setPos(*found.points[which].position)
            mark.setToolTip(found.describe(which))
            self.plot.addItem(mark, ignoreBounds=True)
            self.marks.append(mark)
        self._write_legend(found, letters)
        self.restyle()

    def _point_colors(self, found: BasinMap) -> Any:
        colors = basin_colors(found)
        table = np.zeros((len(found.points) + 3, 4), dtype=np.uint8)
        for which, color in colors.items():
            table[which] = _rgba(color, which)  # the other ends count from the end of the table
        return table[found.reached]

    def _cost_colors(self, found: BasinMap) -> Any:
        arrived = found.reached >= 0
        low, high = (float(f(found.evaluations[arrived])) for f in (np.min, np.max)) if arrived.any() else (0.0, 1.0)
        high = max(high, low + 1.0)
        levels = np.linspace(low, high, 5).round()
        self.key.set_values(low, high, levels.tolist(), "evaluations to arrive", maximised=False)
        self.key.setAccessibleName("Colour key of the basin map")
        share = np.clip((found.evaluations - low) / (high - low), 0.0, 1.0)
        table = np.column_stack((slice_colors(False), np.full(256, 255, dtype=np.uint8)))
        picture = table[np.where(arrived, np.nan_to_num(share) * 255, 0).astype(int)]
        colors = basin_colors(found)
        for which in found.kinds():
            if which < 0:
                picture[found.reached == which] = _rgba(colors[which], which)
        return picture

    def _write_legend(self, found: BasinMap, letters: dict[int, str]) -> None:
        colors = basin_colors(found)
        cells = []
        for which in found.kinds():
            if self.costs and which >= 0:
                swatch = ""
            else:
                swatch = f'<span style="color:{colors[which]}">■</span>&nbsp;' if which != PENDING else "□&nbsp;"
            letter = f"<b>{letters[which]}</b>&nbsp;" if which in letters else ""
            words = found.describe(which).replace(" ", "&nbsp;")
            share = f"{_percent(found.count(which), found.reached.size)}&nbsp;%".replace(">", "&gt;&nbsp;")
            cells.append(f"{swatch}{letter}{words}&nbsp;{share}")
        self.legend.setText(" &nbsp; ".join(cells))
        self.legend.setAccessibleDescription("; ".join(
            f"{letters.get(which, '')} {found.describe(which)}: {found.count(which)} starts" for which in found.kinds()
        ))  # fmt: skip
        self._fit_legend()

    def _fit_legend(self) -> None:
        """Give the legend what it needs, up to a few lines; a surface may have two dozen minima."""
        line = QFontMetricsF(self.legend.font()).lineSpacing()
        needed = self.legend.heightForWidth(max(self.width() - 8, 100))
        self.scroll_area.setFixedHeight(round(min(needed + 2, _LEGEND_LINES * line)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_legend()

    def _click(self, event: Any) -> None:
        box = self.view_box
        if (
            self.found is None
            or event.double()
            or event.button() != Qt.MouseButton.LeftButton
            or not box.sceneBoundingRect().contains(event.scenePos())
        ):
            return
        place = box.mapSceneToView(event.scenePos())
        self.start_chosen.emit(float(place.x()), float(place.y()))

    def restyle(self) -> None:
        super().restyle()
        self.plot.showGrid(x=False, y=False)
        palette, font = self.look.palette(self), self.look.font(self)
        for mark in self.marks:
            mark.set_look(palette, font)
        self.start.setPen(pg.mkPen("#1B2430", width=2))
        self.start.setBrush(pg.mkBrush(255, 255, 255, 235))


def _rgba(color: str, which: int) -> tuple[int, int, int, int]:
    """Return the colour of a start: none where it was not computed, in a light and in a dark window."""
    made = QColor(color)
    return made.red(), made.green(), made.blue(), 0 if which == PENDING else 255


def _percent(part: int, whole: int) -> str:
    """Return a share in percent; nothing but all is 100."""
    text = f"{100.0 * part / whole:.3g}"
    return text if text != "100" or part == whole else ">99.9"
