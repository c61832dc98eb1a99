"""What a run is told to have found: the report, escape, growth against theory, captions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lieapp.api import LandscapeResult, landscape, run_landscape
from lieapp.engine.job import open_job
from lieapp.engine.race import Entrant, Race
from lieapp.engine.recording import Recording
from lieapp.landscapes.caption import RaceEntry, race_caption
from lieapp.landscapes.catalog import SURFACES
from lieapp.landscapes.commands import job_from_options
from lieapp.landscapes.growth import predicted_factor
from lieapp.landscapes.report import report_landscape
from lieapp.landscapes.spec import PRESETS, LandscapeJob
from lieapp.landscapes.summary import summarise

KEYS = {
    *("schema", "outcome", "message", "steps", "gradients", "losses", "hvps", "evaluations", "seconds", "best_step"),
    *("optimizer", "settings", "device", "landscape", "loss", "gradient_norm", "parameters", "lowest_curvature"),
    *("nearest_stationary_point", "escaped_at_evaluation"),
}


@pytest.fixture(scope="module")
def sgd() -> LandscapeResult:
    return landscape("saddle", optimizer="sgd")


def test_report_has_the_fields_of_the_design(sgd: LandscapeResult) -> None:
    record = json.loads(sgd.report.to_json())
    assert record.keys() >= KEYS
    assert record["outcome"] == "converged"
    assert record["parameters"] == sgd.points[-1].tolist()
    assert record["lowest_curvature"] == pytest.approx(2.0, abs=1e-6)
    nearest = record["nearest_stationary_point"]
    assert (nearest["kind"], nearest["index"], nearest["loss"]) == ("minimum", 0, -0.25)
    assert nearest["distance"] < 1e-7
    assert record["settings"]["lr"] == sgd.report.settings["lr"]


def test_escape_is_the_first_evaluation_a_tenth_below_the_saddle(sgd: LandscapeResult) -> None:
    columns = sgd.columns
    at = sgd.report.escaped_at_evaluation
    frame = int(np.flatnonzero(columns["evaluations"] == at)[0])
    assert columns["loss"][frame] < -0.025 <= columns["loss"][frame - 1]
    assert math.isnan(landscape("rosenbrock", optimizer="sgd", steps=3).report.escaped_at_evaluation)
    held = landscape("saddle", optimizer="sgd", start=(0.5, 0.0)).report
    assert held.outcome == "converged", "a saddle is stationary, and the run says where it stands"
    assert math.isnan(held.escaped_at_evaluation)
    assert held.nearest_stationary_point is not None and held.nearest_stationary_point.index == 1
    assert json.loads(held.to_json())["escaped_at_evaluation"] is None


@pytest.mark.parametrize(
    ("optimizer", "overrides", "share"),
    [
        ("sgd", {}, 0.0),
        ("sgd", {"lr": 0.03}, 0.0),
        ("deo", {"mode": "off"}, 0.0),
        ("deo", {"mode": "project"}, 1.0),
        ("deo", {"mode": "project", "strength": 0.5}, 0.5),
        ("deo", {"mode": "reflect", "translation": "base"}, 2.0),
    ],
)
def test_growth_is_what_theory_predicts(optimizer: str, overrides: dict[str, Any], share: float) -> None:
    # Half of the curve bends upwards; on it c grows by 1 + lr (1 - share) 2 as long as c is small.
    report = landscape("saddle", optimizer=optimizer, settings=overrides, start=(0.3, 0.001), steps=25).report
    settings = report.settings
    rate = settings["lr"] if optimizer == "sgd" else settings["base"]["lr"]
    assert report.growth is not None and report.growth.steps >= 10
    assert report.growth.predicted == pytest.approx(1.0 + rate * (1.0 - share) * 2.0, rel=1e-12)
    assert report.growth.observed == pytest.approx(report.growth.predicted, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        *((name, None) for name in SURFACES),
        ("muller-brown", (1.062, 0.758)),  # it only crosses the line through the saddle, far from it
        ("beale", (-0.18, -2.409)),
        ("beale", (1.973, -4.356)),
    ],
)
def test_growth_is_measured_where_theory_holds(name: str, start: tuple[float, float] | None) -> None:
    growth = landscape(name, optimizer="sgd", start=start, steps=400).report.growth
    if growth is not None and growth.steps > 2:
        assert math.log(growth.observed) == pytest.approx(math.log(growth.predicted), rel=0.15)


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("saddle", {"mode": "project", "apply": "on-refresh"}),
        ("saddle", {"mode": "reflect", "translation": "base", "apply": "on-refresh"}),
        ("saddle", {"mode": "project", "rotations": 0}),
        ("saddle", {"mode": "project", "method": "fixed"}),
        ("strict-saddle-100", {"mode": "project"}),
    ],
)
def test_nothing_is_predicted_of_a_direction_that_is_not_used_or_not_the_lowest(
    name: str, overrides: dict[str, Any]
) -> None:
    growth = landscape(name, optimizer="deo", settings=overrides, steps=60).report.growth
    assert growth is not None and growth.steps > 5 and abs(growth.observed - 1.0) > 0.05
    assert math.isnan(growth.predicted)


def test_no_simple_prediction_is_no_number() -> None:
    constant = {"schedule": {"kind": "constant"}}
    assert predicted_factor({**constant, "lr": 0.1, "momentum": 0.0}, "sgd", -2.0) == pytest.approx(1.2)
    assert math.isnan(predicted_factor({**constant, "lr": 0.1, "momentum": 0.9}, "sgd", -2.0))
    assert math.isnan(predicted_factor({"schedule": {"kind": "cosine"}, "lr": 0.1}, "sgd", -2.0))
    assert math.isnan(predicted_factor({**constant, "lr": 0.1}, "adam", -2.0))
    escape = {**constant, "mode": "escape", "base": {"name": "sgd", "lr": 0.1}}
    assert math.isnan(predicted_factor(escape, "deo", -2.0))
    walk = {**escape, "mode": "reflect", "translation": "lbfgs"}
    assert math.isnan(predicted_factor(walk, "deo", -2.0))
    assert math.isnan(predicted_factor(None, "sgd", -2.0))


def raced(name: str) -> list[RaceEntry]:
    preset = next(preset for preset in PRESETS if preset.name == name)
    jobs = preset.jobs(LandscapeJob())
    runs = [open_job(job)[1] for _, job in jobs]
    Race([Entrant(title, run) for (title, _), run in zip(jobs, runs, strict=True)], preset.evaluations).complete()
    return [RaceEntry(title, job, run.recording) for (title, job), run in zip(jobs, runs, strict=True)]


def test_caption_of_the_saddle_race_tells_what_is_in_the_recordings() -> None:
    entries = raced("saddle-race")
    lines = race_caption(entries).splitlines()
    assert lines[0].startswith("x² − y² + y⁴ from (0.5, 0.0001), up to ")
    assert lines[0].endswith("; × is the growth of the unstable coordinate:")
    by_name = {entry.name: next(line for line in lines[1:] if line.startswith(f"{entry.name} ")) for entry in entries}
    for entry in entries:
        report = report_landscape(entry.job, entry.recording)
        if entry.name == "DEO project":
            assert "did not leave the saddle" in by_name[entry.name]
            assert "theory: 1.0000" in by_name[entry.name]
        else:
            assert f"left the saddle after {report.escaped_at_evaluation:g} evaluations, ×" in by_name[entry.name]
            assert len(by_name[entry.name]) < 120, "all entrants fit into the strip of a small window"
            assert "at the minimum" in by_name[entry.name]
    assert report_landscape(entries[0].job, entries[0].recording).growth is not None
    assert lines[1].startswith("DEO escape "), "who left first comes first"
    assert lines[-1].startswith("DEO project ")


def test_caption_exactly_on_the_ridge() -> None:
    text = race_caption(raced("ridge"))
    assert "×" not in text
    lines = {line.split(" ", 1)[0] + " " + line.split(" ")[1]: line for line in text.splitlines()[1:]}
    assert "left the saddle after" in lines["DEO escape"]
    for name in ("SGD did", "Adam did", "DEO project"):
        assert "did not leave the saddle" in lines[name]
        assert "stayed exactly 0" in lines[name] or "stayed 0 to rounding" in lines[name]
        assert "saddle of index 1" in lines[name]


def test_caption_without_frames_and_of_other_landscapes() -> None:
    job = job_from_options("saddle")
    assert race_caption([]) == ""
    assert race_caption([RaceEntry("Adam", job, Recording())]) == ""
    result = landscape("matrix-factorisation", optimizer="sgd", steps=40)
    assert "SGD left the saddle after" in race_caption([RaceEntry("SGD", result.job, result.recording)])
    ruined = landscape("saddle", optimizer="sgd", settings={"lr": 50.0})
    assert "diverged" in race_caption([RaceEntry("SGD", ruined.job, ruined.recording)])


@pytest.mark.parametrize("name", ["monkey-saddle", "flat-saddle", "deep-linear"])
def test_caption_where_second_derivatives_do_not_decide(name: str) -> None:
    result = landscape(name, optimizer="adam", evaluations=3)
    text = race_caption([RaceEntry("Adam", result.job, result.recording)])
    assert "did not leave the degenerate point in 3 evaluations" in text


def test_caption_tells_why_an_entrant_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import torch\n\nclass Stumbles(torch.optim.SGD):\n    def step(self, closure=None):\n"
    (tmp_path / "walkers_stumbles.py").write_text(source + '        raise RuntimeError("boom")\n', encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    result = landscape("saddle", optimizer="walkers_stumbles:Stumbles")
    assert result.report.outcome == "failed"
    text = race_caption([RaceEntry("Mine", result.job, result.recording)])
    assert text.endswith("Mine did not move; failed at step 1: RuntimeError: boom.")


def test_a_start_without_a_loss_wants_another_start() -> None:
    lost = landscape(formula="1/x + log(y)", start=(0.0, 0.0), optimizer="sgd")
    assert lost.report.message == "Diverged at the start: the loss is no finite number. Choose another start."
    fast = landscape("saddle", optimizer="sgd", settings={"lr": 50.0})
    assert "Try lr" in fast.report.message


def test_report_of_an_unfinished_and_of_an_empty_recording() -> None:
    job = job_from_options("himmelblau", optimizer="sgd")
    empty = report_landscape(job, Recording())
    assert empty.outcome == "running" and math.isnan(empty.loss) and empty.parameters is None
    assert "no point" in summarise("SGD", empty)
    run = open_job(job)[1]
    next(run)
    begun = report_landscape(job, run.recording)
    assert begun.steps == 0 and begun.parameters == pytest.approx(job.surface.start)
    run.cancel()


def test_diverged_run_reports_its_best_frame() -> None:
    report = landscape("saddle", optimizer="sgd", settings={"lr": 50.0}).report
    assert report.outcome == "diverged"
    assert report.best_step == 0 and report.loss == pytest.approx(0.25)


def test_summary_has_what_people_read_first(sgd: LandscapeResult) -> None:
    text = summarise("SGD", sgd.report)
    for word in ("Converged", "loss", "curvature", "nearest    minimum", "escape     after", "growth", "evaluations"):
        assert word in text
    plateau = landscape("deep-linear", optimizer="sgd", steps=2)
    assert plateau.report.parameters is None, "more than 16"
    assert "nearest" in summarise("SGD", plateau.report)


def test_saved_recording_gives_the_same_report(sgd: LandscapeResult, tmp_path: Path) -> None:
    loaded = Recording.load(sgd.recording.save(tmp_path / "recording.npz"))
    assert report_landscape(sgd.job, loaded).to_json() == sgd.report.to_json()
    assert run_landscape(sgd.job).points.tobytes() == sgd.points.tobytes()
    assert "saddle, converged" in repr(sgd)


def test_the_best_step_of_a_walk_is_where_its_gradient_is_least(tmp_path: Path) -> None:
    walk = landscape("muller-brown", optimizer="deo", settings={"mode": "reflect"}, start=(-0.03, 0.44))
    record = walk.report.to_dict()
    norms = walk.columns["gradient_norm"]
    assert record["best_step"] == 1 + int(np.argmin(norms[1:])) > 0
    assert int(np.argmin(walk.columns["loss"])) == 0, "the lowest loss is that of the start"
    read = Recording.load(walk.recording.save(tmp_path / "walk.npz"))
    assert report_landscape(walk.job, read).best_step == record["best_step"]
    caption = race_caption([RaceEntry("walk", walk.job, read)])
    assert caption.splitlines()[1].startswith("walk walked towards a saddle for") and "below" not in caption
