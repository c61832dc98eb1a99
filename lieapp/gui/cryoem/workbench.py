"""The Cryo-EM workbench: panel, maps and slices, plots, runs and run bar, joined to the controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QInputDialog, QLabel, QWidget

from lieapp.cryoem.quantities import CRYOEM_ABSCISSAE, CRYOEM_QUANTITIES
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.cryoem.caption import ONE_PASS_WORDS, opening_words
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.cryoem.frame_view import SeenView
from lieapp.gui.cryoem.maps import MapsView
from lieapp.gui.cryoem.panel import CryoemPanel
from lieapp.gui.cryoem.plots import ErrorView, FscPlot, SamplingView
from lieapp.gui.cryoem.session import CryoemChoices, opening_preset
from lieapp.gui.cryoem.views import FillingView, ImageView, SliceView
from lieapp.gui.plots.plots import ProgressPlots
from lieapp.gui.widgets.spare_caption import SpareCaption
from lieapp.gui.widgets.tab_row import TabPages
from lieapp.gui.workbench.bar import RunBar
from lieapp.gui.workbench.race_strip import RaceStrip
from lieapp.gui.workbench.runs_panel import RunsPanel
from lieapp.gui.workbench.scene_workbench import SceneWorkbench

__all__ = ["CryoemWorkbench"]


class CryoemWorkbench(SceneWorkbench):
    """Everything under the tab Cryo-EM.

    Parameters
    ----------
    controller : CryoemController
    actions : ActionSet
    """

    controller: CryoemController
    panel: CryoemPanel

    def __init__(self, controller: CryoemController, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(controller, actions, "Cryo-EM workbench", parent)

    def assemble(self) -> Iterator[None]:
        controller, actions = self.controller, self._actions
        self.panel = CryoemPanel(actions)
        yield
        self.maps = MapsView(controller)
        yield
        self.slices = SliceView(controller)
        self.images = ImageView(controller)
        self.filling = FillingView(controller)
        yield
        self.plots = ProgressPlots(CRYOEM_QUANTITIES, CRYOEM_ABSCISSAE)
        yield
        self.fsc = FscPlot(controller)
        yield
        self.errors = ErrorView(controller)
        yield
        self.sampling = SamplingView(controller)
        yield
        self.strip = RaceStrip([actions["preset_sharper"], actions["preset_preferred"]], lines=7.5)
        self.runs = RunsPanel("gap", "how far its loss is above the least possible")
        self.run_bar = RunBar(actions, "Run", "start")
        self.run_bar.text_buttons["branch"].hide()  # no run starts from the map of another
        yield
        self._lay_out()
        yield
        self._show_form()
        yield
        self._connect()
        self._show_entrants()
        self._show_scene()
        self._show_states()

    def _lay_out(self) -> None:
        self.views = TabPages("Views of the maps")
        self.views.add("Maps", "Contours of the maps side by side: one camera, one level", self.maps)
        self.views.add("Slices", "Central slices of the maps, at equal grey levels", self.slices)
        self.views.add("Images", "An image beside the projections of the maps, and what they leave of it", self.images)
        self.views.add("Fourier", "How slices fill Fourier space, and the preconditioners", self.filling)
        plots = (self.fsc, self.errors, self.sampling)
        self._pages: tuple[SeenView, ...] = (self.maps, self.slices, self.images, self.filling, *plots)
        self.readout = QLabel()
        self.readout.setObjectName("caption")
        self.readout.setContentsMargins(8, 0, 8, 2)
        self.readout.setAccessibleName("What is under the mouse")
        label = self.plots.reference.label
        label.setPosition(0.45)  # the legend is at the right
        self.one_pass = SpareCaption(self.plots, "About the one-pass reconstruction")
        layout = self.plots.layout()
        assert layout is not None
        layout.addWidget(self.one_pass)
        self._lay_out_parts([self.views, self.readout], [self.strip], margin=4)
        self.tabs.add("FSC", "Fourier shell correlation at the cursor, and where it crosses 0.5 and 0.143", self.fsc)
        self.tabs.add("Error", "Error of every shell against the exact minimiser", self.errors)
        self.tabs.add("Sampling", "Condition number, directions of the views, preconditioner", self.sampling)

    def _connect(self) -> None:
        self._connect_runs()
        controller, panel = self.controller, self.panel
        controller.sources_changed.connect(self.offer_files)
        controller.previews.changed.connect(self.refresh_views)
        controller.pixel_size_wanted.connect(self._ask_pixel_size)
        panel.source_chosen.connect(controller.choose_source)
        panel.slider_settled.connect(controller.race_again)
        self.views.row.chosen.connect(lambda index: self.refresh_views())
        self.tabs.row.chosen.connect(lambda index: self.refresh_views())
        for view in (self.maps, self.slices, self.images, self.filling):
            view.pointed.connect(self.readout.setText)

    def _ask_pixel_size(self, path: Path, allow_outside: bool) -> None:
        size, accepted = QInputDialog.getDouble(
            self, "Pixel size", f"Pixel size of {path.name} in Å", 1.0, 0.01, 1000.0, 4
        )
        if accepted:
            self.controller.open_file(path, allow_outside=allow_outside, pixel_size_angstrom=size)

    # -- what this workbench knows about its problem --------------------------------------------------------------

    def fit_view(self) -> None:
        """Show all of every map."""
        page = self.views.stack.currentWidget()
        show = getattr(page, "show_everything", None)
        if show is not None:
            show()

    def _recommended(self) -> Mapping[str, Any]:
        job = self.controller.quiet_job()
        return {} if job is None else job.recommended(images=self.controller.session.images())

    def _take_choices(self, choices: CryoemChoices) -> None:
        super()._take_choices(choices)
        # What is recommended depends on preconditioner, box and number of batches.
        self._show_form()
        self._show_states()

    def offer_files(self, others: Sequence[tuple[str, str]] = ()) -> None:
        """Offer what was opened, here or elsewhere in the window, as a source of images."""
        self.panel.show_facts(self.controller.session.facts)
        self.panel.show_files([*self.controller.opened, *others])

    # -- showing --------------------------------------------------------------------------------------------------

    def refresh_views(self) -> None:
        """Show the frames at the cursor in whatever is visible."""
        if self.isVisible():
            self.controller.ask_preview()
        for page in self._pages:
            page.refresh()

    def _show_scene(self) -> None:
        baselines = self.controller.baselines
        one_pass = None if baselines is None else baselines.one_pass
        self.plots.set_reference("loss_gap", None if one_pass is None else one_pass.loss_gap, "one pass")
        mean = None if one_pass is None else float(one_pass.fsc_truth[1:].mean())
        self.plots.set_reference("fsc_mean", mean if mean == mean else None, "one pass")
        self.one_pass.show_words("" if one_pass is None else ONE_PASS_WORDS)
        self.refresh_views()
        self._show_caption()

    def shut_down(self) -> None:
        """End the threads of the views and give the canvas back; call it before the window goes."""
        self.controller.previews.shut_down()
        for page in self._pages:
            page.shut_down()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh_views()

    def _show_choices(self) -> None:
        self.panel.show_facts(self.controller.session.facts)
        super()._show_choices()

    def _show_runs(self) -> None:
        super()._show_runs()
        self.refresh_views()

    def _progress(self) -> None:
        super()._progress()
        self.refresh_views()
        if self.controller.stage or self.strip.caption.text().endswith("…"):
            self._show_caption()

    def _show_position(self) -> None:
        super()._show_position()
        self.refresh_views()

    def _show_caption(self) -> None:
        controller = self.controller
        words = opening_words(controller.choices, controller.session.facts, as_opened=self._is_opening())
        self.strip.show_caption(controller.stage or controller.caption or words)

    def _is_opening(self) -> bool:
        """Whether what the workbench opens with is still there, as the first words say."""
        opening, choices = opening_preset(), self.controller.choices
        return (
            not self.controller.runs
            and choices.source == "phantom"
            and all(getattr(choices, name) == opening.changes[name] for name in ("box", "images", "views"))
        )
