"""The dimer on the character transformer: its curvature against Lanczos, and what DEO costs beyond its evaluations.

Times are those of the processor, one thread, so that what else the machine does counts little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor

from lieapp.engine.devices import single_thread
from lieapp.landscapes.recommended import recommended
from lieapp.landscapes.transformer import TransformerModel, shape_of
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.dimer import Rotation, rotate
from lieapp.optimizers.lanczos import lanczos
from lieapp.optimizers.oracle import AutogradOracle, Costs, FiniteDifferenceOracle, dot

ADAM_STEPS = 150


class Timed:
    """A closure of the network's loss on its present batch, with the time that it takes."""

    def __init__(self, model: TransformerModel) -> None:
        self.model = model
        self.calls = 0
        self.seconds = 0.0

    def __call__(self) -> Tensor:
        begin = time.thread_time()
        loss = self._evaluate()  # with what it takes to give back the memory of its graph
        self.seconds += time.thread_time() - begin
        self.calls += 1
        return loss

    def _evaluate(self) -> Tensor:
        for p in self.model.parameters:
            p.grad = None
        loss = self.model.network.loss(self.model._windows)
        loss.backward()
        return loss.detach()


def row(name: str, value: float, unit: str, peer: str = "", ratio: float | None = None, limit: str = "") -> dict:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio, "limit": limit}


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows."""
    name = "transformer-tiny" if quick else "transformer"
    rows: list[dict[str, Any]] = []
    done = 0
    with single_thread():
        model = TransformerModel(shape_of(name), None, None, 0, torch.device("cpu"), torch.float32)
        for steps in (10,) if quick else (10, 50, 150):
            train(model, steps - done)
            done = steps
            rows += curvature(model, steps)
        rows += distributions(name, range(1) if quick else range(5), (30,) if quick else (30, 50, 150, 500))
        return rows + costs(name, model, 12 if quick else 320)


def train(model: TransformerModel, steps: int) -> None:
    """Take the network from its start, where nothing has curvature, to where training goes on."""
    adam = torch.optim.Adam(model.parameters, lr=1e-3)
    closure = Timed(model)
    for _ in range(steps):
        closure()
        adam.step()
        model.after_step()


def curvature(model: TransformerModel, steps: int) -> list[dict[str, Any]]:
    """Return the lowest curvature by 10 evaluations beside 40 exact products of Lanczos, and what it truly is."""
    exact = exact_oracle(model)
    spectrum = lanczos(exact, steps=40)
    after = f"after {steps} steps of Adam"
    rows = [
        row(f"Lanczos-40, lowest, {after}", spectrum.lowest, ""),
        row(f"Lanczos-40, highest, {after}", spectrum.highest, ""),
    ]
    for method in ("lanczos", "lor", "optimal-angle"):
        for kind in ("exact", "one-sided", "one-sided from a random direction"):
            differences = FiniteDifferenceOracle(Timed(model), model.parameters)
            differences.gradient()
            start = random_direction(model) if "random" in kind else None
            oracle = exact if kind == "exact" else differences
            found = rotate(oracle, start, budget=10.0, tolerance=0.0, method=method)  # type: ignore[arg-type]
            truth = dot(found.direction, exact.hvp(found.direction))
            default = method == "lanczos" and kind == "one-sided"
            label = f"{method}{' (default)' if default else ''}, 10 evaluations, {kind} (true {truth:.4g})"
            rows.append(
                row(label, found.curvature, "", "Lanczos-40", truth / spectrum.lowest, "> 0.95" if default else "")
            )
    return rows


def distributions(name: str, seeds: Iterable[int], after: Sequence[int]) -> list[dict[str, Any]]:
    """Return how near 10 evaluations of the default method come to Lanczos-40, over seeds and steps of training."""
    shares: dict[str, list[float]] = {}
    for seed in seeds:
        model = TransformerModel(shape_of(name), None, None, seed, torch.device("cpu"), torch.float32)
        done = 0
        for steps in after:
            path = []
            for stop in (steps - 20, steps - 10, steps):
                train(model, stop - done)
                done = stop
                path.append(([p.detach().clone() for p in model.parameters], model._windows))
            lowest = lanczos(exact_oracle(model), steps=40).lowest
            for kind, found in searches(model, path).items():
                truth = dot(found.direction, exact_oracle(model).hvp(found.direction))
                shares.setdefault(kind, []).append(truth / lowest)
    return [
        row(
            f"{kind}: {what} of {len(found)}",
            value,
            "",
            "Lanczos-40",
            value,
            "" if "another batch" in kind else "> 0.95",
        )
        for kind, found in shares.items()
        for what, value in (("median", median(found)), ("worst", min(found)))
    ]


def searches(model: TransformerModel, path: Sequence[tuple[list[Tensor], Tensor]]) -> dict[str, Rotation]:
    """Return what the default method finds at the end of a path of parameters and batches, in 10 evaluations each.

    Either at once, or as `DEO` does it: at every point of the path, each search from the direction of the one before.
    There, the batch is always the last one, or that of the point.
    """
    found: dict[str, Rotation] = {}
    for kind, points, batches in (
        ("default method, 10 evaluations, at once", path[-1:], path[-1:]),
        ("... from the direction of 10 steps ago, same batch", path, path[-1:] * len(path)),
        ("... from the direction of 10 steps ago on another batch", path, path),
    ):
        for (values, _), (_, batch) in zip(points, batches, strict=True):
            model._windows = batch
            with torch.no_grad():
                for p, value in zip(model.parameters, values, strict=True):
                    p.copy_(value)
            differences = FiniteDifferenceOracle(Timed(model), model.parameters)
            differences.gradient()
            start = found[kind].direction if kind in found else None
            found[kind] = rotate(differences, start, budget=10.0, tolerance=0.0)
    return found


def exact_oracle(model: TransformerModel) -> AutogradOracle:
    """Return an oracle of exact products on the present batch, each charged as one evaluation."""
    return AutogradOracle(lambda: model.network.loss(model._windows), model.parameters, costs=Costs(hvp=1.0))


def random_direction(model: TransformerModel) -> list[Tensor]:
    """Return normal deviates in the shapes of the parameters."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(p.shape, generator=generator) for p in model.parameters]


def costs(name: str, trained: TransformerModel, steps: int) -> list[dict[str, Any]]:
    """Return what a step of training costs outside the gradients and the base, and DEO's time against its evaluations.

    Both networks go on from where the trained one is, each by itself, with a new batch in every step.
    """
    rows = []
    on_networks = {"interval": recommended("deo", None)["interval"]}
    for kind, settings in (
        ("escape as recommended for networks", on_networks),
        ("escape, default interval", {}),
        ("escape, K 10, 5 rotations", {"adaptive": False}),
        ("project as recommended for networks", {**on_networks, "mode": "project"}),
        ("project, K 10, 5 rotations", {"adaptive": False, "mode": "project"}),
    ):
        networks = [copied(name, trained), copied(name, trained)]
        plain, wrapped = (Timed(network) for network in networks)
        adam = torch.optim.Adam(networks[0].parameters, lr=1e-3, foreach=False)
        deo = DEO(networks[1].parameters, torch.optim.Adam, lr=1e-3, foreach=False, **settings)
        base = timed_base(deo)
        took = [0.0, 0.0]
        for _ in range(steps):  # in turn, so that what else the machine does falls on both
            begin = time.thread_time()
            plain()
            adam.step()
            middle = time.thread_time()
            deo.step(wrapped)
            took[0] += middle - begin
            took[1] += time.thread_time() - middle
            for network in networks:
                network.after_step()
        algebra = took[1] - wrapped.seconds - base()
        evaluations = deo.evaluations / steps
        rows += [
            row(
                f"vector algebra in a step, {kind}",
                algebra / steps * 1e3,
                "ms",
                "the step",
                algebra / took[1],
                "< 0.02",
            ),
            row(
                f"step of DEO over one of Adam, {kind}",
                took[1] / took[0],
                "",
                f"{evaluations:.2f} evaluations reported",
                took[1] / took[0] / evaluations,
                "0.9 to 1.1",
            ),
        ]
        assert wrapped.calls == deo.evaluations
    label = f"{name}, {sum(p.numel() for p in trained.parameters)} parameters"
    return [row(f"gradient ({label})", plain.seconds / plain.calls * 1e3, "ms"), *rows]


def copied(name: str, trained: TransformerModel) -> TransformerModel:
    """Return another network with the same parameters, on batches of its own."""
    model = TransformerModel(shape_of(name), None, None, 0, torch.device("cpu"), torch.float32)
    with torch.no_grad():
        for p, value in zip(model.parameters, trained.parameters, strict=True):
            p.copy_(value)
    return model


def timed_base(deo: DEO) -> Callable[[], float]:
    """Let a wrapped optimiser's own steps be timed; return a call that tells the seconds."""
    step, spent = deo.base.step, [0.0]

    def timed(*arguments: Any) -> Any:
        begin = time.thread_time()
        loss = step(*arguments)
        spent[0] += time.thread_time() - begin
        return loss

    deo.base.step = timed  # type: ignore[method-assign]
    return lambda: spent[0]
