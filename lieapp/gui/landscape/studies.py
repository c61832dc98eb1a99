"""Basin maps, sweeps and spectra of the Landscape workbench: from its choices to the tabs, and to files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.landscape.basin_plot import BasinPlot
from lieapp.gui.landscape.controller import LandscapeController
from lieapp.gui.landscape.session import Scene, scene_of
from lieapp.gui.landscape.spectrum_plot import SpectrumPlot
from lieapp.gui.landscape.study_card import StudyCard
from lieapp.gui.landscape.study_desk import StudyControl, StudyDesk
from lieapp.gui.landscape.sweep_panel import SweepPanel
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.worker import Worker
from lieapp.gui.workbench.export_paths import written_message
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS

if TYPE_CHECKING:
    from lieapp.landscapes.basins import BasinProgress, BasinSpec
    from lieapp.landscapes.spec import LandscapeJob
    from lieapp.landscapes.spectrum import PathSpectrum
    from lieapp.landscapes.sweep import SweepProgress, SweepSpec

__all__ = ["LandscapeStudies"]

_STOPPED = " Stopped: what was done by then is kept."
_BUSY = "Something else is being computed; wait for its end, or stop it"


class LandscapeStudies(QObject):
    """The three tabs of studies, and what they compute.

    Parameters
    ----------
    controller : LandscapeController
    compute, files : Worker
        The first owns torch, the second writes.

    Attributes
    ----------
    basins : BasinPlot
    sweep : SweepPanel
    spectrum : SpectrumPlot

    Signals
    -------
    ended(str)
        A study of this name came to its end, or was stopped: "basins", "sweep" or "spectrum".
    export_wanted(str)
        The user wants what the card of this name shows in a file; answer with `write`.
    """

    ended = Signal(str)
    export_wanted = Signal(str)

    def __init__(
        self, controller: LandscapeController, compute: Worker, files: Worker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._files = files
        self.desk = StudyDesk(compute, controller.computing.turn, self)
        self.basins, self.sweep, self.spectrum = BasinPlot(), SweepPanel(), SpectrumPlot()
        self._cards: dict[str, StudyCard] = {"basins": self.basins, "sweep": self.sweep, "spectrum": self.spectrum}
        self._spectra: dict[str, PathSpectrum] = {}
        self._scene: Scene | None = None
        self.basins.wanted.connect(self.map_basins)
        self.sweep.wanted.connect(self.run_sweep)
        self.spectrum.wanted.connect(self.compute_spectrum)
        for name, card in self._cards.items():
            card.stop_wanted.connect(self.desk.stop)
            card.export_wanted.connect(lambda name=name: self.export_wanted.emit(name))
        self.basins.grid_chosen.connect(self.refresh)
        self.sweep.range_changed.connect(self._show_sweep)
        self.basins.start_chosen.connect(lambda x, y: controller.set_start((x, y)))
        self.spectrum.cursor_moved.connect(controller.show_frame)
        self.desk.changed.connect(self._show_states)
        controller.scene_changed.connect(self.refresh)
        controller.start_changed.connect(self.refresh)
        controller.choices_changed.connect(self.refresh)
        controller.states_changed.connect(self.refresh)
        controller.runs_changed.connect(self.show_run)
        controller.frame_changed.connect(self._show_cursor)
        self.refresh()
        self.show_run()

    # -- what would be computed -----------------------------------------------------------------------------------

    def basin_spec(self) -> BasinSpec | None:
        """Return the map of the choices; None where there is none."""
        from lieapp.landscapes.basins import BasinSpec

        job = self._controller.quiet_job()
        return None if job is None or not job.description.is_planar else BasinSpec(job, self.basins.points)

    def sweep_spec(self) -> SweepSpec:
        """Return the sweep of the choices.

        Raises
        ------
        LandscapeError, ValueError
            If something does not fit together.
        """
        from lieapp.landscapes.sweep import SweepSpec

        return SweepSpec(self._controller.session.job(), self.sweep.range(), self.sweep.seeds.value())

    def refresh(self) -> None:
        """Show what the present choices would compute, and at what cost."""
        job = self._controller.quiet_job()
        if self._controller.scene != self._scene:
            self._scene = self._controller.scene
            if self.basins.found is not None and scene_of(self.basins.found.spec.job) != self._scene:
                self.basins.show_map(None)
        self.basins.show_spec(self.basin_spec(), "" if job is None else self._title(job))
        self.basins.set_start(self._controller.start())
        if job is not None:
            model = SETTINGS.get(normalised(job.optimizer.name))
            if model is not None:
                self.sweep.set_settings(model, _numbers({**job.recommended(), **job.optimizer.overrides}))
        self._show_sweep()
        self._show_states()

    def _show_sweep(self) -> None:
        from lieapp.landscapes.sweep import check_sweep

        try:
            spec = self.sweep_spec()
            if normalised(spec.job.optimizer.name) in SETTINGS:  # of others only torch knows the settings
                check_sweep(spec)
        except (LieAppError, ValueError) as error:
            self.sweep.show_spec(None, "", str(error))
        else:
            self.sweep.show_spec(spec, self._title(spec.job))

    def _title(self, job: LandscapeJob) -> str:
        return self._controller.session.title_of(job)

    def _show_states(self) -> None:
        running, free = self.desk.running, self.desk.free
        current = self._controller.current
        possible = {
            "basins": self.basin_spec() is not None,
            "sweep": self._controller.quiet_job() is not None,
            "spectrum": current is not None and current.finished and current.frames > 0,
        }
        for name, card in self._cards.items():
            why = "" if free or running == name else _BUSY
            card.show_running(running=running == name, possible=free and possible[name], why=why)

    # -- computing ------------------------------------------------------------------------------------------------

    def map_basins(self) -> None:
        """Compute the basin map of the choices."""
        from lieapp.landscapes.study_summary import summarise_basins, time_left

        spec = self.basin_spec()
        if spec is None:
            return
        begin = time.perf_counter()

        def work(control: StudyControl, tell: Callable[[Any], None]) -> Any:
            starts = control.load("lieapp.landscapes.starts")
            return starts.compute_basins(spec, stopped=lambda: control.stopping, progress=tell)

        def told(progress: BasinProgress) -> None:
            self.basins.show_fraction(progress.fraction)
            if progress.found is not None and scene_of(spec.job) == self._scene:
                self.basins.show_map(progress.found)
            spent = f"{progress.evaluations:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
            left = time_left(progress.fraction, time.perf_counter() - begin)
            how = f"{spent} evaluations so far{left and f', {left}'}"
            self.basins.say(f"{progress.ended} of {progress.starts} starts, {how}.")

        def done(found: Any) -> None:
            self.basins.show_map(found)
            ended = "" if found.complete else _STOPPED
            self.basins.say(f"{self._title(spec.job)}: {summarise_basins(found).rsplit('. ', 1)[-1]}.{ended}")

        self._begin("basins", work, done, told)

    def run_sweep(self) -> None:
        """Make the sweep of the choices."""
        from lieapp.landscapes.study_summary import time_left

        try:
            spec = self.sweep_spec()
        except (LieAppError, ValueError) as error:
            self._controller.messages.report(error, "The sweep")
            return
        color, dash = _line_of(spec.job.optimizer.name)

        def work(control: StudyControl, tell: Callable[[Any], None]) -> Any:
            module = control.load("lieapp.landscapes.sweep")
            return module.run_sweep(spec, control=control, progress=tell)

        def told(progress: SweepProgress) -> None:
            fraction = progress.done / progress.runs
            self.sweep.show_fraction(fraction)
            self.sweep.show_result(progress.result, color, dash)
            left = time_left(fraction, progress.result.seconds)
            self.sweep.say(f"{progress.done} of {progress.runs} runs{left and f', {left}'}.")

        def done(found: Any) -> None:
            self.sweep.show_result(found, color, dash)
            spent = f"{found.evaluations:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
            ended = "" if found.complete else _STOPPED
            self.sweep.say(
                f"{self._title(spec.job)}: {len(found.runs)} runs, {spent} evaluations, {found.seconds:.1f} s.{ended}"
            )

        self._begin("sweep", work, done, told)

    def compute_spectrum(self) -> None:
        """Compute the spectrum along the path of the selected run."""
        run = self._controller.current
        if run is None or not run.frames:
            return

        def work(control: StudyControl, tell: Callable[[Any], None]) -> Any:
            module = control.load("lieapp.landscapes.spectrum")
            return module.spectrum_along(
                run.job, run.recording, inputs=run.inputs, stopped=lambda: control.stopping, progress=tell
            )

        def done(found: Any) -> None:
            if len(found):
                self._spectra[run.id] = found
            self.show_run()

        self._begin("spectrum", work, done, self.spectrum.show_fraction)

    def _begin(
        self,
        name: str,
        work: Callable[[StudyControl, Callable[[Any], None]], Any],
        done: Callable[[Any], object],
        told: Callable[[Any], None],
    ) -> None:
        def ended(found: Any) -> None:
            done(found)
            self.ended.emit(name)

        def failed(error: BaseException) -> None:
            self._controller.messages.report(error, self._cards[name].plot.accessibleName())
            self.ended.emit(name)

        self._cards[name].show_fraction(0.0)
        self.desk.start(name, work, ended, failed, told)

    # -- runs -----------------------------------------------------------------------------------------------------

    def show_run(self) -> None:
        """Show the spectrum of the selected run, if it was computed."""
        known = {run.id for run in self._controller.runs}
        self._spectra = {identifier: found for identifier, found in self._spectra.items() if identifier in known}
        run = self._controller.current
        self.spectrum.show_run(run, None if run is None else self._spectra.get(run.id))
        self._show_cursor()
        self._show_states()

    def _show_cursor(self) -> None:
        run: RunEntry | None = self._controller.current
        self.spectrum.set_cursor(None if run is None else run.value("evaluations", self._controller.frame))

    # -- files ----------------------------------------------------------------------------------------------------

    def write(self, name: str, path: Path) -> None:
        """Write what the card of a name shows; the suffix is the format."""
        card = self._cards[name]
        found = card.found
        look: dict[str, Any] = {}
        if card is self.basins:
            look["costs"] = self.basins.costs
        elif card is self.sweep:
            look["measure"] = self.sweep.measure.currentData()
        elif self.spectrum.run is not None:
            look["title"] = self.spectrum.run.title
        messages = self._controller.messages
        self._files.submit(
            lambda task: task.load("lieapp.export.landscape_studies").write_study(found, path, **look),
            lambda files: messages.post(written_message(files, path)),
            lambda error: messages.report(error, f"Writing the {card.plot.accessibleName().lower()}"),
        )


def _numbers(settings: dict[str, Any]) -> dict[str, float]:
    """Return the numbers among settings, by dotted key."""
    found: dict[str, float] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            found.update({f"{key}.{inner}": number for inner, number in _numbers(value).items()})
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[key] = float(value)
    return found


def _line_of(optimizer: str) -> tuple[str, tuple[float, ...]]:
    from lieapp.export.quantities import distinct_lines

    return distinct_lines([optimizer])[0]
