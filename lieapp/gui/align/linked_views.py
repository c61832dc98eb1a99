"""Joins the views that show residues: what is pointed at or selected in one of them shows in all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from lieapp.gui.align.deviation_plot import DeviationPlot
from lieapp.gui.align.selection_model import ResidueAt, SelectionModel
from lieapp.gui.align.sequence_card import SequenceCard
from lieapp.gui.align.session import SLOTS
from lieapp.gui.viewer.viewer import MoleculeViewer

__all__ = ["LinkedViews"]


class LinkedViews(QObject):
    """Wires a selection model to the 3-D view, the deviation plot, the ribbon and the sequences.

    Parameters
    ----------
    model : SelectionModel
    viewer : MoleculeViewer
    deviation : DeviationPlot
    card : SequenceCard
    open_sequences : callable()
        Opens the sequences; called when the ribbon is clicked.
    """

    def __init__(
        self,
        model: SelectionModel,
        viewer: MoleculeViewer,
        deviation: DeviationPlot,
        card: SequenceCard,
        open_sequences: Callable[[], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._viewer = viewer
        self._deviation = deviation
        self._ribbon = card.ribbon
        self._panel = card.panel
        self._open_sequences = open_sequences
        viewer.hover_text = lambda hit: model.describe_residue(ResidueAt(hit.slot, hit.residue)) or hit.label
        viewer.hovered.connect(lambda hit: model.hover(_residue(hit)))
        viewer.clicked.connect(lambda hit, shift: model.click(_residue(hit), extend=shift))
        for plot in (deviation, self._ribbon):
            plot.pair_hovered.connect(model.hover_pair)
        deviation.pair_clicked.connect(lambda pair, shift: model.click_pair(pair, extend=shift))
        self._ribbon.pair_clicked.connect(self._click_ribbon)
        self._panel.centre_wanted.connect(self.center_on_residue)
        model.inputs_changed.connect(self._show_marks)
        model.hovered_changed.connect(self._show_hovered)
        model.selection_changed.connect(self._show_selection)

    def center_on_residue(self, at: ResidueAt) -> None:
        """Bring a residue to the middle of the 3-D view."""
        structure = self._model.structure(at.slot)
        if structure is not None:
            mask = np.zeros(len(structure.residues), dtype=bool)
            mask[at.residue] = True
            self._viewer.center_on(at.slot, mask, zoom=False)

    def center_on_selection(self) -> None:
        """Let what is selected fill the 3-D view."""
        for slot in SLOTS:
            mask = self._model.selected(slot)
            if mask.any():
                self._viewer.center_on(slot, mask)
                return

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _click_ribbon(self, pair: int, extend: bool) -> None:
        self._model.click_pair(pair, extend=extend)
        if pair >= 0 and self._panel.isHidden():
            self._open_sequences()
        self._panel.show_column(self._panel.column_of(self._model.residue_of_pair(pair)))

    def _show_hovered(self) -> None:
        pair = self._model.hovered_pair
        self._ribbon.mark_pair(pair)
        self._deviation.mark_pair(pair)
        self._show_marks()

    def _show_selection(self) -> None:
        pairs = self._model.selected_pairs()
        self._ribbon.set_selected(pairs)
        self._deviation.set_selected(pairs)
        self._show_marks()

    def _show_marks(self) -> None:
        for slot in SLOTS:
            structure = self._model.structure(slot)
            if structure is not None and self._viewer.scene.structure(slot) is structure:
                self._viewer.scene.set_highlight(slot, self._model.marked(slot))


def _residue(hit: Any) -> ResidueAt | None:
    return None if hit is None else ResidueAt(hit.slot, int(hit.residue))
