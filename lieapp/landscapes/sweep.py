"""Sweeps: one setting of an optimiser over a range, times seeds of the start. No torch before it runs.

What is asked for is a `SweepSpec`; `run_sweep` returns a `SweepResult` with one row a run, and its medians and bands.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from lieapp.engine.control import RunControl
from lieapp.engine.job import resolve
from lieapp.engine.reporting import finite_values
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.report import escaped_at
from lieapp.landscapes.spec import LandscapeJob, is_network
from lieapp.landscapes.sweep_spec import SEEDS, SweepRange, SweepSpec, numeric_settings, parse_range
from lieapp.landscapes.truth import truth_of
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS

if TYPE_CHECKING:
    from lieapp.engine.recording import Recording
    from lieapp.landscapes.texts import Text
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = [
    "MEASURES",
    "SEEDS",
    "Band",
    "Measure",
    "SweepProgress",
    "SweepRange",
    "SweepResult",
    "SweepRun",
    "SweepSpec",
    "check_sweep",
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

BAND = (0.1, 0.9)
"""Shares of the runs below the two ends of a band."""

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
    settings, values, chosen = _variants(spec)
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


def check_sweep(spec: SweepSpec) -> None:
    """Make sure that every value of a sweep can be set.

    Raises
    ------
    LandscapeError
        If the setting is no number.
    OptimizerError
        If there is no such optimiser or setting, or a value is out of bounds.
    """
    _variants(spec)


def _variants(spec: SweepSpec) -> tuple[OptimizerSettings, tuple[float, ...], list[OptimizerSettings]]:
    """Return the settings before the swept one is changed, its values, and the settings with each of them."""
    settings, key = _settings(spec.job), spec.range.key
    known = numeric_settings(type(settings))
    if key not in known:
        settings.updated({key: spec.range.low})  # an unknown key is named with the nearest one
        raise LandscapeError(f"sweep of {key}: it is no number")
    values = spec.range.values(whole=known[key].type == "int")
    chosen = [settings.updated({key: int(value) if known[key].type == "int" else value}) for value in values]
    return settings, values, chosen


def _settings(job: LandscapeJob) -> OptimizerSettings:
    """Return the settings of a job, resolved once: what is recommended could change a little with the start."""
    name = job.optimizer.name  # as it was typed: the name of a class of one's own has capitals
    cls = SETTINGS.get(normalised(name)) or resolve("lieapp.optimizers.registry:settings_class")(name)
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
