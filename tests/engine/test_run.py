"""Runs: what a frame holds, what it costs, and every way in which a run ends."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lieapp.engine.control import RunControl, RunState
from lieapp.engine.errors import EngineError
from lieapp.engine.limits import Limits
from lieapp.engine.recording import Recording
from lieapp.engine.run import BASE_COLUMNS, Run
from lieapp.optimizers.oracle import AutogradOracle
from tests.engine.toy import AnchoredProblem, NoisyProblem, ToyProblem, quadratic, rosenbrock, toy_run

EVERY = ["sgd", "adam", "adamw", "sophia", "lbfgs", "saddle-free-newton", "rmsprop"]
NEVER = {"gtol": 0.0, "ftol": 0.0}


# Frames


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("make", [quadratic, rosenbrock, NoisyProblem, AnchoredProblem])
def test_loss_gradient_and_state_of_a_frame_belong_together(name: str, make: Callable[[], ToyProblem]) -> None:
    problem = make()
    for frame in toy_run(problem, name, limits=Limits(steps=12, divergence=False)):
        # Computed afresh, right at the frame, without any part of the engine.
        point = problem.point.detach().clone().requires_grad_(True)
        loss = problem.function(point)
        loss.backward()
        assert frame.loss == float(loss.detach())
        assert frame.gradient_norm == pytest.approx(float(point.grad.norm()), rel=1e-12)
        np.testing.assert_array_equal(frame.state["point"], problem.state()["point"])


def test_recorded_frames_are_those_yielded() -> None:
    run = toy_run(quadratic(), "adam", limits=Limits(steps=7))
    frames = list(run)
    recording = run.recording
    assert [frame.index for frame in frames] == list(range(8)) == recording.column("step").tolist()
    assert recording.columns == (*BASE_COLUMNS, "distance")
    for frame in frames:
        row = recording.row(frame.index)
        assert (row["loss"], row["gradient_norm"], row["evaluations"]) == (
            frame.loss,
            frame.gradient_norm,
            frame.evaluations,
        )
        np.testing.assert_array_equal(recording.state(frame.index)["point"], frame.state["point"])
        assert row["distance"] == pytest.approx(np.linalg.norm(frame.state["point"]))


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("make", [quadratic, NoisyProblem, AnchoredProblem])
def test_a_gradient_a_step_costs_one_evaluation_a_step(name: str, make: Callable[[], ToyProblem]) -> None:
    problem = make()
    run = toy_run(problem, name, limits=Limits(steps=25, **NEVER))
    run.complete()
    np.testing.assert_array_equal(run.recording.column("evaluations"), np.arange(26))
    assert problem.evaluated == 26  # looking at the last frame computed one more, and no step computed any twice


@pytest.mark.parametrize("name", EVERY)
def test_costs_are_those_of_the_questions_asked(name: str) -> None:
    run = toy_run(rosenbrock(), name, limits=Limits(steps=15, **NEVER, divergence=False))
    run.complete()
    table = run.recording.table()
    costs = run.problem.oracle.costs
    np.testing.assert_allclose(
        table["evaluations"],
        costs.gradient * table["gradients"] + costs.loss * table["losses"] + costs.hvp * table["hvps"],
    )
    assert table["evaluations"][0] == 0.0
    assert (np.diff(table["evaluations"]) >= 1.0).all()
    assert run.evaluations == table["evaluations"][-1]
    if name in ("sophia", "saddle-free-newton"):
        np.testing.assert_array_equal(table["hvps"], 2.0 * np.arange(16))


def test_stochastic_batches_are_seen_by_frame_and_optimizer_alike() -> None:
    problem = NoisyProblem()
    centres = []
    run = toy_run(problem, "sgd", {"lr": 0.25}, limits=Limits(steps=10, **NEVER))
    for _ in run:
        centres.append(problem.centre.clone())
    points = run.recording.states("point")
    for k in range(10):
        expected = points[k] - 0.25 * 2.0 * (points[k] - centres[k].numpy())
        np.testing.assert_allclose(points[k + 1], expected, atol=1e-15)


def test_re_anchoring_changes_nothing_but_the_coordinates() -> None:
    plain, anchored = quadratic(), AnchoredProblem()
    runs = [toy_run(problem, "adam", {"lr": 0.1}, limits=Limits(steps=50)) for problem in (plain, anchored)]
    for run in runs:
        run.complete()
    np.testing.assert_allclose(runs[0].recording.states("point"), runs[1].recording.states("point"), atol=1e-12)


def test_same_run_same_recording() -> None:
    runs = [toy_run(NoisyProblem(3), "sophia", {"estimator": "hutchinson"}, limits=Limits(steps=20)) for _ in range(2)]
    for run in runs:
        run.complete()
    for name in runs[0].recording.columns:
        if name != "seconds":
            assert runs[0].recording.column(name).tobytes() == runs[1].recording.column(name).tobytes()


def test_the_global_generator_is_never_used() -> None:
    before = torch.get_rng_state()
    toy_run(NoisyProblem(), "sophia", {"estimator": "hutchinson"}, limits=Limits(steps=5)).complete()
    assert torch.equal(before, torch.get_rng_state())


def test_the_schedule_applies_to_every_group() -> None:
    problem = quadratic()
    other = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    from lieapp.optimizers.settings import SGDSettings

    settings = SGDSettings().updated({"lr": 0.1, "schedule.kind": "inverse-time", "schedule.decay": 1.0})
    optimizer = torch.optim.SGD([{"params": [problem.point], "lr": 0.1}, {"params": [other], "lr": 0.5}], lr=0.1)
    run = Run(problem, optimizer, settings=settings, limits=Limits(steps=4, **NEVER))
    run.complete()
    np.testing.assert_allclose(run.recording.column("learning_rate"), 0.1 / (1.0 + np.arange(5)))
    assert optimizer.param_groups[1]["lr"] == pytest.approx(0.5 / 4)
    points = run.recording.states("point")
    curvature = np.array([1.0, 0.1])
    for k in range(4):
        np.testing.assert_allclose(points[k + 1], points[k] * (1.0 - 0.1 / (1.0 + k) * curvature))


def test_an_optimizer_without_learning_rate_or_closure_runs() -> None:
    class Halving(torch.optim.Optimizer):
        def __init__(self, parameters: list[Tensor]) -> None:
            super().__init__(parameters, {})

        def step(self) -> None:  # type: ignore[override]
            with torch.no_grad():
                for p in self.param_groups[0]["params"]:
                    p -= 0.5 * p.grad

    problem = quadratic(curvatures=(1.0, 1.0))
    run = Run(problem, Halving([problem.point]))
    assert run.complete().kind == "converged"
    assert np.isnan(run.recording.column("learning_rate")).all()
    np.testing.assert_array_equal(run.recording.column("evaluations"), run.recording.column("step"))


def test_an_optimizer_that_leaves_its_closure_alone_pays_for_the_gradients_it_takes() -> None:
    class Inattentive(torch.optim.SGD):
        def step(self, closure: Callable[[], Tensor] | None = None) -> None:  # type: ignore[override]
            super().step()

    runs = []
    for kind in (Inattentive, torch.optim.SGD):
        problem = NoisyProblem()
        runs.append(Run(problem, kind([problem.point], lr=0.1), limits=Limits(steps=9, **NEVER)))
        runs[-1].complete()
    for name in ("loss", "evaluations"):
        np.testing.assert_array_equal(runs[0].recording.column(name), runs[1].recording.column(name))


def test_seconds_leave_out_pauses_and_observing() -> None:
    class Slow(ToyProblem):
        def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
            time.sleep(0.01)
            return {}

        def state(self) -> dict[str, np.ndarray]:
            time.sleep(0.01)
            return super().state()

        def after_step(self, optimizer: torch.optim.Optimizer) -> None:
            time.sleep(0.005)

    problem = Slow(lambda x: (x * x).sum(), [1.0, 2.0])
    run = toy_run(problem, "sgd", {"lr": 0.01}, limits=Limits(steps=10, **NEVER))
    for _ in run:
        time.sleep(0.005)
    seconds = run.recording.column("seconds")
    assert seconds[0] == 0.0 and (np.diff(seconds) >= 0.005).all()
    assert seconds[-1] < 0.15  # 0.35 with what does not count


def test_metadata_tell_what_ran() -> None:
    run = toy_run(quadratic(), "adam", {"lr": 0.25}, limits=Limits(steps=1))
    run.complete()
    metadata = run.recording.metadata
    assert metadata["optimizer"] == "adam" and metadata["settings"]["lr"] == 0.25
    assert metadata["limits"]["steps"] == 1
    assert metadata["device"] == "cpu" and metadata["dtype"] == "float64"
    assert metadata["costs"] == {"gradient": 1.0, "loss": 1 / 3, "hvp": 2.0}
    assert metadata["metric"] == {"name": "distance", "unit": "Å", "scale": "log"}
    assert metadata["reference"] == {"distance": 0.0}
    assert set(metadata["versions"]) == {"lieapp", "torch", "numpy", "python"}


def test_a_run_goes_on_where_its_loop_was_left() -> None:
    run = toy_run(quadratic(), "sgd", limits=Limits(steps=6, **NEVER))
    for frame in run:
        if frame.index == 2:
            break
    assert [frame.index for frame in run] == [3, 4, 5, 6]
    assert list(run) == []


def test_a_used_recording_is_refused() -> None:
    recording = Recording()
    recording.append({"loss": 1.0}, {})
    with pytest.raises(EngineError, match="empty"):
        toy_run(quadratic(), recording=recording)


# Ends


def test_converged_at_the_start() -> None:
    run = toy_run(quadratic((0.0, 0.0)))
    assert run.complete().message == "Converged at the start: gradient norm 0 is below 1e-07."
    assert len(run.recording) == 1 and run.recording.outcome is run.outcome


@pytest.mark.parametrize(("name", "overrides"), [("lbfgs", {}), ("saddle-free-newton", {}), ("adam", {"lr": 0.3})])
def test_converged_is_the_minimum(name: str, overrides: dict) -> None:
    run = toy_run(quadratic(), name, overrides)
    assert run.complete().kind == "converged"
    assert run.recording.row(run.recording.best)["distance"] < 1e-5


def test_limits() -> None:
    outcome = toy_run(rosenbrock(), "adam", limits=Limits(steps=10)).complete()
    assert outcome.kind == "limit" and "10 steps" in outcome.message
    run = toy_run(rosenbrock(), "lbfgs", limits=Limits(evaluations=20))
    assert run.complete().kind == "limit"
    assert run.recording.row(-2)["evaluations"] < 20 <= run.recording.row(-1)["evaluations"]
    run = toy_run(rosenbrock(), "adam", limits=Limits(steps=10**6, seconds=0.02, **NEVER))
    assert run.complete().kind == "limit"
    assert run.recording.row(-2)["seconds"] < 0.02 <= run.recording.row(-1)["seconds"]
    run = toy_run(rosenbrock(), limits=Limits(steps=0))
    assert run.complete().kind == "limit" and len(run.recording) == 1


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_too_large_a_rate_diverges_with_the_best_frame_kept(name: str) -> None:
    run = toy_run(rosenbrock(), name, {"lr": 30.0})
    outcome = run.complete()
    assert outcome.kind == "diverged"
    assert outcome.message.startswith("Diverged at evaluation ") and "step too large" in outcome.message
    assert outcome.message.endswith("Try a smaller lr.")
    assert "Best frame kept (loss 24.2)" in outcome.message
    np.testing.assert_array_equal(run.recording.state(run.recording.best)["point"], [-1.2, 1.0])


def test_non_finite_parameters_are_not_recorded_and_the_last_frame_returns() -> None:
    problem = quadratic()
    run = Run(problem, torch.optim.SGD([problem.point], lr=1e300), limits=Limits(divergence=False))
    outcome = run.complete()
    assert outcome.kind == "diverged" and "no finite number" in outcome.message
    assert np.isfinite(run.recording.states("point")).all()
    np.testing.assert_array_equal(problem.state()["point"], run.recording.state(-1)["point"])


def test_a_non_finite_loss_at_finite_parameters_is_shown() -> None:
    # The logarithm ends at 0; the step beyond is a place that can be drawn.
    problem = ToyProblem(lambda x: torch.log(x).sum(), [1.0])
    run = toy_run(problem, "sgd", {"lr": 2.0}, limits=Limits(divergence=False))
    assert run.complete().kind == "diverged"
    assert len(run.recording) == 2
    assert run.recording.state(1)["point"][0] == -1.0
    row = run.recording.row(1)
    assert np.isnan(row["loss"]) and np.isnan(row["distance"])
    assert run.recording.best == 0


@pytest.mark.parametrize("start", [float("nan"), float("inf"), -1.0])
def test_a_start_that_is_no_start(start: float) -> None:
    run = toy_run(ToyProblem(lambda x: torch.log(x).sum() + (x * x).sum(), [start]))
    outcome = run.complete()
    assert outcome.kind == "diverged" and "at the start" in outcome.message
    assert len(run.recording) == (1 if start == -1.0 else 0)


class Failing(ToyProblem):
    """Raises in one of its methods from the third call on."""

    def __init__(self, where: str, error: BaseException) -> None:
        self.where, self.error, self.calls = where, error, 0
        super().__init__(self._function, [3.0, -2.0])

    def _maybe(self, where: str) -> None:
        if where == self.where:
            self.calls += 1
            if self.calls >= 3:
                raise self.error

    def _function(self, x: Tensor) -> Tensor:
        self._maybe("loss")
        return 0.5 * (x * x).sum() + 1.0

    def state(self) -> dict[str, np.ndarray]:
        self._maybe("state")
        return super().state()

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        self._maybe("observe")
        return super().observe(loss, gradient_norm)

    def after_step(self, optimizer: torch.optim.Optimizer) -> None:
        self._maybe("after_step")

    def scaled_gradient_norm(self, gradient: list[Tensor]) -> Tensor:
        self._maybe("norm")
        return super().scaled_gradient_norm(gradient)


PLACES = ["loss", "state", "observe", "after_step", "norm"]


@pytest.mark.parametrize("where", PLACES)
def test_exceptions_end_as_failed_with_all_frames(where: str) -> None:
    problem = Failing(where, ZeroDivisionError("no such number"))
    control = RunControl()
    run = toy_run(problem, "sgd", {"lr": 0.1}, control=control)
    outcome = run.complete()
    assert outcome.kind == "failed"
    assert "ZeroDivisionError: no such number" in outcome.message
    assert "Traceback" in outcome.details and "_maybe" in outcome.details
    frames = 3 if where == "after_step" else 2
    assert len(run.recording) == frames and run.recording.outcome is outcome
    np.testing.assert_array_equal(problem.point.detach().numpy(), run.recording.state(-1)["point"])
    assert control.state is RunState.FINISHED


def test_a_failure_at_the_start_leaves_an_empty_recording() -> None:
    def function(x: Tensor) -> Tensor:
        raise EngineError("map.mrc: no density")

    run = toy_run(ToyProblem(function, [1.0]))
    assert run.complete().message == "Failed at the start: map.mrc: no density."
    assert len(run.recording) == 0


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_recorded_and_raised_on(where: str, error: type[BaseException]) -> None:
    run = toy_run(Failing(where, error()), "sgd", {"lr": 0.1})
    with pytest.raises(error):
        run.complete()
    assert run.outcome is not None and run.outcome.kind == "cancelled"
    assert run.recording.outcome is run.outcome
    assert list(run) == []


def test_a_problem_that_cannot_describe_itself_still_ends() -> None:
    class Speechless(ToyProblem):
        def describe_best(self, row: object) -> str:
            raise RuntimeError

        suggestion = describe_best  # type: ignore[assignment]

    outcome = toy_run(Speechless(lambda x: (x * x).sum(), [1.0]), "sgd", {"lr": 99.0}).complete()
    assert outcome.kind == "diverged"


# Control


class Stopping(ToyProblem):
    """Asks for a stop in the n-th evaluation."""

    def __init__(self, control: RunControl, at: int) -> None:
        self.control, self.at = control, at
        super().__init__(self._function, [-1.2, 1.0], [1.0, 1.0])

    def _function(self, x: Tensor) -> Tensor:
        if self.evaluated == self.at:
            self.control.stop()
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("at", [1, 2, 7, 30])
def test_a_stop_acts_within_one_evaluation_and_returns_to_the_last_frame(name: str, at: int) -> None:
    control = RunControl()
    problem = Stopping(control, at)
    overrides = {"lr": 1e-4} if name == "sgd" else {}
    run = toy_run(problem, name, overrides, control=control, limits=Limits(**NEVER, divergence=False))
    outcome = run.complete()
    assert outcome.kind == "cancelled" and outcome.message.startswith("Cancelled after ")
    # Sophia's own diagonal and the Newton Hessian are one question each that differentiates the loss once more.
    assert problem.evaluated <= at + 1
    assert control.state is RunState.FINISHED
    np.testing.assert_array_equal(problem.point.detach().numpy(), run.recording.state(-1)["point"])


def test_a_stop_acts_between_the_products_of_a_composed_hessian() -> None:
    control = RunControl()

    class Counted:
        """Only products: no Hessian of its own."""

        def __init__(self, oracle: AutogradOracle) -> None:
            self.parameters, self.costs = oracle.parameters, oracle.costs
            self.gradient, self.loss = oracle.gradient, oracle.loss
            self.products = 0
            self._hvp = oracle.hvp

        def hvp(self, v: list[Tensor]) -> list[Tensor]:
            self.products += 1
            if self.products == 4:
                control.stop()
            return self._hvp(v)

    class Large(ToyProblem):
        @property
        def oracle(self) -> Counted:
            return counted

    problem = Large(lambda x: (x**4).sum(), [1.0] * 50)
    counted = Counted(problem._oracle)
    run = toy_run(problem, "saddle-free-newton", control=control)
    assert run.complete().kind == "cancelled"
    assert counted.products == 4
    assert run.evaluations == 1.0 + 2.0 * 4


def test_stopped_before_it_began() -> None:
    control = RunControl()
    control.stop()
    run = toy_run(quadratic(), control=control)
    assert run.complete().kind == "cancelled"
    assert len(run.recording) == 0


def test_steps_pauses_and_a_stop_from_another_thread() -> None:
    control = RunControl()
    run = toy_run(quadratic(), "sgd", {"lr": 1e-6}, control=control, limits=Limits(steps=10**7, **NEVER))
    recording = run.recording

    def settled(frames: int) -> bool:
        end = time.monotonic() + 5.0
        while len(recording) < frames and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(0.02)
        return len(recording) == frames

    control.step_once()
    worker = threading.Thread(target=run.complete)
    worker.start()
    assert settled(2)
    control.step_once()
    control.step_once()
    assert settled(4)
    control.resume()
    time.sleep(0.05)
    control.pause()
    time.sleep(0.02)
    count = len(recording)
    assert count > 4
    time.sleep(0.05)
    assert len(recording) == count
    control.stop()
    worker.join(5.0)
    assert not worker.is_alive()
    assert run.outcome is not None and run.outcome.kind == "cancelled"
    assert len(recording) == count


def test_cancel_between_frames() -> None:
    run = toy_run(quadratic())
    next(run)
    assert run.cancel().kind == "cancelled"
    assert run.cancel() is run.outcome and list(run) == []


def test_an_idle_control_is_started_by_iterating() -> None:
    control = RunControl()
    run = toy_run(quadratic(), control=control)
    next(run)
    assert control.state is RunState.RUNNING
    run.complete()
    assert control.state is RunState.FINISHED


def test_several_parameters_have_one_gradient_norm() -> None:
    class Two(ToyProblem):
        def __init__(self) -> None:
            super().__init__(lambda x: (x * x).sum() + (self.more**2).sum(), [3.0])
            self.more = torch.tensor([[4.0]], dtype=torch.float64, requires_grad=True)
            self._oracle = AutogradOracle(self._loss, [self.point, self.more])

        def parameters(self) -> list[Tensor]:
            return [self.point, self.more]

    assert next(toy_run(Two())).gradient_norm == pytest.approx(10.0)
