"""What a run on a landscape found, in numbers: the ``--json`` object. No torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pydantic import Field

from lieapp.engine.recording import Recording
from lieapp.engine.reporting import ReportPart, RunReport, run_fields
from lieapp.landscapes.growth import Growth, measure_growth
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.truth import Truth, truth_of

__all__ = ["GrowthSummary", "LandscapeReport", "NearestSummary", "SaddleSummary", "escaped_at", "report_landscape"]

_MOST_PARAMETERS = 16
_NUMBERS = ("loss", "gradient_norm", "validation_loss", "lowest_curvature", "escaped_at_evaluation")


class NearestSummary(ReportPart):
    """The stationary point nearest to where the run is."""

    kind: str = Field(description="minimum, saddle, maximum or degenerate")
    index: int | None = Field(description="Number of negative eigenvalues; null where it is not known")
    distance: float | None = Field(description="Null where whole surfaces are stationary and the loss was compared")
    loss: float = Field(description="At that point")


class SaddleSummary(ReportPart):
    """The saddle that escape is measured from."""

    kind: str
    index: int
    loss: float
    escape_level: float = Field(description="Loss below which a run has left it")


class GrowthSummary(ReportPart):
    """By what factor a step multiplies the unstable coordinate near the reference saddle."""

    predicted: float = Field(description="1 + lr (1 - strength) |lowest eigenvalue|; null for other methods")
    observed: float = Field(description="Geometric mean over the steps near the saddle")
    steps: int


class LandscapeReport(RunReport):
    """The result of a run; its fields, in this order, are the ``--json`` object.

    Numbers that do not exist (the curvature of a large network, a frame of a run that failed before its first) are NaN
    here and null in JSON.
    """

    landscape: str
    loss: float = Field(description="At the frame that is reported")
    gradient_norm: float = Field(description="At the frame that is reported")
    validation_loss: float = Field(
        description="Of a network: loss on held-out text in nats a character, as last measured before that frame"
    )
    parameters: tuple[float, ...] | None = Field(description="Up to 16 of them, else null")
    lowest_curvature: float = Field(description="Lowest eigenvalue of the Hessian there")
    nearest_stationary_point: NearestSummary | None
    escaped_at_evaluation: float = Field(
        description="First evaluation below the reference saddle by a tenth of the depth; null if there is none"
    )
    reference_saddle: SaddleSummary | None = Field(description="The saddle that this is measured from")
    growth: GrowthSummary | None = Field(description="Predicted and observed growth near that saddle")
    seed: int


def report_landscape(
    job: LandscapeJob, recording: Recording, inputs: object = None, frame: int | None = None
) -> LandscapeReport:
    """Return the report of a recording.

    Parameters
    ----------
    job : LandscapeJob
    recording : Recording
        Finished or not; one without frames gives a report without a point.
    inputs : object, optional
        Not needed; every kind of job is asked alike.
    frame : int, optional
        Frame that is reported. By default the last one, since where a run comes to rest is what counts here; the best
        one of a run that diverged. Counters are always those of the whole run.

    Returns
    -------
    LandscapeReport

    Raises
    ------
    EngineError
        If there is no such frame.
    """
    return LandscapeReport(
        **run_fields(job, recording),
        landscape=job.landscape,
        seed=job.seed,
        **_where(job, recording, frame),
    )


def escaped_at(recording: Recording, truth: Truth) -> float:
    """Return the first evaluation whose loss is below the level of escape; NaN if there is none."""
    if truth.saddle is None or not len(recording):
        return math.nan
    table = recording.table(["loss", "evaluations"])
    below = np.flatnonzero(table["loss"] < truth.saddle.escape_level)
    return float(table["evaluations"][below[0]]) if below.size else math.nan


def _where(job: LandscapeJob, recording: Recording, frame: int | None) -> dict[str, Any]:
    if not len(recording):
        nothing = dict.fromkeys(_NUMBERS, math.nan)
        rest = ("parameters", "nearest_stationary_point", "reference_saddle", "growth")
        return {**nothing, **dict.fromkeys(rest)}
    if frame is None:
        ruined = recording.outcome is not None and recording.outcome.kind == "diverged"
        frame = recording.best if ruined else len(recording) - 1
    row, state = recording.row(frame), recording.state(frame)
    point = state.get("point")
    truth = truth_of(job, None if point is None else tuple(recording.state(0)["point"].tolist()))
    nearest = None if point is None else truth.nearest(point, row["loss"])
    growth: Growth | None = measure_growth(recording, truth)
    saddle = truth.saddle
    return {
        "loss": row["loss"],
        "gradient_norm": row["gradient_norm"],
        "validation_loss": row.get("validation_loss", math.nan),
        "parameters": tuple(point.tolist()) if point is not None and point.size <= _MOST_PARAMETERS else None,
        "lowest_curvature": row.get("lowest_curvature", math.nan),
        "nearest_stationary_point": None
        if nearest is None
        else NearestSummary(kind=nearest.kind, index=nearest.index, distance=nearest.distance, loss=nearest.loss),
        "escaped_at_evaluation": escaped_at(recording, truth),
        "reference_saddle": None
        if saddle is None
        else SaddleSummary(
            kind=saddle.point.kind, index=saddle.point.index, loss=saddle.point.value, escape_level=saddle.escape_level
        ),
        "growth": None
        if growth is None
        else GrowthSummary(predicted=growth.predicted, observed=growth.observed, steps=growth.steps),
    }
