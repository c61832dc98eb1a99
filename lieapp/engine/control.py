"""Start, pause, step and stop a run from another thread.

The run asks `RunControl.wait_for_turn` before every step and `RunControl.stopping` before every evaluation; whoever
holds the buttons calls the actions. Which action is possible in which state is one table, so buttons are a function
of the state.
"""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Literal, get_args

__all__ = ["ACTIONS", "ALLOWED", "Action", "RunControl", "RunState"]

Action = Literal["start", "pause", "resume", "step_once", "stop"]
ACTIONS: tuple[Action, ...] = get_args(Action)


class RunState(StrEnum):
    """Where a run is between its first and its last step."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"


ALLOWED: dict[RunState, frozenset[Action]] = {
    RunState.IDLE: frozenset(("start", "step_once", "stop")),
    RunState.RUNNING: frozenset(("pause", "stop")),
    RunState.PAUSED: frozenset(("resume", "step_once", "stop")),
    RunState.FINISHED: frozenset(),
}
"""The actions that each state allows; none while a stop is under way (see `RunControl.can`)."""


class RunControl:
    """Thread-safe state of one run (or one race) and the actions on it.

    An action returns whether it took effect. One that the state does not allow changes nothing and returns False,
    because a button may be pressed in the very moment in which the run ends.

    ``stop`` from `RunState.RUNNING` or `RunState.PAUSED` only asks: the state changes to `RunState.FINISHED` when the
    run has seen it, within one evaluation, and called `finish`. From `RunState.IDLE` it finishes at once.

    Parameters
    ----------
    changed : callable, optional
        Called without arguments after every change of state, on the thread that changed it and outside the lock.
    """

    def __init__(self, changed: Callable[[], None] | None = None) -> None:
        self._condition = threading.Condition()
        self._state = RunState.IDLE
        self._stop = False
        self._turns = 0
        self._changed = changed

    @property
    def state(self) -> RunState:
        """The present state."""
        return self._state

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for; read by the run before every evaluation, without taking the lock."""
        return self._stop

    def can(self, action: Action) -> bool:
        """Return whether an action would take effect now."""
        with self._condition:
            return self._can(action)

    def start(self) -> bool:
        """Let an idle run go."""
        return self._act("start", RunState.RUNNING)

    def pause(self) -> bool:
        """Hold a running run before its next step."""
        return self._act("pause", RunState.PAUSED)

    def resume(self) -> bool:
        """Let a paused run go on."""
        return self._act("resume", RunState.RUNNING)

    def step_once(self) -> bool:
        """Let an idle or paused run take one more step and stay paused; every call adds one step."""
        return self._act("step_once", RunState.PAUSED, turns=1)

    def stop(self) -> bool:
        """Ask the run to end; it does within one evaluation."""
        return self._act("stop", None, stop=True)

    def begin(self) -> bool:
        """Start the run if it is idle, for the run itself; return False if it must not begin at all."""
        self.start()
        with self._condition:
            return not self._stop and self._state is not RunState.FINISHED

    def wait_for_turn(self, timeout: float | None = None) -> bool:
        """Block until the next step may be taken, for the run itself.

        Parameters
        ----------
        timeout : float, optional
            Give up after so many seconds.

        Returns
        -------
        bool
            True if a step may be taken; False if the run must end or, with a timeout, if none came in time.
        """
        # The common case is decided without the lock: both reads are atomic, and a pause that arrives in between
        # acts before the next step instead.
        if self._state is RunState.RUNNING and not self._stop:
            return True
        with self._condition:
            self._condition.wait_for(self._decided, timeout)
            if self._stop or self._state is RunState.FINISHED:
                return False
            if self._state is RunState.RUNNING:
                return True
            if self._turns > 0:
                self._turns -= 1
                return True
            return False

    def finish(self) -> None:
        """Mark the run as ended, for the run itself; may be called more than once."""
        with self._condition:
            if self._state is RunState.FINISHED:
                return
            self._state = RunState.FINISHED
            self._turns = 0
            self._condition.notify_all()
        self._tell()

    def _can(self, action: Action) -> bool:
        return not self._stop and action in ALLOWED[self._state]

    def _decided(self) -> bool:
        return self._stop or self._turns > 0 or self._state in (RunState.RUNNING, RunState.FINISHED)

    def _act(self, action: Action, state: RunState | None, *, turns: int = 0, stop: bool = False) -> bool:
        with self._condition:
            if not self._can(action):
                return False
            if state is not None:
                self._state = state
            self._turns = self._turns + turns if state is RunState.PAUSED else 0
            if stop:
                self._stop = True
                if self._state is RunState.IDLE:
                    self._state = RunState.FINISHED
            self._condition.notify_all()
        self._tell()
        return True

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed()
