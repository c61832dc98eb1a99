"""Several runs at equal cost: whoever has spent the least goes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from lieapp.engine.control import RunControl
from lieapp.engine.devices import single_thread
from lieapp.engine.errors import EngineError
from lieapp.engine.outcome import Outcome
from lieapp.engine.run import Frame, Run

__all__ = ["Entrant", "Race"]

_UNLIMITED_STEPS = 10**9


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A run with the name under which it races.

    Attributes
    ----------
    name : str
    run : Run
        With a problem, an optimiser, a generator and a recording of its own.
    """

    name: str
    run: Run


class Race(Iterator[tuple[Entrant, Frame]]):
    """An iterator of ``(entrant, frame)`` that always advances the entrant with the fewest evaluations.

    Entrants share input, start, noise and batch order by being built from the same seed; each has its own problem,
    optimiser and `torch.Generator`. Who has ended drops out; what ends an entrant is its own limits, except that the
    budget of evaluations is the race's and the number of steps is not limited. No step begins at or beyond the budget;
    one that needs several evaluations may end above it.

    Parameters
    ----------
    entrants : sequence of Entrant
        Of different names.
    evaluations : float
        Budget of each.
    control : RunControl, optional
        Steers all of them; one turn is one step of one entrant.

    Raises
    ------
    EngineError
        If there is no entrant, a name, a run, a recording or a problem is there twice, or the budget is not
        positive.
    """

    def __init__(self, entrants: Sequence[Entrant], evaluations: float, *, control: RunControl | None = None) -> None:
        self.entrants = tuple(entrants)
        self.evaluations = evaluations
        self.control = control
        if not self.entrants:
            raise EngineError("A race needs at least one entrant")
        if not evaluations > 0:
            raise EngineError(f"Invalid budget of a race: {evaluations} evaluations")
        names = [entrant.name for entrant in self.entrants]
        if len(set(names)) < len(names):
            raise EngineError(f"Entrants of a race need different names: {', '.join(names)}")
        runs = [entrant.run for entrant in self.entrants]
        for shared in (runs, [run.recording for run in runs], [run.problem for run in runs]):
            if len({id(each) for each in shared}) < len(runs):
                raise EngineError("Entrants of a race need runs, recordings and problems of their own")
        for run in runs:
            run.limits = run.limits.model_copy(update={"evaluations": evaluations, "steps": _UNLIMITED_STEPS})
            run.share_control(control)

    def __iter__(self) -> Race:
        return self

    def __next__(self) -> tuple[Entrant, Frame]:
        try:
            while running := [entrant for entrant in self.entrants if entrant.run.outcome is None]:
                # All starts come first; ties go to the first in order.
                entrant = min(running, key=_spent)
                for frame in entrant.run:
                    return entrant, frame
        except BaseException:
            for entrant in self.entrants:
                entrant.run.cancel()
            self._finish()
            raise
        self._finish()
        raise StopIteration

    def complete(self) -> dict[str, Outcome]:
        """Go on to the end; return how each entrant ended."""
        small = all(entrant.run.problem.single_threaded for entrant in self.entrants)
        with single_thread() if small else nullcontext():
            for _ in self:
                pass
        return self.outcomes

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How those entrants ended that have, by name."""
        return {entrant.name: entrant.run.outcome for entrant in self.entrants if entrant.run.outcome is not None}

    def _finish(self) -> None:
        if self.control is not None:
            self.control.finish()


def _spent(entrant: Entrant) -> float:
    return entrant.run.evaluations if entrant.run.index >= 0 else -1.0
