"""The left panel of a workbench whose runs belong to scenes: it begins races, and lists who enters them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from lieapp.gui.application.actions import ActionSet
from lieapp.gui.runs.session import Entry
from lieapp.gui.workbench.entrants_list import EntrantsList
from lieapp.gui.workbench.settings_panel import SettingsPanel

if TYPE_CHECKING:
    from lieapp.scene.lines import Dash

__all__ = ["ScenePanel"]


class ScenePanel(SettingsPanel):
    """Everything that decides the next run on a scene, and the buttons that start a race or one run.

    Parameters
    ----------
    actions : ActionSet
    name : str
        For screen readers.

    Signals
    -------
    entrant_removed(str)
    """

    entrant_removed = Signal(str)

    main_action = "race"
    side_actions = ("align", "add_to_race")

    def __init__(self, actions: ActionSet, name: str, parent: QWidget | None = None) -> None:
        super().__init__(actions, name, "Race", parent)
        self.entrants = EntrantsList()
        self.entrants.removed.connect(self.entrant_removed)
        self._race_part, race = self._part("RACE")
        race.addWidget(self.entrants)

    def show_entrants(self, names: Sequence[str]) -> None:
        """The entrants have a list of their own, see `list_entrants`."""

    def list_entrants(self, entrants: Sequence[Entry], lines: Sequence[tuple[str, Dash]]) -> None:
        """Show who waits for the race.

        Parameters
        ----------
        entrants : sequence of Entry
        lines : sequence of (str, tuple of float)
            Colour and dash of each.
        """
        self.entrants.set_entrants(entrants, lines)

    def _optimizer_name(self) -> str:
        return str(self._choices.optimizer)
