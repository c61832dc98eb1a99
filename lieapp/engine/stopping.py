"""When a run has ended, judged from its frames alone.

Nothing here knows the true answer, and nothing needs torch, so a resumed run replays its columns and judges on.

**Converged** is one of two findings.

* The scaled gradient norm is below ``gtol``. An optimiser that leaves stationary points on purpose (attribute
  ``leaves_stationary_points``) must stay below it for ``window`` frames, or it could never start on a ridge; one that
  walks to saddles (attribute ``climbs``) for two, or it could never start in a minimum.
* The best loss improved by at most ``ftol |best|`` over ``window`` frames, *and* no loss among these frames differs
  from another by more, *and* the gradient norm is at most ``1000 sqrt(ftol |best|)``. The first condition alone would
  stop an optimiser with momentum in the middle of an overshoot, which easily goes 20 frames without a new best loss;
  the second sees it move. The third keeps apart two kinds of standing still: at a minimum with a Hessian of order one
  a loss that is flat to ``d`` has a gradient of order ``sqrt(d)``; a larger one means that the steps are too small, and
  such a run goes on to its limit instead of claiming to have arrived. The factor 1000 leaves room for Hessians
  up to a million.

**Diverged** is one of four; of an optimiser that climbs, only the first.

* The loss or the gradient norm is no finite number. Where the loss fell all the way to it, a million times further than
  matters, the step is not to blame: there is no least loss to be found.
* The loss lies above the start by more than nine times ``|start|``, which is ten times the start where it is positive.
  The problem's ``loss_scale`` stands in for ``|start|`` where that is smaller: ten times nearly nothing is still
  nearly nothing.
* No frame within twice the best for 200 frames: none whose loss lies above the best by at most ``|best|`` (or a
  thousandth of ``loss_scale``, where the best is nearly zero).
* It came to rest, by one of the findings above, at a loss above that of the start (by a thousandth of it, or of
  ``loss_scale``), or at the problem's ``loss_ceiling``. Losses that level off far away, such as a TM-score a thousand
  Å from the target, have no gradient there, and that is no convergence.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from lieapp.engine.limits import Limits
from lieapp.engine.outcome import OutcomeKind

__all__ = ["StoppingRules", "Verdict", "counted"]

GRADIENT_SLACK = 1000.0
DIVERGENCE_FACTOR = 10.0
STRAY_FRAMES = 200
STRAY_FLOOR = 1e-3
BOTTOMLESS_FACTOR = 1e6
REST_MARGIN = 1e-3
CEILING_MARGIN = 1e-4


class Verdict(NamedTuple):
    """How a run ends and the sentence that says why."""

    kind: OutcomeKind
    reason: str
    advised: bool = True
    """Whether what the problem suggests after such an end can help."""


class StoppingRules:
    """Judges the frames of one run, in order.

    Parameters
    ----------
    limits : Limits
        May be replaced between frames.
    loss_scale : float
        A difference of the loss that matters; see the module.
    loss_ceiling : float
        The level that the loss approaches far from any answer; infinite where there is none.
    patience : int
        Number of successive frames on which the gradient norm must be below ``gtol``.
    """

    def __init__(
        self, limits: Limits, *, loss_scale: float = 1.0, loss_ceiling: float = math.inf, patience: int = 1
    ) -> None:
        self.limits = limits
        self._loss_scale = loss_scale
        self._loss_ceiling = loss_ceiling
        self._patience = patience
        self._start = math.nan
        self._best = math.inf
        self._small_gradients = 0
        self._last_near_best = 0
        # One more than the window: the frame to compare with is `window` frames back.
        self._losses: deque[float] = deque(maxlen=limits.window + 1)
        self._bests: deque[float] = deque(maxlen=limits.window + 1)

    def judge(
        self, index: int, loss: float, gradient_norm: float, evaluations: float, seconds: float
    ) -> Verdict | None:
        """Return the verdict on a frame; None while the run goes on.

        Parameters
        ----------
        index : int
            Of the frame; successive calls have successive ones.
        loss, gradient_norm : float
        evaluations, seconds : float
            Spent before this frame.
        """
        limits = self.limits
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            what = "gradient" if math.isfinite(loss) else "loss"
            if index == 0:
                return Verdict("diverged", f"Diverged at the start: the {what} is no finite number.")
            if self._fell_without_end(loss):
                reason = "the loss fell without end, the function seems to be unbounded below"
                return Verdict("diverged", _diverged(evaluations, reason), advised=False)
            return Verdict("diverged", _diverged(evaluations, f"step too large, the {what} is no finite number"))
        self._take(index, loss, gradient_norm)
        finding = self._rest(gradient_norm)
        if limits.divergence:
            reason = self._divergence(index, loss, rests=bool(finding))
            if reason:
                return Verdict("diverged", _diverged(evaluations, reason))
        if finding:
            where = "at the start" if index == 0 else f"after {counted(evaluations, 'evaluation')}"
            return Verdict("converged", f"Converged {where}: {finding}.")
        return self._limit(index, gradient_norm, evaluations, seconds)

    @property
    def stands_still(self) -> bool:
        """Whether neither the best loss nor the loss itself changed by more than ``ftol |best|`` over the window."""
        bests = self._bests
        if len(bests) <= self.limits.window:
            return False
        tolerance = self.limits.ftol * abs(self._best)
        return bests[0] - self._best <= tolerance and max(self._losses) - min(self._losses) <= tolerance

    @property
    def _flat_gradient(self) -> float:
        return GRADIENT_SLACK * math.sqrt(self.limits.ftol * abs(self._best))

    def _take(self, index: int, loss: float, gradient_norm: float) -> None:
        if index == 0 or math.isnan(self._start):
            self._start = loss
        self._best = best = min(self._best, loss)
        self._losses.append(loss)
        self._bests.append(best)
        self._small_gradients = self._small_gradients + 1 if gradient_norm < self.limits.gtol else 0
        if loss - best <= max(abs(best), STRAY_FLOOR * self._loss_scale):
            self._last_near_best = index

    def _fell_without_end(self, loss: float) -> bool:
        """Return whether a run that ends at no finite number fell to it, far below all that matters."""
        if loss == -math.inf:
            return True
        fell = self._start - self._best > BOTTOMLESS_FACTOR * max(abs(self._start), self._loss_scale)
        return fell and self._losses[-1] == self._best and not loss > self._best

    def _rest(self, gradient_norm: float) -> str:
        """Return in words why the run has come to rest; empty if it has not."""
        limits = self.limits
        if self._small_gradients >= self._patience:
            return f"gradient norm {gradient_norm:.2g} is below {limits.gtol:g}"
        if limits.ftol > 0 and self.stands_still and gradient_norm <= self._flat_gradient:
            frames = counted(limits.window, "frame")
            return f"the loss has stood still for {frames} (gradient norm {gradient_norm:.2g})"
        return ""

    def _divergence(self, index: int, loss: float, *, rests: bool) -> str:
        start = self._start
        if rests and loss >= (1.0 - CEILING_MARGIN) * self._loss_ceiling:
            return f"the loss is flat here, {loss:.4g} of at most {self._loss_ceiling:.4g}"
        if rests and loss - start > REST_MARGIN * max(abs(start), self._loss_scale):
            return f"step too large, the run came to rest above its start, at {loss:.4g} instead of {start:.4g}"
        if loss - start > (DIVERGENCE_FACTOR - 1.0) * max(abs(start), self._loss_scale):
            return f"step too large, the loss rose from {start:.4g} to {loss:.4g}"
        if index - self._last_near_best >= STRAY_FRAMES:
            return f"step too large, no frame came within twice the best loss for {STRAY_FRAMES} frames"
        return ""

    def _limit(self, index: int, gradient_norm: float, evaluations: float, seconds: float) -> Verdict | None:
        limits = self.limits
        if limits.evaluations is not None and evaluations >= limits.evaluations:
            which = f"Stopped at the limit of {counted(limits.evaluations, 'evaluation')}"
        elif index >= limits.steps:
            which = f"Stopped at the limit of {counted(limits.steps, 'step')}"
        elif limits.seconds is not None and seconds >= limits.seconds:
            which = f"Stopped at the limit of {limits.seconds:g} s"
        else:
            return None
        if limits.ftol > 0 and self.stands_still:
            return Verdict(
                "limit", f"{which}: the loss stands still although the gradient norm is {gradient_norm:.2g}."
            )
        return Verdict("limit", f"{which}: gradient norm {gradient_norm:.2g}.")


def counted(number: float, noun: str) -> str:
    """Return a number with its noun, such as "1 step" or "12.3 evaluations"."""
    text = f"{number:.0f}" if float(number).is_integer() else f"{number:.1f}"
    return f"{text} {noun}" if text == "1" else f"{text} {noun}s"


def _diverged(evaluations: float, reason: str) -> str:
    if evaluations == 0:
        return f"Diverged at the start: {reason}."
    text = f"{evaluations:.0f}" if float(evaluations).is_integer() else f"{evaluations:.1f}"
    return f"Diverged at evaluation {text}: {reason}."
