"""The character transformer: sizes, determinism, learning, products; and the text that it learns."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from lieapp.engine.devices import single_thread
from lieapp.engine.job import open_job, resume_job
from lieapp.landscapes.commands import job_from_options
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.models import build_model
from lieapp.landscapes.recommended import recommended
from lieapp.landscapes.texts import BUNDLED_TEXT, load_text
from lieapp.landscapes.transformer import CharacterTransformer, TransformerModel, shape_of
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.deo import DEO
from lieapp.optimizers.oracle import FiniteDifferenceOracle
from lieapp.optimizers.registry import build_optimizer, settings_class
from lieapp.paths import resource


def model(**options: object) -> TransformerModel:
    job = job_from_options("transformer-tiny", **options)  # type: ignore[arg-type]
    built = build_model(job, torch.device("cpu"))
    assert isinstance(built, TransformerModel)
    return built


def test_bundled_text_is_what_its_script_writes(tmp_path: Path) -> None:
    script = resource(BUNDLED_TEXT).with_name("write_text.py")
    spec = importlib.util.spec_from_file_location("write_text", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write(tmp_path / "text.txt")
    assert (tmp_path / "text.txt").read_bytes() == resource(BUNDLED_TEXT).read_bytes()
    text = load_text()
    assert 100_000 < len(text.training) + len(text.validation) < 200_000
    words = resource(BUNDLED_TEXT).read_text(encoding="utf-8")
    assert text.decode(np.concatenate((text.training, text.validation))) == words


def test_texts_that_cannot_be_used(tmp_path: Path) -> None:
    short, binary = tmp_path / "short.txt", tmp_path / "binary.txt"
    short.write_text("too short", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe" * 4000)
    for place, words in ((short, "at least"), (binary, "UTF-8"), (tmp_path / "none.txt", "cannot be read")):
        with pytest.raises(LandscapeError, match=words) as caught:
            load_text(str(place))
        assert str(place) in str(caught.value)


def test_network_of_the_paper_has_its_size() -> None:
    network = CharacterTransformer(shape_of("transformer"), 65, torch.Generator().manual_seed(0))
    assert sum(p.numel() for p in network.parameters()) == 804_096  # 4 layers, 4 heads, 128 channels, block 64


def test_network_sees_no_future() -> None:
    network = CharacterTransformer(shape_of("transformer-tiny"), 20, torch.Generator().manual_seed(0))
    codes = torch.randint(20, (2, 32), generator=torch.Generator().manual_seed(1))
    changed = codes.clone()
    changed[:, 20:] = (changed[:, 20:] + 1) % 20
    with torch.no_grad():
        before, after = network(codes), network(changed)
    torch.testing.assert_close(before[:, :20], after[:, :20])
    assert not torch.allclose(before[:, 20:], after[:, 20:])
    assert float(network.loss(codes).detach()) == pytest.approx(math.log(20), abs=0.2)


def test_weights_and_batches_follow_from_the_seed_alone() -> None:
    state = torch.get_rng_state()
    one, two, other = model(seed=3), model(seed=3), model(seed=4)
    assert torch.equal(torch.get_rng_state(), state), "the global generator is not touched"
    for a, b in zip(one.parameters, two.parameters, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.parameters[0], other.parameters[0])
    losses = []
    for each in (one, two):
        each.after_step()
        losses.append(float(each.oracle.loss()))
    assert losses[0] == losses[1]


def test_product_agrees_with_differences_and_may_have_a_fixed_batch() -> None:
    with single_thread():
        for batch in ("training", "fixed"):
            each = model(dtype="float64", curvature_batch=batch, seed=1)
            generator = torch.Generator().manual_seed(2)
            v = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in each.parameters]
            first = each.oracle.hvp(v)
            windows = each._windows
            each.after_step()
            second = each.oracle.hvp(v)
            same = all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
            assert same == (batch == "fixed")
            if batch == "training":

                def closure(windows: torch.Tensor = windows, each: TransformerModel = each) -> torch.Tensor:
                    each.network.zero_grad()
                    loss = each.network.loss(windows)
                    loss.backward()
                    return loss

                differences = FiniteDifferenceOracle(closure, each.parameters, central=True).hvp(v)
                for exact, near in zip(first, differences, strict=True):
                    torch.testing.assert_close(exact, near, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("base", ["sgd", "adam", "adamw", "sophia"])
def test_deo_wraps_what_is_recommended_for_its_base(base: str) -> None:
    alone = settings_class(base)().updated(recommended(base, None))
    wrapped = settings_class("deo")().updated(recommended("deo", None, base)).base
    x, y = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    one, other = build_optimizer(alone, [x]), DEO([y], wrapped).base
    assert type(one) is type(other)
    assert {**one.param_groups[0], "params": []} == {**other.param_groups[0], "params": []}


@pytest.mark.parametrize("derivative", ["one-sided", "central", "exact"])
def test_deo_sees_the_curvature_of_the_fixed_batch_and_pays_for_it(derivative: str) -> None:
    with single_thread():
        spent = []
        for steps in (0, 3):  # the present batch is another, the fixed one is not
            each = model(dtype="float64", curvature_batch="fixed", seed=1)
            for _ in range(steps):
                each.after_step()
            oracle = CountingOracle(each.oracle)
            optimizer = DEO(each.parameters, lr=1e-12, derivative=derivative, mode="project", rotations=3)
            optimizer.step(oracle=oracle)
            spent.append(oracle.evaluations())
            assert optimizer.evaluations == spent[-1]
            n = optimizer.direction or []
            bend = sum(float((a * b).sum()) for a, b in zip(each.oracle.hvp(n), n, strict=True))
            assert optimizer.curvature == pytest.approx(bend, rel=1e-3)
    assert spent == [{"one-sided": 1 + 1 + 4, "central": 1 + 2 * 4, "exact": 1 + 2 * 4}[derivative]] * 2


def test_tiny_network_learns_within_150_steps() -> None:
    run = open_job(job_from_options("transformer-tiny", optimizer="adamw", steps=150))[1]
    assert run.problem.single_threaded
    run.complete()
    table = run.recording.table()
    text = load_text()
    assert table["loss"][0] == pytest.approx(math.log(len(text.vocabulary)), abs=0.1), "it begins knowing nothing"
    shares = np.bincount(text.training) / len(text.training)
    frequencies = -float(np.log(shares[text.validation]).mean())
    # Better than knowing how frequent every character is: it has learned what follows what.
    assert table["validation_loss"][-1] < 0.95 * frequencies
    assert run.recording.state_keys == ("projection",)
    assert run.recording.states("projection").shape == (151, 2)
    assert not run.recording.states("projection")[0].any()
    held = table["validation_loss"]
    assert (held[:50] == held[0]).all() and held[50] != held[0]


def test_resumed_run_equals_one_run() -> None:
    job = job_from_options("transformer-tiny", optimizer="adamw", steps=6)
    whole = open_job(job)[1]
    whole.complete()
    half = open_job(job.changed(limits=job.limits.model_copy(update={"steps": 3})))[1]
    half.complete()
    rest = resume_job(job, half.checkpoint())[1]
    rest.complete()
    assert rest.recording.column("loss").tobytes() == whole.recording.column("loss").tobytes()
