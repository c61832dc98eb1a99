"""Sweeps: every run is the run that the job describes, and medians are those of its runs."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from lieapp.cli import main
from lieapp.engine.control import RunControl
from lieapp.errors import LieAppError
from lieapp.export.landscape_studies import write_study
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.problem import open_landscape
from lieapp.landscapes.report import report_landscape
from lieapp.landscapes.spec import LandscapeJob
from lieapp.landscapes.study_summary import band_text, missing_word, summarise_sweep, sweep_cost, time_left
from lieapp.landscapes.sweep import (
    MEASURES,
    Band,
    SweepProgress,
    SweepResult,
    SweepSpec,
    check_sweep,
    numeric_settings,
    parse_range,
    run_sweep,
)
from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.settings import DEOSettings, SGDSettings

LIMITS = {"steps": 2000, "evaluations": 80.0}


def spec_of(text: str, optimizer: str = "sgd", seeds: int = 3, name: str = "saddle", **options: object) -> SweepSpec:
    job = LandscapeJob(landscape=name, limits=LIMITS, **options).with_optimizer(optimizer)  # type: ignore[arg-type]
    return SweepSpec(job, parse_range(text), seeds)


@pytest.fixture(scope="module")
def found() -> SweepResult:
    return run_sweep(spec_of("lr=0.01:1:3", seeds=5))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=1e-4:1:5", (1e-4, 1e-3, 1e-2, 0.1, 1.0)),
        ("lr=1:1e-2:3", (1.0, 0.1, 0.01)),
        ("momentum=0:0.9:4:linear", (0.0, 0.3, 0.6, 0.9)),
        ("lr=0:1:3", (0.0, 0.5, 1.0)),
        ("lr=0.3:0.5:1", (0.3,)),
    ],
)
def test_range_is_read(text: str, values: tuple[float, ...]) -> None:
    assert parse_range(text).values() == pytest.approx(values, rel=1e-12)
    assert parse_range(parse_range(text).text) == parse_range(text)


def test_settings_know_their_scale() -> None:
    assert parse_range("momentum=0.1:0.9:3", SGDSettings).scale == "linear"
    assert parse_range("lr=0.1:0.9:3", SGDSettings).scale == "log"
    assert parse_range("momentum=0.1:0.9:3:log", SGDSettings).scale == "log"
    assert parse_range("update_interval=1:8:9").values(whole=True) == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    assert {"base.lr", "trust_radius", "rotations", "schedule.decay"} <= numeric_settings(DEOSettings).keys()
    assert not {"mode", "adaptive", "base.name", "base.betas"} & numeric_settings(DEOSettings).keys()


@pytest.mark.parametrize("text", ["lr", "lr=1:2", "lr=a:2:3", "lr=1:2:3:cubic", "=1:2:3", "lr=1:2:0", "lr=-1:2:3:log"])
def test_wrong_ranges_are_refused(text: str) -> None:
    with pytest.raises(LandscapeError, match=r"expected|needs"):
        parse_range(text)


def test_wrong_settings_are_refused_before_anything_runs() -> None:
    with pytest.raises(OptimizerError, match="nearest: lr"):
        run_sweep(spec_of("lrr=0.1:1:3"))
    with pytest.raises(OptimizerError, match="lr"):
        run_sweep(spec_of("lr=-1:1:3"))
    with pytest.raises(OptimizerError, match="mode"):
        run_sweep(spec_of("mode=1:2:3", "deo"))


def test_runs_are_those_of_the_job(found: SweepResult) -> None:
    assert [(run.value, run.seed) for run in found.runs] == [(v, s) for v in (0.01, 0.1, 1.0) for s in range(5)]
    spec = found.spec
    for run in found.runs[2::5]:
        job = spec.job.with_optimizer("sgd", {"lr": run.value}).changed(start=spec.start(run.seed), seed=run.seed)
        recording = open_landscape(job)[1]
        recording.complete()
        report = report_landscape(job, recording.recording)
        assert (run.loss, run.evaluations, run.outcome) == (report.loss, report.evaluations, report.outcome)
        np.testing.assert_equal(run.escaped_at, report.escaped_at_evaluation)
        assert report.nearest_stationary_point is not None
        assert run.distance == report.nearest_stationary_point.distance
        assert run.nearest == f"{report.nearest_stationary_point.kind} {report.nearest_stationary_point.index}"


def test_starts_lie_at_the_declared_distance_in_many_directions(found: SweepResult) -> None:
    spec = found.spec
    places = np.array([spec.start(seed) for seed in range(5)]) - (0.5, 0.0001)
    np.testing.assert_allclose(np.hypot(*places.T), spec.distance, rtol=1e-9)
    assert len({round(angle, 6) for angle in np.arctan2(*places.T).tolist()}) == 5
    assert spec.start(3) == spec.start(3)
    assert spec_of("lr=0.01:1:3", seeds=1).start(0) == (0.5, 0.0001)
    assert SweepSpec(spec.job, spec.range, 5, displacement=0.25).distance == 0.25


def test_seeds_draw_the_starts_of_high_dimensional_landscapes() -> None:
    result = run_sweep(spec_of("lr=0.1:0.2:2", seeds=2, name="strict-saddle-100"))
    assert len({run.loss for run in result.runs}) == 4
    assert result.spec.distance == 0.0
    assert all(run.nearest.startswith(("saddle", "minimum")) for run in result.runs)


def test_bands_are_quantiles_of_the_runs(found: SweepResult) -> None:
    for measure in MEASURES:
        for band in found.bands(measure):
            numbers = [run.measure(measure) for run in found.runs if run.value == band.value]
            assert (band.runs, band.reached) == (5, sum(map(math.isfinite, numbers)))
            assert band.low <= band.median <= band.high
            if all(map(math.isfinite, numbers)):
                low, median, high = np.quantile(numbers, (0.1, 0.5, 0.9))
                assert (band.low, band.median, band.high) == pytest.approx((low, median, high))
    # A tenth of the stable step leaves later than the stable step; ten times it never does.
    slow, fast, wild = found.bands("escaped_at")
    assert fast.median < 60.0 < slow.median == math.inf
    assert wild.reached == 0
    assert found.best("escaped_at") == fast


def test_runs_that_never_came_there_count_as_infinite() -> None:
    spec = spec_of("lr=0.01:0.03:4", seeds=5)
    for band in run_sweep(spec).bands("escaped_at"):
        if 0 < band.reached < band.runs:
            assert band.high == math.inf
        assert (band.median == math.inf) == (band.reached <= band.runs // 2)


def test_cost_is_stated_and_counted(found: SweepResult) -> None:
    assert "15 runs of at most 80 evaluations" in sweep_cost(found.spec)
    assert found.evaluations == sum(run.evaluations for run in found.runs) <= found.spec.most_evaluations
    text = summarise_sweep("SGD", found)
    assert "never (0/5)" in text
    assert "15 runs" in text
    head, *rows = text.splitlines()[1:5]
    assert all(words in head for words in MEASURES.values())
    assert "escaped_at" not in text and "converged_at" not in text
    assert {len(line) for line in rows} == {len(head)}


def test_a_missing_loss_is_a_divergence() -> None:
    band = Band(1.0, 0.5, -0.25, math.inf, 4, 5)
    assert band_text(band) == "0.5 (-0.25 to never) 4/5"
    assert band_text(band, missing_word("loss")) == "0.5 (-0.25 to diverged) 4/5"
    text = summarise_sweep("SGD", run_sweep(spec_of("lr=50:60:2")))
    assert "diverged (0/3)" in text and "never (0/3)" in text


@pytest.mark.parametrize(("text", "words"), [("speed=1:2:3", "no setting speed"), ("lr=0:1:3:linear", "above 0")])
def test_values_are_checked_without_a_run(text: str, words: str) -> None:
    with pytest.raises(LieAppError, match=words):
        check_sweep(spec_of(text))
    check_sweep(spec_of("lr=0.1:1:3"))


@pytest.mark.parametrize(
    ("fraction", "seconds", "words"),
    [
        (0.0, 5.0, ""),
        (0.5, 0.2, ""),
        (0.5, 2.0, "about 2 s left"),
        (1.0, 2.0, "about 1 s left"),
        (0.01, 6.0, "about 10 min left"),
        (0.001, 20.0, "about 6 h left"),
    ],
)
def test_time_left_as_people_say_it(fraction: float, seconds: float, words: str) -> None:
    assert time_left(fraction, seconds) == words


def test_stopping_keeps_what_is_done() -> None:
    control = RunControl()

    def tell(progress: SweepProgress) -> None:
        if progress.done == 2:
            control.stop()

    result = run_sweep(spec_of("lr=0.01:1:3"), control=control, progress=tell)
    assert len(result.runs) == 2
    assert not result.complete
    assert "Stopped after 2 of 9" in summarise_sweep("SGD", result)


def test_table_and_figure(found: SweepResult, tmp_path: Path) -> None:
    (table,) = write_study(found, tmp_path / "sweep.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 15
    expected = (
        "landscape optimizer setting value seed evaluations escaped_at converged_at loss outcome nearest distance"
    )
    assert list(rows[0]) == expected.split()
    for row, run in zip(rows, found.runs, strict=True):
        assert (float(row["value"]), int(row["seed"]), float(row["loss"])) == (run.value, run.seed, run.loss)
        assert row["escaped_at"] == ("" if math.isnan(run.escaped_at) else repr(run.escaped_at))
    (figure,) = write_study(found, tmp_path / "sweep.svg", measure="escaped_at")
    assert "evaluations to leave the saddle" in figure.read_text(encoding="utf-8")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "saddle", "--optimizer", "deo", "--sweep", "base.lr=0.01:0.1:2", "--seeds", "2"]
    assert main([*words, "--evaluations", "40", "--out", str(tmp_path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["setting"], record["values"], record["runs"]) == ("base.lr", [0.01, 0.1], 4)
    assert [band["reached"] for band in record["bands"]["escaped_at"]] == [2, 2]
    rows = list(csv.DictReader((tmp_path / "sweep.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["value"]) for row in rows] == [0.01, 0.01, 0.1, 0.1]
    assert json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8")) == record
    assert main([*words[:4], "--sweep", "lr=1:2"]) == 2
    assert "expected KEY=LOW:HIGH:COUNT" in capsys.readouterr().err


def test_command_sweeps_several_optimisers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["landscape", "saddle", "--optimizer", "sgd", "--optimizer", "adam", "--sweep", "lr=0.01:0.1:2"]
    assert main([*words, "--seeds", "1", "--evaluations", "30", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "2 runs of at most 30 evaluations" in shown.replace("\N{NO-BREAK SPACE}", " ")
    assert (tmp_path / "sweep-sgd.csv").exists()
    assert (tmp_path / "sweep-adam.csv").exists()


def test_command_sweeps_a_class_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "import torch\n\nclass Own_Descent(torch.optim.SGD):\n    pass\n"
    (tmp_path / "swept_descent.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["landscape", "saddle", "--sweep", "lr=0.01:0.1:2", "--seeds", "2", "--evaluations", "20", "--json"]
    assert main([*words, "--optimizer", "swept_descent:Own_Descent", "--optimizer", "sgd"]) == 0
    own, named = json.loads(capsys.readouterr().out)["sweeps"]
    assert own["optimizer"] == "swept_descent:Own_Descent"
    assert own["bands"] == named["bands"]


def test_a_median_that_is_missing_says_for_how_many() -> None:
    assert band_text(Band(1.0, math.inf, 3.0, math.inf, 5, 10), "diverged") == "diverged for 5 of 10"
    assert band_text(Band(1.0, math.inf, math.inf, math.inf, 0, 10)) == "never (0/10)"
    assert band_text(Band(1.0, 4.0, 3.0, math.inf, 9, 10)) == "4 (3 to never) 9/10"
