"""What slice is wanted, and the work that makes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.errors import LieAppError
from lieapp.gui.align.session import pose_of
from lieapp.gui.align.slice_chooser import PlaneChoice
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.work.worker import Task

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.loss_surface import LossSurface
    from lieapp.alignment.objectives import Objective
    from lieapp.alignment.slice import Slice, SlicePlane
    from lieapp.alignment.spec import AlignJob

__all__ = ["SliceRequest"]

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

    def prepare(self, known: Sequence[LossSurface]) -> Callable[[Task], Slice]:
        """Return the work that makes the slice on another thread; the run is read now.

        Parameters
        ----------
        known : sequence of LossSurface
            Of the same inputs: one of the same objective is taken, else a new one is made.
        """
        inputs, objective, choice, poses = self.inputs, self.objective, self.choice, self._poses()
        start = self.start() if choice.kind == "start" else None

        def work(task: Task) -> Slice:
            module = task.load("lieapp.alignment.slice")
            surface = next((each for each in known if each.objective == objective), None)
            if surface is None:
                surface = task.load("lieapp.alignment.loss_surface").LossSurface.of_inputs(inputs, objective)
            plane = _plane(module, surface, choice, poses, start)
            found: Slice = module.compute_slice(plane, progress=task.tell, cancelled=task.cancelled)
            return found

        return work

    def _poses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.run is None:
            return np.empty((0, 3, 3)), np.empty((0, 3))
        rotations = self.run.recording.states("rotation").reshape(-1, 3, 3)
        translations = self.run.recording.states("translation").reshape(-1, 3)
        count = min(len(rotations), len(translations))
        return rotations[:count], translations[:count]


def _plane(
    module: Any,
    surface: LossSurface,
    choice: PlaneChoice,
    poses: tuple[NDArray[np.float64], NDArray[np.float64]],
    start: NDArray[np.float64] | None,
) -> SlicePlane:
    """Return the plane of a choice, made by `lieapp.alignment.slice`."""
    plane: SlicePlane
    if choice.kind == "axes":
        best = surface.best
        away = surface.shifts(*poses) - surface.shifts(best.rotation[None], best.translation[None])
        reach = np.abs(away[np.isfinite(away).all(axis=1)]).max(initial=0.0)
        reach = 1.1 * min(max(reach, surface.radius), _DIVERGED * surface.radius)
        plane = module.axes_plane(surface, *choice.axes, reach=float(reach))
    elif choice.kind == "path":
        plane = module.path_plane(surface, poses[0])
    else:
        plane = module.start_plane(surface, start, choice.through)
    return plane
