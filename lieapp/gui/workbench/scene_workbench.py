"""A workbench whose runs belong to scenes, such as landscapes or images: it opens with a race and tells its story."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from PySide6.QtWidgets import QWidget

from lieapp.gui.application.actions import ActionSet
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.scene_controller import SceneController
from lieapp.gui.workbench.race_strip import RaceStrip
from lieapp.gui.workbench.scene_panel import ScenePanel
from lieapp.gui.workbench.workbench import RunWorkbench

__all__ = ["SceneWorkbench"]


class SceneWorkbench(RunWorkbench):
    """A workbench, joined to the controller of the runs on its scenes.

    Parameters
    ----------
    controller : SceneController
    actions : ActionSet
    name : str
        For screen readers.

    Attributes
    ----------
    controller : SceneController
    panel : ScenePanel
    strip : RaceStrip
        Says what the runs have shown.
    """

    controller: SceneController
    panel: ScenePanel
    strip: RaceStrip

    def __init__(
        self, controller: SceneController, actions: ActionSet, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(controller, actions, name, parent)
        self.active = False  # until it is shown

    @abstractmethod
    def assemble(self) -> Iterator[None]:
        """Make it part by part; before the last one it is of no use."""

    @abstractmethod
    def _show_scene(self) -> None:
        """Show another scene, or what has become known of it."""

    @abstractmethod
    def _show_caption(self) -> None:
        """Say what the runs have shown, or what to do first."""

    def _connect_runs(self) -> None:
        super()._connect_runs()
        self.controller.scene_changed.connect(self._show_scene)
        self.controller.caption_changed.connect(self._show_caption)
        self.panel.entrant_removed.connect(self.controller.remove_entrant)

    def _comparable_runs(self) -> Sequence[RunEntry]:
        return self.controller.runs_of_scene()

    def _main_is_possible(self) -> bool:
        return "race" in self.controller.states()

    def _show_entrants(self) -> None:
        self.panel.list_entrants(self.controller.entrants, self.controller.session.entrant_lines())
