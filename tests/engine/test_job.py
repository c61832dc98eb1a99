"""Jobs, limits and outcomes: values that survive JSON and refuse nonsense by name."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lieapp.engine import job as jobs
from lieapp.engine.errors import EngineError
from lieapp.engine.job import Job, OptimizerChoice, job_from_json, job_to_json, open_job, report_job, resolve
from lieapp.engine.limits import Limits
from lieapp.engine.outcome import OUTCOME_KINDS, Outcome
from tests.engine.toy import ToyJob

finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(autouse=True)
def toy_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOB_KINDS", dict(jobs.JOB_KINDS))
    jobs.register_job("toy", "tests.engine.toy:ToyJob")


@given(
    overrides=st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=4),
    steps=st.integers(0, 10**9),
    evaluations=st.none() | st.floats(1e-3, 1e9),
    seed=st.integers(0, 2**63 - 1),
    start=st.tuples(finite, finite),
)
def test_json_round_trip_is_exact(overrides, steps, evaluations, seed, start) -> None:
    jobs.JOB_KINDS["toy"] = "tests.engine.toy:ToyJob"
    job = ToyJob(
        optimizer=OptimizerChoice(name="lion", overrides=overrides),
        limits=Limits(steps=steps, evaluations=evaluations),
        seed=seed,
        start=start,
    )
    assert job_from_json(job_to_json(job)) == job


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "Not a job"),
        ("[1]", "JSON object"),
        ('{"kind": "toy"}', "schema None"),
        ('{"schema": 99, "kind": "toy"}', "schema 99"),
        ('{"schema": 1, "kind": "nothing"}', "nothing"),
        ('{"schema": 1, "kind": ["toy"]}', "toy"),
        ('{"schema": 1, "kind": "toy", "colour": 1}', "colour"),
        ('{"schema": 1, "kind": "toy", "limits": {"steps": -1}}', "limits.steps"),
        ('{"schema": 1, "kind": "toy", "device": "abacus"}', "device"),
        ('{"schema": 1, "kind": "toy", "seed": -1}', "seed"),
    ],
)
def test_json_of_something_else_is_refused_in_one_line(text: str, names: str) -> None:
    with pytest.raises(EngineError, match=names.replace(".", r"\.")) as caught:
        job_from_json(text)
    assert "\n" not in str(caught.value)


def test_jobs_are_frozen() -> None:
    job = ToyJob()
    with pytest.raises(ValidationError):
        job.seed = 3  # type: ignore[misc]


def test_open_and_report_go_by_string() -> None:
    job = ToyJob(limits=Limits(steps=3), optimizer=OptimizerChoice(name="sgd", overrides={"lr": 0.1}))
    problem, run = open_job(job)
    run.complete()
    assert run.problem is problem
    assert run.recording.metadata["job"]["kind"] == "toy"
    assert job_from_json(json.dumps(run.recording.metadata["job"])) == job
    assert report_job(job, run.recording, inputs=7) == {"kind": "toy", "steps": 3, "inputs": 7}


@pytest.mark.parametrize("target", ["os", "os:", ":path", "no.such.module:x", "os:no_such_name", "os.path:join.more"])
def test_resolve_names_what_it_cannot_import(target: str) -> None:
    with pytest.raises(EngineError):
        resolve(target)


def test_a_job_without_opener_says_so() -> None:
    with pytest.raises(EngineError, match="opener"):
        open_job(Job())


def test_a_kind_names_one_class() -> None:
    jobs.register_job("toy", "tests.engine.toy:ToyJob")
    with pytest.raises(EngineError, match="toy"):
        jobs.register_job("toy", "elsewhere:ToyJob")


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": -1},
        {"evaluations": 0},
        {"gtol": -1e-9},
        {"ftol": float("nan")},
        {"seconds": 0},
        {"window": 0},
        {"x": 1},
    ],
)
def test_limits_refuse_nonsense(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Limits(**wrong)


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_outcomes_round_trip(kind) -> None:
    outcome = Outcome(kind, "It ended.", "traceback")
    assert Outcome.from_dict(outcome.to_dict()) == outcome
    assert outcome.exit_status == {"converged": 0, "limit": 0, "cancelled": 130}.get(kind, 1)
    assert outcome.succeeded is (outcome.exit_status == 0)


@pytest.mark.parametrize("wrong", [{}, {"kind": "won", "message": ""}, {"kind": "limit"}])
def test_outcomes_of_other_kinds_are_refused(wrong: dict) -> None:
    with pytest.raises(EngineError):
        Outcome.from_dict(wrong)


def test_specs_recordings_and_controls_load_no_torch() -> None:
    modules = ("limits", "outcome", "control", "recording", "recording_file", "snapshots", "job", "metric", "stopping")
    code = "; ".join(f"import lieapp.engine.{name}" for name in modules)
    code += "; from lieapp.engine import Limits, Recording, RunControl; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
