"""What slice is wanted, and having it computed on a worker, where those made before are kept."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from lieapp.errors import LieAppError
from lieapp.gui.align.session import pose_of
from lieapp.gui.align.slice_chooser import PlaneChoice
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.kept_work import KeptWork
from lieapp.gui.work.worker import Task, Worker

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.loss_surface import LossSurface
    from lieapp.alignment.objectives import Objective
    from lieapp.alignment.slice import Slice, SlicePlane
    from lieapp.alignment.spec import AlignJob

__all__ = ["KEPT_SLICES", "SliceMaker", "SliceRequest"]

KEPT_SLICES = 12
_DIVERGED = 20.0  # radii of gyration: farther shifts are of a run that went astray


@dataclass(frozen=True, eq=False)
class SliceRequest:
    """What a slice depends on.

    Attributes
    ----------
    inputs : AlignInputs
    job : AlignJob
        Its start is that of a plane through the start, where there is no run.
    objective : Objective
    choice : PlaneChoice
    run : RunEntry or None
        The current run, with at least one frame, on the same inputs.
    """

    inputs: AlignInputs
    job: AlignJob
    objective: Objective
    choice: PlaneChoice
    run: RunEntry | None

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for requests with one answer."""
        return (self.inputs, self.objective, *self._plane_key())

    def _plane_key(self) -> tuple[Any, ...]:
        choice = self.choice
        if choice.kind == "axes":
            # How far shifts reach depends on the run; under way, it is not followed with ever new slices.
            shifted = any(name.startswith("shift") for name in choice.axes)
            return ("axes", *choice.axes, *(self._run_key() if shifted else ()))
        if choice.kind == "path":
            return ("path", *self._run_key())
        return ("start", choice.through, self.start().round(9).tobytes())

    def _run_key(self) -> tuple[Any, ...]:
        return (None, True) if self.run is None else (self.run.id, self.run.finished)

    def start(self) -> NDArray[np.float64]:
        """Return the rotation of the start, shape (3, 3): of the current run, else of the next one."""
        if self.run is not None:
            return pose_of(self.run, 0)[:3, :3]
        from lieapp.alignment.inputs import start_matrix

        try:
            return start_matrix(self.job, self.inputs)[:3, :3]
        except (ValueError, LieAppError):
            return np.eye(3)

    def plane_maker(self) -> Callable[[LossSurface], SlicePlane]:
        """Return what makes the plane on another thread; the run is read now."""
        module = importlib.import_module("lieapp.alignment.slice")
        choice = self.choice
        poses = self._poses()
        if choice.kind == "axes":

            def make(surface: LossSurface) -> SlicePlane:
                best = surface.best
                away = surface.shifts(*poses) - surface.shifts(best.rotation[None], best.translation[None])
                reach = np.abs(away[np.isfinite(away).all(axis=1)]).max(initial=0.0)
                reach = 1.1 * min(max(reach, surface.radius), _DIVERGED * surface.radius)
                plane: SlicePlane = module.axes_plane(surface, *choice.axes, reach=float(reach))
                return plane

            return make
        if choice.kind == "path":
            return lambda surface: module.path_plane(surface, poses[0])
        start = self.start()
        return lambda surface: module.start_plane(surface, start, choice.through)

    def _poses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.run is None:
            return np.empty((0, 3, 3)), np.empty((0, 3))
        rotations = self.run.recording.states("rotation").reshape(-1, 3, 3)
        translations = self.run.recording.states("translation").reshape(-1, 3)
        count = min(len(rotations), len(translations))
        return rotations[:count], translations[:count]


class SliceMaker(QObject):
    """Has slices computed.

    Parameters
    ----------
    worker : Worker

    Signals
    -------
    made(object, object)
        Key of the request, and the slice.
    progressed(float)
        Finished fraction of the request under way.
    failed(str)
    """

    made = Signal(object, object)
    progressed = Signal(float)
    failed = Signal(str)

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = KeptWork(worker, KEPT_SLICES, self)
        self._work.done.connect(self.made)
        self._work.progressed.connect(self.progressed)
        self._work.failed.connect(lambda error: self.failed.emit(str(error)))

    @property
    def busy(self) -> bool:
        """Whether a slice is being computed."""
        return self._work.busy

    def ask(self, request: SliceRequest) -> Slice | None:
        """Return the slice if it was made before; else have it computed, instead of any other, and report it."""
        return self._work.ask(request.key, lambda: self._prepare(request))

    def stop(self) -> None:
        """Forget what is being computed."""
        self._work.stop()

    def forget(self) -> None:
        """Forget all slices."""
        self._work.forget()

    def _prepare(self, request: SliceRequest) -> Callable[[Task], Slice | None]:
        make = request.plane_maker()
        inputs, objective = request.inputs, request.objective
        surfaces = [found.plane.surface for found in self._work.answers]
        known = [surface for surface in surfaces if surface.objective == objective]

        def work(task: Task) -> Slice | None:
            module = importlib.import_module("lieapp.alignment.slice")
            loss = importlib.import_module("lieapp.alignment.loss_surface")
            surface = known[0] if known else loss.LossSurface.of_inputs(inputs, objective)
            found: Slice | None = module.compute_slice(make(surface), progress=task.tell, cancelled=task.cancelled)
            return found

        return work
