"""One run: an optimiser driving a problem, frame by frame."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from lieapp.engine.best import describe_least_gradient
from lieapp.engine.checkpoint import Checkpoint, RunPosition, copied
from lieapp.engine.control import RunControl, RunState
from lieapp.engine.devices import single_thread, synchronize
from lieapp.engine.errors import EngineError
from lieapp.engine.limits import Limits
from lieapp.engine.metadata import run_metadata
from lieapp.engine.outcome import Outcome, OutcomeKind
from lieapp.engine.recording import Recording
from lieapp.engine.stepping import LearningRates, stepper
from lieapp.engine.stoppable import RunStopped, StoppableOracle
from lieapp.engine.stopping import StoppingRules, Verdict, counted
from lieapp.errors import LieAppError
from lieapp.optimizers.oracle import same_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lieapp.engine.job import Job
    from lieapp.engine.problem import Problem
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = ["BASE_COLUMNS", "Frame", "Run"]

BASE_COLUMNS = (
    "step",
    "loss",
    "gradient_norm",
    "gradients",
    "losses",
    "hvps",
    "evaluations",
    "seconds",
    "learning_rate",
)
"""Columns of every recording, before those that the problem observes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A run at one set of parameters.

    Attributes
    ----------
    index : int
        0 is the start; frame k is reached by k steps.
    loss, gradient_norm : float
        At these parameters; the norm is scaled by the problem.
    evaluations : float
        Spent before arriving here, in units of one gradient.
    state : dict of str to ndarray
        What the frame shows; read-only.
    """

    index: int
    loss: float
    gradient_norm: float
    evaluations: float
    state: dict[str, NDArray]


class Run(Iterator[Frame]):
    """An iterator of frames; one step of it is one ``optimizer.step``.

    Frame k holds loss, gradient norm and state, all at the same parameters; frame 0 is the start. The cost columns of
    frame k hold what was spent before arriving there. The gradient that looking at a frame needs is remembered and
    charged when the optimiser asks for it, so for a method of one gradient a step ``evaluations`` equals ``step``.
    ``learning_rate`` of frame k is the rate of the step that leaves it (NaN where the optimiser has none).
    ``seconds`` is what optimiser and problem took, after synchronising the device; pauses, observing and recording
    are not in it.

    The iterator may be left and entered again; it goes on where it was. It ends with an `Outcome`, which the recording
    holds too. Exceptions of problem and optimiser end it as ``failed``, with every frame kept. A keyboard interrupt
    ends it as ``cancelled`` and is raised on. Non-finite frames that show nothing (their state is not finite either)
    are not recorded. Whatever ends a step in its middle, the parameters return to the last frame.

    Parameters
    ----------
    problem : Problem
    optimizer : torch.optim.Optimizer
        Of the problem's parameters. Its step is given a closure and, where it takes one, the ``oracle``.
    settings : OptimizerSettings, optional
        Their schedule is applied to the learning rate of every group; stored in the metadata.
    limits : Limits, optional
    recording : Recording, optional
        Empty; a new one by default.
    control : RunControl, optional
        Steered from another thread. Iterating while it is idle starts it.
    job : Job, optional
        Stored in the metadata.
    generators : mapping of str to torch.Generator, optional
        Those that neither problem nor optimiser keep in their ``state_dict``; checkpoints hold their states.
    checkpoint_path : path, optional
        File that always holds a recent checkpoint, and in the end the last one. Where it cannot be written the run
        goes on, and the metadata say so under ``warnings``.
    checkpoint_seconds : float, optional
        How often it is written.

    Raises
    ------
    EngineError
        If the recording is not empty.
    """

    def __init__(
        self,
        problem: Problem,
        optimizer: Optimizer,
        *,
        settings: OptimizerSettings | None = None,
        limits: Limits | None = None,
        recording: Recording | None = None,
        control: RunControl | None = None,
        job: Job | None = None,
        generators: Mapping[str, torch.Generator] | None = None,
        checkpoint_path: str | Path | None = None,
        checkpoint_seconds: float = 5.0,
    ) -> None:
        self.problem = problem
        self.optimizer = optimizer
        self.settings = settings
        self.job = job
        self.recording = Recording() if recording is None else recording
        if len(self.recording):
            raise EngineError("A run needs an empty recording; to go on with one, restore a checkpoint")
        self._limits = Limits() if limits is None else limits
        self._oracle = StoppableOracle(problem.oracle, control)
        self._parameters = list(problem.parameters())
        self._device = self._parameters[0].device
        self._control = control
        self._owns_control = True
        self._generators = dict(generators or {})
        self._checkpoint_path = None if checkpoint_path is None else Path(checkpoint_path)
        self._checkpoint_seconds = checkpoint_seconds
        self._step = stepper(optimizer, self._oracle)
        self._rates = LearningRates(optimizer, None if settings is None else settings.schedule)
        self._climbs = bool(getattr(optimizer, "climbs", False))
        leaves = bool(getattr(optimizer, "leaves_stationary_points", False))
        self._patience = self._limits.window if leaves else 2 if self._climbs else 1
        self._rules = self._new_rules()
        self._outcome: Outcome | None = None
        self._begun = False
        self._looked = False  # whether the gradient at the last frame is there
        self._in_step = False
        self._seconds = 0.0
        self._gradient_seconds = 0.0
        self._kept_parameters: list[Tensor] = []
        self._observed: tuple[str, ...] = ()
        self._position: RunPosition | None = None
        self._position_time = 0.0
        for key, value in run_metadata(problem, optimizer, settings, self._limits, job).items():
            self.recording.metadata.setdefault(key, value)

    # What a run is

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended; None before it has."""
        return self._outcome

    @property
    def index(self) -> int:
        """Index of the last frame; -1 before the first."""
        return len(self.recording) - 1

    @property
    def evaluations(self) -> float:
        """What the optimiser has spent so far, in units of one gradient."""
        return self._oracle.evaluations()

    @property
    def control(self) -> RunControl | None:
        """What steers the run."""
        return self._control

    @property
    def limits(self) -> Limits:
        """When the run ends; may be replaced between frames."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        if limits.window != self._limits.window:
            raise EngineError("The window of a run's limits cannot change")
        self._limits = limits
        self._rules.limits = self._rule_limits

    def keep_checkpoint(self, path: str | Path, seconds: float = 5.0) -> None:
        """Keep a recent checkpoint in a file from now on; see ``checkpoint_path`` of `Run`."""
        self._checkpoint_path, self._checkpoint_seconds = Path(path), seconds

    def share_control(self, control: RunControl | None) -> None:
        """Let a control steer this run that others follow, too; who shares it finishes it."""
        self._control = control
        self._oracle.control = control
        self._owns_control = False

    # Going on

    def __iter__(self) -> Run:
        return self

    def __next__(self) -> Frame:
        if self._outcome is not None:
            raise StopIteration
        try:
            frame = self._advance()
        except RunStopped:
            self._cancel()
            frame = None
        except Exception as error:
            self._fail(error)
            frame = None
        except BaseException:
            self._cancel()
            raise
        if frame is None:
            raise StopIteration
        return frame

    def complete(self) -> Outcome:
        """Go on to the end and return how it ended."""
        with single_thread() if self.problem.single_threaded else nullcontext():
            for _ in self:
                pass
        assert self._outcome is not None
        return self._outcome

    def cancel(self) -> Outcome:
        """End the run between two frames, on the thread that iterates; return how it ended."""
        if self._outcome is None:
            self._cancel()
        assert self._outcome is not None
        return self._outcome

    def checkpoint(self) -> Checkpoint:
        """Return what `restore` goes on from: the last frame. Call it on the thread that iterates.

        A step that was ended in its middle leaves the optimiser's state undefined; then the checkpoint is the last
        one taken before, which is at most ``checkpoint_seconds`` (and one step) older.

        Raises
        ------
        EngineError
            If there is no frame yet, or the state holds what no checkpoint can.
        """
        if not self._in_step and self.index >= 0:
            self._take_position()
        if self._position is None:
            raise EngineError("There is no frame yet to make a checkpoint of")
        return Checkpoint.build(self._position, self.recording)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Bring a run that has not begun to where a checkpoint was taken; iterating yields the frames after it.

        Raises
        ------
        EngineError
            If the run has begun, or the checkpoint belongs to another problem or optimiser.
        """
        if self._begun or self._outcome is not None:
            raise EngineError("Only a run that has not begun can be restored")
        position = checkpoint.position
        shapes = [tuple(p.shape) for p in self._parameters]
        stored = [tuple(p.shape) for p in position.parameters]
        if shapes != stored:
            raise EngineError(f"The checkpoint has parameters of shapes {stored}, the problem {shapes}")
        missing = self._generators.keys() ^ position.generators.keys()
        if missing:
            raise EngineError(f"The checkpoint and the run have different generators: {', '.join(sorted(missing))}")
        try:
            self.optimizer.load_state_dict(copied(position.optimizer, "optimizer"))
            self.problem.load_state_dict(copied(position.problem, "problem"))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise EngineError(f"The checkpoint belongs to another optimiser or problem: {error}") from error
        with torch.no_grad():
            for parameter, value in zip(self._parameters, position.parameters, strict=True):
                parameter.copy_(value)
        for name, state in position.generators.items():
            self._generators[name].set_state(state)
        self._rates.base = list(position.base_rates)
        self._oracle.load_state_dict(position.counters)
        self._seconds = position.seconds
        checkpoint.fill(self.recording)
        self._replay()
        self._observed = self.recording.columns[len(BASE_COLUMNS) :]
        self._keep_parameters()
        self._position = position
        self._position_time = time.perf_counter()
        self._begun = True

    @classmethod
    def resume(
        cls,
        problem: Problem,
        optimizer: Optimizer,
        checkpoint: Checkpoint,
        *,
        settings: OptimizerSettings | None = None,
        limits: Limits | None = None,
        control: RunControl | None = None,
        job: Job | None = None,
        generators: Mapping[str, torch.Generator] | None = None,
        checkpoint_path: str | Path | None = None,
        checkpoint_seconds: float = 5.0,
    ) -> Run:
        """Build a run of a fresh problem and optimiser and bring both to where a checkpoint was taken.

        Parameters and errors are those of `Run` and `restore`.
        """
        run = cls(
            problem,
            optimizer,
            settings=settings,
            limits=limits,
            control=control,
            job=job,
            generators=generators,
            checkpoint_path=checkpoint_path,
            checkpoint_seconds=checkpoint_seconds,
        )
        run.restore(checkpoint)
        return run

    # One step

    def _advance(self) -> Frame | None:
        control = self._control
        if not self._begun:
            self._begun = True
            if control is not None and not control.begin():
                self._cancel()
                return None
            return self._look()
        if control is not None:
            if control.state is RunState.IDLE:  # only after a restore
                control.begin()
            if not control.wait_for_turn():
                self._cancel()
                return None
        oracle = self._oracle
        if not self._looked:  # after a restore: the optimiser pays for this gradient as it would have
            self._observe_gradient()
            if self._position is not None and self._position.paid:
                oracle.waive()
        self._rates.apply(self.index)
        paid = oracle.counters["gradients"]
        self._in_step = True
        self._looked = False
        begin = time.perf_counter()
        self._step()
        self.problem.after_step(self.optimizer)
        synchronize(self._device)
        spent = time.perf_counter() - begin
        # Who stays where he is looks anew in the next step, and pays for it: else a run at rest would never end.
        if not self.problem.fixed_loss or same_bits(self._kept_parameters, self._parameters):
            oracle.invalidate()
        if oracle.counters["gradients"] > paid:
            spent += self._gradient_seconds
        self._seconds += spent
        return self._look()

    def _look(self) -> Frame | None:
        """Evaluate the present parameters, record them as the next frame, and judge."""
        index = len(self.recording)
        loss, gradient_norm = self._observe_gradient()
        evaluations = self.evaluations
        verdict = self._rules.judge(index, loss, gradient_norm, evaluations, self._seconds)
        finite = math.isfinite(loss) and math.isfinite(gradient_norm)
        state = self.problem.state() if finite else self._state_of_ruin()
        if state is None:
            # Nothing that could be shown: the run ends at the frame before.
            self._restore_parameters()
            self._end(verdict)
            return None
        counters = self._oracle.counters
        row = {
            "step": float(index),
            "loss": loss,
            "gradient_norm": gradient_norm,
            "gradients": float(counters["gradients"]),
            "losses": float(counters["losses"]),
            "hvps": float(counters["hvps"]),
            "evaluations": evaluations,
            "seconds": self._seconds,
            "learning_rate": self._rates.first(index),
        }
        if finite:
            row.update(self.problem.observe(loss, gradient_norm))
            if index == 0:
                self._observed = tuple(row)[len(BASE_COLUMNS) :]
        else:
            row.update(dict.fromkeys(self._observed, math.nan))
        self.recording.append(row, state)
        self._keep_parameters()
        self._in_step = False
        if index == 0 or time.perf_counter() - self._position_time >= self._checkpoint_seconds:
            self._keep_position(save=index > 0)
        frame = Frame(index, loss, gradient_norm, evaluations, self.recording.state(index))
        if verdict is not None:
            self._end(verdict)
        return frame

    def _observe_gradient(self) -> tuple[float, float]:
        begin = time.perf_counter()
        loss = self._oracle.observe()
        synchronize(self._device)
        self._gradient_seconds = time.perf_counter() - begin
        gradient = [p.grad for p in self._parameters if p.grad is not None]
        norm = self.problem.scaled_gradient_norm(gradient)
        self._looked = True
        if loss.device.type == "cpu":
            return float(loss), float(norm)
        both = torch.stack((loss, norm.to(loss.dtype))).tolist()  # one transfer instead of two
        return both[0], both[1]

    def _state_of_ruin(self) -> dict[str, NDArray] | None:
        """Return the state at a non-finite loss or gradient; None if it is not finite either."""
        try:
            state = self.problem.state()
        except Exception:
            return None  # not defined at such parameters
        numbers = (np.asarray(value) for value in state.values())
        return state if all(np.isfinite(value).all() for value in numbers if value.dtype.kind in "fc") else None

    # Positions

    def _keep_parameters(self) -> None:
        if not self._kept_parameters:
            self._kept_parameters = [p.detach().clone() for p in self._parameters]
            return
        for kept, parameter in zip(self._kept_parameters, self._parameters, strict=True):
            kept.copy_(parameter.detach())

    def _restore_parameters(self) -> None:
        if not self._kept_parameters:
            return
        with torch.no_grad():
            for kept, parameter in zip(self._kept_parameters, self._parameters, strict=True):
                parameter.copy_(kept)
        self._oracle.invalidate()

    def _keep_position(self, *, save: bool) -> None:
        """Keep, and if asked save, the present position; a run is worth more than its checkpoint, so it goes on."""
        self._position_time = time.perf_counter()
        if self.index < 0:
            return
        try:
            if not self._in_step:
                self._take_position()
            if save and self._checkpoint_path is not None:
                self.checkpoint().save(self._checkpoint_path)
        except Exception as error:
            warnings = self.recording.metadata.setdefault("warnings", [])
            message = f"No checkpoint: {' '.join(str(error).split()) or type(error).__name__}"
            if message not in warnings:
                warnings.append(message)

    def _take_position(self) -> None:
        if self._position is None or self._position.frame != self.index:
            self._position = RunPosition(
                frame=self.index,
                parameters=copied(self._parameters, "parameters"),
                optimizer=copied(self.optimizer.state_dict(), "optimizer"),
                problem=copied(self.problem.state_dict(), "problem"),
                generators={name: generator.get_state() for name, generator in self._generators.items()},
                counters=self._oracle.state_dict(),
                seconds=self._seconds,
                base_rates=list(self._rates.base),
                paid=self._oracle.paid,
            )

    def _new_rules(self) -> StoppingRules:
        problem = self.problem
        return StoppingRules(
            self._rule_limits,
            loss_scale=problem.loss_scale,
            loss_ceiling=problem.loss_ceiling,
            patience=self._patience,
        )

    @property
    def _rule_limits(self) -> Limits:
        return self._limits.model_copy(update={"divergence": False}) if self._climbs else self._limits

    def _replay(self) -> None:
        """Bring the stopping rules to the last frame of a restored recording, whatever they thought of it then."""
        self._rules = self._new_rules()
        columns = self.recording.table(["loss", "gradient_norm", "evaluations", "seconds"])
        for index, values in enumerate(zip(*(column.tolist() for column in columns.values()), strict=True)):
            self._rules.judge(index, *values)

    # Ends

    def _end(self, verdict: Verdict | None) -> None:
        assert verdict is not None
        self._close(verdict.kind, verdict.reason, advised=verdict.advised)

    def _cancel(self) -> None:
        if self._in_step:
            self._restore_parameters()
        self._close("cancelled", f"Cancelled after {counted(self.evaluations, 'evaluation')}.")

    def _fail(self, error: Exception) -> None:
        details = "".join(traceback.format_exception(error))
        reason = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, LieAppError):
            reason = f"{type(error).__name__}: {reason}" if str(error) else reason
        if self._in_step:
            self._restore_parameters()
        place = f"at step {self.index + 1}" if self.index >= 0 else "at the start"
        self._close("failed", f"Failed {place}: {reason.rstrip('.')}.", details)

    def _close(self, kind: OutcomeKind, reason: str, details: str = "", *, advised: bool = True) -> None:
        sentences = [reason]
        if kind in ("diverged", "cancelled", "failed") and len(self.recording):
            sentences.append(self._told(self._describe_best))
        if advised:
            sentences.append(self._told(lambda: self.problem.suggestion(kind)))
        self._outcome = Outcome(kind, " ".join(filter(None, sentences)), details)
        self.recording.finish(self._outcome)
        if self._checkpoint_path is not None:
            self._keep_position(save=True)
        if self._control is not None and self._owns_control:
            self._control.finish()

    def _describe_best(self) -> str:
        row = self.recording.row(self.recording.best)
        if self.recording.best_by == "gradient_norm":
            return describe_least_gradient(row["gradient_norm"], row["loss"])
        return self.problem.describe_best(row)

    @staticmethod
    def _told(tell: Callable[[], str]) -> str:
        try:
            return tell()
        except Exception:
            return ""  # a problem that has just failed may fail at describing itself; the outcome matters more
