"""What a sweep is asked for: the range of a setting, seeds, and where they start. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.spec import LandscapeJob
from lieapp.optimizers.fields import FieldSpec, describe

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "SEEDS",
    "SweepRange",
    "SweepSpec",
    "distance_of_starts",
    "numeric_settings",
    "parse_range",
    "start_of_seed",
]

SEEDS = 10
EVALUATIONS = 500.0
"""Budget of each run where the job has none."""

DISPLACEMENT = 1e-3
"""Distance of a start on a surface from the job's own, in diagonals of the domain."""

_MOST_VALUES = 200


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
        if self.count > 1 and self.low == self.high:
            raise LandscapeError(f"sweep of {self.key}: {self.count} values need two different ends")
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
        return distance_of_starts(self.job, self.seeds, self.displacement)

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
        return start_of_seed(self.job, seed, self.distance)


def distance_of_starts(job: LandscapeJob, seeds: int, displacement: float | None = None) -> float:
    """Return how far the starts of several seeds lie from that of a job.

    On a surface nothing else would differ between runs of an optimiser that draws no random numbers.

    Parameters
    ----------
    job : LandscapeJob
    seeds : int
    displacement : float, optional
        Distance in the unit of the parameters; a thousandth of the domain's diagonal by default.

    Returns
    -------
    float
        0 with a single seed, and beside surfaces, where starts are random by seed anyway.

    Raises
    ------
    LandscapeError
        If the displacement is no distance.
    """
    if displacement is not None and not 0.0 <= displacement < math.inf:
        raise LandscapeError("displacement: expected a number of 0 or more")
    if seeds == 1 or not job.description.is_planar:
        return 0.0
    return DISPLACEMENT * job.surface.size if displacement is None else displacement


def start_of_seed(job: LandscapeJob, seed: int, distance: float) -> tuple[float, ...] | None:
    """Return a start at a distance from a job's, in a direction by the seed; None where the landscape draws it."""
    if not job.description.is_planar:
        return job.start
    x, y = job.start or job.surface.start
    if distance == 0.0:
        return x, y
    angle = np.random.Generator(np.random.PCG64(seed)).uniform(0.0, 2.0 * math.pi)
    return x + distance * math.cos(angle), y + distance * math.sin(angle)
