"""The spectrum of the Hessian along the path of a run, afterwards: exact where it is small, else by Lanczos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from lieapp.engine.devices import single_thread
from lieapp.engine.limits import Limits
from lieapp.engine.recording import Recording
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.problem import LandscapeProblem, open_landscape
from lieapp.landscapes.starts import open_unobserved
from lieapp.optimizers.lanczos import lanczos
from lieapp.optimizers.oracle import hessian

if TYPE_CHECKING:
    from lieapp.landscapes.spec import LandscapeJob
    from lieapp.landscapes.texts import Text

__all__ = ["MOST_FRAMES", "PathSpectrum", "spectrum_along", "thinned"]

Array = NDArray[np.float64]

MOST_FRAMES = {True: 200, False: 8}
"""Frames whose spectrum is computed by default, for landscapes that are taken apart exactly and for larger ones."""

PRODUCTS = 40
"""Of each Lanczos estimate."""

_AGREE = 1e-4


@dataclass(frozen=True, eq=False)
class PathSpectrum:
    """Eigenvalues of the Hessian at frames of a run.

    Attributes
    ----------
    frames : ndarray, shape=(frames,), dtype=int64
    evaluations : ndarray, shape=(frames,)
        Spent before each.
    values : ndarray, shape=(frames, eigenvalues)
        Ascending. Where they are not exact: Ritz values of Lanczos, of which those at both ends are close to
        eigenvalues; a row with fewer of them ends in NaN.
    residuals : ndarray, shape=(frames, eigenvalues)
        An eigenvalue lies within this distance of each; zero where they are exact.
    exact : bool
    cost : float
        What computing it took, in gradients; it is charged to no run.
    """

    frames: NDArray[np.int64]
    evaluations: Array
    values: Array
    residuals: Array
    exact: bool
    cost: float

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def negative(self) -> NDArray[np.int64]:
        """Number of negative eigenvalues at each frame, shape ``(frames,)``; a lower bound where they are estimates."""
        count: NDArray[np.int64] = (self.values < 0.0).sum(axis=1)
        return count


def thinned(frames: int, most: int) -> list[int]:
    """Return at most so many frames of a run, two at least, evenly apart, the first and the last among them."""
    if frames <= most:
        return list(range(frames))
    return sorted(set(np.rint(np.linspace(0, frames - 1, max(most, 2))).astype(int).tolist()))


def spectrum_along(
    job: LandscapeJob,
    recording: Recording,
    *,
    most: int | None = None,
    inputs: Text | None = None,
    stopped: Callable[[], bool] | None = None,
    progress: Callable[[float], object] | None = None,
) -> PathSpectrum:
    """Return the spectrum of the Hessian at frames of a run.

    Parameters
    ----------
    job : LandscapeJob
        That the recording was made with.
    recording : Recording
    most : int, optional
        Frames at most; `MOST_FRAMES` by default.
    inputs : Text, optional
    stopped : callable() -> bool, optional
        Asked before every frame; what is there by then is returned.
    progress : callable(float), optional
        Told the share that is done.

    Raises
    ------
    LandscapeError
        If the recording has no frames, or a run whose parameters were too many to record does not repeat itself.

    Notes
    -----
    Up to 128 parameters a frame holds all of them. Of a larger landscape the run is made once more, with the same
    seed, up to each frame; its losses are compared with those recorded.
    """
    if not len(recording):
        raise LandscapeError("There is no frame whose Hessian could be taken apart")
    exact = "point" in recording.state_keys
    frames = thinned(len(recording), MOST_FRAMES[exact] if most is None else most)
    if exact:
        frames = sorted({recording.kept(frame) for frame in frames})
    told = progress or (lambda share: None)
    work = _exact if exact else _repeated
    with single_thread():
        found, cost = work(job, recording, frames, inputs, stopped or (lambda: False), told)
    done = frames[: len(found)]
    width = max((len(values) for values, _ in found), default=0)
    values, residuals = np.full((2, len(found), width), np.nan)
    for row, (own, errors) in enumerate(found):
        values[row, : len(own)], residuals[row, : len(own)] = own, errors
    evaluations = recording.column("evaluations")[done]
    return PathSpectrum(np.array(done, dtype=np.int64), evaluations, values, residuals, exact, cost)


_Found = tuple[list[tuple[Array, Array]], float]


def _exact(
    job: LandscapeJob,
    recording: Recording,
    frames: Sequence[int],
    inputs: Text | None,
    stopped: Callable[[], bool],
    progress: Callable[[float], object],
) -> _Found:
    rotating = job.landscape == "so3-alignment"
    problem = open_landscape(job, inputs)[0]
    found: list[tuple[Array, Array]] = []
    for index, frame in enumerate(frames):
        if stopped():
            break
        point = recording.state(frame)["point"]
        if rotating:  # its parameters are a turn from an anchor, so the anchor goes there
            problem = open_landscape(job.changed(start=tuple(point.tolist())))[0]
        else:
            _place(problem, point)
        matrix = hessian(problem.oracle).detach().to("cpu", torch.float64)
        finite = bool(torch.isfinite(matrix).all())
        values = torch.linalg.eigvalsh(matrix).numpy() if finite else np.full(len(matrix), np.nan)
        found.append((values, np.zeros(len(values))))
        progress((index + 1) / len(frames))
    return found, len(found) * problem.size * float(problem.oracle.costs.hvp)


def _place(problem: LandscapeProblem, point: Array) -> None:
    with torch.no_grad():
        rest = torch.tensor(point)  # a copy: what is recorded is read-only
        for leaf in problem.parameters():
            leaf.copy_(rest[: leaf.numel()].reshape(leaf.shape))
            rest = rest[leaf.numel() :]


def _repeated(
    job: LandscapeJob,
    recording: Recording,
    frames: Sequence[int],
    inputs: Any,
    stopped: Callable[[], bool],
    progress: Callable[[float], object],
) -> _Found:
    limits = Limits(steps=frames[-1], gtol=0.0, ftol=0.0, divergence=False)
    run = open_unobserved(job.changed(limits=limits), inputs)
    losses = recording.column("loss")
    generator = torch.Generator().manual_seed(job.seed)
    found: list[tuple[Array, Array]] = []
    cost = 0.0
    for frame in run:
        if stopped():
            break
        progress(frame.index / max(frames[-1], 1))
        if frame.index != frames[len(found)]:
            continue
        if not abs(frame.loss - losses[frame.index]) <= _AGREE * max(abs(frame.loss), 1.0):
            raise LandscapeError(
                f"The run did not repeat itself: at frame {frame.index} its loss is {frame.loss:.6g} instead of "
                f"{losses[frame.index]:.6g}, so that its parameters are not those that were recorded"
            )
        ritz = lanczos(run.problem.oracle, 1, PRODUCTS, generator=generator)
        found.append((ritz.values, ritz.residuals))
        cost += ritz.evaluations
        if len(found) == len(frames):
            break
    run.cancel()
    return found, cost + run.evaluations
