"""Check that every name leads to an optimiser that works, or to one clear line."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.fields import describe, parse_value, show_value
from lieapp.optimizers.names import TORCH_CLASSES, UNUSABLE, known_names, name_of, normalised, title_of
from lieapp.optimizers.oracle import AutogradOracle
from lieapp.optimizers.registry import (
    accepts_oracle,
    available_optimizers,
    build_optimizer,
    optimizer_class,
    settings_class,
    step_optimizer,
)
from lieapp.optimizers.settings import SETTINGS, AdamSettings
from lieapp.optimizers.sophia import SophiaH
from tests.optimizers.conftest import leaf, rosenbrock

TORCH_OWN = {
    name: cls
    for name, cls in vars(torch.optim).items()
    if inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer) and cls is not torch.optim.Optimizer
}


def quadratic(p: Tensor) -> CountingOracle:
    d = torch.linspace(0.8, 2.0, p.numel(), dtype=p.dtype).reshape(p.shape)
    return CountingOracle(AutogradOracle(lambda: 0.5 * (d * p * p).sum(), [p]))


def test_names_without_torch_are_those_with_torch() -> None:
    assert set(known_names()) == set(available_optimizers())
    assert available_optimizers()[: len(SETTINGS)] == tuple(SETTINGS)
    torch_names = {name.lower() for name in TORCH_OWN}
    assert torch_names - set(SETTINGS) - set(UNUSABLE) == set(TORCH_CLASSES)


@pytest.mark.parametrize("name", TORCH_OWN)
def test_every_torch_class_has_a_form_that_builds_what_the_class_builds(name: str) -> None:
    cls = TORCH_OWN[name]
    if name.lower() in UNUSABLE:
        with pytest.raises(OptimizerError, match="dense"):
            settings_class(name)
        with pytest.raises(OptimizerError, match="dense"):
            settings_class(f"torch.optim:{name}")
        return
    form = settings_class(f"torch.optim:{name}")
    settings = form()
    assert form is settings_class(f"torch.optim:{name}")
    assert form.model_validate_json(settings.model_dump_json()) == settings
    for spec in describe(form):
        assert spec.help.endswith("."), (name, spec.name)
        if spec.type != "group":
            assert parse_value(spec, show_value(spec.default)) == spec.default
    p = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    built = build_optimizer(settings, [p])
    plain = cls([p])  # type: ignore[call-arg]
    assert type(built) is cls
    assert built.defaults == plain.defaults
    signature = set(inspect.signature(cls).parameters) - {"params", "foreach", "fused", "capturable", "differentiable"}
    assert set(form.model_fields) - {"schedule"} == signature - {"maximize"}


@pytest.mark.parametrize("name", [name for name in known_names() if name != "muon"])
def test_every_optimiser_goes_downhill(name: str) -> None:
    x = torch.full((6,), 2.0, dtype=torch.float64, requires_grad=True)
    oracle = quadratic(x)
    start = float(oracle.observe())
    optimizer = build_optimizer(settings_class(name)(), [x], generator=torch.Generator().manual_seed(1))
    for _ in range(60):
        step_optimizer(optimizer, oracle)
    assert float(oracle.observe()) < start
    assert oracle.counters["gradients"] <= 60 * 26


def test_matrices_suit_muon_and_vectors_do_not() -> None:
    matrix = torch.full((3, 2), 2.0, requires_grad=True)
    oracle = quadratic(matrix)
    start = float(oracle.observe())
    optimizer = build_optimizer(settings_class("muon")(), [matrix])
    for _ in range(20):
        step_optimizer(optimizer, oracle)
    assert float(oracle.observe()) < start
    with pytest.raises(OptimizerError, match=r"^muon works on matrices only, but parameter 0 has shape \(6,\)"):
        build_optimizer(settings_class("muon")(), [torch.ones(6, requires_grad=True)])


@pytest.mark.parametrize(
    ("name", "overrides", "expected"),
    [
        (
            "adam",
            {"lr": 0.02, "betas": "0.8,0.99", "amsgrad": True},
            {"lr": 0.02, "betas": (0.8, 0.99), "amsgrad": True},
        ),
        ("sgd", {"lr": 1e-4, "momentum": 0.9, "nesterov": True}, {"lr": 1e-4, "momentum": 0.9, "nesterov": True}),
        ("adamw", {"lr": 0.02, "weight_decay": 0.1}, {"lr": 0.02, "weight_decay": 0.1}),
        ("rmsprop", {"lr": 0.02, "centered": "yes"}, {"lr": 0.02, "centered": True}),
    ],
)
def test_steps_are_bitwise_those_of_torch(name: str, overrides: dict[str, Any], expected: dict[str, Any]) -> None:
    settings = settings_class(name)().updated(overrides)
    a, b = leaf(-1.2, 1.0, 0.3), leaf(-1.2, 1.0, 0.3)
    ours = build_optimizer(settings, [a])
    theirs = optimizer_class(settings.target)([b], **expected)
    for _ in range(25):
        step_optimizer(ours, AutogradOracle(lambda: rosenbrock(a), [a]))
        theirs.zero_grad()
        rosenbrock(b).backward()
        theirs.step()
        assert torch.equal(a, b)


def test_lbfgs_gets_to_a_small_gradient_one_iteration_at_a_time() -> None:
    x = leaf(-1.2, 1.0)
    oracle = CountingOracle(AutogradOracle(lambda: rosenbrock(x), [x]))
    optimizer = build_optimizer(settings_class("lbfgs")(), [x])
    for _ in range(60):
        before = oracle.counters["gradients"]
        step_optimizer(optimizer, oracle)
        assert oracle.counters["gradients"] - before <= 26
    oracle.observe()
    assert float(x.grad.norm()) < 1e-7
    assert oracle.counters["gradients"] < 100


def test_names_are_forgiving() -> None:
    assert settings_class(" Saddle_Free Newton ") is SETTINGS["saddle-free-newton"]
    assert settings_class("ADAM") is AdamSettings
    assert normalised("Saddle_free  newton") == "saddle-free-newton"
    assert (title_of("rmsprop"), title_of("adam"), title_of("my.module:Own")) == ("RMSprop", "Adam", "my.module:Own")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adm", "there is no optimiser 'adm'; did you mean adam"),
        ("", "there is no optimiser ''"),
        ("no.such.module:Own", "optimiser 'no.such.module:Own': cannot import 'no.such.module': No module named 'no'"),
        ("torch.optim:Adm", "optimiser 'torch.optim:Adm': module 'torch.optim' has no class 'Adm'; it has ASGD"),
        ("torch:Tensor", "optimiser 'torch:Tensor': 'Tensor' is not a subclass of torch.optim.Optimizer"),
        ("torch.optim:Optimizer", "optimiser 'torch.optim:Optimizer': 'Optimizer' is not a subclass"),
        ("math:pi", "optimiser 'math:pi': 'pi' is not a subclass"),
        (":", "optimiser ':': cannot import ''"),
        (".x:Y", "optimiser '.x:Y': cannot import '.x'"),
        ("mine.py:Own", "optimiser 'mine.py:Own': expected a module, not a file: mine:Own"),
        ("./work/mine.py:Own", "optimiser './work/mine.py:Own': expected a module, not a file: work.mine:Own"),
    ],
)
def test_unknown_names_are_answered_in_one_line(name: str, message: str) -> None:
    with pytest.raises(OptimizerError) as refused:
        settings_class(name)
    assert str(refused.value).startswith(message) and "\n" not in str(refused.value)


def test_a_class_of_the_user(foreign_module: ModuleType) -> None:
    class Own(torch.optim.SGD):
        """Descend as I like.

        Args:
            params: what moves
            lr (float): how fast it
                goes (default: 0.1)
            schedule (int): a name that the form has already
        """

        def __init__(
            self,
            params: Any,
            lr=0.1,
            weight_decay=0,
            schedule: int = 3,
            _hidden: float = 0.5,
            must: float | None = None,
            words: str = "plain",
            factory: Any = None,
            table: dict | None = None,
            unlimited: float = float("inf"),
            *rest: Any,
            name: str = "x",
            **others: Any,
        ) -> None:
            self.seen = {"schedule": schedule, "_hidden": _hidden, "must": must, "words": words, "name": name}
            self.seen["decay"] = weight_decay
            super().__init__(params, lr=lr, weight_decay=weight_decay)

    foreign_module.Own = Own  # type: ignore[attr-defined]
    form = settings_class("lieapp_test_foreign:Own")
    assert list(form.model_fields) == [
        "schedule", "lr", "weight_decay", "schedule_", "hidden", "must", "words", "name_",
    ]  # fmt: skip
    helps = {spec.name: spec.help for spec in describe(form)}
    assert helps["lr"] == "How fast it goes." and helps["words"] == "Argument words of Own."
    assert form.summary == "Descend as I like."
    settings = form().updated({"schedule_": "4", "hidden": "0.25", "weight_decay": "2", "name_": "y"})
    built = build_optimizer(settings, [leaf(1.0)])
    assert built.seen == {  # type: ignore[attr-defined]
        "schedule": 4, "_hidden": 0.25, "must": None, "words": "plain", "name": "y", "decay": 2,
    }  # fmt: skip


def test_a_class_without_words_of_its_own_is_not_described_by_those_of_its_base(foreign_module: ModuleType) -> None:
    class Own(torch.optim.Optimizer):
        pass

    foreign_module.Own = Own  # type: ignore[attr-defined]
    assert settings_class("lieapp_test_foreign:Own").summary == f"Own of {__name__}."
    assert settings_class("torch.optim:SGD").summary.startswith("Implements stochastic gradient descent")


def test_a_class_has_a_name(foreign_module: ModuleType) -> None:
    named = {
        torch.optim.SGD: "sgd",
        torch.optim.NAdam: "nadam",
        SophiaH: "sophia",
        torch.optim.Optimizer: "torch.optim:Optimizer",
    }
    assert {cls: name_of(cls) for cls in named} == named
    for name in set(known_names()) - {"preconditioned-sgd", "complex-adam"}:
        assert name_of(optimizer_class(settings_class(name).target)) == name
    assert name_of("Adam") == "Adam"

    class Own(torch.optim.SGD):
        pass

    with pytest.raises(OptimizerError, match="inside a function"):
        name_of(Own)
    Own.__module__, Own.__qualname__ = "lieapp_test_foreign", "Own"
    assert name_of(Own) == "lieapp_test_foreign:Own"
    with pytest.raises(OptimizerError, match=r"^optimiser of type Own: expected a name, .* or a class"):
        name_of(Own([leaf(1.0)], lr=0.1))


def test_an_argument_without_default_must_be_set(foreign_module: ModuleType) -> None:
    class Own(torch.optim.SGD):
        def __init__(self, params: Any, lr: float, power: int) -> None:
            self.power = power
            super().__init__(params, lr=lr)

    foreign_module.Own = Own  # type: ignore[attr-defined]
    form = settings_class("lieapp_test_foreign:Own")
    with pytest.raises(OptimizerError, match="power has no default; set it"):
        build_optimizer(form(), [leaf(1.0)])
    assert build_optimizer(form().updated({"power": "3"}), [leaf(1.0)]).power == 3  # type: ignore[attr-defined]


def test_what_the_class_refuses_is_reported() -> None:
    with pytest.raises(OptimizerError, match=r"^rmsprop: Invalid momentum value: -1"):
        build_optimizer(settings_class("rmsprop")().updated({"momentum": -1}), [leaf(1.0)])
    with pytest.raises(OptimizerError, match=r"^adam: optimizer got an empty parameter list"):
        build_optimizer(AdamSettings(), [])
    with pytest.raises(OptimizerError, match=r"^saddle-free-newton: Invalid params: 5000"):
        build_optimizer(settings_class("saddle-free-newton")(), [torch.zeros(5000, requires_grad=True)])


def test_a_step_gets_what_it_takes(foreign_module: ModuleType) -> None:
    class Bare(torch.optim.SGD):
        def step(self) -> None:  # type: ignore[override]
            super().step()

    x = leaf(1.0)
    oracle = CountingOracle(AutogradOracle(lambda: (x**2).sum(), [x]))
    sophia = build_optimizer(settings_class("sophia")(), [x])
    assert accepts_oracle(sophia) and not accepts_oracle(torch.optim.Adam([x]))
    assert float(step_optimizer(sophia, oracle)) == 1.0 and oracle.counters["hvps"] == 1
    at = float(oracle.observe())
    assert float(step_optimizer(Bare([x], lr=0.1), oracle)) == at
    assert float(oracle.observe()) < at


def test_signatures_are_read_once_a_step_function(monkeypatch: pytest.MonkeyPatch) -> None:
    class One(torch.optim.SGD):
        def step(self, closure: object = None, *, oracle: object = None) -> None:  # type: ignore[override]
            pass

    class Other(torch.optim.SGD):
        def step(self, closure: object = None) -> None:  # type: ignore[override]
            pass

    read: list[object] = []
    signature = inspect.signature
    monkeypatch.setattr(inspect, "signature", lambda function: read.append(function) or signature(function))
    optimizers = [cls([leaf(1.0)], lr=0.1) for cls in (One, Other, One)]
    for _ in range(3):
        assert [accepts_oracle(each) for each in optimizers] == [True, False, True]
    assert read == [One.step, Other.step]


def test_the_generator_reaches_those_who_draw() -> None:
    x = leaf(1.0)
    generator = torch.Generator().manual_seed(9)
    settings = settings_class("sophia")().updated({"estimator": "hutchinson"})
    optimizer = build_optimizer(settings, [x], generator=generator)
    assert isinstance(optimizer, SophiaH) and torch.equal(optimizer.state_dict()["generator"], generator.get_state())
    assert isinstance(build_optimizer(AdamSettings(), [x], generator=generator), torch.optim.Adam)
