"""The Landscape workbench: panel, picture, caption, plots, runs and run bar, joined to the controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from lieapp.gui.application.actions import ActionSet
from lieapp.gui.landscape.controller import LandscapeController
from lieapp.gui.landscape.panel import LandscapePanel
from lieapp.gui.landscape.plot import LandscapePlot
from lieapp.gui.landscape.scene import PlaneMaker
from lieapp.gui.landscape.session import LandscapeChoices
from lieapp.gui.plots.plots import ProgressPlots
from lieapp.gui.work.worker import Worker
from lieapp.gui.workbench.bar import RunBar
from lieapp.gui.workbench.race_strip import RaceStrip
from lieapp.gui.workbench.runs_panel import RunsPanel
from lieapp.gui.workbench.scene_workbench import SceneWorkbench
from lieapp.landscapes.plane_keys import has_plane, plane_key
from lieapp.landscapes.quantities import LANDSCAPE_QUANTITIES, NETWORK_QUANTITIES

if TYPE_CHECKING:
    from lieapp.gui.landscape.growth_plot import GrowthPlot
    from lieapp.gui.landscape.studies import LandscapeStudies
    from lieapp.landscapes.spec import LandscapeJob

__all__ = ["LandscapeWorkbench"]

_FIRST = (
    "Four optimisers wait a ten-thousandth beside the ridge of a saddle. Press Race and watch who leaves, at equal "
    "cost; then drag the time bar, click the picture for another start, or choose another landscape."
)
_LATER = (
    "Race runs the entrants from the start, at equal cost. {} for another entrant choose an optimiser, then Add to "
    "race."
)
_CLICK, _SEED = "Click the picture for another start;", "Another seed is another start;"
_NO_BRANCH = "No start can be chosen on this landscape: its starts are random, by the seed."
_PLANE_NOTE = "Contours are of this plane through the start; paths leave it and are projected."
_PICTURE_SHARE = 0.25  # of the time of the window's thread, while runs grow


class LandscapeWorkbench(SceneWorkbench):
    """Everything under the tab Landscape.

    Parameters
    ----------
    controller : LandscapeController
    actions : ActionSet
    compute, files : Worker
        The first owns torch; pictures are computed by the second.

    Signals
    -------
    study_export_wanted(str)
        The user wants a study of this name in a file; answer with `LandscapeStudies.write`.
    """

    study_export_wanted = Signal(str)

    controller: LandscapeController
    panel: LandscapePanel

    def __init__(
        self,
        controller: LandscapeController,
        actions: ActionSet,
        compute: Worker,
        files: Worker,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(controller, actions, "Landscape workbench", parent)
        self._workers = compute, files
        self._growth: GrowthPlot | None = None
        self._studies: LandscapeStudies | None = None
        self._curves: ProgressPlots | None = None
        self.planes = PlaneMaker(compute, self)
        self._shown_plane: tuple[Any, ...] = ()

    def assemble(self) -> Iterator[None]:
        actions = self._actions
        self.panel = LandscapePanel(actions)
        yield
        self.plot = LandscapePlot(self._workers[1])
        yield
        self.plots = ProgressPlots(LANDSCAPE_QUANTITIES)
        yield
        self._show_form()
        yield
        self.strip = RaceStrip([actions["preset_ridge"], actions["preset_muller_brown"]])
        self.runs = RunsPanel("loss", "the loss that it reached")
        self.run_bar = RunBar(actions, "Run", "start")
        yield
        self._lay_out()
        yield
        self._connect()
        self._show_scene()
        self._show_entrants()
        self._show_states()

    def _lay_out(self) -> None:
        self.pictures = QStackedWidget()
        self.pictures.addWidget(self.plot)
        self._lay_out_parts([self.pictures], [self.strip])
        # What few look at first must not delay what all look at.
        self.tabs.add("Growth", "How fast runs leave the saddle, beside what theory predicts", lambda: self.growth)
        self.tabs.add("Basins", "Which stationary point is reached from where", lambda: self.studies.basins)
        self.tabs.add("Sweep", "One setting over a range, with several seeds", lambda: self.studies.sweep)
        self.tabs.add("Spectrum", "All eigenvalues of the Hessian along the path", lambda: self.studies.spectrum)

    @property
    def growth(self) -> GrowthPlot:
        """Growth of the unstable coordinate; made at the first call."""
        if self._growth is None:
            from lieapp.gui.landscape.growth_plot import GrowthPlot

            self._growth = GrowthPlot()
            self.turns.add(self._growth)
            self._growth.set_runs(self.controller.runs_of_scene())
        return self._growth

    @property
    def studies(self) -> LandscapeStudies:
        """Basin maps, sweeps and spectra; made at the first call."""
        if self._studies is None:
            from lieapp.gui.landscape.studies import LandscapeStudies

            self._studies = LandscapeStudies(self.controller, *self._workers, self)
            self._studies.export_wanted.connect(self.study_export_wanted)
            self.tabs.make_pages()
        return self._studies

    @property
    def curves(self) -> ProgressPlots:
        """What a network has learned, in place of a picture; made at the first call."""
        if self._curves is None:
            self._curves = ProgressPlots(NETWORK_QUANTITIES)
            self.turns.add(self._curves)
            self._curves.cursor_moved.connect(self.controller.show_frame)
            self.pictures.addWidget(self._curves)
            self._take_plots(self._curves)
        return self._curves

    def _connect(self) -> None:
        self._connect_runs()
        controller = self.controller
        self.turns.add(self.plot, _PICTURE_SHARE)
        controller.start_changed.connect(self._show_start)
        self.plot.start_chosen.connect(lambda x, y: controller.set_start((x, y)))
        self.plot.cursor_moved.connect(controller.show_frame)
        self.planes.made.connect(lambda key, plane: self._show_scene())
        self.planes.failed.connect(lambda error: controller.messages.report(error, "The picture of the landscape"))

    # -- what this workbench knows about its problem --------------------------------------------------------------

    def fit_view(self) -> None:
        """Show the whole landscape."""
        self.plot.show_everything()

    def _resting_place(self) -> QWidget:
        return self.plot.plot

    def _recommended(self) -> Mapping[str, Any]:
        job = self.controller.quiet_job()
        return {} if job is None else job.recommended()

    def _take_choices(self, choices: LandscapeChoices) -> None:
        before = self.controller.choices
        super()._take_choices(choices)
        if (before.scene, before.start, dict(before.overrides)) != (
            choices.scene,
            choices.start,
            dict(choices.overrides),
        ):
            # What is recommended depends on the curvature below the start, and on what DEO wraps.
            self._show_form()

    def _reasons(self) -> dict[str, str]:
        current = self.controller.current
        if current is None or current.job.description.is_planar:
            return super()._reasons()
        return {**super()._reasons(), "branch": _NO_BRANCH}

    # -- showing --------------------------------------------------------------------------------------------------

    def _show_scene(self) -> None:
        """Show the landscape of the selected run, else that of the choices."""
        job = self.controller.shown_job()
        self._shown_plane = ()
        self.pictures.setCurrentWidget(self.plot if job is None or _is_drawn(job) else self.curves)
        if job is not None and job.description.is_planar:
            surface = job.surface
            self.plot.set_surface(surface, surface.stationary_points)
        else:
            self.plot.set_surface(None)
            self._show_plane()
        self._show_paths()
        self._show_start()

    def _show_plane(self) -> None:
        """Show the plane that stands for a landscape of more than two dimensions, as soon as it is there."""
        job = self.controller.shown_job()
        if job is None or not has_plane(job) or plane_key(job) == self._shown_plane:
            return
        plane = self.planes.ask(job)
        if plane is not None:
            self._shown_plane = plane_key(job)
            self.plot.set_surface(
                plane,
                plane.points,
                project=plane.project,
                fixed_start=plane.start,
                labels=plane.labels,
                short_labels=plane.short_labels,
                note=_PLANE_NOTE,
            )

    def _show_start(self) -> None:
        mine = self.controller.scene == self.controller.choices.scene
        self.plot.set_start(self.controller.start() if mine else None)
        self._show_caption()

    def _show_choices(self) -> None:
        super()._show_choices()
        self._show_start()

    def _show_runs(self) -> None:
        super()._show_runs()
        self._show_plane()
        self._show_paths()

    def _show_paths(self) -> None:
        """Show the visible runs on this landscape, and on its plane where it has one."""
        runs = self.controller.runs_of_scene()
        if self._shown_plane:
            runs = [run for run in runs if plane_key(run.job) == self._shown_plane]
        self.plot.set_runs([run for run in runs if run.visible])
        for later in (self._curves, self._growth):
            if later is not None:
                later.set_runs(runs)

    def _show_position(self) -> None:
        super()._show_position()
        current = self.controller.current if self.controller.frames else None
        self.plot.set_cursor(current, self.controller.frame)
        if self._curves is not None:
            self._curves.set_cursor(current, self.controller.frame)

    def _show_caption(self) -> None:
        later = _LATER.format(_SEED if self.controller.start() is None else _CLICK)
        self.strip.show_caption(self.controller.caption or (_FIRST if self._is_opening() else later))

    def _is_opening(self) -> bool:
        """Whether what the workbench opens with is still there, as the first words say."""
        from lieapp.landscapes.spec import PRESETS

        opening, choices = PRESETS[0], self.controller.choices
        entrants = tuple(entrant.name for entrant in self.controller.entrants)
        return (
            choices.landscape == opening.changes["landscape"]
            and self.controller.start() == opening.changes["start"]
            and entrants == tuple(entrant.name for entrant in opening.entrants)
        )


def _is_drawn(job: LandscapeJob) -> bool:
    return job.description.is_planar or has_plane(job)
