"""A report in the few lines that a person reads first. No torch."""

from __future__ import annotations

import math

from lieapp.engine.reporting import cost_text, summary_text
from lieapp.engine.stopping import counted
from lieapp.landscapes.points import noun_of
from lieapp.landscapes.report import LandscapeReport, NearestSummary

__all__ = ["summarise"]


def summarise(title: str, report: LandscapeReport) -> str:
    """Return a report as text.

    Parameters
    ----------
    title : str
        Name of the run.
    report : LandscapeReport

    Returns
    -------
    str
        Lines without a last line break.
    """
    if math.isnan(report.loss):
        return summary_text(title, report, [("", "There is no point.")])
    place = ""
    if report.parameters is not None:
        place = f" at ({', '.join(f'{number:.6g}' for number in report.parameters)})"
    rows = [("loss", f"{report.loss:.8g}{place}, gradient norm {report.gradient_norm:.2g}")]
    if math.isfinite(report.validation_loss):
        rows.append(
            ("validation", f"loss {report.validation_loss:.6g} nats a character on held-out text, as last measured")
        )
    if math.isfinite(report.lowest_curvature):
        rows.append(("curvature", f"{report.lowest_curvature:.6g}, the lowest eigenvalue of the Hessian"))
    if report.nearest_stationary_point is not None:
        rows.append(("nearest", _nearest(report.nearest_stationary_point)))
    if report.reference_saddle is not None:
        rows.append(("escape", _escape(report)))
    if report.growth is not None and math.isfinite(report.growth.observed):
        theory = "" if math.isnan(report.growth.predicted) else f", theory {report.growth.predicted:.4f}"
        steps = counted(report.growth.steps, "step")
        rows.append(("growth", f"{report.growth.observed:.4f} a step over {steps} near the saddle{theory}"))
    return summary_text(title, report, [*rows, ("cost", cost_text(report))])


def _nearest(nearest: NearestSummary) -> str:
    index = "" if nearest.index is None else f" of index {nearest.index}"
    kind = nearest.kind if nearest.kind in ("minimum", "maximum") else f"{noun_of(nearest.kind)}{index}"
    if nearest.distance is None:
        return f"{kind} with loss {nearest.loss:.6g}, by its loss"
    return f"{kind} with loss {nearest.loss:.6g}, {nearest.distance:.3g} away"


def _escape(report: LandscapeReport) -> str:
    saddle = report.reference_saddle
    assert saddle is not None
    level = f"below {saddle.escape_level:.6g}, from the {noun_of(saddle.kind)} at {saddle.loss:.6g}"
    if math.isnan(report.escaped_at_evaluation):
        return f"none: never {level}"
    return f"after {counted(report.escaped_at_evaluation, 'evaluation')} {level}"
