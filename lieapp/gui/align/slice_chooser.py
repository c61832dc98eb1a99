"""Which plane of poses the slice shows: a choice of planes, and of two axes for whoever wants those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from lieapp.alignment.slice import AXIS_NAMES, AxisName, Waypoint, axis_title, partner_axes

__all__ = ["PlaneChoice", "PlaneChooser"]


@dataclass(frozen=True)
class PlaneChoice:
    """A plane as it is chosen.

    Attributes
    ----------
    kind : {"start", "path", "axes"}
        Through the start and another pose; the plane of the current run; of two axes.
    through : str
        The other pose of a plane through the start.
    axes : tuple of str
        Of a plane of two axes.
    """

    kind: Literal["start", "path", "axes"]
    through: Waypoint = "saddle-1"
    axes: tuple[AxisName, AxisName] = ("principal-1", "principal-2")


_RMSD_PLANES = (
    ("start, minimum, saddle 1", PlaneChoice("start", "saddle-1")),
    ("start, minimum, saddle 2", PlaneChoice("start", "saddle-2")),
    ("start, minimum, maximum", PlaneChoice("start", "maximum")),
)
_OTHER_PLANES = (("start, best pose, Kabsch", PlaneChoice("start", "kabsch")),)
_ALWAYS = (("plane of the run's path", PlaneChoice("path")), ("two axes", PlaneChoice("axes")))


class PlaneChooser(QWidget):
    """Comboboxes for the plane of a slice.

    Signals
    -------
    chosen()
        The user chose another plane.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._objective: str | None = None
        self._planes: tuple[tuple[str, PlaneChoice], ...] = ()
        self.plane = self._combobox("Plane of the slice", "Which poses the slice shows, all through the best one")
        self.first = self._combobox("Horizontal axis", "Horizontal axis: a turn about the centroid, or a shift")
        self.second = self._combobox("Vertical axis", "Vertical axis: a turn about the centroid, or a shift")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 0)
        layout.setSpacing(8)
        for box in (self.plane, self.first, self.second):
            # Long titles are not to make the whole column wider.
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
            layout.addWidget(box, 3 if box is self.plane else 5)
        self.set_objective("rmsd")
        self.plane.currentIndexChanged.connect(self._choose_plane)
        self.first.currentIndexChanged.connect(self._choose_first)
        self.second.currentIndexChanged.connect(lambda index: self.chosen.emit())

    @property
    def choice(self) -> PlaneChoice:
        """What is chosen."""
        choice = self._planes[self.plane.currentIndex()][1]
        if choice.kind != "axes":
            return choice
        return PlaneChoice("axes", axes=(self.first.currentData(), self.second.currentData()))

    def set_objective(self, name: str | None) -> None:
        """Offer the planes that mean something for an objective."""
        objective = "rmsd" if name is None else name
        if objective == self._objective:
            return
        before = self._planes[self.plane.currentIndex()][1] if self._planes else None
        self._objective = objective
        self._planes = (*(_RMSD_PLANES if objective == "rmsd" else _OTHER_PLANES), *_ALWAYS)
        kept = [number for number, (_, choice) in enumerate(self._planes) if choice == before]
        self.plane.blockSignals(True)
        self.plane.clear()
        self.plane.addItems([title for title, _ in self._planes])
        self.plane.setCurrentIndex(kept[0] if kept else 0)
        self.plane.blockSignals(False)
        self._fill(self.first, AXIS_NAMES, self.first.currentData() or "principal-1")
        self._fill(self.second, partner_axes(self.first.currentData()), self.second.currentData() or "principal-2")
        self._show_axes()

    def choose(self, choice: PlaneChoice) -> None:
        """Choose a plane, as the user would."""
        kinds = [(other.kind, other.through if other.kind == "start" else None) for _, other in self._planes]
        self.plane.setCurrentIndex(kinds.index((choice.kind, choice.through if choice.kind == "start" else None)))
        if choice.kind == "axes":
            self.first.setCurrentIndex(self.first.findData(choice.axes[0]))
            self.second.setCurrentIndex(self.second.findData(choice.axes[1]))

    def _choose_plane(self) -> None:
        self._show_axes()
        self.chosen.emit()

    def _choose_first(self) -> None:
        self._fill(self.second, partner_axes(self.first.currentData()), self.second.currentData())
        self.chosen.emit()

    def _show_axes(self) -> None:
        on = self._planes[self.plane.currentIndex()][1].kind == "axes"
        self.first.setVisible(on)
        self.second.setVisible(on)

    def _fill(self, box: QComboBox, names: tuple[AxisName, ...], chosen: AxisName) -> None:
        box.blockSignals(True)
        box.clear()
        for name in names:
            box.addItem(axis_title(name, self._objective or "rmsd"), name)
        box.setCurrentIndex(max(box.findData(chosen), 0))
        box.blockSignals(False)

    @staticmethod
    def _combobox(name: str, tip: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setToolTip(tip)
        return box
