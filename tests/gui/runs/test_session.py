"""Check how jobs and titles take over what was set by hand, whatever the problem."""

from __future__ import annotations

from lieapp.gui.runs.session import numbered, optimizer_choice, override_words


def test_titles_say_what_was_set_by_hand() -> None:
    overrides = {"nesterov": True, "schedule.kind": "cosine", "weight_decay": 0.01, "amsgrad": False}
    assert override_words(overrides) == ["nesterov", "schedule cosine", "weight decay 0.01", "amsgrad false"]
    assert override_words({}) == []


def test_pairs_of_a_form_become_what_json_knows() -> None:
    chosen = optimizer_choice("adam", {"betas": (0.8, 0.99), "lr": 0.5})
    assert chosen.name == "adam" and chosen.overrides == {"betas": [0.8, 0.99], "lr": 0.5}


def test_a_number_goes_to_the_name() -> None:
    assert numbered("Adam  lr 1 Å", {"SGD"}) == "Adam  lr 1 Å"
    assert numbered("Adam  lr 1 Å", {"Adam  lr 1 Å"}) == "Adam 2  lr 1 Å"
    assert numbered("Adam, local", {"Adam, local", "Adam 2, local"}) == "Adam 3, local"
