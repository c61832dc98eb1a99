"""The reconstruction that an optimiser drives: a Fourier volume, a batch of images, and what a frame shows.

`CryoemProblem` works on fits; `open_cryoem` makes one from a `CryoemJob`. Parameters are the real and imaginary parts
of the centred spectrum, kept Hermitian, so every frame is a real map.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.cryoem.batches import batch_orders
from lieapp.cryoem.choices import PreconditionerName, StartName
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.fit import VolumeFit
from lieapp.cryoem.metrics import FSC_HALF_MAPS, FSC_TRUTH, resolution_angstrom
from lieapp.cryoem.oracle import CryoemOracle
from lieapp.cryoem.plane import make_hermitian, map_to_fourier
from lieapp.cryoem.preconditioners import HutchinsonEstimate, HutchinsonStart, one_hit
from lieapp.cryoem.slices import reconstructed_map
from lieapp.engine.devices import resolve_device
from lieapp.engine.metric import Metric
from lieapp.engine.problem import Problem
from lieapp.optimizers.registry import build_optimizer, settings_class

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from lieapp.cryoem.inputs import CryoemInputs
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.outcome import OutcomeKind
    from lieapp.engine.run import Run

__all__ = ["CryoemProblem", "job_device", "open_cryoem", "stream_seed"]

SINGLE_THREAD_UP_TO = 64  # box: with two threads on a busy machine smaller ones were 4 to 60 times slower
_GAP_EVERY_FRAME_UP_TO = 32  # box: above, the loss gap is computed four times an epoch


class CryoemProblem(Problem):
    """Reconstruct a map, or two half maps, from images with known poses.

    Parameters
    ----------
    fits : sequence of VolumeFit
        One, or one for each half set; of one unit.
    pixel_size_angstrom : float
    batch : int
        Most images of a batch, of all half sets together.
    truth : Tensor, shape=(box, box, box), complex, optional
        Spectrum that a perfect fit would have.
    preconditioner : {"none", "exact", "row-sum", "hutchinson"}
    hutchinson_start : {"row-sum", "shells", "ones"}
    hutchinson_memory, clamp : float
        See `lieapp.cryoem.preconditioners`.
    start : {"noise", "zero", "one-pass"}
    seed : int
        Of start, order of the images, and probes; each has a stream of its own.
    advice : str
        What to suggest when the run diverges.

    Attributes
    ----------
    fits : list of VolumeFit
    steps_per_epoch : int
    """

    name = "reconstruction"
    metric = Metric("loss_gap", "", "log")
    loss_scale = 0.5

    def __init__(
        self,
        fits: Sequence[VolumeFit],
        *,
        pixel_size_angstrom: float,
        batch: int = 100,
        truth: Tensor | None = None,
        preconditioner: PreconditionerName = "none",
        hutchinson_start: HutchinsonStart = "row-sum",
        hutchinson_memory: float = 0.9,
        clamp: float = 0.1,
        start: StartName = "noise",
        seed: int = 0,
        advice: str = "",
    ) -> None:
        self.fits = list(fits)
        self.pixel_size_angstrom = pixel_size_angstrom
        self._advice = advice
        first = self.fits[0]
        self.box = first.box
        self.single_threaded = self.box <= SINGLE_THREAD_UP_TO
        self._truth: Tensor | None = None
        if truth is not None:
            held = first.measurements.operator.masked((truth / first.unit).to(first.measurements.data))
            self._truth = map_to_fourier(self._shown(held))
        self._orders = batch_orders(
            [len(fit.measurements) for fit in self.fits],
            batch,
            [stream_seed(seed, 10 + k) for k in range(len(self.fits))],
        )
        self.steps_per_epoch = self._orders[0].batches
        self._leaves = [
            torch.view_as_real(_start(fit, start, stream_seed(seed, 20 + k))).contiguous().requires_grad_()
            for k, fit in enumerate(self.fits)
        ]
        estimates = [
            HutchinsonEstimate(
                fit.shells,
                start=hutchinson_start,
                memory=hutchinson_memory,
                clamp=clamp,
                least=one_hit(order.largest, fit.curvature),
            )
            for fit, order in zip(self.fits, self._orders, strict=True)
            if preconditioner == "hutchinson"
        ]
        self._probes = torch.Generator().manual_seed(stream_seed(seed, 30))
        self._oracle = CryoemOracle(
            self.fits,
            self._leaves,
            preconditioner=preconditioner,
            estimates=estimates,
            clamp=clamp,
            generator=self._probes,
        )
        self._estimates = estimates
        self._step = 0
        self._scores: dict[str, Any] | None = None
        self._condition = first.condition_numbers()[max(1, first.shells.radius - 2)]
        self._draw()

    @property
    def oracle(self) -> CryoemOracle:
        """Loss, gradient, products and preconditioner of the present batch."""
        return self._oracle

    def parameters(self) -> list[Tensor]:
        """Return one leaf, shape=(box, box, box, 2), or one for each half set."""
        return self._leaves

    def after_step(self, optimizer: Optimizer | None = None) -> None:
        """Restore the symmetry of real maps, which rounding disturbs, and draw the next batch."""
        with torch.no_grad():
            for fit, leaf in zip(self.fits, self._leaves, strict=True):
                volume = make_hermitian(torch.view_as_complex(leaf))
                leaf.copy_(torch.view_as_real(fit.measurements.operator.masked(volume)))
        self._step += 1
        self._scores = None
        self._draw()

    @torch.no_grad()
    def volumes(self) -> list[Tensor]:
        """Return the volume of every fit, shape=(box, box, box), complex."""
        return [torch.view_as_complex(leaf) for leaf in self._leaves]

    def _shown(self, volume: Tensor) -> Tensor:
        return reconstructed_map(volume, self.fits[0].measurements.operator.interpolation)

    @torch.no_grad()
    def state(self) -> dict[str, NDArray[Any]]:
        """Return the map and how good it is.

        Returns
        -------
        dict
            ``map``, shape=(box, box, box), float32: real-space map, the mean of the half maps where there are two.
            ``shell_error``, shape=(shells,), float32: of the volume, against the exact minimiser. ``fsc_truth``,
            shape=(shells,), float32: of the map, with the truth. NaN where these are unknown. ``preconditioner``,
            shape=(box, box), float32: the plane ky = 0 (axes kz, kx). With half sets, ``half_maps``,
            shape=(2, box, box, box), and ``fsc_half``, shape=(shells,): of these maps.
        """
        scores = self._score()
        maps = scores["maps"]
        state: dict[str, NDArray[Any]] = {
            "map": maps[0] if len(maps) == 1 else np.asarray(0.5 * (maps[0] + maps[1]), dtype=np.float32),
            "shell_error": scores["shell_error"],
            "fsc_truth": scores["fsc_truth"],
            "preconditioner": self._preconditioner_plane(),
        }
        if len(maps) > 1:
            state["half_maps"] = np.stack(maps)
            state["fsc_half"] = scores["fsc_half"]
        return state

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        """Return epoch, loss gap, resolution, condition number, mean correlation and error of the preconditioner."""
        scores = self._score()
        return {
            "epoch": self._step / self.steps_per_epoch,
            "loss_gap": scores["loss_gap"],
            "resolution_angstrom": scores["resolution_angstrom"],
            "condition_number": self._condition,
            "fsc_mean": scores["fsc_mean"],
            "preconditioner_error": scores["preconditioner_error"],
        }

    def describe_best(self, row: Mapping[str, float]) -> str:
        """Return which frame was kept."""
        return f"Best frame kept (epoch {row.get('epoch', math.nan):.3g}, loss {row['loss']:.4g})."

    def suggestion(self, kind: OutcomeKind) -> str:
        """Return advice on the learning rate after a divergence, and what became of a shortage of memory."""
        messages = list(dict.fromkeys(message for fit in self.fits for message in fit.measurements.messages[-1:]))
        if kind == "diverged" and self._advice:
            messages.insert(0, self._advice)
        return " ".join(messages)

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the order of the images, the estimates and the generator of their probes."""
        return {
            "step": self._step,
            "orders": [order.state_dict() for order in self._orders],
            "oracle": self._oracle.state_dict(),
            "probes": self._probes.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take them back; the parameters are the run's to restore."""
        self._step = int(state["step"])
        for order, values in zip(self._orders, state["orders"], strict=True):
            order.load_state_dict(values)
        self._set_batches()
        self._oracle.load_state_dict(state["oracle"])
        self._probes.set_state(state["probes"])
        self._scores = None

    def _draw(self) -> None:
        for order in self._orders:
            order.advance()
        self._set_batches()

    def _set_batches(self) -> None:
        self._oracle.set_batches(
            [fit.measurements.batch(order.rows()) for fit, order in zip(self.fits, self._orders, strict=True)]
        )

    def _preconditioner_plane(self) -> NDArray[np.float32]:
        diagonals = self._oracle.diagonals()
        if not diagonals:
            return np.ones((self.box, self.box), dtype=np.float32)
        plane: NDArray[np.float32] = diagonals[0][:, self.box // 2].to(torch.float32).cpu().numpy()
        return plane

    @torch.no_grad()
    def _score(self) -> dict[str, Any]:
        if self._scores is None:
            self._scores = self._computed_scores()
        return self._scores

    def _computed_scores(self) -> dict[str, Any]:
        fits, volumes = self.fits, self.volumes()
        shells = fits[0].shells
        unknown = np.full(len(shells), np.nan, dtype=np.float32)
        known = [fit.minimiser for fit in fits]
        errors = [
            fit.shells.error(volume, best.to(volume.dtype))
            for fit, volume, best in zip(fits, volumes, known, strict=True)
            if best is not None
        ]
        maps = [self._shown(volume) for volume in volumes]
        spectra = [map_to_fourier(values) for values in maps]
        whole = spectra[0] if len(spectra) == 1 else 0.5 * (spectra[0] + spectra[1])
        truth = None if self._truth is None else shells.correlation(whole, self._truth)
        halves = shells.correlation(*spectra) if len(spectra) == 2 else None
        judged, threshold = (truth, FSC_TRUTH) if truth is not None else (halves, FSC_HALF_MAPS)
        gap = math.nan
        often = self.box <= _GAP_EVERY_FRAME_UP_TO
        if often or self._step % max(1, self.steps_per_epoch // 4) == 0:
            gap = sum(fit.gap(volume) for fit, volume in zip(fits, volumes, strict=True))
        resolution = math.nan
        if judged is not None:
            resolution = resolution_angstrom(judged.cpu().numpy(), self.box, self.pixel_size_angstrom, threshold)
        return {
            "maps": [_single(values * fits[0].unit) for values in maps],
            "shell_error": unknown if not errors else _single(torch.stack(errors).mean(0)),
            "fsc_truth": unknown if truth is None else _single(truth),
            "fsc_half": unknown if halves is None else _single(halves),
            "fsc_mean": math.nan if judged is None else float(judged[1:].mean()),
            "loss_gap": gap,
            "resolution_angstrom": resolution,
            "preconditioner_error": self._preconditioner_error(),
        }

    def _preconditioner_error(self) -> float:
        """Return the relative error of Hutchinson's mean to the exact diagonal; NaN where there is no estimate."""
        if not self._estimates or not self._estimates[0].probes:
            return math.nan
        shells, exact = self.fits[0].shells, self.fits[0].diagonal
        off = shells.sums((shells.pick(self._estimates[0].mean()) - shells.pick(exact)).square()).sum()
        return math.sqrt(float(off / shells.sums(shells.pick(exact).square()).sum()))


def _single(values: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = values.to(torch.float32).cpu().numpy()
    return found


def stream_seed(seed: int, number: int) -> int:
    """Return the seed of one of the independent streams of a job."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)


def _start(fit: VolumeFit, start: StartName, seed: int) -> Tensor:
    """Return the first volume."""
    if start == "zero":
        return torch.zeros_like(fit.backprojection)
    if start == "one-pass":
        return fit.one_pass.clone()
    box = fit.box
    noise = torch.randn((box, box, box, 2), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    volume = fit.measurements.operator.masked(make_hermitian(torch.view_as_complex(noise)).to(fit.one_pass))
    ratio = torch.sqrt(fit.shells.power(fit.one_pass) / fit.shells.power(volume))
    return volume * fit.shells.spread(ratio).to(volume.real)


def job_device(job: CryoemJob) -> torch.device:
    """Return where a job computes; never Apple's GPU, which adds no complex numbers up and has no float64.

    Raises
    ------
    CryoemError
        If that was asked for.
    EngineError
        If the device does not exist.
    """
    device = resolve_device(job.device, prefers="cuda", dtype=job.dtype)
    if device.type != "mps":
        return device
    if job.device == "auto":
        return torch.device("cpu")
    raise CryoemError("Reconstructions do not run on mps; choose auto, cpu or cuda.")


def open_cryoem(job: CryoemJob, inputs: CryoemInputs | None = None) -> tuple[CryoemProblem, Run]:
    """Build the problem and the run of a job.

    Parameters
    ----------
    job : CryoemJob
    inputs : CryoemInputs, optional
        What `lieapp.cryoem.inputs.load_inputs` returned for this job, or for one with the same images; entrants of a
        race share it, so that images are simulated, read and prepared once.

    Returns
    -------
    problem : CryoemProblem
    run : Run
        Not begun. The optimiser has the recommended settings with the job's overrides; the run ends with the epochs.

    Raises
    ------
    CryoemError
        If phantom or particles cannot be used.
    OptimizerError
        If there is no such optimiser, or a setting is wrong.
    EngineError
        If the device does not exist.
    """
    from lieapp.cryoem.inputs import load_inputs
    from lieapp.engine.run import Run

    device = job_device(job)
    settings_type = settings_class(job.optimizer.name)
    inputs = load_inputs(job) if inputs is None else inputs
    recommended = settings_type().updated(job.recommended(inputs.box, len(inputs.particles)))
    settings = recommended.updated(job.optimizer.overrides)
    rate = getattr(recommended, "lr", None)
    problem = CryoemProblem(
        inputs.fits(job, device),
        pixel_size_angstrom=inputs.pixel_size_angstrom,
        batch=job.batch,
        truth=inputs.true_spectrum(job.interpolation),
        preconditioner=job.preconditioner,
        hutchinson_start=job.hutchinson_start,
        hutchinson_memory=job.hutchinson_memory,
        clamp=job.clamp,
        start=job.start,
        seed=job.seed,
        advice="" if rate is None else f"Try lr {rate if settings.lr > rate else 0.1 * settings.lr:g}.",  # type: ignore[attr-defined]
    )
    optimizer = build_optimizer(
        settings, problem.parameters(), generator=torch.Generator().manual_seed(stream_seed(job.seed, 40))
    )
    steps = max(1, round(job.epochs * problem.steps_per_epoch))
    limits = job.limits.model_copy(update={"steps": min(job.limits.steps, steps)})
    known = job if inputs.sha256 is None else job.changed(source_sha256=inputs.sha256)
    run = Run(problem, optimizer, settings=settings, limits=limits, job=known)
    run.recording.metadata["reconstruction"] = {
        "source": inputs.name,
        "box": inputs.box,
        "pixel_size_angstrom": inputs.pixel_size_angstrom,
        "images": len(inputs.particles),
        "steps_per_epoch": problem.steps_per_epoch,
    }
    return problem, run
