"""What is asked of a landscape, as one frozen value: `LandscapeJob`. No torch.

Flags, forms, sessions, "copy as command" and `lieapp.landscape` all fill this value and nothing else, see
`lieapp.landscapes.commands`. Field descriptions are the help that they show.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from lieapp.engine.job import Job
from lieapp.engine.limits import Limits
from lieapp.engine.presets import Preset, PresetEntrant
from lieapp.landscapes.catalog import LANDSCAPES, SURFACES, Landscape, Surface, landscape, surface
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.formula import parse_formula
from lieapp.landscapes.recommended import recommended, scales_of
from lieapp.landscapes.stationary import Domain
from lieapp.optimizers.names import normalised

__all__ = [
    "LANDSCAPES",
    "PRESETS",
    "SURFACES",
    "CurvatureBatch",
    "LandscapeJob",
    "Preset",
    "PresetEntrant",
    "is_network",
    "recommended",
    "to_command",
    "to_python",
]

CurvatureBatch = Literal["training", "fixed"]

_LIMITS = Limits(steps=2000)
_LONGEST_TITLE = 60  # letters


def is_network(name: str) -> bool:
    """Return whether a landscape is the loss of a network on a text."""
    return name.startswith("transformer")


class LandscapeJob(Job):
    """Run an optimiser on a surface or on a small model."""

    kind: ClassVar[str] = "landscape"
    opener: ClassVar[str] = "lieapp.landscapes.problem:open_landscape"
    reporter: ClassVar[str] = "lieapp.landscapes.report:report_landscape"

    limits: Limits = Field(default=_LIMITS, description="When the run ends")
    landscape: str = Field(default="saddle", description="Surface or model; 'formula' for one of your own.")
    formula: str | None = Field(
        default=None, description="A function of x and y, such as x^2 - y^2 + y^4; only for 'formula'."
    )
    domain: Domain | None = Field(default=None, description="Part of the plane that is drawn: x0,x1,y0,y1.")
    start: tuple[float, ...] | None = Field(
        default=None,
        description="Where to start: x,y; on SO(3) a rotation vector in rad. The landscape's own if empty.",
    )
    offset: float | None = Field(
        default=None,
        gt=0.0,
        le=1e3,
        allow_inf_nan=False,
        description="Distance of a random start from the saddle; not on surfaces and networks.",
    )
    text: str | None = Field(
        default=None, min_length=1, description="Text that the transformer learns: a file in UTF-8; bundled if empty."
    )
    curvature_batch: CurvatureBatch = Field(
        default="training",
        description="Text whose curvature is taken: the present batch, or always the same (a gradient more).",
    )

    @model_validator(mode="before")
    @classmethod
    def _network_precision(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "dtype" not in values and is_network(str(values.get("landscape", ""))):
            return {**values, "dtype": "float32"}
        return values

    @field_validator("formula")
    @classmethod
    def _readable(cls, formula: str | None) -> str | None:
        if formula is not None:
            try:
                parse_formula(formula)
            except LandscapeError as error:
                raise ValueError(str(error)) from None
        return formula

    @field_validator("domain")
    @classmethod
    def _some_area(cls, domain: Domain | None) -> Domain | None:
        if domain is not None:
            for low, high in domain:
                if not (math.isfinite(low) and math.isfinite(high) and low < high):
                    raise ValueError("expected x0,x1,y0,y1 with x0 < x1 and y0 < y1")
        return domain

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        try:
            entry = landscape(self.landscape)
        except LandscapeError as error:
            raise ValueError(str(error)) from None
        if self.landscape == "formula" and self.formula is None:
            raise ValueError("landscape 'formula' needs a formula in x and y, such as x^2 - y^2 + y^4")
        if self.formula is not None and self.landscape != "formula":
            raise ValueError(f"a formula belongs to landscape 'formula', not to {self.landscape!r}")
        if self.start is not None:
            expected = 2 if entry.is_planar else 3 if self.landscape == "so3-alignment" else 0
            if len(self.start) != expected:
                what = f"{expected} numbers" if expected else "none: its starts are random, by --seed and --offset"
                raise ValueError(f"start of {self.landscape}: expected {what}")
            if not all(math.isfinite(number) for number in self.start):
                raise ValueError(f"start of {self.landscape}: expected finite numbers")
        if self.text is not None and not is_network(self.landscape):
            raise ValueError("a text belongs to the transformers")
        if self.domain is not None and not entry.is_planar:
            raise ValueError("a domain belongs to surfaces over x and y")
        if self.offset is not None and not entry.starts_beside_saddle:
            where = "where --start X,Y says" if entry.is_planar else "with random weights, by --seed"
            raise ValueError(
                f"--offset is the distance of a random start from a saddle of many dimensions: on {self.landscape} "
                f"a run starts {where}"
            )
        if self.offset is not None and self.start is not None:
            raise ValueError("--offset is the distance of a random start: give it or --start, not both")
        if self.curvature_batch == "fixed" and not is_network(self.landscape):
            raise ValueError("a fixed batch of curvature belongs to the transformers")
        return self

    @property
    def description(self) -> Landscape:
        """The entry of the landscape in the catalogue."""
        return LANDSCAPES[self.landscape]

    @property
    def title(self) -> str:
        """What people call the landscape: its name, or the formula that was typed."""
        if self.formula is None:
            return self.description.title
        words = " ".join(self.formula.split())
        return words if len(words) <= _LONGEST_TITLE else f"{words[: _LONGEST_TITLE - 1]}…"

    @property
    def surface(self) -> Surface:
        """The surface of a planar landscape.

        Raises
        ------
        LandscapeError
            If it is none.
        """
        return surface(self.landscape, self.formula, self.domain)

    def recommended(self) -> dict[str, Any]:
        """Return the recommended settings of this job's optimiser (dotted keys), before overrides."""
        scales = scales_of(self.landscape, self.formula, self.domain, self.start)
        return recommended(self.optimizer.name, scales, _base_of(self.optimizer.overrides))

    def changed(self, **changes: Any) -> Self:
        """Return a checked copy with some fields changed.

        Another landscape brings its own start, domain, text and precision, unless they are given too; a start takes the
        place of an offset.

        Raises
        ------
        pydantic.ValidationError
            If a field is unknown or a value is wrong.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        if changes.get("landscape", self.landscape) != self.landscape:
            for name in ("formula", "domain", "start", "offset", "text", "curvature_batch", "dtype"):
                del values[name]
        elif changes.get("start") is not None:
            del values["offset"]
        return type(self)(**{**values, **changes})


def _base_of(overrides: Mapping[str, Any]) -> str:
    """Return which optimiser DEO is told to wrap."""
    nested = overrides.get("base")
    name = overrides.get("base.name", nested.get("name") if isinstance(nested, Mapping) else None)
    return normalised(str(name)) if name else "sgd"


_FOUR = (
    PresetEntrant("SGD", "sgd"),
    PresetEntrant("DEO project", "deo", {"mode": "project"}),
    PresetEntrant("DEO escape", "deo", {"mode": "escape"}),
    PresetEntrant("Adam", "adam"),
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        name="saddle-race",
        title="A race off the ridge",
        summary=(
            "Four optimisers start a ten-thousandth beside the ridge of a saddle, at equal cost. Watch who leaves, and "
            "who removes the only way down."
        ),
        evaluations=300.0,
        entrants=_FOUR,
        changes={"landscape": "saddle", "start": (0.5, 0.0001)},
    ),
    Preset(
        name="ridge",
        title="Exactly on the ridge",
        summary=(
            "The same four, exactly on the ridge: the gradient says nothing about the way down. Only what looks at "
            "curvature, or kicks, can leave."
        ),
        evaluations=300.0,
        entrants=_FOUR,
        changes={"landscape": "saddle", "start": (0.5, 0.0)},
    ),
    Preset(
        name="muller-brown",
        title="Müller-Brown",
        summary=(
            "Near the higher of two mountain passes between basins. Watch how long each optimiser lingers there, and "
            "in which basin it ends."
        ),
        evaluations=1000.0,
        entrants=_FOUR,
        changes={"landscape": "muller-brown", "start": None},
    ),
)
"""Prepared races; the first is what the workbench opens with."""


def to_command(job: LandscapeJob) -> str:
    """Return the command line that runs a job; see `lieapp.landscapes.commands.landscape_command`."""
    from lieapp.landscapes.commands import landscape_command

    return landscape_command(job)


def to_python(job: LandscapeJob) -> str:
    """Return the Python statements that run a job; see `lieapp.landscapes.commands.landscape_python`."""
    from lieapp.landscapes.commands import landscape_python

    return landscape_python(job)
