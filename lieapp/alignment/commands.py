"""From options to a job and back: one table for the command line, for Python and for "copy as command".

Every option is one entry of `OPTIONS`. `job_from_options` reads them, `align_command` and `align_python` write them, so
what is copied is what was run.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.spec import AlignJob
from lieapp.engine.commands import (
    RUN_OPTIONS,
    JobOption,
    job_option,
    option_arguments,
    option_words,
    read_job,
    read_number,
    read_whole,
)
from lieapp.optimizers.fields import show_value

__all__ = ["OPTIONS", "JobOption", "align_command", "align_python", "job_from_options"]


def _chains(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else [str(word) for word in value]
    return tuple(word.strip() or "_" for word in words)


def _pose(value: Any) -> tuple[tuple[float, ...], ...]:
    if isinstance(value, str):
        numbers = [float(word) for word in value.replace(",", " ").split()]
    else:
        numbers = [float(number) for row in value for number in (row if hasattr(row, "__iter__") else [row])]
    if len(numbers) == 12:
        numbers += [0.0, 0.0, 0.0, 1.0]
    if len(numbers) != 16:
        raise ValueError("expected 16 numbers, row by row (or 12 without the last row)")
    return tuple(tuple(numbers[row : row + 4]) for row in (0, 4, 8, 12))


def _show_pose(pose: tuple[tuple[float, ...], ...]) -> str:
    return ",".join(show_value(number) for row in pose for number in row)


OPTIONS: tuple[JobOption, ...] = (
    job_option("mobile_chain", "mobile.chains", _chains),
    job_option("target_chain", "target.chains", _chains),
    job_option("mobile_model", "mobile.model", read_whole),
    job_option("target_model", "target.model", read_whole),
    job_option("pairing"),
    job_option("atoms"),
    job_option("fit"),
    job_option("report"),
    job_option("weights"),
    job_option("objective"),
    job_option("objective_scale", read=read_number),
    job_option("parametrisation"),
    job_option("pivot"),
    job_option("start"),
    job_option("start_pose", read=_pose, show=_show_pose),
    *RUN_OPTIONS,
)
"""Every option besides the two files, the optimiser and its settings, in the order in which they are written."""


def job_from_options(
    mobile: str,
    target: str,
    *,
    optimizer: str | type = "adam",
    set: Mapping[str, object] | Sequence[str] | None = None,
    **options: Any,
) -> AlignJob:
    """Return the job that options describe; the command line and `lieapp.align` both come through here.

    Parameters
    ----------
    mobile, target : str
        Files of the structure that moves and of the one that stays.
    optimizer : str or type
        Name of the optimiser, or its class.
    set : mapping or sequence of str, optional
        Settings in which it differs from what is recommended: ``{"lr": 0.5}`` or ``["lr=0.5"]``; dots nest.
    **options
        Names of `OPTIONS`; values as typed or as Python has them. None is the same as leaving it out. A
        ``start_pose`` alone implies ``start="given"``.

    Raises
    ------
    AlignmentError
        If an option is unknown or its value is wrong; the message names it as a flag.
    OptimizerError
        If a setting of a named optimiser is unknown or out of bounds.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if "start_pose" in given:
        given.setdefault("start", "given")
    return read_job(
        AlignJob,
        OPTIONS,
        given,
        {"mobile": {"path": str(mobile)}, "target": {"path": str(target)}},
        optimizer=optimizer,
        settings=set,
        error=AlignmentError,
    )


def align_command(job: AlignJob) -> str:
    """Return the command line that runs a job, with what differs from the defaults.

    Notes
    -----
    Checksums of the files are not written: the command is for people. Everything else comes back equal.
    """
    words = ["lieapp", "align", job.mobile.path, job.target.path, *option_words(job, _written(job))]
    # A path that begins like an option needs the sign that options end.
    if any(path.startswith("-") for path in (job.mobile.path, job.target.path)):
        words = [*words[:2], *words[4:], "--", *words[2:4]]
    return shlex.join(words)


def align_python(job: AlignJob) -> str:
    """Return Python statements that run a job with `lieapp.align`, with what differs from the defaults."""
    lines = [repr(job.mobile.path), repr(job.target.path), *option_arguments(job, _written(job))]
    body = "".join(f"    {line},\n" for line in lines)
    return f"import lieapp\n\nresult = lieapp.align(\n{body})\nprint(result.report.to_json())\n"


def _written(job: AlignJob) -> list[JobOption]:
    # The pose says that it is given.
    return [option for option in OPTIONS if not (option.name == "start" and job.start == "given")]
