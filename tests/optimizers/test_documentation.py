"""Check that the texts hold every setting, default and bound."""

from __future__ import annotations

import json

import pytest

from lieapp.optimizers.documentation import markdown_table, overview, plain_table, settings_record
from lieapp.optimizers.fields import describe
from lieapp.optimizers.settings import SETTINGS, AdamWSettings, OptimizerSettings, SophiaSettings

ALL = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())


@ALL
def test_markdown_has_one_row_of_four_cells_per_setting(settings: type[OptimizerSettings]) -> None:
    text = markdown_table(settings, parameter_unit="Å")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    count = sum(len(spec.children) or 1 for spec in describe(settings))
    assert len(rows) == count + 2
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}
    assert text.startswith(f"### {settings.title} (`{settings.name}`)")


@ALL
@pytest.mark.parametrize("width", [60, 100, 200])
def test_plain_text_fits_and_holds_everything(settings: type[OptimizerSettings], width: int) -> None:
    text = plain_table(settings, width=width)
    assert max(map(len, text.splitlines())) <= max(width, 80)
    joined = " ".join(text.split())
    for spec in describe(settings):
        assert spec.name in text
        if spec.type != "group" and "-" not in spec.help:
            assert " ".join(spec.help.split()) in joined


def test_units_bounds_and_presets_are_shown() -> None:
    assert "0.01 Å" in plain_table(AdamWSettings, parameter_unit="Å")
    assert "[above 0 and at most 1e+06]" in " ".join(plain_table(AdamWSettings).split())
    text = plain_table(SophiaSettings)
    assert "as in the paper:" in text and "betas=0.96,0.99" in text and "exact, hutchinson" in text


def test_overview_names_every_optimiser() -> None:
    text = overview()
    assert all(name in text for name in SETTINGS) and "rmsprop" in text and "package.module:Class" in text


@ALL
def test_records_are_plain_and_complete(settings: type[OptimizerSettings]) -> None:
    record = settings_record(settings, parameter_unit="Å")
    assert json.loads(json.dumps(record)) == record
    count = sum(len(spec.children) or 1 for spec in describe(settings))
    assert len(record["settings"]) == count and record["name"] == settings.name
    lr = record["settings"].get("lr") or record["settings"]["base.lr"]
    default = settings().base.lr if "base" in settings.model_fields else settings().lr  # type: ignore[attr-defined]
    assert lr["minimum"] == 0.0 and lr["exclusive_minimum"] is True and lr["default"] == default
    assert record["settings"]["schedule.kind"]["choices"][0] == "constant"
