"""Check that one description serves everybody, and that what a person types is read or refused in words."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lieapp.optimizers.fields import FieldSpec, allowed_text, describe, parse_value, setting, show_value
from lieapp.optimizers.settings import SETTINGS, AdamSettings
from lieapp.optimizers.settings_model import SettingsModel
from tests.optimizers.conftest import PROPERTY


class Inner(SettingsModel):
    size: int = setting(2, ge=1, le=9, help="Size.")


class Outer(SettingsModel):
    """A model with every type of field."""

    inner: Inner = Inner()
    rate: float = setting(0.5, gt=0, lt=1, scale="log", unit="parameter", help="Rate.", title="The rate")
    count: int = setting(3, ge=0, help="Count.", advanced=True)
    switch: bool = setting(False, help="Switch.")
    word: Literal["red", "dark-blue"] = setting("red", help="Word.")
    listed: str = setting("a", choices=["a", "b"], help="Listed.", when=("word", ["red"]))
    pair: tuple[float, float] = setting((0.1, 0.2), ge=0, lt=1, help="Pair.")
    maybe: float | None = setting(None, help="Maybe.")
    maybe_pair: tuple[float | None, float] = setting((None, 1.0), help="Maybe a pair.")
    free: str = setting("x", help="Free.")


def spec_of(name: str, model: type[BaseModel] = Outer) -> FieldSpec:
    return next(spec for spec in describe(model) if spec.name == name)


def test_description_is_complete_and_groups_come_last() -> None:
    specs = describe(Outer, parameter_unit="Å")
    assert [spec.name for spec in specs] == [
        "rate", "count", "switch", "word", "listed", "pair", "maybe", "maybe_pair", "free", "inner",
    ]  # fmt: skip
    assert [spec.type for spec in specs] == [
        "float", "int", "bool", "choice", "choice", "floats", "float", "floats", "text", "group",
    ]  # fmt: skip
    rate = specs[0]
    assert (rate.title, rate.unit, rate.scale, rate.default) == ("The rate", "Å", "log", 0.5)
    assert (rate.minimum, rate.maximum, rate.exclusive_minimum, rate.exclusive_maximum) == (0, 1, True, True)
    assert specs[1].advanced and not rate.advanced
    assert spec_of("word").choices == ("red", "dark-blue")
    assert spec_of("listed").when == ("word", ("red",))
    assert spec_of("maybe").optional and spec_of("maybe_pair").optional and not rate.optional
    assert [child.name for child in specs[-1].children] == ["size"]
    assert describe(Outer)[0].unit == ""


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("rate", "1e-3", 1e-3),
        ("rate", " .25 ", 0.25),
        ("rate", np.float32(0.5), 0.5),
        ("count", "7", 7),
        ("count", "1e3", 1000),
        ("count", 4.0, 4),
        ("count", np.int64(5), 5),
        ("switch", "Yes", True),
        ("switch", "off", False),
        ("switch", np.bool_(True), True),
        ("word", "dark_blue", "dark-blue"),
        ("word", "RED", "red"),
        ("pair", "0.9,0.999", (0.9, 0.999)),
        ("pair", "(0, 0.5)", (0.0, 0.5)),
        ("pair", [0.3, 0.4], (0.3, 0.4)),
        ("maybe", "none", None),
        ("maybe", None, None),
        ("maybe", "2", 2.0),
        ("maybe_pair", "none,3", (None, 3.0)),
        ("free", " some words ", "some words"),
    ],
)
def test_typed_values_are_read(name: str, typed: object, value: object) -> None:
    parsed = parse_value(spec_of(name), typed)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "typed", "allowed"),
    [
        ("rate", "0", "a number above 0 and below 1"),
        ("rate", "1", "a number above 0 and below 1"),
        ("rate", "fast", "a number above 0 and below 1"),
        ("rate", True, "a number above 0 and below 1"),
        ("rate", "nan", "a number above 0 and below 1"),
        ("rate", None, "a number above 0 and below 1"),
        ("count", "1.5", "a whole number at least 0"),
        ("count", "-1", "a whole number at least 0"),
        ("count", "inf", "a whole number at least 0"),
        ("switch", "maybe", "true or false"),
        ("switch", 1, "true or false"),
        ("word", "green", "one of red, dark-blue"),
        ("word", 3, "one of red, dark-blue"),
        ("pair", "0.1", "2 numbers separated by commas, each at least 0 and below 1"),
        ("pair", "0.1,1", "2 numbers separated by commas, each at least 0 and below 1"),
        ("pair", 0.1, "2 numbers separated by commas, each at least 0 and below 1"),
        ("maybe", "inf", "a number or none"),
        ("free", 1, "a text"),
        ("inner", "1", "a group; set one of inner.size"),
    ],
)
def test_refusals_say_what_is_allowed(name: str, typed: object, allowed: str) -> None:
    assert allowed_text(spec_of(name)) == allowed
    with pytest.raises(ValueError, match=r"^expected ") as refused:
        parse_value(spec_of(name), typed)
    assert str(refused.value) == f"expected {allowed}"


@PROPERTY
@given(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True))
def test_shown_values_are_read_back_exactly(value: float) -> None:
    assert parse_value(spec_of("rate"), show_value(value)) == value


@PROPERTY
@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.floats())))
def test_any_value_is_parsed_or_refused_by_value_error(value: object) -> None:
    for spec in describe(Outer):
        try:
            parsed = parse_value(spec, value)
        except ValueError as error:
            assert "\n" not in str(error)
        else:
            assert parse_value(spec, show_value(parsed)) == parsed or spec.type == "text"


def test_two_bounds_on_one_side_are_refused() -> None:
    with pytest.raises(ValueError, match="one lower"):
        setting(1.0, ge=0, gt=0, help="x")


def test_a_type_that_no_form_can_show_is_refused() -> None:
    class Strange(SettingsModel):
        mapping: dict[str, int] = setting({}, help="x")

    with pytest.raises(TypeError, match="mapping"):
        describe(Strange)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_every_field_is_fit_for_a_form(settings: type[SettingsModel]) -> None:
    def check(specs: tuple[FieldSpec, ...]) -> None:
        for spec in specs:
            assert spec.help[0].isupper() and spec.help.endswith("."), spec.name
            if spec.type == "group":
                check(spec.children)
                continue
            assert parse_value(spec, show_value(spec.default)) == spec.default
            if spec.type in ("float", "int"):
                assert spec.minimum is not None and spec.maximum is not None and math.isfinite(spec.maximum)
            if spec.type == "choice":
                assert spec.default in spec.choices
            if spec.when:
                sibling, values = spec.when
                assert set(values) <= set(next(s for s in specs if s.name == sibling).choices)

    check(describe(settings))


def test_a_direct_construction_obeys_the_same_rules() -> None:
    assert AdamSettings(lr="1e-2", betas="0.8,0.9").betas == (0.8, 0.9)
    with pytest.raises(ValueError, match="above 0"):
        AdamSettings(lr=-1.0)
