"""When a run ends: budgets and tolerances, as one frozen value that jobs store."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Limits"]


class Limits(BaseModel):
    """Budgets and tolerances of one run.

    The tests themselves, and why each is as it is, are documented in `lieapp.engine.stopping`. A step is only begun
    while every budget has something left, so an optimiser that needs many evaluations a step (a line search) may end
    up to one step above ``evaluations``.

    Attributes
    ----------
    steps : int
        Most steps of the optimiser; the recording then holds ``steps + 1`` frames.
    evaluations : float or None
        No step begins once this many gradient evaluations (or their worth) are spent. None: no such budget.
    gtol : float
        The run has converged when the problem's scaled gradient norm falls below it. 0 never stops a run: give it
        where the optimiser is meant to leave stationary points.
    ftol : float
        The run has converged when the best loss improved by less than this share over ``window`` frames while the
        loss itself stood still and the gradient is small. 0 never stops a run.
    window : int
        Frames over which ``ftol`` looks back.
    seconds : float or None
        No step begins once the run has computed this long (pauses and observing excluded). None: no such budget.
    divergence : bool
        Whether a loss far above the start, or long far above the best, ends the run. False for optimisers that climb
        on purpose, such as saddle searches; non-finite values end a run all the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps: int = Field(default=1000, ge=0, description="Most steps of the optimiser")
    evaluations: float | None = Field(default=None, gt=0, description="Budget in gradient evaluations")
    gtol: float = Field(default=1e-7, ge=0, description="Converged below this scaled gradient norm")
    ftol: float = Field(default=1e-12, ge=0, lt=1, description="Converged below this relative improvement of the best")
    window: int = Field(default=20, ge=1, description="Frames over which the improvement is measured")
    seconds: float | None = Field(default=None, gt=0, description="Budget in seconds of computing")
    divergence: bool = Field(default=True, description="End runs whose loss goes far above start or best")
