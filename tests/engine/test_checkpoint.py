"""Checkpoints: five and five steps are ten, bit by bit, also by way of a file or another process."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from lieapp.engine import checkpoint as checkpoints
from lieapp.engine import job as jobs
from lieapp.engine.checkpoint import Checkpoint, copied
from lieapp.engine.control import RunControl
from lieapp.engine.errors import EngineError
from lieapp.engine.job import OptimizerChoice, open_job, resume_job
from lieapp.engine.limits import Limits
from lieapp.engine.recording import Recording
from lieapp.engine.run import Run
from tests.engine.test_run import Stopping
from tests.engine.toy import AnchoredProblem, NoisyProblem, ToyJob, ToyProblem, quadratic, rosenbrock, toy_run

METHODS = [
    ("sgd", {"lr": 1e-3, "momentum": 0.9}),
    ("sgd", {"lr": 1e-3, "momentum": 0.9, "nesterov": True, "schedule.kind": "inverse-time"}),
    ("adam", {"lr": 0.05, "schedule.kind": "cosine", "schedule.steps": 10}),
    ("adamw", {"lr": 0.05, "schedule.kind": "warm-up"}),
    ("sophia", {"lr": 0.05}),
    ("sophia", {"lr": 0.05, "estimator": "hutchinson", "update_interval": 3}),
    ("lbfgs", {}),
    ("saddle-free-newton", {}),
    ("rmsprop", {"lr": 0.01}),
    ("adagrad", {}),
]


def limits(steps: int) -> Limits:
    return Limits(steps=steps, gtol=0.0, ftol=0.0, divergence=False)


def assert_same(a: Recording, b: Recording) -> None:
    assert a.columns == b.columns and len(a) == len(b) and a.best == b.best
    for name in a.columns:
        if name != "seconds":
            assert a.column(name).tobytes() == b.column(name).tobytes(), name
    for frame in range(len(a)):
        assert a.kept(frame) == b.kept(frame)
        for key in a.state_keys:
            assert a.state(frame)[key].tobytes() == b.state(frame)[key].tobytes()


@pytest.mark.parametrize(("name", "overrides"), METHODS)
@pytest.mark.parametrize("make", [rosenbrock, NoisyProblem, AnchoredProblem])
@pytest.mark.parametrize("by_file", [False, True])
def test_five_and_five_are_ten(name: str, overrides: dict, make: Callable, by_file: bool, tmp_path: Path) -> None:
    whole = toy_run(make(), name, overrides, limits=limits(10))
    whole.complete()
    half = toy_run(make(), name, overrides, limits=limits(5))
    half.complete()
    checkpoint = half.checkpoint()
    if by_file:
        checkpoint = Checkpoint.load(checkpoint.save(tmp_path / "run.pt"))
    rest = toy_run(make(), name, overrides, limits=limits(10))
    rest.restore(checkpoint)
    assert [frame.index for frame in rest] == [6, 7, 8, 9, 10]
    assert_same(whole.recording, rest.recording)
    assert rest.outcome == whole.outcome
    assert (np.diff(rest.recording.column("seconds")) > 0).all()


def test_resume_builds_and_restores() -> None:
    half = toy_run(rosenbrock(), "adam", limits=limits(5))
    half.complete()
    problem = rosenbrock()
    optimizer = torch.optim.Adam(problem.parameters(), lr=99.0)  # the checkpoint's own settings win
    rest = Run.resume(problem, optimizer, half.checkpoint(), settings=half.settings, limits=limits(10))
    rest.complete()
    whole = toy_run(rosenbrock(), "adam", limits=limits(10))
    whole.complete()
    assert_same(whole.recording, rest.recording)


def test_a_checkpoint_is_untouched_by_what_follows() -> None:
    run = toy_run(NoisyProblem(), "adam", limits=limits(10))
    for frame in run:
        if frame.index == 5:
            break
    checkpoint = run.checkpoint()
    run.complete()
    for _ in range(2):
        again = toy_run(NoisyProblem(), "adam", limits=limits(10))
        again.restore(checkpoint)
        again.complete()
        assert_same(run.recording, again.recording)


def test_taking_checkpoints_changes_nothing() -> None:
    plain, watched = (toy_run(NoisyProblem(), "lbfgs", limits=limits(10)) for _ in range(2))
    plain.complete()
    for _ in watched:
        watched.checkpoint()
    assert_same(plain.recording, watched.recording)


def test_jobs_resume() -> None:
    choice = OptimizerChoice(name="adam", overrides={"lr": 0.1})
    whole = open_job(ToyJob(optimizer=choice, limits=limits(10)))[1]
    whole.complete()
    half = open_job(ToyJob(optimizer=choice, limits=limits(5)))[1]
    half.complete()
    rest = resume_job(ToyJob(optimizer=choice, limits=limits(10)), half.checkpoint())[1]
    rest.complete()
    assert_same(whole.recording, rest.recording)
    assert rest.recording.metadata["limits"]["steps"] == 10


@pytest.fixture(autouse=True)
def toy_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOB_KINDS", {**jobs.JOB_KINDS, "toy": "tests.engine.toy:ToyJob"})


def test_extra_generators_are_kept() -> None:
    class Shaken(ToyProblem):
        """Draws from a generator that somebody else keeps."""

        def after_step(self, optimizer: torch.optim.Optimizer) -> None:
            with torch.no_grad():
                self.point += 0.1 * torch.randn(2, generator=shared, dtype=torch.float64)

    def run(steps: int) -> Run:
        problem = Shaken(lambda x: (x * x).sum(), [1.0, 2.0])
        return toy_run(problem, "sgd", {"lr": 0.1}, limits=limits(steps), generators={"noise": shared})

    shared = torch.Generator().manual_seed(1)
    whole = run(10)
    whole.complete()
    shared = torch.Generator().manual_seed(1)
    half = run(5)
    half.complete()
    checkpoint = half.checkpoint()
    shared = torch.Generator().manual_seed(99)
    rest = run(10)
    rest.restore(checkpoint)
    rest.complete()
    assert_same(whole.recording, rest.recording)
    with pytest.raises(EngineError, match="noise"):
        toy_run(quadratic(), "sgd").restore(checkpoint)


@pytest.mark.parametrize("name", ["lbfgs", "sophia", "saddle-free-newton", "adam"])
@pytest.mark.parametrize("at", [8, 13])
def test_a_stop_in_the_middle_of_a_step_leaves_a_position_to_go_on_from(name: str, at: int) -> None:
    control = RunControl()
    stopped = toy_run(Stopping(control, at), name, control=control, limits=limits(20), checkpoint_seconds=0.0)
    stopped.complete()
    checkpoint = stopped.checkpoint()
    frame = checkpoint.position.frame
    assert len(stopped.recording) - 2 <= frame < len(stopped.recording)
    whole = toy_run(rosenbrock(), name, limits=limits(20))
    whole.complete()
    rest = toy_run(rosenbrock(), name, limits=limits(20))
    rest.restore(checkpoint)
    rest.complete()
    assert_same(whole.recording, rest.recording)


def test_a_paused_control_holds_a_restored_run_and_an_idle_one_starts() -> None:
    half = toy_run(quadratic(), limits=limits(2))
    half.complete()
    control = RunControl()
    rest = toy_run(quadratic(), limits=limits(4), control=control)
    rest.restore(half.checkpoint())
    control.step_once()
    assert next(rest).index == 3
    control.stop()
    assert rest.complete().kind == "cancelled"
    rest = toy_run(quadratic(), limits=limits(4), control=RunControl())
    rest.restore(half.checkpoint())
    assert rest.complete().kind == "limit"


def test_the_stopping_rules_remember() -> None:
    whole = toy_run(quadratic(), "sgd", {"lr": 0.5})
    assert whole.complete().kind == "converged"
    half = toy_run(quadratic(), "sgd", {"lr": 0.5}, limits=Limits(steps=len(whole.recording) - 6))
    half.complete()
    rest = toy_run(quadratic(), "sgd", {"lr": 0.5})
    rest.restore(half.checkpoint())
    rest.complete()
    assert rest.outcome == whole.outcome and len(rest.recording) == len(whole.recording)


# Files


def test_the_file_is_always_whole_and_in_the_end_the_last_frame(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    run = toy_run(rosenbrock(), "adam", limits=limits(8), checkpoint_path=path, checkpoint_seconds=0.0)
    for frame in run:
        if frame.index > 0:
            assert Checkpoint.load(path).position.frame == frame.index
        assert len(list(tmp_path.iterdir())) <= 1
    assert Checkpoint.load(path).position.frame == 8
    quiet = toy_run(rosenbrock(), "adam", limits=limits(8), checkpoint_path=path, checkpoint_seconds=1e9)
    quiet.complete()
    assert Checkpoint.load(path).position.frame == 8


def test_a_killed_run_goes_on_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    code = f"""
import os
from tests.engine.toy import NoisyProblem, toy_run
from tests.engine.test_checkpoint import limits
run = toy_run(NoisyProblem(), "adam", limits=limits(10), checkpoint_path={str(path)!r}, checkpoint_seconds=0.0)
for frame in run:
    if frame.index == 5:
        os._exit(9)
"""
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 9
    rest = toy_run(NoisyProblem(), "adam", limits=limits(10))
    rest.restore(Checkpoint.load(path))
    assert [frame.index for frame in rest] == [6, 7, 8, 9, 10]
    whole = toy_run(NoisyProblem(), "adam", limits=limits(10))
    whole.complete()
    assert_same(whole.recording, rest.recording)


def test_a_file_that_cannot_be_written_does_not_end_the_run(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "run.pt"
    run = toy_run(rosenbrock(), "adam", limits=limits(8), checkpoint_path=path, checkpoint_seconds=0.0)
    assert run.complete().kind == "limit"
    (warning,) = run.recording.metadata["warnings"]
    assert str(path) in warning
    with pytest.raises(EngineError, match="missing"):
        run.checkpoint().save(path)


def test_large_states_are_thinned_in_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mapped(ToyProblem):
        def state(self) -> dict[str, np.ndarray]:
            return {"map": np.full((30, 30, 30), self.point.detach().numpy()[0])}

    def run(steps: int) -> Run:
        return toy_run(Mapped(lambda x: (x * x).sum(), [1.0]), "sgd", {"lr": 0.1}, limits=limits(steps))

    size = 27_000 * 8
    monkeypatch.setattr(checkpoints, "STATE_BYTES", 4 * size)
    half = run(20)
    half.complete()
    checkpoint = half.checkpoint()
    assert checkpoint.kept.tolist() == [0, 8, 16, 20]
    rest = run(40)
    rest.restore(checkpoint)
    rest.complete()
    whole = run(40)
    whole.complete()
    for name in ("loss", "evaluations"):
        assert whole.recording.column(name).tobytes() == rest.recording.column(name).tobytes()
    for frame in range(41):
        kept = rest.recording.kept(frame)
        np.testing.assert_array_equal(rest.recording.state(frame)["map"], whole.recording.state(kept)["map"])


def test_what_does_not_fit_is_refused() -> None:
    run = toy_run(rosenbrock(), "adam", limits=limits(3))
    with pytest.raises(EngineError, match="no frame"):
        run.checkpoint()
    run.complete()
    checkpoint = run.checkpoint()
    with pytest.raises(EngineError, match="shapes"):
        toy_run(NoisyProblem(), "adam").restore(checkpoint)
    with pytest.raises(EngineError, match="not begun"):
        run.restore(checkpoint)
    other = rosenbrock()
    optimizer = torch.optim.Adam([{"params": [other.point]}, {"params": [torch.zeros(1, requires_grad=True)]}])
    with pytest.raises(EngineError, match="optimiser"):
        Run(other, optimizer).restore(checkpoint)


def test_only_plain_values_are_kept() -> None:
    assert copied({"a": [1, (2.5, None)], "b": np.float64(3.0)}, "x") == {"a": [1, (2.5, None)], "b": 3.0}
    with pytest.raises(EngineError, match=r"problem\['list'\]\[1\] holds a object"):
        copied({"list": [0, object()]}, "problem")
    tensor = torch.zeros(2)
    copy = copied(tensor, "x")
    tensor += 1
    assert copy.tolist() == [0.0, 0.0]


def test_an_optimizer_with_a_state_of_its_own_kind_runs_without_checkpoints() -> None:
    problem = quadratic()
    optimizer = torch.optim.SGD([problem.point], lr=0.1)
    optimizer.param_groups[0]["callback"] = print
    run = Run(problem, optimizer, limits=limits(3))
    assert run.complete().kind == "limit"
    assert "callback" in run.recording.metadata["warnings"][0]
    with pytest.raises(EngineError, match="callback"):
        run.checkpoint()


def test_garbage_is_refused_in_one_line_that_names_the_file(tmp_path: Path) -> None:
    run = toy_run(rosenbrock(), "adam", limits=limits(3))
    run.complete()
    good = run.checkpoint().save(tmp_path / "good.pt").read_bytes()
    torch.save({"format": "other"}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save(ToyProblem, tmp_path / "pickle.pt")
    torch.save({"format": "lieapp-checkpoint", "version": 99}, tmp_path / "newer.pt")
    torch.save({"format": "lieapp-checkpoint", "version": 1, "position": {}}, tmp_path / "bare.pt")
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("a", "b")
    contents = {
        "empty": b"",
        "text": b"ATOM      1  N   MET A   1",
        "half": good[: len(good) // 2],
        **{
            name: (tmp_path / f"{name}.pt").read_bytes() for name in ("other", "list", "pickle", "newer", "bare", "zip")
        },
    }
    for name, data in contents.items():
        path = tmp_path / f"victim-{name}.pt"
        path.write_bytes(data)
        with pytest.raises(EngineError, match=f"victim-{name}") as caught:
            Checkpoint.load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(EngineError, match="no such file"):
        Checkpoint.load(tmp_path / "none.pt")
