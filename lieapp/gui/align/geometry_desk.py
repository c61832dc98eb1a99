"""Shapes of the 3-D view, made off the window's thread: a ribbon through 8 000 residues takes a seventh of a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lieapp.gui.align.session import SLOTS, SlotName
from lieapp.gui.application.messages import MessageCenter
from lieapp.gui.work.worker import Task, Worker
from lieapp.scene.geometry import STYLES, Geometry, Style, build_geometry

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.structures.structure import Structure

__all__ = ["AT_ONCE", "GeometryDesk", "shown_side"]

AT_ONCE = 600
"""Up to so many residues shapes are made where they are needed, within 10 ms."""

Shapes = dict[SlotName, Geometry]


def shown_side(inputs: AlignInputs, slot: SlotName) -> tuple[Structure, int, NDArray[np.bool_]]:
    """Return structure, position of the model and residues drawn in full of one side of a pair."""
    mobile_drawn, target_drawn = inputs.paired_chain_residues
    if slot == "mobile":
        return inputs.mobile, inputs.mobile_model, mobile_drawn
    return inputs.target, inputs.target_model, target_drawn


class GeometryDesk:
    """Makes shapes of pairs of structures ahead, and hands them out.

    Parameters
    ----------
    files : Worker
    messages : MessageCenter
        Takes what went wrong with shapes that are made behind the window.

    Attributes
    ----------
    style : {"ribbon", "tube", "sticks", "spheres"}
        What is made.
    budgets : tuple of int
        Of triangles: the meshes that the view will ask for, made together with the shapes.
    """

    def __init__(self, files: Worker, messages: MessageCenter) -> None:
        self.style: Style = STYLES[0]
        self.budgets: tuple[int, ...] = ()
        self._files, self._messages = files, messages
        self._made: WeakKeyDictionary[AlignInputs, tuple[Style, Shapes]] = WeakKeyDictionary()

    def make(self, inputs: AlignInputs) -> None:
        """Make the shapes of a pair now; on a worker's thread."""
        style = self.style
        shapes: Shapes = {}
        for slot in SLOTS:
            structure, model, drawn = shown_side(inputs, slot)
            shapes[slot] = build_geometry(structure, model=model, drawn=drawn, style=style)
            shapes[slot].prepare(*self.budgets)
        self._made[inputs] = (style, shapes)

    def take(self, inputs: AlignInputs, slot: SlotName) -> Geometry | None:
        """Return what was made, once; None where nothing was, or in another style."""
        style, shapes = self._made.get(inputs, (self.style, {}))
        return shapes.pop(slot, None) if style == self.style else None

    def alone(self, structure: Structure, model: int, then: Callable[[Geometry], object]) -> None:
        """Hand the shapes of a structure without a partner to `then`: at once for a small one."""
        style = self.style
        if len(structure.residues) <= AT_ONCE:
            then(build_geometry(structure, model=model, style=style))
            return

        def work(task: Task) -> Geometry:
            geometry = build_geometry(structure, model=model, style=style)
            geometry.prepare(*self.budgets)
            return geometry

        def done(geometry: Geometry) -> None:
            if self.style == style:
                then(geometry)

        self._files.submit(work, done, self._failed)

    def in_style(self, style: Style, inputs: AlignInputs | None, then: Callable[[], object]) -> None:
        """Choose a style, and call `then` once the shapes of a pair are there: at once for small structures."""
        self.style = style
        if inputs is None or len(inputs.mobile.residues) + len(inputs.target.residues) <= AT_ONCE:
            then()
            return

        def work(task: Task) -> None:
            if not task.cancelled():
                self.make(inputs)

        def done(nothing: None) -> None:
            if self.style == style:
                then()

        self._files.submit(work, done, self._failed)

    def _failed(self, error: BaseException) -> None:
        self._messages.report(error, "Making the shapes of the 3-D view")
