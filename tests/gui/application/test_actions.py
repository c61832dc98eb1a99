"""The table of actions."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow

from lieapp.gui.application.actions import ACTIONS, MENUS, STATES, ActionSet, shortcut_rows


def handlers() -> dict[str, object]:
    return dict.fromkeys(ACTIONS, lambda *_: None)


def test_keys_are_valid_and_unique() -> None:
    keys = [QKeySequence(key).toString() for spec in ACTIONS.values() for key in spec.shortcut]
    assert all(keys)
    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_the_keys_that_were_promised() -> None:
    promised = {
        "align": "Ctrl+Return",
        "pause": "Space",
        "frame_previous": ",",
        "frame_next": ".",
        "fit_view": "F",
        "workbench_align": "1",
        "open": "Ctrl+O",
        "fetch": "Ctrl+L",
        "export": "Ctrl+E",
        "move_by_hand": "M",
        "help": "F1",
        "skip": "Esc",
    }
    for identifier, key in promised.items():
        assert key in ACTIONS[identifier].shortcut


def test_every_action_says_what_it_does_and_when() -> None:
    roots = {title.replace("&", "") for title in MENUS}
    for spec in ACTIONS.values():
        assert spec.title and spec.tip and not spec.tip.endswith("."), spec.id
        assert spec.when in STATES, spec.id
        assert any(path.split("/")[0] in roots for path in spec.menu), f"{spec.id} is in no menu"


def test_titles_are_unique_within_a_menu() -> None:
    for path in {path for spec in ACTIONS.values() for path in spec.menu}:
        titles = [spec.plain_title for spec in ACTIONS.values() if path in spec.menu]
        assert len(titles) == len(set(titles)), path


def test_states_enable_exactly_their_actions(qtbot) -> None:
    owner = QMainWindow()
    qtbot.addWidget(owner)
    actions = ActionSet(owner, handlers())
    for state in STATES:
        actions.set_states({state})
        for identifier, spec in ACTIONS.items():
            assert actions[identifier].isEnabled() == (spec.when in {"always", state}), (state, identifier)


def test_all_actions_reach_their_menus(qtbot) -> None:
    owner = QMainWindow()
    qtbot.addWidget(owner)
    actions = ActionSet(owner, handlers())
    menus = actions.build_menu_bar(owner.menuBar())
    for spec in ACTIONS.values():
        for path in spec.menu:
            if path in menus:
                assert actions[spec.id] in menus[path].actions()


def test_a_table_without_handler_is_an_error(qtbot) -> None:
    owner = QMainWindow()
    qtbot.addWidget(owner)
    incomplete = handlers()
    del incomplete["align"]
    with pytest.raises(ValueError, match="align"):
        ActionSet(owner, incomplete)


def test_triggering_calls_the_handler_and_checking_silently_does_not(qtbot) -> None:
    owner = QMainWindow()
    qtbot.addWidget(owner)
    called: list[object] = []
    table = handlers()
    table["align"] = lambda: called.append("align")
    table["ghosts"] = called.append
    actions = ActionSet(owner, table)
    actions.set_states({"start"})
    actions["align"].trigger()
    actions.set_checked("ghosts", True)
    assert called == ["align"]
    actions["ghosts"].setChecked(False)
    assert called == ["align", False]


def test_the_help_list_holds_every_key() -> None:
    rows = shortcut_rows()
    assert len(rows) == sum(bool(spec.shortcut) for spec in ACTIONS.values())
    assert all(all(cells) for cells in rows)
