"""One of the two structures in the left panel: its name, where to get another, chain and model, what it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from lieapp.gui.align.session import Slot
from lieapp.gui.widgets.elided_label import ElidedLabel
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.marking import mark
from lieapp.gui.widgets.theme import scaled

__all__ = ["Dot", "SlotCard", "dropped_files", "slot_description"]


def dropped_files(event: QDragEnterEvent | QDropEvent) -> list[Path]:
    """Return the local files that are being dragged."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def slot_description(slot: Slot) -> str:
    """Return one line on a structure: its title, chains, models and atoms."""
    structure = slot.structure
    title = structure.title
    # Titles of the Protein Data Bank are in capitals, which are hard to read.
    parts = [title.lower() if title.isupper() else title] if title else []
    chains = len(structure.polymer_chains)
    parts.append("1 chain" if chains == 1 else f"{chains} chains")
    if len(slot.model_numbers) > 1:
        parts.append(f"{len(slot.model_numbers)} models")
    parts.append(f"{structure.atom_count:,} atoms".replace(",", " "))
    return " · ".join(parts)


class Dot(QWidget):
    """A disc in the colour that the structure has in the view; beside it stands its name."""

    def __init__(self, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = QColor(color)
        self.setFixedSize(12, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color)
        painter.drawEllipse(self.rect())


class SlotCard(QFrame):
    """One slot.

    Parameters
    ----------
    title : str
        ``"MOVES"`` or ``"STAYS"``.
    color : str
        Colour of the structure in the view.

    Signals
    -------
    files_dropped(list of Path)
    chains_chosen(tuple of str or None)
    model_chosen(int)
    """

    files_dropped = Signal(list)
    chains_chosen = Signal(object)
    model_chosen = Signal(int)

    def __init__(self, title: str, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("slot")
        self.setAcceptDrops(True)
        role = f"structure that {title.lower()}"
        self.setAccessibleName(f"The {role}")
        heading = QLabel(title)
        heading.setObjectName("sectionTitle")
        self.name = ElidedLabel("drop a file here")
        self.name.setObjectName("slotName")
        self.name.setAccessibleName(f"Name of the {role}")
        self.open_button = QToolButton()
        set_icon(self.open_button, "folder-open")
        self.open_button.setIconSize(QSize(16, 16))
        self.open_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.open_button.setObjectName("slotMenu")
        self.open_button.setFixedSize(24, scaled(26))
        self.open_button.setToolTip(f"Open or fetch the {role}, or drop a file here")
        self.open_button.setAccessibleName(f"Open the {role}")
        self.chain = QComboBox()
        self.chain.setAccessibleName(f"Chain of the {role}")
        self.chain.setToolTip("Chain that may be paired; automatic takes the pair of chains that agrees best")
        self.chain.setMinimumContentsLength(6)
        self.chain.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chain.setFixedWidth(scaled(82))
        self.model = QComboBox()
        self.model.setAccessibleName(f"Model of the {role}")
        self.model.setToolTip("Model of the file")
        self.info = ElidedLabel("PDB, mmCIF or BinaryCIF, also gzipped")
        self.info.setObjectName("caption")
        row = QHBoxLayout()
        row.setSpacing(5)
        row.addWidget(Dot(color))
        row.addWidget(self.name, 1)
        row.addWidget(self.open_button)
        row.addWidget(self.chain)
        second = QHBoxLayout()
        second.setSpacing(6)
        second.addWidget(self.info, 1)
        second.addWidget(self.model)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(heading)
        layout.addLayout(row)
        layout.addLayout(second)
        self.chain.activated.connect(self._choose_chain)
        self.model.activated.connect(self._choose_model)
        self.show_slot(None)

    def set_menu(self, menu: QMenu) -> None:
        """Set what the open button offers."""
        self.open_button.setMenu(menu)

    def show_slot(self, slot: Slot | None) -> None:
        """Show a structure, or that there is none."""
        self.chain.clear()
        self.model.clear()
        self.model.setVisible(slot is not None and len(slot.model_numbers) > 1)
        self.chain.setEnabled(slot is not None)
        if slot is None:
            self.name.set_full_text("drop a file here")
            self.info.set_full_text("PDB, mmCIF or BinaryCIF, also gzipped")
            return
        structure = slot.structure
        self.name.set_full_text(structure.name)
        self.info.set_full_text(slot_description(slot))
        self.info.setToolTip("\n".join([str(slot.path), slot_description(slot), *structure.notes]))
        self.chain.addItem("auto", None)
        for chain in structure.polymer_chains:
            self.chain.addItem(f"chain {chain or '_'}", (chain or "_",))
        if len(structure.polymer_chains) > 1:
            every = tuple(chain or "_" for chain in structure.polymer_chains)
            self.chain.addItem("all chains", every)
            if slot.chains is not None and len(slot.chains) > 1 and slot.chains != every:
                self.chain.addItem(f"chains {', '.join(slot.chains)}", slot.chains)
        for index in range(self.chain.count()):
            if self.chain.itemData(index) == slot.chains:
                self.chain.setCurrentIndex(index)
        for number in slot.model_numbers:
            self.model.addItem(f"model {number}", number)
        if slot.number is not None:
            self.model.setCurrentIndex(slot.model_numbers.index(slot.number))

    def show_busy(self, text: str) -> None:
        """Say what is being done to the slot, such as reading or fetching."""
        self.info.set_full_text(text)

    def show_paired_chains(self, chains: tuple[str, ...]) -> None:
        """Name the chains that the automatic choice took."""
        if self.chain.count():
            text = f"auto: {','.join(chain or '_' for chain in chains)}" if chains else "auto"
            self.chain.setItemText(0, text)

    def _choose_chain(self, index: int) -> None:
        self.chains_chosen.emit(self.chain.itemData(index))

    def _choose_model(self, index: int) -> None:
        self.model_chosen.emit(self.model.itemData(index))

    # -- drag and drop --------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark(False)
        event.acceptProposedAction()
        self.files_dropped.emit(dropped_files(event))

    def _mark(self, on: bool) -> None:
        mark(self, "drop", on)
