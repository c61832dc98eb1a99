"""The job of an alignment: checks, help, commands that bring it back, recommended settings, prepared races."""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lieapp.alignment.choices import title_of_choice
from lieapp.alignment.commands import OPTIONS, job_from_options
from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import OBJECTIVE_NAMES, make_objective
from lieapp.alignment.spec import (
    ATOMS,
    OBJECTIVES,
    PAIRINGS,
    PARAMETRISATIONS,
    PIVOTS,
    PRESETS,
    STARTS,
    WEIGHTS,
    AlignJob,
    StructureInput,
    named_settings,
    recommended,
    to_command,
    to_python,
)
from lieapp.engine.job import job_from_json, job_to_json
from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.settings import SETTINGS, settings_for

POSE = ((0.0, -1.0, 0.0, 0.1), (1.0, 0.0, 0.0, -2.5), (0.0, 0.0, 1.0, 1e-3), (0.0, 0.0, 0.0, 1.0))


def job(**options: Any) -> AlignJob:
    return job_from_options("a.pdb", "b.cif", **options)


def run_copied_command(command: str) -> AlignJob:
    """Read a copied command as the command line would."""
    words = shlex.split(command)
    assert words[:2] == ["lieapp", "align"]
    files: list[str] = []
    options: dict[str, Any] = {"set": []}
    rest = iter(words[2:])
    for word in rest:
        if word == "--":
            files += list(rest)
        elif word.startswith("--"):
            flag, equals, value = word.partition("=")
            value = value if equals else next(rest)
            if flag == "--set":
                options["set"].append(value)
            else:
                options[flag[2:].replace("-", "_")] = value
        else:
            files.append(word)
    return job_from_options(*files, **options)


def run_copied_python(text: str) -> AlignJob:
    """Read copied Python statements without running them."""
    call = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.keywords)
    assert ast.unparse(call.func) == "lieapp.align"
    files = [ast.literal_eval(argument) for argument in call.args]
    options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    options["set"] = options.pop("settings", None)
    return job_from_options(*files, **options)


FULL: dict[str, Any] = {
    "optimizer": "sgd",
    "set": {"lr": 0.25, "momentum": 0.5, "schedule.kind": "cosine", "schedule.steps": 50},
    "mobile_chain": "A,_",
    "target_chain": ("B", "C"),
    "mobile_model": 2,
    "target_model": 1,
    "pairing": "number",
    "atoms": "backbone",
    "fit": "A:1-29,60-121 and not plddt<70",
    "report": "core",
    "weights": "b-factor",
    "objective": "huber",
    "objective_scale": 2.5,
    "parametrisation": "so3xr3",
    "pivot": "origin",
    "start_pose": POSE,
    "steps": 77,
    "evaluations": 300.5,
    "seconds": 10.0,
    "gtol": 1e-9,
    "ftol": 0.0,
    "seed": 12,
    "device": "cpu",
    "dtype": "float32",
}


def test_full_example_sets_every_option() -> None:
    whole = job(**FULL)
    untouched = [option.name for option in OPTIONS if option.value(whole) == option.default(AlignJob)]
    assert not untouched, "the example above must name every option, so that the round trips test all of them"


@pytest.mark.parametrize("options", [{}, FULL, {"start": "random"}, {"optimizer": "rmsprop", "set": ["lr=0.1"]}])
def test_copied_command_and_python_bring_the_job_back(options: dict[str, Any]) -> None:
    original = job(**options)
    assert run_copied_python(to_python(original)) == original
    if original.optimizer.name in SETTINGS:
        assert run_copied_command(to_command(original)) == original
    assert job_from_json(job_to_json(original)) == original


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
    st.floats(1e-300, 1e300),
    st.integers(0, 2**63 - 1),
)
def test_odd_names_and_numbers_survive(path: str, scale: float, seed: int) -> None:
    original = job_from_options(path, "-b.pdb", objective="geman-mcclure", objective_scale=scale, seed=seed)
    assert run_copied_command(to_command(original)) == original
    assert run_copied_python(to_python(original)) == original


def test_plain_job_gives_a_plain_command() -> None:
    assert to_command(job()) == "lieapp align a.pdb b.cif --optimizer adam"
    assert to_command(job(set=["lr=0.50"], mobile_chain="A")) == (
        "lieapp align a.pdb b.cif --mobile-chain A --optimizer adam --set lr=0.5"
    )


def test_typed_and_python_values_mean_the_same() -> None:
    typed = job(
        steps="20",
        seed="3",
        objective="tm",
        objective_scale="4",
        mobile_chain="A, B",
        start_pose=" ".join(str(number) for row in POSE for number in row),
        set=["lr=1e-1", "betas=0.9,0.99", "schedule.kind=cosine"],
    )
    native = job(
        steps=20,
        seed=3,
        objective="tm",
        objective_scale=4.0,
        mobile_chain=["A", "B"],
        start_pose=list(POSE[:3]),
        set={"lr": 0.1, "betas": (0.9, 0.99), "schedule": {"kind": "cosine"}},
    )
    assert typed == native
    assert typed.start == "given"
    assert typed.optimizer.overrides == {"lr": 0.1, "betas": [0.9, 0.99], "schedule.kind": "cosine"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "lddt"}, r"--objective lddt: input should be 'rmsd', 'tm'"),
        ({"colour": "red"}, "There is no option 'colour'"),
        ({"steps": "many"}, "--steps many: expected a number"),
        ({"steps": "1.5"}, "--steps 1.5: expected a whole number"),
        ({"steps": -1}, "--steps -1"),
        ({"steps": True}, "--steps True"),
        ({"evaluations": "inf"}, "--evaluations inf"),
        ({"seed": -1}, "--seed -1"),
        ({"device": "gpu"}, "--device gpu: expected auto, cpu, cuda"),
        ({"dtype": "float16"}, "--dtype float16"),
        ({"fit": " "}, "--fit"),
        ({"mobile_chain": []}, "--mobile-chain"),
        ({"objective_scale": 2.0}, "RMSD has no scale"),
        ({"objective": "gdt", "objective_scale": 3.0}, "between 0.05 and 0.25"),
        ({"objective": "tm", "objective_scale": "nan"}, "--objective-scale nan"),
        ({"start": "given"}, "belong together"),
        ({"start": "random", "start_pose": POSE}, "belong together"),
        ({"start_pose": "1,2,3"}, "--start-pose 1,2,3: expected 16 numbers"),
        ({"start_pose": [2.0] * 16}, "pose"),
        ({"set": ["lr"]}, "--set lr: expected KEY=VALUE"),
    ],
)
def test_wrong_options_are_one_clear_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AlignmentError, match=message) as caught:
        job(**options)
    assert "\n" not in str(caught.value)


def test_wrong_settings_are_named_before_anything_runs() -> None:
    with pytest.raises(OptimizerError, match="lr = -1"):
        job(set=["lr=-1"])
    with pytest.raises(OptimizerError, match="nearest"):
        job(set=["learning=1"])


def test_job_is_frozen_and_strict() -> None:
    one = job()
    with pytest.raises(ValidationError):
        one.seed = 3
    with pytest.raises(ValidationError):
        AlignJob(mobile=StructureInput(path="a"), target=StructureInput(path="b"), flavour="x")  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        StructureInput(path="a", sha256="short")
    with pytest.raises(ValidationError):
        one.changed(objective="unknown")
    assert one.changed(seed=4).seed == 4


def test_every_field_has_help() -> None:
    for model in (AlignJob, StructureInput):
        for name, info in model.model_fields.items():
            assert info.description, name
            assert len(info.description) < 120, name


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("objective", OBJECTIVES),
        ("pairing", PAIRINGS),
        ("atoms", ATOMS),
        ("parametrisation", PARAMETRISATIONS),
        ("pivot", PIVOTS),
        ("start", STARTS),
        ("weights", WEIGHTS),
    ],
)
def test_choices_are_the_words_of_the_job(field: str, choices: Any) -> None:
    for choice in choices:
        values = {"start_pose": POSE} if choice.value == "given" else {}
        assert getattr(job(**{field: choice.value}, **values), field) == choice.value
        assert choice.title
        assert choice.help
    assert len({choice.value for choice in choices}) == len(choices)
    with pytest.raises(AlignmentError, match=choices[-1].value):
        job(**{field: "no such word"})
    assert title_of_choice(choices, choices[0].value) == choices[0].title
    assert title_of_choice(choices, "other") == "other"


def test_objective_choices_know_their_scales() -> None:
    assert tuple(choice.value for choice in OBJECTIVES) == OBJECTIVE_NAMES
    for choice in OBJECTIVES:
        objective = make_objective(choice.value, length=214)
        if choice.scale_default is not None:
            assert objective.scale == choice.scale_default
        if choice.scale_title:
            assert choice.scale_help
            for bound in (choice.scale_minimum, choice.scale_maximum):
                make_objective(choice.value, length=214, scale=bound)


def test_recommended_settings_are_settings() -> None:
    for name in settings_for("align"):
        for objective in OBJECTIVE_NAMES:
            for parametrisation in ("local", "se3", "so3xr3"):
                for pivot in ("centroid", "origin"):
                    settings = named_settings(
                        job(optimizer=name, objective=objective, parametrisation=parametrisation, pivot=pivot)
                    )
                    assert settings is not None
                    assert settings.name == name
    assert recommended("no-such-optimizer") == {}
    assert recommended("adam")["lr"] == 1.0
    assert getattr(named_settings(job(set=["lr=0.125"])), "lr", None) == 0.125
    assert named_settings(job(optimizer="rmsprop")) is None


def test_presets_are_races_of_jobs() -> None:
    base = job(mobile_chain="A", objective="tm", objective_scale=4.0, start="random", seed=7)
    for preset in PRESETS:
        jobs = preset.jobs(base)
        assert len({name for name, _ in jobs}) == len(jobs)
        assert preset.title
        assert preset.summary
        for _, entrant in jobs:
            assert (entrant.mobile, entrant.target, entrant.start, entrant.seed) == (
                base.mobile,
                base.target,
                "random",
                7,
            )
            assert named_settings(entrant) is not None
    by_name = dict(PRESETS[0].jobs(base))
    assert PRESETS[0].title == "Why centring matters"
    assert by_name["SGD, raw se(3)"].parametrisation == "se3"
    assert by_name["SGD, raw se(3)"].pivot == "origin"
    assert by_name["Adam, local"].parametrisation == "local"


def test_job_needs_no_torch() -> None:
    code = (
        "import sys; from lieapp.alignment.commands import job_from_options; import lieapp.alignment.report;"
        "job_from_options('a', 'b', set=['lr=1']); raise SystemExit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
