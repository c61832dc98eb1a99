"""The images that runs share, and what they are compared with: made once, by the thread that computes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from lieapp.gui.cryoem.session import scene_of
from lieapp.gui.runs.scene_session import Scene
from lieapp.gui.work.worker import LateInputs, Task

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines
    from lieapp.cryoem.inputs import CryoemInputs
    from lieapp.cryoem.map_statistics import MapStatistics
    from lieapp.cryoem.spec import CryoemJob

__all__ = ["CryoemSource", "CryoemSources"]

_KEPT = 3


class CryoemSource(LateInputs):
    """Simulated or read images with their baselines.

    Parameters
    ----------
    job : CryoemJob

    Attributes
    ----------
    job : CryoemJob
    inputs : CryoemInputs or None
    baselines : Baselines or None
        None until they were measured.
    statistics : MapStatistics or None
        Of the reference map.
    """

    def __init__(self, job: CryoemJob) -> None:
        self.job = job
        self.inputs: CryoemInputs | None = None
        self.baselines: Baselines | None = None
        self.statistics: MapStatistics | None = None
        self.stage = "Waiting for the thread that computes…"

    def get(self, task: Task) -> Any:
        """Return the inputs, made and measured at the first call; soon after a cancel, `Interrupted` is raised."""
        task.load("lieapp.engine.devices").single_thread()
        interruptible = task.load("lieapp.cryoem.interruption").interruptible
        try:
            with interruptible(task.cancelled):
                if self.inputs is None:
                    count = f"{self.job.images} images" if self.job.images else "images"
                    edge = f" of {self.job.box} pixels" if self.job.box else ""
                    self.stage = f"{'Reading' if self.job.particles else 'Simulating'} {count}{edge}…"
                    self.inputs = task.load("lieapp.cryoem.inputs").load_inputs(self.job)
                if self.baselines is None:
                    self.stage = "Measuring what the runs should reach: the exact minimiser, and one pass…"
                    measure = task.load("lieapp.cryoem.baselines").measure_baselines
                    found = measure(self.job, self.inputs)
                    describe = task.load("lieapp.cryoem.map_statistics").map_statistics
                    self.statistics = describe(found.reference, bins=128)
                    self.baselines = found
        finally:
            self.stage = ""
        return self.inputs


class CryoemSources:
    """The sources of the latest scenes."""

    def __init__(self) -> None:
        self._sources: OrderedDict[Scene, CryoemSource] = OrderedDict()

    def of(self, job: CryoemJob) -> CryoemSource:
        """Return the source of a job; made where no job had the same images."""
        key = scene_of(job)
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = CryoemSource(job)
        self._sources.move_to_end(key)
        while len(self._sources) > _KEPT:
            self._sources.popitem(last=False)
        return source
