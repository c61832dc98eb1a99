"""State of the workbench, without Qt."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lieapp.alignment.inputs import pair_inputs
from lieapp.engine.recording import Recording
from lieapp.gui.align.session import AlignChoices, AlignSession, pose_rows, title_of_job
from lieapp.gui.align.structure_desk import read_slot
from lieapp.gui.runs.entry import RunEntry


@pytest.fixture
def session(hinge: tuple[Path, Path]) -> AlignSession:
    made = AlignSession()
    for name, path in zip(("mobile", "target"), hinge, strict=True):
        made.fill(name, read_slot(path))
    job = made.pairing_job()
    mobile, target = made.slots["mobile"], made.slots["target"]
    made.inputs = pair_inputs(job, mobile.structure, target.structure)
    return made


def test_the_default_choices_are_the_default_job(session: AlignSession) -> None:
    job = session.job()
    fields = type(job).model_fields
    for name in ("pairing", "atoms", "fit", "report", "weights", "objective", "parametrisation", "pivot", "start"):
        assert getattr(job, name) == fields[name].default
    assert job.optimizer.overrides == {}
    assert job.mobile.sha256 == session.slots["mobile"].structure.source.sha256  # type: ignore[union-attr]


def test_choices_go_through_a_run_and_back(session: AlignSession) -> None:
    choices = AlignChoices(
        fit="A:1-80",
        objective="huber",
        objective_scale=2.5,
        parametrisation="so3xr3",
        start="given",
        start_pose=pose_rows(np.eye(4)),
        optimizer="sgd",
        overrides={"lr": 0.2, "schedule.kind": "cosine"},
        steps=50,
        seed=7,
    )
    session.set_choices(choices)
    assert session.inputs is None  # another fit selection means other pairs
    job = session.job()
    entry = session.add_run(job, Recording(), None)  # type: ignore[arg-type]
    assert session.choices_of(entry) == choices


def test_choices_that_do_not_touch_the_pairs_keep_them(session: AlignSession) -> None:
    assert not session.set_choices(replace(session.choices, objective="tm", optimizer="sgd", steps=5))
    assert session.inputs is not None
    assert session.set_choices(replace(session.choices, atoms="backbone"))
    assert session.inputs is None


def test_a_job_needs_two_structures(hinge: tuple[Path, Path]) -> None:
    empty = AlignSession()
    with pytest.raises(ValueError, match="two structures"):
        empty.job()
    empty.fill("mobile", read_slot(hinge[0]))
    assert empty.slot_for_one_file() == "target"


def test_single_files_take_turns(session: AlignSession, hinge: tuple[Path, Path]) -> None:
    assert session.slot_for_one_file() == "mobile"
    session.fill("mobile", read_slot(hinge[1]))
    assert session.slot_for_one_file() == "target"


def test_swapping_twice_changes_nothing(session: AlignSession) -> None:
    before = dict(session.slots)
    session.choose_chains("mobile", ("A",))
    session.swap()
    assert session.slots["target"].chains == ("A",) and session.inputs is None
    session.swap()
    session.choose_chains("mobile", None)
    assert {name: slot.path for name, slot in session.slots.items()} == {n: s.path for n, s in before.items()}


def test_a_pose_by_hand_does_not_survive_other_structures(session: AlignSession) -> None:
    session.set_choices(replace(session.choices, start="given", start_pose=pose_rows(np.eye(4))))
    session.swap()
    assert session.choices.start == "centroids" and session.choices.start_pose is None


def test_no_two_visible_runs_look_alike(session: AlignSession) -> None:
    for optimizer in itertools.islice(itertools.cycle(("adam", "sgd", "adamw")), 24):
        job = session.job(optimizer=optimizer)
        session.add_run(job, Recording(), session.inputs)  # type: ignore[arg-type]
    lines = [(run.color, run.dash) for run in session.runs]
    assert len(set(lines)) == len(lines)
    assert len({run.id for run in session.runs}) == len(lines)


def test_an_optimiser_keeps_its_color(session: AlignSession) -> None:
    from lieapp.scene.colors import optimizer_color
    from lieapp.scene.lines import tint

    runs = [session.add_run(session.job(optimizer="sgd"), Recording(), session.inputs) for _ in range(3)]  # type: ignore[arg-type]
    assert [run.color for run in runs] == [tint(optimizer_color("sgd"), number) for number in range(3)]
    assert len({run.dash for run in runs}) == 3


def test_pinned_runs_survive_clearing(session: AlignSession) -> None:
    first, second = (session.add_run(session.job(), Recording(), session.inputs) for _ in range(2))  # type: ignore[arg-type]
    first.pinned = True
    session.current = second
    assert session.clear_runs() == [second]
    assert session.runs == [first] and session.current is None


def test_runs_of_the_same_settings_are_numbered(session: AlignSession) -> None:
    def add(title: str = "") -> RunEntry:
        return session.add_run(session.job(), Recording(), session.inputs, title)  # type: ignore[arg-type]

    first, second, named, again = add(), add(), add("Adam, local"), add("Adam, local")
    assert [run.title for run in (first, second)] == ["Adam  lr 1 Å", "Adam 2  lr 1 Å"]
    assert [run.title for run in (named, again)] == ["Adam, local", "Adam 2, local"]
    session.remove_run(first)
    assert add().title == "Adam  lr 1 Å"


def test_entrants_get_names_of_their_own(session: AlignSession) -> None:
    names = [session.add_entrant(session.job()).name for _ in range(3)]
    assert names == ["Adam  lr 1 Å", "Adam 2  lr 1 Å", "Adam 3  lr 1 Å"]
    session.swap()
    assert session.entrants == []


def test_titles_say_what_was_set_by_hand(session: AlignSession) -> None:
    assert title_of_job(session.job()) == "Adam  lr 1 Å"
    assert title_of_job(session.job(overrides={"lr": 0.25, "amsgrad": True})) == "Adam  lr 0.25 Å, amsgrad"
    raw = session.job(optimizer="sgd", parametrisation="se3", pivot="origin", objective="tm")
    assert "uncentred" in title_of_job(raw) and "se(3)" in title_of_job(raw) and "TM-score" in title_of_job(raw)
    assert title_of_job(session.job(optimizer="radam")) == "RAdam"
