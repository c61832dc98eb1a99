"""What the pointer is on and what is selected: one model that the 3-D view, the plots and the sequences share.

Residues are meant, of either structure; what is paired goes together. No widgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from lieapp.gui.align.session import SLOTS, SlotName
from lieapp.structures.errors import StructureError
from lieapp.structures.selection import format_selection

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.structures.structure import Structure

__all__ = ["ResidueAt", "SelectionModel"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ResidueAt:
    """A residue of one of the two structures.

    Attributes
    ----------
    slot : {"mobile", "target"}
    residue : int
        Index into the residues of that structure.
    """

    slot: SlotName
    residue: int


class SelectionModel(QObject):
    """The residue under the pointer and the residues that are selected.

    Attributes
    ----------
    inputs : AlignInputs or None
        The pair of structures that is shown.
    hovered : ResidueAt or None
    deviations : ndarray, shape=(pairs,)
        Distances in Å at the pose shown.

    Signals
    -------
    inputs_changed(), deviations_changed()
        Another pair of structures; other distances.
    hovered_changed(), selection_changed()
    text_changed()
        `describe` says something else.
    """

    inputs_changed = Signal()
    deviations_changed = Signal()
    hovered_changed = Signal()
    selection_changed = Signal()
    text_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.inputs: AlignInputs | None = None
        self.hovered: ResidueAt | None = None
        self.deviations: NDArray[np.float64] = np.empty(0)
        self._structures: tuple[Structure | None, Structure | None] = (None, None)
        self._selected: dict[SlotName, Mask] = {name: np.zeros(0, dtype=bool) for name in SLOTS}
        self._first_pair: dict[SlotName, NDArray[np.int64]] = {}
        self._anchor: ResidueAt | None = None

    # -- the pair of structures -----------------------------------------------------------------------------------

    def set_inputs(self, inputs: AlignInputs | None) -> None:
        """Take over another pair; what is selected stays where the structures do."""
        if inputs is self.inputs:
            return
        self.inputs = inputs
        self.deviations = np.empty(0)
        # While pairs are made anew the structures are still there, and what is selected of them.
        structures = self._structures if inputs is None else (inputs.mobile, inputs.target)
        kept = structures == self._structures
        self._structures = structures
        self._first_pair = {}
        if inputs is not None:
            for name, structure in zip(SLOTS, structures, strict=True):
                assert structure is not None
                self._first_pair[name] = _first_pairs(self._pair_residues(name), len(structure.residues))
                if not kept:
                    self._selected[name] = np.zeros(len(structure.residues), dtype=bool)
        if not kept:
            self.hovered = self._anchor = None
        self.inputs_changed.emit()
        if not kept:
            self.hovered_changed.emit()
            self.selection_changed.emit()
        self.text_changed.emit()

    def set_deviations(self, deviations: NDArray[np.float64]) -> None:
        """Take over the distances of the pairs at the pose shown, shape (pairs,)."""
        self.deviations = deviations
        self.deviations_changed.emit()
        if self.hovered is not None or self.any_selected:
            self.text_changed.emit()

    def structure(self, slot: SlotName) -> Structure | None:
        """Return the structure in a slot of the pair."""
        return self._structures[SLOTS.index(slot)]

    # -- pairs and residues ---------------------------------------------------------------------------------------

    def pair_of(self, at: ResidueAt | None) -> int:
        """Return the first pair that a residue belongs to, -1 for none."""
        if at is None or at.slot not in self._first_pair:
            return -1
        return int(self._first_pair[at.slot][at.residue])

    def partner(self, at: ResidueAt | None) -> ResidueAt | None:
        """Return the residue that a residue is paired with, or None."""
        pair = self.pair_of(at)
        if at is None or pair < 0:
            return None
        other: SlotName = "target" if at.slot == "mobile" else "mobile"
        return ResidueAt(other, int(self._pair_residues(other)[pair]))

    def residue_of_pair(self, pair: int) -> ResidueAt | None:
        """Return the mobile residue of a pair, None for -1."""
        if self.inputs is None or not 0 <= pair < len(self.inputs.pairing):
            return None
        return ResidueAt("mobile", int(self.inputs.pairing.mobile_residues[pair]))

    # -- the pointer ----------------------------------------------------------------------------------------------

    def hover(self, at: ResidueAt | None) -> None:
        """Point at a residue, or at none."""
        if at != self.hovered and (at is None or self._exists(at)):
            self.hovered = at
            self.hovered_changed.emit()
            self.text_changed.emit()

    def hover_pair(self, pair: int) -> None:
        """Point at a pair, -1 for none."""
        self.hover(self.residue_of_pair(pair))

    @property
    def hovered_pair(self) -> int:
        """The pair under the pointer, -1 for none."""
        return self.pair_of(self.hovered)

    # -- the selection --------------------------------------------------------------------------------------------

    def click(self, at: ResidueAt | None, *, extend: bool = False) -> None:
        """Select a residue and its partner; with `extend` all from the one clicked before to this one.

        Parameters
        ----------
        at : ResidueAt or None
            None selects nothing; with `extend` it changes nothing.
        extend : bool, optional
            Keep what is selected, and add. Along one chain of one structure everything between is added.
        """
        if at is None:
            if not extend:
                self.clear()
            return
        if not self._exists(at):
            return
        masks = {name: mask.copy() for name, mask in self._selected.items()}
        if not extend:
            for mask in masks.values():
                mask[:] = False
        start = self._anchor if extend and self._anchor is not None else at
        if not self._on_one_chain(start, at):
            start = at
        low, high = sorted((start.residue, at.residue))
        masks[at.slot][low : high + 1] |= self._selectable(at.slot)[low : high + 1]
        masks[at.slot][at.residue] = True
        if not extend or self._anchor is None or start is at:
            self._anchor = at
        self._take(self._with_partners(masks))

    def click_pair(self, pair: int, *, extend: bool = False) -> None:
        """Select a pair as `click` does; -1 selects nothing."""
        self.click(self.residue_of_pair(pair), extend=extend)

    def select(self, masks: Mapping[SlotName, Mask]) -> None:
        """Select exactly these residues and their partners; flags of shape (residues,) for each structure."""
        self._anchor = None
        self._take(self._with_partners({name: masks[name].copy() for name in SLOTS}))

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = None
        self._take({name: np.zeros_like(mask) for name, mask in self._selected.items()})

    def selected(self, slot: SlotName) -> Mask:
        """Return which residues of a structure are selected, shape (residues,)."""
        return self._selected[slot]

    def selected_pairs(self) -> Mask:
        """Return which pairs are selected, shape (pairs,)."""
        if self.inputs is None:
            return np.zeros(0, dtype=bool)
        return self._selected["mobile"][self.inputs.pairing.mobile_residues]

    @property
    def any_selected(self) -> bool:
        """Whether anything is selected."""
        return any(bool(mask.any()) for mask in self._selected.values())

    def marked(self, slot: SlotName) -> Mask | None:
        """Return which residues stand out, those under the pointer among them; None for none."""
        mask = self._selected[slot]
        for at in (self.hovered, self.partner(self.hovered)):
            if at is not None and at.slot == slot:
                mask = mask.copy() if mask is self._selected[slot] else mask
                mask[at.residue] = True
        return mask if mask.any() else None

    def text(self) -> str:
        """Return the selection of paired residues that move, as text for the fit set or the report set.

        Raises
        ------
        StructureError
            If no paired residue is selected.
        """
        if self.inputs is None:
            raise StructureError("There are no pairs to choose from.")
        paired = self._selected["mobile"] & (self._first_pair["mobile"] >= 0)
        if not paired.any():
            raise StructureError("No paired residue is selected.")
        # Whatever is not paired may be named as well: the shorter text is the same set of pairs.
        rest = self._first_pair["mobile"] < 0
        everything = bool((paired | rest).all())
        return "all" if everything else format_selection(self.inputs.mobile, paired)

    # -- words ----------------------------------------------------------------------------------------------------

    def describe(self) -> str:
        """Return one line about what the pointer is on, else about what is selected; empty for nothing."""
        if self.inputs is None:
            return ""
        if self.hovered is not None:
            return self.describe_residue(self.hovered)
        pairs = self.selected_pairs()
        count = int(pairs.sum())
        if count:
            words = "1 pair" if count == 1 else f"{count} pairs"
            line = f"{words} selected: {_shorten(self.text())}"
            if len(self.deviations) == len(pairs):
                line += f"   RMSD {np.sqrt((self.deviations[pairs] ** 2).mean()):.2f} Å"
            return line
        left = sum(int(mask.sum()) for mask in self._selected.values())
        return f"{left} residues selected, none of them paired" if left else ""

    def describe_residue(self, at: ResidueAt) -> str:
        """Return structure, chain, residue and atom of a residue, its partner, and the distance of the two."""
        inputs = self.inputs
        if inputs is None or not self._exists(at):
            return ""
        pair = self.pair_of(at)
        structure = self.structure(at.slot)
        assert structure is not None
        if pair < 0:
            return f"{structure.name} {structure.residues.label(at.residue)}   no partner"
        pairing = inputs.pairing
        words = []
        for side, residue, atom in (
            (inputs.mobile, pairing.mobile_residues[pair], pairing.mobile_atoms[pair]),
            (inputs.target, pairing.target_residues[pair], pairing.target_atoms[pair]),
        ):
            words.append(f"{side.name} {side.residues.label(int(residue))} {side.atoms.name[atom]}")
        line = " ↔ ".join(words)
        if pair < len(self.deviations):
            line += f"   {self.deviations[pair]:.2f} Å"
        return line

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _pair_residues(self, slot: SlotName) -> NDArray[np.int64]:
        assert self.inputs is not None
        pairing = self.inputs.pairing
        return pairing.mobile_residues if slot == "mobile" else pairing.target_residues

    def _exists(self, at: ResidueAt) -> bool:
        return 0 <= at.residue < len(self._selected[at.slot])

    def _selectable(self, slot: SlotName) -> Mask:
        """Return residues of chains: waters and ions between two clicks are not meant."""
        structure = self.structure(slot)
        assert structure is not None
        mask: Mask = structure.residues.guide_atom >= 0
        return mask

    def _on_one_chain(self, one: ResidueAt, other: ResidueAt) -> bool:
        structure = self.structure(one.slot)
        if one.slot != other.slot or structure is None or not self._exists(one):
            return False
        chain = structure.residues.chain
        return bool(chain[one.residue] == chain[other.residue])

    def _with_partners(self, masks: dict[SlotName, Mask]) -> dict[SlotName, Mask]:
        if self.inputs is not None:
            pairing = self.inputs.pairing
            pairs = masks["mobile"][pairing.mobile_residues] | masks["target"][pairing.target_residues]
            masks["mobile"][pairing.mobile_residues[pairs]] = True
            masks["target"][pairing.target_residues[pairs]] = True
        return masks

    def _take(self, masks: dict[SlotName, Mask]) -> None:
        if any(not np.array_equal(masks[name], self._selected[name]) for name in SLOTS):
            self._selected = masks
            self.selection_changed.emit()
            self.text_changed.emit()


def _first_pairs(residues: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    first = np.full(count, -1, dtype=np.int64)
    # Written backwards, so that of several pairs of a residue the first one stays.
    first[residues[::-1]] = np.arange(len(residues) - 1, -1, -1)
    return first


def _shorten(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip(",- ") + "…"
