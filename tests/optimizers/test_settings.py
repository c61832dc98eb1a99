"""Check that settings are values: exact round trips, honest refusals, one line to recognise them by."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lieapp.optimizers.errors import OptimizerError
from lieapp.optimizers.fields import describe
from lieapp.optimizers.settings import (
    SETTINGS,
    AdamSettings,
    AdamWSettings,
    DEOSettings,
    LBFGSSettings,
    OptimizerSettings,
    SGDSettings,
    SophiaSettings,
    settings_for,
    summary_line,
)
from tests.optimizers.conftest import PROPERTY

ALL = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())


def test_order_of_the_menu() -> None:
    assert list(SETTINGS) == [
        "adam",
        "sgd",
        "adamw",
        "sophia",
        "lbfgs",
        "saddle-free-newton",
        "deo",
        "perturbed-sgd",
        "preconditioned-sgd",
        "complex-adam",
    ]


def test_no_torch_is_loaded() -> None:
    code = (
        "import sys, lieapp.optimizers.settings, lieapp.optimizers.names, lieapp.optimizers.documentation as d; "
        "d.overview(); [d.plain_table(c) for c in lieapp.optimizers.settings.SETTINGS.values()]; "
        "import lieapp.optimizers; lieapp.optimizers.SETTINGS; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_optimisers_that_are_for_some_problems_say_so() -> None:
    assert SETTINGS.keys() - settings_for("cryoem").keys() == {"saddle-free-newton"}
    for kind in ("align", "landscape"):
        assert SETTINGS.keys() - settings_for(kind).keys() == {"preconditioned-sgd", "complex-adam"}
    for settings in SETTINGS.values():
        assert bool(settings.problems) == bool(settings.elsewhere)


@ALL
def test_defaults_are_valid_frozen_hashable_and_strict(settings: type[OptimizerSettings]) -> None:
    value = settings()
    assert value == settings(**{name: getattr(value, name) for name in settings.model_fields})
    assert hash(value) == hash(settings())
    with pytest.raises(ValidationError):
        value.schedule = value.schedule  # type: ignore[attr-defined]
    with pytest.raises(ValidationError):
        settings(unheard_of=1)
    assert settings.name and settings.title and settings.summary.endswith(".") and ":" in settings.target


@ALL
@PROPERTY
@given(lr=st.floats(min_value=5e-324, max_value=2.0))
def test_json_round_trip_is_exact(settings: type[OptimizerSettings], lr: float) -> None:
    key = "base.lr" if settings is DEOSettings else "lr"
    for rate in (lr, 1e-8, 3e-5, 0.1):
        value = settings().updated({key: rate})
        assert settings.model_validate_json(value.model_dump_json()) == value
        assert settings.model_validate(json.loads(json.dumps(value.model_dump(mode="json")))) == value
        assert value.updated({key: repr(rate)}) == value


@ALL
def test_presets_are_valid(settings: type[OptimizerSettings]) -> None:
    for overrides in settings.presets.values():
        assert settings().updated(overrides) != settings()


def test_weight_decay_is_off_and_says_why() -> None:
    for cls in (AdamSettings, AdamWSettings, SGDSettings, SophiaSettings):
        assert cls().weight_decay == 0.0
    text = next(spec.help for spec in describe(AdamWSettings) if spec.name == "weight_decay")
    assert "8 Å" in text and "start" in text


def test_lbfgs_takes_one_iteration_of_at_most_26_evaluations() -> None:
    arguments = LBFGSSettings().arguments()
    assert (arguments["max_iter"], arguments["max_eval"], arguments["line_search_fn"]) == (1, 26, "strong_wolfe")


def test_updated_nests_and_parses() -> None:
    value = AdamSettings().updated(
        {"lr": "1e-3", "betas": "0.8,0.95", "amsgrad": "true", "schedule.kind": "cosine", "schedule": {"steps": "50"}}
    )
    assert value.lr == 1e-3 and value.betas == (0.8, 0.95) and value.amsgrad
    assert value.schedule.kind == "cosine" and value.schedule.steps == 50
    assert AdamSettings().updated({"weight-decay": 0.5}).weight_decay == 0.5
    assert AdamSettings().updated({"schedule": value.schedule}).schedule == value.schedule
    assert AdamSettings().updated({}) == AdamSettings()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"lr": "-1"}, "adam: lr = -1: expected a number above 0 and at most 1e+06"),
        ({"betas": (0.9, 1.0)}, "adam: betas = (0.9, 1.0): expected 2 numbers separated by commas, each at least 0"),
        ({"learning_rat": 1}, "adam has no setting learning_rat; nearest: "),
        (
            {"eps_": 1},
            "adam has no setting eps_; nearest: eps (it has lr, betas, eps, weight_decay, amsgrad, schedule)",
        ),
        ({"schedule.knd": "cosine"}, "adam has no setting schedule.knd; nearest: schedule.kind (it has schedule.kind"),
        ({"schedule.kind": "cos"}, "adam: schedule.kind = cos: expected one of constant, cosine"),
        ({"schedule": "cosine"}, "adam: schedule = cosine: it is a group; set one of schedule.kind"),
        ({"schedule": AdamSettings()}, "adam: schedule = "),
        ({"lr.x": 1}, "adam: lr is a single value and has no setting x"),
        ({"": 1}, "adam has no setting"),
    ],
)
def test_refusals_name_key_value_range_and_nearest_key(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(OptimizerError) as refused:
        AdamSettings().updated(overrides)
    assert str(refused.value).startswith(message)


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(OptimizerError, match=r"^sgd: nesterov = true: needs momentum"):
        SGDSettings().updated({"nesterov": True})
    assert SGDSettings().updated({"nesterov": True, "momentum": 0.9}).nesterov


def test_a_wrapped_optimiser_is_set_by_dotted_keys() -> None:
    value = DEOSettings().updated({"base.name": "sophia", "base.lr": "0.5", "base.memories": "0.3,0.5", "rotations": 3})
    assert value.base.choice() == (
        "sophia",
        {
            "lr": 0.5,
            "betas": (0.3, 0.5),
            "clip": 1.0,
            "estimator": "exact",
            "gamma": 1.0,
            "update_interval": 1,
            "weight_decay": 0.0,
        },
    )
    assert DEOSettings().base.choice() == ("sgd", {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0})
    with pytest.raises(OptimizerError, match=r"^deo: base.name = sdg: expected one of sgd, adam, adamw, sophia"):
        DEOSettings().updated({"base.name": "sdg"})
    with pytest.raises(OptimizerError, match=r"^deo has no setting base.rl; nearest: base.lr"):
        DEOSettings().updated({"base.rl": 1})


@PROPERTY
@given(
    st.sampled_from(list(SETTINGS.values())),
    st.dictionaries(
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(
                ["lr", "betas", "schedule", "schedule.kind", "schedule.steps", "momentum", "nesterov", "."]
            ),
        ),
        st.one_of(
            st.text(max_size=30),
            st.integers(),
            st.floats(),
            st.booleans(),
            st.none(),
            st.binary(max_size=5),
            st.lists(st.floats(), max_size=3),
            st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
        ),
        max_size=4,
    ),
)
def test_any_override_gives_valid_settings_or_one_line(
    settings: type[OptimizerSettings], overrides: dict[str, object]
) -> None:
    try:
        value = settings().updated(overrides)
    except OptimizerError as error:
        assert str(error).isprintable() and len(str(error)) < 600
    else:
        assert settings.model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize(
    ("value", "unit", "line"),
    [
        (AdamSettings(lr=1.0), "Å", "Adam lr 1 Å"),
        (AdamSettings(lr=3e-5), "", "Adam lr 3e-05"),
        (AdamSettings(betas=(0.8, 0.99)), "Å", "Adam lr 0.01 Å, betas 0.8,0.99"),
        (SGDSettings(momentum=0.9, nesterov=True), "Å", "SGD lr 0.1 Å, momentum 0.9, Nesterov"),
        (AdamSettings().updated({"schedule.kind": "cosine"}), "", "Adam lr 0.01, cosine"),
        (SophiaSettings(estimator="hutchinson"), "", "Sophia-H lr 0.1, estimator hutchinson"),
        (DEOSettings(), "Å", "DEO on SGD lr 0.1 Å"),
        (
            DEOSettings().updated({"base.name": "adam", "base.lr": 1e-3, "mode": "project"}),
            "",
            "DEO on Adam lr 0.001, mode project",
        ),
    ],
)
def test_summary_line(value: OptimizerSettings, unit: str, line: str) -> None:
    assert summary_line(value, unit) == line
