"""Which frame is the best: of the lowest loss, or of the least gradient norm after a climb; kept by files and all."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lieapp.engine.best import BestFrame, name_of_best, read_best_by
from lieapp.engine.checkpoint import Checkpoint
from lieapp.engine.control import RunControl
from lieapp.engine.errors import EngineError
from lieapp.engine.limits import Limits
from lieapp.engine.recording import Recording
from lieapp.engine.run import Run
from tests.engine.toy import ToyProblem, toy_run

CLIMB = {"best_by": "gradient_norm"}
REFLECT = {"mode": "reflect", "trust_radius": 0.1}


def double_well(start: tuple[float, float] = (-1.0, 0.0)) -> ToyProblem:
    """(x² - 1)² + y²: minima at x = ±1, where a walk may start, and a saddle of loss 1 between them."""
    return ToyProblem(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2, list(start))


def recorded(norms: list[float], *, by: dict[str, str] = CLIMB, state_bytes: int = 8, **budget: int) -> Recording:
    """A recording of gradient norms whose losses rise all the way."""
    recording = Recording(dict(by), **budget)
    for frame, norm in enumerate(norms):
        recording.append(
            {"loss": float(frame), "gradient_norm": norm}, {"map": np.full(state_bytes // 8, float(frame))}
        )
    return recording


@pytest.mark.parametrize(
    ("norms", "best"),
    [
        ([0.0, 3.0, 5.0, 2.0, 1e-9], 4),  # from a minimum
        ([0.0, 3.0, 5.0], 0),  # still rising: nothing better is known than the start
        ([0.0, 3.0, 5.0, 4.0], 3),
        ([9.0, 5.0, 1e-3], 2),  # from a slope
        ([0.0, 5.0, 1.0, 1.0, 7.0, 900.0], 2),  # the first of equal ones; what diverges later changes nothing
        ([0.0, 5.0, math.nan, 1.0, math.inf, math.nan], 3),
        ([math.nan, math.inf, 2.0, 1.0], 3),
        ([math.nan], 0),
        ([0.0, 0.0], 0),
    ],
)
def test_the_best_of_a_climb_has_the_least_gradient_after_it(norms: list[float], best: int) -> None:
    recording = recorded(norms)
    assert (recording.best, recording.best_by) == (best, "gradient_norm")
    assert recorded(norms, by={}).best == 0, "losses rise: without a climb the start is the best"


numbers = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40)


@given(numbers)
def test_the_best_of_a_climb_is_what_the_words_say(norms: list[float]) -> None:
    finite = [math.isfinite(norm) for norm in norms]
    counting = [
        frame
        for frame, norm in enumerate(norms)
        if finite[frame] and any(finite[k] and norms[k] > norm for k in range(frame))
    ]
    expected = min(counting, key=lambda frame: norms[frame]) if counting else 0
    assert BestFrame("gradient_norm").among(norms).frame == expected


@given(numbers)
def test_the_best_otherwise_has_the_lowest_loss(losses: list[float]) -> None:
    finite = [frame for frame, loss in enumerate(losses) if math.isfinite(loss)]
    assert BestFrame().among(losses).frame == (min(finite, key=lambda frame: losses[frame]) if finite else 0)


def test_what_decides_is_one_of_two() -> None:
    assert (read_best_by(None), read_best_by("loss"), read_best_by("gradient_norm")) == (
        "loss",
        "loss",
        "gradient_norm",
    )
    with pytest.raises(EngineError, match="not by 'rmsd'"):
        Recording({"best_by": "rmsd"}).append({"loss": 1.0}, {"map": np.zeros(1)})
    assert name_of_best("pose", "loss") == "best pose"
    assert name_of_best("pose", "gradient_norm") == "pose of least gradient"


def test_the_state_of_the_best_outlives_thinning() -> None:
    norms = [0.0, *np.linspace(1.0, 50.0, 37), 1e-6, *np.linspace(1.0, 2.0, 61)]
    recording = recorded(norms, state_bytes=800, snapshot_budget_bytes=800 * 9)
    assert recording.best == 38 and recording.kept(38) == 38
    np.testing.assert_array_equal(recording.state(38)["map"], 38.0)


def test_files_know_what_decides(tmp_path: Path) -> None:
    recording = recorded([0.0, 3.0, 5.0, 2.0, 4.0])
    read = Recording.load(recording.save(tmp_path / "run.npz"))
    assert (read.best, read.best_by) == (3, "gradient_norm")
    read.append({"loss": 0.0, "gradient_norm": 3.0}, {"map": np.zeros(1)})
    assert read.best == 3, "its value is known again"
    read.append({"loss": 9.0, "gradient_norm": 1.0}, {"map": np.zeros(1)})
    assert read.best == 6
    with np.load(recording.save(tmp_path / "run.npz")) as archive:
        header = json.loads(archive["header"].tobytes())
    assert header["best"] == 3 and header["metadata"] == CLIMB


def test_a_walk_ends_at_its_best_frame_and_other_runs_at_their_lowest() -> None:
    walk = toy_run(double_well(), "deo", REFLECT, limits=Limits(steps=200))
    assert walk.complete().kind == "converged"
    norms, losses = walk.recording.column("gradient_norm"), walk.recording.column("loss")
    best = walk.recording.best
    assert losses[0] == norms[0] == 0.0, "it starts in a minimum"
    assert best == 1 + int(np.argmin(norms[1:])) and losses[best] == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(walk.recording.state(best)["point"], 0.0, atol=1e-8)
    for mode in ("escape", "project", "off"):
        other = toy_run(double_well((-0.4, 0.5)), "deo", {"mode": mode}, limits=Limits(steps=50))
        other.complete()
        assert other.recording.best_by == "loss"
        assert other.recording.best == int(np.argmin(other.recording.column("loss")))


def test_a_walk_that_is_stopped_says_what_it_kept() -> None:
    control = RunControl()
    walk = toy_run(double_well(), "deo", REFLECT, control=control)
    for _ in zip(range(6), walk, strict=False):
        pass
    control.stop()
    message = walk.cancel().message
    row = walk.recording.row(walk.recording.best)
    assert f"Frame of least gradient kept (gradient norm {row['gradient_norm']:.2g}, loss" in message
    assert "Best frame" not in message


def test_a_resumed_walk_has_the_same_best_frame(tmp_path: Path) -> None:
    limits = Limits(steps=200)
    whole = toy_run(double_well(), "deo", REFLECT, limits=limits)
    whole.complete()
    half = toy_run(double_well(), "deo", REFLECT, limits=limits)
    for _ in zip(range(len(whole.recording) // 2), half, strict=False):
        pass
    checkpoint = Checkpoint.load(half.checkpoint().save(tmp_path / "checkpoint.pt"))
    assert checkpoint.metadata["best_by"] == "gradient_norm"
    rest = toy_run(double_well(), "deo", REFLECT, limits=limits)
    rest.restore(checkpoint)
    assert rest.recording.best == half.recording.best
    rest.complete()
    assert rest.recording.best == whole.recording.best


def test_a_checkpoint_of_earlier_frames_has_the_best_of_these() -> None:
    """A run ended within a step goes back to an earlier position; the best frame after it is not of it."""
    from lieapp.engine.recording_file import recording_arrays

    recording = recorded([0.0, 3.0, 5.0, 2.0, 1.0])
    assert [json.loads(recording_arrays(recording, frames, 2**20)[0])["best"] for frames in (3, 4, 5)] == [0, 3, 4]


def test_any_optimizer_that_climbs_counts() -> None:
    class Uphill(torch.optim.SGD):
        climbs = True

    problem = double_well((-0.9, 0.0))
    run = Run(problem, Uphill(problem.parameters(), lr=0.01, maximize=True), limits=Limits(steps=20))
    run.complete()
    assert run.recording.best_by == "gradient_norm"
