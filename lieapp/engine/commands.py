"""From options to a job and back, for every kind of job: what the command line, Python and "copy as command" share.

A kind of job has a table of `JobOption`, one entry an option. `read_job` fills a job from it, `option_words` and
`option_arguments` write it, so what is copied is what was run. No torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lieapp.engine.job import Job, OptimizerChoice
from lieapp.errors import LieAppError
from lieapp.optimizers.fields import show_value
from lieapp.optimizers.names import name_of, normalised
from lieapp.optimizers.settings import SETTINGS, OptimizerSettings

__all__ = [
    "RUN_OPTIONS",
    "JobOption",
    "flat_settings",
    "job_option",
    "named_settings",
    "option_arguments",
    "option_words",
    "read_job",
    "read_number",
    "read_whole",
    "setting_words",
]

J = TypeVar("J", bound=Job)


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

    def value(self, job: Job) -> Any:
        """Return the value that a job has."""
        found: Any = job
        for part in self.path:
            found = getattr(found, part)
        return found

    def default(self, kind: type[Job]) -> Any:
        """Return the value of a job of a kind for which nothing was said."""
        model: type[BaseModel] = kind
        field = model.model_fields[self.path[0]]
        if len(self.path) > 1 and not field.is_required():
            found: Any = field.get_default(call_default_factory=True)
            for part in self.path[1:]:
                found = getattr(found, part)
            return found
        for part in self.path[:-1]:
            annotation = model.model_fields[part].annotation
            assert isinstance(annotation, type)
            model = annotation
        return model.model_fields[self.path[-1]].get_default(call_default_factory=True)


def _as_is(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def read_whole(value: Any) -> int:
    """Return a whole number that was typed or given.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool):
        raise ValueError("expected a whole number")
    if isinstance(value, Integral) or (isinstance(value, str) and value.strip().lstrip("+-").isdigit()):
        return int(value)  # not by way of a float, which has 53 bits
    number = float(value)
    if number != int(number):
        raise ValueError("expected a whole number")
    return int(number)


def read_number(value: Any) -> float:
    """Return a number that was typed or given.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return float(value)


def job_option(name: str, path: str = "", read: Callable[[Any], Any] = _as_is, show: Any = show_value) -> JobOption:
    """Return an option; its value lies under its own name unless a dotted path says where."""
    return JobOption(name, tuple((path or name).split(".")), read, show)


RUN_OPTIONS: tuple[JobOption, ...] = (
    job_option("steps", "limits.steps", read_whole),
    job_option("evaluations", "limits.evaluations", read_number),
    job_option("seconds", "limits.seconds", read_number),
    job_option("gtol", "limits.gtol", read_number),
    job_option("ftol", "limits.ftol", read_number),
    job_option("seed", read=read_whole),
    job_option("device"),
    job_option("dtype"),
)
"""The options that every kind of job has."""


def read_job(
    kind: type[J],
    options: Sequence[JobOption],
    given: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    optimizer: str | type,
    settings: Mapping[str, object] | Sequence[str] | None,
    error: type[LieAppError],
) -> J:
    """Return the job that options describe.

    Parameters
    ----------
    kind : type
        Class of the job.
    options : sequence of JobOption
        Those that it has.
    given : mapping
        Values by the names of options, as typed or as Python has them; None is the same as leaving it out.
    values : mapping
        Fields that are no options.
    optimizer : str or type
    settings : mapping or sequence of str, optional
        Settings in which the optimiser differs from what is recommended: ``{"lr": 0.5}`` or ``["lr=0.5"]``.
    error : type
        Error of the floor, with which a wrong option is answered.

    Raises
    ------
    LieAppError
        ``error`` if an option is unknown or its value is wrong; the message names it as a flag. OptimizerError if a
        setting of a named optimiser is unknown or out of bounds.
    """
    by_name = {option.name: option for option in options}
    given = {name: value for name, value in given.items() if value is not None}
    filled: dict[str, Any] = {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()
    }
    for name, value in given.items():
        option = by_name.get(name)
        if option is None:
            raise error(f"There is no option {name!r}; there are {', '.join(by_name)}")
        place = filled
        for part in option.path[:-1]:
            place = place.setdefault(part, _defaults_of(kind, part))
        try:
            place[option.path[-1]] = option.read(value)
        except (TypeError, ValueError, OverflowError) as wrong:
            raise error(f"{option.flag} {value}: {_reason(wrong)}") from None
    filled["optimizer"] = OptimizerChoice(name=name_of(optimizer).strip() or "adam", overrides={})
    try:
        job = kind(**filled)
    except ValidationError as wrong:
        raise error(_explain(wrong, given, options)) from None
    overrides = _typed_overrides(job, _pairs(settings, error))
    return job.with_optimizer(job.optimizer.name, overrides) if overrides else job


def option_words(job: Job, options: Sequence[JobOption]) -> list[str]:
    """Return the words of a command line that say what differs from the defaults, the optimiser included."""
    words: list[str] = []
    for option in options:
        value = option.value(job)
        if value != option.default(type(job)):
            text = option.show(value)
            words += [f"{option.flag}={text}"] if text.startswith("-") else [option.flag, text]
    return [*words, "--optimizer", job.optimizer.name, *setting_words(job)]


def setting_words(job: Job) -> list[str]:
    """Return ``--set KEY=VALUE`` for every setting that a job overrides."""
    words: list[str] = []
    for key, value in flat_settings(job.optimizer.overrides).items():
        words += ["--set", f"{key}={show_value(value)}"]
    return words


def option_arguments(job: Job, options: Sequence[JobOption]) -> list[str]:
    """Return the keyword arguments of a Python call, as source text, the optimiser first."""
    lines = [f"optimizer={job.optimizer.name!r}"]
    settings = flat_settings(job.optimizer.overrides)
    if settings:
        lines.append(f"settings={settings!r}")
    changed = [option for option in options if option.value(job) != option.default(type(job))]
    return [*lines, *(f"{option.name}={option.value(job)!r}" for option in changed)]


def named_settings(job: Job) -> OptimizerSettings | None:
    """Return the settings that a job resolves to: defaults, then recommended, then overrides.

    Returns
    -------
    OptimizerSettings or None
        None for an optimiser whose settings only torch can tell (see `lieapp.optimizers.registry`).

    Raises
    ------
    OptimizerError
        If an override is unknown or out of bounds.
    """
    cls = SETTINGS.get(normalised(job.optimizer.name))
    return None if cls is None else cls().updated(job.recommended()).updated(job.optimizer.overrides)


def flat_settings(values: Mapping[str, object], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(flat_settings(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _defaults_of(kind: type[Job], part: str) -> dict[str, Any]:
    """Return what a kind of job has in a group of fields where nothing is said, such as its limits."""
    field = kind.model_fields[part]
    if field.is_required():
        return {}
    group: BaseModel = field.get_default(call_default_factory=True)
    return {name: getattr(group, name) for name in type(group).model_fields}


def _pairs(settings: Mapping[str, object] | Sequence[str] | None, error: type[LieAppError]) -> dict[str, object]:
    if settings is None:
        return {}
    if isinstance(settings, Mapping):
        return {str(key): value for key, value in settings.items()}
    pairs: dict[str, object] = {}
    for word in [settings] if isinstance(settings, str) else settings:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise error(f"--set {word}: expected KEY=VALUE, such as lr=0.5")
        pairs[key.strip()] = value.strip()
    return pairs


def _typed_overrides(job: Job, given: Mapping[str, object]) -> dict[str, Any]:
    """Check settings and give them their types, for optimisers that are known without torch; keys stay dotted."""
    flat = {key.replace("-", "_"): value for key, value in flat_settings(given).items()}
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


def _explain(error: ValidationError, given: Mapping[str, Any], options: Sequence[JobOption]) -> str:
    first = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    if path[:1] == ("device",):
        message = "expected auto, cpu, cuda, cuda:0 or mps"
    for option in options:
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
