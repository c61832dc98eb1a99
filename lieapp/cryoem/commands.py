"""From options to a reconstruction job and back: one table for the command line, Python and "copy as command"."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.spec import CryoemJob
from lieapp.engine.commands import (
    RUN_OPTIONS,
    JobOption,
    job_option,
    option_words,
    read_job,
    read_number,
    read_whole,
)
from lieapp.optimizers.fields import show_value
from lieapp.optimizers.names import normalised

__all__ = ["OPTIONS", "cryoem_command", "idle_options", "job_from_options"]


def _range(value: Any) -> tuple[float, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    try:
        low, high = (float(word) for word in words)
    except (TypeError, ValueError):
        raise ValueError("expected LOW,HIGH in Å, such as 10000,25000; twice the same for one defocus") from None
    return low, high


def _show_range(value: Sequence[float]) -> str:
    return ",".join(show_value(number) for number in value)


def _switch(value: Any) -> bool:
    if isinstance(value, str):
        words = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
        if value.strip().lower() not in words:
            raise ValueError("expected yes or no")
        return words[value.strip().lower()]
    return bool(value)


FLAGS = ("ctf", "half_sets", "allow_outside")
"""Options that are given without a value, as ``--ctf`` or ``--no-ctf``."""

_OF_PRECONDITIONERS = ("preconditioner", "hutchinson_start", "hutchinson_memory", "clamp")

OPTIONS: tuple[JobOption, ...] = (
    job_option("phantom"),
    job_option("particles"),
    job_option("allow_outside", read=_switch),
    job_option("box", read=read_whole),
    job_option("pixel_size", "pixel_size_angstrom", read_number),
    job_option("images", read=read_whole),
    job_option("snr", read=read_number),
    job_option("views"),
    job_option("view_fraction", read=read_number),
    job_option("view_spread", "view_spread_degrees", read_number),
    job_option("shift", "shift_pixel", read_number),
    job_option("ctf", read=_switch),
    job_option("defocus", "defocus_angstrom", _range, _show_range),
    job_option("voltage", "voltage_kilovolt", read_number),
    job_option("spherical_aberration", "spherical_aberration_millimetre", read_number),
    job_option("amplitude_contrast", read=read_number),
    job_option("sharpening", read=read_number),
    job_option("interpolation"),
    job_option("preconditioner"),
    job_option("hutchinson_start"),
    job_option("hutchinson_memory", read=read_number),
    job_option("clamp", read=read_number),
    job_option("prior"),
    job_option("start"),
    job_option("epochs", read=read_number),
    job_option("batch", read=read_whole),
    job_option("half_sets", read=_switch),
    *RUN_OPTIONS,
)
"""Every option besides the optimiser and its settings, in the order in which they are written."""


def job_from_options(
    *,
    optimizer: str | type = "preconditioned-sgd",
    set: Mapping[str, object] | Sequence[str] | None = None,
    **options: Any,
) -> CryoemJob:
    """Return the job that options describe.

    Parameters
    ----------
    optimizer : str or type
        Name of the optimiser, or its class.
    set : mapping or sequence of str, optional
        Settings in which it differs from what is recommended: ``{"lr": 0.5}`` or ``["lr=0.5"]``; dots nest.
    **options
        Names of `OPTIONS`; values as typed or as Python has them. None is the same as leaving it out.

    Raises
    ------
    CryoemError
        If an option is unknown or its value is wrong; the message names it as a flag.
    OptimizerError
        If a setting of a named optimiser is unknown or out of bounds.
    """
    return read_job(CryoemJob, OPTIONS, options, {}, optimizer=optimizer, settings=set, error=CryoemError)


def idle_options(jobs: Sequence[CryoemJob], given: Mapping[str, Any]) -> list[str]:
    """Return the options about preconditioners that were given although no job divides its gradient by one.

    Parameters
    ----------
    jobs : sequence of CryoemJob
        Of one race.
    given : mapping
        Values by the names of `OPTIONS`.
    """
    if any(_takes_preconditioner(job.optimizer.name) for job in jobs):
        return []
    said = {name: given[name] for name in _OF_PRECONDITIONERS if given.get(name) is not None}
    return [name for name, value in said.items() if (name, value) != ("preconditioner", "none")]


def _takes_preconditioner(name: str) -> bool:
    # What a class from elsewhere asks of its oracle, nobody knows.
    return normalised(name) == "preconditioned-sgd" or ":" in name


def cryoem_command(job: CryoemJob) -> str:
    """Return the command line that runs a job, with what differs from the defaults."""
    left_out = {*FLAGS, *idle_options([job], {name: getattr(job, name) for name in _OF_PRECONDITIONERS})}
    valued = [option for option in OPTIONS if option.name not in left_out]
    words = ["lieapp", "cryoem", *option_words(job, valued)]
    for option in OPTIONS:
        value = option.value(job)
        if option.name in FLAGS and value != option.default(CryoemJob):
            words.append(option.flag if value else f"--no-{option.flag[2:]}")
    return shlex.join(words)
