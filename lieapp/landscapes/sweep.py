"""Sweeps: one setting of an optimiser over a range, times seeds of the start. No torch before it runs.

What is asked for is a `SweepSpec`; `run_sweep` returns a `SweepResult` with one row a run, and its medians and bands.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lieapp.engine.control import RunControl
from lieapp.engine.job import resolve
from lieapp.engine.reporting import finite_values
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.report import escaped_at
from lieapp.landscapes.spec import LandscapeJob, is_network
from lieapp.landscapes.truth import truth_of
from lieapp.optimizers.fields import FieldSpec, describe
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lieapp.engine.recording import Recording
    from lieapp.landscapes.texts import Text
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = [
    "MEASURES",
    "Band",
    "Measure",
    "SweepProgress",
    "SweepRange",
    "SweepResult",
    "SweepRun",
    "SweepSpec",
    "numeric_settings",
    "parse_range",
    "run_sweep",
]

Measure = Literal["escaped_at", "converged_at", "loss"]

MEASURES: dict[str, str] = {
    "escaped_at": "evaluations to leave the saddle",
    "converged_at": "evaluations to converge",
    "loss": "final loss",
}
"""What a sweep compares, with its title."""

SEEDS = 10
EVALUATIONS = 500.0
"""Budget of each run where the job has none."""

DISPLACEMENT = 1e-3
"""Distance of a start on a surface from the job's own, in diagonals of the domain."""

BAND = (0.1, 0.9)
"""Shares of the runs below the two ends of a band."""

_MOST_VALUES = 200


# -- what is asked for ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SweepRange:
    """Values of one setting, evenly apart on a scale.

    Attributes
    ----------
    key : str
        Of the setting; dots nest.
    low, high : float
    count : int
    scale : {"log", "linear"}
    """

    key: str
    low: float
    high: float
    count: int
    scale: Literal["log", "linear"] = "log"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise LandscapeError(f"sweep of {self.key}: expected finite numbers")
        if not 1 <= self.count <= _MOST_VALUES:
            raise LandscapeError(f"sweep of {self.key}: expected 1 to {_MOST_VALUES} values, not {self.count}")
        if self.scale == "log" and not (self.low > 0.0 and self.high > 0.0):
            raise LandscapeError(f"sweep of {self.key}: a log scale needs ends above 0; add :linear for a linear one")

    @property
    def text(self) -> str:
        """As the command line takes it."""
        return f"{self.key}={self.low:g}:{self.high:g}:{self.count}:{self.scale}"

    def values(self, *, whole: bool = False) -> tuple[float, ...]:
        """Return the values, ascending or descending as the ends are.

        Parameters
        ----------
        whole : bool
            Whether the setting takes whole numbers; equal ones are then left out.
        """
        if self.count == 1:
            found = np.array([self.low])
        elif self.scale == "log":
            found = np.geomspace(self.low, self.high, self.count)
        else:
            found = np.linspace(self.low, self.high, self.count)
        if whole:
            return tuple(dict.fromkeys(float(round(value)) for value in found.tolist()))
        # Round numbers stay round: 1e-4:1:5 has 0.01 in it, not 0.010000000000000002.
        return tuple(float(f"{value:.12g}") for value in found.tolist())


def parse_range(text: str, settings: type[BaseModel] | None = None) -> SweepRange:
    """Return the range that ``KEY=LOW:HIGH:COUNT[:log|linear]`` describes.

    Parameters
    ----------
    text : str
    settings : type, optional
        Settings that the key belongs to: they know its scale where the text does not say. Without them it is
        logarithmic where both ends are above 0.

    Raises
    ------
    LandscapeError
        Naming the text and what was expected.
    """
    key, equals, rest = text.partition("=")
    parts = [part.strip() for part in rest.split(":")]
    expected = f"--sweep {text}: expected KEY=LOW:HIGH:COUNT, such as lr=1e-4:1:7"
    if not (equals and key.strip()) or len(parts) not in (3, 4):
        raise LandscapeError(expected)
    try:
        low, high, count = float(parts[0]), float(parts[1]), int(parts[2])
    except ValueError:
        raise LandscapeError(expected) from None
    scale: Literal["log", "linear"] = "log" if low > 0.0 and high > 0.0 else "linear"
    if len(parts) == 4:
        if parts[3] not in ("log", "linear"):
            raise LandscapeError(f"{expected}, then :log or :linear")
        scale = "log" if parts[3] == "log" else "linear"
    elif settings is not None:
        known = numeric_settings(settings).get(key.strip().replace("-", "_"))
        if known is not None and known.scale == "linear":
            scale = "linear"
    return SweepRange(key.strip().replace("-", "_"), low, high, count, scale)


def numeric_settings(settings: type[BaseModel], prefix: str = "") -> dict[str, FieldSpec]:
    """Return the settings that can be swept, numbers, by dotted key."""
    found: dict[str, FieldSpec] = {}
    for spec in describe(settings):
        if spec.type in ("float", "int"):
            found[prefix + spec.name] = spec
        elif spec.type == "group":
            found.update(numeric_settings(type(spec.default), f"{prefix}{spec.name}."))
    return found


@dataclass(frozen=True)
class SweepSpec:
    """What a sweep is asked for.

    Attributes
    ----------
    job : LandscapeJob
        Everything but the swept setting; its seed is the first one.
    range : SweepRange
    seeds : int
        Runs of every value. On a surface with more than one seed, each starts at ``displacement`` from the job's
        start in a random direction, the same for all values; elsewhere starts are random by seed anyway.
    displacement : float or None
        Distance in the unit of the parameters; None for a thousandth of the domain's diagonal.
    """

    job: LandscapeJob
    range: SweepRange
    seeds: int = SEEDS
    displacement: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= 1000:
            raise LandscapeError(f"sweep of {self.range.key}: expected 1 to 1000 seeds, not {self.seeds}")
        if self.displacement is not None and not 0.0 <= self.displacement < math.inf:
            raise LandscapeError(f"sweep of {self.range.key}: expected a displacement of 0 or more")

    @property
    def budget(self) -> float:
        """Evaluations of each run at most."""
        return self.job.limits.evaluations or EVALUATIONS

    @property
    def distance(self) -> float:
        """How far starts lie from that of the job: 0 with a single seed, and beside surfaces."""
        if self.seeds == 1 or not self.job.description.is_planar:
            return 0.0
        return DISPLACEMENT * self.job.surface.size if self.displacement is None else self.displacement

    @property
    def runs(self) -> int:
        """Number of runs at most; settings that take whole numbers may have fewer values."""
        return self.range.count * self.seeds

    @property
    def most_evaluations(self) -> float:
        """Evaluations of all runs at most."""
        return self.runs * self.budget

    def start(self, seed: int) -> tuple[float, ...] | None:
        """Return the start of one seed; None where the landscape draws it."""
        job = self.job
        if not job.description.is_planar:
            return job.start
        x, y = job.start or job.surface.start
        if self.distance == 0.0:
            return x, y
        angle = np.random.Generator(np.random.PCG64(seed)).uniform(0.0, 2.0 * math.pi)
        return x + self.distance * math.cos(angle), y + self.distance * math.sin(angle)


# -- what is found ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep; its fields are the columns of the table.

    Attributes
    ----------
    setting : str
    value : float
    seed : int
    evaluations : float
        Spent.
    escaped_at : float
        First evaluation below the reference saddle by a tenth of the depth; NaN if there is none.
    converged_at : float
        Evaluation of the last frame of a run that converged; NaN of others.
    loss : float
        At the last frame.
    outcome : str
    nearest : str
        The stationary point nearest to the last frame: its kind and index, where one is known.
    distance : float
        To that point; NaN where it is not known.
    """

    setting: str
    value: float
    seed: int
    evaluations: float
    escaped_at: float
    converged_at: float
    loss: float
    outcome: str
    nearest: str
    distance: float

    def measure(self, name: str) -> float:
        """Return one of `MEASURES`; infinite where the run never came there."""
        number = float(getattr(self, name))
        if name == "loss" and self.outcome in ("diverged", "failed"):
            return math.inf
        return number if math.isfinite(number) else math.inf


@dataclass(frozen=True)
class Band:
    """What the runs of one value have in common.

    Attributes
    ----------
    value : float
    median, low, high : float
        Median, and what a tenth and nine tenths of the runs are below. Runs that never came there count as infinite.
    reached, runs : int
        Runs that came there, and all.
    """

    value: float
    median: float
    low: float
    high: float
    reached: int
    runs: int


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What a sweep found.

    Attributes
    ----------
    spec : SweepSpec
    settings : dict
        Of the optimiser, before the swept one is changed.
    values : tuple of float
    runs : tuple of SweepRun
        In the order in which they were made: by value, then by seed. Fewer than asked for if it was cancelled.
    seconds : float
    """

    spec: SweepSpec
    settings: dict[str, Any]
    values: tuple[float, ...]
    runs: tuple[SweepRun, ...] = field(default=())
    seconds: float = 0.0

    @property
    def evaluations(self) -> float:
        """Spent by all runs."""
        return sum(run.evaluations for run in self.runs)

    @property
    def complete(self) -> bool:
        """Whether every run was made."""
        return len(self.runs) == len(self.values) * self.spec.seeds

    def bands(self, measure: str) -> list[Band]:
        """Return median and band of one of `MEASURES` for every value that has runs."""
        found = []
        for value in self.values:
            numbers = sorted(run.measure(measure) for run in self.runs if run.value == value)
            if numbers:
                low, median, high = (_quantile(numbers, share) for share in (BAND[0], 0.5, BAND[1]))
                reached = sum(math.isfinite(number) for number in numbers)
                found.append(Band(value, median, low, high, reached, len(numbers)))
        return found

    def best(self, measure: str) -> Band | None:
        """Return the band with the lowest finite median; None if there is none."""
        finite = [band for band in self.bands(measure) if math.isfinite(band.median)]
        return min(finite, key=lambda band: band.median, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the ``--json`` object; numbers that are not finite become None."""
        spec = self.spec
        record: dict[str, Any] = finite_values(
            {
                "schema": 1,
                "landscape": spec.job.landscape,
                "optimizer": spec.job.optimizer.name,
                "setting": spec.range.key,
                "scale": spec.range.scale,
                "values": self.values,
                "seeds": [spec.job.seed + shift for shift in range(spec.seeds)],
                "displacement": spec.distance,
                "budget": spec.budget,
                "runs": len(self.runs),
                "complete": self.complete,
                "evaluations": self.evaluations,
                "seconds": self.seconds,
                "settings": self.settings,
                "bands": {
                    name: [
                        {
                            "value": band.value,
                            "median": band.median,
                            "low": band.low,
                            "high": band.high,
                            "reached": band.reached,
                            "runs": band.runs,
                        }
                        for band in self.bands(name)
                    ]
                    for name in MEASURES
                },
            }
        )
        return record


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile between the two numbers next to it; infinite as soon as an infinite one has a part in it."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    part = place - below
    if part < 1e-9:
        return ordered[below]
    return (1.0 - part) * ordered[below] + part * ordered[below + 1]


# -- from one to the other --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep has come.

    Attributes
    ----------
    done, runs : int
    evaluations : float
        Spent by the runs that have ended.
    result : SweepResult
        What there is so far.
    """

    done: int
    runs: int
    evaluations: float
    result: SweepResult


def run_sweep(
    spec: SweepSpec,
    *,
    inputs: Text | None = None,
    control: RunControl | None = None,
    progress: Callable[[SweepProgress], object] | None = None,
) -> SweepResult:
    """Make every run of a sweep.

    Parameters
    ----------
    spec : SweepSpec
    inputs : Text, optional
        For networks; read once if missing.
    control : RunControl, optional
        Its ``stop`` ends the sweep within one evaluation; the runs that have ended are kept.
    progress : callable(SweepProgress), optional
        Told after every run.

    Raises
    ------
    LandscapeError
        If the setting is no number.
    OptimizerError
        If there is no such optimiser or setting, or a value is out of bounds: before anything runs.
    """
    settings, key = _settings(spec.job), spec.range.key
    known = numeric_settings(type(settings))
    settings.updated({key: spec.range.low})  # an unknown key is named with the nearest one
    if key not in known:
        raise LandscapeError(f"sweep of {key}: it is no number")
    values = spec.range.values(whole=known[key].type == "int")
    chosen = [settings.updated({key: int(value) if known[key].type == "int" else value}) for value in values]
    if inputs is None and is_network(spec.job.landscape):
        inputs = resolve("lieapp.landscapes.texts:load_text")(spec.job.text)
    result = SweepResult(spec, settings.model_dump(mode="json"), values)
    begin = time.perf_counter()
    done: list[SweepRun] = []
    with resolve("lieapp.engine.devices:single_thread")():
        for value, variant in zip(values, chosen, strict=True):
            for shift in range(spec.seeds):
                run = _one(spec, variant, value, spec.job.seed + shift, inputs, control)
                if run is None:
                    return result
                done.append(run)
                result = SweepResult(spec, result.settings, values, tuple(done), time.perf_counter() - begin)
                if progress is not None:
                    progress(SweepProgress(len(done), len(values) * spec.seeds, result.evaluations, result))
    return result


def _settings(job: LandscapeJob) -> OptimizerSettings:
    """Return the settings of a job, resolved once: what is recommended could change a little with the start."""
    name = normalised(job.optimizer.name)
    cls = SETTINGS[name] if name in SETTINGS else resolve("lieapp.optimizers.registry:settings_class")(name)
    settings: OptimizerSettings = cls().updated(job.recommended()).updated(job.optimizer.overrides)
    return settings


def _one(
    spec: SweepSpec,
    settings: OptimizerSettings,
    value: float,
    seed: int,
    inputs: Text | None,
    control: RunControl | None,
) -> SweepRun | None:
    """Make one run; None if it was stopped."""
    job = spec.job.with_optimizer(spec.job.optimizer.name, settings.model_dump(mode="json"))
    steps = max(job.limits.steps, math.ceil(spec.budget))
    limits = job.limits.model_copy(update={"evaluations": spec.budget, "steps": steps})
    job = job.changed(start=spec.start(seed), seed=seed, limits=limits)
    if control is not None and control.stopping:
        return None
    run = resolve("lieapp.landscapes.starts:open_unobserved")(job, inputs)
    run.share_control(control)
    outcome = run.complete()
    if outcome.kind == "cancelled":
        return None
    return _row(spec, job, value, run.recording)


def _row(spec: SweepSpec, job: LandscapeJob, value: float, recording: Recording) -> SweepRun:
    assert recording.outcome is not None
    last = recording.row(-1) if len(recording) else {"evaluations": math.nan, "loss": math.nan}
    kind, distance, escaped = "", math.nan, math.nan
    if len(recording):
        first, state = recording.state(0), recording.state(len(recording) - 1)
        truth = truth_of(job, tuple(first["point"].tolist()) if "point" in first else None)
        escaped = escaped_at(recording, truth)
        nearest = truth.nearest(state["point"], last["loss"]) if "point" in state else None
        if nearest is not None:
            index = "" if nearest.index is None else f" {nearest.index}"
            kind = f"{nearest.kind}{index}"
            distance = math.nan if nearest.distance is None else nearest.distance
    converged = recording.outcome.kind == "converged"
    return SweepRun(
        spec.range.key,
        value,
        job.seed,
        last["evaluations"],
        escaped,
        last["evaluations"] if converged else math.nan,
        last["loss"],
        recording.outcome.kind,
        kind,
        distance,
    )
