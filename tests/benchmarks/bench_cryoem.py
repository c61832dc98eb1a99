"""Reconstruction: one volume gradient per image against torch's grid_sample with autograd, memory, and whole runs.

On a GPU, where there is one, images per second at box 128 come besides; its name is in the row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from lieapp.cryoem.angles import uniform_rotations
from lieapp.cryoem.inputs import load_inputs
from lieapp.cryoem.measurements import Measurements
from lieapp.cryoem.oracle import COSTS, REAL_PRODUCT
from lieapp.cryoem.particles import Particles
from lieapp.cryoem.plane import make_hermitian
from lieapp.cryoem.problem import open_cryoem
from lieapp.cryoem.spec import CryoemJob
from lieapp.cryoem.stencil import NormalStencil
from lieapp.engine.devices import single_thread, synchronize
from lieapp.optimizers.settings import settings_for
from tests.benchmarks.bench_gradient import interleaved, row

CPU = torch.device("cpu")


def particles(box: int, images: int) -> Particles:
    rng = np.random.default_rng(0)
    return Particles(
        rng.standard_normal((images, box, box)).astype(np.float32),
        uniform_rotations(images, rng),
        np.zeros((images, 2)),
        1.0,
    )


def volume_of(box: int, device: torch.device = CPU) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return make_hermitian(torch.randn((box, box, box), dtype=torch.complex64, generator=generator)).to(device)


def by_grid_sample(measured: Measurements, sample: Particles, rows: Tensor, volume: Tensor) -> Callable[[], object]:
    """Return a call of the same gradient as one writes it first: two channels, ``grid_sample``, ``backward``."""
    plane, device = measured.plane, volume.device
    k = torch.stack((plane.kx, plane.ky)).to(torch.float32)
    axes = torch.from_numpy(np.array(sample.rotations[:, :2])).to(device, torch.float32)
    box = plane.box
    data = torch.view_as_real(measured.data)
    leaf = torch.view_as_real(volume).permute(3, 0, 1, 2).contiguous().requires_grad_()

    def gradient() -> Tensor:
        leaf.grad = None
        points = torch.einsum("bij,ip->bpj", axes[rows], k) + box // 2
        grid = (2.0 * points / (box - 1) - 1.0).view(1, len(rows), 1, len(plane), 3)
        values = grid_sample(leaf[None], grid, align_corners=True)[0, :, :, 0].permute(1, 2, 0)
        loss = (values - data[rows]).square().sum() / len(rows)
        loss.backward()
        return loss.detach()

    return gradient


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; the CPU on one thread."""
    with single_thread():
        rows = [each for box in ((32,) if quick else (32, 64, 128)) for each in gradients(box, quick)]
        rows += growth(quick) + runs(quick) + optimizers(quick)
    if torch.cuda.is_available():
        rows += on_gpu(quick)
    return rows


def gradients(box: int, quick: bool) -> list[dict[str, Any]]:
    images = 100
    sample = particles(box, images)
    measured = Measurements(sample)
    volume, chosen = volume_of(box), torch.arange(images)
    signs = volume.real.contiguous()

    def fresh(question: Callable[[Any], object]) -> Callable[[], object]:
        return lambda: question(measured.batch(chosen))

    kept = measured.batch(chosen)
    own, peer, loss, product, real = interleaved(
        [
            fresh(lambda batch: batch.gradient(volume)),
            by_grid_sample(measured, sample, chosen, volume),
            fresh(lambda batch: batch.loss(volume)),
            lambda: kept.product(volume),
            lambda: kept.product(signs),
        ],
        2 if quick else 20,
    )
    scale = 1e3 / images
    points = len(measured.plane)
    tables = 64 * points
    return [
        row(f"volume gradient per image, box {box}", own * scale, "ms", "grid_sample and autograd", own / peer),
        row(f"loss per image, box {box}", loss * scale, "ms", "gradient", loss / own, f"charged {COSTS.loss:.2g}"),
        row(f"product per image, box {box}", product * scale, "ms", "gradient", product / own, f"charged {COSTS.hvp}"),
        row(
            f"product with signs, box {box}",
            real * scale,
            "ms",
            "gradient",
            real / own,
            f"charged {REAL_PRODUCT * COSTS.hvp:.2g}",
        ),
        row(f"memory per image, box {box}", 8e-3 * points, "kB", "with tables", (8 * points + tables) / (8 * points)),
    ]


def growth(quick: bool) -> list[dict[str, Any]]:
    """Return what the exact gradient of all images costs, batch by batch and by the stencil, as their number grows."""
    box = 32
    volume = volume_of(box)
    rows = []
    few, many = (200, 400) if quick else (1000, 4000)
    taken: dict[int, tuple[float, float]] = {}
    for images in (few, many):
        measured = Measurements(particles(box, images))
        stencil = NormalStencil(measured)
        parts = measured.parts()
        passes, products = interleaved(
            [lambda parts=parts: [part.gradient(volume) for part in parts], lambda s=stencil: s.product(volume)],  # type: ignore[misc]
            2 if quick else 8,
        )
        taken[images] = passes, products
    for k, name in enumerate(("pass over all images", "product with the stencil")):
        ratio = taken[many][k] / taken[few][k]
        rows.append(row(f"{name}, box {box}, N {many}", taken[many][k] * 1e3, "ms", f"N {few}", ratio))
    return rows


def runs(quick: bool) -> list[dict[str, Any]]:
    rows = []
    for box, images, limit in ((32, 1000, "< 3 s"), (64, 2000, "< 10 s"))[: 1 if quick else 2]:
        job = CryoemJob(box=box, images=images, epochs=0.5 if quick else 10.0, device="cpu")
        inputs = load_inputs(job)
        open_cryoem(job, inputs)[1].complete()  # the minimiser is computed once for all
        for name, preconditioner in (
            ("sgd", "none"),
            ("preconditioned-sgd", "row-sum"),
            ("preconditioned-sgd", "hutchinson"),
        ):
            entrant = job.changed(preconditioner=preconditioner).with_optimizer(name)
            run = open_cryoem(entrant, inputs)[1]
            begin, used = time.perf_counter(), time.process_time()
            run.complete()
            whole, used = time.perf_counter() - begin, time.process_time() - used
            kind = name if preconditioner == "none" else preconditioner
            title = f"{job.epochs:g} epochs, box {box}, {images} images, {kind}"
            rows.append(row(title, whole, "s", limit=limit))
            rows.append(row("  processor time", used, "s", limit=limit))
            rows.append(row("  of which computing", float(run.recording.row(-1)["seconds"]), "s"))
            error = run.recording.state(-1)["shell_error"][-2]
            rows.append(row(f"  relative error in shell {box // 2 - 2}", float(error), ""))
    return rows


def optimizers(quick: bool) -> list[dict[str, Any]]:
    """Return where every optimiser ends at its recommended settings, for the cost of ten epochs of gradients."""
    box, images, batch = (16, 250, 25) if quick else (32, 1000, 100)
    job = CryoemJob(box=box, images=images, batch=batch, epochs=1000.0, device="cpu")
    job = job.changed(limits=job.limits.model_copy(update={"evaluations": 20.0 if quick else 100.0}))
    inputs = load_inputs(job)
    rows = []
    first = float("nan")
    for name in settings_for("cryoem"):
        kinds = ("row-sum", "exact", "hutchinson") if name == "preconditioned-sgd" else ("none",)
        for kind in kinds:
            run = open_cryoem(job.changed(preconditioner=kind).with_optimizer(name), inputs)[1]
            outcome = run.complete()
            last, title = run.recording.row(-1), name if kind == "none" else kind
            gap, error = last["loss_gap"], run.recording.state(-1)["shell_error"][-2]
            first = gap if name == "sgd" else first
            note = f"{outcome.kind}; error in shell {box // 2 - 2} {error:.3f}, {last['evaluations']:.0f} evaluations"
            rows.append(
                row(f"loss gap at {job.limits.evaluations:g} evaluations, box {box}, {title}", gap, "", limit=note)
            )
    for each in rows:
        each["peer"], each["ratio"] = "sgd", each["value"] / first
    return rows


def on_gpu(quick: bool) -> list[dict[str, Any]]:
    """Return images per second of a whole gradient, tables made anew, at box 128."""
    device = torch.device("cuda", 0)
    name = torch.cuda.get_device_name(device)
    rows = []
    for box, images in ((64, 1000),) if quick else ((64, 4000), (128, 500), (128, 4000)):
        sample = particles(box, images)
        measured = Measurements(sample, device=device)
        measured.operator._keeps = False  # as with more images than tables fit
        volume, chosen = volume_of(box, device), torch.arange(images)
        peer = by_grid_sample(measured, sample, chosen, volume)

        def timed(call: Callable[[], object], count: int) -> float:
            call()
            synchronize(device)
            begin = time.perf_counter()
            for _ in range(count):
                call()
            synchronize(device)
            return (time.perf_counter() - begin) / count

        count = 2 if quick else 20
        own = timed(lambda m=measured, c=chosen, v=volume: m.batch(c).gradient(v), count)  # type: ignore[misc]
        other = timed(peer, count)
        title = f"images per second, gradient, box {box}, batch {images}, {name}"
        rows.append(row(title, images / own, "1/s", "grid_sample and autograd", other / own, "> 100 000 at box 128"))
    return rows
