"""From options to a job and back: one table for the command line, for Python and for "copy as command".

Every option is one entry of `OPTIONS`. `job_from_options` reads them, `align_command` and `align_python` write them, so
what is copied is what was run.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from pydantic import BaseModel, ValidationError

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.spec import AlignJob
from lieapp.engine.job import OptimizerChoice
from lieapp.optimizers.fields import show_value
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS, OptimizerSettings

__all__ = ["OPTIONS", "JobOption", "align_command", "align_python", "job_from_options"]


@dataclass(frozen=True)
class JobOption:
    """One option, by its name in Python; the flag has hyphens for underscores.

    Attributes
    ----------
    name : str
    path : tuple of str
        Where the value lies in the job.
    read : callable
        From a typed string, or a Python value, to the value of the field.
    show : callable
        From the value of the field to what is typed.
    """

    name: str
    path: tuple[str, ...]
    read: Callable[[Any], Any]
    show: Callable[[Any], str]

    @property
    def flag(self) -> str:
        """As on the command line, such as ``"--mobile-chain"``."""
        return "--" + self.name.replace("_", "-")

    def value(self, job: AlignJob) -> Any:
        """Return the value that a job has."""
        found: Any = job
        for part in self.path:
            found = getattr(found, part)
        return found

    @property
    def default(self) -> Any:
        """Return the value of a job for which nothing was said."""
        model: type[BaseModel] = AlignJob
        for part in self.path[:-1]:
            annotation = model.model_fields[part].annotation
            assert isinstance(annotation, type)
            model = annotation
        return model.model_fields[self.path[-1]].get_default(call_default_factory=True)


def _as_is(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError("expected a whole number")
    if isinstance(value, Integral) or (isinstance(value, str) and value.strip().lstrip("+-").isdigit()):
        return int(value)  # not by way of a float, which has 53 bits
    number = float(value)
    if number != int(number):
        raise ValueError("expected a whole number")
    return int(number)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return float(value)


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


def _option(name: str, path: str = "", read: Callable[[Any], Any] = _as_is, show: Any = show_value) -> JobOption:
    return JobOption(name, tuple((path or name).split(".")), read, show)


OPTIONS: tuple[JobOption, ...] = (
    _option("mobile_chain", "mobile.chains", _chains),
    _option("target_chain", "target.chains", _chains),
    _option("mobile_model", "mobile.model", _whole),
    _option("target_model", "target.model", _whole),
    _option("pairing"),
    _option("atoms"),
    _option("fit"),
    _option("report"),
    _option("weights"),
    _option("objective"),
    _option("objective_scale", read=_number),
    _option("parametrisation"),
    _option("pivot"),
    _option("start"),
    _option("start_pose", read=_pose, show=_show_pose),
    _option("steps", "limits.steps", _whole),
    _option("evaluations", "limits.evaluations", _number),
    _option("seconds", "limits.seconds", _number),
    _option("gtol", "limits.gtol", _number),
    _option("ftol", "limits.ftol", _number),
    _option("seed", read=_whole),
    _option("device"),
    _option("dtype"),
)
"""Every option besides the two files, the optimiser and its settings, in the order in which they are written."""

_BY_NAME = {option.name: option for option in OPTIONS}


def job_from_options(
    mobile: str,
    target: str,
    *,
    optimizer: str = "adam",
    set: Mapping[str, object] | Sequence[str] | None = None,
    **options: Any,
) -> AlignJob:
    """Return the job that options describe; the command line and `lieapp.align` both come through here.

    Parameters
    ----------
    mobile, target : str
        Files of the structure that moves and of the one that stays.
    optimizer : str
        Name of the optimiser.
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
    values: dict[str, Any] = {"mobile": {"path": str(mobile)}, "target": {"path": str(target)}}
    given = {name: value for name, value in options.items() if value is not None}
    if "start_pose" in given:
        given.setdefault("start", "given")
    for name, value in given.items():
        option = _BY_NAME.get(name)
        if option is None:
            raise AlignmentError(f"There is no option {name!r}; there are {', '.join(_BY_NAME)}")
        place = values
        for part in option.path[:-1]:
            place = place.setdefault(part, {})
        try:
            place[option.path[-1]] = option.read(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise AlignmentError(f"{option.flag} {value}: {_reason(error)}") from None
    values["optimizer"] = OptimizerChoice(name=str(optimizer).strip() or "adam", overrides={})
    try:
        job = AlignJob(**values)
    except ValidationError as error:
        raise AlignmentError(_explain(error, given)) from None
    overrides = _typed_overrides(job, _pairs(set))
    return job.with_optimizer(job.optimizer.name, overrides) if overrides else job


def align_command(job: AlignJob) -> str:
    """Return the command line that runs a job, with what differs from the defaults.

    Notes
    -----
    Checksums of the files are not written: the command is for people. Everything else comes back equal.
    """
    words = ["lieapp", "align", job.mobile.path, job.target.path]
    for option in _given(job):
        text = option.show(option.value(job))
        words += [f"{option.flag}={text}"] if text.startswith("-") else [option.flag, text]
    words += ["--optimizer", job.optimizer.name]
    for key, value in _flat(job.optimizer.overrides).items():
        words += ["--set", f"{key}={show_value(value)}"]
    # A path that begins like an option needs the sign that options end.
    if any(path.startswith("-") for path in (job.mobile.path, job.target.path)):
        words = [*words[:2], *words[4:], "--", *words[2:4]]
    return shlex.join(words)


def align_python(job: AlignJob) -> str:
    """Return Python statements that run a job with `lieapp.align`, with what differs from the defaults."""
    lines = [repr(job.mobile.path), repr(job.target.path), f"optimizer={job.optimizer.name!r}"]
    settings = _flat(job.optimizer.overrides)
    if settings:
        lines.append(f"settings={settings!r}")
    lines += [f"{option.name}={option.value(job)!r}" for option in _given(job)]
    body = "".join(f"    {line},\n" for line in lines)
    return f"import lieapp\n\nresult = lieapp.align(\n{body})\nprint(result.report.to_json())\n"


def _given(job: AlignJob) -> list[JobOption]:
    found = [option for option in OPTIONS if option.value(job) != option.default]
    # The pose says that it is given.
    return [option for option in found if not (option.name == "start" and job.start == "given")]


def _pairs(settings: Mapping[str, object] | Sequence[str] | None) -> dict[str, object]:
    if settings is None:
        return {}
    if isinstance(settings, Mapping):
        return {str(key): value for key, value in settings.items()}
    pairs: dict[str, object] = {}
    for word in [settings] if isinstance(settings, str) else settings:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise AlignmentError(f"--set {word}: expected KEY=VALUE, such as lr=0.5")
        pairs[key.strip()] = value.strip()
    return pairs


def _typed_overrides(job: AlignJob, given: Mapping[str, object]) -> dict[str, Any]:
    """Check settings and give them their types, for optimisers that are known without torch; keys stay dotted."""
    flat = {key.replace("-", "_"): value for key, value in _flat(given).items()}
    cls = SETTINGS.get(normalised(job.optimizer.name))
    if cls is None:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in flat.items()}
    settings: OptimizerSettings = cls().updated(job.recommended()).updated(flat)
    typed: dict[str, Any] = {}
    for key in flat:
        value: Any = settings
        for part in key.split("."):
            value = getattr(value, part)
        typed[key] = list(value) if isinstance(value, tuple) else value
    return typed


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _explain(error: ValidationError, given: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    if path[:1] == ("device",):
        message = "expected auto, cpu, cuda, cuda:0 or mps"
    for option in OPTIONS:
        if path[: len(option.path)] == option.path:
            return f"{option.flag} {_short(given.get(option.name))}: {_lower(message)}"
    return f"{'.'.join(path)}: {_lower(message)}" if path else message


def _reason(error: Exception) -> str:
    text = str(error)
    if text.startswith("expected"):
        return text
    return "expected a number" if isinstance(error, (ValueError, TypeError)) else text


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
