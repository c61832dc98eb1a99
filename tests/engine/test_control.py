"""RunControl: a state machine that any thread may push."""

import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lieapp.engine.control import ACTIONS, ALLOWED, RunControl, RunState


class ControlMachine(RuleBasedStateMachine):
    """A control against a model of five lines."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0
        self.control = RunControl(self._tell)
        self.state = RunState.IDLE
        self.stopping = False
        self.turns = 0

    def _tell(self) -> None:
        self.told += 1

    @rule(action=st.sampled_from(ACTIONS))
    def act(self, action: str) -> None:
        allowed = not self.stopping and action in ALLOWED[self.state]
        before = self.told
        assert self.control.can(action) is allowed
        assert getattr(self.control, action)() is allowed
        assert self.told - before == int(allowed)
        if not allowed:
            return
        if action == "stop":
            self.stopping = True
            self.state = RunState.FINISHED if self.state is RunState.IDLE else self.state
            self.turns = 0
        elif action == "step_once":
            self.state, self.turns = RunState.PAUSED, self.turns + 1
        else:
            self.state = RunState.PAUSED if action == "pause" else RunState.RUNNING
            self.turns = 0

    @rule()
    def run_asks_for_a_turn(self) -> None:
        granted = self.control.wait_for_turn(timeout=0.0)
        expected = not self.stopping and (
            self.state is RunState.RUNNING or (self.state is RunState.PAUSED and self.turns > 0)
        )
        assert granted is expected
        if granted and self.state is RunState.PAUSED:
            self.turns -= 1

    @precondition(lambda self: self.state is not RunState.FINISHED)
    @rule()
    def run_begins(self) -> None:
        assert self.control.begin() is not self.stopping
        if self.state is RunState.IDLE:
            self.state = RunState.RUNNING

    @rule()
    def run_ends(self) -> None:
        self.control.finish()
        self.state, self.turns = RunState.FINISHED, 0

    @invariant()
    def agrees(self) -> None:
        assert self.control.state is self.state
        assert self.control.stopping is self.stopping


TestControlMachine = ControlMachine.TestCase
TestControlMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_every_state_has_its_actions() -> None:
    assert set(ALLOWED) == set(RunState)
    assert all(actions <= set(ACTIONS) for actions in ALLOWED.values())
    assert not ALLOWED[RunState.FINISHED]


@pytest.mark.parametrize("action", ["resume", "step_once", "stop"])
def test_a_paused_run_wakes(action: str) -> None:
    control = RunControl()
    control.start()
    control.pause()
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(control.wait_for_turn(timeout=10.0)))
    waiting.start()
    time.sleep(0.02)
    assert not answers
    getattr(control, action)()
    waiting.join(5.0)
    assert answers == [action != "stop"]


def test_many_threads_press_everything_and_the_run_still_ends() -> None:
    control = RunControl()
    steps = 0

    def run() -> None:
        nonlocal steps
        control.begin()
        while control.wait_for_turn(timeout=5.0):
            steps += 1
        control.finish()

    def press() -> None:
        for _ in range(300):
            control.step_once()
            control.pause()
            control.resume()
            control.start()

    threads = [threading.Thread(target=work) for work in (run, press, press, press)]
    for thread in threads:
        thread.start()
    for thread in threads[1:]:
        thread.join(10.0)
    control.stop()
    threads[0].join(10.0)
    assert control.state is RunState.FINISHED
    assert not any(thread.is_alive() for thread in threads)


def test_step_once_from_idle_grants_as_many_steps_as_it_was_pressed() -> None:
    control = RunControl()
    for _ in range(3):
        assert control.step_once()
    assert [control.wait_for_turn(0.0) for _ in range(4)] == [True, True, True, False]
    assert control.state is RunState.PAUSED
