"""From options to a landscape job and back: one table for the command line, for Python and for "copy as command"."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from lieapp.engine.commands import (
    RUN_OPTIONS,
    JobOption,
    job_option,
    option_arguments,
    option_words,
    read_job,
    read_number,
)
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.spec import LandscapeJob, is_network
from lieapp.optimizers.fields import show_value

__all__ = ["OPTIONS", "JobOption", "job_from_options", "landscape_command", "landscape_python"]


def _numbers(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        try:
            return tuple(float(word) for word in value.replace(",", " ").split())
        except ValueError:
            raise ValueError("expected numbers with commas between them, such as 0.5,0.0001") from None
    return tuple(float(number) for number in value)


def _domain(value: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    if not isinstance(value, str):
        value = [number for side in value for number in (side if hasattr(side, "__iter__") else [side])]
    numbers = _numbers(value)
    if len(numbers) != 4:
        raise ValueError("expected four numbers x0,x1,y0,y1")
    return (numbers[0], numbers[1]), (numbers[2], numbers[3])


def _show_numbers(value: tuple[float, ...] | None) -> str:
    return "" if value is None else ",".join(show_value(number) for number in value)


def _show_domain(value: tuple[tuple[float, float], ...] | None) -> str:
    return "" if value is None else _show_numbers(tuple(number for side in value for number in side))


OPTIONS: tuple[JobOption, ...] = (
    job_option("formula"),
    job_option("domain", read=_domain, show=_show_domain),
    job_option("start", read=_numbers, show=_show_numbers),
    job_option("offset", read=read_number),
    job_option("text"),
    job_option("curvature_batch"),
    *RUN_OPTIONS,
)
"""Every option besides the landscape, the optimiser and its settings, in the order in which they are written."""

_SIMPLE = tuple(option for option in OPTIONS if option.name != "dtype")


def job_from_options(
    landscape: str | None = None,
    *,
    optimizer: str | type = "adam",
    set: Mapping[str, object] | Sequence[str] | None = None,
    **options: Any,
) -> LandscapeJob:
    """Return the job that options describe; the command line and `lieapp.landscape` both come through here.

    Parameters
    ----------
    landscape : str, optional
        A name of `lieapp.landscapes.catalog.LANDSCAPES`; "saddle" by default. A ``formula`` alone implies "formula".
    optimizer : str or type
        Name of the optimiser, or its class.
    set : mapping or sequence of str, optional
        Settings in which it differs from what is recommended: ``{"lr": 0.5}`` or ``["lr=0.5"]``; dots nest.
    **options
        Names of `OPTIONS`; values as typed or as Python has them. None is the same as leaving it out.

    Raises
    ------
    LandscapeError
        If the landscape or an option is unknown, or a value is wrong; the message names it as a flag.
    OptimizerError
        If a setting of a named optimiser is unknown or out of bounds.
    """
    if landscape is None:
        landscape = "saddle" if options.get("formula") is None else "formula"
    return read_job(
        LandscapeJob,
        OPTIONS,
        options,
        {"landscape": str(landscape).strip().lower().replace("_", "-")},
        optimizer=optimizer,
        settings=set,
        error=LandscapeError,
    )


def landscape_command(job: LandscapeJob) -> str:
    """Return the command line that runs a job, with what differs from the defaults."""
    dtype = ["--dtype", job.dtype] if _unusual_dtype(job) else []
    return shlex.join(["lieapp", "landscape", job.landscape, *option_words(job, _SIMPLE), *dtype])


def landscape_python(job: LandscapeJob) -> str:
    """Return Python statements that run a job with `lieapp.landscape`, with what differs from the defaults."""
    lines = [repr(job.landscape), *option_arguments(job, _SIMPLE)]
    lines += [f"dtype={job.dtype!r}"] if _unusual_dtype(job) else []
    body = "".join(f"    {line},\n" for line in lines)
    return f"import lieapp\n\nresult = lieapp.landscape(\n{body})\nprint(result.report.to_json())\n"


def _unusual_dtype(job: LandscapeJob) -> bool:
    # What is usual depends on the landscape, see `LandscapeJob`.
    return job.dtype != ("float32" if is_network(job.landscape) else "float64")
