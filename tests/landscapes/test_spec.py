"""What is asked of a landscape: fields that fit together, options and back, recommended settings, prepared races."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from pydantic import ValidationError

from lieapp.cli import app
from lieapp.engine.commands import named_settings
from lieapp.engine.job import job_from_json, job_to_json
from lieapp.landscapes.commands import OPTIONS, job_from_options, landscape_command, landscape_python
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.recommended import planar_scales
from lieapp.landscapes.spec import PRESETS, SURFACES, LandscapeJob, to_command, to_python
from lieapp.optimizers.settings import settings_for


def command_line(job: LandscapeJob) -> LandscapeJob:
    """Read a copied command as the command line does."""
    words = shlex.split(landscape_command(job))
    assert words[:2] == ["lieapp", "landscape"]
    flags = {option.flag: option.name for option in OPTIONS}
    options: dict[str, Any] = {"set": []}
    rest = iter(words[3:])
    for word in rest:
        flag, equals, value = word.partition("=")
        value = value if equals and flag in flags else next(rest)
        if flag == "--set":
            options["set"].append(value)
        else:
            options[flags.get(flag, flag.removeprefix("--"))] = value
    return job_from_options(words[2], **options)


JOBS = [
    job_from_options(),
    job_from_options("muller-brown", optimizer="deo", set=["mode=project", "base.lr=0.0001"], seed=3, steps=50),
    job_from_options(formula="x^2 - y^2 + 0.1*x*y", start="-0.5,1e-3", domain="-1,1,-2,2", optimizer="rmsprop"),
    job_from_options("strict-saddle-100", offset="0.01", evaluations=500, optimizer="sgd", gtol=0),
    job_from_options("transformer-tiny", text="a file.txt", curvature_batch="fixed", optimizer="adamw"),
    job_from_options("transformer", dtype="float64", optimizer="adamw"),
    job_from_options("so3-alignment", start=(0.1, 0.2, -0.3), optimizer="sgd", seconds=2.0, dtype="float32"),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.landscape)
def test_command_python_and_json_come_back_equal(job: LandscapeJob) -> None:
    assert command_line(job) == job
    assert job_from_json(job_to_json(job)) == job
    called: dict[str, Any] = {}
    source = landscape_python(job).replace("import lieapp\n\nresult = lieapp.landscape", "record")
    source = source.split("print(")[0]

    def record(name: str, *, settings: Any = None, **options: Any) -> None:
        called["job"] = job_from_options(name, set=settings, **options)

    exec(source, {"record": record})
    assert called["job"] == job
    assert to_command(job) == landscape_command(job)
    assert to_python(job) == landscape_python(job)


def test_every_option_of_a_job_has_its_flag() -> None:
    command = next(command for command in app.registered_commands if command.callback.__name__ == "landscape")
    assert command.callback is not None
    assert {option.name for option in OPTIONS} <= set(command.callback.__annotations__)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"landscape": "sadle"}, "did you mean saddle"),
        ({"formula": "x +"}, "--formula x +: column 4: expected"),
        ({"landscape": "formula"}, "needs a formula"),
        ({"landscape": "saddle", "formula": "x"}, "belongs to landscape 'formula'"),
        ({"start": "1,2,3"}, "expected 2 numbers"),
        ({"start": "1;2"}, "--start 1;2: expected numbers with commas"),
        ({"start": "nan,1"}, "expected finite numbers"),
        ({"landscape": "strict-saddle-100", "start": "1,2"}, "random, by --seed and --offset"),
        ({"domain": "1,0,0,1"}, "--domain 1,0,0,1: expected x0,x1,y0,y1"),
        ({"domain": "0,1"}, "expected four numbers"),
        ({"landscape": "deep-linear", "domain": "0,1,0,1"}, "surfaces over x and y"),
        ({"text": "notes.txt"}, "belongs to the transformers"),
        ({"curvature_batch": "fixed"}, "belongs to the transformers"),
        ({"offset": "-1"}, "--offset -1"),
        ({"landscape": "saddle", "offset": "0.1"}, "on saddle a run starts where --start X,Y says"),
        ({"formula": "x^2 - y^2", "offset": "0.1"}, "on formula a run starts where --start X,Y says"),
        ({"landscape": "transformer-tiny", "offset": "0.1"}, "random weights, by --seed"),
        ({"landscape": "so3-alignment", "offset": "0.1", "start": "0,0,1"}, "give it or --start, not both"),
        ({"steps": "many"}, "--steps many: expected a number"),
        ({"colour": "red"}, "no option 'colour'"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises(LandscapeError) as caught:
        job_from_options(**options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_networks_compute_in_single_precision_unless_told() -> None:
    assert job_from_options("transformer-tiny").dtype == "float32"
    assert job_from_options("transformer-tiny", dtype="float64").dtype == "float64"
    assert job_from_options("saddle").dtype == "float64"


def test_another_landscape_brings_its_own_start() -> None:
    job = job_from_options("saddle", start="0.5,0", dtype="float32", seed=4)
    moved = job.changed(landscape="himmelblau")
    assert (moved.start, moved.dtype, moved.seed) == (None, "float64", 4)
    assert job.changed(seed=5).start == (0.5, 0.0)


def test_a_start_takes_the_place_of_an_offset() -> None:
    job = job_from_options("so3-alignment", offset=0.1)
    assert job.changed(seed=5).offset == 0.1
    moved = job.changed(start=(0.0, 0.0, 1.0))
    assert (moved.start, moved.offset) == ((0.0, 0.0, 1.0), None)
    with pytest.raises(ValidationError):
        job.changed(landscape="nowhere")


def test_steps_follow_the_curvature_below_the_start() -> None:
    scales = planar_scales("saddle", None, None, (0.5, 0.0001))
    # f <= 0.25 reaches to y = 1.0987, where f_yy = 12.5; the grid is as fine as a hundredth of the domain.
    assert scales.curvature == pytest.approx(12.0, rel=0.05)
    assert job_from_options("saddle", optimizer="sgd").recommended()["lr"] == pytest.approx(
        1 / scales.curvature, rel=0.1
    )
    # A ridge that the start cannot cross is not looked behind.
    assert planar_scales("double-well", None, None, (1.2, 0.0)).curvature < 20.0
    for name in SURFACES:
        found = planar_scales(name)
        assert 0.0 < found.curvature < 1e5
    wrapped = job_from_options("saddle", optimizer="deo").recommended()
    assert wrapped["base.lr"] == job_from_options("saddle", optimizer="sgd").recommended()["lr"]
    inside = job_from_options("saddle", optimizer="deo", set=["base.name=adam"]).recommended()
    assert inside["base.lr"] == job_from_options("saddle", optimizer="adam").recommended()["lr"]


@pytest.mark.parametrize("name", [*SURFACES, "strict-saddle-100", "so3-alignment", "transformer-tiny"])
@pytest.mark.parametrize("optimizer", settings_for("landscape"))
def test_recommended_settings_are_settings(name: str, optimizer: str) -> None:
    assert named_settings(LandscapeJob(landscape=name).with_optimizer(optimizer)) is not None


@pytest.mark.parametrize("formula", ["x^1000", "1e-300*x^2", "0", "exp(exp(exp(9*x)))", "1/x + log(y)"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "deo", "perturbed-sgd", "sophia"])
def test_surfaces_out_of_all_proportion_have_settings_too(formula: str, optimizer: str) -> None:
    for start in ((0.0, 0.0), (0.8, 0.2)):
        job = LandscapeJob(landscape="formula", formula=formula, start=start).with_optimizer(optimizer)
        assert named_settings(job) is not None


def test_presets() -> None:
    assert [preset.name for preset in PRESETS] == ["saddle-race", "ridge", "muller-brown"]
    base = LandscapeJob(landscape="himmelblau", start=(1.0, 1.0), seed=9)
    for preset in PRESETS:
        jobs = preset.jobs(base)
        assert [name for name, _ in jobs] == ["SGD", "DEO project", "DEO escape", "Adam"]
        for _, job in jobs:
            assert job.seed == 9
            assert named_settings(job) is not None
            assert job.landscape == preset.changes["landscape"]
            assert job.start == preset.changes["start"]
