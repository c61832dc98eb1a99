"""What can be done with selected residues: let them drive the fit, report over them, bring them into view."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lieapp.gui.align.workbench import AlignWorkbench
from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.structures.errors import StructureError

__all__ = ["SelectionCommands"]

_WORDS = {"fit": "drive the fit", "report": "are reported on"}


class SelectionCommands:
    """Handlers of the actions on the selection.

    Parameters
    ----------
    messages : MessageCenter
    workbench : callable() -> AlignWorkbench
        The workbench; it is made after its actions.
    """

    def __init__(self, messages: MessageCenter, workbench: Callable[[], AlignWorkbench]) -> None:
        self._messages = messages
        self._workbench = workbench

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the handlers by the ids of their actions."""
        return {
            "select_fit": partial(self._use, "fit"),
            "select_report": partial(self._use, "report"),
            "select_all_pairs": self._use_all,
            "select_core": self._select_core,
            "center_selection": lambda: self._workbench().linked.center_on_selection(),
            "clear_selection": lambda: self._workbench().selection.clear(),
        }

    def _use(self, what: str) -> None:
        workbench = self._workbench()
        try:
            text = workbench.selection.text()
        except StructureError as error:
            self._messages.post(Message(str(error), "warning"))
            return
        workbench.controller.use_selection(**{what: text})
        self._messages.post(Message(f"These pairs {_WORDS[what]} now: {text}", "success"))

    def _use_all(self) -> None:
        self._workbench().controller.use_selection(fit="all", report="all")
        self._messages.post(Message("All pairs drive the fit and are reported on.", "success"))

    def _select_core(self) -> None:
        selection = self._workbench().selection
        inputs = selection.inputs
        if inputs is not None:
            masks = {"mobile": selection.selected("mobile").copy(), "target": selection.selected("target").copy()}
            for mask in masks.values():
                mask[:] = False
            masks["mobile"][inputs.pairing.mobile_residues[inputs.core_mask]] = True
            selection.select(masks)  # type: ignore[arg-type]
