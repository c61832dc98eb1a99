"""What the Landscape workbench knows, without a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lieapp.engine.recording import Recording
from lieapp.gui.landscape.session import LandscapeChoices, LandscapeSession, evaluations_for
from lieapp.landscapes.spec import PRESETS, to_command


@pytest.fixture
def session() -> LandscapeSession:
    return LandscapeSession()


def test_it_opens_with_the_first_prepared_race(session: LandscapeSession) -> None:
    assert session.choices.landscape == "saddle" and session.choices.start == (0.5, 0.0001)
    assert [entrant.name for entrant in session.entrants] == [entrant.name for entrant in PRESETS[0].entrants]
    assert session.choices.budget == PRESETS[0].evaluations


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_prepared_race_is_what_the_preset_says(session: LandscapeSession, preset) -> None:
    session.take_preset(preset)
    entries = session.race_entries()
    for entry, (name, job) in zip(entries, preset.jobs(session.job()), strict=True):
        assert entry.name == name and entry.job.optimizer == job.optimizer
        assert (entry.job.landscape, entry.job.start or entry.job.surface.start) == (
            job.landscape,
            job.start or job.surface.start,
        )
    assert session.choices.budget == preset.evaluations


def test_entrants_race_on_what_is_chosen_now(session: LandscapeSession) -> None:
    session.choices = replace(session.choices, landscape="himmelblau", start=(1.0, 2.0), seed=7, evaluations=50.0)
    jobs = [entry.job for entry in session.race_entries()]
    assert {(job.landscape, job.start, job.seed, job.limits.evaluations) for job in jobs} == {
        ("himmelblau", (1.0, 2.0), 7, 50.0)
    }
    assert [job.optimizer.overrides.get("mode") for job in jobs] == [None, "project", "escape", None]


def test_choices_go_through_a_run_and_back(session: LandscapeSession) -> None:
    choices = LandscapeChoices(
        landscape="formula", formula="x^2 + y^2", start=(0.5, 1.5), optimizer="adam", overrides={"lr": 0.5}, seed=3
    )
    session.choices = choices
    job = session.job()
    assert session.choices_of(job) == choices
    entry = session.add_run(job, Recording(), None)
    assert entry.metric.name == "loss" and entry.title == "Adam, lr 0.5"


def test_a_budget_is_the_landscapes_own_unless_given(session: LandscapeSession) -> None:
    session.choices = LandscapeChoices(landscape="rosenbrock")
    job = session.job()
    assert job.limits.evaluations == evaluations_for("rosenbrock") and job.limits.steps >= job.limits.evaluations
    assert session.choices_of(job).evaluations is None


def test_runs_of_other_landscapes_close_their_eyes(session: LandscapeSession) -> None:
    first, pinned = (session.add_run(session.job(), Recording(), None) for _ in range(2))
    pinned.pinned = True
    session.choices = LandscapeChoices(landscape="himmelblau")
    third = session.add_run(session.job(), Recording(), None)
    session.hide_foreign_runs()
    assert (first.visible, pinned.visible, third.visible) == (False, True, True)


def test_entrants_are_told_apart_before_they_run(session: LandscapeSession) -> None:
    lines = session.entrant_lines()
    assert len(set(lines)) == len(lines) == 4
    runs = [session.add_run(entry.job, Recording(), None) for entry in session.race_entries()]
    assert [(run.color, run.dash) for run in runs] == lines


def test_what_does_not_fit_together_is_an_error(session: LandscapeSession) -> None:
    session.choices = LandscapeChoices(landscape="formula", formula="x +")
    with pytest.raises(ValueError, match="column"):
        session.job()


def test_an_offset_counts_where_starts_are_random_and_nowhere_else(session: LandscapeSession) -> None:
    session.choices = replace(session.choices, landscape="strict-saddle-100", start=None, offset=0.1)
    assert session.job().offset == 0.1
    session.choices = replace(session.choices, landscape="saddle")
    assert session.job().offset is None
    assert "--offset" not in to_command(session.job())
