"""A job: everything that determines a run, as one frozen, torch-free value.

Flags, forms, demos, "copy as command" and sessions fill or show a `Job`; nothing else decides what is computed.
Classes of the floors above, and everything that needs torch, are named by strings and imported when needed.
"""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from lieapp.engine.errors import EngineError
from lieapp.engine.limits import Limits
from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.names import check_suits

if TYPE_CHECKING:
    from lieapp.engine.checkpoint import Checkpoint
    from lieapp.engine.problem import Problem
    from lieapp.engine.recording import Recording
    from lieapp.engine.run import Run

__all__ = [
    "JOB_KINDS",
    "Job",
    "OptimizerChoice",
    "job_from_json",
    "job_to_json",
    "open_job",
    "register_job",
    "report_job",
    "resolve",
    "resume_job",
]

SCHEMA = 1
"""Version of the JSON form of jobs."""

JOB_KINDS: dict[str, str] = {
    "align": "lieapp.alignment.spec:AlignJob",
    "landscape": "lieapp.landscapes.spec:LandscapeJob",
    "cryoem": "lieapp.cryoem.spec:CryoemJob",
}
"""The class of every kind of job, as ``module:Class``."""


class OptimizerChoice(BaseModel):
    """An optimiser by name and the settings in which it differs from what is recommended.

    Attributes
    ----------
    name : str
        A name of `lieapp.optimizers`: "adam", any torch optimiser by its lower-case name, or ``package.module:Class``.
    overrides : dict
        Settings that replace the recommended ones; dotted keys nest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="adam", min_length=1, description="Name of the optimiser")
    overrides: dict[str, JsonValue] = Field(default_factory=dict, description="Settings that replace the recommended")


class Job(BaseModel):
    """Base of the jobs of all problems.

    Class attributes
    ----------------
    kind : str
        Word by which JSON names the class; a key of `JOB_KINDS`.
    opener : str
        ``module:function`` of ``open(job, inputs=None) -> (Problem, Run)``.
    reporter : str
        ``module:function`` of ``report(job, recording, inputs=None) -> Report``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str] = ""
    opener: ClassVar[str] = ""
    reporter: ClassVar[str] = ""

    optimizer: OptimizerChoice = Field(default_factory=OptimizerChoice, description="The optimiser and its settings")
    limits: Limits = Field(default_factory=Limits, description="When the run ends")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Seed of every random number of the run")
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="Where to compute")
    dtype: Literal["float64", "float32"] = Field(default="float64", description="Precision of the parameters")

    @model_validator(mode="after")
    def _optimizer_suits(self) -> Self:
        try:
            check_suits(self.optimizer.name, type(self).kind)
        except OptimizerError as error:
            raise ValueError(str(error)) from None
        return self

    def recommended(self) -> dict[str, Any]:
        """Return the recommended settings of this job's optimiser (dotted keys), before overrides."""
        return {}

    def with_optimizer(self, name: str, overrides: Mapping[str, Any] | None = None) -> Self:
        """Return a copy with another optimiser.

        Raises
        ------
        OptimizerError
            If that is for other problems only.
        """
        check_suits(name, type(self).kind)
        choice = OptimizerChoice(name=name, overrides=dict(overrides or {}))
        return self.model_copy(update={"optimizer": choice})

    def changed(self, **changes: Any) -> Self:
        """Return a checked copy with some fields changed.

        Raises
        ------
        pydantic.ValidationError
            If a field is unknown or a value is wrong.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**values, **changes})


def resolve(target: str) -> Any:
    """Import what a ``module:name`` string names.

    Raises
    ------
    EngineError
        If the string has another form, or the module or the name does not exist.
    """
    module_name, separator, attribute = target.partition(":")
    if not (module_name and separator and attribute):
        raise EngineError(f"{target!r} does not name a function or class: expected package.module:name")
    try:
        found: Any = import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise EngineError(f"Cannot import {target}: {error}") from error
    return found


def _hook(job: Job, which: str) -> Callable[..., Any]:
    target = getattr(type(job), which)
    if not target:
        raise EngineError(f"{type(job).__name__} names no {which}")
    return resolve(target)


def open_job(job: Job, inputs: Any = None) -> "tuple[Problem, Run]":
    """Read a job's inputs, unless they are given, and build its problem and run.

    Parameters
    ----------
    job : Job
    inputs : object, optional
        What the job's own reader returned earlier, to read no file twice.

    Returns
    -------
    problem : Problem
    run : Run
        Not begun.
    """
    return _hook(job, "opener")(job, inputs)


def resume_job(job: Job, checkpoint: "Checkpoint", inputs: Any = None) -> "tuple[Problem, Run]":
    """Build a job's problem and run, and bring both to where a checkpoint was taken."""
    problem, run = open_job(job, inputs)
    run.restore(checkpoint)
    return problem, run


def report_job(job: Job, recording: "Recording", inputs: Any = None) -> Any:
    """Return the report of a finished recording: a pydantic model whose fields are the ``--json`` object."""
    return _hook(job, "reporter")(job, recording, inputs)


def register_job(kind: str, target: str) -> None:
    """Make a kind of job known to `job_from_json`.

    Parameters
    ----------
    kind : str
        The class's ``kind``.
    target : str
        ``module:Class``.

    Raises
    ------
    EngineError
        If the kind already names another class.
    """
    if JOB_KINDS.setdefault(kind, target) != target:
        raise EngineError(f"Job kind {kind!r} already names {JOB_KINDS[kind]}")


def job_to_json(job: Job) -> str:
    """Return a job as JSON text that `job_from_json` reads back equal."""
    return json.dumps({"schema": SCHEMA, "kind": type(job).kind, **job.model_dump(mode="json")})


def job_from_json(text: str) -> Job:
    """Return the job that a JSON text describes.

    Raises
    ------
    EngineError
        If the text is no JSON object, its schema or kind is unknown, or a field is wrong; the message names it.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise EngineError(f"Not a job: {error}") from error
    if not isinstance(values, dict):
        raise EngineError("Not a job: expected a JSON object")
    schema, kind = values.pop("schema", None), values.pop("kind", None)
    if schema != SCHEMA:
        raise EngineError(f"Unknown job schema {schema!r}: this version reads {SCHEMA}")
    if not isinstance(kind, str) or kind not in JOB_KINDS:
        raise EngineError(f"Unknown kind of job {kind!r}: expected one of {', '.join(sorted(JOB_KINDS))}")
    job_class = resolve(JOB_KINDS[kind])
    try:
        return job_class.model_validate_json(json.dumps(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "job"
        raise EngineError(f"Job field {place}: {first['msg']}") from error
