"""Races: equal cost, own generators, one control."""

from collections.abc import Callable

import pytest

from lieapp.engine.control import RunControl, RunState
from lieapp.engine.errors import EngineError
from lieapp.engine.limits import Limits
from lieapp.engine.race import Entrant, Race
from tests.engine.toy import NoisyProblem, ToyProblem, quadratic, rosenbrock, toy_run

ENDLESS = Limits(gtol=0.0, ftol=0.0, divergence=False)
NAMES = ["sgd", "adam", "sophia", "lbfgs", "saddle-free-newton"]


def entrants(make=rosenbrock, names=NAMES, limits=ENDLESS) -> list[Entrant]:
    overrides = {"sgd": {"lr": 1e-4}, "adam": {"lr": 0.02}}
    return [Entrant(name, toy_run(make(), name, overrides.get(name, {}), limits=limits)) for name in names]


def test_the_entrant_with_the_fewest_evaluations_goes_next() -> None:
    everyone = entrants()
    race = Race(everyone, 60.0)
    spent = dict.fromkeys(NAMES, -1.0)
    order = []
    for entrant, frame in race:
        assert spent[entrant.name] == min(spent.values())
        spent[entrant.name] = entrant.run.evaluations
        assert frame.evaluations == entrant.run.evaluations
        order.append((entrant.name, frame.index))
        if entrant.run.outcome is not None:
            spent[entrant.name] = float("inf")
    assert order[:5] == [(name, 0) for name in NAMES]
    for entrant in everyone:
        table = entrant.run.recording.table()
        assert table["evaluations"][-2] < 60.0 <= table["evaluations"][-1]
        assert entrant.run.outcome is not None and entrant.run.outcome.kind == "limit"
    assert len(everyone[0].run.recording) == 61


def test_racing_changes_no_run() -> None:
    raced = entrants(NoisyProblem)
    Race(raced, 40.0).complete()
    alone = entrants(NoisyProblem, limits=ENDLESS.model_copy(update={"evaluations": 40.0}))
    for one, other in zip(raced, alone, strict=True):
        other.run.complete()
        for name in one.run.recording.columns:
            if name != "seconds":
                assert one.run.recording.column(name).tobytes() == other.run.recording.column(name).tobytes()


def fixed(make: Callable[[], ToyProblem] = rosenbrock) -> ToyProblem:
    problem = make()
    problem.fixed_loss = True
    return problem


@pytest.mark.parametrize("name", [*NAMES, "perturbed-sgd", "deo"])
def test_no_gradient_is_paid_for_twice_where_the_loss_is_fixed(name: str) -> None:
    """A line search ends a step with the gradient that begins the next one: to charge it twice is no equal cost."""
    overrides = {"sgd": {"lr": 1e-4}, "perturbed-sgd": {"lr": 1e-4}, "deo": {"base.lr": 1e-4}}.get(name, {})
    limits = ENDLESS.model_copy(update={"steps": 30})
    runs = [toy_run(make(), name, overrides, limits=limits) for make in (rosenbrock, fixed)]
    for run in runs:
        run.complete()
    forgetful, mindful = (run.recording.table() for run in runs)
    assert mindful["loss"].tobytes() == forgetful["loss"].tobytes()
    saved = forgetful["gradients"] - mindful["gradients"]
    assert saved.min() >= 0 and (saved[-1] >= 25) == (name == "lbfgs"), "other methods end no step with a gradient"
    points = {run.problem.evaluated for run in runs if isinstance(run.problem, ToyProblem)}
    assert len(points) == (2 if name == "lbfgs" else 1), "and what is not charged is not computed"


@pytest.mark.parametrize("name", ["sgd", "lbfgs", "deo"])
def test_who_stays_where_he_is_pays_all_the_same(name: str) -> None:
    run = toy_run(fixed(lambda: quadratic((0.0, 0.0))), name, limits=ENDLESS.model_copy(update={"evaluations": 20.0}))
    Race([Entrant(name, run)], 20.0).complete()
    assert run.outcome is not None and run.outcome.kind == "limit" and run.index <= 20


def test_what_was_paid_is_paid_after_a_checkpoint() -> None:
    def limits(steps: int) -> Limits:
        return ENDLESS.model_copy(update={"steps": steps})

    whole, half, rest = (toy_run(fixed(), "lbfgs", limits=limits(steps)) for steps in (10, 5, 10))
    whole.complete()
    half.complete()
    rest.restore(half.checkpoint())
    rest.complete()
    assert rest.recording.column("gradients").tobytes() == whole.recording.column("gradients").tobytes()


def test_who_has_ended_drops_out() -> None:
    everyone = entrants(quadratic, ["lbfgs", "sgd"], Limits(steps=3))
    outcomes = Race(everyone, 100.0).complete()
    assert outcomes["lbfgs"].kind == "converged" and outcomes["sgd"].kind == "limit"
    assert len(everyone[1].run.recording) == 101  # the budget is the race's, not the 3 steps of its own


def test_a_failing_entrant_does_not_end_the_race() -> None:
    everyone = entrants(rosenbrock, ["adam", "sgd"])

    def fail(optimizer: object) -> None:
        raise ZeroDivisionError

    everyone[0].run.problem.after_step = fail  # type: ignore[method-assign]
    outcomes = Race(everyone, 20.0).complete()
    assert (outcomes["adam"].kind, outcomes["sgd"].kind) == ("failed", "limit")


def test_one_control_steers_all() -> None:
    control = RunControl()
    everyone = entrants()
    race = Race(everyone, 1e6, control=control)
    control.step_once()
    for _ in range(6):  # five starts and one step
        next(race)
    assert control.state is RunState.PAUSED
    control.resume()
    next(race)
    control.stop()
    assert list(race) == []
    assert {outcome.kind for outcome in race.outcomes.values()} == {"cancelled"}
    assert len(race.outcomes) == 5
    assert control.state is RunState.FINISHED


def test_the_control_finishes_with_the_race_and_not_before() -> None:
    control = RunControl()
    everyone = entrants(quadratic, ["lbfgs", "sgd"], Limits())
    race = Race(everyone, 50.0, control=control)
    for _ in race:
        ended = [entrant.run.outcome is not None for entrant in everyone]
        if not all(ended):
            assert control.state is RunState.RUNNING
    assert control.state is RunState.FINISHED


def test_an_interrupt_cancels_everyone() -> None:
    control = RunControl()
    everyone = entrants(rosenbrock, ["adam", "sgd"])

    def interrupt(optimizer: object) -> None:
        raise KeyboardInterrupt

    everyone[1].run.problem.after_step = interrupt  # type: ignore[method-assign]
    race = Race(everyone, 100.0, control=control)
    with pytest.raises(KeyboardInterrupt):
        race.complete()
    assert {name: outcome.kind for name, outcome in race.outcomes.items()} == {"adam": "cancelled", "sgd": "cancelled"}
    assert control.state is RunState.FINISHED


def test_races_that_make_no_sense() -> None:
    one, two = entrants(names=["adam", "sgd"])
    for wrong in ([], [one, one], [Entrant("a", one.run), Entrant("b", one.run)], [one, Entrant("adam", two.run)]):
        with pytest.raises(EngineError):
            Race(wrong, 10.0)
    for budget in (0.0, -1.0, float("nan")):
        with pytest.raises(EngineError, match="budget"):
            Race([one, two], budget)
