"""Forms made from field specs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit

from lieapp.alignment.recommended import recommended
from lieapp.gui.widgets.forms import FieldEditor, SettingsForm
from lieapp.optimizers.fields import FieldSpec
from lieapp.optimizers.settings import SETTINGS, AdamSettings, SGDSettings

LR = FieldSpec("lr", "lr", "float", 0.01, minimum=0.0, exclusive_minimum=True, maximum=1e6, scale="log", unit="Å")


@pytest.fixture
def form(qtbot) -> SettingsForm:
    made = SettingsForm()
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("name", SETTINGS)
def test_an_untouched_form_overrides_nothing(form: SettingsForm, name: str) -> None:
    form.set_model(SETTINGS[name], "Å")
    form.set_recommended(recommended(name))
    assert form.overrides() == {}
    assert form.errors() == {}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_default_goes_through_the_form_unchanged(form: SettingsForm, name: str) -> None:
    """Typing what is there gives settings equal to what is there."""
    cls = SETTINGS[name]
    form.set_model(cls)
    for editor in form.editors.values():
        editor.set_override(editor.spec.default)
    assert cls().updated(form.overrides()) == cls()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_field_can_be_reached_and_heard(form: SettingsForm, name: str) -> None:
    form.set_model(SETTINGS[name], "Å")
    labels = {label.buddy(): label for label in form.findChildren(QLabel) if label.buddy() is not None}
    for path, editor in form.editors.items():
        assert editor.editor in labels, path
        assert editor.editor.accessibleName(), path
        assert editor.editor.toolTip(), path
        assert editor.editor.focusPolicy() != Qt.FocusPolicy.NoFocus
        assert editor.reset.accessibleName(), path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.floats(min_value=1e-300, max_value=1e6))
def test_no_digit_is_lost(qtbot, value: float) -> None:
    editor = FieldEditor(LR, "lr")
    qtbot.addWidget(editor)
    editor.set_override(value)
    assert editor.value() == value


@pytest.mark.parametrize("text", ("1e-8", "3e-5", " 0.5 ", "1E+2"))
def test_numbers_are_read_as_typed(qtbot, text: str) -> None:
    editor = FieldEditor(LR, "lr")
    qtbot.addWidget(editor)
    qtbot.keyClicks(editor.editor, text)
    assert editor.value() == float(text)
    assert editor.overridden and not editor.error


@pytest.mark.parametrize("text", ("abc", "-1", "0", "1e7", "nan", "1,2"))
def test_what_is_not_allowed_is_said_beside_the_field(qtbot, text: str) -> None:
    editor = FieldEditor(LR, "lr")
    qtbot.addWidget(editor)
    editor.show()
    qtbot.keyClicks(editor.editor, text)
    assert editor.error
    assert editor.message.isVisible() and "above 0" in editor.message.text()
    assert editor.editor.property("invalid") is True
    editor.reset.click()
    assert not editor.error and not editor.overridden and not editor.message.isVisible()


def test_recommended_values_are_shown_as_auto_and_typing_overrides_them(form: SettingsForm, qtbot) -> None:
    form.set_model(AdamSettings, "Å")
    form.set_recommended({"lr": 1.0, "betas": (0.9, 0.99)})
    field = form.editors["lr"].editor
    assert isinstance(field, QLineEdit)
    assert field.placeholderText() == "auto  1 Å"
    limit = FieldEditor(FieldSpec("limit", "limit", "float", None, optional=True), "limit")
    qtbot.addWidget(limit)
    limit.set_recommended(None)
    assert limit.editor.placeholderText() == "auto"
    assert form.editors["lr"].value() == 1.0
    with qtbot.waitSignal(form.changed):
        qtbot.keyClicks(field, "0.25")
    assert form.overrides() == {"lr": 0.25}
    form.set_recommended({"lr": 3.0})
    assert form.overrides() == {"lr": 0.25}  # what was typed stays
    form.editors["lr"].clear()
    assert form.editors["lr"].value() == 3.0


def test_an_invalid_field_is_not_an_override(form: SettingsForm, qtbot) -> None:
    form.set_model(AdamSettings)
    qtbot.keyClicks(form.editors["lr"].editor, "fast")
    assert form.overrides() == {}
    assert set(form.errors()) == {"lr"}


def test_fields_that_do_not_matter_are_hidden_and_not_reported(form: SettingsForm, qtbot) -> None:
    form.set_model(SGDSettings)
    form.show()
    form.more.set_open(True)
    steps = form.editors["schedule.steps"]
    assert not steps.isVisible()
    form.editors["schedule.kind"].set_override("cosine")
    steps.set_override(200)
    assert form.overrides() == {"schedule.kind": "cosine", "schedule.steps": 200}
    form.editors["schedule.kind"].clear()
    assert form.overrides() == {}


def test_overrides_can_be_set_and_taken_back(form: SettingsForm) -> None:
    form.set_model(AdamSettings)
    form.set_overrides({"lr": 3e-5, "betas": (0.8, 0.9), "amsgrad": True})
    assert form.overrides() == {"lr": 3e-5, "betas": (0.8, 0.9), "amsgrad": True}
    form.set_overrides({})
    assert form.overrides() == {}


def test_arrow_keys_scale_a_number_without_leaving_its_bounds(qtbot) -> None:
    editor = FieldEditor(LR, "lr")
    qtbot.addWidget(editor)
    editor.set_recommended(1.0)
    qtbot.keyClick(editor.editor, Qt.Key.Key_Up)
    assert editor.value() == 2.0
    qtbot.keyClick(editor.editor, Qt.Key.Key_Down)
    qtbot.keyClick(editor.editor, Qt.Key.Key_Down)
    assert editor.value() == 0.5
    editor.set_override(1e6)
    qtbot.keyClick(editor.editor, Qt.Key.Key_Up)
    assert editor.value() == 1e6
